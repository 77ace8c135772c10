//! Layout: the width and the colours that text is laid out for.

use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Color, Style};
use rustix::termios::tcgetwinsize;

use crate::model::report::Verdict;

/// The width and the colours that text is laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Columns of a terminal; None where lines may be as long as they are, as in a file.
    pub width: Option<usize>,
    /// True if colours can be seen and are wanted.
    pub colour: bool,
}

impl Layout {
    /// A file.
    pub const PLAIN: Self = Self { width: None, colour: false };

    /// The layout of stdout. Colours are for terminals only, and not with NO_COLOR.
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

/// Style of a column's or a part's name.
pub const HEADING: Style = Style::new().bold();

/// Style of things that are as they should be.
pub const GOOD: Style = coloured(AnsiColor::Green);

/// Style of things that should be looked at.
pub const ODD: Style = coloured(AnsiColor::Yellow);

/// Style of things that are wrong.
pub const BAD: Style = coloured(AnsiColor::Red);

const fn coloured(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// The style of a verdict; None stands for unscored.
pub fn of_verdict(verdict: Option<Verdict>) -> Style {
    match verdict {
        Some(Verdict::Passed) => GOOD,
        Some(_) => BAD,
        None => ODD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_where_they_are_wanted() {
        let colourful = Layout { colour: true, ..Layout::PLAIN };
        assert_eq!(colourful.paint(GOOD, "ok"), "\x1b[32mok\x1b[0m");
        assert_eq!(colourful.paint(Style::new(), "ok"), "ok");
        assert_eq!(Layout::PLAIN.paint(BAD, "no"), "no");
    }
}
