//! Measurements without a peer: unchanged re-runs, memory, validation; and `watch`, which has a bare `docker run`.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use agentmill::pipeline::{intake, validate};
use anyhow::{Context, ensure};
use rayon::prelude::*;
use rustix::process::{Pid, Signal, kill_process};

use crate::handles;
use crate::options::Options;
use crate::pretend;
use crate::shapes;
use crate::stats::{Spread, timed};
use crate::tools::Tools;
use crate::watching;
use crate::ways::succeed;

/// Tasks of the folders that are large by their agents.
const TASKS: usize = 20;

/// Something measured, and what it should be.
pub struct Figure {
    pub what: String,
    pub values: Spread,
    pub unit: &'static str,
    /// At most this.
    pub target: f64,
}

/// All of it.
pub fn measure(tools: &Tools, options: &Options) -> anyhow::Result<Vec<Figure>> {
    let mut figures = again(tools, options)?;
    figures.extend(watching::measure(tools, options)?);
    figures.push(memory(tools, options)?);
    figures.push(validation(options)?);
    figures.push(handles::measure(tools, options)?);
    Ok(figures)
}

/// A folder with so many agents of small tasks.
pub fn crowd(agents: usize, tasks: usize, tests: usize) -> anyhow::Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new().prefix("agentmill-bench-").tempdir()?;
    shapes::folder(dir.path())?;
    shapes::small_tasks(dir.path(), tasks, tests)?;
    for agent in 0..agents {
        let source = format!("# agent {agent}\n{}", shapes::small_agent(agent, tasks));
        fs::write(dir.path().join(format!("inbox/agent-{agent:05}.py")), source)?;
    }
    thread::sleep(intake::SETTLE);
    Ok(dir)
}

/// A re-run in which nothing has changed. The reports come from a pass with made-up verdicts under the real image's
/// id: to evaluate so many agents takes minutes, and how a report came about makes no difference to who reads it.
fn again(tools: &Tools, options: &Options) -> anyhow::Result<Vec<Figure>> {
    let agents = options.full_or_quick(1_000, 100);
    let dir = crowd(agents, TASKS, 5)?;
    let first = pretend::pass(dir.path(), &tools.image)?;
    ensure!(first.rows.len() == agents && first.pending == 0, "the folder could not be prepared");
    let run = || timed(|| succeed(&mut rerun(tools, dir.path())));
    let times = (0..options.rounds().max(3)).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    let what = format!("unchanged re-run of {agents} agents × {TASKS} tasks");
    let calls = engine_calls(tools, dir.path())?;
    Ok(vec![
        Figure { what: what.clone(), values: Spread::of(&times), unit: "s", target: 0.3 },
        Figure {
            what: format!("engine calls in it: {what}"),
            values: Spread::of(&[calls]),
            unit: "",
            target: 0.0,
        },
    ])
}

/// A `run` of a folder.
pub fn rerun(tools: &Tools, dir: &Path) -> Command {
    let mut command = Command::new(&tools.agentmill);
    command.arg("--dir").arg(dir).args(["--quiet", "run"]);
    command
}

/// Counted at a socket of its own, where nobody answers: the engine's client comes there, too.
fn engine_calls(tools: &Tools, dir: &Path) -> anyhow::Result<f64> {
    let place = tempfile::tempdir()?;
    let socket = place.path().join("docker.sock");
    let (listener, calls) = (UnixListener::bind(&socket)?, Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&calls);
    // Ends with this process.
    thread::spawn(move || listener.incoming().for_each(|_| _ = counted.fetch_add(1, Ordering::SeqCst)));
    let count = |command: &mut Command| {
        let before = calls.load(Ordering::SeqCst);
        let outcome = succeed(command.env("DOCKER_HOST", format!("unix://{}", socket.display())));
        (outcome, calls.load(Ordering::SeqCst) - before)
    };
    let (outcome, calls) = count(&mut rerun(tools, dir));
    outcome?;
    // That something is counted where something calls; after such a failure, the next run looks for what it left.
    ensure!(count(Command::new("docker").arg("version")).1 > 0, "a call of the client is not counted");
    ensure!(count(rerun(tools, dir).arg("--force")).1 > 0, "a call of agentmill is not counted");
    Ok(calls as f64)
}

/// The greater of two peaks: with all agents due, in a run stopped when it has worked for a while; and with all of
/// them evaluated.
fn memory(tools: &Tools, options: &Options) -> anyhow::Result<Figure> {
    let agents = options.full_or_quick(10_000, 1_000);
    let dir = crowd(agents, TASKS, 5)?;
    let stop = Duration::from_secs(options.full_or_quick(20, 5));
    let due = peak(rerun(tools, dir.path()), Some(stop))?;
    fs::remove_dir_all(dir.path().join("results"))?;
    pretend::pass(dir.path(), &tools.image)?;
    let evaluated = peak(rerun(tools, dir.path()), None)?;
    let what = format!(
        "peak memory of the host process, {agents} agents × {TASKS} tasks: {due:.0} MB all due, {evaluated:.0} MB \
         all evaluated"
    );
    Ok(Figure { what, values: Spread::of(&[due.max(evaluated)]), unit: "MB", target: 50.0 })
}

/// Peak resident memory of a command in MB (10^6 bytes), as the kernel counts it; interrupts it after a while.
fn peak(mut command: Command, stop: Option<Duration>) -> anyhow::Result<f64> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let (start, mut peak, mut stopped) = (Instant::now(), 0.0, false);
    while child.try_wait()?.is_none() {
        // A process that has ended but is not waited for has no such line.
        peak = fs::read_to_string(&status).ok().and_then(|text| high_water(&text)).unwrap_or(peak);
        if !stopped && stop.is_some_and(|stop| start.elapsed() > stop) {
            kill_process(Pid::from_child(&child), Signal::INT)?;
            stopped = true;
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(peak)
}

fn high_water(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? * 1024.0 / 1e6)
}

/// Reading and validating the reference solutions over and over, as a pass does it.
fn validation(options: &Options) -> anyhow::Result<Figure> {
    let count = options.full_or_quick(10_000, 1_000);
    let dir = tempfile::tempdir()?;
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks/solutions");
    let typical = fs::read_dir(home)?.map(|entry| fs::read(entry?.path())).collect::<Result<Vec<_>, _>>()?;
    ensure!(!typical.is_empty(), "no solutions to validate");
    for (at, source) in typical.iter().cycle().take(count).enumerate() {
        fs::write(dir.path().join(format!("agent-{at:05}.py")), source)?;
    }
    thread::sleep(intake::SETTLE);
    let bounds = intake::Bounds { bytes: 1 << 20, files: 1 };
    let files = intake::list(dir.path(), bounds)?.files;
    let look = |inbox_file: &intake::InboxFile| {
        let submission = intake::read(inbox_file, bounds).ok()?;
        validate::scan(&submission.bytes, &[]).ok()
    };
    let all = || files.par_iter().map(look).collect::<Option<Vec<()>>>().context("a solution was refused");
    let times = (0..options.rounds().max(3)).map(|_| timed(all)).collect::<Result<Vec<_>, _>>()?;
    let what = format!("{count} validations of typical agents");
    Ok(Figure { what, values: Spread::of(&times), unit: "s", target: 2.0 })
}
