//! Handing in from the command line, here or at a platform, and waiting for the verdict.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use ureq::http::header;

use crate::config::Pipeline;
use crate::door::{self, Door};
use crate::pipeline::intake::Miner;
use crate::pipeline::publish::text::{verdict, visible};
use crate::standing::{self, Board, OwnRun, State, View};

/// The environment variable that holds the platform's token.
pub const TOKEN: &str = "AGENTMILL_TOKEN";

/// How long a platform may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the outcome is looked for.
const POLL_HERE: Duration = Duration::from_millis(250);
const POLL_THERE: Duration = Duration::from_secs(2);

/// The most of foreign text that is shown.
const SHOWN: usize = 300;

/// Where to hand in.
pub enum Target<'a> {
    /// The inbox of this folder.
    Here(&'a Pipeline),
    /// A platform.
    There(Platform),
}

/// A platform's HTTP doors.
pub struct Platform {
    agent: ureq::Agent,
    url: String,
    token: Option<String>,
}

impl Platform {
    /// The platform at `url`; its token is taken from the environment.
    ///
    /// # Errors
    /// That is no URL of a platform.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        ensure!(
            url.starts_with("http://") || url.starts_with("https://"),
            "expected a platform's URL such as https://mill.example, found {url:?}"
        );
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .new_agent();
        let token =
            std::env::var(TOKEN).ok().map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
        Ok(Self { agent, url: url.trim_end_matches('/').to_owned(), token })
    }

    fn authorization(&self) -> String {
        self.token.as_ref().map_or_else(String::new, |token| format!("Bearer {token}"))
    }

    fn hand_in(&self, miner: &Miner, source: &[u8]) -> anyhow::Result<Handed> {
        let url = format!("{}/upload/agent?miner_id={miner}", self.url);
        let mut request = self.agent.put(&url).header(header::CONTENT_TYPE, "text/x-python");
        if self.token.is_some() {
            request = request.header(header::AUTHORIZATION, self.authorization());
        }
        let mut response = request.send(source).with_context(|| format!("{} can't be reached", self.url))?;
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_string().unwrap_or_default();
        ensure!(matches!(status, 200 | 201), "{}", self.refusal(status, &body));
        serde_json::from_str(&body).with_context(|| format!("{} is no agentmill", self.url))
    }

    fn view(&self, miner: &Miner) -> anyhow::Result<Option<View>> {
        let mut request = self.agent.get(format!("{}/agents/{miner}", self.url));
        if self.token.is_some() {
            request = request.header(header::AUTHORIZATION, self.authorization());
        }
        let mut response = request.call().with_context(|| format!("{} can't be reached", self.url))?;
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_string().unwrap_or_default();
        match status {
            200 => Ok(Some(
                serde_json::from_str(&body).with_context(|| format!("{} is no agentmill", self.url))?,
            )),
            // It asks for patience; that is what waiting is.
            404 | 429 | 500.. => Ok(None),
            _ => bail!("{}", self.refusal(status, &body)),
        }
    }

    /// What the platform said, and where in the file.
    fn refusal(&self, status: u16, body: &str) -> String {
        let answer: Value = serde_json::from_str(body).unwrap_or_default();
        let line = answer["line"].as_u64().map_or_else(String::new, |line| format!("line {line}: "));
        let error = answer["error"].as_str().unwrap_or(body);
        format!("{} refuses it (HTTP {status}): {line}{}", self.url, visible(error, SHOWN))
    }
}

/// What a hand-in came to.
#[derive(Debug, Deserialize)]
pub struct Handed {
    /// Hex sha256 of what was handed in.
    pub sha256: String,
    /// `accepted` or `unchanged`.
    pub status: String,
}

impl Target<'_> {
    /// Hands a source in for a miner.
    ///
    /// # Errors
    /// Why it was not taken.
    pub fn hand_in(&self, miner: &Miner, source: &[u8], door: Door) -> anyhow::Result<Handed> {
        match self {
            Self::There(platform) => platform.hand_in(miner, source),
            Self::Here(pipeline) => {
                door::check(source, &pipeline.validate).map_err(|refused| match refused.line() {
                    Some(line) => anyhow::anyhow!("line {line}: {refused}"),
                    None => refused.into(),
                })?;
                let (receipt, changed) = door::hand_in(&pipeline.inbox, miner, source, door)?;
                let status = if changed { "accepted" } else { "unchanged" };
                Ok(Handed { sha256: receipt.sha256, status: status.to_owned() })
            }
        }
    }

    /// Waits until the miner's submission is evaluated; None if that takes longer than `patience`.
    ///
    /// # Errors
    /// It can't be asked for.
    pub fn wait(&self, miner: &Miner, patience: Duration) -> anyhow::Result<Option<View>> {
        let deadline = Instant::now() + patience;
        let (pause, look): (_, &dyn Fn() -> anyhow::Result<Option<View>>) = match self {
            Self::Here(pipeline) => (POLL_HERE, &|| view_here(pipeline, miner)),
            Self::There(platform) => (POLL_THERE, &|| platform.view(miner)),
        };
        loop {
            match look()? {
                Some(view) if view.state != State::Waiting => return Ok(Some(view)),
                _ if Instant::now() >= deadline => return Ok(None),
                _ => thread::sleep(pause.min(deadline.saturating_duration_since(Instant::now()))),
            }
        }
    }
}

fn view_here(pipeline: &Pipeline, miner: &Miner) -> anyhow::Result<Option<View>> {
    let board = match std::fs::read(pipeline.results.join("rankings.json")) {
        Ok(bytes) => Board::read(&bytes)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Board::default(),
        Err(error) => return Err(error.into()),
    };
    Ok(standing::view(miner, &board, &pipeline.inbox, &pipeline.results, true))
}

/// Reads a source, but not more than is ever taken.
///
/// # Errors
/// It can't be read, or is too large.
pub fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read;
    const MOST: u64 = 16 << 20;
    let context = || format!("can't read {}", file.display());
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .with_context(context)?
        .take(MOST + 1)
        .read_to_end(&mut bytes)
        .with_context(context)?;
    ensure!(bytes.len() as u64 <= MOST, "{} is too large for any platform", file.display());
    Ok(bytes)
}

/// The verdict in lines.
#[must_use]
pub fn outcome(view: &View) -> String {
    let mut lines = Vec::new();
    if let Some(row) = view.ranking.as_ref().filter(|_| view.state == State::Ranked) {
        let number =
            |number: Option<f64>| number.map_or_else(|| "unscored".to_owned(), |number| number.to_string());
        let rank = row.rank.map_or_else(|| "no rank".to_owned(), |rank| format!("rank {rank}"));
        lines.push(format!(
            "{}: {} ({rank}, {} of {} tests)",
            view.miner,
            number(row.score),
            row.passed,
            row.tests
        ));
    }
    let own = view.own.as_ref();
    if let Some(rejection) = own.and_then(|own| own.rejection.as_ref()) {
        let line = rejection.line.map_or_else(String::new, |line| format!("line {line}: "));
        lines.push(format!("{}: refused: {line}{}", view.miner, visible(&rejection.reason, SHOWN)));
    } else if view.state == State::Refused {
        lines.push(format!("{}: refused", view.miner));
    }
    for run in own.into_iter().flat_map(|own| &own.runs).filter(|_| view.state == State::Ranked) {
        lines.extend(run_lines(run));
    }
    lines.join("\n")
}

fn run_lines(run: &OwnRun) -> Vec<String> {
    let how = match (run.verdict, run.score) {
        (Some(one), Some(score)) => format!("{} {score:.0}", verdict(one)),
        _ => format!("unscored: {}", visible(run.unscored.as_deref().unwrap_or_default(), SHOWN)),
    };
    let mut lines = vec![format!("  {}: {how}", visible(&run.task, SHOWN))];
    for test in run.tests.iter().filter(|test| test.public && test.message.is_some()) {
        let message = visible(test.message.as_deref().unwrap_or_default(), SHOWN);
        lines.push(format!("    {}: {}: {message}", visible(&test.name, SHOWN), verdict(test.verdict)));
    }
    lines
}
