//! The `llm` and `serve` sections: the model that writes agents, and the HTTP API.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use serde_yaml::Value;

use crate::config::check::{self, within};
use crate::config::grant::Grant;
use crate::config::requests;
use crate::config::settings::{Llm, Pipeline, Serve, Stage};
use crate::util::similar::{did_you_mean, nearest};
use crate::yaml::{Log, Position, Problem, Reader, describe};

/// The largest rate that still means something.
const MOST_PER_MINUTE: u32 = 1_000_000;

pub(super) fn llm(mut fields: Reader<'_>) -> Llm {
    let llm = Llm {
        command: check::command(fields.get("command")).unwrap_or_default(),
        base_url: fields.checked("base_url", "https://api.openai.com/v1".to_owned(), base_url),
        model: fields.optional("model", check::model),
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
        api_version: fields.optional("api_version", requests::api_version),
        headers: requests::headers(fields.get("headers")),
        body: requests::body(fields.get("body")),
        prices: requests::prices(fields.get("prices")),
    };
    fields.finish();
    llm
}

/// Complains of bounds on the cost of models without a price.
pub(super) fn check_prices(fields: &Reader<'_>, stages: &[Stage], of_judge: Option<&Grant>, llm: &Llm) {
    let of_stages =
        stages.iter().filter_map(|stage| Some((format!("stage {:?}", stage.name), stage.model.as_ref()?)));
    let of_judge = of_judge.map(|grant| ("judge.model".to_owned(), grant));
    for (place, grant) in of_stages.chain(of_judge).filter(|(_, grant)| grant.cost.is_some()) {
        for model in grant.allow.iter().filter(|model| !llm.prices.contains_key(*model)) {
            let text = format!("{place} bounds the cost of {model:?}, which has no price");
            let remedy = match nearest(model, llm.prices.keys().map(String::as_str)) {
                None => "; add it to llm.prices".to_owned(),
                near => did_you_mean(near),
            };
            fields.complain("llm", text + &remedy);
        }
    }
}

/// Hints at prices of models that nothing asks, which bear nearly the name of one that is asked and has no price: it would cost
/// nothing.
#[must_use]
pub fn misnamed_prices(file: &Path, pipeline: &Pipeline) -> Vec<Problem> {
    let llm = &pipeline.llm;
    let grants = pipeline.stages.iter().filter_map(|stage| stage.model.as_ref()).chain(&pipeline.judge_model);
    let asked: BTreeSet<&String> = grants.flat_map(|grant| &grant.allow).chain(&llm.model).collect();
    let unpriced = || asked.iter().filter(|name| !llm.prices.contains_key(**name)).map(|name| name.as_str());
    let log = Log::new(file);
    for model in llm.prices.keys().filter(|model| !asked.contains(model)) {
        if let Some(meant) = nearest(model, unpriced()) {
            let text = format!("nothing asks {model:?}; did you mean {meant:?}, which has no price?");
            log.add(Position::default(), "llm.prices", text);
        }
    }
    log.into_problems()
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
        let local = address.as_str().and_then(|text| text.strip_prefix("localhost:"));
        let local = local.map_or_else(String::new, |port| format!("; for localhost write 127.0.0.1:{port}"));
        format!("expected an address and a port such as 127.0.0.1:8000, found {}{local}", describe(&address))
    })
}

fn per_minute(rate: u32) -> Result<u32, String> {
    within(rate, 1, MOST_PER_MINUTE)
}
