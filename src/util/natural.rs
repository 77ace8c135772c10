//! Natural order: numbers within names by their size, so that 2 stands before 10.

use std::cmp::Ordering;

/// Compares two names, digits as numbers and all else by character.
pub fn natural(a: &str, b: &str) -> Ordering {
    pieces(a).cmp(pieces(b)).then_with(|| a.cmp(b))
}

/// A part of a name; numbers by their length and then by their digits, so that none is too large.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    Number(usize, &'a str),
    Letter(char),
}

fn pieces(name: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let (number, behind) = rest.split_at(digits);
            rest = behind;
            let number = number.trim_start_matches('0');
            return Some(Piece::Number(number.len(), number));
        }
        let letter = rest.chars().next()?;
        rest = &rest[letter.len_utf8()..];
        Some(Piece::Letter(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_by_their_size() {
        let mut names = ["10", "HumanEval/100", "1", "HumanEval/2", "0", "a", "2b", "02", "HumanEval/20", ""];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["", "0", "1", "02", "2b", "10", "HumanEval/2", "HumanEval/20", "HumanEval/100", "a"]
        );
        assert_eq!(natural("x1", "x1"), Ordering::Equal);
    }
}
