//! The `llm` and `serve` sections: how miners get code written, and where they hand it in over HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_yaml::Value;

use super::check::{self, within};
use super::read::list;
use crate::yaml::{Reader, describe, excerpt};

/// The `llm` section.
#[derive(Debug, Clone, PartialEq)]
pub struct Llm {
    /// Reads the prompt on stdin and prints the reply; empty: the endpoint is asked.
    pub command: Vec<String>,
    /// An OpenAI-compatible endpoint, without a slash at its end.
    pub base_url: String,
    /// Its name at the endpoint.
    pub model: Option<String>,
    /// The environment variable that holds the key; None: the endpoint takes no key.
    pub api_key_env: Option<String>,
    /// How long one reply may take.
    pub timeout: Duration,
    /// How long a reply may be; None: as the endpoint likes.
    pub max_tokens: Option<u32>,
    /// None: as the endpoint likes.
    pub temperature: Option<f64>,
}

/// The `serve` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The file of hashed tokens.
    pub tokens: PathBuf,
    /// Uploads taken from one miner.
    pub uploads_per_minute: u32,
    /// Requests of every kind taken from one address.
    pub requests_per_minute: u32,
    /// How long a client may take to send its request's head, and then its body.
    pub timeout: Duration,
}

/// The largest rate that still means something.
const MOST_PER_MINUTE: u32 = 1_000_000;

pub(super) fn llm(mut fields: Reader<'_>) -> Llm {
    let llm = Llm {
        command: list(fields.get("command"), check::argument).unwrap_or_default(),
        base_url: fields.checked("base_url", "https://api.openai.com/v1".to_owned(), base_url),
        model: fields.optional("model", model),
        api_key_env: match fields.has("api_key_env") {
            true => fields.optional("api_key_env", variable),
            false => fields.optional("api_key_env", variable).or(Some("OPENAI_API_KEY".to_owned())),
        },
        timeout: fields.checked("timeout", Duration::from_secs(120), check::timeout),
        max_tokens: match fields.has("max_tokens") {
            true => fields.optional("max_tokens", |tokens| within(tokens, 1, 1_000_000)),
            false => fields.optional("max_tokens", Ok::<u32, String>).or(Some(4096)),
        },
        temperature: fields.optional("temperature", |degrees| within(degrees, 0.0, 2.0)),
    };
    fields.finish();
    llm
}

pub(super) fn serve(mut fields: Reader<'_>, file: &Path) -> Serve {
    let base = file.parent().unwrap_or(Path::new(""));
    let serve = Serve {
        listen: fields.checked("listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)), listen),
        tokens: base.join(fields.checked("tokens", "tokens.json".to_owned(), check::path)),
        uploads_per_minute: fields.checked("uploads_per_minute", 30, per_minute),
        requests_per_minute: fields.checked("requests_per_minute", 600, per_minute),
        timeout: fields.checked("timeout", Duration::from_secs(10), check::timeout),
    };
    fields.finish();
    serve
}

/// Quotes nothing of it: a password may stand in it.
fn base_url(url: String) -> Result<String, String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest.filter(|rest| rest.bytes().all(|byte| byte.is_ascii_graphic())) else {
        return Err("expected a URL such as \"https://api.openai.com/v1\"".to_owned());
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Err("must not hold a password; put the key into the environment, see api_key_env".to_owned());
    }
    match host.is_empty() || rest.contains(['?', '#']) {
        true => Err("expected a host and a path and nothing behind them".to_owned()),
        false => Ok(url.trim_end_matches('/').to_owned()),
    }
}

fn model(name: String) -> Result<String, String> {
    match (1..=255).contains(&name.len()) && !name.contains(char::is_control) {
        true => Ok(name),
        false => Err(format!("expected a model's name, found {}", excerpt(&name))),
    }
}

/// Quotes nothing of it: what stands there instead of a name may well be the key.
fn variable(name: String) -> Result<String, String> {
    let word = name.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit());
    match word && (1..=64).contains(&name.len()) && !name.as_bytes()[0].is_ascii_digit() {
        true => Ok(name),
        false => {
            Err("expected the name of an environment variable such as OPENAI_API_KEY, not the key itself"
                .to_owned())
        }
    }
}

fn listen(address: Value) -> Result<SocketAddr, String> {
    let parsed = address.as_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| {
        format!("expected an address and a port such as 127.0.0.1:8000, found {}", describe(&address))
    })
}

fn per_minute(rate: u32) -> Result<u32, String> {
    within(rate, 1, MOST_PER_MINUTE)
}
