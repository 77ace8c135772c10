//! Questions to models that were refused over a budget, by the bound that they passed.

use std::fmt;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Names of the bounds, as `pipeline.yaml` and refusals have them.
const BOUNDS: [&str; 4] = ["requests", "tokens", "cost", "waiting"];

/// How many were refused by each bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverBudget([u32; BOUNDS.len()]);

impl OverBudget {
    /// Counts one that was refused by the bound of this name.
    pub fn note(&mut self, bound: &str) {
        for (count, name) in self.0.iter_mut().zip(BOUNDS) {
            *count = count.saturating_add(u32::from(name == bound));
        }
    }
}

impl AddAssign for OverBudget {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count = count.saturating_add(more));
    }
}

/// Such as ` of tokens`, or ` of requests (4) and cost (2)`; nothing where the bounds aren't known.
impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed: Vec<(&str, u32)> =
            BOUNDS.into_iter().zip(self.0).filter(|(_, count)| *count > 0).collect();
        match passed.as_slice() {
            [] => Ok(()),
            [(bound, _)] => write!(f, " of {bound}"),
            many => {
                let told: Vec<String> =
                    many.iter().map(|(bound, count)| format!("{bound} ({count})")).collect();
                write!(f, " of {}", told.join(" and "))
            }
        }
    }
}
