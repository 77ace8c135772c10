//! Reading a submission: a file, or a folder of several, is opened once, and nothing is taken of it that did not stand still.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, fstat, openat};
use rustix::io::Errno;

use crate::model::rejection::Rejection;
use crate::pipeline::intake::file::{
    Bounds, DIRECTORY, InboxFile, Submission, changed, excess, modified, obstacle, open_folder, open_plain,
    read_whole, stood_still,
};
use crate::pipeline::intake::folder::{self, Fault};
use crate::util::digest;

/// Reason for which [`read`] brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The file is no submission.
    Rejected(Box<Rejection>),
    /// Not now: it vanished or changed while it was read, or we ran short of handles or memory.
    /// The next scan sees it again.
    Changing,
}

/// Opens the file, or those of the folder, once: regular files only, no links followed, within these bounds.
///
/// # Errors
/// The reason why these bytes are no submission, or [`Unreadable::Changing`].
pub fn read(inbox_file: &InboxFile, bounds: Bounds) -> Result<Submission, Unreadable> {
    let refuse = |reason: String| Unreadable::Rejected(Box::new(inbox_file.rejection(None, reason)));
    let failed = |error: io::Error| match is_passing(&error) {
        true => Unreadable::Changing,
        false => refuse(format!("can't be read: {error}")),
    };
    let unopened = |errno| match errno {
        Errno::LOOP | Errno::MLINK | Errno::NOTDIR => {
            refuse("is or lies behind a symbolic link; drop a plain file".into())
        }
        Errno::NXIO => refuse("is a socket or a device; drop a plain file".into()),
        _ => failed(errno.into()),
    };
    if inbox_file.is_folder(bounds) {
        let (folder, ..) = enter(inbox_file).map_err(unopened)?;
        return folder::read(&folder, bounds).map(|whole| whole.submission(inbox_file)).map_err(|fault| {
            match fault {
                Fault::Refused(reason) => refuse(reason),
                Fault::Failed(error) => failed(error),
                Fault::Changing => Unreadable::Changing,
            }
        });
    }
    let (mut file, folders) = open(inbox_file).map_err(unopened)?;
    let before = file.metadata().map_err(failed)?;
    if let Some(reason) = obstacle(&before).or_else(|| excess(before.len(), bounds.bytes)) {
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
pub fn reread(inbox_file: &InboxFile, sha256: &str, bounds: Bounds) -> Option<Vec<u8>> {
    let submission = read(inbox_file, bounds).ok()?;
    (submission.sha256 == sha256).then_some(submission.bytes)
}

fn open(inbox_file: &InboxFile) -> rustix::io::Result<(File, (i64, i64))> {
    let (folder, name, newest) = enter(inbox_file)?;
    Ok((open_plain(&folder, name)?, newest))
}

/// Opens the folder that a file lies in by way of handles, so that no directory below the inbox can be swapped for a link. Gives
/// the file's name there, and the newest change of a folder in between, too.
fn enter(inbox_file: &InboxFile) -> rustix::io::Result<(OwnedFd, &OsStr, (i64, i64))> {
    let below: Vec<&OsStr> = Path::new(&inbox_file.file).iter().collect();
    let inbox = inbox_file.path.ancestors().nth(below.len()).filter(|path| !path.as_os_str().is_empty());
    let mut at = openat(CWD, inbox.unwrap_or(Path::new(".")), DIRECTORY, Mode::empty())?;
    let (file, folders) = below.split_last().ok_or(Errno::NOENT)?;
    let mut newest = (i64::MIN, 0);
    for folder in folders {
        at = open_folder(&at, folder)?;
        let stat = fstat(&at)?;
        newest = newest.max((stat.st_ctime, stat.st_ctime_nsec as i64));
    }
    Ok((at, file, newest))
}

/// Tells whether trying again later may help: the drop is gone, or the fault is ours.
fn is_passing(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    [Errno::NOENT, Errno::STALE, Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::INTR, Errno::AGAIN]
        .into_iter()
        .any(|passing| errno == Some(passing))
}
