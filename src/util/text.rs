//! Text from others, made harmless to look at.

use unicode_normalization::UnicodeNormalization;

/// One line that a terminal, a spreadsheet or a page shows as it stands: control characters and
/// characters that are unseen or turn the direction of text are written as escapes, and what exceeds
/// `max` characters is cut off with an ellipsis.
pub fn visible(text: &str, max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max));
    let mut chars = text.chars();
    for c in chars.by_ref().take(max) {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if unseen(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A text in lower case, with the letters of ASCII that stand for umlauts and accents where there are none: `gro\u{df}` is `gross`.
pub fn in_ascii(text: &str) -> String {
    let mut plain = String::new();
    for c in text.to_lowercase().nfc() {
        match c {
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            c if c.is_ascii() => plain.push(c),
            c => {
                let letter = c.nfd().next().filter(char::is_ascii_lowercase);
                plain.push(letter.unwrap_or(c));
            }
        }
    }
    plain
}

/// Control characters, and format characters that hide or reorder what a person reads.
pub fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(visible("a\x1b[2Jb\u{9b}1m\u{202e}c\r\n\td", 99), r"a\u{1b}[2Jb\u{9b}1m\u{202e}c\r\n\td");
        assert_eq!(visible("größe 漢字 🦀", 99), "größe 漢字 🦀");
        assert_eq!(visible("abcdef", 3), "abc…");
        assert_eq!(visible("abc", 3), "abc");
    }

    #[test]
    fn umlauts_and_accents_have_letters_of_ascii() {
        assert_eq!(in_ascii("U\u{308}bung: Größter Élan 漢_1"), "uebung: groesster elan 漢_1");
    }

    proptest! {
        #[test]
        fn nothing_unseen_is_left_and_length_is_bounded(text in any::<String>(), max in 0usize..50) {
            let shown = visible(&text, max);
            prop_assert!(!shown.chars().any(unseen));
            prop_assert!(shown.chars().count() <= max * 10 + 1);
        }
    }
}
