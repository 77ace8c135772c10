//! Files of the inbox, opened once, without following links.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat};

use crate::config::{MOST_BYTES, Validate};
use crate::model::joined::{self, AGENT};
use crate::model::miner_id::{Miner, printable};
use crate::model::rejection::Rejection;
use crate::pipeline::intake::names::is_passed_over;

/// Bounds of one submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most bytes, of all files together.
    pub bytes: u64,
    /// The most files.
    pub files: usize,
}

impl Bounds {
    /// The widest bounds that a pipeline may set, for submissions of one file or of several.
    pub fn widest(files: usize) -> Self {
        Self { bytes: MOST_BYTES, files: if files > 1 { joined::MOST } else { 1 } }
    }
}

impl From<&Validate> for Bounds {
    fn from(rules: &Validate) -> Self {
        Self { bytes: rules.max_bytes, files: rules.files }
    }
}

/// The most names of a folder that are looked at for one of interest.
const LISTED: usize = 1000;

/// A file whose time lies this close to now may still be being written.
pub const SETTLE: Duration = Duration::from_millis(200);

/// A place in the inbox that claims to be a submission: `<miner>.py` or `<miner>/agent.py`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InboxFile {
    /// The miner that it claims to be of.
    pub miner: Miner,
    /// Relative to the inbox, such as `alice.py` or `bob/agent.py`.
    pub file: String,
    /// Where to open it: the inbox's path joined with `file`.
    pub path: PathBuf,
    /// Equal in two listings only if the file is the same; None if it was touched too lately to tell.
    pub stamp: Option<Stamp>,
}

/// Device, inode, size, and the times of content and inode: no file changes without one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    file: (u64, u64, u64),
    modified: (i64, i64),
    changed: (i64, i64),
    /// Hash of the same of all that lies in the folder, where that is part of the submission. Who makes two of them collide only
    /// keeps a change of its own from being seen.
    folder: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata, now: SystemTime) -> Option<Self> {
        let changed = changed(metadata);
        let at = Duration::new(u64::try_from(changed.0).ok()?, u32::try_from(changed.1).ok()?);
        let at = SystemTime::UNIX_EPOCH + at;
        // The clock of a file system is coarse: what changes twice within one of its ticks has one stamp.
        (!is_near(at, now)).then_some(Self {
            file: (metadata.dev(), metadata.ino(), metadata.len()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed,
            folder: 0,
        })
    }

    /// The same, where this is the hash of all that lies in the folder.
    pub(super) fn with_folder(self, folder: u64) -> Self {
        Self { folder, ..self }
    }
}

impl InboxFile {
    /// True if all files of its folder belong to it, within these bounds.
    pub(super) fn is_folder(&self, bounds: Bounds) -> bool {
        bounds.files > 1 && self.file.contains('/')
    }

    /// The name in the inbox that it lies under.
    pub fn name(&self) -> Option<OsString> {
        Path::new(&self.file).iter().next().map(OsStr::to_owned)
    }

    /// True if a file of this name lies in the miner's own folder. The inbox itself is everybody's.
    #[must_use]
    pub fn has_beside(&self, name: &str) -> bool {
        let Some(folder) = self.path.parent().filter(|_| self.file.contains('/')) else { return false };
        let folder = openat(CWD, folder, DIRECTORY | OFlags::NOFOLLOW, Mode::empty());
        folder.is_ok_and(|folder| statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok())
    }

    /// The path below the inbox of the first other file in the miner's own folder that is not passed over and whose name counts,
    /// made fit for a message.
    #[must_use]
    pub fn beside(&self, counts: impl Fn(&[u8]) -> bool) -> Option<String> {
        let (below, _) = self.file.split_once('/')?;
        let folder = self.path.parent()?;
        let folder = openat(CWD, folder, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()).ok()?;
        let names = Dir::read_from(&folder).ok()?.take(LISTED).flatten();
        let names = names.map(|entry| entry.file_name().to_bytes().to_owned());
        let others = names.filter(|name| name != AGENT.as_bytes() && !is_passed_over(name) && counts(name));
        others.min().map(|name| format!("{below}/{}", printable(&name)))
    }

    /// This file refused, whatever it holds.
    #[must_use]
    pub fn rejection(&self, line: Option<u32>, reason: impl Into<String>) -> Rejection {
        Rejection {
            file: printable(self.file.as_bytes()),
            miner: Some(self.miner.clone()),
            line,
            reason: reason.into(),
            sha256: None,
            claims: None,
            perhaps: None,
        }
    }
}

/// The bytes of one submission: of its file, or of all its files, [joined](joined).
#[derive(Debug, Clone)]
pub struct Submission {
    /// Where it was dropped.
    pub inbox_file: InboxFile,
    /// Exactly what was read, once.
    pub bytes: Vec<u8>,
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// The modification time of the file, or of the one that was modified last, which its owner can choose.
    pub modified: Timestamp,
    /// Time of the last change of its inode, or of the one that was changed last, in seconds and nanoseconds. Its owner can't choose it, but what is stored by way of a
    /// memory map may change it late, or never.
    pub changed: (i64, i64),
    /// Time of the newest change of the file or of a folder between it and the inbox: a folder that is moved
    /// into the inbox leaves the times of its files alone.
    pub arrived: (i64, i64),
}

pub(super) fn is_near(at: SystemTime, now: SystemTime) -> bool {
    now.duration_since(at).unwrap_or_else(|ahead| ahead.duration()) < SETTLE
}

/// The reason why a file of this kind can't be a submission.
pub(super) fn obstacle(metadata: &Metadata) -> Option<String> {
    obstacle_of(metadata.mode(), metadata.nlink() > 1)
}

/// The reason why a file of this mode, with other names or none, can't be one of a submission.
pub(super) fn obstacle_of(mode: u32, has_others: bool) -> Option<String> {
    let found = match FileType::from_raw_mode(mode) {
        FileType::Symlink => "a symbolic link",
        FileType::Directory => "a directory",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "no regular file",
        FileType::RegularFile if has_others => "a hard link that shares its content with another name",
        FileType::RegularFile => return None,
    };
    Some(format!("is {found}; drop a plain file"))
}

pub(super) const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens a file of a folder. Opening a pipe or a terminal must neither block nor have effects.
pub(super) fn open_plain(folder: &OwnedFd, name: &OsStr) -> rustix::io::Result<File> {
    const PLAIN: OFlags = OFlags::RDONLY
        .union(OFlags::NOFOLLOW)
        .union(OFlags::NONBLOCK)
        .union(OFlags::NOCTTY)
        .union(OFlags::CLOEXEC);
    Ok(openat(folder, name, PLAIN, Mode::empty())?.into())
}

/// Opens a folder of a folder.
pub(super) fn open_folder(folder: &OwnedFd, name: &OsStr) -> rustix::io::Result<OwnedFd> {
    openat(folder, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

/// The reason why a submission of this size is not taken.
#[must_use]
pub fn excess(size: u64, max_bytes: u64) -> Option<String> {
    (size > max_bytes).then(|| format!("is {size} bytes long; at most {max_bytes} are taken"))
}

/// Reads one byte more than expected, where there is one: enough to see that the file has grown.
pub(super) fn read_whole(file: &mut File, expected: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    file.take(expected.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn stood_still(before: &Metadata, after: &Metadata, read: usize) -> bool {
    let traits =
        |metadata: &Metadata| (metadata.len(), metadata.mtime(), metadata.mtime_nsec(), metadata.nlink());
    // Without a name left it has been withdrawn or replaced.
    traits(before) == traits(after) && after.nlink() == 1 && after.len() == read as u64
}

/// Time of the inode's last change, in seconds and nanoseconds.
pub(super) fn changed(metadata: &Metadata) -> (i64, i64) {
    (metadata.ctime(), metadata.ctime_nsec())
}

pub(super) fn modified(metadata: &Metadata) -> Timestamp {
    timestamp((metadata.mtime(), metadata.mtime_nsec()))
}

/// A time of a file, given in seconds and nanoseconds.
pub(super) fn timestamp((seconds, nanoseconds): (i64, i64)) -> Timestamp {
    let nanoseconds = i32::try_from(nanoseconds).unwrap_or(0);
    let beyond = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::new(seconds, nanoseconds).unwrap_or(beyond)
}
