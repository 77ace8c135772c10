//! Tables: aligned columns that fit the layout.

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::term::layout::{HEADING, Layout};

/// Blanks between columns.
const GAP: usize = 2;

/// Least width of a column of words that is cut to fit.
const NARROW: usize = 8;

/// A column's title and side.
#[derive(Debug, Clone)]
pub struct Column {
    title: String,
    to_the_right: bool,
}

/// A column of words.
pub fn left(title: &str) -> Column {
    Column { title: title.into(), to_the_right: false }
}

/// A column of numbers; never shortened.
pub fn right(title: &str) -> Column {
    Column { title: title.into(), to_the_right: true }
}

/// A line of visible text in a style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Styled {
    text: String,
    style: Style,
}

impl Styled {
    /// Text in a style.
    pub fn new(style: Style, text: impl Into<String>) -> Self {
        Self { text: text.into(), style }
    }
}

impl From<String> for Styled {
    fn from(text: String) -> Self {
        Self::new(Style::new(), text)
    }
}

/// A header and lines, without blanks at the ends of lines. Words that are too wide for the layout are cut with an
/// ellipsis, the widest first; numbers never are.
pub fn table(layout: &Layout, columns: &[Column], lines: impl Iterator<Item = Vec<Styled>>) -> String {
    let header = columns.iter().map(|column| Styled::new(HEADING, &column.title)).collect();
    let lines: Vec<Vec<Styled>> = std::iter::once(header).chain(lines).collect();
    let width = |at: usize| lines.iter().map(|line| line[at].text.width()).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..columns.len()).map(width).collect();
    if let Some(most) = layout.width {
        squeeze(columns, &mut widths, most);
    }
    lines.iter().map(|line| align(layout, columns, &widths, line)).collect()
}

/// Takes from the widest columns of words until all fit, or all are narrow.
fn squeeze(columns: &[Column], widths: &mut [usize], most: usize) {
    let gaps = GAP * columns.len().saturating_sub(1);
    let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(most);
    while excess > 0 {
        let words = widths.iter_mut().zip(columns).filter(|(_, column)| !column.to_the_right);
        match words.map(|(width, _)| width).max().filter(|width| **width > NARROW) {
            Some(width) => *width -= 1,
            None => return,
        }
        excess -= 1;
    }
}

fn align(layout: &Layout, columns: &[Column], widths: &[usize], line: &[Styled]) -> String {
    let mut text = String::new();
    let mut owed = 0; // blanks that are written only if something follows
    for ((column, width), cell) in columns.iter().zip(widths).zip(line) {
        let shown = fitted(&cell.text, *width);
        let free = width.saturating_sub(shown.width());
        let (before, after) = if column.to_the_right { (free, 0) } else { (0, free) };
        if !shown.is_empty() {
            text += &" ".repeat(owed + before);
            text += &layout.paint(cell.style, &shown);
            owed = 0;
        } else {
            owed += before;
        }
        owed += after + GAP;
    }
    text + "\n"
}

/// As much of a text as fits.
fn fitted(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut used = 1; // the ellipsis
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        shown.push(c);
    }
    shown + "…"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(width: Option<usize>, rows: &[[&str; 3]]) -> Vec<String> {
        let columns = [right("#"), left("NAME"), left("WHY")];
        let cells = rows.iter().map(|row| row.iter().map(|text| Styled::from((*text).to_owned())).collect());
        table(&Layout { width, colour: false }, &columns, cells).lines().map(str::to_owned).collect()
    }

    #[test]
    fn columns_are_aligned_without_blanks_at_the_end() {
        let rows = [["1", "alice", ""], ["10", "漢字", "x"]];
        assert_eq!(lines(None, &rows), [" #  NAME   WHY", " 1  alice", "10  漢字   x"]);
    }

    #[test]
    fn the_widest_words_are_cut_first() {
        let rows = [["1", "alice", "the quick brown fox"]];
        assert_eq!(lines(Some(24), &rows)[1], "1  alice  the quick bro…");
        assert_eq!(lines(Some(5), &rows)[1], "1  alice  the qui…");
    }

    #[test]
    fn colours_take_no_room() {
        let cells = vec![Styled::new(crate::term::GOOD, "ok"), Styled::from("x".to_owned())];
        let text =
            table(&Layout { width: None, colour: true }, &[left("AAAA"), left("B")], [cells].into_iter());
        assert_eq!(text.lines().nth(1), Some("\u{1b}[32mok\u{1b}[0m    x"));
    }

    proptest! {
        #[test]
        fn a_table_fits(words in prop::collection::vec("[a-z漢é ]{0,60}", 2), width in 30usize..100) {
            let rows = [["123", &words[0], &words[1]]];
            for line in lines(Some(width), &rows) {
                prop_assert!(line.width() <= width, "{}", line);
            }
        }
    }
}
