//! Gateway: the way from agents in their cells to models. Key, budget and recordings stay on this side.
//!
//! ```text
//! agent ──loopback──▶ supervisor ──frames──▶ connections ──http──▶ session ──budget, recording──▶ provider
//! ```
//!
//! [`Connections`] take an agent's bytes, whatever brings them, and have `http` read requests out of them, each in
//! one of the `faces`. A `question` is taken apart and put together anew; a `session` admits it by its `budget`, answers it from its `recording`
//! or has the [`provider`] asked; `health` says whose fault it is where there is no answer.

mod asker;
mod budget;
mod connections;
mod event_fd;
mod faces;
mod fields;
#[cfg(any(test, fuzzing))]
pub mod fuzz_entry;
mod health;
mod http;
mod judge_model;
mod kind;
pub mod provider;
mod question;
mod recording;
mod refusal;
mod session;
mod stream;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};

use crate::config::grant::Grant;
use crate::config::{self, Limits, Llm, Pipeline};
use crate::gateway::asker::Asker;
use crate::gateway::budget::{Price, Prices};
pub use crate::gateway::connections::{Connections, MOST_LINKS, Parcel, WINDOW};
pub use crate::gateway::faces::{Environment, PORT};
use crate::gateway::health::Health;
pub use crate::gateway::judge_model::{Advised, JudgeModel};
use crate::gateway::provider::{Provider, key};
use crate::gateway::recording::Recording;
use crate::gateway::session::{Source, Tempo};
use crate::model::model_use::{ModelUse, Money};
use crate::ui::Events;
use crate::util::private;

/// Folder of the recordings below the results folder.
const RECORDINGS: &str = "recordings";

/// Threads that carry bytes; asking has threads of its own. With more than one each piece would wake another to look for more.
const THREADS: usize = 1;

/// Threads that ask at the same time.
const MOST_ASKING: usize = 2048;

/// All that runs share on their way to models.
#[derive(Debug)]
pub struct Gateway {
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    source: Arc<Source>,
    prices: Prices,
    longest: Option<u32>,
    timeout: Duration,
    recordings: PathBuf,
    fresh: bool,
}

impl Gateway {
    /// The gateway of a pipeline; None if neither agents nor tests may ask anything. A `fresh` one asks anew what is recorded.
    ///
    /// # Errors
    /// There are no threads to be had, or `SSL_CERT_FILE` is of no use.
    pub fn new(pipeline: &Pipeline, events: &Events, fresh: bool) -> anyhow::Result<Option<Self>> {
        let asking = || {
            let key = key(pipeline.llm.api_key_env.as_deref()).map_err(|error| error.to_string());
            Self::asking(pipeline, key, events, fresh)
        };
        pipeline.asks_models().then(asking).transpose()
    }

    /// The gateway of a pipeline whose runs are made again, with the answers that are recorded. Nobody is asked anything else: a run that
    /// asks it is as one whose provider is away. None if neither agents nor tests may ask anything.
    ///
    /// # Errors
    /// There are no threads to be had.
    pub fn of_recordings(pipeline: &Pipeline) -> anyhow::Result<Option<Self>> {
        let nobody = || Err("it is not recorded".to_owned());
        let asking = || Self::asking(pipeline, nobody(), &Events::channel().0, false);
        pipeline.asks_models().then(asking).transpose()
    }

    /// With the provider's key, or the reason why it can't be asked.
    fn asking(
        pipeline: &Pipeline,
        key: Result<Option<String>, String>,
        events: &Events,
        fresh: bool,
    ) -> anyhow::Result<Self> {
        let recordings = pipeline.records.join(RECORDINGS);
        private::close(&recordings)?;
        let Llm { prices, max_tokens, timeout, .. } = &pipeline.llm;
        let mut builder = Builder::new_multi_thread();
        let runtime =
            builder.worker_threads(THREADS).max_blocking_threads(MOST_ASKING).enable_all().build()?;
        Ok(Self {
            runtime: Some(runtime),
            source: Arc::new(source(pipeline, key, events)?),
            prices: prices.iter().map(|(model, price)| (model.clone(), per_token(price))).collect(),
            longest: *max_tokens,
            timeout: *timeout,
            recordings,
            fresh,
        })
    }

    /// Access for the run with this key. Nobody is asked whether the provider is there if the run is recorded.
    ///
    /// # Errors
    /// There is no provider, or the recording can't be read; the reason.
    pub fn access(&self, run_key: &str, grant: &Grant) -> Result<Access, String> {
        Ok(Access { asker: self.asker(run_key, grant)?, timeout: self.timeout, last: Mutex::default() })
    }

    /// JudgeModel for the tests of the run with this key, whose questions are recorded apart.
    ///
    /// # Errors
    /// There is no provider, or the recording can't be read; the reason.
    pub fn judge_model(&self, run_key: &str, grant: &Grant) -> Result<JudgeModel, String> {
        Ok(JudgeModel::new(self.asker(&format!("{run_key}.judge"), grant)?, self.timeout))
    }

    fn asker(&self, name: &str, grant: &Grant) -> Result<Asker, String> {
        let recording = Recording::open(&self.recordings, name, self.fresh);
        let recording = recording.map_err(|error| format!("the recording can't be read: {error}"))?;
        if !recording.is_known() {
            self.source.no_key.clone().map_or(Ok(()), Err)?;
            self.source.health.is_there(&grant.allow)?;
        }
        Ok(Asker {
            source: Arc::clone(&self.source),
            grant: grant.clone(),
            prices: self.prices.clone(),
            longest: self.longest,
            recording: Arc::new(recording),
            runtime: self.runtime.as_ref().map(|runtime| runtime.handle().clone()).ok_or("it ends")?,
        })
    }
}

/// Asks a provider for its list of models, and waits so long; gives their names. One that has no list is fine.
///
/// # Errors
/// It does not answer, or does not take the key; the reason.
pub fn listens(llm: &Llm, key: Option<String>, patience: Duration) -> Result<Vec<String>, String> {
    let provider = Provider::new(llm, key).map_err(|error| format!("{error:#}"))?;
    let health = Health::new(Arc::new(provider), patience, Events::channel().0);
    health.look(&[]).map(|()| health.listed())
}

/// Does not wait for whoever still asks.
impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn per_token(of_million: &config::Price) -> Price {
    let [input, output] =
        [of_million.prompt, of_million.reply].map(|price| Money::dollars(price).per_token());
    Price { input, output }
}

fn source(
    pipeline: &Pipeline,
    key: Result<Option<String>, String>,
    events: &Events,
) -> anyhow::Result<Source> {
    let llm = &pipeline.llm;
    let (key, no_key) = match key {
        Ok(key) => (key, None),
        Err(reason) => (None, Some(reason)),
    };
    let provider = Arc::new(Provider::new(llm, key)?);
    let health = Health::new(Arc::clone(&provider), llm.timeout, events.clone());
    let health = health.granting(pipeline.granted_models().into_iter().map(str::to_owned).collect());
    Ok(Source { provider, health, timeout: llm.timeout, no_key })
}

/// The last attempt of a run.
#[derive(Debug, Default)]
struct Last {
    connections: Option<Arc<Connections>>,
    /// There was one before.
    is_again: bool,
}

/// One run's access to models, over all attempts to make it.
#[derive(Debug)]
pub struct Access {
    asker: Asker,
    timeout: Duration,
    last: Mutex<Last>,
}

impl Access {
    /// The connections of the next attempt, which begins with the whole budget; what an earlier one asked is recorded.
    ///
    /// # Errors
    /// The kernel gives no descriptor.
    pub fn connections(&self) -> io::Result<Arc<Connections>> {
        self.finish();
        let mut last = self.last.lock();
        let tempo = if last.is_again { Tempo::AsRecorded } else { Tempo::AtOnce };
        let connections = Connections::new(self.asker.session(tempo)?, self.asker.runtime.clone());
        let connections = Arc::new(connections);
        *last = Last { connections: Some(Arc::clone(&connections)), is_again: true };
        Ok(connections)
    }

    /// Variables by which the agent finds its way to a model, and the grant as it is told of it.
    pub fn environment(&self, limits: &Limits) -> Environment {
        faces::environment(&self.asker.grant, limits.timeout)
    }

    /// Ends the last attempt; tells what it used, and the fault of the provider that ended it, if one did. Waits for open
    /// questions, as they will be paid for.
    pub fn finish(&self) -> (ModelUse, Option<String>) {
        let Some(connections) = self.last.lock().connections.take() else { return Default::default() };
        let used = connections.close(self.timeout);
        let fault = connections.fault().map(str::to_owned);
        (used, fault.or_else(|| self.asker.recording.keep().err().map(|error| error.to_string())))
    }
}
