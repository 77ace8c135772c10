//! The cost of a question to an object of the agent's, which stays in its cell.

use std::fs;

use crate::alone::{Figure, rerun};
use crate::options::Options;
use crate::shapes;
use crate::stats::{Spread, timed};
use crate::tools::Tools;
use crate::ways::succeed;

/// Calls of a method in one test, few and many: the difference is theirs.
const CALLS: [usize; 2] = [10, 3_010];

const AGENT: &str = "class Counter:\n    def __init__(self):\n        self.count = 0\n\n    def up(self):\n        self.count += 1\n";

/// Milliseconds of a call, in runs of one agent on one task.
pub fn measure(tools: &Tools, options: &Options) -> anyhow::Result<Figure> {
    let folders = CALLS.map(counting).into_iter().collect::<Result<Vec<_>, _>>()?;
    let round = |_| -> anyhow::Result<f64> {
        let took = folders.iter().map(|dir| timed(|| succeed(rerun(tools, dir.path()).arg("--force"))));
        let took = took.collect::<Result<Vec<_>, _>>()?;
        Ok((took[1] - took[0]) * 1e3 / (CALLS[1] - CALLS[0]) as f64)
    };
    let times = (0..options.rounds().max(3)).map(round).collect::<Result<Vec<_>, _>>()?;
    let what = "a call of a method of an agent's object".to_owned();
    Ok(Figure { what, values: Spread::of(&times), unit: "ms", target: 0.5 })
}

/// A folder with an agent whose object is called so often.
fn counting(calls: usize) -> anyhow::Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new().prefix("agentmill-bench-").tempdir()?;
    shapes::folder(dir.path())?;
    let test =
        format!("c = Counter()\n    for _ in range({calls}):\n        c.up()\n    assert c.count == {calls}");
    let task = format!("prompt: Write a class Counter with up() and count.\ntests:\n  - |\n    {test}\n");
    fs::write(dir.path().join("tasks/counter.yaml"), task)?;
    fs::create_dir(dir.path().join("inbox/agent"))?;
    fs::write(dir.path().join("inbox/agent/agent.py"), AGENT)?;
    Ok(dir)
}
