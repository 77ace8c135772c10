//! Judge model: the answers of a model to the prompts of a run's tests, with a budget and a recording of their own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, json};

use crate::gateway::asker::Asker;
use crate::gateway::question::{Kind, Question};
use crate::gateway::refusal::Refusal;
use crate::gateway::session::{Session, Tempo, Unheard};
use crate::model::model_use::ModelUse;

/// Longest answer that a test gets to see, in bytes.
const LONGEST: usize = 64 << 10;

/// The way of one run's tests to a model, over all attempts to make it.
#[derive(Debug)]
pub struct JudgeModel {
    asker: Asker,
    timeout: Duration,
    last: Mutex<Option<Arc<Session>>>,
}

/// Result of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advised {
    /// The model's words.
    Answer(String),
    /// The budget is used up, or the provider is well and refuses this prompt; why.
    Refused(String),
    /// The provider is at fault, or this side; why.
    Fault(String),
}

impl JudgeModel {
    /// None is asked for yet.
    pub fn new(asker: Asker, timeout: Duration) -> Self {
        Self { asker, timeout, last: Mutex::default() }
    }

    /// Begins an attempt, with the whole budget.
    ///
    /// # Errors
    /// The kernel gives no descriptor.
    pub fn begin(&self) -> io::Result<()> {
        *self.last.lock() = Some(Arc::new(self.asker.session(Tempo::AtOnce)?));
        Ok(())
    }

    /// Puts a prompt to the model, whose answer comes later; none comes before an attempt has begun.
    pub fn ask(&self, prompt: String) -> Receiver<Advised> {
        let (told, coming) = channel();
        let model = self.asker.grant.allow.first().cloned().unwrap_or_default();
        if let Some(session) = self.last.lock().clone() {
            self.asker.runtime.spawn_blocking(move || {
                // Nobody hears it if the run was stopped meanwhile.
                let _ = told.send(answer(&session, model, prompt));
            });
        }
        coming
    }

    /// Questions of the last attempt, and what they took.
    pub fn used(&self) -> ModelUse {
        self.last.lock().take().map_or_else(ModelUse::default, |session| session.budget.close(self.timeout))
    }
}

fn answer(session: &Session, model: String, prompt: String) -> Advised {
    let fields = [
        ("model".to_owned(), model.into()),
        ("messages".to_owned(), json!([{ "role": "user", "content": prompt }])),
    ];
    let answer = Question::of(Kind::Chat, Map::from_iter(fields))
        .map_err(Unheard::Refused)
        .and_then(|question| session.exchange(&question));
    match answer {
        Ok(answer) => {
            let words = answer["choices"][0]["message"]["content"].as_str().unwrap_or_default();
            Advised::Answer(words[..words.floor_char_boundary(LONGEST)].to_owned())
        }
        Err(Unheard::Refused(Refusal { message, .. })) => Advised::Refused(message),
        Err(Unheard::Fault) => Advised::Fault(session.fault().unwrap_or("the gateway failed").to_owned()),
    }
}
