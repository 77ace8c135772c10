//! Questions to models that were refused over a budget, by the bound that they passed.

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

/// How many were refused by each bound; up to 65,535, as many runs are held at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OverBudget {
    requests: u16,
    tokens: u16,
    cost: u16,
    waiting: u16,
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
    const ALL: [Bound; 4] = [Bound::Requests, Bound::Tokens, Bound::Cost, Bound::Waiting];

    /// Counts one more.
    pub fn note(&mut self, bound: Bound) {
        self.add(bound, 1);
    }

    fn add(&mut self, bound: Bound, more: u16) {
        let count = match bound {
            Bound::Requests => &mut self.requests,
            Bound::Tokens => &mut self.tokens,
            Bound::Cost => &mut self.cost,
            Bound::Waiting => &mut self.waiting,
        };
        *count = count.saturating_add(more);
    }

    fn count(&self, bound: Bound) -> u16 {
        match bound {
            Bound::Requests => self.requests,
            Bound::Tokens => self.tokens,
            Bound::Cost => self.cost,
            Bound::Waiting => self.waiting,
        }
    }
}

impl AddAssign for OverBudget {
    fn add_assign(&mut self, other: Self) {
        Self::ALL.into_iter().for_each(|bound| self.add(bound, other.count(bound)));
    }
}

/// Such as ` of tokens`, or ` of requests (4) and cost (2)`; nothing where the bounds aren't known.
impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed: Vec<Bound> = Self::ALL.into_iter().filter(|bound| self.count(*bound) > 0).collect();
        match passed.as_slice() {
            [] => Ok(()),
            [bound] => write!(f, " of {}", bound.name()),
            many => {
                let told = many.iter().map(|bound| format!("{} ({})", bound.name(), self.count(*bound)));
                write!(f, " of {}", told.collect::<Vec<_>>().join(" and "))
            }
        }
    }
}
