//! The container engine as one agentmill uses it: names, labels, sweep; by any of the [backends](backend).

pub mod api;
pub mod app_armor;
pub mod backend;
pub mod cli;
pub mod control_groups;
pub mod delegation;
pub mod dialect;
pub mod events;
pub mod image;
pub mod oci;
pub mod spec;

use std::env;
use std::fmt::Display;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tracing::{debug, trace_span};

use crate::config;
use crate::sandbox::Fault;
use crate::sandbox::engine::backend::Backend;
use crate::sandbox::engine::cli::{argv, supply};
use crate::sandbox::engine::control_groups::ControlGroups;
use crate::sandbox::engine::dialect::{Dialect, Witness, own_threads};
use crate::sandbox::engine::spec::{Bounds, Spec, USERS};
pub use crate::sandbox::engine::spec::{ImageOf, Role};
use crate::sandbox::remote::launch::Launch;
use crate::util::command::ask;

/// How long a command that only asks or removes may take. On a starved machine a minute is nothing.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A carried cell can't write where its record is told, ends when its client is ended, and has the image that the judges
/// have or none.
const CARRIED: [&str; 4] = ["--attach=stdin", "--attach=stdout", "--sig-proxy=false", "--pull=never"];

/// An engine as one agentmill uses it: every container carries this folder's and this session's label.
#[derive(Debug)]
pub struct Engine {
    settings: config::Sandbox,
    launch: Launch,
    /// The backend, once it has been asked for anything.
    backend: OnceLock<Backend>,
    /// The engines that `auto` has passed over, each with the reason.
    passed_over: OnceLock<Vec<String>>,
    folder: String,
    session: String,
    started: AtomicU64,
    /// Counts the users that containers are run as.
    users: AtomicU32,
}

impl Engine {
    /// The engine of `sandbox`, for the results folder that tells one agentmill from another on the same engine.
    pub fn new(sandbox: &config::Sandbox, results: &Path) -> Self {
        // A relative path names another folder in each working directory.
        let full = results.canonicalize().or_else(|_| std::path::absolute(results));
        let results = full.unwrap_or_else(|_| results.to_owned());
        let mut place = vec![results.as_os_str().as_encoded_bytes()];
        let host = rustix::system::uname();
        if !sandbox.launch.is_empty() {
            // Where cells meet those of other hosts, a path alone does not tell whose they are.
            place.push(host.nodename().to_bytes());
        }
        let folder = crate::util::digest::hex(place)[..16].to_owned();
        let now = jiff::Timestamp::now();
        let session = crate::util::digest::hex([
            &now.as_nanosecond().to_be_bytes()[..],
            &std::process::id().to_be_bytes(),
        ]);
        let session = session[..12].to_owned();
        Self {
            settings: sandbox.clone(),
            backend: OnceLock::new(),
            passed_over: OnceLock::new(),
            launch: Launch::new(&sandbox.launch, &session, &folder),
            folder,
            session,
            started: AtomicU64::new(0),
            // Another agentmill begins elsewhere.
            users: AtomicU32::new(now.subsec_nanosecond().unsigned_abs()),
        }
    }

    /// The backend. Where the settings leave open which one, the first that is there is taken, for good.
    ///
    /// # Errors
    /// None is there.
    pub fn backend(&self) -> Result<&Backend, Fault> {
        if let Some(backend) = self.backend.get() {
            return Ok(backend);
        }
        let (found, passed_over) = Backend::of(&self.settings, &self.folder).map_err(Fault::Engine)?;
        let _ = self.passed_over.set(passed_over);
        Ok(self.backend.get_or_init(|| found))
    }

    /// The engines that `auto` has passed over, each with the reason.
    pub fn passed_over(&self) -> &[String] {
        self.passed_over.get().map_or(&[], Vec::as_slice)
    }

    /// A warning that Docker, which a variable of the environment names, does not answer, and another engine was taken.
    pub fn passed_over_by_name(&self) -> Option<String> {
        let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let variable = ["DOCKER_HOST", "DOCKER_CONTEXT"].into_iter().find(is_set)?;
        not_answering(variable, self.passed_over(), self.program())
    }

    /// The engine's command, which is its name in pipeline.yaml; `auto` as long as it is not known which it is.
    pub fn program(&self) -> &'static str {
        self.known().unwrap_or(self.settings.engine.word())
    }

    /// The engine's name in pipeline.yaml, once it has been asked for anything.
    pub fn known(&self) -> Option<&'static str> {
        self.backend.get().map(Backend::program)
    }

    /// The OCI runtime that the settings ask for.
    pub fn runtime(&self) -> Option<&str> {
        self.settings.runtime.as_deref()
    }

    /// The source of the word that memory ran out.
    pub fn witness(&self) -> Witness {
        match self.backend.get() {
            Some(Backend::Client(dialect)) => dialect.witness(),
            _ => Witness::Engine,
        }
    }

    /// How cells are carried.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// Tells whether a container of this role runs on another machine.
    pub fn carries(&self, role: Role<'_>) -> bool {
        matches!(role, Role::Cell(..)) && self.launch.carries()
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
        let runtime = self.settings.runtime.as_deref();
        let bounds = Bounds::new(role, own_threads(runtime));
        // A judge's Python is nobody's to add to.
        let packages = self.settings.packages && matches!(role, Role::Cell(..));
        Spec {
            name,
            uid: self.next_user(),
            labels,
            bounds,
            runtime,
            image,
            packages,
            seed: role.seed(),
            program,
        }
    }

    /// How many processes of a running container the kernel has killed for want of memory; None if that is not to be had here,
    /// as of an engine on another machine.
    pub fn oom_kills(&self, name: &str) -> Option<u64> {
        let pid = match self.backend.get()? {
            Backend::Socket(api) => api.pid_of(name).ok()?.to_string(),
            Backend::Client(_) => self.ask(&["inspect", "--format={{.State.Pid}}", name]).ok()?,
            Backend::Direct(runtime) => return runtime.oom_kills(name),
        };
        Some(pid).filter(|pid| pid != "0").and_then(|pid| ControlGroups::of_process(&pid).oom_kills())
    }

    /// The next user of all that containers are run as.
    fn next_user(&self) -> u32 {
        USERS.start + self.users.fetch_add(1, Ordering::Relaxed) % (USERS.end - USERS.start)
    }

    /// The command that starts it by an engine's client.
    pub fn run_argv(&self, role: Role<'_>, spec: &Spec<'_>) -> Vec<String> {
        let dialect = self.dialect();
        match role {
            Role::Cell(limits, _) if self.launch.carries() => {
                let run = argv::run(dialect, spec, &CARRIED);
                [self.launch.argv(dialect.program(), spec.name, limits), run].concat()
            }
            _ => argv::run(dialect, spec, &[]),
        }
    }

    fn dialect(&self) -> Dialect {
        match self.backend.get() {
            Some(Backend::Client(dialect)) => *dialect,
            _ => Dialect::Docker,
        }
    }

    /// Removes every container that an earlier, killed agentmill left here for this folder, started or not, and ends
    /// what it left elsewhere.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn sweep(&self) -> Result<usize, Fault> {
        let swept = match self.backend()? {
            Backend::Direct(runtime) => runtime.sweep(),
            Backend::Socket(_) | Backend::Client(_) => {
                let ids = self.labelled(&format!("agentmill.folder={}", self.folder))?;
                self.remove(&ids.iter().map(String::as_str).collect::<Vec<_>>());
                ids.len()
            }
        };
        self.launch.cancel_all();
        Ok(swept)
    }

    /// The ids of containers with this label, in whatever state they are.
    fn labelled(&self, label: &str) -> Result<Vec<String>, Fault> {
        if let Backend::Socket(api) = self.backend()? {
            return api.labelled(label).map_err(|failure| self.fault("ps", &failure));
        }
        let listed = self.ask(&["ps", "--all", "--quiet", "--filter", &format!("label={label}")])?;
        Ok(listed.split_whitespace().map(str::to_owned).collect())
    }

    /// Removes containers by name or id; those already gone are no matter.
    pub fn remove(&self, names: &[&str]) {
        match self.backend.get() {
            _ if names.is_empty() => {}
            None => {}
            Some(Backend::Socket(api)) => api.remove(names),
            Some(Backend::Client(dialect)) => drop(self.ask(&[dialect.removal(), names].concat())),
            Some(Backend::Direct(runtime)) => runtime.remove(names),
        }
    }

    /// The id of an image if it is there.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn image_id(&self, name: &str) -> Result<Option<String>, Fault> {
        match self.backend()? {
            Backend::Socket(api) => {
                api.image_id(name).map_err(|failure| self.fault("image inspect", &failure))
            }
            Backend::Client(dialect) => {
                let found = supply::find(dialect.program(), name);
                found.map_err(|reason| self.fault("images", &reason))
            }
            Backend::Direct(runtime) => Ok(runtime.images().find(name)),
        }
    }

    /// The label that all containers of this session carry.
    pub fn session_label(&self) -> String {
        format!("agentmill.session={}", self.session)
    }

    /// The names of events of deaths, kills and out-of-memory kills.
    pub fn events(&self) -> [&'static str; 3] {
        ["oom", "kill", self.dialect().death()]
    }

    /// The arguments of a client that prints this session's events as the engine records them.
    pub fn events_argv(&self) -> Vec<String> {
        let filter = format!("label={}", self.session_label());
        let words = [self.program(), "events", "--since=1", "--format={{json .}}", "--filter", &filter];
        let kinds = self.events().map(|kind| format!("--filter=event={kind}"));
        words.into_iter().map(String::from).chain(kinds).collect()
    }

    /// Fails if the engine does not answer at all.
    ///
    /// # Errors
    /// It does not; what its client says.
    pub fn is_there(&self) -> Result<(), Fault> {
        self.backend()?.answers().map_err(|reason| self.fault("version", &reason))
    }

    /// The engine's version and its account of the machine, as its client tells them as JSON.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn described(&self) -> Result<[Value; 2], Fault> {
        if let Backend::Socket(api) = self.backend()? {
            return api.described().map_err(|failure| self.fault("info", &failure));
        }
        let json = |command: &str| -> Result<Value, Fault> {
            let text = self.ask(&[command, "--format", "{{json .}}"])?;
            Ok(serde_json::from_str(&text).unwrap_or_default())
        };
        Ok([json("version")?, json("info")?])
    }

    /// Runs a short command of the engine and gives what it printed.
    ///
    /// # Errors
    /// It can't be started, fails, or takes longer than five minutes; the text says which and what it printed.
    pub fn ask(&self, args: &[&str]) -> Result<String, Fault> {
        let _span = trace_span!("engine", ?args).entered();
        ask(self.program(), args, PATIENCE).map_err(|reason| {
            debug!(?reason, "the engine's command failed");
            self.fault(args[0], &reason)
        })
    }

    /// The fault that a command failed, however it was asked for.
    pub fn fault(&self, command: &str, reason: &impl Display) -> Fault {
        Fault::Engine(format!("{} {command}: {reason}", self.program()))
    }
}

/// None if Docker answers there, or was not tried.
fn not_answering(variable: &str, passed_over: &[String], taken: &str) -> Option<String> {
    let reason = passed_over.iter().find_map(|engine| engine.strip_prefix("docker: "))?;
    Some(format!("{variable} names a Docker that does not answer ({reason}); {taken} is taken instead"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_docker_that_is_named_and_passed_over_is_told() {
        let told = |passed_over: &[&str]| {
            let passed_over: Vec<String> = passed_over.iter().map(ToString::to_string).collect();
            not_answering("DOCKER_HOST", &passed_over, "runc")
        };
        let expected =
            "DOCKER_HOST names a Docker that does not answer (no such host); runc is taken instead";
        assert_eq!(told(&["docker: no such host", "podman: it is not installed"]).as_deref(), Some(expected));
        assert_eq!(told(&["podman: it is not installed"]), None);
    }
}
