//! Check of the memory limit, in a real cell: an agent takes more memory than it may have and must be stopped.

use std::time::Duration;

use crate::config::Limits;
use crate::doctor::Finding;
use crate::model::report::Verdict;
use crate::sandbox::{Fault, Opened, Sandbox};
use crate::task::Task;

/// Memory of the cell, in bytes.
const MEMORY: u64 = 64 << 20;

/// An agent that takes four times as much. Every page is written to: memory that is only asked for is not taken.
const EATER: &str = "def eat():\n    return len(b'x' * (256 << 20))\n";

const REMEDY: &str = "cgroups must be on for memory (boot with cgroup v2, or cgroup_enable=memory swapaccount=1) and \
the engine must be allowed to use them; docs/operations.md says more";

/// Evaluates the agent; it must be stopped, and the engine must record why.
pub(super) fn eat(limits: &Limits, sandbox: &dyn Sandbox) -> Result<Finding, Fault> {
    let limits = Limits { memory: MEMORY, timeout: Duration::from_secs(20), ..*limits };
    let scored = match sandbox.open(EATER.into(), &limits)? {
        Opened::Ready(mut cell) => cell.run(&task(), &limits)?,
        Opened::Refused(refusal) => {
            return Ok(Finding::bad("memory", refusal.message, "the image must have Python 3.11 or newer"));
        }
    };
    Ok(match scored.verdict {
        Verdict::OutOfMemory => Finding::ok("memory", "a cell of 64 MiB was stopped when it wanted 256"),
        Verdict::Passed => Finding::bad("memory", "a cell of 64 MiB got 256", REMEDY),
        other => Finding::odd(
            "memory",
            format!("a cell of 64 MiB that wanted 256 came to {other:?} instead of OutOfMemory"),
            REMEDY,
        ),
    })
}

fn task() -> Task {
    Task::of_ours("check/memory", "Eat.", "assert eat() == 256 << 20")
}
