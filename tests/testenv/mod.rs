//! A folder of its own for each test, with a pipeline, tasks and agents in it, and the real binary to work on it.

#![allow(dead_code, reason = "each test file uses a part of it")]

mod daemon;
#[allow(clippy::duplicate_mod, reason = "tests/engines.rs has it by both of its helpers")]
#[path = "../direct/mod.rs"]
mod direct;
pub mod disk;
pub mod dockerd;
mod engine;
mod forward;
#[allow(clippy::duplicate_mod, reason = "tests/engines.rs has it by both of its helpers")]
#[path = "../marked/mod.rs"]
mod marked;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use agentmill::config::EngineKind;
use tempfile::TempDir;

pub use daemon::{Finished, Running};
use marked::MARK;

/// How long a condition may take to come true on a busy machine. Nothing that works waits this long.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Never gives the same answer twice, so that a run made anew shows in the report.
pub const MOODY_AGENT: &str = "import os\ndef double(x):\n    return os.urandom(8).hex()\n";

/// An agent and a task that fit each other; the agent scores 100.
pub const DOUBLE_AGENT: &str = "def double(x):\n    return 2 * x\n";
pub const DOUBLE_TASK: &str =
    "prompt: double it\ntests:\n  - assert double(2) == 4\n  - assert double('a') == 'aa'\n";

/// A line of a CSV file, by column.
pub type Line = BTreeMap<String, String>;

/// Reports' tests by (miner, task): they tell one evaluation from another.
pub type Traces = BTreeMap<(String, String), String>;

/// The folder. Dropping it removes it, and fails the test if containers were left behind.
pub struct TestEnv {
    dir: TempDir,
    path: Option<PathBuf>,
    variables: Vec<(String, String)>,
    engine: Option<String>,
    program: &'static str,
    /// No engine knows of its containers.
    is_direct: bool,
}

impl TestEnv {
    /// One task, and one agent whose runs show in the report when they are made anew.
    pub fn moody() -> Self {
        Self::new().task("double", DOUBLE_TASK).agent("ann", MOODY_AGENT)
    }

    /// Has a pipeline of defaults, and empty folders.
    pub fn new() -> Self {
        let env = Self::empty().pipeline("");
        for folder in ["inbox", "tasks", "results"] {
            fs::create_dir(env.path(folder)).unwrap();
        }
        env
    }

    /// Has nothing in it.
    pub fn empty() -> Self {
        let dir = tempfile::Builder::new().prefix("agentmill-test-").tempdir().unwrap();
        let engine = direct::engine();
        let program = if engine == EngineKind::Podman { "podman" } else { "docker" };
        let is_direct = engine.is_direct();
        let named = ("AGENTMILL_ENGINE".to_owned(), engine.word().to_owned());
        let variables = if is_direct { vec![named] } else { Vec::new() };
        Self { dir, path: None, variables, engine: None, program, is_direct }
    }

    /// With this pipeline.yaml.
    pub fn pipeline(self, text: &str) -> Self {
        self.write("pipeline.yaml", text);
        self
    }

    /// With this task.
    pub fn task(self, id: &str, text: &str) -> Self {
        self.write(&format!("tasks/{id}.yaml"), text);
        self
    }

    /// With this agent, which is settled: `run` needs not wait for it.
    pub fn agent(self, miner: &str, source: &str) -> Self {
        self.drop_agent(miner, source);
        self
    }

    /// With this variable in the environment of all that is started here.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the Docker Engine that listens there, whatever engine the environment names.
    pub fn engine(mut self, host: &str) -> Self {
        self.engine = Some(host.to_owned());
        self.program = "docker";
        self.is_direct = false;
        self.variable("AGENTMILL_ENGINE", "")
    }

    /// With Podman as its engine.
    pub fn podman(mut self) -> Self {
        self.program = "podman";
        self.is_direct = false;
        self
    }

    /// With no engine: an OCI runtime.
    pub fn directly(mut self) -> Self {
        self.is_direct = true;
        self
    }

    /// With no program to be found by name, and no engine where one is spoken to without its client.
    pub fn no_programs(mut self) -> Self {
        self.path = Some(self.path("bin"));
        self.variable("DOCKER_HOST", "unix:///nowhere/docker.sock")
    }

    /// With a `docker` that runs these lines of shell before the real one takes over. The engine is one over the network,
    /// as one with a socket is spoken to without it.
    pub fn engine_script(self, lines: &str) -> Self {
        let path = std::env::var_os("PATH").unwrap();
        let docker = std::env::split_paths(&path)
            .map(|folder| folder.join("docker"))
            .find(|file| file.exists())
            .unwrap();
        self.write("bin/docker", &format!("#!/bin/sh\n{lines}\nexec {} \"$@\"\n", docker.display()));
        fs::set_permissions(self.path("bin/docker"), fs::Permissions::from_mode(0o755)).unwrap();
        self.no_programs().engine(&forward::to_socket("/var/run/docker.sock".into()))
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Puts a file into place whole, with a time that has long passed.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let staged = self.path(".staged");
        fs::write(&staged, text).unwrap();
        let earlier = SystemTime::now() - Duration::from_secs(60);
        fs::File::options().write(true).open(&staged).unwrap().set_modified(earlier).unwrap();
        fs::rename(staged, path).unwrap();
    }

    pub fn drop_agent(&self, miner: &str, source: &str) {
        self.write(&format!("inbox/{miner}.py"), source);
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs `agentmill -C <this folder> <args>` to its end.
    pub fn agentmill<S: AsRef<OsStr>>(&self, args: &[S]) -> Finished {
        self.start(args).wait()
    }

    /// `agentmill run`, which must score everything.
    pub fn run(&self) -> Finished {
        let finished = self.agentmill(&["run"]);
        let refused = !self.csv("rejected.csv").is_empty();
        finished.code(i32::from(refused))
    }

    /// Starts `agentmill -C <this folder> <args>`.
    pub fn start<S: AsRef<OsStr>>(&self, args: &[S]) -> Running {
        self.start_by(&[], args)
    }

    /// The same behind the words of another command.
    pub fn start_by<S: AsRef<OsStr>>(&self, prefix: &[&str], args: &[S]) -> Running {
        let words = [prefix, &[env!("CARGO_BIN_EXE_agentmill")]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("-C").arg(self.dir()).args(args);
        command.env(MARK, self.dir()).env("TMPDIR", self.dir());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        if let Some(host) = &self.engine {
            command.env("DOCKER_HOST", host);
        }
        Running::spawn(command)
    }

    /// `agentmill watch`, once it has looked at the inbox.
    pub fn watch(&self) -> Running {
        let published =
            || fs::metadata(self.path("results/index.html")).and_then(|file| file.modified()).ok();
        let before = published();
        let daemon = self.start(&["watch"]);
        wait_until("watch has published", || {
            assert!(daemon.is_running(), "watch ended: {}", daemon.stderr());
            published() != before && self.path("results/rankings.json").exists()
        });
        daemon
    }

    /// The lines of a CSV file in results/.
    pub fn csv(&self, name: &str) -> Vec<Line> {
        let text = self.read(&format!("results/{name}"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let lines = reader.deserialize().collect::<Result<_, _>>();
        lines.unwrap_or_else(|error| panic!("{name}: {error}\n{text}"))
    }

    /// The lines of `rankings.csv`, by miner.
    pub fn rankings(&self) -> BTreeMap<String, Line> {
        self.csv("rankings.csv").into_iter().map(|line| (line["miner"].clone(), line)).collect()
    }

    /// The miner's score as `rankings.csv` has it, if it is there.
    pub fn score(&self, miner: &str) -> Option<String> {
        self.path("results/rankings.csv").exists().then(|| self.rankings())?.remove(miner)?.remove("score")
    }

    /// The verdicts in `scores.csv`, by (miner, task).
    pub fn verdicts(&self) -> BTreeMap<(String, String), String> {
        let key = |line: &Line| (line["miner"].clone(), line["task"].clone());
        self.csv("scores.csv").iter().map(|line| (key(line), line["verdict"].clone())).collect()
    }

    /// A JSON file in results/.
    pub fn json(&self, name: &str) -> serde_json::Value {
        let text = self.read(&format!("results/{name}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"))
    }

    /// The tests of one run as the miner's report has them: `verdict name: message`.
    pub fn report(&self, miner: &str, task: &str) -> Vec<String> {
        let report = self.json(&format!("agents/{miner}.json"));
        let runs = report["runs"].as_array().unwrap();
        let run = runs
            .iter()
            .find(|run| run["task"] == task)
            .unwrap_or_else(|| panic!("no run of {task}: {report:#}"));
        run["tests"].as_array().unwrap_or_else(|| panic!("{run:#}")).iter().map(test_line).collect()
    }

    /// The tests of every run in all reports, messages included. For agents whose answers never repeat, they tell
    /// which runs were made anew.
    pub fn traces(&self) -> Traces {
        let miners = self.csv("rankings.csv").into_iter().map(|line| line["miner"].clone());
        miners.flat_map(|miner| self.traces_of(&miner)).collect()
    }

    fn traces_of(&self, miner: &str) -> Vec<((String, String), String)> {
        let report = self.json(&format!("agents/{miner}.json"));
        let runs = report["runs"].as_array().unwrap().iter();
        runs.map(|run| {
            ((miner.to_owned(), run["task"].as_str().unwrap().to_owned()), run["tests"].to_string())
        })
        .collect()
    }
}

fn test_line(test: &serde_json::Value) -> String {
    let text = |field: &str| test[field].as_str().unwrap_or_default();
    format!("{} {}: {}", text("verdict"), text("name"), text("message"))
}

/// The runs in `after` that `before` does not have, as `miner task`.
pub fn anew(before: &Traces, after: &Traces) -> Vec<String> {
    let is_new = |(run, trace): &(&(String, String), &String)| before.get(run) != Some(trace);
    after.iter().filter(is_new).map(|((miner, task), _)| format!("{miner} {task}")).collect()
}

/// Looks again and again until `holds`; fails the test when that takes too long.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
