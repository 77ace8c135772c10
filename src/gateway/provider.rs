//! Provider: an OpenAI-compatible endpoint, its address and its key, neither of which ever gets into a message.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Map, Value};
use ureq::http::header;
use ureq::{Body, http};

use crate::config::Llm;
use crate::gateway::question::Kind;
use crate::util::http_client;
use crate::util::text::visible;

/// Longest answer, in bytes.
const LONGEST: u64 = 8 << 20;

/// The most of a provider's complaint that is shown, in characters.
const QUOTED: usize = 300;

/// Fewest bytes of a header's value that may be a secret; a shorter one would be found in any text.
const SECRET: usize = 8;

/// Path of the list of models.
pub const MODELS: &str = "/models";

/// Address and key of an endpoint, and what each request to it holds besides.
pub struct Provider {
    agent: ureq::Agent,
    base_url: String,
    /// Such as `?api-version=2024-10-21`.
    query: String,
    key: Option<String>,
    /// Headers of each request, the one with the key among them.
    headers: Vec<(String, String)>,
    /// Fields of each question.
    fields: Map<String, Value>,
}

/// Leaves the key out.
impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// A provider's answer, whatever it says.
#[derive(Debug)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// Tells whether it only refuses the older name of the limit on answers.
    pub fn wants_newer_name(&self) -> bool {
        self.status == 400 && self.body.contains("max_completion_tokens")
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Unanswered {
    /// The reason, without the key.
    pub reason: String,
    /// Another try may work: nothing listens yet, or the connection broke.
    pub passing: bool,
}

impl Provider {
    /// The endpoint of the `llm` section.
    ///
    /// # Errors
    /// `SSL_CERT_FILE` is of no use.
    pub fn new(llm: &Llm, key: Option<String>) -> anyhow::Result<Self> {
        let query = llm.api_version.as_ref().map(|version| format!("?api-version={version}"));
        let mut headers = llm.headers.clone();
        headers.extend(key.clone().map(|key| match llm.api_version {
            Some(_) => ("api-key".to_owned(), key), // Azure's
            None => (header::AUTHORIZATION.to_string(), format!("Bearer {key}")),
        }));
        Ok(Self {
            agent: http_client::agent(llm.timeout)?,
            base_url: llm.base_url.clone(),
            query: query.unwrap_or_default(),
            key,
            headers,
            fields: llm.body.clone(),
        })
    }

    /// The address of a path below the endpoint's.
    fn url(&self, path: &str) -> String {
        format!("{}{path}{}", self.base_url, self.query)
    }

    /// Sends a question and reads the answer, which must be there after `patience`.
    ///
    /// # Errors
    /// There is no answer.
    pub fn post(&self, kind: Kind, body: &Value, patience: Duration) -> Result<Answer, Unanswered> {
        let path = kind.path();
        let mut body = body.clone();
        for (name, value) in self.fields.iter().filter(|_| kind != Kind::Embedding) {
            body[name] = value.clone();
        }
        let mut request = self.agent.post(self.url(path)).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.config().timeout_global(Some(patience)).build();
        self.read(path, request.send(body.to_string()))
    }

    /// Looks at the list of models.
    ///
    /// # Errors
    /// There is no answer.
    pub fn models(&self, patience: Duration) -> Result<Answer, Unanswered> {
        let mut request = self.agent.get(self.url(MODELS));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.config().timeout_global(Some(patience)).build();
        self.read(MODELS, request.call())
    }

    fn read(
        &self,
        path: &str,
        response: Result<http::Response<Body>, ureq::Error>,
    ) -> Result<Answer, Unanswered> {
        let unanswered = |error: &ureq::Error, passing| {
            let reason = self.complaint(path, &error.to_string());
            Unanswered { reason, passing }
        };
        let mut response = response.map_err(|error| unanswered(&error, is_passing(&error)))?;
        let (status, retry_after) =
            (response.status().as_u16(), http_client::retry_after(response.headers()));
        let body = response.body_mut().with_config().limit(LONGEST).read_to_vec();
        // What is too long now is too long again.
        let is_passing = |error: &ureq::Error| !matches!(error, ureq::Error::BodyExceedsLimit(_));
        let body = body.map_err(|error| unanswered(&error, is_passing(&error)))?;
        Ok(Answer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// One safe line with the address. An endpoint may repeat the key that it does not like.
    pub fn complaint(&self, path: &str, what: &str) -> String {
        format!("{}: {}", self.url(path), visible(self.without_key(what).trim(), QUOTED))
    }

    /// The text without the key, and without the values of other headers, which may be keys of a proxy's.
    pub fn without_key(&self, text: &str) -> String {
        let values = self.headers.iter().map(|(_, value)| value).filter(|value| value.len() >= SECRET);
        self.key
            .iter()
            .chain(values)
            .fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }

    /// The text with neither the key nor the provider's address.
    pub fn anonymous(&self, text: &str) -> String {
        let place = self.base_url.split("://").last().unwrap_or_default();
        let authority = place.split('/').next().unwrap_or_default();
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let host =
            authority.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(authority, |(host, _)| host);
        let address = [self.base_url.as_str(), place, authority, host];
        address.into_iter().fold(self.without_key(text), |text, part| text.replace(part, "***"))
    }
}

/// The key in a variable of the environment; None if the endpoint takes none.
///
/// # Errors
/// The variable is not set, or holds what can't be a key.
pub fn key(variable: Option<&str>) -> anyhow::Result<Option<String>> {
    let Some(variable) = variable else { return Ok(None) };
    let key = std::env::var(variable).ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
    let key = key.with_context(|| {
        format!("there is no key: set {variable} in the environment, or llm.api_key_env: null for an endpoint without keys")
    })?;
    // Not even a part of it may come back in an error about headers.
    anyhow::ensure!(
        key.bytes().all(|byte| byte.is_ascii_graphic()),
        "the key in {variable} has a character that no key has"
    );
    Ok(Some(key))
}

/// Reason of a refusal with its status: the words in `error.message`, where they are.
pub fn said(status: u16, body: &str) -> String {
    format!("HTTP {status}: {}", words(body)).trim_end_matches(": ").to_owned()
}

/// The words of a refusal: those in `error.message`, where they are.
pub fn words(body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let words =
        [&value["error"]["message"], &value["error"], &value["message"]].into_iter().find_map(Value::as_str);
    words.map_or_else(|| http_client::plain(body), str::to_owned)
}

fn is_passing(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_in_the_endpoints_words() {
        assert_eq!(said(401, r#"{"error": {"message": "no such key"}}"#), "HTTP 401: no such key");
        assert_eq!(said(404, r#"{"error": "no such model"}"#), "HTTP 404: no such model");
        assert_eq!(said(502, "<html>"), "HTTP 502: a web page");
    }

    #[test]
    fn neither_key_nor_address_stays_in_a_text() {
        let llm = "llm: {base_url: 'http://llm.example:81/v1', headers: {X-Team: team-4711, X-Title: a}}";
        let llm = crate::config::parse(std::path::Path::new("p"), llm.as_bytes());
        let provider = Provider::new(&llm.unwrap().llm, Some("sk-secret".into())).unwrap();
        let told = "sk-secret is no key at http://llm.example:81/v1/chat, ask llm.example:81 or llm.example";
        assert_eq!(provider.anonymous(told), "*** is no key at ***/chat, ask *** or ***");
        assert_eq!(provider.anonymous("team-4711 has a limit"), "*** has a limit");
    }
}
