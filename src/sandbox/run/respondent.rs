//! Respondent of a run: an agent in its cell answers the judge, and its answers are kept; or a recording of it does.

use std::time::Duration;

use crate::config::Limits;
use crate::model::claims::{Exchange, Exchanges, Reply, question};
use crate::model::report::Usage;
use crate::sandbox::Fault;
use crate::sandbox::containers::death_log::DeathLog;
use crate::sandbox::run::cell::LiveCell;
use crate::sandbox::run::judge::Request;
use crate::task::Task;

/// Why there is no reply to a request.
pub enum NoReply {
    /// The engine failed.
    Engine(Fault),
    /// A recording has none; why.
    Unrecorded(&'static str),
}

/// One who answers a judge's questions.
pub trait Respondent {
    /// Begins a test, which may have a limit of its own.
    fn enter_test(&mut self, limit: Option<Duration>);

    /// The reply to a request.
    ///
    /// # Errors
    /// There is none, and that is not the agent's doing.
    fn ask(&mut self, request: &Request) -> Result<Reply, NoReply>;

    /// Meets a judge that knows nothing of what the agent has shown another one.
    ///
    /// # Errors
    /// The engine failed.
    fn renew(&mut self) -> Result<(), NoReply>;

    /// Ends the run and tells what it used, and the end of what the agent wrote to stderr.
    fn finish(&mut self) -> (Usage, String);
}

/// An agent in its cell.
pub struct InCell<'a> {
    cell: &'a mut LiveCell,
    deaths: &'a DeathLog,
    exchanges: Exchanges,
}

impl<'a> InCell<'a> {
    /// Begins a run.
    pub fn begin(cell: &'a mut LiveCell, deaths: &'a DeathLog, task: &Task, limits: &Limits) -> Self {
        cell.begin(task, limits);
        Self { cell, deaths, exchanges: Exchanges::default() }
    }

    /// All that was asked and answered; None where it was too much to be kept, or threads asked it.
    pub fn exchanges(self) -> Option<Vec<Exchange>> {
        self.exchanges.whole()
    }
}

impl Respondent for InCell<'_> {
    fn enter_test(&mut self, limit: Option<Duration>) {
        self.cell.enter_test(limit);
    }

    fn ask(&mut self, request: &Request) -> Result<Reply, NoReply> {
        let reply = self.cell.ask(request, self.deaths).map_err(NoReply::Engine)?;
        if is_of_threads(&request.payload) {
            self.exchanges.give_up();
        }
        self.exchanges.add(request.digest(), &reply);
        Ok(reply)
    }

    fn renew(&mut self) -> Result<(), NoReply> {
        self.cell.renew(self.deaths).map_err(NoReply::Engine)
    }

    fn finish(&mut self) -> (Usage, String) {
        self.cell.finish()
    }
}

impl Request {
    /// The request as claims name it.
    pub fn digest(&self) -> String {
        question(self.kind.into(), &self.payload)
    }
}

/// A recording of an agent's answers.
pub struct Recorded<'a> {
    rest: std::slice::Iter<'a, Exchange>,
}

impl<'a> Recorded<'a> {
    /// From the first answer on.
    pub fn new(exchanges: &'a [Exchange]) -> Self {
        Self { rest: exchanges.iter() }
    }
}

impl Respondent for Recorded<'_> {
    fn enter_test(&mut self, _limit: Option<Duration>) {}

    fn ask(&mut self, request: &Request) -> Result<Reply, NoReply> {
        match self.rest.next() {
            Some(exchange) if exchange.asked == request.digest() => Ok(exchange.reply.clone()),
            Some(_) => Err(NoReply::Unrecorded("the judge asks something else than was answered")),
            None => Err(NoReply::Unrecorded("the judge asks more than was answered")),
        }
    }

    fn renew(&mut self) -> Result<(), NoReply> {
        Ok(())
    }

    fn finish(&mut self) -> (Usage, String) {
        (Usage::default(), String::new())
    }
}

/// True for the word of a judge whose test has nothing to ask, while threads may have (guest/lines.py).
pub fn is_idle(payload: &[u8]) -> bool {
    payload == b"{\"pass\": \"idle\"}"
}

/// True for a question among those of several threads (guest/lines.py). It is chance in which order they come, so such a run can't be
/// judged anew.
fn is_of_threads(payload: &[u8]) -> bool {
    let tail = String::from_utf8_lossy(&payload[payload.len().saturating_sub(LONGEST_LINE)..]);
    let number = tail.rsplit_once(", \"line\": ").and_then(|(_, rest)| rest.strip_suffix('}'));
    payload.starts_with(b"{\"pass\": ")
        || number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Bytes at the end of a question that may name its line.
const LONGEST_LINE: usize = 24;

#[cfg(test)]
mod tests {
    use super::is_of_threads;

    #[test]
    fn questions_of_threads_are_known_by_their_lines() {
        let of_threads = [r#"{"f": "f", "a": [], "k": {}, "line": 0}"#, r#"{"pass": "idle"}"#];
        let others = [
            r#"{"f": "f", "a": [], "k": {"n": 1, "line": 2}}"#,
            r#"{"f": "f", "a": [", \"line\": 2"], "k": {}}"#,
            "{}",
            "",
        ];
        for (texts, wanted) in [(&of_threads[..], true), (&others[..], false)] {
            for text in texts {
                assert_eq!(is_of_threads(text.as_bytes()), wanted, "{text}");
            }
        }
    }
}
