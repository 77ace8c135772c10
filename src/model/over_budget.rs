//! Bounds of a budget that questions to models passed, and were refused for it.

use std::fmt;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// A bound of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Of questions.
    Requests,
    /// Of tokens, of questions and answers together.
    Tokens,
    /// Of money.
    Cost,
    /// Of the time that answers take.
    Waiting,
}

/// Those that were passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OverBudget {
    requests: bool,
    tokens: bool,
    cost: bool,
    waiting: bool,
}

impl Bound {
    /// The word for it, as refusals have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Cost => "cost",
            Self::Waiting => "waiting",
        }
    }
}

impl OverBudget {
    /// Notes that this one was passed.
    pub fn note(&mut self, bound: Bound) {
        match bound {
            Bound::Requests => self.requests = true,
            Bound::Tokens => self.tokens = true,
            Bound::Cost => self.cost = true,
            Bound::Waiting => self.waiting = true,
        }
    }
}

impl AddAssign for OverBudget {
    fn add_assign(&mut self, other: Self) {
        self.requests |= other.requests;
        self.tokens |= other.tokens;
        self.cost |= other.cost;
        self.waiting |= other.waiting;
    }
}

/// Such as ` of requests and cost`; nothing where the bounds aren't known.
impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (Bound::Requests, self.requests),
            (Bound::Tokens, self.tokens),
            (Bound::Cost, self.cost),
            (Bound::Waiting, self.waiting),
        ];
        let passed: Vec<&str> =
            all.into_iter().filter(|(_, is_passed)| *is_passed).map(|(bound, _)| bound.name()).collect();
        if passed.is_empty() { Ok(()) } else { write!(f, " of {}", passed.join(" and ")) }
    }
}
