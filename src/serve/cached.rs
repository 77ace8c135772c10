//! Cached file: its content, read again when the file was replaced.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::util::regular;

/// A file and the value made of its bytes.
pub(super) struct Cached<T> {
    path: PathBuf,
    make: Box<dyn Fn(Vec<u8>) -> io::Result<T> + Send + Sync>,
    held: Mutex<Option<(Stamp, Arc<T>)>>,
}

/// Identity of a file's content: our files are replaced, never written into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl<T> fmt::Debug for Cached<T> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Cached").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<T> Cached<T> {
    pub(super) fn new(
        path: PathBuf,
        make: impl Fn(Vec<u8>) -> io::Result<T> + Send + Sync + 'static,
    ) -> Self {
        Self { path, make: Box::new(make), held: Mutex::default() }
    }

    /// The value of the present content; None if there is no file. Reads the disk.
    pub(super) fn get(&self) -> io::Result<Option<Arc<T>>> {
        let metadata = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        let stamp = Stamp { inode: metadata.ino(), size: metadata.len(), changed };
        let mut held = self.held.lock();
        if let Some((known, value)) = &*held
            && *known == stamp
        {
            return Ok(Some(Arc::clone(value)));
        }
        // If it is replaced between the two looks, the next look sees another stamp.
        let value = Arc::new((self.make)(regular::read(&self.path)?)?);
        *held = Some((stamp, Arc::clone(&value)));
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let cached = Cached::new(path.clone(), Ok);
        assert_eq!(cached.get().unwrap(), None);
        for content in [&b"one"[..], b"two"] {
            let next = folder.path().join("next");
            fs::write(&next, content).unwrap();
            fs::rename(&next, &path).unwrap();
            let first = cached.get().unwrap().unwrap();
            assert_eq!(*first, content);
            assert!(Arc::ptr_eq(&first, &cached.get().unwrap().unwrap()));
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(cached.get().unwrap(), None);
    }
}
