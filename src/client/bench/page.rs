//! `models.html`: the ranking of models and their results task by task, for eyes.
//!
//! It holds no message of any test, so that it can be shown to others, and runs no script.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use minijinja::{Value, context};

use crate::client::bench::by_task::TaskRow;
use crate::client::bench::ranking::Row;
use crate::pipeline::publish::html;
use crate::pipeline::publish::page;
use crate::util::natural::natural;
use crate::util::text::visible;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The most of a name that is shown, in characters.
const SHOWN: usize = 100;

/// Writes the page of models that are ranked.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, rows: &[Row], title: Option<&str>, made: Timestamp) -> io::Result<()> {
    let style = [page::STYLE, STYLE].concat();
    let context = context! {
        title => title.map(|title| visible(title, SHOWN)),
        version => env!("CARGO_PKG_VERSION"),
        made => made.to_string(),
        made_said => made.strftime("%Y-%m-%d %H:%M").to_string(),
        style_hash => html::hash(&style),
        style => Value::from_safe_string(style),
        samples => grouped(rows.iter().map(|row| row.samples as u64).sum()),
        k => rows.first().map_or(1, |row| row.k),
        models => rows.iter().map(model).collect::<Vec<_>>(),
        tasks => tasks(rows),
    };
    out.write_all(html::render(TEMPLATE, context)?.as_bytes())
}

fn model(row: &Row) -> Value {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    context! {
        name => visible(&row.model, SHOWN),
        rank => or_dash(row.rank.map(|rank| rank.to_string())),
        high => row.rank.is_some_and(|rank| rank <= 3),
        pass_at_1 => row.pass_at_1.map(|share| share.to_string()),
        interval => row.interval(),
        ranks => row.rank_low.zip(row.rank_high).map(|(low, high)| format!("{low} to {high}")),
        pass_at_k => or_dash(row.pass_at_k.map(|share| share.to_string())),
        score => or_dash(row.score.map(|score| score.to_string())),
        samples => grouped(row.samples as u64),
        cut_off => (row.cut_off > 0).then(|| grouped(row.cut_off as u64)),
        missing => (row.missing > 0).then(|| grouped(row.missing as u64)),
        tokens => or_dash(row.tokens().map(grouped)),
        cost => or_dash(row.cost.map(|cost| cost.to_string())),
    }
}

/// A task's id, and its result of each model.
type Line<'r> = (&'r str, Vec<Option<&'r TaskRow>>);

/// One task's results by model; those come first in which models differ most, and of the others the hardest.
fn tasks(rows: &[Row]) -> Vec<Value> {
    let mut by_task: BTreeMap<&str, Vec<Option<&TaskRow>>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        for task in &row.by_task {
            by_task.entry(&task.task).or_insert_with(|| vec![None; rows.len()])[at] = Some(task);
        }
    }
    let mut tasks: Vec<Line<'_>> = by_task.into_iter().collect();
    tasks.sort_by(order);
    tasks.iter().map(|(id, cells)| context! { id => visible(id, SHOWN), cells => each(cells) }).collect()
}

fn order(a: &Line<'_>, b: &Line<'_>) -> Ordering {
    let (gap, mean) = (spread(&b.1).total_cmp(&spread(&a.1)), mean(&a.1).total_cmp(&mean(&b.1)));
    gap.then(mean).then_with(|| natural(a.0, b.0))
}

fn shares<'c>(cells: &'c [Option<&TaskRow>]) -> impl Iterator<Item = f64> + Clone + 'c {
    cells.iter().filter_map(|cell| cell.and_then(|row| row.pass_at_1))
}

/// The best model's lead over the worst one.
fn spread(cells: &[Option<&TaskRow>]) -> f64 {
    let all = shares(cells);
    (all.clone().fold(0.0, f64::max) - all.fold(100.0, f64::min)).max(0.0)
}

fn mean(cells: &[Option<&TaskRow>]) -> f64 {
    let (sum, count) = shares(cells).fold((0.0, 0), |(sum, count), share| (sum + share, count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

fn each(cells: &[Option<&TaskRow>]) -> Vec<Value> {
    let cell = |row: &TaskRow| {
        let share = row.pass_at_1?;
        Some(context! {
            tenth => (share / 10.0).floor() as u32,
            pass_at_1 => share.to_string(),
            passed => row.passed,
            samples => row.samples,
        })
    };
    cells.iter().map(|row| Value::from(row.and_then(cell))).collect()
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| str::from_utf8(part).ok()).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(task: &str, passed: u32, samples: u32) -> TaskRow {
        let share = (samples > 0).then(|| 100.0 * f64::from(passed) / f64::from(samples));
        TaskRow {
            task: task.to_owned(),
            samples,
            passed,
            pass_at_1: share,
            pass_at_k: share,
            score: share,
            first_failure: Some("hidden: f(7) is not 8".to_owned()),
        }
    }

    fn row(model: &str, rank: Option<usize>, by_task: Vec<TaskRow>) -> Row {
        Row {
            rank,
            model: model.to_owned(),
            pass_at_1: Some(62.5),
            pass_at_1_low: rank.map(|_| 41.67),
            pass_at_1_high: rank.map(|_| 83.33),
            rank_low: rank.map(|_| 1),
            rank_high: rank.map(|_| 3),
            pass_at_k: Some(75.0),
            k: 4,
            score: Some(70.25),
            tasks: 2,
            samples: 1234,
            missing: usize::from(rank.is_none()),
            prompt_tokens: Some(1_000_000),
            completion_tokens: Some(999),
            cost: rank.map(|_| 0.5),
            cut_off: usize::from(rank.is_none()),
            by_task,
        }
    }

    fn page(rows: &[Row]) -> String {
        let mut out = Vec::new();
        write(&mut out, rows, Some("<i>Bench"), Timestamp::UNIX_EPOCH).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_tells_all_but_what_tests_say() {
        let rows = [
            row("<b>large", Some(1), vec![task("t/10", 4, 4), task("t/9", 1, 4), task("t/2", 4, 4)]),
            row("small", None, vec![task("t/10", 2, 4), task("t/9", 1, 4), task("t/2", 0, 0)]),
        ];
        let text = page(&rows);
        for told in [
            "&lt;b&gt;large",
            "&lt;i&gt;Bench",
            "pass@4",
            "1,000,999",
            "0.5",
            "1 missing",
            "1 cut off",
            "42-83",
            "Ranks that chance leaves open: 1 to 3",
            "1,234",
            "<b>2,468</b>samples",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(!text.contains("f(7)") && !text.contains("<script") && !text.contains("<b>large"), "{text}");
        let place =
            |id: &str| text.find(&format!("<th scope=\"row\">{}</th>", id.replace('/', "&#x2f;"))).unwrap();
        assert!(
            place("t/10") < place("t/9") && place("t/9") < place("t/2"),
            "the largest gap, then the hardest"
        );
        assert!(
            text.contains(r#"<span class="share s5">50</span><span class="soft of">2 / 4</span>"#),
            "{text}"
        );
    }

    #[test]
    fn one_model_and_one_sample_need_no_more_columns() {
        let one = Row { k: 1, ..row("m", Some(1), vec![task("t", 1, 1)]) };
        let unknown = Row { pass_at_1: None, score: None, prompt_tokens: None, ..row("x", None, Vec::new()) };
        assert!(page(&[unknown]).contains("<td>–</td>"), "nothing is known, not nothing scored");
        let text = page(&[one]);
        assert!(
            !text.contains("pass@k") && !text.contains("pass@4") && text.contains("<b>1</b>task<"),
            "{text}"
        );
    }
}
