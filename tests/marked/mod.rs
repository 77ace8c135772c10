//! The mark of processes that tests start by themselves: a variable in their environment, which those that they start inherit. The
//! children of a test's process that lack it are those of the sandboxes in it.

use std::fs;
use std::path::Path;

/// The variable.
pub const MARK: &str = "AGENTMILL_TESTENV";

/// The value of the mark that a process has.
pub fn mark_of(pid: &str) -> Option<Vec<u8>> {
    let environment = fs::read(Path::new("/proc").join(pid).join("environ")).unwrap_or_default();
    let start = [MARK.as_bytes(), b"="].concat();
    environment
        .split(|byte| *byte == 0)
        .find_map(|variable| variable.strip_prefix(&*start))
        .map(<[u8]>::to_vec)
}
