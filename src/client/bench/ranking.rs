//! Ranking of models: by pass@1, then by score, then by cost.

use std::cmp::Ordering;
use std::io::{self, Write};

use serde::Serialize;

use crate::client::bench::by_task::{Count, TaskRow};
use crate::client::bench::judging::{Results, Tried};
use crate::client::generate::answer::tokens;
use crate::model::model_use::told_dollars;
use crate::pipeline::publish::csv::or_empty;
use crate::pipeline::score::hundredths;
use crate::task::Task;
use crate::term::{Layout, Styled, left, right, table};
use crate::util::text::visible;

/// The most of a model's name that is shown, in characters.
const SHOWN: usize = 100;

/// A model's line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// 1-based; equal results share it. None if a task has no sample.
    pub rank: Option<usize>,
    /// The best rank that it would have by other tasks of the same kind; None where nothing can be said.
    pub rank_low: Option<u32>,
    /// The worst one.
    pub rank_high: Option<u32>,
    /// The model's name.
    pub model: String,
    /// Mean chance, in percent, that one sample passes all tests of a task; None without samples, as of what follows.
    pub pass_at_1: Option<f64>,
    /// The lower end of its 95 % interval; None where nothing can be said.
    pub pass_at_1_low: Option<f64>,
    /// The upper end.
    pub pass_at_1_high: Option<f64>,
    /// Mean chance, in percent, that one of `k` does; None unless each of the tasks with a sample has as many.
    pub pass_at_k: Option<f64>,
    /// As wanted.
    pub k: u32,
    /// Mean score of the samples, 0 to 100, by the tasks' weights.
    pub score: Option<f64>,
    /// Tasks with a sample.
    pub tasks: usize,
    /// Samples that were judged.
    pub samples: usize,
    /// Samples that are missing, or could not be judged.
    pub missing: usize,
    /// Tokens of all prompts, as far as endpoints tell; None if they tell of none.
    pub prompt_tokens: Option<u64>,
    /// Tokens of all replies, as far as endpoints tell; None if they tell of none.
    pub completion_tokens: Option<u64>,
    /// Money for all samples; None if it is not known of all.
    pub cost: Option<f64>,
    /// Replies that end where the model had used up its tokens.
    pub cut_off: usize,
    /// Each task's result, but for tasks at fault.
    pub by_task: Vec<TaskRow>,
}

impl Row {
    /// The line of a model, of which `samples` of each task are wanted.
    #[must_use]
    pub fn new(model: &str, results: &Results, tasks: &[Task], samples: u32, k: u32) -> Self {
        let (mut sums, mut by_task) = (Sums::default(), Vec::new());
        let tasks = tasks.iter().filter(|task| !results.task_faults.contains_key(&task.id));
        for task in tasks {
            let known = results.tasks.get(&task.id).map_or(&[][..], Vec::as_slice);
            sums.add(task.weight, known, samples, k);
            by_task.push(TaskRow::new(&task.id, known, k));
        }
        Self {
            rank: None,
            rank_low: None,
            rank_high: None,
            model: model.to_owned(),
            pass_at_1: percent(sums.pass_at_1, sums.tasks),
            pass_at_1_low: None,
            pass_at_1_high: None,
            pass_at_k: percent(sums.pass_at_k, sums.tasks).filter(|_| sums.tasks_of_k == sums.tasks),
            k,
            score: (sums.tasks > 0)
                .then(|| hundredths(if sums.weight > 0.0 { sums.score / sums.weight } else { 0.0 })),
            tasks: sums.tasks,
            samples: sums.samples,
            missing: sums.missing,
            prompt_tokens: sums.prompt_tokens,
            completion_tokens: sums.completion_tokens,
            cost: sums.cost.filter(|_| sums.known > 0).map(told_dollars),
            cut_off: sums.cut_off,
            by_task,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        let result = other.result().partial_cmp(&self.result()).unwrap_or(Ordering::Equal);
        let cost = |row: &Self| row.cost.unwrap_or(f64::INFINITY);
        let cheap = cost(self).total_cmp(&cost(other));
        // What lacks a task can't be compared.
        (self.unsampled() > 0)
            .cmp(&(other.unsampled() > 0))
            .then(result)
            .then(cheap)
            .then(self.model.cmp(&other.model))
    }

    /// Tasks without a sample that was judged.
    #[must_use]
    pub fn unsampled(&self) -> usize {
        self.by_task.iter().filter(|task| task.pass_at_1.is_none()).count()
    }

    fn result(&self) -> (Option<f64>, Option<f64>) {
        (self.pass_at_1, self.score)
    }

    /// The interval of pass@1 in whole percent.
    #[must_use]
    pub fn interval(&self) -> Option<String> {
        let (low, high) = self.pass_at_1_low.zip(self.pass_at_1_high)?;
        Some(format!("{low:.0}-{high:.0}"))
    }

    /// Tokens of prompts and replies; None if nothing is known of either.
    #[must_use]
    pub fn tokens(&self) -> Option<u64> {
        tokens(self.prompt_tokens, self.completion_tokens)
    }
}

fn percent(sum: f64, tasks: usize) -> Option<f64> {
    (tasks > 0).then(|| hundredths(100.0 * sum / tasks as f64))
}

/// Sums over tasks.
struct Sums {
    tasks: usize,
    tasks_of_k: usize,
    pass_at_1: f64,
    pass_at_k: f64,
    weight: f64,
    score: f64,
    samples: usize,
    missing: usize,
    known: usize,
    cut_off: usize,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    cost: Option<f64>,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            tasks: 0,
            tasks_of_k: 0,
            pass_at_1: 0.0,
            pass_at_k: 0.0,
            weight: 0.0,
            score: 0.0,
            samples: 0,
            missing: 0,
            known: 0,
            cut_off: 0,
            prompt_tokens: None,
            completion_tokens: None,
            cost: Some(0.0),
        }
    }
}

impl Sums {
    fn add(&mut self, weight: f64, known: &[Tried], wanted: u32, k: u32) {
        let count = Count::of(known);
        self.samples += count.judged as usize;
        self.missing += wanted.saturating_sub(count.judged) as usize;
        for Tried { sample, .. } in known {
            self.known += 1;
            self.cut_off += usize::from(sample.is_cut_off());
            self.prompt_tokens = tokens(self.prompt_tokens, sample.prompt_tokens);
            self.completion_tokens = tokens(self.completion_tokens, sample.completion_tokens);
            self.cost = self.cost.zip(sample.cost).map(|(sum, cost)| sum + cost);
        }
        if let Some((share, score)) = count.pass_at(1).zip(count.score()) {
            self.tasks += 1;
            self.pass_at_1 += share;
            self.weight += weight;
            self.score += weight * score;
        }
        if let Some(share) = count.pass_at(k) {
            self.tasks_of_k += 1;
            self.pass_at_k += share;
        }
    }
}

/// Puts the lines in order and gives each its rank.
pub fn rank(rows: &mut [Row]) {
    rows.sort_by(Row::order);
    for at in 0..rows.len() {
        let same = at > 0 && rows[at].result() == rows[at - 1].result();
        let rank = if same { rows[at - 1].rank } else { Some(at + 1) };
        rows[at].rank = rank.filter(|_| rows[at].unsampled() == 0);
    }
}

/// The ranking as a table for a person.
#[must_use]
pub fn shown(rows: &[Row], layout: &Layout) -> String {
    let k = rows.first().map_or(1, |row| row.k);
    let mut columns = vec![left("RANK"), left("MODEL"), right("PASS@1"), right("95%")];
    columns.extend((k > 1).then(|| right(&format!("PASS@{k}"))));
    columns.extend(["SCORE", "SAMPLES", "TOKENS", "COST"].map(right));
    let is_cut_off = rows.iter().any(|row| row.cut_off > 0);
    columns.extend(is_cut_off.then(|| right("CUT OFF")));
    let line = |row: &Row| {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let number = |number: Option<f64>| or_dash(number.map(|number| number.to_string()));
        let wanted =
            if row.missing > 0 { format!(" of {}", row.samples + row.missing) } else { String::new() };
        let mut cells = vec![
            or_dash(row.rank.map(|rank| rank.to_string() + &other_ranks(row))),
            visible(&row.model, SHOWN),
            number(row.pass_at_1),
            or_dash(row.interval()),
        ];
        cells.extend((k > 1).then(|| number(row.pass_at_k)));
        cells.extend([
            number(row.score),
            format!("{}{wanted}", row.samples),
            or_dash(row.tokens().map(|tokens| tokens.to_string())),
            or_dash(row.cost.map(|cost| cost.to_string())),
        ]);
        cells.extend(is_cut_off.then(|| row.cut_off.to_string()));
        cells.into_iter().map(Styled::from).collect()
    };
    table(layout, &columns, rows.iter().map(line))
}

/// Ranks that chance may have kept a model from, in brackets behind its own.
fn other_ranks(row: &Row) -> String {
    let range = row.rank_low.zip(row.rank_high).filter(|(low, high)| low != high);
    range.map_or_else(String::new, |(low, high)| format!(" ({low}-{high})"))
}

/// Writes the ranking as CSV.
///
/// # Errors
/// Those of `out`.
pub fn csv(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "rank",
        "model",
        "pass_at_1",
        "pass_at_k",
        "k",
        "score",
        "tasks",
        "samples",
        "missing",
        "prompt_tokens",
        "completion_tokens",
        "cost",
        "cut_off",
        "pass_at_1_low",
        "pass_at_1_high",
        "rank_low",
        "rank_high",
    ])?;
    for row in rows {
        writer.write_record([
            or_empty(row.rank),
            visible(&row.model, SHOWN),
            or_empty(row.pass_at_1),
            or_empty(row.pass_at_k),
            row.k.to_string(),
            or_empty(row.score),
            row.tasks.to_string(),
            row.samples.to_string(),
            row.missing.to_string(),
            or_empty(row.prompt_tokens),
            or_empty(row.completion_tokens),
            or_empty(row.cost),
            row.cut_off.to_string(),
            or_empty(row.pass_at_1_low),
            or_empty(row.pass_at_1_high),
            or_empty(row.rank_low),
            or_empty(row.rank_high),
        ])?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::client::bench::memory::{Answer, Judged, Sample};

    fn tried(answer: Answer, tokens: u64) -> Tried {
        let sample = Sample {
            task: "t".to_owned(),
            sample: 1,
            asked: "a".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            seconds: 0.5,
            prompt_tokens: Some(tokens),
            completion_tokens: Some(tokens),
            cost: None,
            is_cost_told: false,
            answer,
        };
        Tried { sample, judged: None }
    }

    #[test]
    fn sums_of_what_endpoints_tell_have_an_end() {
        let mut sums = Sums::default();
        let tried = tried(Answer::Declined("no".to_owned()), u64::MAX);
        sums.add(1.0, &[tried.clone(), tried], 2, 1);
        assert_eq!((sums.prompt_tokens, sums.completion_tokens), (Some(u64::MAX), Some(u64::MAX)));
    }

    #[test]
    fn a_pass_at_k_is_of_all_tasks_or_of_none() {
        let at_2 = |counts: [usize; 2]| {
            let mut results = Results::default();
            let sample = || Tried { judged: Some(passed()), ..tried(Answer::Declined(String::new()), 1) };
            let tasks = counts.iter().zip(["a", "b"]).map(|(count, id)| {
                results.tasks.insert(id.to_owned(), (0..*count).map(|_| sample()).collect());
                let yaml = b"prompt: p\ntests: [f() == 1]\n";
                let task = crate::task::parse(std::path::Path::new("t.yaml"), yaml).unwrap();
                Task { id: id.to_owned(), ..task }
            });
            let tasks: Vec<Task> = tasks.collect();
            Row::new("m", &results, &tasks, 2, 2).pass_at_k
        };
        assert_eq!([at_2([2, 2]), at_2([2, 1]), at_2([2, 0])], [Some(100.0), None, Some(100.0)]);
    }

    fn passed() -> Judged {
        serde_json::from_str(r#"{"key": "k", "verdict": "passed", "score": 100}"#).unwrap()
    }

    #[test]
    fn models_are_ranked_by_as_many_samples_as_each_task_has() {
        let row = |model: &str, counts: [usize; 2]| {
            let mut results = Results::default();
            let sample = || Tried { judged: Some(passed()), ..tried(Answer::Declined(String::new()), 1) };
            let tasks = counts.iter().zip(["a", "b"]).map(|(count, id)| {
                results.tasks.insert(id.to_owned(), (0..*count).map(|_| sample()).collect());
                Task::of_ours(id, "p", "assert f() == 1")
            });
            let tasks: Vec<Task> = tasks.collect();
            Row::new(model, &results, &tasks, 3, 1)
        };
        let mut rows = [row("part", [3, 0]), row("uneven", [3, 1]), row("whole", [3, 3])];
        rank(&mut rows);
        let told = rows.each_ref().map(|row| (row.model.as_str(), row.rank, row.missing));
        assert_eq!(told, [("uneven", Some(1), 2), ("whole", Some(1), 0), ("part", None, 3)]);
    }

    #[test]
    fn replies_that_were_cut_off_have_a_column_where_there_are_any() {
        let row = |answer| {
            let mut results = Results::default();
            results.tasks.insert("t".to_owned(), vec![tried(answer, 1)]);
            let yaml = b"prompt: p\ntests: [f() == 1]\n";
            let task = crate::task::parse(std::path::Path::new("t.yaml"), yaml).unwrap();
            Row::new("m", &results, &[task], 1, 1)
        };
        let (whole, cut_off) = (row(Answer::Declined("no".to_owned())), row(Answer::CutOff("no".to_owned())));
        assert_eq!((cut_off.cut_off, cut_off.completion_tokens), (1, Some(1)));
        let text = shown(&[whole.clone(), cut_off], &Layout::PLAIN);
        assert!(text.lines().next().unwrap().ends_with("CUT OFF"), "{text}");
        assert!(!shown(&[whole], &Layout::PLAIN).contains("CUT OFF"));
    }
}
