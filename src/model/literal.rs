//! Python's literals for texts: written, and read again.

/// Begin and end of a raw literal; the first line break is skipped by cutting it off.
const RAW: (&str, &str) = ("r'''\n", "'''[1:]");

/// Python's literal for a text: readable where lines and backslashes allow it.
pub(super) fn literal(text: &str) -> String {
    let plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    if text.contains('\n')
        && text.chars().all(plain)
        && !text.contains("'''")
        && !text.ends_with(['\'', '\\'])
    {
        return format!("{}{text}{}", RAW.0, RAW.1);
    }
    let escaped: String = text.chars().map(escape).collect();
    format!("'{escaped}'")
}

fn escape(c: char) -> String {
    match c {
        '\\' => "\\\\".to_owned(),
        '\'' => "\\'".to_owned(),
        '\n' => "\\n".to_owned(),
        c if c.is_control() => format!("\\x{:02x}", u32::from(c)),
        c => c.to_string(),
    }
}

/// The text of a literal as [`literal`] writes it, and what follows it.
pub(super) fn read(code: &str) -> Option<(String, &str)> {
    if let Some(raw) = code.strip_prefix(RAW.0) {
        return raw.split_once(RAW.1).map(|(text, rest)| (text.to_owned(), rest));
    }
    let mut text = String::new();
    let mut chars = code.strip_prefix('\'')?.chars();
    loop {
        match chars.next()? {
            '\'' => return Some((text, chars.as_str())),
            '\\' => match chars.next()? {
                'n' => text.push('\n'),
                'x' => {
                    let (code, rest) = chars.as_str().split_at_checked(2)?;
                    text.push(u8::from_str_radix(code, 16).ok()?.into());
                    chars = rest.chars();
                }
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        assert_eq!(literal("a'b\\"), "'a\\'b\\\\'");
        assert_eq!(literal("x = '\\n'\n"), "r'''\nx = '\\n'\n'''[1:]");
        assert_eq!(literal("'''\n"), "'\\'\\'\\'\\n'");
        assert_eq!(literal("\u{85}\0"), "'\\x85\\x00'");
    }

    proptest::proptest! {
        #[test]
        fn what_was_written_is_read_again(text: String) {
            assert_eq!(read(&(literal(&text) + "), rest")), Some((text, "), rest")));
        }
    }
}
