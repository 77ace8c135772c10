//! Samples one by one: what each came to, and what it took.

use std::io::{self, Write};

use crate::client::bench::judging::{Results, Tried};
use crate::client::bench::memory::Answer;
use crate::pipeline::publish::csv::{or_empty, table, text};

const HEADER: &str =
    "model,task,sample,verdict,score,seconds,prompt_tokens,completion_tokens,cut_off,message";

/// Writes all samples of all models as CSV. Messages tell of hidden tests.
///
/// # Errors
/// Those of `out`.
pub fn csv<'a>(out: &mut dyn Write, models: impl Iterator<Item = (&'a str, &'a Results)>) -> io::Result<()> {
    table(out, HEADER, models.flat_map(|(model, results)| lines(model, results)))
}

/// The samples of a model, by task and number.
fn lines<'a>(model: &'a str, results: &'a Results) -> impl Iterator<Item = Vec<String>> + 'a {
    let mut all: Vec<&Tried> = results.tasks.values().flatten().collect();
    all.sort_by_key(|tried| (&tried.sample.task, tried.sample.sample));
    all.into_iter().map(move |tried| line(model, tried))
}

fn line(model: &str, Tried { sample, judged }: &Tried) -> Vec<String> {
    let is_asked = !matches!(sample.answer, Answer::Program(_));
    let message = judged.as_ref().and_then(|judged| judged.message.as_deref());
    vec![
        text(model),
        text(&sample.task),
        sample.sample.to_string(),
        judged.as_ref().map_or("unscored", |judged| &judged.verdict).to_owned(),
        or_empty(judged.as_ref().map(|judged| judged.score)),
        or_empty(is_asked.then(|| (sample.seconds * 1e3).round() / 1e3)),
        or_empty(sample.prompt_tokens),
        or_empty(sample.completion_tokens),
        sample.is_cut_off().to_string(),
        text(message.unwrap_or_default()),
    ]
}
