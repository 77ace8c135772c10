//! Aligned columns of plain text.

/// A column's title and side.
pub(super) struct Column {
    title: String,
    to_the_right: bool,
}

/// A column of words.
pub(super) fn left(title: &str) -> Column {
    Column { title: title.into(), to_the_right: false }
}

/// A column of numbers.
pub(super) fn right(title: &str) -> Column {
    Column { title: title.into(), to_the_right: true }
}

/// A header and lines, two blanks apart, without blanks at the ends of lines.
pub(super) fn table(columns: &[Column], lines: impl Iterator<Item = Vec<String>>) -> String {
    let header = columns.iter().map(|column| column.title.clone()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(header).chain(lines).collect();
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    lines.iter().map(|line| align(columns, &widths, line)).collect()
}

fn align(columns: &[Column], widths: &[usize], line: &[String]) -> String {
    let cell = |((column, width), text): ((&Column, &usize), &String)| match column.to_the_right {
        true => format!("{text:>width$}"),
        false => format!("{text:<width$}"),
    };
    let cells: Vec<String> = columns.iter().zip(widths).zip(line).map(cell).collect();
    format!("{}\n", cells.join("  ").trim_end())
}
