//! Answers of a model: a reply, or the reason why there is none.

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

/// Why a prompt was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The model's own doing: it refused, was filtered, called a tool, or said nothing.
    #[error("{0}")]
    Declined(String),
    /// This request failed; one for another prompt may not.
    #[error("{0}")]
    Failed(String),
    /// No other prompt would be answered either, such as without a valid key.
    #[error("{0}")]
    Hopeless(String),
}

impl Unanswered {
    /// The same, in other words.
    #[must_use]
    pub fn reworded(self, reword: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Declined(words) => Self::Declined(reword(&words)),
            Self::Failed(words) => Self::Failed(reword(&words)),
            Self::Hopeless(words) => Self::Hopeless(reword(&words)),
        }
    }
}
