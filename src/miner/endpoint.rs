//! An OpenAI-compatible endpoint: `POST {base_url}/chat/completions`.

use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::{HeaderMap, header};

use crate::config::Llm;
use crate::pipeline::publish::text::visible;

/// Pauses before the second, third... try, when the endpoint does not say how long.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// What the endpoint may ask to wait; past it, it is better to come back another day.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Longest answer, in bytes.
const LONGEST: u64 = 4 << 20;

/// The most of an endpoint's complaint that is shown, in characters.
const QUOTED: usize = 300;

/// Where to ask, and how.
pub struct Endpoint {
    agent: ureq::Agent,
    url: String,
    model: String,
    key: Option<String>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    pauses: [Duration; 4],
}

/// The key is nobody's business.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url).field("model", &self.model).finish_non_exhaustive()
    }
}

/// What came of one request.
enum Attempt {
    Reply(String),
    /// It may work later; how long to wait, if it says so.
    Later(String, Option<Duration>),
    /// It knows the limit by its newer name only.
    NewerName,
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

impl Endpoint {
    /// The endpoint of the `llm` section.
    #[must_use]
    pub fn new(llm: &Llm, model: String, key: Option<String>) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(llm.timeout))
            .http_status_as_error(false)
            // A redirected POST would arrive as a GET, and the key must not go elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("agentmill/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self {
            agent,
            url: format!("{}/chat/completions", llm.base_url),
            model,
            key,
            max_tokens: llm.max_tokens,
            temperature: llm.temperature,
            pauses: PAUSES,
        }
    }

    /// Asks, again and again where that may help.
    ///
    /// # Errors
    /// What the endpoint said, without the key.
    pub fn ask(&self, prompt: &str, tell: &dyn Fn(String)) -> anyhow::Result<String> {
        let (mut limit, mut pauses) = ("max_tokens", self.pauses.iter());
        loop {
            match self.attempt(prompt, limit)? {
                Attempt::Reply(reply) => return Ok(reply),
                Attempt::NewerName => limit = "max_completion_tokens",
                Attempt::Later(reason, wish) => {
                    let Some(pause) = pauses.next() else {
                        bail!("{reason} (after {} tries)", self.pauses.len() + 1);
                    };
                    let pause = wish.unwrap_or(*pause);
                    if pause > LONGEST_PAUSE {
                        bail!("{reason}; it asks to wait for {} s", pause.as_secs());
                    }
                    tell(format!("{reason}; asking again in {} s", pause.as_secs()));
                    std::thread::sleep(pause);
                }
            }
        }
    }

    fn attempt(&self, prompt: &str, limit: &str) -> anyhow::Result<Attempt> {
        let mut request = self.agent.post(&self.url).header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let mut response = match request.send(self.body(prompt, limit).to_string()) {
            Ok(response) => response,
            Err(error) if is_passing(&error) => {
                return Ok(Attempt::Later(self.complaint(&error.to_string()), None));
            }
            Err(error) => bail!("{}", self.complaint(&error.to_string())),
        };
        let (status, wish) = (response.status().as_u16(), retry_after(response.headers()));
        let body = match response.body_mut().with_config().limit(LONGEST).read_to_vec() {
            Ok(body) => String::from_utf8_lossy(&body).into_owned(),
            Err(error) => return Ok(Attempt::Later(self.complaint(&error.to_string()), None)),
        };
        match status {
            200..=299 => self.reply(&body).map(Attempt::Reply),
            400 if limit == "max_tokens" && body.contains("max_completion_tokens") => Ok(Attempt::NewerName),
            408 | 429 | 500.. => Ok(Attempt::Later(self.complaint(&said(status, &body)), wish)),
            _ => bail!("{}", self.complaint(&said(status, &body))),
        }
    }

    fn body(&self, prompt: &str, limit: &str) -> Value {
        let mut body = json!({
            "model": self.model,
            "messages": [{ "role": "user", "content": prompt }],
        });
        if let Some(tokens) = self.max_tokens {
            body[limit] = tokens.into();
        }
        if let Some(temperature) = self.temperature {
            body["temperature"] = temperature.into();
        }
        body
    }

    fn reply(&self, body: &str) -> anyhow::Result<String> {
        let completion: Completion = serde_json::from_str(body)
            .ok()
            .with_context(|| self.complaint("its answer is not an OpenAI-compatible completion"))?;
        let choice = completion
            .choices
            .into_iter()
            .next()
            .with_context(|| self.complaint("its answer has no choice"))?;
        if choice.finish_reason.as_deref() == Some("length") {
            bail!("{}", self.complaint("the reply was cut off; a larger llm.max_tokens may help"));
        }
        Ok(choice.message.content.unwrap_or_default())
    }

    /// One safe line. An endpoint may repeat the key that it does not like.
    fn complaint(&self, what: &str) -> String {
        let what = match &self.key {
            Some(key) => what.replace(key.as_str(), "***"),
            None => what.to_owned(),
        };
        format!("{}: {}", self.url, visible(what.trim(), QUOTED))
    }
}

/// What a refusal says: the words in `error.message`, where they are.
fn said(status: u16, body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let words =
        [&value["error"]["message"], &value["error"], &value["message"]].into_iter().find_map(Value::as_str);
    format!("HTTP {status}: {}", words.unwrap_or(body))
}

/// Whether another try may work: nobody there yet, or a wire that broke.
fn is_passing(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed)
}

/// In seconds or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    let date = SystemTime::from(date.timestamp());
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers)
    }

    #[test]
    fn retry_after_in_both_forms() {
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(after("Mon, 21 Oct 2199 07:28:00 GMT").unwrap() > LONGEST_PAUSE);
        for wrong in ["", "soon", "-1", "NaN", "1e300"] {
            assert_eq!(after(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn refusals_are_told_in_the_endpoints_words() {
        assert_eq!(said(401, r#"{"error": {"message": "no such key"}}"#), "HTTP 401: no such key");
        assert_eq!(said(404, r#"{"error": "no such model"}"#), "HTTP 404: no such model");
        assert_eq!(said(502, "<html>"), "HTTP 502: <html>");
    }
}
