//! Bill of a `generate`: what all its replies took, repairs and such as were of no use included.

use std::fmt;

use crate::client::generate::answer::{Reply, Unanswered, tokens};
use crate::config::Price;
use crate::model::model_use::told_dollars;

/// Sums over replies.
#[derive(Debug, Default)]
pub struct Bill {
    replies: usize,
    cut_off: usize,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    cost: f64,
    /// Replies of which the cost is not known.
    unpriced: usize,
}

impl Bill {
    /// Adds what came of a request.
    pub fn add(&mut self, answer: &Result<Reply, Unanswered>, price: Option<&Price>) {
        let (usage, cut_off) = match answer {
            Ok(Reply { usage, cut_off, .. }) | Err(Unanswered::Declined { usage, cut_off, .. }) => {
                (usage, *cut_off)
            }
            Err(_) => return,
        };
        self.replies += 1;
        self.cut_off += usize::from(cut_off);
        self.prompt_tokens = tokens(self.prompt_tokens, usage.prompt_tokens);
        self.completion_tokens = tokens(self.completion_tokens, usage.completion_tokens);
        match usage.cost(price) {
            Some(cost) => self.cost += cost,
            None => self.unpriced += 1,
        }
    }

    /// True if it says anything: a command tells no tokens.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.cut_off > 0
            || self.prompt_tokens.or(self.completion_tokens).is_some()
            || self.unpriced < self.replies
    }
}

impl fmt::Display for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.replies {
            1 => write!(f, "1 reply")?,
            some => write!(f, "{some} replies")?,
        }
        if let (Some(prompts), Some(replies)) = (self.prompt_tokens, self.completion_tokens) {
            write!(f, ", tokens: {prompts} of prompts and {replies} of replies")?;
        }
        if self.unpriced == 0 {
            write!(f, ", ${}", told_dollars(self.cost))?;
        }
        match self.cut_off {
            0 => Ok(()),
            some => write!(f, "; {some} cut off: a larger llm.max_tokens may help"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::generate::answer::Usage;

    #[test]
    fn every_reply_counts_whatever_came_of_it() {
        let usage = Usage { prompt_tokens: Some(100), completion_tokens: Some(50), cost: None };
        let price = Price { prompt: 1.0, reply: 4.0 };
        let mut bill = Bill::default();
        assert!(!bill.is_known());
        bill.add(&Ok(Reply { text: "x".to_owned(), cut_off: false, usage }), Some(&price));
        bill.add(&Err(Unanswered::Declined { reason: String::new(), cut_off: true, usage }), Some(&price));
        bill.add(&Err(Unanswered::Failed(String::new())), None);
        let told = "2 replies, tokens: 200 of prompts and 100 of replies, $0.0006; 1 cut off: a larger llm.max_tokens may help";
        assert_eq!((bill.to_string().as_str(), bill.is_known()), (told, true));
        let small = Usage { cost: Some(0.000_45), ..usage };
        let mut exact = Bill::default();
        exact.add(&Ok(Reply { usage: small, ..Reply::default() }), None);
        assert!(exact.to_string().ends_with(", $0.00045"), "as in the ranking of models: {exact}");
        bill.add(&Ok(Reply { usage, ..Reply::default() }), None);
        assert!(!bill.to_string().contains('$'), "not all have a price: {bill}");
        let mut silent = Bill::default();
        silent.add(&Ok(Reply::default()), None);
        assert!(!silent.is_known());
    }
}
