//! An OpenAI-compatible endpoint: `POST {base_url}/chat/completions`.

mod completion;
mod failure;
mod parameters;

use std::time::Duration;

use parking_lot::Mutex;
use ureq::http::{HeaderName, HeaderValue, Response, header};

use crate::client::generate::answer::{Reply, Unanswered};
use crate::client::generate::endpoint::completion::Completion;
use crate::client::generate::endpoint::failure::Failure;
use crate::client::generate::endpoint::parameters::Parameters;
use crate::config::Llm;
use crate::util::http_client;
use crate::util::text::visible;

/// Pauses before the second, third... try, when the endpoint does not say how long.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// Longest wait that an endpoint may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Longest answer, in bytes.
const LONGEST: u64 = 4 << 20;

/// The most of an endpoint's complaint that is shown, in characters.
const QUOTED: usize = 300;

/// Least length of a key that is cut out of complaints, in bytes: endpoints without keys are given words such as `none`.
const SECRET: usize = 8;

/// Address, key and settings of an endpoint.
pub struct Endpoint {
    agent: ureq::Agent,
    url: String,
    model: String,
    key: Option<Key>,
    headers: Vec<(HeaderName, HeaderValue)>,
    patience: Duration,
    /// Shared by all requests: what was refused once is not sent again.
    parameters: Mutex<Parameters>,
}

/// A key and the header that it is sent in.
struct Key {
    header: HeaderName,
    value: String,
    secret: String,
}

impl Key {
    /// Azure takes a key in a header of its own, wherever its versions are named.
    fn new(secret: String, llm: &Llm) -> Self {
        let (header, value) = match llm.api_version {
            Some(_) => (HeaderName::from_static("api-key"), secret.clone()),
            None => (header::AUTHORIZATION, format!("Bearer {secret}")),
        };
        Self { header, value, secret }
    }
}

/// The place that an answer sends elsewhere, if it does: the key goes to no place but that of pipeline.yaml.
fn redirection<T>(response: &Response<T>) -> Option<String> {
    let place = response.headers().get(header::LOCATION).filter(|_| response.status().is_redirection())?;
    Some(String::from_utf8_lossy(place.as_bytes()).into_owned())
}

fn headers(llm: &Llm) -> anyhow::Result<Vec<(HeaderName, HeaderValue)>> {
    llm.headers.iter().map(|(name, value)| Ok((name.parse()?, value.parse()?))).collect()
}

/// Leaves the key out.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url).field("model", &self.model).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// The endpoint of the `llm` section.
    ///
    /// # Errors
    /// `SSL_CERT_FILE` is of no use.
    pub fn new(llm: &Llm, model: String, key: Option<String>) -> anyhow::Result<Self> {
        let version =
            llm.api_version.as_ref().map_or_else(String::new, |version| format!("?api-version={version}"));
        Ok(Self {
            agent: http_client::agent(llm.timeout)?,
            url: format!("{}/chat/completions{version}", llm.base_url),
            model,
            key: key.map(|key| Key::new(key, llm)),
            headers: headers(llm)?,
            patience: llm.timeout,
            parameters: Mutex::new(Parameters::new(llm.max_tokens, llm.temperature, llm.body.clone())),
        })
    }

    /// Asks, again and again where that may help. `tell` hears of what delays it.
    ///
    /// # Errors
    /// The endpoint's words, without the key.
    pub fn ask(&self, prompt: &str, tell: &dyn Fn(String)) -> Result<Reply, Unanswered> {
        let mut pauses = PAUSES.iter();
        loop {
            let sent = self.parameters.lock().clone();
            match self.attempt(&sent.body(&self.model, prompt).to_string()) {
                Ok(reply) => return Ok(reply),
                Err(Failure::Final(reason)) => return Err(reason.reworded(|words| self.complaint(words))),
                Err(Failure::Refused { body, words }) => self.yield_to(&sent, &body, &words, tell)?,
                Err(Failure::Passing(words, wish)) => self.pause(&words, wish, pauses.next(), tell)?,
            }
        }
    }

    /// Leaves out what the endpoint refuses, if that is a parameter.
    fn yield_to(
        &self,
        sent: &Parameters,
        body: &str,
        words: &str,
        tell: &dyn Fn(String),
    ) -> Result<(), Unanswered> {
        let mut parameters = self.parameters.lock();
        // Another request may have done it meanwhile.
        if *parameters != *sent {
            return Ok(());
        }
        match parameters.yield_to(body) {
            Some(done) => tell(format!("{}; {done}", self.complaint(words))),
            None => return Err(Unanswered::Failed(self.complaint(words))),
        }
        Ok(())
    }

    fn pause(
        &self,
        words: &str,
        wish: Option<Duration>,
        pause: Option<&Duration>,
        tell: &dyn Fn(String),
    ) -> Result<(), Unanswered> {
        let words = self.complaint(words);
        let Some(pause) = pause.map(|pause| wish.unwrap_or(*pause)) else {
            return Err(Unanswered::Hopeless(format!("{words} (after {} tries)", PAUSES.len() + 1)));
        };
        if pause > LONGEST_PAUSE {
            return Err(Unanswered::Hopeless(format!("{words}; it asks to wait for {} s", pause.as_secs())));
        }
        tell(format!("{words}; asking again in {} s", pause.as_secs_f64()));
        std::thread::sleep(pause);
        Ok(())
    }

    fn attempt(&self, body: &str) -> Result<Reply, Failure> {
        let mut request = self.agent.post(&self.url).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(key) = &self.key {
            request = request.header(&key.header, &key.value);
        }
        let failure = |error: ureq::Error| failure::of_error(&error, self.patience);
        let mut response = request.send(body).map_err(failure)?;
        let (status, wish) = (response.status().as_u16(), http_client::retry_after(response.headers()));
        let body = response.body_mut().with_config().limit(LONGEST).read_to_vec().map_err(failure)?;
        let body = String::from_utf8_lossy(&body);
        if let Some(place) = redirection(&response) {
            let words = format!("HTTP {status}: it is at {place} now; mend llm.base_url");
            return Err(Failure::Final(Unanswered::Hopeless(words)));
        }
        if !(200..=299).contains(&status) {
            return Err(failure::of_answer(status, &body, wish));
        }
        match completion::read(&body) {
            Completion::Reply(reply) => Ok(reply),
            Completion::Nothing(reason) => Err(Failure::Final(reason)),
            Completion::Error(Some(code @ 400..)) => Err(failure::of_answer(code, &body, wish)),
            Completion::Error(_) => Err(Failure::Final(Unanswered::Failed(failure::words(status, &body)))),
        }
    }

    /// One safe line. An endpoint may repeat the key that it does not like.
    fn complaint(&self, what: &str) -> String {
        let what = match self.key.as_ref().filter(|key| key.secret.len() >= SECRET) {
            Some(key) => what.replace(key.secret.as_str(), "***"),
            None => what.to_owned(),
        };
        format!("{}: {}", self.url, visible(what.trim(), QUOTED))
    }
}
