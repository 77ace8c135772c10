//! An agent and the cell it is in: its runs, ahead of time where it is known what they ask, else call by call.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tracing::debug;

use super::cell::{Answers, Cell, Played};
use super::container::Containers;
use super::dialogue::{self, Broken};
use super::replay::{self, ROOM, Replayed, Script};
use super::{Fault, Refusal, same_cell};
use crate::config::{CellPer, Limits};
use crate::report::Scored;
use crate::task::Task;

/// How many runs are made ahead at most: who watches the progress sees so many at once.
const AHEAD: usize = 32;

/// A spent or lost cell is replaced before the next run.
pub(super) struct Tenant<'a> {
    home: &'a Containers,
    source: Vec<u8>,
    limits: Limits,
    cell: Option<Cell>,
    /// Runs that will be asked for.
    upcoming: VecDeque<Upcoming>,
    /// Runs that were made ahead: the task's digest, and what the agent answered.
    made: VecDeque<(String, Answers)>,
}

struct Upcoming {
    key: String,
    prompt: String,
    limits: Limits,
    /// It was made ahead, in vain.
    in_vain: bool,
}

impl<'a> Tenant<'a> {
    /// An agent in a cell that was started with these limits.
    pub(super) fn new(home: &'a Containers, source: Vec<u8>, limits: &Limits, cell: Cell) -> Self {
        let (upcoming, made) = (VecDeque::new(), VecDeque::new());
        Self { home, source, limits: *limits, cell: Some(cell), upcoming, made }
    }

    /// A fit cell with these limits, or why Python does not compile the source within them.
    fn cell(&mut self, limits: &Limits) -> Result<Result<Cell, Refusal>, Fault> {
        let same = same_cell(&self.limits, limits);
        match self.cell.take() {
            Some(cell) if same && cell.is_fit() => return Ok(Ok(cell)),
            Some(cell) => self.home.end(cell),
            None => {}
        }
        self.limits = *limits;
        self.home.start_cell(&self.source, limits)
    }

    /// Keeps a cell for the next run, or ends it if that needs another one.
    fn keep(&mut self, cell: Cell) {
        if cell.is_fit() && self.home.cell_per == CellPer::Agent {
            self.cell = Some(cell);
        } else {
            self.home.end(cell);
        }
    }

    /// What `stop` or an absent engine did must not be taken for the agent's doing.
    fn check_surroundings(&self, unresponsive: bool) -> Result<(), Fault> {
        self.home.launcher.check_running()?;
        if unresponsive { self.home.engine().is_there() } else { Ok(()) }
    }

    // -- by script --

    /// A run by what is known to be asked; None if that is not known, or not what is asked of this agent.
    fn by_script(&mut self, key: &str, task: &Task, limits: &Limits) -> Result<Option<Scored>, Fault> {
        let Some(script) = self.home.script(key) else { return Ok(None) };
        let Some(answers) = self.answers(key, task, limits, &script)? else { return Ok(None) };
        if let Some(scored) = script.recall(task, &answers) {
            script.count(true);
            return Ok(Some(scored));
        }
        let mut judge = self.home.judge_for(task)?;
        let replayed = replay::judge(&mut judge, task, &script, &answers);
        script.count(matches!(replayed, Replayed::Scored(_)));
        if matches!(replayed, Replayed::JudgeStuck) {
            self.home.launcher.end(judge.into_started());
        } else {
            self.home.give_back(judge);
        }
        Ok(if let Replayed::Scored(scored) = replayed { Some(scored) } else { None })
    }

    /// What the agent answers to the task's script; with it, runs that are expected after this one are made.
    fn answers(
        &mut self,
        key: &str,
        task: &Task,
        limits: &Limits,
        script: &Script,
    ) -> Result<Option<Answers>, Fault> {
        match self.made.pop_front() {
            Some((made, answers)) if made == key => return Ok(Some(answers)),
            _ => self.made.clear(),
        }
        let is_next = self.upcoming.front().is_some_and(|next| next.key == key);
        if is_next && self.upcoming.pop_front().is_some_and(|next| next.in_vain) {
            return Ok(None);
        }
        let Ok(mut cell) = self.cell(limits)? else { return Ok(None) };
        let ahead = self.scripts_ahead(script.size());
        let mut parts = vec![script.part(&task.prompt, limits)];
        let known = self.upcoming.iter().zip(&ahead);
        parts.extend(known.map(|(next, script)| script.part(&next.prompt, &next.limits)));
        let Played { answers, broke_off } = cell.play(&parts, ROOM);
        drop(parts);
        self.check_surroundings(cell.is_lost())?;
        self.keep(cell);
        Ok(self.take_in(key, answers, broke_off, script, &ahead))
    }

    /// The scripts of the runs that can be made with one that asks so many bytes.
    fn scripts_ahead(&self, mut size: usize) -> Vec<Arc<Script>> {
        if self.home.cell_per == CellPer::Task {
            return Vec::new();
        }
        let fits = |next: &&Upcoming| !next.in_vain && same_cell(&self.limits, &next.limits);
        let scripts =
            self.upcoming.iter().take(AHEAD).take_while(fits).map_while(|next| self.home.script(&next.key));
        let has_room = |script: &Arc<Script>| {
            size += script.size();
            size <= ROOM
        };
        scripts.take_while(has_room).collect()
    }

    /// Puts away what was made ahead; gives the first one's answers.
    fn take_in(
        &mut self,
        key: &str,
        answers: Vec<Answers>,
        broke_off: bool,
        script: &Script,
        ahead: &[Arc<Script>],
    ) -> Option<Answers> {
        let mut answers = answers.into_iter();
        let Some(first) = answers.next() else {
            script.count(false);
            return None;
        };
        for answers in answers {
            let next = self.upcoming.pop_front().expect("it was made because it is expected");
            self.made.push_back((next.key, answers));
        }
        if let Some(next) = self.upcoming.front_mut().filter(|_| broke_off) {
            next.in_vain = true;
            ahead.get(self.made.len()).inspect(|script| script.count(false));
        }
        debug!(key, ahead = self.made.len(), broke_off, "runs made by script");
        Some(first)
    }

    // -- call by call --

    /// One attempt; a cell or judge that may have broken is not used again.
    fn attempt(&mut self, key: &str, task: &Task, limits: &Limits) -> Result<Result<Scored, Broken>, Fault> {
        let mut judge = self.home.judge_for(task)?;
        let mut cell = match self.cell(limits) {
            Ok(Ok(cell)) => cell,
            refused => {
                self.home.give_back(judge);
                // It compiled before, within other limits: that it does not now is its own doing.
                return refused
                    .map(|it| Ok(dialogue::refused(task, &it.expect_err("the other case is above"))));
            }
        };
        let mut script = Script::default();
        let record = self.home.launcher.record(cell.started());
        let outcome = match record {
            Ok(record) => dialogue::run(&mut cell, &mut judge, task, limits, &record, &mut script),
            Err(fault) => Err(Broken::Engine(fault)),
        };
        let unresponsive = cell.is_lost(); // an engine that hangs looks like that, too
        if let Ok(scored) = &outcome {
            self.home.keep_script(key, script, Duration::from_millis(scored.usage.wall_ms));
            self.keep(cell);
            self.home.give_back(judge);
        } else {
            self.home.end(cell);
            self.home.launcher.end(judge.into_started());
        }
        self.check_surroundings(unresponsive)?;
        Ok(outcome)
    }

    fn by_calls(
        &mut self,
        key: &str,
        task: &Task,
        limits: &Limits,
        broken_before: &mut bool,
    ) -> Result<Scored, Fault> {
        let outcome = self.attempt(key, task, limits)?;
        if let Err(broken) = &outcome {
            debug!(broken = ?broken.to_string(), task = task.id, "the run broke off");
        }
        match outcome {
            Ok(scored) => Ok(scored),
            Err(Broken::JudgeLate(scored)) => self.home.engine().is_there().map(|()| *scored),
            // Once may be the engine's fault; twice over the same values, with the engine there, is the agent's.
            Err(Broken::JudgeGone(scored)) if std::mem::replace(broken_before, true) => {
                self.home.engine().is_there().map(|()| *scored)
            }
            Err(Broken::Engine(fault)) => Err(fault),
            Err(broken) => Err(Fault::Engine(broken.to_string())),
        }
    }
}

impl super::Cell for Tenant<'_> {
    fn expect(&mut self, runs: &[(&Task, &Limits)]) {
        let upcoming = runs.iter().map(|(task, limits)| Upcoming {
            key: task.digest(),
            prompt: task.prompt.clone(),
            limits: **limits,
            in_vain: false,
        });
        self.upcoming = upcoming.collect();
        self.made.clear();
    }

    fn run(&mut self, task: &Task, limits: &Limits) -> Result<Scored, Fault> {
        let (home, key) = (self.home, task.digest());
        let mut broken_before = false;
        home.launcher.retry(|| match self.by_script(&key, task, limits)? {
            Some(scored) => Ok(scored),
            None => self.by_calls(&key, task, limits, &mut broken_before),
        })
    }
}

impl Drop for Tenant<'_> {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            self.home.end(cell);
        }
    }
}
