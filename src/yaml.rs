//! YAML with positions: every mistake in a file is reported at once, each where it stands.

use std::fmt;
use std::path::PathBuf;

/// One mistake in a file that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as the user would name it.
    pub file: PathBuf,
    /// 1-based; 0 when the file as a whole is meant (missing, unreadable).
    pub line: usize,
    /// 1-based; 0 when the line as a whole is meant.
    pub column: usize,
    /// The field's path, such as `sandbox.timeout` or `tests[2].assert`; empty for the whole file.
    pub field: String,
    /// What is wrong and what was expected, a lower-case fragment.
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

/// All mistakes found; at least one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);
