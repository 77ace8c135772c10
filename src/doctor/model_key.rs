//! Check of the key for a model that runs may ask.

use crate::config::Pipeline;
use crate::doctor::Finding;
use crate::gateway::provider::key;

/// The key that is missing, or can't be one; None if it is there, or no run asks a model.
pub(super) fn look(pipeline: &Pipeline) -> Option<Finding> {
    let missing = key(pipeline.llm.api_key_env.as_deref()).err().filter(|_| pipeline.asks_models())?;
    Some(Finding::odd("model", missing.to_string(), "runs that ask a model stay unscored without it"))
}
