//! A folder that tests import tasks into.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder made by `init`, without the task that comes with it, and a place for what is imported.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        assert!(folder.agentmill(&["init", folder.path("mill").to_str().unwrap()]).status.success());
        fs::remove_dir_all(folder.path("mill/tasks")).unwrap();
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn agentmill(&self, args: &[&str]) -> Output {
        let command = Command::new(env!("CARGO_BIN_EXE_agentmill"));
        { command }.arg("-C").arg(self.path("mill")).args(args).output().unwrap()
    }

    /// The exit code, what was printed, and what was told.
    pub fn import(&self, kind: &str, place: &Path) -> (i32, String, String) {
        let output = self.agentmill(&["import", kind, place.to_str().unwrap()]);
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    pub fn task(&self, id: &str) -> String {
        fs::read_to_string(self.path(&format!("mill/tasks/{id}.yaml"))).unwrap()
    }

    pub fn prove(&self, solutions: usize) {
        let output = self.agentmill(&["check"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let expected = format!(", {solutions} reference solution");
        assert!(text(&output.stdout).contains(&expected), "{}", text(&output.stdout));
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
