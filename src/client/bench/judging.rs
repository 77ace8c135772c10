//! Judging: the code in each reply is run on its task, unless that was done before.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::client::bench::asking::asked;
use crate::client::bench::memory::{Answer, Judged, Memory, Sample};
use crate::client::generate::answer::{CUT_OFF, Reply};
use crate::client::generate::prompt::Interpreter;
use crate::client::generate::reply::sources;
use crate::client::generate::wanted::Wanted;
use crate::config::{Limits, Llm, Pipeline};
use crate::import::with_imports;
use crate::model::report::{Scored, Verdict};
use crate::pipeline::run_keys::{EvaluationPlan, PlannedRun};
use crate::sandbox::{Fault, Opened, Sandbox};
use crate::submission;
use crate::task::Task;
use crate::ui::Spinner;
use crate::util::digest;
use crate::util::plural::counted;
use crate::util::text::visible;

/// The reason why a reply has failed that no agent can be made of.
const NO_CODE: &str = "no usable code in the reply";

/// The verdict on a source that the platform or Python refuses.
const REFUSED: &str = "refused";

/// Sandbox and rules that replies are judged by.
pub struct Judging<'a> {
    /// Rules, stages and limits.
    pub pipeline: &'a Pipeline,
    /// Settings that replies must have been asked for with.
    pub llm: &'a Llm,
    /// The Python that they must have been asked for.
    pub interpreter: &'a Interpreter,
    /// The place where code runs.
    pub sandbox: &'a dyn Sandbox,
    /// Progress display.
    pub spinner: &'a Spinner,
}

/// The most of a failing test's message that is kept, in characters.
const KEPT: usize = 500;

/// A sample and what it came to.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The sample.
    pub sample: Sample,
    /// The result; None where it is not judged, by our fault.
    pub judged: Option<Judged>,
}

/// Results of one model's samples.
#[derive(Debug, Default)]
pub struct Results {
    /// Samples of each task.
    pub tasks: BTreeMap<String, Vec<Tried>>,
    /// Tasks at which the author is at fault, which count for nobody, and why.
    pub task_faults: BTreeMap<String, String>,
    /// Reasons why something is not judged.
    pub faults: BTreeSet<String>,
    /// Samples of which there is but a reply that doesn't count, as it was asked for by another prompt or with other settings
    /// than today's.
    pub outdated: usize,
    /// True if a file stands for the model.
    pub is_file: bool,
}

impl Results {
    /// Leaves out tasks at fault, which another model's samples may have shown.
    pub fn leave_out(&mut self, faults: &BTreeMap<String, String>) {
        self.tasks.retain(|task, _| !faults.contains_key(task));
        self.task_faults.clone_from(faults);
    }
}

/// A source to be run.
struct Run<'a> {
    planned: &'a PlannedRun<'a>,
    key: String,
    source: String,
    sample: u32,
}

/// Result of a source.
enum Ended {
    Judged(Judged),
    Fault(Fault),
}

impl Judging<'_> {
    /// The results on these tasks, of all samples that were asked for as they would be today.
    ///
    /// # Errors
    /// There is no engine or no image, or a result can't be written down.
    pub fn judge(&self, memory: &Memory, tasks: &[Task]) -> anyhow::Result<Results> {
        let image = self.sandbox.image()?;
        let plan = EvaluationPlan::new(self.pipeline, tasks, &image);
        let file = memory.file();
        let mut results = Results { is_file: file.is_some(), ..Results::default() };
        let (mut due, mut samples): (BTreeMap<String, Run<'_>>, usize) = (BTreeMap::new(), 0);
        let mut keys: Vec<(Sample, Result<String, String>)> = Vec::new();
        let mut outdated: BTreeSet<(String, u32)> = BTreeSet::new();
        for sample in memory.samples() {
            let Some(planned) = planned(&plan, &sample.task) else { continue };
            let is_of_file = matches!(sample.answer, Answer::Program(_));
            if is_of_file && file.as_ref() != Some(&sample.asked) {
                continue;
            }
            if !is_of_file && sample.asked != asked(planned.task, self.interpreter, self.llm) {
                outdated.insert((sample.task.clone(), sample.sample));
                continue;
            }
            let source = self.source(&sample, planned.task);
            let key = source.clone().map(|source| planned.key(&digest::sha256(source.as_bytes())));
            if let (Ok(source), Ok(key)) = (source, key.clone())
                && memory.judged(&key).is_none()
            {
                samples += 1;
                let sample = sample.sample;
                due.entry(key.clone()).or_insert(Run { planned, key, source, sample });
            }
            keys.push((sample, key));
        }
        for (sample, _) in &keys {
            outdated.remove(&(sample.task.clone(), sample.sample));
        }
        results.outdated = outdated.len();
        // Samples of the same code share a run.
        let noun = if samples > due.len() { "different solution" } else { "solution" };
        self.run(memory, due.into_values().collect(), noun, &mut results)?;
        let price = self.llm.prices.get(&memory.model);
        for (mut sample, key) in keys {
            sample.cost = sample.cost_by(price);
            let judged = key.map_or_else(|why| Some(refused(&sample, &why)), |key| memory.judged(&key));
            results.tasks.entry(sample.task.clone()).or_default().push(Tried { sample, judged });
        }
        Ok(results)
    }

    /// The program, or the likeliest source in a reply, if the platform would take it; else the reason why there is none.
    fn source(&self, sample: &Sample, task: &Task) -> Result<String, String> {
        let check = |source: &str| submission::check(source.as_bytes(), self.pipeline);
        let (text, cut_off) = match &sample.answer {
            Answer::Text { text, cut_off } => (text, cut_off),
            Answer::Program(source) => {
                return check(source).map(|()| source.clone()).map_err(|refused| refused.to_string());
            }
            Answer::Declined(reason) => return Err(format!("declined: {reason}")),
            Answer::CutOff(reason) => return Err(reason.clone()),
        };
        let reply = Reply { text: text.clone(), cut_off: *cut_off, ..Reply::default() };
        let wanted = Wanted::of(task);
        let sources = sources(&reply, &wanted);
        let flaw = |source: &str| match check(source) {
            Err(refused) => Some(refused.to_string()),
            Ok(()) => Some(wanted.lacking(source).join(", "))
                .filter(|lacking| !lacking.is_empty())
                .map(|lacking| format!("it does not define {lacking}")),
        };
        if let Some(source) = sources.iter().find(|source| flaw(source).is_none()) {
            return Ok(with_imports(task, source.clone()));
        }
        let why = sources.first().and_then(|source| flaw(source)).map(|flaw| format!(": {flaw}"));
        Err(if *cut_off { CUT_OFF.to_owned() } else { format!("{NO_CODE}{}", why.unwrap_or_default()) })
    }

    fn run(
        &self,
        memory: &Memory,
        due: Vec<Run<'_>>,
        noun: &str,
        results: &mut Results,
    ) -> anyhow::Result<()> {
        let (all, done) = (due.len(), Mutex::new(0));
        if all > 0 {
            self.spinner.wait(format!("judging {} of {}", counted(all, noun), memory.model));
        }
        let pool = ThreadPoolBuilder::new().num_threads(self.pipeline.parallel.get()).build()?;
        let ended: Vec<(String, anyhow::Result<Option<Fault>>)> = pool.install(|| {
            due.par_iter()
                .map(|run| {
                    let ended = match self.one(run) {
                        Ended::Judged(judged) => memory.add_judged(judged).map(|()| None),
                        Ended::Fault(fault) => Ok(Some(fault)),
                    };
                    let mut done = done.lock();
                    *done += 1;
                    self.spinner.progress(format!("{}: {done} of {all} judged", memory.model));
                    (run.planned.task.id.clone(), ended)
                })
                .collect()
        });
        for (task, ended) in ended {
            match ended? {
                None => {}
                Some(Fault::Task(reason)) => drop(results.task_faults.insert(task, reason)),
                Some(fault) => drop(results.faults.insert(fault.to_string())),
            }
        }
        Ok(())
    }

    fn one(&self, run: &Run<'_>) -> Ended {
        let judged = |verdict: &str, score, message| {
            Ended::Judged(Judged {
                key: run.key.clone(),
                verdict: verdict.to_owned(),
                score,
                task: Some(run.planned.task.id.clone()),
                sample: Some(run.sample),
                message,
            })
        };
        match self.scored(run.planned.task, &run.planned.limits, &run.source) {
            Ok(Ok(scored)) => judged(scored.verdict.name(), scored.score, failure(&scored)),
            Ok(Err(refused)) => judged(REFUSED, 0.0, Some(refused)),
            Err(fault) => Ended::Fault(fault),
        }
    }

    /// The reason instead if Python does not compile the source.
    fn scored(&self, task: &Task, limits: &Limits, source: &str) -> Result<Result<Scored, String>, Fault> {
        match self.sandbox.open(source.as_bytes().to_vec(), limits)? {
            Opened::Refused(refusal) => Ok(Err(visible(&refusal.message, KEPT))),
            Opened::Ready(mut cell) => cell.run(task, limits).map(Ok),
        }
    }
}

/// The first test that did not pass, and why.
fn failure(scored: &Scored) -> Option<String> {
    let test = scored.tests.iter().find(|test| test.verdict != Verdict::Passed)?;
    let reason = test.message.as_deref().unwrap_or(test.verdict.name());
    Some(visible(&format!("{}: {reason}", test.name), KEPT))
}

/// A sample that there is nothing to run of has failed.
fn refused(sample: &Sample, why: &str) -> Judged {
    Judged {
        key: String::new(),
        verdict: REFUSED.to_owned(),
        score: 0.0,
        task: Some(sample.task.clone()),
        sample: Some(sample.sample),
        message: Some(visible(why, KEPT)),
    }
}

/// The first planned run on a task.
fn planned<'p, 't>(plan: &'p EvaluationPlan<'t>, task: &str) -> Option<&'p PlannedRun<'t>> {
    plan.parts().flat_map(|(_, runs)| runs).find(|run| run.task.id == task)
}
