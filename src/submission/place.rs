//! Place of a miner's submission in the inbox, and how bytes get there.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::config::Pipeline;
use crate::model::first_sights::FirstSights;
use crate::model::joined::AGENT;
use crate::model::miner_id::Miner;
use crate::pipeline::intake::{self, Bounds, Inbox, InboxFile, Submission, Touched};
use crate::pipeline::ledger::Ledger;
use crate::submission::refused::Refused;
use crate::submission::uploads::Uploads;
use crate::util::atomic_file::blame;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Flags by which a name leads nowhere but to a new file.
const NEW: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Mode of a submission, as far as the umask lets it.
const READABLE: u32 = 0o644;

/// The place of one miner's submission.
#[derive(Debug)]
pub(super) struct Place {
    inbox_file: InboxFile,
    inbox: PathBuf,
    bounds: Bounds,
}

impl Place {
    /// The path where the miner's submission lies already, in whichever spelling, or else `<miner>.py`. Of several claims to
    /// one id it is the one that a pass takes; the others would be refused.
    pub(super) fn of(pipeline: &Pipeline, miner: &Miner) -> Result<Self, Refused> {
        let (Pipeline { inbox, results, .. }, bounds) = (pipeline, Bounds::from(&pipeline.validate));
        let mut found = Vec::new();
        for entry in fs::read_dir(inbox).map_err(|error| blame(inbox, &error))? {
            found.extend(entry.ok().and_then(|entry| claim(&entry, miner)));
        }
        found.sort();
        let file = match found.as_slice() {
            [] => format!("{miner}.py"),
            [only] => only.clone(),
            many => holder(inbox, bounds, results, miner, many)
                .ok_or_else(|| Refused::Conflict(format!("{} are in the way", many.join(", "))))?,
        };
        let path = inbox.join(&file);
        Ok(Self {
            inbox_file: InboxFile { miner: miner.clone(), file, path, stamp: None },
            inbox: inbox.to_owned(),
            bounds,
        })
    }

    /// Refuses a folder in which something lies that would belong to what is put there.
    pub(super) fn check_alone(&self) -> Result<(), Refused> {
        let beside = (self.bounds.files > 1).then(|| self.inbox_file.beside(|_| true)).flatten();
        beside.map_or(Ok(()), |name| {
            let file = &self.inbox_file.file;
            let reason = format!("{name} in the inbox would become a part of {file}; remove it there first");
            Err(Refused::Conflict(reason))
        })
    }

    /// True if these bytes lie there.
    pub(super) fn holds(&self, sha256: &str, bytes: u64) -> bool {
        let bounds = Bounds { bytes, ..self.bounds };
        intake::read(&self.inbox_file, bounds).is_ok_and(|submission| submission.sha256 == sha256)
    }

    /// True if nothing lies there.
    pub(super) fn is_empty(&self) -> bool {
        self.inbox_file.path.symlink_metadata().is_err()
    }

    /// The submission that lies there, if one does.
    pub(super) fn content(&self) -> Option<Submission> {
        intake::read(&self.inbox_file, self.bounds).ok()
    }

    /// Writes a file and moves it here.
    pub(super) fn put(&self, uploads: &Uploads, source: &[u8]) -> Result<(), Refused> {
        let temporary = uploads.temporary(source, READABLE)?;
        self.take(&temporary, source).map_err(|errno| match errno {
            Errno::ISDIR | Errno::NOTDIR | Errno::LOOP => Refused::Conflict(format!(
                "{} in the inbox is not what it should be: {errno}",
                self.inbox_file.file
            )),
            Errno::ACCESS if self.inbox_file.file.contains('/') => Refused::Conflict(format!(
                "{} in the inbox lies in a folder that can't be written to: {errno}",
                self.inbox_file.file
            )),
            Errno::PERM if self.inbox_file.file.contains('/') => Refused::Conflict(format!(
                "{} in the inbox lies in a folder of another user's, who could replace what is put there; remove it first",
                self.inbox_file.file
            )),
            _ => Refused::Inbox(errno.into()),
        })
    }

    /// By way of handles, so that a miner's folder that was swapped for a link leads nowhere.
    fn take(&self, temporary: &Path, source: &[u8]) -> rustix::io::Result<()> {
        let mut folder = openat(CWD, &self.inbox, FOLDER, Mode::empty())?;
        let mut name = self.inbox_file.file.as_str();
        if let Some((below, file)) = name.split_once('/') {
            folder = openat(&folder, below, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
            if fstat(&folder)?.st_uid != geteuid().as_raw() {
                return Err(Errno::PERM);
            }
            name = file;
        }
        let folder = File::from(folder);
        match renameat(CWD, temporary, &folder, name) {
            Err(Errno::XDEV) => write_beside(&folder, name, temporary, source)?,
            moved => moved?,
        }
        rustix::fs::fsync(&folder)
    }

    /// The path below the inbox.
    pub(super) fn file(&self) -> &str {
        &self.inbox_file.file
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
    // Where nothing lies in it, it may be anybody's.
    let is_used = || entry.path().join(AGENT).symlink_metadata().is_ok();
    (folder && is_used()).then(|| format!("{name}/{AGENT}"))
}

/// The file that a pass would take of several that claim one id.
fn holder(folder: &Path, bounds: Bounds, results: &Path, miner: &Miner, files: &[String]) -> Option<String> {
    let (mut inbox, mut touched) = (Inbox::new(folder, bounds), Touched::default());
    touched.add(files.iter().filter_map(|file| Path::new(file).iter().next().map(OsStr::to_owned)));
    let ledger = Ledger::open(results).ok();
    inbox.look(touched, ledger.as_ref().map_or(&FirstSights::default(), |(ledger, _)| ledger.sights()));
    inbox.holder(miner).map(|claim| claim.inbox_file.file.clone())
}

/// Replaces a file by one that is written in its folder, where ours is on another file system.
fn write_beside(folder: &File, name: &str, temporary: &Path, source: &[u8]) -> rustix::io::Result<()> {
    let beside = temporary.file_name().unwrap_or_default();
    let mut file = File::from(openat(folder, beside, NEW, Mode::from_raw_mode(READABLE))?);
    let written = file.write_all(source).and_then(|()| file.sync_all());
    let written = written.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO));
    written.and_then(|()| renameat(folder, beside, folder, name)).inspect_err(|_| {
        let _ = unlinkat(folder, beside, AtFlags::empty());
    })
}
