//! Contents of a full bundle: all that decides results and all that came of it. Unpacked, it is laid out as the
//! folder that it was made from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::Pipeline;
use crate::pipeline::publish;
use crate::proof::manifest::Kind;
use crate::proof::pack::{Bundle, Content, Packed};
use crate::proof::public;
use crate::proof::withheld::Withheld;
use crate::util::atomic_file::blame;
use crate::workspace::Workspace;

/// Files of the results that are packed, where they are there: a new one of `publish` belongs here, too.
const RESULTS: [&str; 6] =
    ["rankings.json", "rankings.csv", "scores.csv", "rejected.csv", "history.csv", "ledger.jsonl"];

/// Folders of the results that are packed.
const FOLDERS: [&str; 5] = ["agents", "reports", "submissions", "claims", "recordings"];

/// Folders within folders that are packed.
const MOST_DEPTH: usize = 32;

/// A bundle, and the files among the tasks that are none of anybody's business, and so not in it.
#[derive(Debug)]
pub struct Contents {
    /// The bundle.
    pub bundle: Bundle,
    /// Paths of those files, sorted.
    pub left_out: Vec<PathBuf>,
}

/// The bundle of a workspace, for auditors, that is to be signed with this key.
///
/// # Errors
/// There are no results, or a file can't be read or packed; the message names it.
pub fn full(workspace: &Workspace, key: &Path) -> io::Result<Contents> {
    let Pipeline { tasks, results, season, .. } = &workspace.pipeline;
    let image = publish::json::load(results)?.image;
    let mut files = vec![file("pipeline.yaml".into(), &workspace.file)];
    let extensions = season.as_ref().map(|season| season.file.as_path()).filter(|file| file.is_file());
    files.extend(extensions.map(|path| file("extensions.yaml".into(), path)));
    let withheld = Withheld::of(&workspace.pipeline, key);
    let mut of_tasks = Vec::new();
    folder("tasks", tasks, MOST_DEPTH, &mut of_tasks)?;
    let mut left_out = Vec::new();
    for packed in of_tasks {
        match &packed.content {
            Content::File(path) if withheld.holds(path)? => left_out.push(path.clone()),
            _ => files.push(packed),
        }
    }
    left_out.sort();
    let single = RESULTS.map(|name| (format!("results/{name}"), results.join(name)));
    files.extend(single.into_iter().filter(|(_, path)| path.is_file()).map(|(name, path)| file(name, &path)));
    for name in FOLDERS {
        folder(&format!("results/{name}"), &results.join(name), MOST_DEPTH, &mut files)?;
    }
    Ok(Contents { bundle: Bundle::new(Kind::Full, image, None, files)?, left_out })
}

/// The bundle of a workspace, for everybody.
///
/// # Errors
/// As of [`full`].
pub fn public(workspace: &Workspace, key: &Path) -> io::Result<Contents> {
    let Contents { bundle, left_out } = full(workspace, key)?;
    let image = publish::json::load(&workspace.pipeline.results)?.image;
    let bundle = Bundle::new(Kind::Public, image, Some(bundle.sha256()?), public::files(workspace)?)?;
    Ok(Contents { bundle, left_out })
}

fn file(name: String, path: &Path) -> Packed {
    Packed { name, content: Content::File(path.to_owned()) }
}

/// Adds all files of a folder and of those in it. Hidden ones are left out, as tasks are never read from them; links to files
/// are followed, as they are there. A folder that is missing has no files.
fn folder(name: &str, path: &Path, depth: usize, files: &mut Vec<Packed>) -> io::Result<()> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| blame(path, &error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| blame(path, &error))?;
        let (own, path) = (entry.file_name(), entry.path());
        let Some(own) = own.to_str() else {
            return Err(io::Error::other(format!("{}: its name is no text", path.display())));
        };
        if own.starts_with('.') {
            continue;
        }
        let name = format!("{name}/{own}");
        let kind = entry.file_type().map_err(|error| blame(&path, &error))?;
        if kind.is_dir() && depth == 0 {
            return Err(io::Error::other(format!("{}: too many folders within folders", path.display())));
        } else if kind.is_dir() {
            folder(&name, &path, depth - 1, files)?;
        } else if path.is_file() {
            files.push(file(name, &path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_beside_each_other_are_in_no_bundle() {
        assert!(!FOLDERS.contains(&publish::similar::FOLDER));
    }
}
