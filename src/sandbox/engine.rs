//! The container engine's command lines: flags of cells and judges, names, labels, sweep.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing::{debug, trace_span};

use super::Fault;
use super::ask::ask;
use super::dialect::{Witness, own_threads};
use super::launch::Launch;
use crate::config::{self, Limits};

/// How long a command that only asks or removes may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an engine that does nothing else may take to say that it is there.
const ANSWER: Duration = Duration::from_secs(10);

/// Memory of a judge: it holds an agent's values (1 MiB as JSON) and what an assertion makes of them.
const JUDGE_MEMORY: u64 = 512 << 20;

/// Memory of a holder, which does nothing.
const HOLDER_MEMORY: u64 = 32 << 20;

/// A carried cell can't write where its record is told, ends when its client is ended, and has the image that the judges
/// have or none.
const CARRIED: [&str; 4] = ["--attach=stdin", "--attach=stdout", "--sig-proxy=false", "--pull=never"];

/// An engine as one agentmill uses it: every container carries this folder's and this session's label.
#[derive(Debug)]
pub struct Engine {
    kind: config::Engine,
    runtime: Option<String>,
    launch: Launch,
    folder: String,
    session: String,
    started: AtomicU64,
}

/// What a container is for.
#[derive(Debug, Clone, Copy)]
pub enum Role<'a> {
    /// Hostile code, within the limits.
    Cell(&'a Limits),
    /// Trusted code that looks at values from hostile code.
    Judge,
    /// Nothing but a network for cells to join.
    Holder,
}

/// What a container sees of networks: nothing but its own loopback device.
#[derive(Debug, Clone, Copy)]
pub enum Network<'a> {
    /// One of its own.
    None,
    /// That of a holder, by its name.
    Of(&'a str),
}

impl Role<'_> {
    fn word(self) -> &'static str {
        match self {
            Role::Cell(_) => "cell",
            Role::Judge => "judge",
            Role::Holder => "holder",
        }
    }
}

impl Engine {
    /// The engine of `sandbox`, for the results folder that tells one agentmill from another on the same engine.
    pub fn new(sandbox: &config::Sandbox, results: &Path) -> Self {
        let results = results.canonicalize().unwrap_or_else(|_| results.to_owned());
        let mut place = vec![results.as_os_str().as_encoded_bytes()];
        let host = rustix::system::uname();
        if !sandbox.launch.is_empty() {
            // Where cells meet those of other hosts, a path alone does not tell whose they are.
            place.push(host.nodename().to_bytes());
        }
        let folder = crate::digest::hex(place)[..16].to_owned();
        let now = jiff::Timestamp::now().as_nanosecond();
        let session = crate::digest::hex([&now.to_be_bytes()[..], &std::process::id().to_be_bytes()]);
        let session = session[..12].to_owned();
        Self {
            kind: sandbox.engine,
            runtime: sandbox.runtime.clone(),
            launch: Launch::new(&sandbox.launch, &session, &folder),
            folder,
            session,
            started: AtomicU64::new(0),
        }
    }

    /// The engine's command.
    pub fn program(&self) -> &'static str {
        self.kind.program()
    }

    /// Who says that memory ran out.
    pub fn witness(&self) -> Witness {
        self.kind.witness()
    }

    /// How cells are carried.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// Whether a container of this role runs elsewhere.
    pub fn carries(&self, role: Role<'_>) -> bool {
        matches!(role, Role::Cell(_)) && self.launch.carries()
    }

    /// A name that no other container has.
    pub fn new_name(&self, role: Role<'_>) -> String {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        format!("agentmill-{}-{}-{number}", role.word(), self.session)
    }

    /// The command that starts a container running `program` with the image's Python, fed on stdin.
    pub fn run_argv(
        &self,
        role: Role<'_>,
        network: Network<'_>,
        name: &str,
        image: &str,
        program: &str,
    ) -> Vec<String> {
        let mut argv: Vec<String> = match role {
            Role::Cell(limits) if self.launch.carries() => self.launch.argv(self.program(), name, limits),
            _ => Vec::new(),
        };
        argv.extend([self.program(), "run", "--interactive", "--rm", "--name", name].map(String::from));
        if self.carries(role) {
            argv.extend(CARRIED.map(String::from));
        }
        for (key, value) in [
            ("agentmill", role.word()),
            ("agentmill.folder", &self.folder),
            ("agentmill.session", &self.session),
        ] {
            argv.push(format!("--label={key}={value}"));
        }
        argv.push(match network {
            Network::None => "--network=none".into(),
            Network::Of(holder) => format!("--network=container:{holder}"),
        });
        argv.extend(isolation(role, self.kind, own_threads(self.runtime.as_deref())));
        if let Some(runtime) = &self.runtime {
            argv.push(format!("--runtime={runtime}"));
        }
        argv.extend(["--entrypoint=python", image].map(String::from));
        // Not -I or -E: they would drop PYTHONHASHSEED. The container's environment holds nothing of the host's.
        argv.extend(["-s", "-S", "-P", "-B", "-Xutf8", "-c", program].map(String::from));
        argv
    }

    /// Removes every container that an earlier, killed agentmill left here for this folder, started or not, and ends
    /// what it left elsewhere.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn sweep(&self) -> Result<usize, Fault> {
        self.sweep_label(&format!("label=agentmill.folder={}", self.folder))
    }

    /// Removes every container of this session.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn sweep_session(&self) -> Result<usize, Fault> {
        self.sweep_label(&format!("label=agentmill.session={}", self.session))
    }

    fn sweep_label(&self, filter: &str) -> Result<usize, Fault> {
        let listed = self.ask(&["ps", "--all", "--quiet", "--filter", filter])?;
        let ids: Vec<&str> = listed.split_whitespace().collect();
        self.remove(&ids);
        self.launch.cancel_all();
        Ok(ids.len())
    }

    /// Removes containers by name or id; those already gone are no matter.
    pub fn remove(&self, names: &[&str]) {
        if !names.is_empty() {
            let _ = self.ask(&[self.kind.removal(), names].concat());
        }
    }

    /// The arguments of a client that prints this session's deaths, kills and out-of-memory kills as the engine records them.
    pub fn events_argv(&self) -> Vec<String> {
        let filter = format!("label=agentmill.session={}", self.session);
        let words = [self.program(), "events", "--since=1", "--format={{json .}}", "--filter", &filter];
        let kinds = ["oom", "kill", self.kind.death()].map(|kind| format!("--filter=event={kind}"));
        words.into_iter().map(String::from).chain(kinds).collect()
    }

    /// Whether the engine answers at all.
    ///
    /// # Errors
    /// It does not; what its client says.
    pub fn is_there(&self) -> Result<(), Fault> {
        self.ask_patiently(&["version"], ANSWER).map(drop)
    }

    /// Runs a short command of the engine and gives what it printed.
    ///
    /// # Errors
    /// It can't be started, fails, or takes longer than a minute; the text says which and what it printed.
    pub fn ask(&self, args: &[&str]) -> Result<String, Fault> {
        self.ask_patiently(args, PATIENCE)
    }

    /// The same with another bound on its time.
    ///
    /// # Errors
    /// As of [`ask`](Self::ask).
    pub fn ask_patiently(&self, args: &[&str], patience: Duration) -> Result<String, Fault> {
        let _span = trace_span!("engine", ?args).entered();
        ask(self.program(), args, patience).map_err(|reason| {
            debug!(?reason, "the engine's command failed");
            Fault::Engine(format!("{} {}: {reason}", self.program(), args[0]))
        })
    }
}

/// Everything that keeps what runs inside away from the machine. docs/security.md says against what.
fn isolation(role: Role<'_>, engine: config::Engine, own_threads: u32) -> Vec<String> {
    let (memory, cpus, pids, tmp) = match role {
        Role::Cell(limits) => (limits.memory, limits.cpus, limits.pids, limits.tmp),
        Role::Judge => (JUDGE_MEMORY, 1.0, 16, 1 << 20),
        Role::Holder => (HOLDER_MEMORY, 1.0, 4, 1 << 20),
    };
    let fixed = [
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--user=65534:65534",
        "--log-driver=none",
        "--stop-signal=KILL", // an engine that is stopped need not wait for who ignores anything milder
        "--workdir=/tmp",
        "--ulimit=core=0",
        "--ulimit=nofile=256:256",
        "--env=PYTHONHASHSEED=0", // the same answers whenever a set or dict order decides them
    ];
    let bounded = [
        format!("--memory={memory}"),
        format!("--memory-swap={memory}"), // the sum of both: no swap
        format!("--cpus={cpus}"),
        format!("--pids-limit={}", pids + own_threads),
        format!("--shm-size={tmp}"),
    ];
    fixed.into_iter().map(String::from).chain(bounded).chain(engine.flags(tmp)).collect()
}
