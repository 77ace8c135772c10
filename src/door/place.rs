//! Where in the inbox a miner's submission belongs, and how it gets there.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat, renameat};
use rustix::io::Errno;

use super::Refused;
use crate::pipeline::intake::{self, Drop, Miner};

const PREFIX: &str = ".new-";
const SUFFIX: &str = ".tmp";

/// Whether a name is that of a file in the making.
pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// The place of one miner's submission.
#[derive(Debug)]
pub(super) struct Place {
    drop: Drop,
    inbox: PathBuf,
}

impl Place {
    /// Where the miner's submission lies already, in whichever spelling, or else `<miner>.py`: a second claim to one id
    /// would have both refused.
    pub(super) fn of(inbox: &Path, miner: &Miner) -> Result<Self, Refused> {
        let mut found = Vec::new();
        for entry in fs::read_dir(inbox)? {
            found.extend(entry.ok().and_then(|entry| claim(&entry, miner)));
        }
        found.sort();
        let file = match found.as_slice() {
            [] => format!("{miner}.py"),
            [only] => only.clone(),
            many => {
                let many = many.join(", ");
                return Err(Refused::Conflict(format!(
                    "{many} name the same miner; only one of them may be left"
                )));
            }
        };
        let path = inbox.join(&file);
        Ok(Self { drop: Drop { miner: miner.clone(), file, path, stamp: None }, inbox: inbox.to_owned() })
    }

    /// Whether these bytes lie there.
    pub(super) fn holds(&self, sha256: &str, bytes: u64) -> bool {
        intake::read(&self.drop, bytes).is_ok_and(|submission| submission.sha256 == sha256)
    }

    /// Writes a file beside and moves it here.
    pub(super) fn put(&self, uploads: &Path, source: &[u8]) -> Result<(), Refused> {
        let temporary = temporary(uploads, source)?;
        let moved = self.take(&temporary);
        moved.map_err(|errno| match errno {
            Errno::ISDIR | Errno::NOTDIR | Errno::LOOP => Refused::Conflict(format!(
                "{} in the inbox is not what it should be: {errno}",
                self.drop.file
            )),
            _ => Refused::Inbox(errno.into()),
        })
    }

    /// By way of handles, so that a miner's folder that was swapped for a link leads nowhere.
    fn take(&self, temporary: &Path) -> rustix::io::Result<()> {
        const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
        let mut folder = openat(CWD, &self.inbox, FOLDER, Mode::empty())?;
        let mut name = self.drop.file.as_str();
        if let Some((below, file)) = name.split_once('/') {
            folder = openat(&folder, below, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
            name = file;
        }
        renameat(CWD, temporary, &folder, name)?;
        rustix::fs::fsync(&folder)
    }

    /// Below the inbox.
    pub(super) fn into_file(self) -> String {
        self.drop.file
    }
}

/// The file that a name in the inbox stands for, if it stands for this miner's.
fn claim(entry: &fs::DirEntry, miner: &Miner) -> Option<String> {
    let name = entry.file_name().into_string().ok()?;
    if name.strip_suffix(".py").is_some_and(|stem| stem.eq_ignore_ascii_case(miner.as_str())) {
        return Some(name);
    }
    let folder =
        name.eq_ignore_ascii_case(miner.as_str()) && entry.file_type().is_ok_and(|kind| kind.is_dir());
    folder.then(|| format!("{name}/agent.py"))
}

/// A synced file with a leading dot; removed again unless it is moved away.
fn temporary(uploads: &Path, bytes: &[u8]) -> io::Result<tempfile::TempPath> {
    let mut file = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(uploads)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// Replaces a file of ours.
pub(super) fn write(uploads: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(uploads)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}
