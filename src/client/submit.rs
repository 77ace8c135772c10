//! Submitting from the command line, here or at a platform, and waiting for the verdict.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use ureq::http::header;

use crate::config::{MOST_BYTES, Pipeline};
use crate::model::feedback::Feedback;
use crate::model::joined;
use crate::model::miner_id::Miner;
use crate::model::report::{Verdict, of_sample};
use crate::pipeline::intake::{self, Bounds};
use crate::pipeline::score;
use crate::status::{
    self, Board, Evaluated, Line, OwnRun, OwnTest, RankingIndex, SameBytes, Shown, State, View,
};
use crate::submission::{self, Channel, Compiler};
use crate::util::first_few::first_few;
use crate::util::http_client;
use crate::util::text::visible;

/// The environment variable that holds the platform's token.
pub const TOKEN: &str = "AGENTMILL_TOKEN";

/// How long a platform may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the outcome is looked for.
const POLL_HERE: Duration = Duration::from_millis(250);
const POLL_THERE: Duration = Duration::from_secs(2);

/// A verdict that takes longer may never come.
const LATE: Duration = Duration::from_secs(30);

/// The most of foreign text that is shown.
const SHOWN: usize = 300;

/// Most tests of a run that are told.
const MOST_TESTS: usize = 20;

/// Destination of a submission.
pub enum Target<'a> {
    /// The inbox of this folder.
    Here(&'a Pipeline),
    /// A platform.
    There(Platform),
}

/// A platform's HTTP API.
pub struct Platform {
    agent: ureq::Agent,
    url: String,
    token: Option<String>,
}

impl Platform {
    /// The platform at `url`; its token is taken from the environment.
    ///
    /// # Errors
    /// The text is no URL of a platform, or `SSL_CERT_FILE` is of no use.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        ensure!(
            url.starts_with("http://") || url.starts_with("https://"),
            "expected a platform's URL such as https://mill.example, found {url:?}"
        );
        let agent = http_client::agent(PATIENCE)?;
        let token =
            std::env::var(TOKEN).ok().map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
        Ok(Self { agent, url: url.trim_end_matches('/').to_owned(), token })
    }

    fn authorization(&self) -> String {
        self.token.as_ref().map_or_else(String::new, |token| format!("Bearer {token}"))
    }

    fn submit(&self, miner: &Miner, source: &[u8]) -> anyhow::Result<Submitted> {
        let url = format!("{}/upload/agent?miner_id={miner}", self.url);
        let mut request = self.agent.put(&url).header(header::CONTENT_TYPE, "text/x-python");
        if self.token.is_some() {
            request = request.header(header::AUTHORIZATION, self.authorization());
        }
        let mut response = request.send(source).map_err(|error| self.unreached(&error))?;
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_string().unwrap_or_default();
        ensure!(matches!(status, 200 | 201), "{}", self.refusal(status, &body));
        submitted(&body).with_context(|| format!("{} is no agentmill", self.url))
    }

    fn view(&self, miner: &Miner) -> anyhow::Result<Option<View>> {
        let mut request = self.agent.get(format!("{}/agents/{miner}", self.url));
        if self.token.is_some() {
            request = request.header(header::AUTHORIZATION, self.authorization());
        }
        let mut response = request.call().map_err(|error| self.unreached(&error))?;
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

    fn unreached(&self, error: &ureq::Error) -> anyhow::Error {
        anyhow!("{} can't be reached: {}", self.url, http_client::said(error))
    }

    /// Reason that the platform gave, with the line in the file.
    fn refusal(&self, status: u16, body: &str) -> String {
        let answer: Value = serde_json::from_str(body).unwrap_or_default();
        let line = answer["line"].as_u64().map_or_else(String::new, |line| format!("line {line}: "));
        let error = answer["error"].as_str().unwrap_or(body);
        let hint = match status {
            401 if self.token.is_none() => format!("; {TOKEN} in the environment holds the token"),
            404 => "; --to takes the platform's address alone, such as https://mill.example".to_owned(),
            _ => String::new(),
        };
        format!("{} refuses it (HTTP {status}): {line}{}{hint}", self.url, visible(error, SHOWN))
    }
}

/// Answer to a submission.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    /// Hex sha256 of the submitted bytes.
    pub sha256: String,
    /// `accepted` or `unchanged`.
    pub status: String,
}

/// A platform's answer; None if it is none. Both parts are shown: whoever answers there decides nothing of what a terminal does.
fn submitted(body: &str) -> Option<Submitted> {
    let answer: Submitted = serde_json::from_str(body).ok()?;
    let is_digest = answer.sha256.len() == 64 && answer.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_digest && matches!(answer.status.as_str(), "accepted" | "unchanged")).then_some(answer)
}

impl Target<'_> {
    /// Submits a source for a miner.
    ///
    /// # Errors
    /// Why it was not taken.
    pub fn submit(&self, miner: &Miner, source: &[u8], channel: Channel) -> anyhow::Result<Submitted> {
        match self {
            Self::There(platform) => platform.submit(miner, source),
            Self::Here(pipeline) => {
                let here = Instant::now();
                let checked = submission::check(source, pipeline);
                let admitted = checked.and_then(|()| submission::admit(pipeline, miner, source, here));
                let compiled = admitted.and_then(|()| Compiler::default().check(source, pipeline));
                let submit = |()| submission::submit(pipeline, miner, source, (channel, here));
                let submitted =
                    compiled.and_then(submit).map_err(|refused| anyhow!("{}", refused.sentence()));
                let (receipt, changed) = submitted?;
                let status = if changed { "accepted" } else { "unchanged" };
                Ok(Submitted { sha256: receipt.sha256, status: status.to_owned() })
            }
        }
    }

    /// Waits until the miner's submission is evaluated; None if that takes longer than `patience`. Calls `late` once where
    /// it may be that nobody is at work.
    ///
    /// # Errors
    /// It can't be asked for.
    pub fn wait(&self, miner: &Miner, patience: Duration, late: &dyn Fn()) -> anyhow::Result<Option<View>> {
        let (pause, look): (_, &dyn Fn() -> anyhow::Result<Option<View>>) = match self {
            Self::Here(pipeline) => (POLL_HERE, &|| view_here(pipeline, miner)),
            Self::There(platform) => (POLL_THERE, &|| platform.view(miner)),
        };
        if let Some(view) = poll(look, pause, LATE.min(patience))? {
            return Ok(Some(view));
        }
        late();
        poll(look, pause, patience.saturating_sub(LATE))
    }
}

/// Looks until there is a verdict; None if that takes longer than `patience`.
fn poll(
    look: &dyn Fn() -> anyhow::Result<Option<View>>,
    pause: Duration,
    patience: Duration,
) -> anyhow::Result<Option<View>> {
    let deadline = Instant::now() + patience;
    loop {
        match look()? {
            Some(view) if view.state != State::Waiting => return Ok(Some(view)),
            _ if Instant::now() >= deadline => return Ok(None),
            _ => thread::sleep(pause.min(deadline.saturating_duration_since(Instant::now()))),
        }
    }
}

fn view_here(pipeline: &Pipeline, miner: &Miner) -> anyhow::Result<Option<View>> {
    let index = match std::fs::read(pipeline.results.join("rankings.json")) {
        Ok(bytes) => Board::read(&bytes, pipeline.feedback())?.into(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => RankingIndex::default(),
        Err(error) => return Err(error.into()),
    };
    Ok(status::view(miner, Shown { index: &index, since: None }, pipeline, true))
}

/// Reads a source, of a folder all its files, but not more than is ever taken.
///
/// # Errors
/// It can't be read, or is too large.
pub fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read;
    let context = || format!("can't read {}", file.display());
    if file.is_dir() {
        let (folder, bounds) = (file.canonicalize()?, Bounds::widest(joined::MOST));
        return intake::joined(&folder, bounds).map_err(|why| anyhow!("{}: {why}", file.display()));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .with_context(context)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(context)?;
    ensure!(bytes.len() as u64 <= MOST_BYTES, "{} is too large for any platform", file.display());
    Ok(bytes)
}

/// The verdict in lines.
#[must_use]
pub fn outcome(view: &View) -> String {
    let mut lines = Vec::new();
    if let Some(line) = view.ranking.as_ref().filter(|_| view.state == State::Ranked) {
        lines.push(ranked(line, view.feedback));
        lines.extend(same_bytes(line));
    }
    let own = view.own.as_ref();
    lines.extend(own.and_then(|own| own.evaluated.as_ref()).map(|one| not_best(one, view)));
    if let Some(rejection) = own.and_then(|own| own.rejection.as_ref()) {
        let line = rejection.line.map_or_else(String::new, |line| format!("line {line}: "));
        lines.push(format!("{}: refused: {line}{}", view.miner, visible(&rejection.reason, SHOWN)));
    } else if let Some(told) = without_verdict(view.state) {
        lines.push(format!("{}: {told}", view.miner));
    }
    let is_judged = matches!(view.state, State::Ranked | State::Evaluated);
    for run in own.into_iter().flat_map(|own| &own.runs).filter(|_| is_judged) {
        lines.extend(run_lines(run));
    }
    lines.join("\n")
}

/// The state in words, where nothing else is to be told.
fn without_verdict(state: State) -> Option<&'static str> {
    match state {
        State::Ranked | State::Evaluated => None,
        State::Refused => Some("refused"),
        State::Withdrawn => Some("withdrawn"),
        State::Waiting => Some("waiting for its evaluation"),
        State::Absent => Some("nothing was submitted"),
    }
}

fn ranked(line: &Line, feedback: Feedback) -> String {
    if !feedback.shows_ranking() {
        return format!("{}: evaluated; scores are not shown here", line.miner);
    }
    format!("{}: {}", line.miner, scored(line))
}

fn scored(line: &Line) -> String {
    let rank = line.rank.map_or_else(|| "no rank".to_owned(), |rank| format!("rank {rank}"));
    let tests = line.passed.map_or_else(String::new, |passed| format!(", {passed} of {} tests", line.tests));
    format!("{} ({rank}{tests}){}", told(line.score), late(line.penalty))
}

/// A submission that is not its miner's best, and the one that stands.
fn not_best(one: &Evaluated, view: &View) -> String {
    let miner = &view.miner;
    if !view.feedback.shows_ranking() {
        let stands = if view.frozen { "" } else { ", and your best one stands" };
        return format!("{miner}: evaluated{stands}; scores are not shown here");
    }
    let tests = one.passed.map_or_else(String::new, |passed| format!(" ({passed} of {} tests)", one.tests));
    if view.frozen {
        let (score, late) = (told(one.score), late(one.penalty));
        return format!("{miner}: {score}{tests}{late}; the board is frozen: no place is told for now");
    }
    let best = view.ranking.as_ref().map_or_else(String::new, |line| format!(" with {}", scored(line)));
    format!("{miner}: {}{tests}{}: your best one stands{best}", told(one.score), late(one.penalty))
}

fn told(score: Option<f64>) -> String {
    score.map_or_else(|| "unscored".to_owned(), |score| score.to_string())
}

fn late(penalty: Option<f64>) -> String {
    score::lateness(penalty).map_or_else(String::new, |late| format!(", {late}"))
}

/// A sentence on those with the same bytes, and on the reward where there are any; None if nobody has them.
fn same_bytes(line: &Line) -> Option<String> {
    let earns = |text: &'static str| if line.reward.is_some() { text } else { "" };
    let others = |miners: &[Miner]| match miners {
        [] => "another".to_owned(),
        some => first_few(some),
    };
    Some(match line.same_bytes? {
        SameBytes::Copied => {
            let other = others(line.duplicate_of.as_slice());
            format!("  a copy of what {other} submitted before{}", earns(", which earns nothing"))
        }
        SameBytes::Undecided => {
            let others = others(&line.same_as);
            let earns = earns(": it earns nothing for now");
            format!("  the same bytes as {others}, and nobody can tell who was first{earns}")
        }
    })
}

fn run_lines(run: &OwnRun) -> Vec<String> {
    let how = match (run.verdict, run.score, &run.unscored) {
        (_, _, Some(unscored)) => format!("unscored: {}", visible(unscored, SHOWN)),
        (Some(one), Some(score), None) => format!("{} {score}", one.name()),
        _ if run.task_fault => "task_fault: counts for nobody".to_owned(),
        _ => "evaluated".to_owned(),
    };
    let name = visible(&run.task, SHOWN) + &of_sample(run.sample);
    let mut lines = vec![format!("  {name}: {how}")];
    lines.extend(asked(run));
    let told: Vec<String> = run.tests.iter().filter_map(test_line).collect();
    let more = told.len().saturating_sub(MOST_TESTS);
    lines.extend(told.into_iter().take(MOST_TESTS));
    lines.extend((more > 0).then(|| format!("    and {more} more")));
    lines
}

/// The run's own questions to models, where the run is shown whole: of hidden tests, their number could tell what was asked.
fn asked(run: &OwnRun) -> Option<String> {
    let usage = run.usage.filter(|_| run.stderr.is_some())?;
    usage.model.map(|model| format!("    asked of models: {model}"))
}

/// A test with its message, and one that did not pass or is worth nothing without; none for others.
fn test_line(test: &OwnTest) -> Option<String> {
    let (name, verdict) = (visible(&test.name, SHOWN), test.verdict.name());
    match &test.message {
        Some(message) => Some(format!("    {name}: {verdict}: {}", visible(message, SHOWN))),
        // Public tests alone have a worth here that hidden ones decide.
        None if test.verdict == Verdict::Passed && test.share == Some(0.0) => {
            Some(format!("    {name}: {verdict}, worth nothing, as its folder is all or nothing"))
        }
        None => (test.verdict != Verdict::Passed).then(|| format!("    {name}: {verdict}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_with_anything_else_in_it_is_none() {
        let answer = |sha256: &str, status: &str| {
            submitted(&serde_json::json!({ "sha256": sha256, "status": status }).to_string()).is_some()
        };
        let sha256 = "a1".repeat(32);
        assert!(answer(&sha256, "accepted") && answer(&sha256, "unchanged"));
        assert!(
            !answer(&sha256, "accepted\u{1b}[2J") && !answer(&format!("\u{1b}]0;x\u{7}{sha256}"), "accepted")
        );
    }

    #[test]
    fn what_a_budget_refused_is_told_of_runs_that_are_shown_whole() {
        let used = json!({
            "requests": 5, "tokens_in": 900, "tokens_out": 40, "cost": 0.5, "refused": 3, "over": {"cost": true},
        });
        let run = |stderr: Option<&str>| -> OwnRun {
            let usage = json!({"wall_ms": 1, "cpu_ms": 1, "max_rss_kib": 1, "model": used});
            let run = json!({
                "stage": "main", "task": "audit", "verdict": "error", "score": 0.0, "tests": [], "usage": usage,
                "stderr": stderr,
            });
            serde_json::from_value(run).unwrap()
        };
        let line =
            "    asked of models: 5 requests, 900 tokens in, 40 out, $0.5; 3 refused over the budget of cost";
        assert_eq!(run_lines(&run(Some(""))), ["  audit: error 0", line]);
        assert_eq!(run_lines(&run(None)), ["  audit: error 0"], "some of its tests are hidden");
    }
}
