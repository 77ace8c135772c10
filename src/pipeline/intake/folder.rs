//! Folder of a miner, where a submission may have several files: whatever lies in it belongs to the submission.
//!
//! It is walked twice, and read in between: where the second walk finds what the first one did, all that was read stood there at
//! one time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use crate::model::joined::{self, AGENT};
use crate::model::miner_id::printable;
use crate::pipeline::intake::file::{
    Bounds, InboxFile, Stamp, Submission, excess, is_near, obstacle_of, open_folder, open_plain, read_whole,
    timestamp,
};
use crate::pipeline::intake::names::is_passed_over;
use crate::util::digest;

/// Names that are looked at in a folder, and all that is below it.
const NAMES: usize = 1000;

/// Reason why a folder could not be looked at, or read.
#[derive(Debug)]
pub(super) enum Fault {
    /// Something in it is not to be had.
    Refused(String),
    /// The system says no.
    Failed(io::Error),
    /// It did not stand still.
    Changing,
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        match errno {
            // It was something else a moment ago.
            Errno::LOOP | Errno::MLINK | Errno::NOTDIR | Errno::NXIO | Errno::NOENT => Self::Changing,
            _ => Self::Failed(errno.into()),
        }
    }
}

/// All that tells a file or a folder from what it was before: nothing of it changes without a change of this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Look {
    file: (u64, u64, i64),
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Look {
    fn of(stat: &Stat) -> Self {
        Self {
            file: (stat.st_dev, stat.st_ino, stat.st_size),
            modified: (stat.st_mtime, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime, stat.st_ctime_nsec as i64),
        }
    }
}

fn is_fresh((seconds, nanoseconds): (i64, i64), now: SystemTime) -> bool {
    let (seconds, nanoseconds) = (u64::try_from(seconds), u32::try_from(nanoseconds).unwrap_or(0));
    seconds.is_ok_and(|seconds| is_near(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds), now))
}

/// Looks at all that lies in a folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Looks {
    /// By path below the folder.
    files: BTreeMap<String, Look>,
    /// The folder itself among them, as the empty path.
    folders: BTreeMap<String, Look>,
}

impl Looks {
    /// True if nothing of it was modified just now.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        !self.all().any(|look| is_fresh(look.modified, now))
    }

    /// The stamp of a submission whose agent alone has this one.
    pub(super) fn stamp(&self, agent: Option<Stamp>, now: SystemTime) -> Option<Stamp> {
        let mut hasher = DefaultHasher::new();
        (&self.files, &self.folders).hash(&mut hasher);
        let settled = !self.all().any(|look| is_fresh(look.changed, now));
        agent.filter(|_| settled).map(|agent| agent.with_folder(hasher.finish()))
    }

    /// Time of the newest change of a file.
    pub(super) fn changed(&self) -> (i64, i64) {
        self.files.values().map(|look| look.changed).max().unwrap_or_default()
    }

    fn all(&self) -> impl Iterator<Item = &Look> {
        self.files.values().chain(self.folders.values())
    }
}

/// A folder and what its files hold.
#[derive(Debug)]
pub(super) struct Whole {
    looks: Looks,
    bytes: Vec<u8>,
}

impl Whole {
    /// The submission that it is.
    pub(super) fn submission(self, inbox_file: &InboxFile) -> Submission {
        let Self { looks, bytes } = self;
        let newest = |time: fn(&Look) -> (i64, i64)| looks.files.values().map(time).max().unwrap_or_default();
        Submission {
            inbox_file: inbox_file.clone(),
            sha256: digest::sha256(&bytes),
            bytes,
            modified: timestamp(newest(|look| look.modified)),
            changed: looks.changed(),
            arrived: looks.all().map(|look| look.changed).max().unwrap_or_default(),
        }
    }
}

/// Looks at all that lies in a folder, opening folders alone.
pub(super) fn look(folder: &Path, bounds: Bounds) -> Result<Looks, Fault> {
    walk(&open(folder)?, bounds, &mut None)
}

/// The bytes of a folder: of its agent, or of all its files joined.
pub(super) fn read(folder: &OwnedFd, bounds: Bounds) -> Result<Whole, Fault> {
    let mut contents = Some(BTreeMap::new());
    let looks = walk(folder, bounds, &mut contents)?;
    if walk(folder, bounds, &mut None)? != looks {
        return Err(Fault::Changing);
    }
    let bytes = join(contents.unwrap_or_default())?;
    match excess(bytes.len() as u64, bounds.bytes) {
        Some(reason) => Err(Fault::Refused(reason)),
        None => Ok(Whole { looks, bytes }),
    }
}

/// The bytes of a folder on this machine that is to be submitted.
///
/// # Errors
/// The reason why it is no submission, or can't be read.
pub fn joined(folder: &Path, bounds: Bounds) -> Result<Vec<u8>, String> {
    let read = open(folder).and_then(|folder| read(&folder, bounds));
    read.map(|whole| whole.bytes).map_err(|fault| match fault {
        Fault::Refused(reason) => reason,
        Fault::Failed(error) => format!("can't be read: {error}"),
        Fault::Changing => format!("has no {AGENT}, or changes while it is read"),
    })
}

fn open(folder: &Path) -> Result<OwnedFd, Fault> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(CWD, folder, flags, Mode::empty())?)
}

fn join(mut contents: BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Fault> {
    let agent = contents.get(AGENT).ok_or(Fault::Changing)?;
    if contents.len() == 1 {
        return contents.remove(AGENT).ok_or(Fault::Changing);
    }
    if joined::is_joined(agent) {
        return refuse(AGENT, "is several files in one; nothing else may lie beside it");
    }
    Ok(joined::join(contents.iter().map(|(path, content)| (path.as_str(), content.as_slice()))))
}

fn refuse<T>(path: &str, reason: &str) -> Result<T, Fault> {
    let path = printable(path.as_bytes());
    Err(Fault::Refused(format!("has {path} beside it, which {reason}")))
}

/// Goes through a folder, and reads its files if it is given a place for what they hold.
fn walk(
    folder: &OwnedFd,
    bounds: Bounds,
    contents: &mut Option<BTreeMap<String, Vec<u8>>>,
) -> Result<Looks, Fault> {
    let looks = Looks { files: BTreeMap::new(), folders: BTreeMap::new() };
    let mut walk = Walk { bounds, looks, contents, names: 0, bytes: 0 };
    walk.folder(folder, String::new())?;
    Ok(walk.looks)
}

struct Walk<'a> {
    bounds: Bounds,
    looks: Looks,
    contents: &'a mut Option<BTreeMap<String, Vec<u8>>>,
    /// Met so far.
    names: usize,
    bytes: u64,
}

impl Walk<'_> {
    /// Takes in a folder, given its path, which ends in `/` unless it is empty.
    fn folder(&mut self, folder: &OwnedFd, path: String) -> Result<(), Fault> {
        self.looks.folders.insert(path.clone(), Look::of(&fstat(folder)?));
        for name in self.names(folder)? {
            let shown = format!("{path}{}", name.to_string_lossy());
            let stat = statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                // As long as it holds nothing, only its own name counts.
                check_path(&shown, "/x.py")?;
                self.folder(&open_folder(folder, &name)?, shown + "/")?;
            } else {
                self.file(folder, &name, shown, &stat)?;
            }
        }
        Ok(())
    }

    /// Names in a folder that count, sorted.
    fn names(&mut self, folder: &OwnedFd) -> Result<Vec<OsString>, Fault> {
        let mut names = Vec::new();
        for entry in Dir::read_from(folder)? {
            let name = entry?.file_name().to_bytes().to_owned();
            self.names += 1;
            if self.names > NAMES {
                return Err(Fault::Refused(format!(
                    "lies in a folder of more than {NAMES} files and folders"
                )));
            }
            if !is_passed_over(&name) {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn file(&mut self, folder: &OwnedFd, name: &OsString, path: String, stat: &Stat) -> Result<(), Fault> {
        if let Some(obstacle) = obstacle_of(stat.st_mode, stat.st_nlink > 1) {
            return refuse(&path, &obstacle);
        }
        check_path(&path, "")?;
        if self.looks.files.len() == self.bounds.files {
            let most = self.bounds.files;
            return Err(Fault::Refused(format!(
                "has more than {most} files, and this pipeline takes no more"
            )));
        }
        self.bytes = self.bytes.saturating_add(stat.st_size.try_into().unwrap_or(u64::MAX));
        if let Some(reason) = excess(self.bytes, self.bounds.bytes) {
            return Err(Fault::Refused(reason));
        }
        let look = Look::of(stat);
        if let Some(contents) = self.contents {
            contents.insert(path.clone(), content(folder, name, look)?);
        }
        self.looks.files.insert(path, look);
        Ok(())
    }
}

/// Refuses a path with this ending that can't be one of a module.
fn check_path(path: &str, ending: &str) -> Result<(), Fault> {
    joined::check_path(&format!("{path}{ending}")).or_else(|reason| refuse(path, &reason))
}

/// Bytes of a file, if it still is the one that was looked at.
fn content(folder: &OwnedFd, name: &OsString, look: Look) -> Result<Vec<u8>, Fault> {
    let mut file = open_plain(folder, name)?;
    let size = u64::try_from(look.file.2).unwrap_or(0);
    let is_same = Look::of(&fstat(&file)?) == look;
    let bytes = read_whole(&mut file, size).map_err(Fault::Failed)?;
    match is_same && bytes.len() as u64 == size {
        true => Ok(bytes),
        false => Err(Fault::Changing),
    }
}

#[cfg(test)]
mod tests;
