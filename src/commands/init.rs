//! `init`: a folder to start from.

use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;

use crate::cli::Exit;
use crate::config;
use crate::pipeline::intake;
use crate::term;

/// Files of a new folder.
const FILES: [(&str, &str); 1] = [("pipeline.yaml", config::DEFAULT)];

/// Files of a folder that has no tasks yet: an example beside others would count.
const EXAMPLE: [(&str, &str); 2] = [
    ("tasks/reverse_string.yaml", include_str!("../demo/tasks/reverse_string.yaml")),
    ("tasks/solutions/reverse_string.py", include_str!("../demo/tasks/solutions/reverse_string.py")),
];

/// Writes what is missing, an example where there are no tasks; never changes a file that is there.
///
/// # Errors
/// Something can't be written.
pub fn init(dir: &Path, quiet: bool) -> anyhow::Result<Exit> {
    for folder in ["inbox", "results"] {
        std::fs::create_dir_all(dir.join(folder))
            .with_context(|| format!("can't create {}", dir.display()))?;
    }
    let is_without_tasks = dir.join("tasks").read_dir().map_or(true, |mut names| names.next().is_none());
    let example: &[_] = if is_without_tasks { &EXAMPLE } else { &[] };
    let mut told = String::new();
    for &(name, text) in FILES.iter().chain(example) {
        let word = if write_new(&dir.join(name), text)? { "wrote" } else { "kept " };
        told += &format!("{word} {}\n", dir.join(name).display());
    }
    let run = match dir == Path::new(".") {
        true => "agentmill run".to_owned(),
        false => format!("agentmill -C {} run", in_shell(dir)),
    };
    let (inbox, tasks) = (dir.join("inbox"), dir.join("tasks"));
    let place = if is_without_tasks { " in the place of the example, which counts too" } else { "" };
    told += &format!(
        "drop agents into {}, put your tasks into {}{place}, then: {run}\n",
        inbox.display(),
        tasks.display()
    );
    if !quiet {
        term::print(&told)?;
    }
    Ok(Exit::Done)
}

/// A path as a shell takes it: in quotes where it has more than plain signs.
fn in_shell(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// Writes a file if none is there; tells whether it did.
///
/// # Errors
/// It can't be written.
pub fn write_new(path: &Path, text: &str) -> anyhow::Result<bool> {
    let context = || format!("can't write {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(context)?;
    }
    match std::fs::File::create_new(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes()).with_context(context)?;
            // It is whole: nobody has to wait for it to stand still.
            file.set_modified(SystemTime::now() - intake::SETTLE).with_context(context)?;
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).with_context(context),
    }
}
