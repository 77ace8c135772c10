//! Asking: the samples that are missing are had from the model, several at a time.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::json;

use crate::client::bench::memory::{Answer, Memory, Sample};
use crate::client::generate::answer::{Reply, Unanswered, Usage};
use crate::client::generate::model::Model;
use crate::client::generate::program::Children;
use crate::client::generate::prompt::{self, Interpreter};
use crate::config::{Llm, Price};
use crate::task::Task;
use crate::ui::Spinner;
use crate::util::digest;

/// Requests for one model.
pub struct Asking<'a> {
    /// The model.
    pub model: &'a Model,
    /// Its memory.
    pub memory: &'a Memory,
    /// Settings that its requests are made with.
    pub llm: &'a Llm,
    /// The Python that replies are written for.
    pub interpreter: &'a Interpreter,
    /// Samples of each task.
    pub samples: u32,
    /// Requests at the same time.
    pub requests: usize,
    /// Progress display.
    pub spinner: &'a Spinner,
    /// Programs of the model; where they are ended, nothing more is asked for.
    pub children: &'a Children,
    /// The benchmark's count of replies.
    pub tally: &'a Tally,
}

/// A sample to be asked for: its task and its number.
pub type Due<'a> = (&'a Task, u32);

/// Replies of a benchmark, which whoever stops it is told of.
#[derive(Debug, Default)]
pub struct Tally {
    all: AtomicUsize,
    kept: AtomicUsize,
}

impl Tally {
    /// So many are wanted, and so many are there.
    pub fn begin(&self, all: usize, kept: usize) {
        self.kept.store(kept, Relaxed);
        self.all.store(all, Relaxed);
    }

    /// Says what a stop leaves.
    #[must_use]
    pub fn at_stop(&self) -> String {
        match (self.kept.load(Relaxed), self.all.load(Relaxed)) {
            (_, 0) => "stopped before anything was asked for".to_owned(),
            (kept, all) => format!("stopped: {kept} of {all} replies are kept; the same command goes on"),
        }
    }
}

/// Samples that could not be had.
#[derive(Debug, Default)]
pub struct Missing {
    /// How many.
    pub samples: usize,
    /// The reasons, each once.
    pub reasons: Vec<String>,
}

struct Queue<'a> {
    jobs: VecDeque<Due<'a>>,
    all: usize,
    done: usize,
    missing: Missing,
    broken: Option<anyhow::Error>,
}

impl Asking<'_> {
    /// Asks for what is due.
    ///
    /// # Errors
    /// A reply can't be written down.
    pub fn ask(&self, jobs: VecDeque<Due<'_>>) -> anyhow::Result<Missing> {
        let (all, threads) = (jobs.len(), self.requests.min(jobs.len()));
        let queue = Queue { jobs, all, done: 0, missing: Missing::default(), broken: None };
        let queue = Mutex::new(queue);
        thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(|| self.work(&queue)))));
        let queue = queue.into_inner();
        queue.broken.map_or(Ok(queue.missing), Err)
    }

    /// Samples that are not remembered: first one of every task, then the second.
    #[must_use]
    pub fn due<'t>(&self, tasks: &'t [Task]) -> VecDeque<Due<'t>> {
        let samples = self.memory.samples();
        let known: HashSet<(&str, u32, &str)> =
            samples.iter().map(|one| (one.task.as_str(), one.sample, one.asked.as_str())).collect();
        let asked: Vec<String> = tasks.iter().map(|task| asked(task, self.interpreter, self.llm)).collect();
        let all =
            (1..=self.samples).flat_map(|number| tasks.iter().zip(&asked).map(move |pair| (pair, number)));
        all.filter(|((task, asked), number)| !known.contains(&(task.id.as_str(), *number, asked.as_str())))
            .map(|((task, _), number)| (task, number))
            .collect()
    }

    fn work(&self, queue: &Mutex<Queue<'_>>) {
        while !self.children.are_ended() {
            let Some((task, number)) = queue.lock().jobs.pop_front() else { return };
            let answer = self.sample(task, number);
            let mut queue = queue.lock();
            queue.done += 1;
            self.spinner.progress(format!("{}: {} of {} replies", self.memory.model, queue.done, queue.all));
            match answer.map(|sample| self.memory.add_sample(sample)) {
                Ok(Ok(())) => drop(self.tally.kept.fetch_add(1, Relaxed)),
                Ok(Err(error)) => {
                    queue.jobs.clear();
                    queue.broken.get_or_insert(error);
                }
                Err(reason) => queue.miss(&reason),
            }
        }
    }

    fn sample(&self, task: &Task, number: u32) -> Result<Sample, Unanswered> {
        let begun = Instant::now();
        let tell = |news: String| self.spinner.say(&format!("{} {number}: {news}", task.id));
        let (answer, usage) = match self.model.ask(&prompt::ask(task, self.interpreter), &tell) {
            Ok(Reply { text, cut_off, usage }) => (Answer::Text { text, cut_off }, usage),
            Err(Unanswered::Declined(reason)) => (Answer::Declined(reason), Usage::default()),
            Err(other) => return Err(other),
        };
        Ok(Sample {
            task: task.id.clone(),
            sample: number,
            asked: asked(task, self.interpreter, self.llm),
            at: Timestamp::now(),
            seconds: begun.elapsed().as_secs_f64(),
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            cost: usage.cost.or_else(|| cost(usage, self.llm.prices.get(&self.memory.model)?)),
            answer,
        })
    }
}

impl Queue<'_> {
    /// Counts a sample that can't be had; a hopeless one takes all that are left with it.
    fn miss(&mut self, reason: &Unanswered) {
        self.missing.samples += 1;
        if matches!(reason, Unanswered::Hopeless(_)) {
            self.missing.samples += self.jobs.len();
            self.jobs.clear();
        }
        let reason = reason.to_string();
        if !self.missing.reasons.contains(&reason) {
            self.missing.reasons.push(reason);
        }
    }
}

/// Digest of a task's prompt and of the settings that it is sent with.
#[must_use]
pub fn asked(task: &Task, interpreter: &Interpreter, llm: &Llm) -> String {
    let settings = json!([llm.max_tokens, llm.temperature, llm.body, llm.command]).to_string();
    digest::hex([prompt::ask(task, interpreter).as_bytes(), settings.as_bytes()])
}

fn cost(usage: Usage, price: &Price) -> Option<f64> {
    let money = |tokens: u64, price: f64| tokens as f64 * price / 1e6;
    Some(money(usage.prompt_tokens?, price.prompt) + money(usage.completion_tokens?, price.reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_takes_both_counts() {
        let price = Price { prompt: 2.0, reply: 10.0 };
        let usage = Usage { prompt_tokens: Some(1_000), completion_tokens: Some(500), cost: None };
        assert_eq!(cost(usage, &price), Some(0.007));
        assert_eq!(cost(Usage { completion_tokens: None, ..usage }, &price), None);
    }
}
