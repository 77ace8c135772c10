//! The user's folder for what can be made anew, as the [XDG Base Directory Specification](https://specifications.freedesktop.org/basedir-spec/latest/)
//! places it.

use std::env;
use std::path::PathBuf;

/// Where agentmill keeps things of this kind; None if the user has no such folder.
pub fn folder(kind: &str) -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(cache.join("agentmill").join(kind))
}
