//! A disk that can be full, or forbid to write.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system of a test's own, unmounted when dropped. Only root may mount one.
pub struct Disk {
    at: PathBuf,
}

impl Disk {
    /// Of so many KiB.
    ///
    /// # Errors
    /// This test may not mount one; the reason.
    pub fn mount(at: PathBuf, kib: usize) -> Result<Self, String> {
        command("mount", &["-t", "tmpfs", "-o", &format!("size={kib}k"), "agentmill-test"], &at)
            .map_err(|reason| format!("no file system of the test's own: {reason}"))?;
        Ok(Self { at })
    }

    /// Lets nobody write, not even root; or everybody again.
    pub fn read_only(&self, on: bool) {
        command("mount", &["-o", if on { "remount,ro" } else { "remount,rw" }], &self.at).unwrap();
    }

    /// Lets nobody make, replace or remove files, not even root.
    ///
    /// # Errors
    /// The kernel can't do that here; the reason.
    pub fn freeze(&self) -> Result<(), String> {
        command("chattr", &["-R", "+i"], &self.at)
            .map_err(|reason| format!("no folder can be frozen: {reason}"))
    }

    /// Lets everybody again.
    pub fn thaw(&self) {
        command("chattr", &["-R", "-i"], &self.at).unwrap();
    }

    /// Leaves no room at all.
    pub fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        while filler.write_all(&[0; 512]).is_ok() {}
    }

    /// Gives the room back.
    pub fn empty(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = command("umount", &["--lazy"], &self.at);
    }
}

fn command(program: &str, args: &[&str], at: &Path) -> Result<(), String> {
    let output = Command::new(program).args(args).arg(at).output().map_err(|error| error.to_string())?;
    let reason = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    output.status.success().then_some(()).ok_or_else(reason)
}
