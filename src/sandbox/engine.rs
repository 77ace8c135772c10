//! The container engine as one agentmill uses it: names, labels, sweep; by its command line, or over its socket.

use std::fmt::Display;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing::{debug, trace_span};

use super::api::Api;
use super::ask::ask;
use super::dialect::{Witness, own_threads};
use super::launch::Launch;
pub use super::spec::Role;
use super::spec::{Bounds, Spec};
use super::{Fault, address, argv};
use crate::config;

/// How long a command that only asks or removes may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an engine that does nothing else may take to say that it is there.
const ANSWER: Duration = Duration::from_secs(10);

/// A carried cell can't write where its record is told, ends when its client is ended, and has the image that the judges
/// have or none.
const CARRIED: [&str; 4] = ["--attach=stdin", "--attach=stdout", "--sig-proxy=false", "--pull=never"];

/// An engine as one agentmill uses it: every container carries this folder's and this session's label.
#[derive(Debug)]
pub struct Engine {
    kind: config::Engine,
    runtime: Option<String>,
    launch: Launch,
    /// The way to an engine on this machine; None where its command line is the way.
    api: Option<Api>,
    folder: String,
    session: String,
    started: AtomicU64,
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
            api: speaks(sandbox).then(address::local_socket).flatten().map(Api::new),
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

    /// The engine's socket, if it is spoken to over that.
    pub fn api(&self) -> Option<&Api> {
        self.api.as_ref()
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

    /// A container running `program` with the image's Python, fed on stdin.
    pub fn spec<'a>(&'a self, role: Role<'_>, name: &'a str, image: &'a str, program: &'a str) -> Spec<'a> {
        let labels = [
            ("agentmill", role.word()),
            ("agentmill.folder", &*self.folder),
            ("agentmill.session", &*self.session),
        ];
        let runtime = self.runtime.as_deref();
        let bounds = Bounds::new(role, own_threads(runtime));
        Spec { name, labels, bounds, runtime, image, program }
    }

    /// The command that starts it.
    pub fn run_argv(&self, role: Role<'_>, spec: &Spec<'_>) -> Vec<String> {
        match role {
            Role::Cell(limits) if self.launch.carries() => {
                let run = argv::run(self.kind, spec, &CARRIED);
                [self.launch.argv(self.program(), spec.name, limits), run].concat()
            }
            _ => argv::run(self.kind, spec, &[]),
        }
    }

    /// Removes every container that an earlier, killed agentmill left here for this folder, started or not, and ends
    /// what it left elsewhere.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn sweep(&self) -> Result<usize, Fault> {
        self.sweep_label(&format!("agentmill.folder={}", self.folder))
    }

    fn sweep_label(&self, label: &str) -> Result<usize, Fault> {
        let ids = self.labelled(label)?;
        self.remove(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        self.launch.cancel_all();
        Ok(ids.len())
    }

    /// The ids of containers with this label, in whatever state they are.
    fn labelled(&self, label: &str) -> Result<Vec<String>, Fault> {
        if let Some(api) = &self.api {
            return api.labelled(label).map_err(|failure| self.fault("ps", &failure));
        }
        let listed = self.ask(&["ps", "--all", "--quiet", "--filter", &format!("label={label}")])?;
        Ok(listed.split_whitespace().map(str::to_owned).collect())
    }

    /// Removes containers by name or id; those already gone are no matter.
    pub fn remove(&self, names: &[&str]) {
        match &self.api {
            _ if names.is_empty() => {}
            Some(api) => api.remove(names),
            None => drop(self.ask(&[self.kind.removal(), names].concat())),
        }
    }

    /// The id of an image if it is there.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn image_id(&self, name: &str) -> Result<Option<String>, Fault> {
        if let Some(api) = &self.api {
            return api.image_id(name).map_err(|failure| self.fault("image inspect", &failure));
        }
        let listed = self.ask(&["images", "--quiet", "--no-trunc", name])?;
        Ok(listed.lines().next().map(str::to_owned))
    }

    /// The label that all containers of this session carry.
    pub fn session_label(&self) -> String {
        format!("agentmill.session={}", self.session)
    }

    /// What events of deaths, kills and out-of-memory kills are called.
    pub fn events(&self) -> [&'static str; 3] {
        ["oom", "kill", self.kind.death()]
    }

    /// The arguments of a client that prints this session's events as the engine records them.
    pub fn events_argv(&self) -> Vec<String> {
        let filter = format!("label={}", self.session_label());
        let words = [self.program(), "events", "--since=1", "--format={{json .}}", "--filter", &filter];
        let kinds = self.events().map(|kind| format!("--filter=event={kind}"));
        words.into_iter().map(String::from).chain(kinds).collect()
    }

    /// Whether the engine answers at all.
    ///
    /// # Errors
    /// It does not; what its client says.
    pub fn is_there(&self) -> Result<(), Fault> {
        match &self.api {
            Some(api) => api.ping().map_err(|failure| self.fault("version", &failure)),
            None => self.ask_patiently(&["version"], ANSWER).map(drop),
        }
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
            self.fault(args[0], &reason)
        })
    }

    /// That what the command does failed, however it was asked for.
    pub fn fault(&self, command: &str, reason: &impl Display) -> Fault {
        Fault::Engine(format!("{} {command}: {reason}", self.program()))
    }
}

/// Whether the engine can be spoken to without its command line: Docker, and no cell that another command carries.
fn speaks(sandbox: &config::Sandbox) -> bool {
    sandbox.engine == config::Engine::Docker && sandbox.launch.is_empty()
}
