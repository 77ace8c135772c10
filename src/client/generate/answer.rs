//! Answers of a model: a reply, or the reason why there is none.

use crate::config::Price;

/// The message on a reply without code that ends where the model had used up its tokens.
pub const CUT_OFF: &str = "the reply was cut off before its code ended; a larger llm.max_tokens may help";

/// A model's reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// Its text; never blank.
    pub text: String,
    /// True if it ends where the model had used up its tokens.
    pub cut_off: bool,
    /// Its price.
    pub usage: Usage,
}

/// Price of a reply, as far as the endpoint tells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the reply, those of the model's reasoning included.
    pub completion_tokens: Option<u64>,
    /// Money, in the endpoint's currency.
    pub cost: Option<f64>,
}

impl Usage {
    /// Money: as the endpoint tells, or else by the price; None if neither is known.
    #[must_use]
    pub fn cost(&self, price: Option<&Price>) -> Option<f64> {
        let money = |tokens: u64, price: f64| tokens as f64 * price / 1e6;
        let by_price = |price: &Price| {
            Some(money(self.prompt_tokens?, price.prompt) + money(self.completion_tokens?, price.reply))
        };
        self.cost.or_else(|| by_price(price?))
    }
}

/// Tokens of two, as far as they are known; endpoints tell what they like, so that the sum has an end.
#[must_use]
pub fn tokens(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.or(other).map(|_| one.unwrap_or(0).saturating_add(other.unwrap_or(0)))
}

/// Why a prompt was not answered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unanswered {
    /// The model's own doing: it refused, was filtered, called a tool, or said nothing.
    #[error("{reason}")]
    Declined {
        /// In words.
        reason: String,
        /// True if the model had used up its tokens before it said anything.
        cut_off: bool,
        /// The price of it nevertheless.
        usage: Usage,
    },
    /// This request failed; one for another prompt may not.
    #[error("{0}")]
    Failed(String),
    /// No other prompt would be answered either, such as without a valid key.
    #[error("{0}")]
    Hopeless(String),
}

impl Unanswered {
    /// The model's own doing, of whose price nothing is known.
    #[must_use]
    pub fn declined(reason: &str) -> Self {
        Self::Declined { reason: reason.to_owned(), cut_off: false, usage: Usage::default() }
    }

    /// The same, in other words.
    #[must_use]
    pub fn reworded(self, reword: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Declined { reason, cut_off, usage } => {
                Self::Declined { reason: reword(&reason), cut_off, usage }
            }
            Self::Failed(words) => Self::Failed(reword(&words)),
            Self::Hopeless(words) => Self::Hopeless(reword(&words)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_takes_both_counts() {
        let price = Price { prompt: 2.0, reply: 10.0 };
        let usage = Usage { prompt_tokens: Some(1_000), completion_tokens: Some(500), cost: None };
        assert_eq!((usage.cost(Some(&price)), usage.cost(None)), (Some(0.007), None));
        assert_eq!(Usage { completion_tokens: None, ..usage }.cost(Some(&price)), None);
        assert_eq!(Usage { cost: Some(1.0), ..usage }.cost(Some(&price)), Some(1.0));
    }
}
