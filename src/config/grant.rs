//! Grants: what a stage lets its agents ask a model, and what models cost.

use std::time::Duration;

use crate::model::model_use::Money;

/// A stage's budget for each run on one of its tasks.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
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
}
