//! Health of the provider: whose fault it is that a question has no answer.
//!
//! An agent's question may be what a provider breaks over, and then it is the agent's own. So whoever gets no answer has a
//! harmless question put to the same model: if that is answered, or another one was since, the provider is well. No agent can
//! choose to be unscored, and no fault of the provider is scored. A model that does not answer the harmless question may only
//! not be asked in this way: then it is put in the others, unless the provider says that it is throttled or unpaid. So nobody
//! else is stopped by a way, or a model, that no one needs.
//!
//! A model that is refused in every way by a provider that lists others, or answers them, is not served: that is nobody's outage, but a
//! mistake of the configuration, and is told as one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::Value;

use crate::gateway::provider::{Answer, MODELS, Provider, said};
use crate::gateway::question::{Kind, Question};
use crate::model::report::UNSERVED;
use crate::ui::{Event, Events};
use crate::util::first_few::first_few;
use crate::util::text::visible;

/// How long a provider that is down is not asked again.
const RECHECK: Duration = Duration::from_secs(30);

/// Longest time for an answer to a harmless question.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a model that has answered counts as one that does.
const LATELY: Duration = Duration::from_secs(60);

/// Tokens of such an answer.
const LONGEST: u64 = 16;

/// Most characters of a listed model's name.
const LONGEST_NAME: usize = 200;

/// A model, and how it is asked.
type Model = (Kind, String);

/// Knowledge of how the provider is.
#[derive(Debug)]
pub struct Health {
    provider: Arc<Provider>,
    patience: Duration,
    events: Events,
    /// All models that runs may ask.
    granted: Vec<String>,
    models: Mutex<HashMap<Model, Arc<Mutex<Known>>>>,
    /// Held by whoever looks whether the provider is there.
    looking: Mutex<()>,
    state: Mutex<State>,
}

/// Results of the last questions to a model.
#[derive(Debug, Default)]
struct Known {
    well: Option<Instant>,
    /// It was answered only in other ways.
    unfit: Option<Instant>,
    ill: Option<(Instant, String)>,
}

#[derive(Debug, Default)]
struct State {
    /// The provider has answered something.
    is_up: bool,
    /// Outages by the model's name; under None, that of the whole provider.
    down: HashMap<Option<String>, Down>,
    /// The models that the provider lists; none where it has no list.
    listed: Vec<String>,
    /// Models that were looked for in the list.
    sought: HashSet<String>,
    /// Models of which was told that they are not served.
    unserved: HashSet<String>,
}

#[derive(Debug, Clone)]
struct Down {
    looked: Instant,
    reason: String,
}

/// Outcome of a harmless question.
#[derive(Debug)]
enum Control {
    /// It was answered.
    Well,
    /// It was refused as no question to this model.
    Refused,
    /// It may not be asked with this key; the reason.
    Forbidden(String),
    /// There is no answer to be had now, whatever is asked in this way: too much was asked, or it is unpaid; the reason.
    Denied(String),
    /// There is no answer to be had; the reason.
    Ill(String),
}

impl Health {
    /// Nothing is known yet.
    pub fn new(provider: Arc<Provider>, timeout: Duration, events: Events) -> Self {
        let (models, looking, state) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (patience, granted) = (PATIENCE.min(timeout), Vec::new());
        Self { provider, patience, events, granted, models, looking, state }
    }

    /// The same, where runs may ask these models.
    pub fn granting(self, granted: Vec<String>) -> Self {
        Self { granted, ..self }
    }

    /// Notes that a model has answered.
    pub fn note_well(&self, question: &Question) {
        self.known(question.kind, question.model()).lock().well = Some(Instant::now());
        self.note_up(&Some(question.model().to_owned()));
    }

    /// Fails if the provider does not answer a harmless question either, and none was answered since `began`. Then the
    /// model counts as down, and `reason` is told. Where it answers in other ways, this way is down if it ever was well,
    /// and else it is none to ask in, which is the agent's own fault.
    ///
    /// # Errors
    /// The provider is at fault; the reason.
    pub fn check(&self, question: &Question, began: Instant, reason: &str) -> Result<(), String> {
        let (kind, model) = (question.kind, question.model());
        let known = self.known(kind, model);
        let mut known = known.lock(); // one looks, the others wait for what comes of it
        if known.well.max(known.unfit).is_some_and(|at| at >= began) {
            return Ok(());
        }
        if let Some((_, ill)) = known.ill.as_ref().filter(|(at, _)| *at >= began) {
            return Err(ill.clone());
        }
        let control = self.control_of(kind, model);
        if matches!(control, Control::Well) {
            known.well = Some(Instant::now());
            return Ok(());
        }
        let is_refused = matches!(control, Control::Refused);
        let whole = !is_refused && self.look(&[]).is_err();
        let may_be_unfit = !whole && !matches!(control, Control::Denied(_));
        let answers = may_be_unfit && self.answers_otherwise(kind, model);
        if answers && (is_refused || known.well.is_none()) {
            known.unfit = Some(Instant::now());
            return Ok(());
        }
        let unserved = if answers { None } else { self.unserved(model, &control, reason) };
        if let Some(reason) = unserved {
            known.ill = Some((Instant::now(), reason.clone()));
            self.note_unserved(model, &reason);
            return Err(reason);
        }
        if !answers && !is_refused {
            self.note_down((!whole).then(|| model.to_owned()), reason);
        }
        known.ill = Some((Instant::now(), reason.to_owned()));
        Err(reason.to_owned())
    }

    /// Fails if none of these models is there to ask. The provider is looked for before the first question, and what was
    /// away is looked for now and then.
    ///
    /// # Errors
    /// The reason.
    pub fn is_there(&self, models: &[String]) -> Result<(), String> {
        let _one_at_a_time = self.looking.lock();
        if !self.state.lock().is_up {
            self.find(None, || self.look(models))?;
        }
        models.iter().for_each(|model| self.seek(model));
        let mut away = Ok(());
        for model in models {
            away = self.find(Some(model), || self.answers(model));
            if away.is_ok() {
                break;
            }
        }
        away
    }

    /// Looks for what is away, or was never looked for, unless that was done a moment ago.
    fn find(&self, model: Option<&String>, look: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        let model = model.cloned();
        let down = self.state.lock().down.get(&model).cloned();
        match down {
            Some(down) if down.looked.elapsed() < RECHECK => return Err(down.reason),
            None if model.is_some() => return Ok(()),
            _ => {}
        }
        let found = look();
        match &found {
            Ok(()) => self.note_up(&model),
            Err(reason) => self.note_down(model, reason),
        }
        found
    }

    /// Says so if a model is not in the provider's list, and is refused in every way, before a run depends on it. Of a model with another
    /// name in the list one harmless question is all.
    fn seek(&self, model: &str) {
        {
            let mut state = self.state.lock();
            let is_known = state.listed.is_empty() || state.listed.iter().any(|listed| listed == model);
            if is_known || !state.sought.insert(model.to_owned()) {
                return;
            }
        }
        let mut refused = String::new();
        for kind in Kind::ALL {
            match self.control_of(kind, model) {
                Control::Refused => refused = self.provider.complaint(kind.path(), "it is refused"),
                Control::Forbidden(reason) => refused = reason,
                _ => return,
            }
        }
        if let Some(reason) = self.unserved(model, &Control::Refused, &refused) {
            self.note_unserved(model, &reason);
        }
    }

    /// Why a model is not served that is refused in every way: the provider lists others, or answers them. Without that, it may be
    /// the provider itself that is away.
    fn unserved(&self, model: &str, control: &Control, refused: &str) -> Option<String> {
        let listed = self.state.lock().listed.clone();
        let is_missing = !listed.is_empty() && listed.iter().all(|listed| listed != model);
        let is_plain = match control {
            Control::Refused => is_missing || self.answers_another(model),
            Control::Forbidden(_) => self.answers_another(model),
            Control::Well | Control::Denied(_) | Control::Ill(_) => false,
        };
        let others = if listed.is_empty() {
            String::new()
        } else {
            format!("; the endpoint lists {}", first_few(&listed))
        };
        is_plain.then(|| format!("{UNSERVED}{model} ({refused}){others}"))
    }

    /// Tells whether another model that runs may ask answers a harmless question, or any question lately.
    fn answers_another(&self, model: &str) -> bool {
        let mut others = self.granted.iter().filter(|other| *other != model);
        others.any(|other| {
            let lately = |known: &Mutex<Known>| known.lock().well.is_some_and(|at| at.elapsed() < LATELY);
            Kind::ALL.into_iter().any(|kind| lately(&self.known(kind, other)))
                || Kind::ALL.into_iter().any(|kind| matches!(self.control_of(kind, other), Control::Well))
        })
    }

    /// Tells whether a model answers a harmless question in a way other than this.
    fn answers_otherwise(&self, kind: Kind, model: &str) -> bool {
        let mut others = Kind::ALL.into_iter().filter(|other| *other != kind);
        others.any(|other| matches!(self.control_of(other, model), Control::Well))
    }

    /// Fails if a model gives no answer to a harmless question in any way, nor refuses it.
    fn answers(&self, model: &str) -> Result<(), String> {
        let mut reason = String::new();
        for kind in Kind::ALL {
            match self.control_of(kind, model) {
                Control::Well | Control::Refused => return Ok(()), // it is there, at any rate
                Control::Forbidden(ill) | Control::Denied(ill) | Control::Ill(ill) => reason = ill,
            }
        }
        Err(reason)
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
            Ok(answer) if answer.status == 403 => Control::Forbidden(self.complaint(kind.path(), &answer)),
            Ok(answer) if matches!(answer.status, 402 | 429) => {
                Control::Denied(self.complaint(kind.path(), &answer))
            }
            Ok(answer) => Control::Ill(self.complaint(kind.path(), &answer)),
            Err(unanswered) => Control::Ill(unanswered.reason),
        }
    }

    /// The models that the provider lists, as of the last look; none where it has no list.
    pub(super) fn listed(&self) -> Vec<String> {
        self.state.lock().listed.clone()
    }

    /// Looks whether the provider takes requests. Some have no list of models, and to some keys it is closed: then one of
    /// these models is asked.
    pub(super) fn look(&self, models: &[String]) -> Result<(), String> {
        let answer = self.provider.models(self.patience).map_err(|unanswered| unanswered.reason)?;
        self.state.lock().listed = listed(&answer);
        match answer.status {
            403 if models.iter().any(|model| self.answers(model).is_ok()) => Ok(()),
            401..=403 | 429 | 500 | 502..=504 | 506.. => Err(self.complaint(MODELS, &answer)),
            _ => Ok(()),
        }
    }

    fn complaint(&self, path: &str, answer: &Answer) -> String {
        self.provider.complaint(path, &said(answer.status, &answer.body))
    }

    fn note_up(&self, model: &Option<String>) {
        let mut state = self.state.lock();
        state.is_up = true;
        state.down.remove(&None);
        state.down.remove(model);
    }

    /// Says so once.
    fn note_down(&self, model: Option<String>, reason: &str) {
        let new = Down { looked: Instant::now(), reason: reason.to_owned() };
        let mut state = self.state.lock();
        state.is_up &= model.is_some();
        if state.down.insert(model, new).is_none() {
            let text = format!(
                "no model to ask: {reason}; runs that need one stay unscored and are made by the next run"
            );
            self.events.send(Event::Warning(text));
        }
    }

    /// Says so once.
    fn note_unserved(&self, model: &str, reason: &str) {
        if self.state.lock().unserved.insert(model.to_owned()) {
            let text = format!(
                "{reason}: runs that ask it stay unscored, and no ranking waits for them; have it served, or take it out of \
                 pipeline.yaml"
            );
            self.events.send(Event::Warning(text));
        }
    }

    fn known(&self, kind: Kind, model: &str) -> Arc<Mutex<Known>> {
        Arc::clone(self.models.lock().entry((kind, model.to_owned())).or_default())
    }
}

/// The ids in a list of models of OpenAI's kind; none where the answer is no such list.
fn listed(answer: &Answer) -> Vec<String> {
    let list: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let models = list["data"].as_array().filter(|_| answer.status == 200);
    let ids = models.into_iter().flatten().filter_map(|model| model["id"].as_str());
    ids.map(|id| visible(id, LONGEST_NAME)).collect()
}

/// Tells whether the status says that a question is none to this model, and not that the provider is in need of anything.
fn is_refusal(status: u16) -> bool {
    matches!(status, 400..=499 | 501) && !matches!(status, 401 | 402 | 403 | 408 | 429)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::path::Path;
    use std::thread;

    use super::*;

    const WELL: &str = r#"{"choices": [{"message": {"role": "assistant", "content": "hi"}}]}"#;

    /// A provider that answers requests by these statuses and bodies, one after the other.
    fn provider(answers: &[(u16, &'static str)]) -> Health {
        let answers = answers.to_vec();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for (status, body) in answers {
                let (mut connection, _) = listener.accept().unwrap();
                let _ = connection.read(&mut [0; 4096]);
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        let text = format!("llm: {{base_url: 'http://{address}/v1'}}");
        let llm = crate::config::parse(Path::new("p"), text.as_bytes()).unwrap().llm;
        let provider = Arc::new(Provider::new(&llm, None).unwrap());
        Health::new(provider, Duration::from_secs(30), Events::channel().0)
    }

    #[test]
    fn a_provider_needs_no_list_of_models() {
        let is_there = |answers: &[(u16, &'static str)]| provider(answers).is_there(&["m".to_owned()]);
        for (status, body) in [(200, "{}"), (404, ""), (405, ""), (501, "<!DOCTYPE HTML><title>No</title>")] {
            assert_eq!(is_there(&[(status, body)]), Ok(()), "{status}");
        }
        assert_eq!(is_there(&[(403, ""), (200, WELL)]), Ok(()), "the key is no good for the list alone");
        let closed = is_there(&[(403, "<html>"), (403, ""), (403, ""), (403, "")]).unwrap_err();
        assert!(closed.ends_with("/models: HTTP 403: a web page"), "{closed}");
        assert!(is_there(&[(503, "")]).is_err() && is_there(&[(401, "")]).is_err());
    }
}
