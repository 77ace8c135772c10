//! Files of the inbox, opened once, without following links.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use crate::model::miner_id::{Miner, printable};
use crate::model::rejection::Rejection;
use crate::util::digest;

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
        })
    }
}

impl InboxFile {
    /// The name in the inbox that it lies under.
    pub fn name(&self) -> Option<OsString> {
        Path::new(&self.file).iter().next().map(OsStr::to_owned)
    }

    /// True if a file of this name lies in the miner's own folder. The inbox itself is everybody's.
    #[must_use]
    pub fn has_beside(&self, name: &str) -> bool {
        let Some(folder) = self.path.parent().filter(|_| self.file.contains('/')) else { return false };
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(CWD, folder, flags, Mode::empty());
        folder.is_ok_and(|folder| statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok())
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
        }
    }
}

/// The bytes of one file in the inbox.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Where it was dropped.
    pub inbox_file: InboxFile,
    /// Exactly what was read, once.
    pub bytes: Vec<u8>,
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// The file's modification time, which its owner can choose.
    pub modified: Timestamp,
    /// Time of the inode's last change, in seconds and nanoseconds. Its owner can't choose it, but what is stored by way of a
    /// memory map may change it late, or never.
    pub changed: (i64, i64),
    /// Time of the newest change of the file or of a folder between it and the inbox: a folder that is moved
    /// into the inbox leaves the times of its files alone.
    pub arrived: (i64, i64),
}

/// Reason for which [`read`] brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The file is no submission.
    Rejected(Rejection),
    /// Not now: it vanished or changed while it was read, or we ran short of handles or memory.
    /// The next scan sees it again.
    Changing,
}

pub(super) fn is_near(at: SystemTime, now: SystemTime) -> bool {
    now.duration_since(at).unwrap_or_else(|ahead| ahead.duration()) < SETTLE
}

/// The reason why a file of this kind can't be a submission.
pub(super) fn obstacle(metadata: &Metadata) -> Option<String> {
    let kind = metadata.file_type();
    let found = match () {
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a named pipe",
        () if kind.is_socket() => "a socket",
        () if kind.is_char_device() || kind.is_block_device() => "a device",
        () if !kind.is_file() => "no regular file",
        () if metadata.nlink() > 1 => "a hard link that shares its content with another name",
        () => return None,
    };
    Some(format!("is {found}; drop a plain file"))
}

/// Opens a file once: regular files only, no links followed, at most `max_bytes`.
///
/// # Errors
/// The reason why these bytes are no submission, or [`Unreadable::Changing`].
pub fn read(inbox_file: &InboxFile, max_bytes: u64) -> Result<Submission, Unreadable> {
    let refuse = |reason: String| Unreadable::Rejected(inbox_file.rejection(None, reason));
    let failed = |error: io::Error| match is_passing(&error) {
        true => Unreadable::Changing,
        false => refuse(format!("can't be read: {error}")),
    };
    let (mut file, folders) = open(inbox_file).map_err(|errno| match errno {
        Errno::LOOP | Errno::MLINK | Errno::NOTDIR => {
            refuse("is or lies behind a symbolic link; drop a plain file".into())
        }
        Errno::NXIO => refuse("is a socket or a device; drop a plain file".into()),
        _ => failed(errno.into()),
    })?;
    let before = file.metadata().map_err(failed)?;
    if let Some(reason) = obstacle(&before).or_else(|| excess(before.len(), max_bytes)) {
        return Err(refuse(reason));
    }
    let bytes = read_whole(&mut file, before.len()).map_err(failed)?;
    let after = file.metadata().map_err(failed)?;
    if !stood_still(&before, &after, bytes.len()) {
        return Err(Unreadable::Changing);
    }
    Ok(Submission {
        inbox_file: inbox_file.clone(),
        sha256: digest::sha256(&bytes),
        bytes,
        modified: modified(&after),
        changed: changed(&after),
        arrived: changed(&after).max(folders),
    })
}

/// Reads a submission's bytes again, so that they need not be kept between validation and use; `None` when the
/// drop changed or was withdrawn since.
#[must_use]
pub fn reread(inbox_file: &InboxFile, sha256: &str, max_bytes: u64) -> Option<Vec<u8>> {
    let submission = read(inbox_file, max_bytes).ok()?;
    (submission.sha256 == sha256).then_some(submission.bytes)
}

/// Opens a file by way of handles, so that no directory below the inbox can be swapped for a link. Gives the newest change
/// of a folder in between, too.
fn open(inbox_file: &InboxFile) -> rustix::io::Result<(File, (i64, i64))> {
    const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    // Opening a pipe or a terminal must neither block nor have effects.
    const PLAIN: OFlags = OFlags::RDONLY
        .union(OFlags::NOFOLLOW)
        .union(OFlags::NONBLOCK)
        .union(OFlags::NOCTTY)
        .union(OFlags::CLOEXEC);
    let below: Vec<&OsStr> = Path::new(&inbox_file.file).iter().collect();
    let inbox = inbox_file.path.ancestors().nth(below.len()).filter(|path| !path.as_os_str().is_empty());
    let mut at = openat(CWD, inbox.unwrap_or(Path::new(".")), DIRECTORY, Mode::empty())?;
    let (file, folders) = below.split_last().ok_or(Errno::NOENT)?;
    let mut newest = (i64::MIN, 0);
    for folder in folders {
        at = openat(&at, *folder, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
        let stat = fstat(&at)?;
        newest = newest.max((stat.st_ctime, stat.st_ctime_nsec as i64));
    }
    Ok((openat(&at, *file, PLAIN, Mode::empty())?.into(), newest))
}

/// Tells whether trying again later may help: the drop is gone, or the fault is ours.
fn is_passing(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    [Errno::NOENT, Errno::STALE, Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::INTR, Errno::AGAIN]
        .into_iter()
        .any(|passing| errno == Some(passing))
}

/// The reason why a submission of this size is not taken.
#[must_use]
pub fn excess(size: u64, max_bytes: u64) -> Option<String> {
    (size > max_bytes).then(|| format!("is {size} bytes long; at most {max_bytes} are taken"))
}

/// Reads one byte more than expected, where there is one: enough to see that the file has grown.
fn read_whole(file: &mut File, expected: u64) -> io::Result<Vec<u8>> {
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

fn modified(metadata: &Metadata) -> Timestamp {
    let seconds = metadata.mtime();
    let nanoseconds = i32::try_from(metadata.mtime_nsec()).unwrap_or(0);
    let beyond = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::new(seconds, nanoseconds).unwrap_or(beyond)
}
