//! Statements of tasks: the text beside a folder's cases, or in the folder above it.

use std::fs;
use std::path::{Path, PathBuf};

/// Files that tell a task, the first that is there and not empty.
const NAMES: [&str; 6] =
    ["prompt.md", "prompt.txt", "statement.md", "README.md", "problem.md", "statement.txt"];

/// A file that in a folder of folders mostly tells of the whole collection, not of a task.
const OF_COLLECTION: &str = "README.md";

/// A text, and where it comes from.
pub(super) struct Statement {
    /// Its file.
    pub file: PathBuf,
    /// Its text; never empty.
    pub text: String,
    /// True if it stands in the folder above, and so may be that of several tasks.
    pub is_above: bool,
}

/// The statement of a folder below `root`: its own, or else that of the folder above.
pub(super) fn find(root: &Path, folder: &Path) -> Option<Statement> {
    let own = NAMES.iter().find_map(|name| read(folder, name, false));
    let above = || {
        let parent = folder.parent().filter(|parent| folder != root && parent.starts_with(root))?;
        let names = NAMES.iter().filter(|name| **name != OF_COLLECTION);
        names.into_iter().find_map(|name| read(parent, name, true))
    };
    own.or_else(above)
}

fn read(folder: &Path, name: &str, is_above: bool) -> Option<Statement> {
    let file = folder.join(name);
    let text = fs::read_to_string(&file).ok().filter(|text| !text.trim().is_empty())?;
    Some(Statement { file, text, is_above })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_s_own_statement_comes_first_then_that_of_the_folder_above() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("old");
        for (name, text) in [
            ("statement.txt", "of nobody: it lies outside"),
            ("old/README.md", "the collection"),
            ("old/sum/statement.txt", "sum"),
            ("old/sum/sub1/README.md", "its own"),
            ("old/sum/sub2/prompt.md", " \n"),
            ("old/max/sub/1.in", ""),
        ] {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let found = |folder: &str| {
            find(&root, &root.join(folder)).map(|statement| (statement.text, statement.is_above))
        };
        assert_eq!(found("sum/sub1"), Some(("its own".into(), false)));
        assert_eq!(found("sum/sub2"), Some(("sum".into(), true)));
        assert_eq!(found("max"), None, "README.md above tells of the collection");
        assert_eq!(find(&dir.path().join("old/max"), &dir.path().join("old/max")).map(|it| it.text), None);
    }
}
