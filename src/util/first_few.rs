//! First few: the beginning of a list in words.

/// The most items that are named.
const NAMED: usize = 5;

/// The first items with commas between them, and dots for the rest; nothing for none.
pub fn first_few(items: impl IntoIterator<Item = impl ToString>) -> String {
    let mut items = items.into_iter();
    let named: Vec<String> = items.by_ref().take(NAMED).map(|item| item.to_string()).collect();
    named.join(", ") + if items.next().is_some() { ", ..." } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_few_end_in_dots() {
        assert_eq!(first_few(["a"; 0]), "");
        assert_eq!(first_few(1..=5), "1, 2, 3, 4, 5");
        assert_eq!(first_few(1..=6), "1, 2, 3, 4, 5, ...");
    }
}
