//! Use of a model: how much an agent asked, and what it cost.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::model::over_budget::OverBudget;
use crate::util::plural::counted;

/// Trillionths of a dollar that a dollar has.
const PER_DOLLAR: f64 = 1e12;

/// An amount of money in trillionths of a dollar, so that prices of single tokens are whole and sums exact. Files hold
/// dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(pub u64);

/// Dollars to the millionth, as people are told them everywhere.
#[must_use]
pub fn told_dollars(dollars: f64) -> f64 {
    (dollars * 1e6).round() / 1e6
}

impl Money {
    /// The amount of so many dollars, which are at most a million and not negative.
    pub fn dollars(dollars: f64) -> Self {
        Self((dollars.clamp(0.0, 1e6) * PER_DOLLAR).round() as u64)
    }

    /// The price of a token, where a million of them have this price.
    pub fn per_token(self) -> Self {
        Self(self.0 / 1_000_000)
    }

    /// So many times the amount, or the most that there is.
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// The rest above `other`; nothing if there is none.
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// In dollars, with as many digits as it needs.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / PER_DOLLAR as u64, self.0 % PER_DOLLAR as u64);
        let text = format!("{whole}.{rest:012}");
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.0 as f64 / PER_DOLLAR).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::dollars)
    }
}

/// Tokens of a prompt and of its reply, as an endpoint's `usage` tells. Some leave what a model thought out of the reply's,
/// though not out of the sum. No prompt has no tokens: an endpoint that tells 0 of them does not count, and its 0 for the reply is as
/// little told.
#[must_use]
pub fn told_tokens(usage: &Value) -> [Option<u64>; 2] {
    let counts = usage["prompt_tokens"].as_u64() != Some(0);
    let told = |name: &str| usage[name].as_u64().filter(|tokens| counts || *tokens > 0);
    let (prompt, sum) = (told("prompt_tokens"), told("total_tokens"));
    let rest = prompt.zip(sum).map(|(prompt, sum)| sum.saturating_sub(prompt)).filter(|rest| *rest > 0);
    [prompt, told("completion_tokens").max(rest)]
}

/// Questions to models, and what they took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUse {
    /// Questions that were put to a model.
    pub requests: u64,
    /// Tokens of the questions.
    pub tokens_in: u64,
    /// Tokens of the answers.
    pub tokens_out: u64,
    /// Their price, as far as prices are known.
    pub cost: Money,
    /// Those of the questions that were put to a model without a price.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unpriced: u64,
    /// Questions beside those, which were refused as they were over the budget.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u32,
    /// The bounds that these passed; not known of older runs.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub over: OverBudget,
    /// Questions beside those, which were refused for what they are: to a model that is not allowed, or malformed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub denied: u32,
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

impl ModelUse {
    /// Tokens of questions and answers.
    pub fn tokens(&self) -> u64 {
        self.tokens_in.saturating_add(self.tokens_out)
    }

    /// Price of all questions; None where one was put to a model without a price.
    pub fn price(&self) -> Option<Money> {
        (self.unpriced == 0).then_some(self.cost)
    }

    /// Its columns in CSV; the price is empty where it is not known.
    pub fn cells(&self) -> [String; 4] {
        let numbers = [self.requests, self.tokens_in, self.tokens_out].map(|number| number.to_string());
        let [requests, tokens_in, tokens_out] = numbers;
        [requests, tokens_in, tokens_out, self.price().map(|price| price.to_string()).unwrap_or_default()]
    }
}

/// For people; without a price where there is none.
impl fmt::Display for ModelUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, tokens_in, tokens_out, refused, over, denied, .. } = self;
        write!(f, "{}, {tokens_in} tokens in, {tokens_out} out", counted(*requests, "request"))?;
        if let Some(price) = self.price().filter(|price| *price != Money::default()) {
            write!(f, ", ${price}")?;
        }
        if *refused > 0 {
            write!(f, "; {refused} refused over the budget{over}")?;
        }
        match *denied {
            0 => Ok(()),
            some => write!(
                f,
                "; {some} refused unasked: malformed, or to a model that is not allowed; the agent was told which"
            ),
        }
    }
}

impl AddAssign for ModelUse {
    fn add_assign(&mut self, other: Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.tokens_in = self.tokens_in.saturating_add(other.tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(other.tokens_out);
        self.cost += other.cost;
        self.unpriced = self.unpriced.saturating_add(other.unpriced);
        self.refused = self.refused.saturating_add(other.refused);
        self.over += other.over;
        self.denied = self.denied.saturating_add(other.denied);
    }
}

impl Sum for ModelUse {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::over_budget::Bound;

    #[test]
    fn prices_of_tokens_are_exact() {
        let price = Money::dollars(0.15).per_token();
        assert_eq!(price.times(1_000_000), Money::dollars(0.15));
        assert_eq!(price.times(7).to_string(), "0.00000105");
        assert_eq!(Money::dollars(2.0).to_string(), "2");
        assert_eq!(Money::default().to_string(), "0");
    }

    #[test]
    fn thinking_is_part_of_a_reply_though_it_stands_in_the_sum_alone() {
        for (usage, tokens) in [
            (r#"{"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}"#, [Some(10), Some(5)]),
            (r#"{"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40}"#, [Some(10), Some(30)]),
            (r#"{"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 0}"#, [Some(10), Some(5)]),
            (r#"{"prompt_tokens": 10, "total_tokens": 10}"#, [Some(10), None]),
            (r#"{"completion_tokens": 5, "total_tokens": 40}"#, [None, Some(5)]),
            (r#"{"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}"#, [None, None]),
            (r#"{"prompt_tokens": 0, "completion_tokens": 5, "total_tokens": 5}"#, [None, Some(5)]),
            (r#"{"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10}"#, [Some(10), Some(0)]),
            ("{}", [None, None]),
        ] {
            assert_eq!(told_tokens(&serde_json::from_str(usage).unwrap()), tokens, "{usage}");
        }
    }

    #[test]
    fn what_was_refused_is_told_where_anything_was() {
        let used = ModelUse { requests: 2, ..ModelUse::default() };
        assert_eq!(used.to_string(), "2 requests, 0 tokens in, 0 out");
        let refused = ModelUse { refused: 4, ..used };
        assert_eq!(refused.to_string(), "2 requests, 0 tokens in, 0 out; 4 refused over the budget");
        let mut over = OverBudget::default();
        [Bound::Tokens, Bound::Tokens].into_iter().for_each(|bound| over.note(bound));
        let by_one = ModelUse { over, ..refused };
        assert!(by_one.to_string().ends_with("; 4 refused over the budget of tokens"), "{by_one}");
        over.note(Bound::Requests);
        let by_two = ModelUse { over, ..by_one };
        assert!(by_two.to_string().ends_with(" of requests and tokens"), "{by_two}");
        assert_eq!(
            serde_json::from_value::<ModelUse>(serde_json::to_value(by_two).unwrap()).unwrap(),
            by_two
        );
        let plain = serde_json::to_string(&used).unwrap();
        assert!(!plain.contains("refused") && !plain.contains("over"), "{plain}");
        let mut denied = ModelUse { denied: 1, ..used };
        denied += denied;
        let told = "4 requests, 0 tokens in, 0 out; 2 refused unasked: malformed, or to a model that is not allowed; the agent was told which";
        assert_eq!(denied.to_string(), told);
    }

    #[test]
    fn a_price_is_known_where_all_models_have_one() {
        let priced = ModelUse { requests: 1, cost: Money::dollars(0.5), ..ModelUse::default() };
        let unpriced = ModelUse { requests: 1, unpriced: 1, ..ModelUse::default() };
        assert_eq!(priced.price(), Some(Money::dollars(0.5)));
        let both: ModelUse = [priced, unpriced].into_iter().sum();
        assert_eq!((both.price(), both.cells()[3].as_str()), (None, ""));
        assert_eq!(both.to_string(), "2 requests, 0 tokens in, 0 out");
    }

    #[test]
    fn money_comes_back_from_a_file() {
        let money = Money::dollars(0.123_456_789);
        let text = serde_json::to_string(&money).unwrap();
        assert_eq!(text, "0.123456789");
        assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money);
        assert_eq!(Money(u64::MAX) + Money(1), Money(u64::MAX));
    }
}
