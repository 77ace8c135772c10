//! Models of before that have no rank now: why, and what to do.

use crate::client::bench::judging::Results;
use crate::client::bench::ranking::Row;
use crate::util::first_few::first_few;
use crate::util::plural::counted;
use crate::util::text::visible;

/// The most of a name that is told, in characters.
const SHOWN: usize = 100;

/// Says why these models have no rank, of which `samples` of each task are wanted.
#[must_use]
pub fn told(models: &[(&Row, &Results)], samples: u32) -> Vec<String> {
    let missing = models.iter().filter(|(row, _)| row.missing > 0);
    let (old, few): (Vec<_>, Vec<_>) = missing.partition(|(_, results)| results.outdated > 0);
    let few = line(&few, &format!("fewer than {}", counted(samples as usize, "sample")));
    let of_each = |line: String| format!("{line}; --model NAME asks for the rest");
    let old = line(&old, "replies to another prompt or by other settings, which don't count");
    let anew = |line: String| format!("{line}; --model NAME asks anew");
    few.map(of_each).into_iter().chain(old.map(anew)).collect()
}

/// None if there is no such model.
fn line(models: &[&(&Row, &Results)], what: &str) -> Option<String> {
    let (count, have) = (counted(models.len(), "model"), if models.len() == 1 { "has" } else { "have" });
    let names = first_few(models.iter().map(|(row, _)| visible(&row.model, SHOWN)));
    (!models.is_empty()).then(|| format!("{count} of before {have} {what}, and so no rank: {names}"))
}
