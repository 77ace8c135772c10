//! Private files: folders and locks that no other user may open.
//!
//! A lock on a file that others can open is theirs to hold for ever, and a name in a folder that others can write may be
//! a link or a pipe: neither is followed nor waited for.

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

/// Flags that keep a name in a foreign folder from leading elsewhere, and a pipe from being waited for.
const CAREFULLY: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The pause between two tries to lock.
const PAUSE: Duration = Duration::from_millis(5);

/// Makes a folder with mode 0700, or closes one that is there to other users. Tells whether it was made.
///
/// # Errors
/// The name is no folder, such as a link to one, or belongs to another user.
pub fn folder(path: &Path) -> io::Result<bool> {
    enter(path).map(|(_, made)| made)
}

/// Makes a folder that other users can't look into, with those above it as the umask says, or closes one that is there. One
/// that is another user's stays as its owner has it.
///
/// # Errors
/// It can't be made, or not be closed.
pub fn closed(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => close(path),
        made => made,
    }
}

/// Closes a folder of ours to other users, if it is there.
///
/// # Errors
/// It can't be closed.
pub fn close(path: &Path) -> io::Result<()> {
    let Ok(folder) = path.metadata() else { return Ok(()) };
    let is_open = folder.is_dir() && folder.mode() & 0o077 != 0;
    match is_open && folder.uid() == rustix::process::geteuid().as_raw() {
        true => std::fs::set_permissions(path, Permissions::from_mode(0o700)),
        false => Ok(()),
    }
}

/// Makes a folder as [`folder`] does, and holds it until dropped. Whoever holds it may remove it.
///
/// # Errors
/// As of [`folder`] and [`lock`].
pub fn hold(path: &Path, patience: Duration) -> io::Result<File> {
    let deadline = Instant::now() + patience;
    loop {
        let (folder, _) = enter(path)?;
        wait_for(&folder, deadline, patience)?;
        // It may have been removed by the one who held it, and another be in its place.
        let number = |it: std::fs::Metadata| (it.dev(), it.ino());
        if std::fs::symlink_metadata(path)
            .is_ok_and(|there| folder.metadata().is_ok_and(|it| number(it) == number(there)))
        {
            return Ok(folder);
        }
    }
}

/// The folder, open, and whether it was made.
fn enter(path: &Path) -> io::Result<(File, bool)> {
    let flags = (CAREFULLY | OFlags::DIRECTORY).bits();
    let (folder, made) = loop {
        let made = match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(error),
        };
        match File::options().read(true).custom_flags(flags as i32).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {} // removed just now
            other => break (other?, made),
        }
    };
    let (owner, us) = (folder.metadata()?.uid(), rustix::process::geteuid().as_raw());
    if owner != us {
        // Root can close it to all but its owner, who can open it again at any time.
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{}: belongs to user {owner}, not to {us}", path.display()),
        ));
    }
    close_to_others(&folder, 0o700)?;
    Ok((folder, made))
}

/// The bytes of a file of ours.
///
/// # Errors
/// The name is no plain file, or belongs to another user, or it can't be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::options().read(true).custom_flags(CAREFULLY.bits() as i32).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("is no plain file of ours"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a lock file, or makes it, with mode 0600.
///
/// # Errors
/// The name is no plain file, or belongs to another user.
pub fn lock_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    let options = options.create(true).truncate(false).read(true).write(true).mode(0o600);
    let file = options.custom_flags(CAREFULLY.bits() as i32).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is no plain file"));
    }
    close_to_others(&file, 0o600)?;
    Ok(file)
}

/// Holds the lock file of this path until dropped.
///
/// # Errors
/// As of [`lock_file`]; [`io::ErrorKind::TimedOut`] if somebody else holds it for longer than `patience`.
pub fn lock(path: &Path, patience: Duration) -> io::Result<File> {
    let (file, deadline) = (lock_file(path)?, Instant::now() + patience);
    wait_for(&file, deadline, patience)?;
    Ok(file)
}

fn wait_for(file: &File, deadline: Instant, patience: Duration) -> io::Result<()> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                let text = format!("another process has held it for {} s", patience.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
        }
    }
}

/// Changes the mode if it lets others in; only the owner can.
fn close_to_others(file: &File, mode: u32) -> io::Result<()> {
    match file.metadata()?.mode() & 0o777 & !mode {
        0 => Ok(()),
        _ => file.set_permissions(Permissions::from_mode(mode)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn folders_and_locks_are_the_owners() {
        let place = tempfile::tempdir().unwrap();
        let (ours, file) = (place.path().join("ours"), place.path().join("lock"));
        fs::create_dir(&ours).unwrap();
        fs::write(&file, "").unwrap();
        fs::set_permissions(&ours, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert!(!folder(&ours).unwrap() && folder(&place.path().join("made")).unwrap());
        drop(lock(&file, Duration::ZERO).unwrap());
        assert_eq!((mode(&ours), mode(&place.path().join("made")), mode(&file)), (0o700, 0o700, 0o600));
    }

    #[test]
    fn a_file_is_read_if_it_is_ours_alone() {
        let place = tempfile::tempdir().unwrap();
        let (file, link) = (place.path().join("file"), place.path().join("link"));
        fs::write(&file, "ours").unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(read(&file).unwrap(), b"ours");
        assert!(read(&link).is_err() && read(place.path()).is_err());
        // Only root can give it away.
        if std::os::unix::fs::chown(&file, Some(4711), None).is_ok() {
            assert!(read(&file).is_err());
        }
    }

    #[test]
    fn a_folder_that_was_open_is_closed_and_the_one_above_stays() {
        let place = tempfile::tempdir().unwrap();
        let (open, new) = (place.path().join("open"), place.path().join("above/new"));
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
        close(&place.path().join("missing")).unwrap();
        [&open, &new].into_iter().for_each(|path| closed(path).unwrap());
        assert_eq!([mode(&open), mode(&new)], [0o700; 2]);
        assert_ne!(mode(&place.path().join("above")), 0o700);
        closed(&new).unwrap();
        assert!(closed(&place.path().join("open/../open")).is_ok());
    }

    #[test]
    fn a_folder_of_somebody_elses_is_refused_even_to_root() {
        let place = tempfile::tempdir().unwrap();
        let theirs = place.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        // Who is not root can't give anything away; the root folder is another's then.
        let given = std::os::unix::fs::chown(&theirs, Some(65534), None).is_ok();
        let refused = folder(if given { &theirs } else { Path::new("/") }).unwrap_err();
        assert!(refused.to_string().contains("belongs to user"), "{refused}");
    }

    #[test]
    fn links_and_pipes_are_refused_at_once() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("theirs")).unwrap();
        symlink(at("theirs"), at("folder")).unwrap();
        symlink(at("theirs/made"), at("link")).unwrap();
        mkfifoat(CWD, at("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        assert!(folder(&at("folder")).is_err());
        assert!(lock(&at("link"), Duration::ZERO).is_err() && !at("theirs/made").exists());
        assert!(lock(&at("pipe"), Duration::ZERO).is_err());
        let _reader = File::options().read(true).write(true).open(at("pipe")).unwrap();
        assert!(lock(&at("pipe"), Duration::ZERO).is_err());
    }

    #[test]
    fn a_folder_that_its_holder_removes_is_made_anew_for_the_next() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("held");
        let held = hold(&path, Duration::ZERO).unwrap();
        assert_eq!(hold(&path, Duration::ZERO).unwrap_err().kind(), io::ErrorKind::TimedOut);
        thread::scope(|scope| {
            let next = scope.spawn(|| hold(&path, Duration::from_secs(60)));
            fs::remove_dir(&path).unwrap();
            drop(held);
            let _next = next.join().unwrap().unwrap();
            assert!(path.exists());
        });
    }

    #[test]
    fn a_lock_is_waited_for_and_given_up() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        let held = lock(&path, Duration::ZERO).unwrap();
        assert_eq!(lock(&path, PAUSE * 2).unwrap_err().kind(), io::ErrorKind::TimedOut);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| lock(&path, Duration::from_secs(60)));
            drop(held);
            waiting.join().unwrap().unwrap();
        });
    }
}
