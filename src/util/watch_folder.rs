//! Folder watcher: calls back whenever something below a folder changes.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use notify::{Config, ErrorKind, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use rustix::io::Errno;

/// Change below a watched folder. Its paths are absolute, or begin as the folder's does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Files of which this is the end: their writer has closed them, or they were moved here. A folder that was moved
    /// is one path.
    Finished(Vec<PathBuf>),
    /// Paths that were written, created, moved away or removed.
    Touched(Vec<PathBuf>),
    /// Events were lost: anything may have changed.
    Unknown,
}

/// Calls `changed` whenever something below `folder` is written, created, moved or removed.
pub fn watch_folder(
    folder: &Path,
    mode: RecursiveMode,
    changed: impl Fn(Change) + Send + 'static,
) -> anyhow::Result<RecommendedWatcher> {
    let watcher = watcher(Config::default(), changed).and_then(|mut watcher| {
        watcher.watch(folder, mode)?;
        Ok(watcher)
    });
    watcher.map_err(|error| unwatchable(folder, &error))
}

/// Calls `changed` for a folder that others write to, and all that is below it. Links are not followed. Where something can't be
/// watched, as it is somebody's own, only the entries of the folder itself are.
pub fn watch_shared_folder(
    folder: &Path,
    changed: impl Fn(Change) + Send + 'static,
) -> anyhow::Result<RecommendedWatcher> {
    let config = Config::default().with_follow_symlinks(false);
    let watcher = watcher(config, changed).and_then(|mut watcher| {
        if watcher.watch(folder, RecursiveMode::Recursive).is_err() {
            let _ = watcher.unwatch(folder);
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    });
    watcher.map_err(|error| unwatchable(folder, &error))
}

fn watcher(config: Config, changed: impl Fn(Change) + Send + 'static) -> notify::Result<RecommendedWatcher> {
    let handler = move |event: notify::Result<notify::Event>| match event {
        Ok(event) if event.need_rescan() => changed(Change::Unknown),
        Ok(event) if is_end(event.kind) => changed(Change::Finished(event.paths)),
        // Reading what is there must not count as a change of it.
        Ok(event) if event.kind.is_access() => {}
        Ok(event) => changed(Change::Touched(event.paths)),
        Err(_) => changed(Change::Unknown),
    };
    RecommendedWatcher::new(handler, config)
}

fn unwatchable(folder: &Path, error: &notify::Error) -> anyhow::Error {
    anyhow!("can't watch {}: {}", folder.display(), reason(error))
}

/// The reason why nothing can be watched. The kernel's words for its own limits would blame open files or a disk.
fn reason(error: &notify::Error) -> String {
    let used_up = |what, setting| {
        format!(
            "all of this user's inotify {what} are used up; end another watcher, or raise {setting} (sysctl)"
        )
    };
    match &error.kind {
        ErrorKind::PathNotFound => "no such folder".to_owned(),
        ErrorKind::MaxFilesWatch => used_up("watches", "fs.inotify.max_user_watches"),
        ErrorKind::Io(io) if io.raw_os_error() == Some(Errno::MFILE.raw_os_error()) => {
            used_up("instances", "fs.inotify.max_user_instances")
        }
        ErrorKind::Io(io) if io.raw_os_error() == Some(Errno::NOSPC.raw_os_error()) => {
            used_up("watches", "fs.inotify.max_user_watches")
        }
        _ => error.to_string(),
    }
}

fn is_end(kind: EventKind) -> bool {
    use notify::event::{AccessKind::Close, AccessMode::Write, ModifyKind::Name, RenameMode::To};
    matches!(kind, EventKind::Access(Close(Write)) | EventKind::Modify(Name(To)))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn links_out_of_a_shared_folder_lead_to_no_watch() {
        let (inbox, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), inbox.path().join("link")).unwrap();
        std::os::unix::fs::symlink("/proc", inbox.path().join("proc")).unwrap();
        let (sender, changes) = std::sync::mpsc::channel();
        let _watcher = watch_shared_folder(inbox.path(), move |change| sender.send(change).unwrap()).unwrap();
        std::fs::write(elsewhere.path().join("a.py"), "x").unwrap();
        std::fs::write(inbox.path().join("b.py"), "x").unwrap();
        let first = changes.recv().unwrap();
        assert_eq!(first, Change::Touched(vec![inbox.path().join("b.py")]));
    }

    #[test]
    fn limits_of_inotify_are_told_as_what_they_are() {
        let io = |errno: Errno| notify::Error::io(io::Error::from_raw_os_error(errno.raw_os_error()));
        assert!(reason(&io(Errno::MFILE)).contains("inotify instances are used up"));
        assert!(reason(&io(Errno::MFILE)).contains("fs.inotify.max_user_instances"));
        for error in [io(Errno::NOSPC), notify::Error::new(ErrorKind::MaxFilesWatch)] {
            assert!(reason(&error).contains("fs.inotify.max_user_watches"));
        }
        assert_eq!(reason(&notify::Error::path_not_found()), "no such folder");
    }
}
