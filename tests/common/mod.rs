//! Helpers of tests on the real engine.

#![allow(dead_code, reason = "every test program uses a part of it")]

pub mod corpus;
#[allow(clippy::duplicate_mod, reason = "tests/engines.rs has it by both of its helpers")]
#[path = "../direct/mod.rs"]
pub mod direct;
#[allow(clippy::duplicate_mod, reason = "the same")]
#[path = "../marked/mod.rs"]
pub mod marked;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agentmill::config::{self, CellPer, Judge, Limits};
use agentmill::model::report::{Scored, Verdict};
use agentmill::sandbox::engine::Engine;
use agentmill::sandbox::run::ContainerSandbox;
use agentmill::sandbox::{Fault, Opened, Sandbox};
use agentmill::task::{self, Task};
use agentmill::ui::Events;
use marked::mark_of;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use tempfile::TempDir;

/// Tight, so that what runs into them does so soon.
pub const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(2),
    memory: 96 << 20,
    cpus: 1.0,
    pids: 32,
    output: 64 << 10,
    tmp: 8 << 20,
    entries: 0,
    value: 1 << 20,
};

/// Bounds of the judges; tight, too.
pub const JUDGE: Judge = Judge { time: Duration::from_secs(3), memory: 512 << 20 };

/// Does the same with each of these, four at a time: a container is mostly waited for.
pub fn side_by_side<T: Sync>(all: &[T], each: impl Fn(&T) + Send + Sync) {
    let pool = ThreadPoolBuilder::new().num_threads(4).build().expect("threads can be started");
    pool.install(|| all.par_iter().with_max_len(1).for_each(each));
}

/// A sandbox with a results folder, and so labels, of its own.
pub struct Lab {
    pub sandbox: ContainerSandbox,
    engine: Engine,
    runtime: Option<String>,
    results: TempDir,
    /// Containers that are started where no engine tells of them.
    starts: Option<direct::Starts>,
}

/// The launcher of cells: none, or that of AGENTMILL_LAUNCH, such as `srun`.
fn launch() -> Vec<String> {
    let words = std::env::var("AGENTMILL_LAUNCH").unwrap_or_default();
    words.split_whitespace().map(str::to_owned).collect()
}

/// The label of containers for a results folder.
fn folder(results: &Path) -> String {
    let results = results.canonicalize().expect("it is there");
    let host = rustix::system::uname();
    let mut place = vec![results.as_os_str().as_encoded_bytes()];
    place.extend((!launch().is_empty()).then(|| host.nodename().to_bytes()));
    agentmill::util::digest::hex(place)[..16].to_owned()
}

/// Outcome of an agent.
#[derive(Debug)]
pub enum Outcome {
    Refused(String),
    /// By the fault of the task's author.
    TaskFault(String),
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
        Self::make(direct::engine(), std::env::var("AGENTMILL_RUNTIME").ok(), parallel, JUDGE, false)
    }

    /// The same with judges of these bounds.
    pub fn with_judge(parallel: usize, judge: Judge) -> Self {
        Self::make(direct::engine(), None, parallel, judge, false)
    }

    /// With this engine and runtime.
    pub fn with(engine: config::EngineKind, runtime: Option<String>) -> Self {
        Self::make(engine, runtime, 4, JUDGE, false)
    }

    /// Where miners see less of hidden tests than by default.
    pub fn with_public_apart() -> Self {
        Self::make(direct::engine(), None, 4, JUDGE, true)
    }

    fn make(
        engine: config::EngineKind,
        runtime: Option<String>,
        parallel: usize,
        judge: Judge,
        public_apart: bool,
    ) -> Self {
        let settings = config::Sandbox {
            engine,
            image: direct::image(),
            judge_image: direct::image(),
            runtime: runtime.clone(),
            packages: false,
            cell_per: CellPer::Agent,
            public_apart,
            launch: launch(),
            launch_timeout: Duration::from_secs(60),
            wait_for_engine: Duration::from_secs(120),
            files: 64 << 20,
            limits: LIMITS,
            judge,
        };
        let results = tempfile::tempdir().expect("a folder for results");
        let (events, _) = Events::channel(); // nobody listens
        let starts = engine.is_direct().then(|| direct::Starts::follow(&folder(results.path())));
        let lab = Self {
            sandbox: ContainerSandbox::new(&settings, parallel, results.path(), events),
            engine: Engine::new(&settings, results.path()),
            runtime,
            results,
            starts,
        };
        if let Err(fault) = lab.sandbox.image() {
            panic!(
                "{fault}\nthis test needs {}: install and start it; agentmill gets or builds the image itself",
                lab.engine.program()
            );
        }
        lab
    }

    /// Names of the runtime and the engine, for which a case may want other verdicts.
    pub fn names(&self) -> [&str; 2] {
        [self.runtime.as_deref().unwrap_or_default(), self.engine.program()]
    }

    /// Runs a source on a task, several times in one cell.
    pub fn run(&self, source: &[u8], task: &Task, limits: &Limits, runs: usize) -> Outcome {
        self.run_all(source, &vec![task; runs], limits)
    }

    /// Runs a source on tasks, one after the other in one cell.
    pub fn run_all(&self, source: &[u8], tasks: &[&Task], limits: &Limits) -> Outcome {
        self.judge(source, tasks, limits, false)
    }

    /// The same by a cell that is told of all these runs before.
    pub fn run_announced(&self, source: &[u8], tasks: &[&Task], limits: &Limits) -> Outcome {
        self.judge(source, tasks, limits, true)
    }

    fn judge(&self, source: &[u8], tasks: &[&Task], limits: &Limits, announced: bool) -> Outcome {
        let opened = match self.sandbox.open(source.to_vec(), limits) {
            Ok(opened) => opened,
            Err(fault) => return Outcome::Unscored(fault.to_string()),
        };
        let runs: Vec<(&Task, Limits)> = tasks.iter().map(|task| (*task, task.limits(limits))).collect();
        match opened {
            Opened::Refused(refusal) => Outcome::Refused(refusal.message),
            Opened::Ready(mut cell) => {
                if announced {
                    cell.expect(&runs.iter().map(|(task, limits)| (*task, limits)).collect::<Vec<_>>());
                }
                let judged: Result<_, _> = runs.iter().map(|(task, limits)| cell.run(task, limits)).collect();
                match judged {
                    Ok(runs) => Outcome::Judged(runs),
                    Err(Fault::Task(fault)) => Outcome::TaskFault(fault),
                    Err(fault) => Outcome::Unscored(fault.to_string()),
                }
            }
        }
    }

    /// Runs a command of the engine, of Docker's where there is none; gives its output.
    pub fn ask(&self, args: &[&str]) -> String {
        if self.starts.is_some() {
            let answer = agentmill::util::command::ask("docker", args, Duration::from_secs(300));
            return answer.expect("Docker answers");
        }
        self.engine.ask(args).expect("the engine answers")
    }

    /// The ids of all containers of this lab with that role, in whatever state.
    pub fn containers(&self, role: &str) -> Vec<String> {
        let folder = folder(self.results.path());
        if self.starts.is_some() {
            let role = format!("-{role}-");
            return direct::containers(&folder).into_iter().filter(|name| name.contains(&role)).collect();
        }
        let (role, folder) = (format!("label=agentmill={role}"), format!("label=agentmill.folder={folder}"));
        let listed =
            self.ask(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &role, "--filter", &folder]);
        listed.split_whitespace().map(str::to_owned).collect()
    }

    /// Starts a container that keeps a CPU busy until it is removed; gives its id. It has this lab's label.
    pub fn start_busy(&self) -> String {
        let label = format!("--label=agentmill.folder={}", folder(self.results.path()));
        let run = ["run", "--detach", "--rm", "--network=none", &label, &direct::image()];
        let id = self.ask(&[&run[..], &["python", "-c", "while True: pass"]].concat());
        id.trim().to_owned()
    }

    /// How many containers of that role this lab has started. The engine's events are asked for to the end of this second.
    pub fn started(&self, role: &str) -> usize {
        if let Some(starts) = &self.starts {
            return starts.names().iter().filter(|name| name.contains(&format!("-{role}-"))).count();
        }
        let filter = format!("label=agentmill.folder={}", folder(self.results.path()));
        // Docker and Podman end in another way, and have the name in different fields.
        let end = if self.engine.program() == "podman" { "--stream=false" } else { "--until=-1s" };
        let since = ["events", "--since=1", end, "--filter=event=start", "--filter"];
        let args = [&since[..], &[&filter, "--format={{json .}}"]].concat();
        self.ask(&args).lines().filter(|event| event.contains(&format!("\"agentmill-{role}-"))).count()
    }

    /// Ends the sandbox and looks for anything it left: containers, files.
    pub fn close(self) -> Vec<String> {
        let label = |role| self.containers(role);
        // Answers only once the labels are known to be right.
        let judges = label("judge").len();
        let Self { sandbox, engine, results, starts, .. } = self;
        drop(sandbox);
        let lab = Leftovers { engine: &engine, results: results.path(), direct: starts.is_some() };
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
    direct: bool,
}

impl Leftovers<'_> {
    fn containers(&self) -> Vec<String> {
        if self.direct {
            return direct::containers(&folder(self.results));
        }
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

/// Our children that no test has started by itself, which leaves those of the labs: none, once all labs of a test program are closed.
/// One that ends within `patience` is none that is left; a dead one that nobody waits for is.
pub fn left_children(patience: Duration) -> Vec<String> {
    let deadline = Instant::now() + patience;
    loop {
        let left = children();
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn children() -> Vec<String> {
    let me = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc is there").flatten() {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((name, rest)) = stat.rsplit_once(") ") else { continue };
        let pid = entry.file_name();
        if rest.split(' ').nth(1) == Some(&me) && mark_of(&pid.to_string_lossy()).is_none() {
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

/// Messages of a run's tests, and the agent's stderr.
pub fn messages(scored: &Scored) -> Vec<String> {
    scored.tests.iter().filter_map(|test| test.message.clone()).chain([scored.stderr.clone()]).collect()
}

/// A verdict as it stands in results.
pub fn word(verdict: Verdict) -> String {
    serde_json::to_value(verdict).expect("it is a word").as_str().expect("it is a word").to_owned()
}
