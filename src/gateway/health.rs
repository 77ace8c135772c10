//! Health of the provider: whose fault it is that a question has no answer.
//!
//! An agent's question may be what a provider breaks over, and then it is the agent's own. So whoever gets no answer has a
//! harmless question put to the same model: if that is answered, or another one was since, the provider is well. No agent can
//! choose to be unscored, and no fault of the provider is scored. A model that refuses the harmless question may only not be
//! asked in this way: then it is put in the others, and whatever comes of them, nobody else is stopped.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::gateway::provider::{Answer, MODELS, Provider, said};
use crate::gateway::question::{Kind, Question};
use crate::ui::{Event, Events};

/// How long a provider that is down is not asked again.
const RECHECK: Duration = Duration::from_secs(30);

/// Longest time for an answer to a harmless question.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tokens of such an answer.
const LONGEST: u64 = 16;

/// A model, and how it is asked.
type Model = (Kind, String);

/// Knowledge of how the provider is.
#[derive(Debug)]
pub struct Health {
    provider: Arc<Provider>,
    patience: Duration,
    events: Events,
    models: Mutex<HashMap<Model, Arc<Mutex<Known>>>>,
    /// Held by whoever looks whether the provider is there.
    looking: Mutex<()>,
    state: Mutex<State>,
}

/// Results of the last questions to a model.
#[derive(Debug, Default)]
struct Known {
    well: Option<Instant>,
    ill: Option<(Instant, String)>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Unknown,
    Up,
    Down {
        looked: Instant,
        reason: String,
        /// The model that did not answer; None: nothing did.
        model: Option<Model>,
    },
}

/// Outcome of a harmless question.
#[derive(Debug)]
enum Control {
    /// It was answered.
    Well,
    /// It was refused as no question to this model.
    Refused,
    /// There is no answer to be had; the reason.
    Ill(String),
}

impl Health {
    /// Nothing is known yet.
    pub fn new(provider: Arc<Provider>, timeout: Duration, events: Events) -> Self {
        let (models, looking, state) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { provider, patience: PATIENCE.min(timeout), events, models, looking, state }
    }

    /// Notes that a model has answered.
    pub fn note_well(&self, question: &Question) {
        self.known(question.kind, question.model()).lock().well = Some(Instant::now());
        *self.state.lock() = State::Up;
    }

    /// Fails if the provider does not answer a harmless question either, and none was answered since `began`. Then it
    /// counts as down, and `reason` is told.
    ///
    /// # Errors
    /// The provider is at fault; the reason.
    pub fn check(&self, question: &Question, began: Instant, reason: &str) -> Result<(), String> {
        let (kind, model) = (question.kind, question.model());
        let known = self.known(kind, model);
        let mut known = known.lock(); // one looks, the others wait for what comes of it
        if known.well.is_some_and(|at| at >= began) {
            return Ok(());
        }
        if let Some((_, ill)) = known.ill.as_ref().filter(|(at, _)| *at >= began) {
            return Err(ill.clone());
        }
        match self.control(kind, model) {
            Control::Well => {
                known.well = Some(Instant::now());
                return Ok(());
            }
            Control::Refused => {}
            Control::Ill(_) => self.note_down(reason, Some((kind, model.to_owned()))),
        }
        known.ill = Some((Instant::now(), reason.to_owned()));
        Err(reason.to_owned())
    }

    /// Fails if the provider is down. It is looked for before the first question, and now and then once it was away.
    ///
    /// # Errors
    /// It is; the reason.
    pub fn is_there(&self) -> Result<(), String> {
        let _one_at_a_time = self.looking.lock();
        let asked = match &*self.state.lock() {
            State::Up => return Ok(()),
            State::Down { looked, reason, .. } if looked.elapsed() < RECHECK => return Err(reason.clone()),
            State::Down { model, .. } => model.clone(),
            State::Unknown => None,
        };
        let answered = match &asked {
            Some((kind, model)) => match self.control(*kind, model) {
                Control::Well | Control::Refused => Ok(()), // it is there, at any rate
                Control::Ill(reason) => Err(reason),
            },
            None => self.look(),
        };
        match &answered {
            Ok(()) => *self.state.lock() = State::Up,
            Err(reason) => self.note_down(reason, asked),
        }
        answered
    }

    /// Puts a harmless question; in other ways, too, where the model refuses this one.
    fn control(&self, kind: Kind, model: &str) -> Control {
        let first = self.control_of(kind, model);
        let mut others = Kind::ALL.into_iter().filter(|other| *other != kind);
        let is_well = |kind| matches!(self.control_of(kind, model), Control::Well);
        match first {
            Control::Refused if others.any(is_well) => Control::Well,
            other => other,
        }
    }

    fn control_of(&self, kind: Kind, model: &str) -> Control {
        let question = Question::control(kind, model);
        let ask = |newer_name| {
            let body = question.limited(LONGEST, newer_name);
            self.provider.post(kind, &body, self.patience)
        };
        let answer = match ask(false) {
            Ok(answer) if answer.wants_newer_name() => ask(true),
            other => other,
        };
        match answer {
            Ok(answer) if (200..300).contains(&answer.status) && question.answer(&answer.body).is_some() => {
                Control::Well
            }
            Ok(answer) if is_refusal(answer.status) => Control::Refused,
            Ok(answer) => Control::Ill(self.complaint(kind.path(), &answer)),
            Err(unanswered) => Control::Ill(unanswered.reason),
        }
    }

    /// Looks whether the provider takes requests; some have no list of models.
    fn look(&self) -> Result<(), String> {
        match self.provider.models(self.patience) {
            Ok(answer) if matches!(answer.status, 401 | 402 | 403 | 429 | 500..) => {
                Err(self.complaint(MODELS, &answer))
            }
            Ok(_) => Ok(()),
            Err(unanswered) => Err(unanswered.reason),
        }
    }

    fn complaint(&self, path: &str, answer: &Answer) -> String {
        self.provider.complaint(path, &said(answer.status, &answer.body))
    }

    /// Says so once.
    fn note_down(&self, reason: &str, model: Option<Model>) {
        let new = State::Down { looked: Instant::now(), reason: reason.to_owned(), model };
        let before = std::mem::replace(&mut *self.state.lock(), new);
        if !matches!(before, State::Down { .. }) {
            let text = format!(
                "no model to ask: {reason}; runs that need one stay unscored and are made by the next run"
            );
            self.events.send(Event::Warning(text));
        }
    }

    fn known(&self, kind: Kind, model: &str) -> Arc<Mutex<Known>> {
        Arc::clone(self.models.lock().entry((kind, model.to_owned())).or_default())
    }
}

/// Tells whether the status says that a question is none to this model, and not that the provider is in need of anything.
fn is_refusal(status: u16) -> bool {
    matches!(status, 400..=499 | 501) && !matches!(status, 401 | 402 | 403 | 408 | 429)
}
