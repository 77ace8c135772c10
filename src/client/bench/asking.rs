//! Asking: the samples that are missing are had from the model, several at a time.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::json;

use crate::client::bench::memory::{Answer, Memory, Sample};
use crate::client::bench::spending::Spending;
use crate::client::generate::answer::{Reply, Unanswered};
use crate::client::generate::model::Model;
use crate::client::generate::program::Children;
use crate::client::generate::prompt::{self, Interpreter};
use crate::config::Llm;
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
    /// The benchmark's money.
    pub spending: &'a Spending,
}

/// A sample to be asked for: its task and its number.
pub type Due<'a> = (&'a Task, u32);

/// Replies of a benchmark, which whoever stops it is told of.
#[derive(Debug, Default)]
pub struct Tally {
    all: AtomicUsize,
    kept: AtomicUsize,
    is_written: AtomicBool,
}

impl Tally {
    /// So many are wanted, and so many are there.
    pub fn begin(&self, all: usize, kept: usize) {
        self.kept.store(kept, Relaxed);
        self.all.store(all, Relaxed);
    }

    /// The tables are written.
    pub fn note_written(&self) {
        self.is_written.store(true, Relaxed);
    }

    /// Says what a stop leaves; `asks` is true where models are asked, and not only files are read.
    #[must_use]
    pub fn at_stop(&self, asks: bool) -> String {
        let (kept, all) = (self.kept.load(Relaxed), self.all.load(Relaxed));
        let kept = if all > 0 { format!("{kept} of {all} replies are kept, and ") } else { String::new() };
        match self.is_written.load(Relaxed) {
            true => format!("stopped: {kept}the tables are written"),
            false if asks && all == 0 => "stopped before anything was asked for".to_owned(),
            false => format!("stopped: {kept}the tables are as they were; the same command goes on"),
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

    /// Says why samples of before are asked for anew, if any is.
    #[must_use]
    pub fn again(&self, due: &VecDeque<Due<'_>>) -> String {
        let samples = self.memory.samples();
        let known: HashSet<(&str, u32)> = samples.iter().map(|one| (one.task.as_str(), one.sample)).collect();
        let again = due.iter().filter(|(task, number)| known.contains(&(task.id.as_str(), *number))).count();
        match again {
            0 => String::new(),
            some => format!(
                "; {} of before {} not count: a prompt has changed since, of which public tests are part, or max_tokens, \
                 temperature, body or command of llm",
                if some == 1 { "1 reply".to_owned() } else { format!("{some} replies") },
                if some == 1 { "does" } else { "do" },
            ),
        }
    }

    fn work(&self, queue: &Mutex<Queue<'_>>) {
        while !self.children.are_ended() {
            let Some((task, number)) = queue.lock().jobs.pop_front() else { return };
            let answer = self.spending.check().and_then(|()| self.sample(task, number));
            let mut queue = queue.lock();
            match answer.map(|sample| self.keep(sample)) {
                Ok(Ok(())) => queue.done += 1,
                Ok(Err(error)) => {
                    queue.jobs.clear();
                    queue.broken.get_or_insert(error);
                }
                Err(reason) => queue.miss(&reason),
            }
            self.spinner.progress(format!("{}: {}", self.memory.model, queue.told()));
        }
    }

    fn keep(&self, sample: Sample) -> anyhow::Result<()> {
        self.spending.add(&self.memory.model, &sample, self.llm.prices.get(&self.memory.model));
        self.memory.add_sample(sample)?;
        self.tally.kept.fetch_add(1, Relaxed);
        Ok(())
    }

    fn sample(&self, task: &Task, number: u32) -> Result<Sample, Unanswered> {
        let begun = Instant::now();
        let tell = |news: String| self.spinner.say(&format!("{} {number}: {news}", task.id));
        let (answer, usage) = match self.model.ask(&prompt::ask(task, self.interpreter), &tell) {
            Ok(Reply { text, cut_off, usage }) => (Answer::Text { text, cut_off }, usage),
            Err(Unanswered::Declined { reason, cut_off: true, usage }) => (Answer::CutOff(reason), usage),
            Err(Unanswered::Declined { reason, usage, .. }) => (Answer::Declined(reason), usage),
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
            cost: usage.cost(self.llm.prices.get(&self.memory.model)),
            is_cost_told: usage.cost.is_some(),
            answer,
        })
    }
}

impl Queue<'_> {
    fn told(&self) -> String {
        let missing = match self.missing.samples {
            0 => String::new(),
            some => format!(", {some} missing"),
        };
        format!("{} of {} replies{missing}", self.done, self.all)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_tells_what_is_there() {
        let tally = Tally::default();
        assert_eq!(tally.at_stop(true), "stopped before anything was asked for");
        assert_eq!(tally.at_stop(false), "stopped: the tables are as they were; the same command goes on");
        tally.begin(4, 1);
        let told =
            "stopped: 1 of 4 replies are kept, and the tables are as they were; the same command goes on";
        assert_eq!(tally.at_stop(true), told);
        tally.note_written();
        assert_eq!(tally.at_stop(true), "stopped: 1 of 4 replies are kept, and the tables are written");
    }

    #[test]
    fn a_request_that_failed_is_no_reply() {
        let (jobs, missing) = (VecDeque::new(), Missing::default());
        let mut queue = Queue { jobs, all: 3, done: 2, missing, broken: None };
        assert_eq!(queue.told(), "2 of 3 replies");
        queue.miss(&Unanswered::Failed("HTTP 500".to_owned()));
        assert_eq!(queue.told(), "2 of 3 replies, 1 missing");
    }
}
