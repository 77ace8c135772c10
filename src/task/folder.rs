//! Folder of a task: files that its agents find as their working directory. Known by digests, as data files of cases are,
//! and read again when a cell is to have them.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use crate::task::beside::Source;
use crate::task::data_file::DataFile;
use crate::util::digest;
use crate::util::text::visible;
use crate::yaml::{Place, Position};

/// Most files and folders within the folder.
const MAX_ENTRIES: u32 = 2000;

/// Longest name, in bytes, as file systems have it.
const MAX_NAME: usize = 255;

/// Longest path below the folder, in bytes.
const MAX_PATH: usize = 1000;

/// Bytes of memory that a cell spends on a file or folder beside its content, and on a page that is not full: no less.
const ENTRY: u64 = 2 * 4096;

/// The folder as it was when the task was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Path on this machine.
    pub path: PathBuf,
    /// Place of the field in the task's file.
    pub at: Position,
    /// Files sorted by name; never empty. Folders are there for them only.
    pub files: Vec<FolderFile>,
    /// Files and folders, itself among them.
    pub entries: u32,
    /// SHA-256 over all names and contents, as hex.
    pub sha256: String,
}

/// A file in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFile {
    /// Path below the folder, its parts separated by `/`.
    pub name: String,
    /// Its content.
    pub data: DataFile,
}

impl Folder {
    /// Bytes of all files together.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.data.size).sum()
    }

    /// Bytes that a cell needs for it beside what a run may take, in memory as in /tmp.
    pub(super) fn room(&self) -> u64 {
        self.size() + ENTRY * u64::from(self.entries)
    }
}

/// The folder that `place` names; everything that is wrong with it goes to the log.
pub(super) fn read(place: &Place<'_>, source: &Source<'_>) -> Option<Folder> {
    let path = place.value(|path: String| source.folder(&path, "repository"))?;
    let mut found = Found { root: &path, entries: 0, files: Vec::new(), mistakes: Vec::new() };
    if holds(&path, source.path) {
        found.mistakes.push("must not hold the task's own file: agents would find its tests".to_owned());
    } else if let Err(error) = found.folder(&path) {
        found.mistakes.push(format!("can't be read: {error}"));
    }
    let Found { mut files, mut mistakes, entries, .. } = found;
    if files.is_empty() && mistakes.is_empty() {
        mistakes.push("holds no file".to_owned());
    }
    for mistake in &mistakes {
        place.complain(mistake);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let parts = files.iter().flat_map(|file| [file.name.as_bytes(), file.data.sha256.as_bytes()]);
    let sha256 = digest::hex(parts);
    mistakes.is_empty().then_some(Folder { path, at: place.node.at, files, entries: entries + 1, sha256 })
}

/// Tells whether a file lies somewhere below a folder, links followed.
pub(super) fn holds(folder: &Path, file: &Path) -> bool {
    match (folder.canonicalize(), file.canonicalize()) {
        (Ok(folder), Ok(file)) => file.starts_with(folder),
        _ => false,
    }
}

/// Result of walking a folder.
struct Found<'a> {
    root: &'a Path,
    entries: u32,
    files: Vec<FolderFile>,
    mistakes: Vec<String>,
}

impl Found<'_> {
    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(io::Error::other(format!("more than {MAX_ENTRIES} files and folders")));
            }
            self.entry(&entry?)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry) -> io::Result<()> {
        let (path, kind) = (entry.path(), entry.file_type()?);
        let read = match name(self.root, &path) {
            Ok(_) if kind.is_dir() => return self.folder(&path),
            Ok(name) if kind.is_file() => DataFile::of(path.clone()).map(|data| FolderFile { name, data }),
            Ok(_) if kind.is_symlink() => Err("is a symbolic link; put the file itself there".to_owned()),
            Ok(_) => Err("is no regular file".to_owned()),
            Err(mistake) => Err(mistake),
        };
        match read {
            Ok(file) => self.files.push(file),
            Err(why) => {
                let name = path.strip_prefix(self.root).unwrap_or(&path).display().to_string();
                self.mistakes.push(format!("{:?} {why}", visible(&name, 200)));
            }
        }
        Ok(())
    }
}

/// The path below the root as cells are told it.
fn name(root: &Path, path: &Path) -> Result<String, String> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let last = path.file_name().unwrap_or_default();
    let name = below.to_str().ok_or("has a name that is not UTF-8")?;
    match name {
        _ if name.contains(char::is_control) => Err("has a control character in its name".to_owned()),
        _ if last.len() > MAX_NAME => Err(format!("has a name of more than {MAX_NAME} bytes")),
        _ if name.len() > MAX_PATH => Err(format!("has a path of more than {MAX_PATH} bytes")),
        _ => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, Mode, mkfifoat};
    use tempfile::TempDir;

    use crate::task::{Task, load};

    const TASK: &str = "prompt: p\ntests: [assert f() == 1]\n";

    fn tasks(files: &[(&str, &str)]) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    fn with_files(more: &[(&str, &str)]) -> TempDir {
        let task = format!("{TASK}files: data\n");
        tasks(&[&[("t.yaml", task.as_str())], more].concat())
    }

    fn task(dir: &TempDir) -> Task {
        load(dir.path()).unwrap_or_else(|problems| panic!("{problems}")).remove(0)
    }

    fn complaint(dir: &TempDir) -> String {
        load(dir.path()).map(|tasks| format!("{} tasks", tasks.len())).unwrap_err().to_string()
    }

    #[test]
    fn files_are_known_by_name_and_content() {
        let dir =
            with_files(&[("data/b/.hidden", "x"), ("data/a.yaml", "no: task"), ("data/b/c/d.py", "yy")]);
        let read = task(&dir);
        let folder = read.files.as_deref().unwrap();
        let names: Vec<_> = folder.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a.yaml", "b/.hidden", "b/c/d.py"], "a YAML file in there is no task");
        assert_eq!(folder.size(), 11);
        assert!(folder.room() >= 11 + 3 * 4096);
        let digests =
            [("data/a.yaml", "no: tusk"), ("data/b/e", ""), ("data/b/c/D.py", "yy")].map(|(name, text)| {
                std::fs::write(dir.path().join(name), text).unwrap();
                task(&dir).digest()
            });
        assert!(
            digests.iter().enumerate().all(|(n, one)| *one != read.digest() && !digests[..n].contains(one))
        );
    }

    #[test]
    fn a_folder_is_the_tasks_memory_and_tmp_beside_its_limits() {
        let dir = with_files(&[("data/a", "x")]);
        let stage = crate::config::parse("p.yaml".as_ref(), b"").unwrap().sandbox.limits;
        let read = task(&dir);
        let (limits, room) = (read.limits(&stage), read.files.as_deref().unwrap().room());
        assert_eq!((limits.memory, limits.tmp, limits.entries), (stage.memory + room, stage.tmp + room, 2));
    }

    #[test]
    fn what_no_cell_can_have_is_refused_by_its_name() {
        let dir = with_files(&[("data/a", "x"), ("data/tab\tname", "x")]);
        symlink("/etc/passwd", dir.path().join("data/link")).unwrap();
        symlink("/etc", dir.path().join("data/etc")).unwrap();
        mkfifoat(CWD, dir.path().join("data/pipe"), Mode::RUSR).unwrap();
        let told = complaint(&dir);
        for part in [
            "files: \"link\" is a symbolic link",
            "files: \"etc\" is a symbolic link",
            "files: \"pipe\" is no regular file",
            "has a control character in its name",
        ] {
            assert!(told.contains(part) && told.contains("t.yaml:3"), "{part}: {told}");
        }
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let deep = format!("data/{}f", "a/".repeat(500));
        assert!(complaint(&with_files(&[(&deep, "x")])).contains("has a path of more than 1000 bytes"));
        let dir = with_files(&[("data/a", "x")]);
        for n in 0..2000 {
            std::fs::write(dir.path().join(format!("data/{n}")), "").unwrap();
        }
        assert!(complaint(&dir).contains("more than 2000 files and folders"));
    }

    #[test]
    fn an_empty_folder_and_one_that_is_elsewhere_are_refused() {
        let dir = with_files(&[]);
        assert!(complaint(&dir).contains("no such folder: \"data\""));
        std::fs::create_dir_all(dir.path().join("data/within")).unwrap();
        assert!(complaint(&dir).contains("holds no file"));
        std::fs::write(dir.path().join("t.yaml"), format!("{TASK}files: ..\n")).unwrap();
        assert!(complaint(&dir).contains("must lie in the tasks folder"));
    }
}
