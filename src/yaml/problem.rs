//! Problems: mistakes in files that people wrote, collected so that all of a file are told at once.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake in a file that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Problem {
    /// The file, as the user would name it.
    pub file: PathBuf,
    /// 1-based; 0 when the file as a whole is meant (missing, unreadable).
    pub line: usize,
    /// 1-based; 0 when the line as a whole is meant.
    pub column: usize,
    /// The field's path, such as `sandbox.timeout` or `tests[2].assert`; empty for the whole file.
    pub field: String,
    /// The mistake and what was expected, a lower-case fragment.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        for part in [self.line, self.column] {
            if part > 0 {
                write!(f, ":{part}")?;
            }
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Most problems that are told on a console; the others are counted.
const MAX_TOLD: usize = 20;

/// All mistakes found; at least one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", told(.0).join("\n"))]
pub struct Problems(pub Vec<Problem>);

/// A line for each of the first problems, and one that counts the others.
#[must_use]
pub fn told(problems: &[Problem]) -> Vec<String> {
    let more = problems.len().saturating_sub(MAX_TOLD);
    let mut lines: Vec<String> = problems.iter().take(MAX_TOLD).map(ToString::to_string).collect();
    lines.extend((more > 0).then(|| format!("and {more} more; `agentmill check --json` tells all")));
    lines
}

impl Problems {
    /// `Err` with the problems in the order of files and lines, if there are any.
    ///
    /// # Errors
    /// `problems`, unless empty.
    pub fn check(mut problems: Vec<Problem>) -> Result<(), Self> {
        problems.sort();
        problems.dedup();
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }
}

/// A place in a file, 1-based; zeros mean the file as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// 0 when the file as a whole is meant.
    pub line: usize,
    /// Counted in characters; 0 when the line as a whole is meant.
    pub column: usize,
}

/// More problems than anyone reads of one file.
const MAX_PROBLEMS: usize = 100;
const LAST: usize = MAX_PROBLEMS - 1;

/// Collects the problems of one file.
#[derive(Debug)]
pub struct Log {
    pub(super) file: PathBuf,
    problems: RefCell<Vec<Problem>>,
}

impl Log {
    /// An empty log; `file` is named as the user would name it.
    #[must_use]
    pub fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), problems: RefCell::default() }
    }

    /// Remembers a problem, up to [`MAX_PROBLEMS`].
    pub fn add(&self, at: Position, field: &str, message: impl Into<String>) {
        let mut problems = self.problems.borrow_mut();
        let (field, message) = match problems.len() {
            MAX_PROBLEMS.. => return,
            LAST => ("", "more mistakes follow".to_owned()),
            _ => (field, message.into()),
        };
        let (line, column) = (at.line, at.column);
        let field = field.to_owned();
        problems.push(Problem { file: self.file.clone(), line, column, field, message });
    }

    /// True if nothing more is remembered: to look for what is wrong is worth no more time.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.problems.borrow().len() >= MAX_PROBLEMS
    }

    /// True if nothing was wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// The problems, in no particular order.
    #[must_use]
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    /// `value`, unless there were problems.
    ///
    /// # Errors
    /// All problems in the order of lines. `None` without any problem is one, too.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problems> {
        if value.is_none() && self.is_empty() {
            self.add(Position::default(), "", "could not be read");
        }
        Problems::check(self.into_problems())?;
        value.ok_or_else(|| Problems(Vec::new()))
    }
}
