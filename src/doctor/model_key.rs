//! Check of the key for a model that runs may ask, and of its endpoint.

use std::time::Duration;

use crate::config::Pipeline;
use crate::doctor::Finding;
use crate::gateway::listens;
use crate::gateway::provider::key;
use crate::util::first_few::first_few;
use crate::util::text::visible;

/// The most of a reason that is told, in characters.
const MOST: usize = 300;

/// The key that is missing, or can't be one; None if it is there, or no run asks a model.
pub(super) fn look(pipeline: &Pipeline) -> Option<Finding> {
    let missing = key(pipeline.llm.api_key_env.as_deref()).err().filter(|_| pipeline.asks_models())?;
    Some(Finding::odd("model", missing.to_string(), "runs that ask a model stay unscored without it"))
}

/// Longest wait for the endpoint's word.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the endpoint for its list of models, which costs nothing, where runs ask a model and there is a key, or need for none. None
/// where there is nothing to ask.
pub(super) fn ask(pipeline: &Pipeline) -> Option<Finding> {
    let key = key(pipeline.llm.api_key_env.as_deref()).ok().filter(|_| pipeline.asks_models())?;
    Some(match listens(&pipeline.llm, key, PATIENCE) {
        Ok(listed) => served(pipeline, &listed),
        Err(reason) => Finding::odd(
            "model",
            visible(&reason, MOST),
            "runs that ask a model stay unscored until its endpoint answers: llm.base_url, llm.api_key_env, docs/models.md",
        ),
    })
}

/// Tells of granted models that the endpoint does not list. Without a list there is nothing to tell.
fn served(pipeline: &Pipeline, listed: &[String]) -> Finding {
    let granted = pipeline.granted_models().into_iter();
    let missing: Vec<&str> = granted.filter(|model| listed.iter().all(|listed| listed != model)).collect();
    if listed.is_empty() || missing.is_empty() {
        return Finding::ok("model", "the endpoint of llm.base_url answers, and takes the key");
    }
    Finding::odd(
        "model",
        format!(
            "the endpoint of llm.base_url lists no {}; it lists {}",
            first_few(&missing),
            first_few(listed)
        ),
        "runs that ask a model which is not served stay unscored; an endpoint may have other names for those that it lists",
    )
}
