//! Where Docker's own client would find the engine.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use serde_json::Value;

const DEFAULT: &str = "/var/run/docker.sock";

/// The socket on this machine that Docker's client would speak to; None if it would speak to something else.
pub fn local_socket() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let said = |name| set(name).map(|value| value.to_string_lossy().into_owned());
    let config =
        set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".docker")))?;
    let config = match fs::read_to_string(config.join("config.json")) {
        Err(error) if error.kind() == ErrorKind::NotFound => "{}".to_owned(),
        text => text.ok()?,
    };
    let socket = named(said("DOCKER_HOST").as_deref(), said("DOCKER_CONTEXT").as_deref(), &config)?;
    fs::metadata(&socket).is_ok_and(|file| file.file_type().is_socket()).then_some(socket)
}

/// The same by the variables and the text of `config.json`, in the order in which the client heeds them.
fn named(host: Option<&str>, context: Option<&str>, config: &str) -> Option<PathBuf> {
    if let Some(host) = host {
        return host.strip_prefix("unix://").map(PathBuf::from);
    }
    let config: Value = serde_json::from_str(config).ok()?;
    let context = context.or(config["currentContext"].as_str()).unwrap_or_default();
    matches!(context, "" | "default").then(|| PathBuf::from(DEFAULT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_goes_before_the_context_and_that_before_what_is_configured() {
        let chosen = r#"{"currentContext": "cloud"}"#;
        assert_eq!(named(Some("unix:///run/my.sock"), Some("cloud"), chosen), Some("/run/my.sock".into()));
        assert_eq!(named(None, Some("default"), chosen), Some(DEFAULT.into()));
        assert_eq!(named(None, None, "{}"), Some(DEFAULT.into()));
        assert_eq!(named(None, None, r#"{"currentContext": "default"}"#), Some(DEFAULT.into()));
    }

    #[test]
    fn an_engine_elsewhere_has_no_socket_here() {
        for host in ["tcp://127.0.0.1:2375", "ssh://there", "fd://", "/run/my.sock"] {
            assert_eq!(named(Some(host), None, "{}"), None, "{host}");
        }
        assert_eq!(named(None, Some("cloud"), "{}"), None);
        assert_eq!(named(None, None, r#"{"currentContext": "cloud"}"#), None);
        assert_eq!(named(None, None, "no JSON"), None, "nobody knows what is chosen there");
    }
}
