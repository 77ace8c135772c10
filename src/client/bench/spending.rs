//! Spending: the money that replies take, and where asking ends.

use parking_lot::Mutex;

use crate::client::generate::answer::Unanswered;
use crate::model::model_use::told_dollars;

/// The money of all replies of one benchmark.
#[derive(Debug, Default)]
pub struct Spending {
    /// The most, in dollars; None: no bound.
    most: Option<f64>,
    /// In dollars; None once a reply came whose cost is not known.
    spent: Mutex<Option<f64>>,
}

impl Spending {
    /// Nothing is spent yet.
    #[must_use]
    pub fn new(most: Option<f64>) -> Self {
        Self { most, spent: Mutex::new(Some(0.0)) }
    }

    /// Adds what a reply cost.
    pub fn add(&self, cost: Option<f64>) {
        let mut spent = self.spent.lock();
        *spent = spent.zip(cost).map(|(spent, cost)| spent + cost);
    }

    /// Says why nothing more is asked for. Requests under way are not stopped, so that these few may pass the bound.
    ///
    /// # Errors
    /// The bound is reached, or can't be kept, as nothing tells what replies of this model cost.
    pub fn check(&self, model: &str) -> Result<(), Unanswered> {
        let Some(most) = self.most else { return Ok(()) };
        let reason = match *self.spent.lock() {
            None => format!(
                "--max-cost can't be kept, as a reply's cost isn't known; llm.prices has none for {model}"
            ),
            Some(spent) if spent >= most => {
                format!(
                    "all replies of this command have cost ${}, and --max-cost is {most}",
                    told_dollars(spent)
                )
            }
            Some(_) => return Ok(()),
        };
        Err(Unanswered::Hopeless(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_ends_where_the_money_does() {
        let spending = Spending::new(Some(0.5));
        spending.add(Some(0.25));
        assert_eq!(spending.check("m"), Ok(()));
        spending.add(Some(0.25));
        let told = spending.check("m").unwrap_err().to_string();
        assert_eq!(told, "all replies of this command have cost $0.5, and --max-cost is 0.5");
        let unbound = Spending::new(None);
        unbound.add(None);
        assert_eq!(unbound.check("m"), Ok(()));
        let unknown = Spending::new(Some(0.5));
        unknown.add(None);
        unknown.add(Some(0.1));
        assert!(unknown.check("m").unwrap_err().to_string().contains("llm.prices has none for m"));
    }
}
