//! Session: one attempt of a run at its model, with its budget and its recording. A question goes from here to the provider,
//! and what comes of it is the agent's to hear, or the provider's fault.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Semaphore;

use crate::gateway::budget::Budget;
use crate::gateway::event_fd::EventFd;
use crate::gateway::health::Health;
use crate::gateway::provider::{Provider, said, words};
use crate::gateway::question::{Question, tokens_of};
use crate::gateway::recording::{Known, Recording};
use crate::gateway::refusal::Refusal;

/// Pauses before the second, third... try, where the provider does not say how long; a throttled question has the last one
/// again and again.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(8)];

/// Tries after which a throttled question is the agent's own, if a harmless one is answered at once.
const THROTTLED_TRIES: u32 = 4;

/// Longest pause that a provider may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Shortest time that a provider is given for an answer.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);

/// The provider, and how it is.
#[derive(Debug)]
pub struct Source {
    /// The provider.
    pub provider: Arc<Provider>,
    /// Its health.
    pub health: Health,
    /// Longest time for one answer.
    pub timeout: Duration,
    /// Why it can't be asked: there is no key.
    pub no_key: Option<String>,
}

/// Speed of recorded answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tempo {
    /// At once: the run was made before, and is made again.
    AtOnce,
    /// As when they were new: an agent must not tell a second attempt of the same run from its first.
    AsRecorded,
}

/// One attempt of a run.
#[derive(Debug)]
pub struct Session {
    source: Arc<Source>,
    /// The run's budget.
    pub budget: Budget,
    recording: Arc<Recording>,
    tempo: Tempo,
    /// Places for questions that are open at the same time.
    pub places: Arc<Semaphore>,
    fault: OnceLock<String>,
    /// Readable when there is something for the cell, or at a fault.
    pub news: EventFd,
}

/// Why a question has no answer.
#[derive(Debug)]
pub enum Unheard {
    /// The agent is told so.
    Refused(Refusal),
    /// The provider, or this side, is at fault: nobody is told, and the run ends.
    Fault,
}

/// Why a provider gave no answer.
enum Trouble {
    /// It is well: the question, asked so many times, is at fault.
    Own(Refusal, u32),
    /// Nobody waits for the answer any more, so it was not asked for to the end.
    Gone(Refusal),
    /// It is not well.
    Fault(String),
}

/// One try that gave no answer.
struct Failed {
    reason: String,
    refusal: Refusal,
    /// How long it asks to wait.
    wish: Option<Duration>,
    again: Again,
}

/// Use of another try.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// None: it would be the same.
    Never,
    /// A few may help.
    AFewTimes,
    /// The provider throttles: there is an answer for whoever waits long enough.
    Throttled,
}

impl Again {
    /// By the status of an answer.
    fn at(status: u16) -> Self {
        match status {
            429 => Self::Throttled,
            501 => Self::Never,
            408 | 409 | 425 | 500.. => Self::AFewTimes,
            _ => Self::Never,
        }
    }
}

impl Session {
    /// A session of which nothing is used.
    ///
    /// # Errors
    /// The kernel gives no descriptor.
    pub fn new(
        source: Arc<Source>,
        budget: Budget,
        recording: Arc<Recording>,
        tempo: Tempo,
    ) -> io::Result<Self> {
        let places = Arc::new(Semaphore::new(budget.grant().at_once.into()));
        Ok(Self { source, budget, recording, tempo, places, fault: OnceLock::new(), news: EventFd::new()? })
    }

    /// A session with one place, and nobody to ask.
    #[cfg(test)]
    pub fn sample() -> Self {
        use std::path::Path;

        let pipeline = crate::config::parse(Path::new("p"), b"llm: {base_url: 'http://127.0.0.1:1/v1'}");
        let provider = Arc::new(Provider::new(&pipeline.unwrap().llm, None).unwrap());
        let timeout = Duration::ZERO;
        let health = Health::new(Arc::clone(&provider), timeout, crate::ui::Events::channel().0);
        let source = Arc::new(Source { provider, health, timeout, no_key: None });
        let grant = crate::config::grant::Grant { at_once: 1, ..crate::config::grant::Grant::sample() };
        let budget = Budget::new(grant, crate::gateway::budget::Prices::new(), None);
        let recording = Arc::new(Recording::open(Path::new("/nowhere"), "k", false).unwrap());
        Self::new(source, budget, recording, Tempo::AtOnce).unwrap()
    }

    /// The provider's fault that ends the run.
    pub fn fault(&self) -> Option<&str> {
        self.fault.get().map(String::as_str)
    }

    /// Answers a question, by the recording or by the provider. Waits as long as that takes.
    ///
    /// # Errors
    /// The question is refused, or the run is at its end by somebody else's fault.
    pub fn exchange(&self, question: &Question) -> Result<Value, Unheard> {
        let admitted = self.budget.admit(question).map_err(Unheard::Refused)?;
        if let Some(known) = self.recording.recall(question) {
            if self.tempo == Tempo::AsRecorded {
                self.budget.waiting(|| std::thread::sleep(Duration::from_millis(known.took_ms)));
            }
            self.budget.note_waited(Duration::from_millis(known.waited_ms));
            admitted.settle(question, [known.tokens_in, known.tokens_out]);
            return heard(known.status, known.answer);
        }
        let (began, mut tries) = (Instant::now(), 1);
        let result = self.budget.waiting(|| self.ask(question, admitted.longest, began));
        let (status, answer) = match result {
            Ok(answer) => (200, answer),
            Err(Trouble::Own(refusal, asked)) => {
                tries = asked.into();
                (refusal.status, refusal.body())
            }
            Err(Trouble::Gone(refusal)) => return Err(Unheard::Refused(refusal)),
            Err(Trouble::Fault(reason)) => return Err(self.fail(reason)),
        };
        let tokens = match status {
            200 => question.tokens(&answer),
            // There may have been answers, which the provider wants to be paid: no longer than they were to be.
            502 | 504 => {
                let longest = admitted.longest.saturating_mul(question.choices());
                [tokens_of(question.size()), longest].map(|tokens| tokens.saturating_mul(tries))
            }
            _ => [0, 0],
        };
        let cost = admitted.settle(question, tokens);
        let known = Known {
            key: question.key(),
            status,
            answer: answer.clone(),
            tokens_in: tokens[0],
            tokens_out: tokens[1],
            took_ms: began.elapsed().as_millis() as u64,
            waited_ms: self.budget.waited().as_millis() as u64,
        };
        match self.recording.add(question, known, cost) {
            Ok(()) => heard(status, answer),
            Err(error) => Err(self.fail(format!("an answer can't be recorded: {error}"))),
        }
    }

    /// Ends the run, which nobody is scored for; tells the reason.
    pub fn fail(&self, reason: String) -> Unheard {
        let _ = self.fault.set(reason);
        self.news.signal();
        Unheard::Fault
    }

    /// Asks the provider, again where that may help and there is time for it.
    fn ask(&self, question: &Question, longest: u64, began: Instant) -> Result<Value, Trouble> {
        let Source { health, no_key, .. } = &*self.source;
        if let Some(reason) = no_key {
            return Err(Trouble::Fault(reason.clone()));
        }
        let (mut newer_name, mut pauses, mut tries) = (false, PAUSES.iter().copied(), 0);
        loop {
            let failed = match self.ask_once(question, longest, &mut newer_name) {
                Ok(answer) => {
                    health.note_well(question);
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            tries += 1;
            let pause = match failed.again {
                Again::Never => None,
                Again::AFewTimes => pauses.next(),
                Again::Throttled => pauses.next().or(PAUSES.last().copied()),
            };
            let wish = pause.map(|pause| failed.wish.map_or(pause, |wish| wish.max(PAUSES[0])));
            let wish = wish.filter(|wish| *wish < self.budget.patience().min(LONGEST_PAUSE));
            if wish.is_none() {
                health.check(question, began, &failed.reason).map_err(Trouble::Fault)?;
            }
            // Others are answered. A question that is throttled again and again even so is the agent's own choice.
            let again = failed.again == Again::Throttled && tries < THROTTLED_TRIES;
            match wish.or(pause.filter(|_| again)) {
                Some(_) if self.budget.is_closed() => return Err(Trouble::Gone(failed.refusal)),
                Some(pause) => std::thread::sleep(pause),
                None => return Err(Trouble::Own(failed.refusal, tries)),
            }
        }
    }

    /// One try; another one at once where the provider only wants the newer name of the limit.
    fn ask_once(
        &self,
        question: &Question,
        longest: u64,
        newer_name: &mut bool,
    ) -> Result<Value, Box<Failed>> {
        let Source { provider, timeout, .. } = &*self.source;
        let patience = (*timeout).min(self.budget.patience().max(LEAST_PATIENCE));
        let body = question.limited(longest, *newer_name);
        match provider.post(question.kind, &body, patience) {
            Ok(answer) if (200..300).contains(&answer.status) => {
                question.answer(&answer.body).ok_or_else(|| Box::new(self.nonsense(question)))
            }
            Ok(answer) if !*newer_name && answer.wants_newer_name() => {
                *newer_name = true;
                self.ask_once(question, longest, newer_name)
            }
            Ok(answer) => Err(Box::new(Failed {
                reason: provider.complaint(question.kind.path(), &said(answer.status, &answer.body)),
                refusal: Refusal::of_provider(answer.status, provider.anonymous(&words(&answer.body))),
                wish: answer.retry_after,
                again: Again::at(answer.status),
            })),
            Err(unanswered) => Err(Box::new(Failed {
                reason: unanswered.reason,
                refusal: Refusal::of_provider(504, "the model gave no answer".to_owned()),
                wish: None,
                again: if unanswered.passing { Again::AFewTimes } else { Again::Never },
            })),
        }
    }

    fn nonsense(&self, question: &Question) -> Failed {
        let path = question.kind.path();
        let reason = self.source.provider.complaint(path, "its answer is not one of OpenAI's kind");
        let refusal = Refusal::of_provider(502, "the model's answer can't be read".to_owned());
        Failed { reason, refusal, wish: None, again: Again::AFewTimes }
    }
}

/// A recorded or new answer as the agent hears it.
fn heard(status: u16, answer: Value) -> Result<Value, Unheard> {
    if status == 200 {
        return Ok(answer);
    }
    let words = answer["error"]["message"].as_str().unwrap_or_default().to_owned();
    Err(Unheard::Refused(Refusal::of_provider(status, words)))
}
