//! Programs of containers, compiled once for each image: to compile them takes more CPU time than all else in a start.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::sandbox::channel::Channel;
use crate::sandbox::guest::frames::ToBoot;
use crate::util::{atomic_file, digest, private, user_cache};

/// Compiled programs that the user's cache holds, at most: each is less than half a MiB, and an older agentmill's are of no more use.
const MOST_KEPT: usize = 16;

/// Length of a digest that stands before the code in a file, in hex.
const DIGEST: usize = 64;

/// Code of programs as the interpreter of an image keeps it. It comes from containers that no agent was in yet.
#[derive(Debug)]
pub struct Programs {
    known: Mutex<HashMap<String, Arc<[u8]>>>,
    /// A folder of files that earlier processes of this user left; None if there is none, or others can write it.
    folder: Option<PathBuf>,
}

impl Programs {
    /// Those that the user's cache holds.
    pub fn of_user() -> Self {
        Self::within(user_cache::folder("programs"))
    }

    fn within(folder: Option<PathBuf>) -> Self {
        let is_ours = |folder: &PathBuf| {
            let above = folder.parent().map_or(Ok(()), fs::create_dir_all);
            above.and_then(|()| private::folder(folder)).is_ok()
        };
        Self { known: Mutex::default(), folder: folder.filter(is_ours) }
    }

    /// Sends a program: its code, if a container of this image has compiled it, else its text.
    pub fn send(&self, channel: &mut Channel, image: &str, program: &str) {
        match self.code(image, program) {
            Some(code) => channel.send(ToBoot::Code, &code),
            None => channel.send(ToBoot::Program, program.as_bytes()),
        }
    }

    fn code(&self, image: &str, program: &str) -> Option<Arc<[u8]>> {
        let key = key(image, program);
        let mut known = self.known.lock();
        if !known.contains_key(&key)
            && let Some(code) = self.folder.as_ref().and_then(|folder| read(&folder.join(&key)))
        {
            known.insert(key.clone(), code.into());
        }
        known.get(&key).cloned()
    }

    /// Keeps the code that a container of this image has made of a program; for later processes, too, if it is `lasting`.
    pub fn keep(&self, image: &str, program: &str, code: Vec<u8>, lasting: bool) {
        let key = key(image, program);
        if let Some(folder) = self.folder.as_ref().filter(|_| lasting) {
            // Where it can't be kept it is compiled again.
            let _ = write(folder, &key, &code);
        }
        self.known.lock().entry(key).or_insert_with(|| code.into());
    }
}

fn key(image: &str, program: &str) -> String {
    digest::hex([image.as_bytes(), program.as_bytes()])
}

/// The code in a file, behind its digest in hex; None if it is not whole.
fn read(file: &Path) -> Option<Vec<u8>> {
    // Who can rename the folder, as the owner of a home that root was given, may have put another in its place.
    let mut code = private::read(file).ok()?;
    let told = code.drain(..code.len().min(DIGEST)).collect::<Vec<_>>();
    (told == digest::sha256(&code).as_bytes()).then_some(code)
}

fn write(folder: &Path, key: &str, code: &[u8]) -> std::io::Result<()> {
    let told = digest::sha256(code);
    atomic_file::replace(&folder.join(key), &[told.as_bytes(), code].concat())?;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    files.sort();
    let too_many = files.len().saturating_sub(MOST_KEPT);
    files[..too_many].iter().try_for_each(|(_, file)| fs::remove_file(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(folder: &Path) -> Programs {
        Programs::within(Some(folder.join("programs")))
    }

    fn known(programs: &Programs, program: &str) -> Option<Vec<u8>> {
        programs.code("image", program).map(|code| code.to_vec())
    }

    #[test]
    fn what_one_process_has_compiled_the_next_one_knows_if_it_lasts() {
        let folder = tempfile::tempdir().unwrap();
        let first = programs(folder.path());
        first.keep("image", "text", b"code".to_vec(), true);
        first.keep("image", "text of a seed", b"other".to_vec(), false);
        assert_eq!(known(&first, "text of a seed"), Some(b"other".to_vec()));
        let next = programs(folder.path());
        assert_eq!(known(&next, "text"), Some(b"code".to_vec()));
        assert_eq!(known(&next, "text of a seed"), None);
        assert!(next.code("another image", "text").is_none());
    }

    #[test]
    fn a_file_that_is_not_whole_counts_for_nothing_and_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        programs(folder.path()).keep("image", "text", b"code".to_vec(), true);
        let file = folder.path().join("programs").join(key("image", "text"));
        for spoilt in [&b"short"[..], b"", &fs::read(&file).unwrap()[..66]] {
            fs::write(&file, spoilt).unwrap();
            let programs = programs(folder.path());
            assert_eq!(known(&programs, "text"), None, "{spoilt:?}");
            programs.keep("image", "text", b"code".to_vec(), true);
        }
        assert_eq!(known(&programs(folder.path()), "text"), Some(b"code".to_vec()));
    }

    #[test]
    fn old_files_make_room_for_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let programs = programs(folder.path());
        for number in 0..MOST_KEPT + 3 {
            programs.keep("image", &number.to_string(), b"code".to_vec(), true);
        }
        let files = fs::read_dir(folder.path().join("programs")).unwrap().count();
        assert_eq!(files, MOST_KEPT);
    }

    #[test]
    fn a_folder_that_is_a_link_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert!(Programs::within(Some(link)).folder.is_none());
        assert!(Programs::within(None).folder.is_none());
    }
}
