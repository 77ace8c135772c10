//! Models: an endpoint or a command that answers prompts. Keys stay in here.

use std::time::Duration;

use anyhow::Context;

use crate::client::generate::answer::{Reply, Unanswered};
use crate::client::generate::endpoint::Endpoint;
use crate::client::generate::program::{self, Children};
use crate::config::Llm;
use crate::gateway::provider::key;

/// A model that can be asked for code.
#[derive(Debug)]
pub enum Model {
    /// An OpenAI-compatible endpoint.
    Endpoint(Box<Endpoint>),
    /// A command that reads the prompt on stdin and prints the reply.
    Command {
        /// Its words.
        words: Vec<String>,
        /// Longest time for one reply.
        patience: Duration,
        /// Its processes.
        children: Children,
    },
}

impl Model {
    /// The model of the `llm` section. A command's processes are known to `children`.
    ///
    /// # Errors
    /// The section does not say enough, or the key is not in the environment.
    pub fn new(llm: &Llm, children: Children) -> anyhow::Result<Self> {
        if !llm.command.is_empty() {
            return Ok(Self::Command { words: llm.command.clone(), patience: llm.timeout, children });
        }
        let model = llm.model.clone().context("say which model: --model, or llm.model in pipeline.yaml")?;
        let key = key(llm.api_key_env.as_deref())?;
        Ok(Self::Endpoint(Box::new(Endpoint::new(llm, model, key)?)))
    }

    /// Asks and waits for the reply. `tell` hears of what delays it.
    ///
    /// # Errors
    /// There is no reply, or an empty one.
    pub fn ask(&self, prompt: &str, tell: &dyn Fn(String)) -> Result<Reply, Unanswered> {
        match self {
            Self::Endpoint(endpoint) => endpoint.ask(prompt, tell),
            Self::Command { words, patience, children } => program::ask(words, prompt, *patience, children),
        }
    }
}
