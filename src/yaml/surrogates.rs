//! Surrogate pairs: escapes by which JSON writes characters beyond its 16 bits, and which YAML does not know.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use saphyr_parser::{Parser, ScanError};

static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})").expect("a constant")
});

/// The text with pairs in quoted scalars as YAML writes such characters. Where it reads them as they stand, as in a `|` block
/// or in single quotes, they stay.
pub(super) fn mended(text: &str) -> Cow<'_, str> {
    let mut mended = Cow::Borrowed(text);
    // The parser tells of one scalar at a time: the one in which it stops.
    while PAIR.is_match(&mended)
        && let Some(better) = refusal(&mended).and_then(|error| without_pair(&mended, &error))
    {
        mended = Cow::Owned(better);
    }
    mended
}

fn refusal(text: &str) -> Option<ScanError> {
    let mut parser = Parser::new_from_str(text);
    std::iter::from_fn(|| parser.next_event()).find_map(Result::err)
}

/// The text without the first pair of the scalar that begins where the parser gave up.
fn without_pair(text: &str, error: &ScanError) -> Option<String> {
    if !error.info().contains("invalid Unicode character escape") {
        return None;
    }
    let (begin, _) = text.char_indices().nth(error.marker().index())?;
    let pair = PAIR.captures_at(text, begin)?;
    let unit = |at: usize| u16::from_str_radix(&pair[at], 16).ok();
    let character = char::decode_utf16([unit(1)?, unit(2)?]).next()?.ok()?;
    let whole = pair.get_match().range();
    Some(format!("{}\\U{:08X}{}", &text[..whole.start], u32::from(character), &text[whole.end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_mended_where_yaml_refuses_them_only() {
        let text =
            "é: \"\\ud83d\\ude00 \\uD83E\\uDD80\"\nblock: |\n  '\\ud83d\\ude00'\nb: ['\\ud83d\\ude00']\n";
        let mended = mended(text);
        assert_eq!(
            mended,
            "é: \"\\U0001F600 \\U0001F980\"\nblock: |\n  '\\ud83d\\ude00'\nb: ['\\ud83d\\ude00']\n"
        );
        assert!(refusal(&mended).is_none());
    }

    #[test]
    fn what_is_no_pair_stays_a_mistake() {
        for text in ["a: \"\\ud83d\"", "a: \"\\ude00\\ud83d\"", "a: \"x", "a: 1"] {
            assert_eq!(mended(text), text);
        }
    }
}
