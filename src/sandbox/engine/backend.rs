//! Backends: Docker over its socket, an engine by its command line, or an OCI runtime without any engine.

use std::time::Duration;

use crate::config::{self, EngineKind};
use crate::sandbox::engine::api::Api;
use crate::sandbox::engine::api::address;
use crate::sandbox::engine::app_armor;
use crate::sandbox::engine::control_groups;
use crate::sandbox::engine::dialect::Dialect;
use crate::sandbox::engine::oci::Runtime;
use crate::util::command::ask;

/// How long an engine may take to say that it is there, where another could be taken instead.
const ANSWER: Duration = Duration::from_secs(10);

/// A backend, by which containers are had.
///
/// A new one also needs a kind in `config/settings.rs`, its start in `containers/launcher.rs`, and its word in each `match` of
/// `engine/mod.rs`, `events.rs`, `image.rs` and `doctor/engine.rs`. An engine with a command line like Docker's is a
/// [`Dialect`] only.
#[derive(Debug)]
pub enum Backend {
    /// Docker Engine on this machine, over its socket.
    Socket(Api),
    /// Docker or Podman, by their command line.
    Client(Dialect),
    /// No engine: an OCI runtime.
    Direct(Runtime),
}

impl Backend {
    /// The backend that the settings choose; of `auto`, the first that works here, and why those before it do not. `folder` tells one
    /// agentmill from another.
    ///
    /// # Errors
    /// Nothing that `auto` could choose works; the reason of each. Or the runtime that is chosen can't start cells here.
    pub fn of(sandbox: &config::Sandbox, folder: &str) -> Result<(Self, Vec<String>), String> {
        let backend = match sandbox.engine {
            EngineKind::Docker => Self::docker(sandbox),
            EngineKind::Podman => Self::Client(Dialect::Podman),
            kind @ (EngineKind::Runc | EngineKind::Crun) => Self::Direct(
                Runtime::new(kind.word(), folder).map_err(|why| format!("{} {why}", kind.word()))?,
            ),
            EngineKind::Auto => return Self::first(sandbox, folder),
        };
        let refusal = |why| format!("{} can't run cells: {why}", backend.program());
        backend.expect_runtime(sandbox.runtime.as_deref()).map_err(refusal)?;
        Ok((backend, Vec::new()))
    }

    /// Fails with the reason if this machine's engine has a runtime, its own or this one, that can't start containers here. An engine
    /// that does not say which is its own fails by itself later, like one that is away.
    fn expect_runtime(&self, runtime: Option<&str>) -> Result<(), String> {
        let runtime = runtime.map(str::to_owned);
        let runtime = match self {
            Self::Client(Dialect::Podman) => runtime.or_else(|| own_runtime().ok()),
            Self::Socket(_) => runtime,
            Self::Client(Dialect::Docker) | Self::Direct(_) => None,
        };
        runtime.map_or(Ok(()), |runtime| expect_to_suit(&runtime))
    }

    fn docker(sandbox: &config::Sandbox) -> Self {
        // A cell that another command launches is started by Docker's client.
        let socket = sandbox.launch.is_empty().then(address::local_socket).flatten();
        socket.map_or(Self::Client(Dialect::Docker), |socket| Self::Socket(Api::new(socket)))
    }

    fn first(sandbox: &config::Sandbox, folder: &str) -> Result<(Self, Vec<String>), String> {
        // crun takes half of runc's time for a start.
        let kinds = [EngineKind::Docker, EngineKind::Podman, EngineKind::Crun, EngineKind::Runc];
        let fit = kinds.into_iter().filter(|kind| {
            kind.refuses(sandbox.runtime.is_some(), !sandbox.launch.is_empty()).next().is_none()
        });
        let mut passed_over = Vec::new();
        for kind in fit {
            match Self::if_it_works(kind, sandbox, folder) {
                Ok(backend) => return Ok((backend, passed_over)),
                Err(reason) => passed_over.push(format!("{}: {reason}", kind.word())),
            }
        }
        let is_forbidden = passed_over
            .iter()
            .any(|reason| reason.starts_with("docker: ") && reason.contains("permission denied"));
        let remedy = if is_forbidden {
            "this user may not use Docker: as root, `usermod -aG docker USER`, then log in again"
        } else {
            "no engine is here; start Docker, or install it, Podman or runc"
        };
        Err(format!("{remedy} ({})", passed_over.join("; ")))
    }

    /// A backend that answers and can start containers on this machine.
    fn if_it_works(kind: EngineKind, sandbox: &config::Sandbox, folder: &str) -> Result<Self, String> {
        if kind.is_direct() {
            Runtime::is_usable(kind.word())?;
            return Runtime::new(kind.word(), folder).map(Self::Direct);
        }
        let backend =
            if kind == EngineKind::Podman { Self::Client(Dialect::Podman) } else { Self::docker(sandbox) };
        backend.answers()?;
        if kind == EngineKind::Podman {
            podman_runs(sandbox.runtime.as_deref())?;
        }
        Ok(backend)
    }

    /// Fails with the reason if there is no answer.
    ///
    /// # Errors
    /// As it says.
    pub fn answers(&self) -> Result<(), String> {
        match self {
            Self::Socket(api) => api.ping().map_err(|failure| failure.to_string()),
            Self::Client(dialect) => ask(dialect.program(), &["version"], ANSWER).map(drop),
            Self::Direct(_) => Ok(()), // nothing stays between two starts that could be away
        }
    }

    /// The command of the engine, or of the runtime.
    pub fn program(&self) -> &'static str {
        match self {
            Self::Socket(_) => Dialect::Docker.program(),
            Self::Client(dialect) => dialect.program(),
            Self::Direct(runtime) => runtime.program(),
        }
    }
}

/// Fails with the reason, a verb and its remedy, if an engine can't run cells by this runtime on this machine.
///
/// # Errors
/// Control groups or AppArmor don't let it.
pub fn suit(runtime: &str) -> Result<(), String> {
    control_groups::suit(runtime)?;
    app_armor::suit(runtime)
}

/// Fails with the reason if Podman's runtime, its own or this one, can't start containers on this machine.
fn podman_runs(runtime: Option<&str>) -> Result<(), String> {
    expect_to_suit(&runtime.map_or_else(own_runtime, |runtime| Ok(runtime.to_owned()))?)
}

/// The runtime that Podman takes by itself.
fn own_runtime() -> Result<String, String> {
    ask("podman", &["info", "--format={{.Host.OCIRuntime.Name}}"], ANSWER)
}

fn expect_to_suit(runtime: &str) -> Result<(), String> {
    suit(runtime).map_err(|reason| format!("its runtime {runtime} {reason}, or set sandbox.runtime: runc"))
}
