//! Spending: the money that replies take, and where asking ends.

use parking_lot::Mutex;

use crate::client::bench::memory::Sample;
use crate::client::generate::answer::Unanswered;
use crate::config::Price;
use crate::model::model_use::told_dollars;

/// The money of all replies of one benchmark.
#[derive(Debug, Default)]
pub struct Spending {
    /// The most, in dollars; None: no bound.
    most: Option<f64>,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    /// In dollars.
    known: f64,
    /// The reason why a reply's cost is not known, from the first such one on.
    unknown: Option<String>,
}

impl Spending {
    /// Nothing is spent yet.
    #[must_use]
    pub fn new(most: Option<f64>) -> Self {
        Self { most, spent: Mutex::default() }
    }

    /// Adds what a reply of this model cost.
    pub fn add(&self, model: &str, reply: &Sample, price: Option<&Price>) {
        let mut spent = self.spent.lock();
        match reply.cost {
            Some(cost) => spent.known += cost,
            None => drop(spent.unknown.get_or_insert_with(|| unknown(model, price))),
        }
    }

    /// Says why nothing more is asked for. Requests under way are not stopped, so that these few may pass the bound.
    ///
    /// # Errors
    /// The bound is reached, or can't be kept, as nothing tells what a reply cost.
    pub fn check(&self) -> Result<(), Unanswered> {
        let Some(most) = self.most else { return Ok(()) };
        let spent = self.spent.lock();
        let reason = match &spent.unknown {
            Some(reason) => format!("--max-cost can't be kept, as a reply's cost isn't known: {reason}"),
            None if spent.known >= most => {
                let spent = told_dollars(spent.known);
                format!("all replies of this command have cost ${spent}, and --max-cost is {most}")
            }
            None => return Ok(()),
        };
        Err(Unanswered::Hopeless(reason))
    }

    /// Says why a model is not asked at all: the cost of its last reply is not known, so that each command would pay for a few more.
    ///
    /// # Errors
    /// The bound could not be kept.
    pub fn foresee(&self, model: &str, kept: &[Sample], price: Option<&Price>) -> Result<(), Unanswered> {
        let last = kept.iter().max_by_key(|reply| reply.at);
        match last.filter(|last| self.most.is_some() && last.cost_by(price).is_none()) {
            Some(_) => Err(Unanswered::Hopeless(format!(
                "--max-cost can't be kept, as the cost of its last reply isn't known: {}",
                unknown(model, price)
            ))),
            None => Ok(()),
        }
    }
}

fn unknown(model: &str, price: Option<&Price>) -> String {
    match price {
        None => format!("llm.prices has none for {model}"),
        Some(_) => {
            format!(
                "the endpoint tells no usable number of tokens (usage) for {model}; ask without --max-cost"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::bench::memory::Answer;

    fn reply(second: i64, cost: Option<f64>) -> Sample {
        Sample {
            task: "t".to_owned(),
            sample: 1,
            asked: String::new(),
            at: jiff::Timestamp::from_second(second).unwrap(),
            seconds: 0.0,
            prompt_tokens: None,
            completion_tokens: None,
            cost,
            is_cost_told: cost.is_some(),
            answer: Answer::Program(String::new()),
        }
    }

    const PRICE: Price = Price { prompt: 1.0, reply: 1.0 };

    #[test]
    fn asking_ends_where_the_money_does() {
        let spending = Spending::new(Some(0.5));
        spending.add("m", &reply(1, Some(0.25)), None);
        assert_eq!(spending.check(), Ok(()));
        spending.add("m", &reply(1, Some(0.25)), None);
        let told = spending.check().unwrap_err().to_string();
        assert_eq!(told, "all replies of this command have cost $0.5, and --max-cost is 0.5");
        let unbound = Spending::new(None);
        unbound.add("m", &reply(1, None), None);
        assert_eq!((unbound.check(), unbound.foresee("m", &[reply(1, None)], None)), (Ok(()), Ok(())));
    }

    #[test]
    fn a_cost_that_is_not_known_is_told_with_its_reason() {
        let told = |price: Option<&Price>| {
            let spending = Spending::new(Some(0.5));
            spending.add("m", &reply(1, None), price);
            spending.add("other", &reply(2, Some(0.1)), price);
            spending.check().unwrap_err().to_string()
        };
        assert!(told(None).ends_with("isn't known: llm.prices has none for m"), "{}", told(None));
        assert!(told(Some(&PRICE)).contains("the endpoint tells no usable number of tokens (usage) for m"));
    }

    #[test]
    fn a_model_whose_last_reply_had_no_known_cost_is_not_asked_again() {
        let spending = Spending::new(Some(0.5));
        let of = |kept: &[Sample], price| spending.foresee("m", kept, price).map_err(|it| it.to_string());
        assert_eq!(of(&[], None), Ok(()));
        assert_eq!(of(&[reply(1, None), reply(2, Some(0.1))], None), Ok(()));
        assert!(of(&[reply(2, None), reply(1, Some(0.1))], None).unwrap_err().ends_with("has none for m"));
        let priced = of(&[reply(1, None)], Some(&PRICE)).unwrap_err();
        assert!(priced.ends_with("(usage) for m; ask without --max-cost"), "{priced}");
        let counted = Sample { prompt_tokens: Some(1), completion_tokens: Some(1), ..reply(1, None) };
        assert_eq!(of(&[counted], Some(&PRICE)), Ok(()), "a price that was added counts for it, too");
    }
}
