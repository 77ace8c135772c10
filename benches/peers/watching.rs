//! How long `watch` takes from a finished drop to its line in rankings.csv, beside one bare `docker run`.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use agentmill::pipeline::intake;
use anyhow::ensure;
use rustix::process::{Pid, Signal, kill_process};

use crate::alone::Figure;
use crate::options::Options;
use crate::shapes;
use crate::stats::{Spread, timed};
use crate::tools::{IMAGE, Tools};
use crate::ways::succeed;

/// Past this, something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long `watch` may take to get its next cell ready before the next drop.
const BREATH: Duration = Duration::from_millis(1500);

/// Where a drop comes from.
#[derive(Clone, Copy)]
enum Drop {
    /// Written under another name before, then renamed: finished the moment that it appears.
    Renamed,
    /// Written where it lies: finished when it is closed.
    Written,
}

/// A `watch` that is ended with this.
struct Watch(Child);

impl std::ops::Drop for Watch {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// As a share of one bare `docker run` made just before.
pub fn measure(tools: &Tools, options: &Options) -> anyhow::Result<Vec<Figure>> {
    let dir = tempfile::Builder::new().prefix("agentmill-bench-").tempdir()?;
    shapes::folder(dir.path())?;
    shapes::small_tasks(dir.path(), 1, 5)?;
    let mut command = Command::new(&tools.agentmill);
    command.arg("--dir").arg(dir.path()).args(["--quiet", "watch"]);
    let _watch = Watch(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
    thread::sleep(BREATH * 2);
    // The first drop is a warm-up: the task's tests have not asked anything yet.
    latency(dir.path(), Drop::Renamed, 0)?;
    let (mut bare, mut renamed, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 1..=options.full_or_quick(10, 3) {
        let docker = bare_run()?;
        bare.push(docker);
        renamed.push(latency(dir.path(), Drop::Renamed, turn * 2)? / docker);
        written.push(latency(dir.path(), Drop::Written, turn * 2 + 1)? / docker);
    }
    let docker = Spread::of(&bare).median * 1e3;
    let figure = |what: &str, values: &[f64], target| Figure {
        what: format!(
            "watch: from {what} to its line in rankings.csv, as a share of one bare `docker run` ({docker:.0} ms)"
        ),
        values: Spread::of(values),
        unit: "",
        target,
    };
    Ok(vec![
        figure("a file renamed into the inbox", &renamed, 0.5),
        figure("a file written in the inbox", &written, 0.5),
    ])
}

fn bare_run() -> anyhow::Result<f64> {
    thread::sleep(BREATH);
    timed(|| succeed(Command::new("docker").args(["run", "--rm", IMAGE, "python", "-c", "pass"])))
}

fn latency(dir: &Path, drop: Drop, number: usize) -> anyhow::Result<f64> {
    let name = format!("agent-{number:04}");
    let place = dir.join(format!("inbox/{name}.py"));
    let source = format!("# {number}\n{}", shapes::small_agent(0, 1));
    if let Drop::Renamed = drop {
        fs::write(place.with_extension("tmp"), &source)?;
    }
    thread::sleep(BREATH + intake::SETTLE);
    let start = Instant::now();
    match drop {
        Drop::Renamed => fs::rename(place.with_extension("tmp"), &place)?,
        Drop::Written => fs::write(&place, &source)?,
    }
    while !fs::read_to_string(dir.join("results/rankings.csv")).is_ok_and(|text| text.contains(&name)) {
        ensure!(start.elapsed() < PATIENCE, "watch has not ranked {name}");
        thread::sleep(Duration::from_millis(1));
    }
    Ok(start.elapsed().as_secs_f64())
}
