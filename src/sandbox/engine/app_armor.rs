//! AppArmor: an engine's profile for containers, and a runtime's own.
//!
//! Containers may not gain privileges, so a runtime that sets this before it takes the engine's profile can't leave its own: what runs in
//! the container is then under both. The engine's profile lets processes signal those that are under it alone, so no process of such
//! a container can end another. crun does so; runc, and crun without a profile of its own, do not.

use std::fs;
use std::path::Path;

/// The kernel's list of profiles, which only root can read; containers of other users have none.
const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";

/// Fails with the reason, a verb and its remedy, if processes in an engine's containers could not end each other with this runtime.
///
/// # Errors
/// It is crun, and has a profile of its own.
pub fn suit(runtime: &str) -> Result<(), String> {
    let profiles = fs::read_to_string(PROFILES).unwrap_or_default();
    match name(runtime) == "crun" && has_profile("crun", &profiles) {
        true => Err("has an AppArmor profile of its own, under which no process of a container can end \
                     another: unload it (apparmor_parser -R /etc/apparmor.d/crun)"
            .into()),
        false => Ok(()),
    }
}

/// Tells whether the kernel's list has a profile of this program, by its name or by its path.
fn has_profile(program: &str, profiles: &str) -> bool {
    profiles.lines().filter_map(|line| line.rsplit_once(" (")).any(|(profile, _)| name(profile) == program)
}

/// The last part of a path.
fn name(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtimes_own_profile_is_found_by_its_name_or_its_path() {
        let profiles = "docker-default (enforce)\nrunc (unconfined)\ncrun (unconfined)\n";
        assert!(has_profile("crun", profiles) && has_profile("crun", "/usr/bin/crun (unconfined)\n"));
        for other in
            ["", "runc (unconfined)\n", "containers-default-0.62.2//&crun (mixed)\n", "crun_x (enforce)\n"]
        {
            assert!(!has_profile("crun", other), "{other}");
        }
    }
}
