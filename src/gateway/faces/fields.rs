//! Fields of requests in protocols that were written with FastAPI: read into types, and refused in its words.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::gateway::refusal::Refusal;

/// A message of a dialogue; other fields are passed over.
#[derive(Debug, Serialize, Deserialize)]
pub struct Message {
    /// The speaker: `user`, `assistant` and so on.
    pub role: String,
    /// The words.
    pub content: String,
}

/// Reads a body.
///
/// # Errors
/// It is not JSON of this kind.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::wrong(error.to_string()))
}

/// Status and body of a refusal. FastAPI's status for a body that is not of its kind is 422.
pub fn refusal(refusal: &Refusal) -> (u16, Value) {
    let status = if refusal.status == 400 { 422 } else { refusal.status };
    (status, json!({ "detail": refusal.message }))
}
