//! Remarks on a ranking of models: prices that are missing, and tasks that nobody passes.

use std::collections::BTreeMap;

use crate::client::bench::ranking::Row;
use crate::config::Price;
use crate::util::first_few::first_few;
use crate::util::plural::counted;
use crate::util::similar::{did_you_mean, nearest};
use crate::util::text::visible;

/// The most of a name that is told, in characters.
const SHOWN: usize = 100;

/// Says that a model has no price, so that nobody knows what its replies cost though their tokens are known.
#[must_use]
pub fn unpriced(row: &Row, prices: &BTreeMap<String, Price>) -> Option<String> {
    if row.cost.is_some() || row.tokens().is_none() || prices.contains_key(&row.model) {
        return None;
    }
    let model = visible(&row.model, SHOWN);
    let near = did_you_mean(nearest(&row.model, prices.keys().map(String::as_str)));
    Some(format!(
        "llm.prices has none for {model}, so its COST is -; a price counts for what it has replied, too{near}"
    ))
}

/// Says that the ranking is of fewer tasks than were asked for, as some are at fault, which count for nobody.
#[must_use]
pub fn at_fault(faults: &BTreeMap<String, String>, tasks: usize) -> Option<String> {
    let are = if faults.len() == 1 { "is" } else { "are" };
    let left = tasks - faults.len();
    (!faults.is_empty()).then(|| {
        format!(
            "the ranking is of {left} of {}: {} {are} at fault",
            counted(tasks, "task"),
            first_few(faults.keys())
        )
    })
}

/// Names the tasks of which no model's sample passes all tests; None if there is none.
#[must_use]
pub fn unsolved(rows: &[Row]) -> Option<String> {
    let mut tasks: BTreeMap<&str, bool> = BTreeMap::new();
    for task in rows.iter().flat_map(|row| &row.by_task).filter(|task| task.samples > 0) {
        *tasks.entry(&task.task).or_default() |= task.passed > 0;
    }
    let unsolved: Vec<&str> = tasks.iter().filter(|(_, passed)| !**passed).map(|(task, _)| *task).collect();
    (!unsolved.is_empty()).then(|| {
        format!(
            "no model passes {} of {}: {}",
            unsolved.len(),
            counted(tasks.len(), "task"),
            first_few(&unsolved)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::bench::by_task::TaskRow;
    use crate::client::bench::judging::Results;

    #[test]
    fn a_ranking_of_a_part_says_so() {
        let faults = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), "why".to_owned())).collect();
        assert_eq!(at_fault(&faults(&[]), 3), None);
        let told = "the ranking is of 2 of 3 tasks: a is at fault";
        assert_eq!(at_fault(&faults(&["a"]), 3).as_deref(), Some(told));
    }

    #[test]
    fn tasks_are_named_that_no_model_passes() {
        let row = |passed: [u32; 3]| {
            let task = |(passed, id)| TaskRow { samples: 2, passed, ..TaskRow::new(id, &[], 1) };
            let by_task = passed.into_iter().zip(["a", "b", "c"]).map(task).collect();
            Row { by_task, ..Row::new("m", &Results::default(), &[], 1, 1) }
        };
        assert_eq!(
            unsolved(&[row([0, 1, 0]), row([2, 0, 0])]).as_deref(),
            Some("no model passes 1 of 3 tasks: c")
        );
        assert_eq!(unsolved(&[row([1, 1, 0]), row([2, 0, 1])]), None);
        assert_eq!(unsolved(&[]), None);
    }
}
