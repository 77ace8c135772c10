//! Models that have no rank: why, and what to do.

use crate::client::bench::judging::Results;
use crate::client::bench::ranking::Row;
use crate::util::first_few::first_few;
use crate::util::plural::counted;
use crate::util::text::visible;

/// The most of a name that is told, in characters.
const SHOWN: usize = 100;

/// A model's line, and what it is made of.
type Model<'a> = (&'a Row, &'a Results);

/// Says why these models of before have no rank.
#[must_use]
pub fn of_before(models: &[Model<'_>]) -> Vec<String> {
    let missing = models.iter().copied().filter(|(row, _)| row.unsampled() > 0);
    let (files, asked): (Vec<_>, Vec<_>) = missing.partition(|(_, results)| results.is_file);
    let (old, few): (Vec<_>, Vec<_>) =
        asked.into_iter().partition(|(row, results)| results.outdated >= row.unsampled());
    let too_few = "no sample of some tasks";
    let other = "replies to another prompt or by other settings, which don't count";
    [
        line("model", &few, too_few, "--model NAME asks for the rest"),
        line("file", &files, too_few, "name the tasks that count, or give a whole one by --file"),
        line("model", &old, other, "--model NAME asks anew"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// None if there is no such model.
fn line(noun: &str, models: &[Model<'_>], what: &str, remedy: &str) -> Option<String> {
    let (count, have) = (counted(models.len(), noun), if models.len() == 1 { "has" } else { "have" });
    let names = first_few(models.iter().map(|(row, _)| visible(&row.model, SHOWN)));
    (!models.is_empty())
        .then(|| format!("{count} of before {have} {what}, and so no rank: {names}; {remedy}"))
}

/// Says why a file has no rank, or that it has fewer samples than were wanted, unless something could not be judged, which is
/// told by itself.
#[must_use]
pub fn of_file((row, results): Model<'_>) -> Option<String> {
    if !results.is_file || row.missing == 0 || !results.faults.is_empty() {
        return None;
    }
    let model = visible(&row.model, SHOWN);
    Some(if row.unsampled() == 0 {
        let are = if row.missing == 1 { "is" } else { "are" };
        format!(
            "{model}: {} {are} missing, which the file does not have; it is ranked by what it has",
            counted(row.missing, "sample")
        )
    } else {
        let without = row.by_task.iter().filter(|task| task.samples == 0).map(|task| &task.task);
        format!("{model} has no sample of {}, and so no rank; name the tasks that count", first_few(without))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::bench::by_task::TaskRow;

    /// A model with so many samples of each task, of which two are wanted.
    fn model(name: &str, samples: &[u32], results: Results) -> (Row, Results) {
        let mut row = Row::new(name, &results, &[], 1, 1);
        row.missing = samples.iter().map(|count| 2_u32.saturating_sub(*count) as usize).sum();
        let task = |(count, at): (&u32, u32)| TaskRow {
            samples: *count,
            pass_at_1: (*count > 0).then_some(100.0),
            ..TaskRow::new(&format!("t/{at}"), &[], 1)
        };
        row.by_task = samples.iter().zip(0..).map(task).collect();
        (row, results)
    }

    fn file() -> Results {
        Results { is_file: true, ..Results::default() }
    }

    #[test]
    fn what_a_file_lacks_is_told_with_the_remedy() {
        let told = |samples: &[u32], results| {
            let (row, results) = model("hasty", samples, results);
            of_file((&row, &results))
        };
        assert_eq!(told(&[2, 2], file()), None);
        let few = "hasty: 2 samples are missing, which the file does not have; it is ranked by what it has";
        assert_eq!(told(&[1, 1, 3], file()).as_deref(), Some(few));
        let none = "hasty has no sample of t/1, and so no rank; name the tasks that count";
        assert_eq!(told(&[2, 0], file()).as_deref(), Some(none));
        let faults = ["the engine is away".to_owned()].into();
        assert_eq!(told(&[2, 1], Results { faults, ..file() }), None);
    }

    #[test]
    fn a_file_of_before_is_not_asked_for_the_rest() {
        let old = Results { outdated: 1, ..Results::default() };
        let all = [
            model("whole", &[2, 2], file()),
            model("extra", &[1, 0], file()),
            model("small", &[2, 0], Results::default()),
            model("uneven", &[2, 1], Results::default()),
            model("a", &[1, 0], old),
            model("both", &[0, 0], Results { outdated: 1, ..Results::default() }),
        ];
        let told = of_before(&all.iter().map(|(row, results)| (row, results)).collect::<Vec<_>>());
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].ends_with("no rank: small, both; --model NAME asks for the rest"), "{told:?}");
        assert!(
            told[1].starts_with("1 file of before has no sample of some tasks, and so no rank: extra;"),
            "{told:?}"
        );
        assert!(told[2].starts_with("1 model of before has replies to another prompt"), "{told:?}");
    }
}
