//! `tasks/**/*.yaml` -> [`Task`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::yaml::Problems;

/// A prompt and its tests.
#[derive(Debug, Clone)]
pub struct Task {
    /// The file's path below the tasks folder without its ending, such as `strings/reverse`.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// What miners are asked for.
    pub prompt: String,
    /// Trusted Python that the tests may use.
    pub setup: Option<Code>,
    /// In file order; never empty; names are unique.
    pub tests: Vec<Test>,
    /// Weight of the task in an agent's score; above 0.
    pub weight: f64,
    /// Overrides the pipeline's limit.
    pub timeout: Option<Duration>,
    /// Overrides the pipeline's limit, in bytes.
    pub memory: Option<u64>,
    /// A reference agent that must score 100; an existing file.
    pub solution: Option<PathBuf>,
}

/// One assertion.
#[derive(Debug, Clone)]
pub struct Test {
    /// Given, or `test 1`, `test 2`... by place.
    pub name: String,
    /// Python statements, at least one `assert`-like.
    pub assertion: Code,
    /// Weight in the run's score; above 0.
    pub weight: f64,
    /// Whether miners may see it.
    pub public: bool,
}

/// Python text and where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The text.
    pub text: String,
    /// 1-based line of the text's first line in the task file.
    pub line: usize,
}

/// Reads every `*.yaml` and `*.yml` below `dir`, sorted by id.
///
/// # Errors
/// Every mistake in every file at once.
pub fn load(_dir: &Path) -> Result<Vec<Task>, Problems> {
    todo!()
}
