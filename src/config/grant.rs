//! Grants: what a stage lets its agents ask a model, and what models cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::model_use::Money;

/// A stage's budget for each run on one of its tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grant {
    /// Names of the models that may be asked; never empty.
    pub allow: Vec<String>,
    /// Most questions.
    pub requests: u64,
    /// Most tokens of questions and answers together.
    pub tokens: u64,
    /// Most money; None: tokens are the only bound.
    pub cost: Option<Money>,
    /// Longest time in all that answers may take; it is not counted as the agent's.
    pub wait: Duration,
    /// Questions that may be open at the same time; more wait for their turn.
    pub at_once: u16,
    /// Protocols in which agents may ask; never empty. Runs' keys hold it only where it is not the usual one.
    #[serde(skip_serializing_if = "is_usual")]
    pub faces: Vec<Face>,
}

/// A protocol in which agents ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Face {
    /// OpenAI's, which most clients speak.
    Openai,
    /// Bitsec's, of its inference proxy.
    Bitsec,
    /// Ridges', of its inference gateway.
    Ridges,
}

fn is_usual(faces: &[Face]) -> bool {
    faces == [Face::Openai]
}

#[cfg(any(test, fuzzing))]
impl Grant {
    /// A grant of a model m.
    pub fn sample() -> Self {
        Self {
            allow: vec!["m".into()],
            requests: 10,
            tokens: 1000,
            cost: None,
            wait: Duration::from_secs(60),
            at_once: 4,
            faces: vec![Face::Openai],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_face_makes_no_other_run() {
        let told = |faces| serde_json::to_value(Grant { faces, ..Grant::sample() }).unwrap();
        assert!(told(vec![Face::Openai]).get("faces").is_none());
        assert_eq!(told(vec![Face::Openai, Face::Ridges])["faces"], serde_json::json!(["openai", "ridges"]));
    }
}
