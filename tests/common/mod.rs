//! What tests on the real engine share.

#![allow(dead_code, reason = "every test program uses a part of it")]

pub mod corpus;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentmill::config::{self, CellPer, Limits};
use agentmill::report::{Scored, Verdict};
use agentmill::sandbox::container::Containers;
use agentmill::sandbox::engine::Engine;
use agentmill::sandbox::{Opened, Sandbox};
use agentmill::task::{self, Task};
use agentmill::ui::Events;
use tempfile::TempDir;

/// Tight, so that what runs into them does so soon.
pub const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(2),
    memory: 96 << 20,
    cpus: 1.0,
    pids: 32,
    output: 64 << 10,
    tmp: 8 << 20,
};

/// A sandbox with a results folder, and so labels, of its own.
pub struct Lab {
    pub sandbox: Containers,
    engine: Engine,
    runtime: Option<String>,
    results: TempDir,
}

/// What carries the cells: nothing, or what AGENTMILL_LAUNCH says, such as `srun`.
fn launch() -> Vec<String> {
    let words = std::env::var("AGENTMILL_LAUNCH").unwrap_or_default();
    words.split_whitespace().map(str::to_owned).collect()
}

/// What the containers for a results folder are labelled with.
fn folder(results: &Path) -> String {
    let results = results.canonicalize().expect("it is there");
    let host = rustix::system::uname();
    let mut place = vec![results.as_os_str().as_encoded_bytes()];
    place.extend((!launch().is_empty()).then(|| host.nodename().to_bytes()));
    agentmill::digest::hex(place)[..16].to_owned()
}

/// What became of an agent.
#[derive(Debug)]
pub enum Fate {
    Refused(String),
    /// By a fault that no agent may bring about.
    Unscored(String),
    Judged(Vec<Scored>),
}

impl Lab {
    /// With the engine and the runtime that the environment names, Docker and its own unless it does. Fails with what
    /// to do about it if there is no engine.
    pub fn new() -> Self {
        Self::with_workers(4)
    }

    /// The same for so many agents at the same time.
    pub fn with_workers(parallel: usize) -> Self {
        let engine = match std::env::var("AGENTMILL_ENGINE").as_deref() {
            Ok("podman") => config::Engine::Podman,
            Ok("docker") | Err(_) => config::Engine::Docker,
            Ok(other) => panic!("AGENTMILL_ENGINE is docker or podman, not {other}"),
        };
        Self::make(engine, std::env::var("AGENTMILL_RUNTIME").ok(), parallel)
    }

    /// With this engine and runtime.
    pub fn with(engine: config::Engine, runtime: Option<String>) -> Self {
        Self::make(engine, runtime, 4)
    }

    fn make(engine: config::Engine, runtime: Option<String>, parallel: usize) -> Self {
        let settings = config::Sandbox {
            engine,
            image: "python:3.11-slim".into(),
            runtime: runtime.clone(),
            cell_per: CellPer::Agent,
            launch: launch(),
            launch_timeout: Duration::from_secs(60),
            wait_for_engine: Duration::from_secs(120),
            limits: LIMITS,
        };
        let results = tempfile::tempdir().expect("a folder for results");
        let (events, _) = Events::channel(); // nobody listens
        let lab = Self {
            sandbox: Containers::new(&settings, parallel, results.path(), events),
            engine: Engine::new(&settings, results.path()),
            runtime,
            results,
        };
        if let Err(fault) = lab.sandbox.image() {
            panic!(
                "{fault}\nthis test needs {}: install and start it; agentmill gets or builds the image itself",
                lab.engine.program()
            );
        }
        lab
    }

    /// What a case may name to want other verdicts there: the runtime and the engine.
    pub fn names(&self) -> [&str; 2] {
        [self.runtime.as_deref().unwrap_or_default(), self.engine.program()]
    }

    /// Runs a source on a task, several times in one cell.
    pub fn run(&self, source: &[u8], task: &Task, limits: &Limits, runs: usize) -> Fate {
        self.run_all(source, &vec![task; runs], limits)
    }

    /// Runs a source on tasks, one after the other in one cell.
    pub fn run_all(&self, source: &[u8], tasks: &[&Task], limits: &Limits) -> Fate {
        self.judge(source, tasks, limits, false)
    }

    /// The same by a cell that is told of all these runs before.
    pub fn run_announced(&self, source: &[u8], tasks: &[&Task], limits: &Limits) -> Fate {
        self.judge(source, tasks, limits, true)
    }

    fn judge(&self, source: &[u8], tasks: &[&Task], limits: &Limits, announced: bool) -> Fate {
        let opened = match self.sandbox.open(source.to_vec(), limits) {
            Ok(opened) => opened,
            Err(fault) => return Fate::Unscored(fault.to_string()),
        };
        let runs: Vec<(&Task, Limits)> = tasks.iter().map(|task| (*task, task.limits(limits))).collect();
        match opened {
            Opened::Refused(refusal) => Fate::Refused(refusal.message),
            Opened::Ready(mut cell) => {
                if announced {
                    cell.expect(&runs.iter().map(|(task, limits)| (*task, limits)).collect::<Vec<_>>());
                }
                let judged: Result<_, _> = runs.iter().map(|(task, limits)| cell.run(task, limits)).collect();
                judged.map_or_else(|fault| Fate::Unscored(fault.to_string()), Fate::Judged)
            }
        }
    }

    /// What the engine prints for a command.
    pub fn ask(&self, args: &[&str]) -> String {
        self.engine.ask(args).expect("the engine answers")
    }

    /// The ids of all containers of this lab with that role, in whatever state.
    pub fn containers(&self, role: &str) -> Vec<String> {
        let folder = folder(self.results.path());
        let (role, folder) = (format!("label=agentmill={role}"), format!("label=agentmill.folder={folder}"));
        let listed =
            self.ask(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &role, "--filter", &folder]);
        listed.split_whitespace().map(str::to_owned).collect()
    }

    /// Ends the sandbox and looks for anything it left: containers, files.
    pub fn close(self) -> Vec<String> {
        let label = |role| self.containers(role);
        // Answers only once the labels are known to be right.
        let judges = label("judge").len();
        let Self { sandbox, engine, results, .. } = self;
        drop(sandbox);
        let lab = Leftovers { engine: &engine, results: results.path() };
        let mut found = lab.containers();
        found.extend(lab.files());
        if judges == 0 {
            found.push("no judge was seen before the end: the labels must be wrong".into());
        }
        found
    }
}

struct Leftovers<'a> {
    engine: &'a Engine,
    results: &'a Path,
}

impl Leftovers<'_> {
    fn containers(&self) -> Vec<String> {
        let filter = format!("label=agentmill.folder={}", folder(self.results));
        let listed =
            self.engine.ask(&["ps", "--all", "--filter", &filter, "--format", "{{.Names}} {{.Status}}"]);
        listed.expect("the engine answers").lines().map(|line| format!("container {line}")).collect()
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.results).expect("the results folder is there");
        entries.map(|entry| format!("file {:?}", entry.expect("readable").path())).collect()
    }
}

/// The processes whose parent is this one: none, once all labs of a test program are closed.
pub fn children() -> Vec<String> {
    let me = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc is there").flatten() {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((name, rest)) = stat.rsplit_once(") ") else { continue };
        if rest.split(' ').nth(1) == Some(&me) {
            found.push(format!("process {name})"));
        }
    }
    found
}

/// The tasks of a folder beside the tests.
pub fn tasks(folder: &str) -> Vec<Task> {
    task::load(&path(folder)).expect("the tasks are sound")
}

/// A path below `tests/`.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// A task out of a text.
pub fn task(text: &str) -> Task {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("task.yaml"), text).expect("written");
    task::load(folder.path()).expect("the task is sound").remove(0)
}

/// The verdicts of a run's tests as words.
pub fn verdicts(scored: &Scored) -> Vec<String> {
    scored.tests.iter().map(|test| word(test.verdict)).collect()
}

/// What was said about a run's tests, and what the agent said on stderr.
pub fn messages(scored: &Scored) -> Vec<String> {
    scored.tests.iter().filter_map(|test| test.message.clone()).chain([scored.stderr.clone()]).collect()
}

/// A verdict as it stands in results.
pub fn word(verdict: Verdict) -> String {
    serde_json::to_value(verdict).expect("it is a word").as_str().expect("it is a word").to_owned()
}
