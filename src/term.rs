//! What text is laid out for, and how it gets there: width, colours, readers that leave early.

mod table;

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Color, Style};
use rustix::termios::tcgetwinsize;
use serde::Serialize;

use crate::pipeline::publish::json;
use crate::report::Verdict;

pub use table::{Cell, Column, left, right, table};

/// What text is laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paper {
    /// Columns of a terminal; None where lines may be as long as they are, as in a file.
    pub width: Option<usize>,
    /// Whether colours can be seen and are wanted.
    pub colour: bool,
}

impl Paper {
    /// A file.
    pub const PLAIN: Self = Self { width: None, colour: false };

    /// What stdout leads to. Colours are for terminals only, and not with NO_COLOR.
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        let size = stdout.is_terminal().then(|| tcgetwinsize(&stdout).ok()).flatten();
        let width = size.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        Self { width, colour }
    }

    /// The text in a style, if colours are wanted.
    pub fn paint(&self, style: Style, text: &str) -> String {
        match self.colour && style != Style::new() && !text.is_empty() {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }
}

/// For what names a column or a part.
pub const HEADING: Style = Style::new().bold();

/// For what is as it should be.
pub const GOOD: Style = coloured(AnsiColor::Green);

/// For what should be looked at.
pub const ODD: Style = coloured(AnsiColor::Yellow);

/// For what is wrong.
pub const BAD: Style = coloured(AnsiColor::Red);

const fn coloured(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// The style of a verdict; None is for what could not be judged.
pub fn of_verdict(verdict: Option<Verdict>) -> Style {
    match verdict {
        Some(Verdict::Passed) => GOOD,
        Some(_) => BAD,
        None => ODD,
    }
}

/// Prints text as it stands. That the reader has left, as `head` does, is no error.
///
/// # Errors
/// It can't be written for another reason, such as a full disk.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints a value as readable JSON, in which nothing can be taken for a terminal's command.
///
/// # Errors
/// As of [`print`].
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    print(&String::from_utf8_lossy(&json::bytes(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_where_they_are_wanted() {
        let colourful = Paper { colour: true, ..Paper::PLAIN };
        assert_eq!(colourful.paint(GOOD, "ok"), "\x1b[32mok\x1b[0m");
        assert_eq!(colourful.paint(Style::new(), "ok"), "ok");
        assert_eq!(Paper::PLAIN.paint(BAD, "no"), "no");
    }
}
