//! Judge prompts: what a run's tests ask a model, which the host asks on the judge's behalf.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crate::gateway::{Advised, JudgeModel};
use crate::sandbox::Fault;
use crate::sandbox::containers::launcher::Launcher;

/// Time between two looks whether we were asked to stop.
const SLICE: Duration = Duration::from_millis(100);

const NOBODY: &str =
    "a test calls ask_model, and there is no model to ask here; see judge.model in pipeline.yaml";

/// The way to a model, if the judge has one.
pub struct JudgePrompts<'a> {
    model: Option<&'a JudgeModel>,
    launcher: &'a Launcher,
}

impl<'a> JudgePrompts<'a> {
    /// Begins an attempt, which has the whole budget.
    ///
    /// # Errors
    /// The kernel gives no descriptor.
    pub fn begin(model: Option<&'a JudgeModel>, launcher: &'a Launcher) -> Result<Self, Fault> {
        let begun = model.map_or(Ok(()), JudgeModel::begin);
        begun.map_err(|error| Fault::Engine(format!("no way to a model: {error}")))?;
        Ok(Self { model, launcher })
    }

    /// The model's answer, or why it is refused, which is the doing of whoever's words are in the prompt.
    ///
    /// # Errors
    /// The provider failed, we were asked to stop, or nobody may be asked.
    pub fn ask(&self, prompt: String) -> Result<Result<String, String>, Fault> {
        let model = self.model.ok_or_else(|| Fault::Task(NOBODY.into()))?;
        let coming = model.ask(prompt);
        loop {
            match coming.recv_timeout(SLICE) {
                Ok(Advised::Answer(answer)) => return Ok(Ok(answer)),
                Ok(Advised::Refused(reason)) => return Ok(Err(reason)),
                Ok(Advised::Fault(reason)) => return Err(Fault::Provider(reason)),
                Err(RecvTimeoutError::Timeout) => self.launcher.check_running()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Fault::Provider("the gateway could not ask".into()));
                }
            }
        }
    }
}
