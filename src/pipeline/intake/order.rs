//! Order of arrival: how far the times of files in an inbox tell which came first.
//!
//! The time of an inode's change is a hint. What is stored by way of a memory map changes it with the page's next way to the
//! disk, half a minute later by Linux's defaults, and never in a file system that has no disk; and whoever may rename another's
//! file moves its time.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::statfs;

/// File systems in memory, by the kernel's numbers: tmpfs and ramfs.
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

const GROUP_WRITES: u32 = 0o020;

const OTHERS_WRITE: u32 = 0o002;

const STICKY: u32 = 0o1000;

/// Reason why the times of an inbox's files tell nothing about their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreliable {
    /// Others may write into it, and it has no sticky bit: they may rename each other's files.
    Renamed,
    /// It lies in memory.
    InMemory,
}

/// The reason, if there is one. An inbox that can't be looked at is looked at again.
pub fn unreliable(inbox: &Path) -> Option<Unreliable> {
    let folder = inbox.metadata().ok()?;
    // A group of the owner's number has no other member, by Linux's custom.
    let group = if folder.gid() == folder.uid() { 0 } else { GROUP_WRITES };
    if folder.mode() & (OTHERS_WRITE | group) != 0 && folder.mode() & STICKY == 0 {
        return Some(Unreliable::Renamed);
    }
    let kind = statfs(inbox).ok()?.f_type;
    IN_MEMORY.contains(&(kind as i64)).then_some(Unreliable::InMemory)
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{PermissionsExt, chown};

    use super::*;

    #[test]
    fn an_inbox_where_others_may_rename_tells_no_order() {
        let inbox = tempfile::tempdir().unwrap();
        let of = |mode| {
            set_permissions(inbox.path(), Permissions::from_mode(mode)).unwrap();
            unreliable(inbox.path()) == Some(Unreliable::Renamed)
        };
        assert_eq!([0o755, 0o1777, 0o1733, 0o777, 0o702].map(of), [false, false, false, true, true]);
        // Who is not root can't give it to another group.
        let given = chown(inbox.path(), None, Some(12_345)).is_ok();
        assert_eq!([0o775, 0o1775].map(of), [given, false]);
    }

    #[test]
    fn an_inbox_in_memory_tells_no_order() {
        if let Ok(inbox) = tempfile::tempdir_in("/dev/shm")
            && statfs(inbox.path()).is_ok_and(|stat| IN_MEMORY.contains(&stat.f_type))
        {
            assert_eq!(unreliable(inbox.path()), Some(Unreliable::InMemory));
        }
    }
}
