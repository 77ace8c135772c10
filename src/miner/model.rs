//! Who answers prompts: an endpoint or a command. Keys stay in here.

use std::time::Duration;

use anyhow::Context;

use super::endpoint::Endpoint;
use super::program;
use crate::config::Llm;

/// What can be asked for code.
#[derive(Debug)]
pub enum Model {
    /// An OpenAI-compatible endpoint.
    Endpoint(Endpoint),
    /// A command that reads the prompt on stdin and prints the reply.
    Command(Vec<String>, Duration),
}

impl Model {
    /// The model of the `llm` section.
    ///
    /// # Errors
    /// The section does not say enough, or the key is not in the environment.
    pub fn new(llm: &Llm) -> anyhow::Result<Self> {
        if !llm.command.is_empty() {
            return Ok(Self::Command(llm.command.clone(), llm.timeout));
        }
        let model =
            llm.model.clone().context("llm.model in pipeline.yaml does not say which model to ask")?;
        Ok(Self::Endpoint(Endpoint::new(llm, model, key(llm.api_key_env.as_deref())?)))
    }

    /// Asks and waits for the reply. `tell` hears of what delays it.
    ///
    /// # Errors
    /// There is no reply, or an empty one.
    pub fn ask(&self, prompt: &str, tell: &dyn Fn(String)) -> anyhow::Result<String> {
        let reply = match self {
            Self::Endpoint(endpoint) => endpoint.ask(prompt, tell)?,
            Self::Command(command, patience) => program::ask(command, prompt, *patience)?,
        };
        anyhow::ensure!(!reply.trim().is_empty(), "the model's reply is empty");
        Ok(reply)
    }
}

fn key(variable: Option<&str>) -> anyhow::Result<Option<String>> {
    let Some(variable) = variable else { return Ok(None) };
    let key = std::env::var(variable).ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
    let key = key.with_context(|| {
        format!("there is no key: set {variable} in the environment, or llm.api_key_env: null for an endpoint without keys")
    })?;
    // Not even a part of it may come back in an error about headers.
    anyhow::ensure!(
        key.bytes().all(|byte| byte.is_ascii_graphic()),
        "the key in {variable} has a character that no key has"
    );
    Ok(Some(key))
}
