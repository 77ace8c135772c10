//! The files of `src/`, as text.

use std::fs;
use std::path::{Path, PathBuf};

/// One Rust file.
#[derive(Debug)]
pub struct Source {
    /// Relative to the repository, such as `src/util/text.rs`.
    pub file: String,
    /// Its module's path without `crate::`, such as `util::text`; `lib` and `main` for the two roots.
    pub module: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// The top-level module that it belongs to.
    pub fn room(&self) -> &str {
        self.module.split("::").next().unwrap_or_default()
    }

    /// The next part of its path, if it lies below `module`.
    pub fn below(&self, module: &str) -> Option<&str> {
        self.module.strip_prefix(module)?.strip_prefix("::")?.split("::").next()
    }

    /// False for tests, what only they use, and the entries of fuzz targets.
    pub fn is_shipped(&self) -> bool {
        let name = self.module.rsplit("::").next().unwrap_or_default();
        !["tests", "samples", "fake", "fuzz_entry", "lib", "main"].contains(&name)
    }

    /// Its code without comments and without its own tests.
    pub fn code(&self) -> String {
        let shipped = self.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        shipped.lines().filter(is_code).map(|line| format!("{line}\n")).collect()
    }
}

/// All Rust files.
pub fn sources() -> Vec<Source> {
    let rust = all_files().into_iter().filter(|(file, _)| file.ends_with(".rs"));
    rust.map(|(file, text)| Source { module: module(&file), file, text }).collect()
}

/// All Rust, Python and shell files of `src/` with their text, sorted.
pub fn all_files() -> Vec<(String, String)> {
    let mut files = below("src");
    files.retain(|(file, _)| [".rs", ".py", ".sh"].iter().any(|ending| file.ends_with(ending)));
    files
}

/// The files of a folder in which people read, or the one file of that name, with their text, sorted.
pub fn below(place: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    match root.join(place) {
        folder if folder.is_dir() => gather(&folder, &mut files),
        file => files.push(file),
    }
    files.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root).expect("it lies below").to_string_lossy().into_owned();
        Some((name, fs::read_to_string(path).ok()?))
    };
    files.into_iter().filter_map(read).collect()
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        match path.is_dir() {
            true => gather(&path, files),
            false if matches!(ending, Some("rs" | "py" | "sh" | "js" | "json" | "md" | "yaml")) => {
                files.push(path)
            }
            false => {}
        }
    }
}

fn module(file: &str) -> String {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    path.trim_end_matches("/mod").replace('/', "::")
}
