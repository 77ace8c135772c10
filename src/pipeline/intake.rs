//! inbox -> [`Submission`]: what lies there, opened once, without following links.
//!
//! [`list`] looks at names and kinds only; [`read`] opens. Between the two anything may be swapped, so
//! `read` trusts nothing that `list` saw: it checks again on the handle that it reads from.

mod miner;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::digest;
pub use miner::{Miner, printable};

/// A file whose time lies this close to now may still be being written.
pub const SETTLE: Duration = Duration::from_millis(200);

/// The file that a miner's folder must hold; whatever else lies there is never opened.
const AGENT: &str = "agent.py";

/// How many other claimants of one id a rejection names.
const RIVALS_NAMED: usize = 3;

/// A place in the inbox that claims to be a submission: `<miner>.py` or `<miner>/agent.py`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drop {
    /// Whose.
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
    fn of(metadata: &Metadata, now: SystemTime) -> Option<Self> {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
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

impl Drop {
    /// This drop refused.
    #[must_use]
    pub fn rejection(&self, line: Option<u32>, reason: impl Into<String>) -> Rejection {
        Rejection {
            file: printable(self.file.as_bytes()),
            miner: Some(self.miner.clone()),
            line,
            reason: reason.into(),
        }
    }
}

/// The bytes of one file in the inbox.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Where it was dropped.
    pub drop: Drop,
    /// Exactly what was read, once.
    pub bytes: Vec<u8>,
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// The file's modification time.
    pub modified: Timestamp,
}

/// Why a file in the inbox is not an agent, in words that a miner understands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rejection {
    /// Relative to the inbox; unprintable bytes escaped.
    pub file: String,
    /// Whose, where the file's name tells.
    pub miner: Option<Miner>,
    /// 1-based line in the file, where one is to blame.
    pub line: Option<u32>,
    /// What is wrong and what to do.
    pub reason: String,
}

/// Why [`read`] brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The file is no submission.
    Rejected(Rejection),
    /// Not now: it vanished or changed while it was read, or we ran short of handles or memory.
    /// The next scan sees it again.
    Changing,
}

/// What lies in the inbox, before any file is opened.
#[derive(Debug, Default)]
pub struct Listing {
    /// Sorted by miner; one per miner.
    pub drops: Vec<Drop>,
    /// Names and kinds of file that cannot be submissions, sorted by name.
    pub rejected: Vec<Rejection>,
    /// Drops still being written: modified within [`SETTLE`] of now.
    pub unsettled: usize,
}

/// Lists the inbox.
///
/// Names with a leading dot or ending in `~`, `.tmp` or `.part` belong to editors and copiers and are
/// passed over, as are a README and what Python and file systems leave behind.
///
/// # Errors
/// The inbox itself can't be read.
pub fn list(inbox: &Path) -> io::Result<Listing> {
    list_with(inbox, &HashSet::new())
}

/// The same, when these paths are known to be closed by who wrote them, or moved into the inbox: they need not stand
/// still for a while to be taken for finished.
///
/// # Errors
/// As of [`list`].
pub fn list_with(inbox: &Path, closed: &HashSet<PathBuf>) -> io::Result<Listing> {
    list_at(inbox, &Now { time: SystemTime::now(), closed })
}

/// What tells whether a file is finished.
struct Now<'a> {
    time: SystemTime,
    closed: &'a HashSet<PathBuf>,
}

fn list_at(inbox: &Path, now: &Now<'_>) -> io::Result<Listing> {
    let mut listing = Listing::default();
    let mut claims = Vec::new();
    for entry in fs::read_dir(inbox)? {
        match look(&entry?, now) {
            Sight::Nothing => {}
            Sight::Unsettled => listing.unsettled += 1,
            Sight::Claim(claim) => claims.push(claim),
            Sight::Rejected(rejection) => listing.rejected.push(rejection),
        }
    }
    claims.sort_by(|a, b| a.drop.cmp(&b.drop));
    for rivals in claims.chunk_by(|a, b| a.drop.miner == b.drop.miner) {
        match rivals {
            [only] if only.settled => listing.drops.push(only.drop.clone()),
            [_] => listing.unsettled += 1,
            _ => listing.rejected.extend(all_rejected(rivals)),
        }
    }
    listing.rejected.sort();
    Ok(listing)
}

/// What one name in the inbox turns out to be.
enum Sight {
    Nothing,
    Unsettled,
    Claim(Claim),
    Rejected(Rejection),
}

/// A drop that will count if nobody else claims its miner's id.
struct Claim {
    drop: Drop,
    settled: bool,
}

fn look(entry: &DirEntry, now: &Now<'_>) -> Sight {
    let name = entry.file_name();
    if is_passed_over(name.as_bytes()) {
        return Sight::Nothing;
    }
    let metadata = match entry.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return unseen(&name, &error),
    };
    match name.to_str() {
        None => refused(&name, None, "its name is not UTF-8"),
        Some(text) if metadata.is_dir() => look_into(text, entry.path(), &metadata, now),
        Some(text) => look_at(text, entry.path(), &metadata, now),
    }
}

fn is_passed_over(name: &[u8]) -> bool {
    name.starts_with(b".")
        || [&b"~"[..], b".tmp", b".part"].iter().any(|ending| name.ends_with(ending))
        || [&b"README"[..], b"README.md", b"__pycache__", b"lost+found"].contains(&name)
}

/// A name that is not a directory's: `<miner>.py`, or refused.
fn look_at(name: &str, path: PathBuf, metadata: &Metadata, now: &Now<'_>) -> Sight {
    let id = name.strip_suffix(".py").map(|stem| Miner::try_from(stem.to_owned()));
    if !metadata.is_file() {
        return refused(name, id.and_then(Result::ok), obstacle(metadata).unwrap_or_default());
    }
    match id {
        None => refused(name, None, "is not a .py file; an agent is <miner>.py or <miner>/agent.py"),
        Some(Err(reason)) => refused(name, None, reason),
        Some(Ok(miner)) => {
            let file = name.to_owned();
            claim(Drop { miner, file, path, stamp: Stamp::of(metadata, now.time) }, metadata, now)
        }
    }
}

/// A directory: `<miner>/agent.py`, or refused.
fn look_into(name: &str, folder: PathBuf, metadata: &Metadata, now: &Now<'_>) -> Sight {
    if name.ends_with(".py") {
        return refused(
            name,
            None,
            "is a directory; only a file's name ends in .py, a folder is <miner>/agent.py",
        );
    }
    let miner = match Miner::try_from(name.to_owned()) {
        Ok(miner) => miner,
        Err(reason) => return refused(name, None, reason),
    };
    let path = folder.join(AGENT);
    let file = format!("{name}/{AGENT}");
    match path.symlink_metadata() {
        Ok(agent) => {
            let stamp = Stamp::of(&agent, now.time);
            claim(Drop { miner, file, path, stamp }, &agent, now)
        }
        Err(error) if error.kind() != ErrorKind::NotFound => unseen(OsStr::new(&file), &error),
        Err(_) if is_fresh(metadata, now.time) => Sight::Unsettled,
        Err(_) => refused(name, Some(miner), format!("is a folder without {AGENT}; put the agent there")),
    }
}

fn claim(drop: Drop, metadata: &Metadata, now: &Now<'_>) -> Sight {
    let fresh = is_fresh(metadata, now.time);
    match obstacle(metadata) {
        // A file of two names may be on its way from the one to the other.
        Some(reason) if !fresh || !metadata.is_file() => Sight::Rejected(drop.rejection(None, reason)),
        obstacle => {
            let settled = !fresh || obstacle.is_none() && now.closed.contains(&drop.path);
            Sight::Claim(Claim { drop, settled })
        }
    }
}

fn is_fresh(metadata: &Metadata, now: SystemTime) -> bool {
    metadata.modified().is_ok_and(|modified| is_near(modified, now))
}

fn is_near(at: SystemTime, now: SystemTime) -> bool {
    now.duration_since(at).unwrap_or_else(|ahead| ahead.duration()) < SETTLE
}

/// Why a file of this kind can't be a submission.
fn obstacle(metadata: &Metadata) -> Option<String> {
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

fn all_rejected(rivals: &[Claim]) -> impl Iterator<Item = Rejection> {
    rivals.iter().map(|claim| {
        let others = rivals.iter().filter(|other| other.drop.file != claim.drop.file);
        let named: Vec<&str> =
            others.clone().take(RIVALS_NAMED).map(|other| other.drop.file.as_str()).collect();
        let more = if others.count() > named.len() { " and others" } else { "" };
        let reason = format!("names the same miner as {}{more}; leave only one of them", named.join(", "));
        claim.drop.rejection(None, reason)
    })
}

fn refused(name: impl AsRef<OsStr>, miner: Option<Miner>, reason: impl Into<String>) -> Sight {
    Sight::Rejected(Rejection {
        file: printable(name.as_ref().as_bytes()),
        miner,
        line: None,
        reason: reason.into(),
    })
}

fn unseen(name: &OsStr, error: &io::Error) -> Sight {
    match error.kind() {
        // Withdrawn since its name was read.
        ErrorKind::NotFound | ErrorKind::NotADirectory => Sight::Nothing,
        _ => refused(name, None, format!("can't be looked at: {error}")),
    }
}

/// Opens a drop once: regular files only, no links followed, at most `max_bytes`.
///
/// # Errors
/// The reason why these bytes are no submission, or [`Unreadable::Changing`].
pub fn read(drop: &Drop, max_bytes: u64) -> Result<Submission, Unreadable> {
    let refuse = |reason: String| Unreadable::Rejected(drop.rejection(None, reason));
    let failed = |error: io::Error| match is_passing(&error) {
        true => Unreadable::Changing,
        false => refuse(format!("can't be read: {error}")),
    };
    let mut file = open(drop).map_err(|errno| match errno {
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
    Ok(Submission { drop: drop.clone(), sha256: digest::sha256(&bytes), bytes, modified: modified(&after) })
}

/// The same bytes again, so that they need not be kept between validation and use; `None` when the
/// drop changed or was withdrawn since.
#[must_use]
pub fn reread(drop: &Drop, sha256: &str, max_bytes: u64) -> Option<Vec<u8>> {
    let submission = read(drop, max_bytes).ok()?;
    (submission.sha256 == sha256).then_some(submission.bytes)
}

/// Opens a drop by way of handles, so that no directory below the inbox can be swapped for a link.
fn open(drop: &Drop) -> rustix::io::Result<File> {
    const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    // Opening a pipe or a terminal must neither block nor have effects.
    const PLAIN: OFlags = OFlags::RDONLY
        .union(OFlags::NOFOLLOW)
        .union(OFlags::NONBLOCK)
        .union(OFlags::NOCTTY)
        .union(OFlags::CLOEXEC);
    let below: Vec<&OsStr> = Path::new(&drop.file).iter().collect();
    let inbox = drop.path.ancestors().nth(below.len()).filter(|path| !path.as_os_str().is_empty());
    let mut at = openat(CWD, inbox.unwrap_or(Path::new(".")), DIRECTORY, Mode::empty())?;
    let (file, folders) = below.split_last().ok_or(Errno::NOENT)?;
    for folder in folders {
        at = openat(&at, *folder, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(openat(&at, *file, PLAIN, Mode::empty())?.into())
}

/// Whether trying again later may help: the drop is gone, or the fault is ours.
fn is_passing(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    [Errno::NOENT, Errno::STALE, Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::INTR, Errno::AGAIN]
        .into_iter()
        .any(|passing| errno == Some(passing))
}

/// Why a submission of this size is not taken.
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

fn stood_still(before: &Metadata, after: &Metadata, read: usize) -> bool {
    let traits =
        |metadata: &Metadata| (metadata.len(), metadata.mtime(), metadata.mtime_nsec(), metadata.nlink());
    // Without a name left it has been withdrawn or replaced.
    traits(before) == traits(after) && after.nlink() == 1 && after.len() == read as u64
}

fn modified(metadata: &Metadata) -> Timestamp {
    let seconds = metadata.mtime();
    let nanoseconds = i32::try_from(metadata.mtime_nsec()).unwrap_or(0);
    let beyond = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::new(seconds, nanoseconds).unwrap_or(beyond)
}
