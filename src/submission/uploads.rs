//! Uploads folder: receipts, locks and files in the making, in `results/.uploads`, which is ours alone.
//!
//! The inbox belongs to others: what they can replace by a link or a pipe, or lock, must not be ours.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, fstat, openat, unlinkat};
use rustix::process::geteuid;

use crate::model::miner_id::Miner;
use crate::pipeline::receipt::{self, FOLDER as NAME, Receipt};
use crate::submission::refusal_log::{self, RefusedSubmission};
use crate::util::private;

/// Names of files in the making.
const PREFIX: &str = ".new-";
const SUFFIX: &str = ".tmp";

/// How many locks miners share: enough that strangers seldom wait for each other.
const LOCKS: usize = 64;

/// In front of each lock file: the threads of this process wait for each other as long as it takes, in their order. Patience is for other
/// processes.
static LANES: [Mutex<()>; LOCKS] = [const { Mutex::new(()) }; LOCKS];

/// Held while a miner's submission is replaced. First the file is given back.
#[derive(Debug)]
pub(super) struct Held {
    _file: File,
    _lane: MutexGuard<'static, ()>,
}

/// How long another process may hold a miner's lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// No file is half made for longer than this.
const HALF_MADE: Duration = Duration::from_secs(3600);

/// A folder of mode 0700.
#[derive(Debug)]
pub(super) struct Uploads(PathBuf);

impl Uploads {
    /// Makes the folder if there is none, with the receipts of an older agentmill in it.
    pub(super) fn open(results: &Path, inbox: &Path) -> io::Result<Self> {
        fs::create_dir_all(results)?;
        let uploads = Self(results.join(NAME));
        if private::folder(&uploads.0)? {
            uploads.adopt(inbox);
        }
        Ok(uploads)
    }

    /// Held while a miner's submission is replaced, against other threads and other processes.
    pub(super) fn lock(&self, miner: &Miner) -> io::Result<Held> {
        let sum = |sum: u8, byte: u8| sum.wrapping_mul(31).wrapping_add(byte);
        let number = usize::from(miner.as_str().bytes().fold(0_u8, sum)) % LOCKS;
        let path = self.0.join(format!(".lock-{number}"));
        let lane = LANES[number].lock();
        let file = private::lock(&path, PATIENCE)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        Ok(Held { _file: file, _lane: lane })
    }

    /// A synced file of this mode, as far as the umask lets it; removed again unless it is moved away.
    pub(super) fn temporary(&self, bytes: &[u8], mode: u32) -> io::Result<tempfile::TempPath> {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(PREFIX).suffix(SUFFIX).permissions(permissions);
        let mut file = builder.tempfile_in(&self.0)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file.into_temp_path())
    }

    /// Keeps a miner's receipt instead of the one before.
    pub(super) fn keep(&self, receipt: &Receipt) -> io::Result<()> {
        let bytes = (serde_json::to_string_pretty(receipt)? + "\n").into_bytes();
        self.temporary(&bytes, 0o600)?.persist(receipt::file(&self.0, &receipt.miner))?;
        Ok(())
    }

    /// Notes a submission that was refused by the season.
    pub(super) fn note(&self, refused: &RefusedSubmission<'_>) -> io::Result<()> {
        refusal_log::note(&self.0, refused)
    }

    /// Keeps the receipt of before again, as nothing came of the submission after it.
    pub(super) fn restore(&self, miner: &Miner, before: Option<&Receipt>) {
        let _ = match before {
            Some(receipt) => self.keep(receipt),
            None => fs::remove_file(receipt::file(&self.0, miner)),
        };
    }

    /// Moves receipts of an older agentmill here from the inbox: plain files only, and only once. By a receipt a submission is
    /// before what was dropped, so one that somebody else has laid there is none.
    fn adopt(&self, inbox: &Path) {
        let folder = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let old = openat(CWD, inbox.join(NAME), folder, Mode::empty()).ok();
        let Some(old) = old.filter(is_ours) else { return };
        for entry in Dir::read_from(&old).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let receipt = name.to_str().ok().and_then(|name| {
                let miner = name.strip_suffix(".json")?.parse().ok()?;
                let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file = openat(&old, name, flags, Mode::empty()).ok().filter(is_ours)?;
                receipt::parse(&file.into(), &miner)
            });
            if receipt.is_some_and(|receipt| self.keep(&receipt).is_ok()) {
                let _ = unlinkat(&old, name, AtFlags::empty());
            }
        }
    }

    /// Removes what a process that was killed left half made. Files of a living process are younger.
    pub(super) fn tidy(&self, inbox: &Path) {
        for entry in [&self.0, inbox].into_iter().flat_map(fs::read_dir).flatten().flatten() {
            let ours = entry.file_name().to_str().is_some_and(is_temporary);
            let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|time| time.elapsed());
            if ours && matches!(age, Ok(Ok(age)) if age > HALF_MADE) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Tells whether this is the user that owns it.
fn is_ours(file: &OwnedFd) -> bool {
    fstat(file).is_ok_and(|stat| stat.st_uid == geteuid().as_raw())
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}
