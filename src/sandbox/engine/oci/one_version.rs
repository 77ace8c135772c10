//! One version of control groups, for crun, where the machine has both ("hybrid"): crun refuses a machine whose second version has controllers, and
//! wants a group of its own there where it has none. It is started where an empty folder stands in the place of that one, for it to make in what it
//! likes, and sets its limits in the first.

use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};

/// Where the second version is beside the first: a place that systemd chose, and the only one at which crun looks.
const SECOND: &str = "/sys/fs/cgroup/unified";

/// Tells whether the machine has both versions.
pub fn is_of_two() -> bool {
    Path::new(SECOND).join("cgroup.procs").exists()
}

/// Does something among mounts of its own, where the second version is out of sight. Processes that it starts have these mounts.
///
/// # Errors
/// We may not have mounts of our own, or as of `work`.
pub fn within<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let hidden = || hide().and_then(|()| work());
    // Mounts are a thread's own: no other of ours is to have these.
    thread::scope(|scope| scope.spawn(hidden).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

fn hide() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    // Else the machine's own mounts would get it, too.
    mount_change(SECOND, MountPropagationFlags::PRIVATE)?;
    let flags = MountFlags::NODEV | MountFlags::NOSUID | MountFlags::NOEXEC;
    Ok(mount("tmpfs", SECOND, "tmpfs", flags, c"mode=700,size=64k")?)
}
