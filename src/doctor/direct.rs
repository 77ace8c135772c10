//! Checks of an OCI runtime that is run without an engine: its version, our rights, and the limits that the kernel can set.

use std::time::Duration;

use crate::doctor::Finding;
use crate::doctor::engine::runc_of;
use crate::sandbox::Fault;
use crate::sandbox::engine::control_groups;
use crate::sandbox::engine::oci::Runtime;
use crate::util::command::ask;
use crate::util::text::visible;

const PATIENCE: Duration = Duration::from_secs(60);

/// The runtime, and what bounds its containers.
///
/// # Errors
/// The runtime can't be run.
pub(super) fn findings(runtime: &Runtime) -> Result<Vec<Finding>, Fault> {
    let program = runtime.program();
    let told = ask(program, &["--version"], PATIENCE);
    let told = told.map_err(|reason| Fault::Engine(format!("{program} --version: {reason}")))?;
    Ok([Some(engine(program, &told)), runc(program, &told), Some(limits())].into_iter().flatten().collect())
}

fn engine(program: &str, told: &str) -> Finding {
    let text = format!("{program} {}, without an engine", visible(version(told), 100));
    match Runtime::is_usable(program) {
        Ok(()) => Finding::ok("engine", text),
        Err(reason) => Finding::bad("engine", format!("{text}: {reason}"), "or take another engine"),
    }
}

/// The last word of the first line, such as `runc version 1.1.5`.
fn version(told: &str) -> &str {
    told.lines().next().and_then(|line| line.split(' ').next_back()).unwrap_or_default()
}

fn runc(program: &str, told: &str) -> Option<Finding> {
    let commit = told.lines().find_map(|line| line.strip_prefix("commit: ")).unwrap_or_default();
    runc_of(&[commit, version(told)].map(|name| visible(name, 100))).filter(|_| program == "runc")
}

fn limits() -> Finding {
    match control_groups::lacking()[..] {
        [] => Finding::ok("limits", "memory, swap, CPU time and processes"),
        ref missing => Finding::bad(
            "limits",
            format!("the kernel can't limit {}", missing.join(", ")),
            "boot with cgroup v2, or with cgroup_enable=memory swapaccount=1",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Health;

    const TOLD: &str = "runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.0.2-dev";

    #[test]
    fn a_runtime_tells_its_version() {
        assert_eq!(version(TOLD), "1.1.5+ds1");
        assert_eq!(version("crun version 1.8.1\ncommit: f8a096b"), "1.8.1");
        let found = runc("runc", TOLD).unwrap();
        assert_eq!(
            (found.health, &*found.text),
            (Health::Ok, "1.1.5+ds1-1+deb12u1, with Debian's fix of CVE-2024-21626")
        );
        assert_eq!(runc("crun", "crun version 1.8.1\ncommit: f8a096b"), None);
        assert_eq!(runc("runc", "runc version 1.0.0").unwrap().health, Health::Bad);
    }
}
