//! Checks of the container engine: its version, runc and the limits that it can set.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

use crate::doctor::Finding;
use crate::sandbox::Fault;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::backend;
use crate::util::text::visible;

/// Limits that cells rely on: their names in `docker info`, and what each bounds.
const LIMITS: [(&str, &str); 4] = [
    ("MemoryLimit", "memory"),
    ("SwapLimit", "swap (without it, --memory-swap is ignored)"),
    ("CpuCfsQuota", "CPU time"),
    ("PidsLimit", "processes"),
];

/// The first upstream release of runc in which CVE-2024-21626 is fixed: before, a container could be given the
/// host's file system as its working directory.
const RUNC_FIXED: [u64; 3] = [1, 1, 12];

/// The engine's answers to `version` and `info`.
#[derive(Debug)]
pub(super) struct Answers {
    program: &'static str,
    /// The runtime of the settings.
    runtime: Option<String>,
    version: Value,
    info: Value,
    asked: Timestamp,
}

impl Answers {
    /// Asks the engine.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub(super) fn ask(engine: &Engine) -> Result<Self, Fault> {
        let [version, info] = engine.described()?;
        let runtime = engine.runtime().map(str::to_owned);
        Ok(Self { program: engine.program(), runtime, version, info, asked: Timestamp::now() })
    }

    #[cfg(test)]
    pub(super) fn new(version: Value, info: Value) -> Self {
        Self { program: "docker", runtime: None, version, info, asked: Timestamp::now() }
    }

    /// Engine, runc and limits.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let version = ["/Server/Version", "/Client/Version"].iter().find_map(|path| self.text(path));
        let version = version.unwrap_or_else(|| "of unknown version".to_owned());
        let engine = Finding::ok("engine", format!("{} {version}", self.program));
        [Some(engine), self.runc(), self.runtime(), self.limits()].into_iter().flatten().collect()
    }

    fn text(&self, path: &str) -> Option<String> {
        let found = self.version.pointer(path).and_then(Value::as_str);
        found.filter(|text| !text.is_empty()).map(|text| visible(text, 100))
    }

    /// The most telling name of runc's version is a distribution's package version, if it has one.
    fn runc(&self) -> Option<Finding> {
        let components = self.version.pointer("/Server/Components")?.as_array()?;
        let runc = components.iter().find(|component| component["Name"] == "runc")?;
        let names = [&runc["Details"]["GitCommit"], &runc["Version"]];
        let names: Vec<String> =
            names.iter().filter_map(|name| name.as_str()).map(|name| visible(name, 100)).collect();
        runc_of(&names)
    }

    /// Podman's own runtime, unless another one is asked for.
    fn runtime(&self) -> Option<Finding> {
        let own = || self.info.pointer("/host/ociRuntime/name").and_then(Value::as_str);
        let name = visible(self.runtime.as_deref().or_else(own)?, 100);
        Some(match backend::suit(&name) {
            Ok(()) => Finding::ok("runtime", name),
            Err(reason) => {
                Finding::bad("runtime", format!("{name} {reason}"), "or set sandbox.runtime: runc")
            }
        })
    }

    fn limits(&self) -> Option<Finding> {
        let missing: Vec<&str> =
            LIMITS.iter().filter(|(name, _)| self.info[name] == false).map(|(_, what)| *what).collect();
        // Podman does not say.
        self.info.get("MemoryLimit")?;
        Some(match missing.is_empty() {
            true => Finding::ok("limits", "memory, swap, CPU time and processes"),
            false => Finding::bad(
                "limits",
                format!("the engine can't limit {}", missing.join(", ")),
                "boot with cgroup v2, or with cgroup_enable=memory swapaccount=1; rootless engines need the \
                 controllers delegated",
            ),
        })
    }

    /// Where the engine keeps images and containers, on its own machine.
    pub(super) fn root(&self) -> Option<PathBuf> {
        self.info["DockerRootDir"].as_str().map(PathBuf::from)
    }

    /// The engine's clock, and ours at that time.
    pub(super) fn time(&self) -> Option<(Timestamp, Timestamp)> {
        let theirs = self.info["SystemTime"].as_str()?.parse().ok()?;
        Some((theirs, self.asked))
    }
}

/// Judges runc by the most telling of its version's names.
pub(super) fn runc_of(names: &[String]) -> Option<Finding> {
    let version = names.iter().find(|name| is_package(name)).or(names.last())?;
    Some(judge_runc(version))
}

/// `1.1.5+ds1-1+deb12u1`, not `v1.1.5-0-gf19387a6`.
fn is_package(version: &str) -> bool {
    let digit = version.starts_with(|c: char| c.is_ascii_digit());
    digit && ["+", "~", "ubuntu", ".el", ".fc", "-r"].iter().any(|part| version.contains(part))
}

/// A distribution fixes an old version and keeps its number, so an old number alone proves nothing.
pub(super) fn judge_runc(version: &str) -> Finding {
    let number = numbers(version);
    let update = "look for CVE-2024-21626: it is fixed in runc 1.1.12 and newer";
    match number {
        None => Finding::odd("runc", format!("{version}: no version that could be compared"), update),
        Some(number) if number >= RUNC_FIXED => Finding::ok("runc", version),
        Some(_) if is_fixed_package(version) => {
            Finding::ok("runc", format!("{version}, with Debian's fix of CVE-2024-21626"))
        }
        Some(_) if is_package(version) => Finding::odd(
            "runc",
            format!("{version}: older than 1.1.12, but a distribution's package may have the fix"),
            "look for CVE-2024-21626 in the package's changelog",
        ),
        Some(_) => {
            Finding::bad("runc", format!("{version}: containers may get out"), format!("update it; {update}"))
        }
    }
}

/// Debian's packages that have the fix in spite of their number.
fn is_fixed_package(version: &str) -> bool {
    version.starts_with("1.1.5+ds1-1+deb12u")
}

/// The three numbers at the start of a version.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let mut parts = version[..end].split('.').map(str::parse::<u64>);
    let numbers = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next().map_or(Some(0), Result::ok)?];
    Some(numbers)
}
