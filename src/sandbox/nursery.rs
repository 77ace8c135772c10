//! Cells started ahead of the agents that they are for: agent-agnostic, single-use, waiting on stdin.
//!
//! Starting a container and running an agent are different work. A few threads do nothing but start, so that many
//! workers don't slow each other's starts down, and a worker finds a cell ready when it has an agent.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};

use super::cell;
use super::engine::Role;
use super::launcher::{Launcher, Started, lock};
use super::{Fault, same_cell};
use crate::config::Limits;

/// Keeps as many cells ready as are expected to be needed soon.
#[derive(Debug)]
pub struct Nursery {
    shared: Arc<Shared>,
    starters: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    launcher: Arc<Launcher>,
    state: Mutex<State>,
    changed: Condvar,
    /// Cells that are ready at the same time, at most.
    room: usize,
}

#[derive(Debug, Default)]
struct State {
    /// What the cells are started with; None until something is expected.
    limits: Option<Limits>,
    ready: VecDeque<Result<Started, Fault>>,
    starting: usize,
    /// Agents that are still to come for a cell.
    expected: usize,
    closed: bool,
}

/// What a starter does next.
enum Step {
    Cell(Limits),
    Leave,
}

impl Nursery {
    /// A nursery with so many threads that start, and room for so many cells that wait.
    pub fn new(launcher: Arc<Launcher>, starters: usize, room: usize) -> Self {
        let shared = Arc::new(Shared { launcher, state: Mutex::default(), changed: Condvar::new(), room });
        let start = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.serve())
        };
        Self { starters: (0..starters).map(start).collect(), shared }
    }

    /// So many more agents will come for cells with these limits.
    pub fn expect(&self, agents: usize, limits: &Limits) {
        let mut state = lock(&self.shared.state);
        if state.limits.as_ref().is_some_and(|known| !same_cell(known, limits)) {
            state.expected = 0;
            for cell in state.ready.drain(..).flatten() {
                self.shared.launcher.end(cell);
            }
        }
        state.limits = Some(*limits);
        state.expected += agents;
        self.shared.changed.notify_all();
    }

    /// A cell for an agent: one that waits, or that is just being started, or else a new one.
    ///
    /// # Errors
    /// No cell could be started.
    pub fn take(&self, limits: &Limits) -> Result<Started, Fault> {
        match self.take_ready(limits) {
            Some(cell) => cell,
            None => self.shared.launcher.start(Role::Cell(limits), cell::PROGRAM),
        }
    }

    fn take_ready(&self, limits: &Limits) -> Option<Result<Started, Fault>> {
        let mut state = lock(&self.shared.state);
        if !state.limits.as_ref().is_some_and(|known| same_cell(known, limits)) {
            return None;
        }
        loop {
            if let Some(next) = state.ready.pop_front() {
                self.shared.changed.notify_all();
                match next.map(|cell| self.alive(cell)) {
                    Err(fault) => return Some(Err(fault)),
                    Ok(None) => continue,
                    Ok(Some(cell)) => {
                        state.expected = state.expected.saturating_sub(1);
                        return Some(Ok(cell));
                    }
                }
            }
            if state.starting == 0 && (state.expected == 0 || state.closed) {
                return None; // nobody is starting one, and nobody will
            }
            state = self.shared.wait(state);
        }
    }

    /// A cell that has waited may have died meanwhile, by no fault of the agent that it was for.
    fn alive(&self, mut cell: Started) -> Option<Started> {
        if cell.process.is_silent() {
            return Some(cell);
        }
        self.shared.launcher.end(cell);
        None
    }

    /// Wakes whoever waits for a cell, as there will be none.
    pub fn close(&self) {
        lock(&self.shared.state).closed = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        self.close();
        for starter in self.starters.drain(..) {
            let _ = starter.join();
        }
        for cell in lock(&self.shared.state).ready.drain(..).flatten() {
            self.shared.launcher.end(cell);
        }
    }
}

impl Shared {
    fn serve(&self) {
        loop {
            match self.next() {
                Step::Leave => return,
                Step::Cell(limits) => {
                    let cell = self.launcher.start(Role::Cell(&limits), cell::PROGRAM);
                    let mut state = lock(&self.state);
                    state.starting -= 1;
                    if state.limits.as_ref().is_some_and(|wanted| same_cell(wanted, &limits)) {
                        state.ready.push_back(cell);
                    } else if let Ok(cell) = cell {
                        self.launcher.end(cell);
                    }
                    self.changed.notify_all();
                }
            }
        }
    }

    /// Waits until there is something to start.
    fn next(&self) -> Step {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return Step::Leave;
            }
            let wanted = state.expected.min(self.room);
            if let Some(limits) = state.limits.filter(|_| state.ready.len() + state.starting < wanted) {
                state.starting += 1;
                return Step::Cell(limits);
            }
            state = self.wait(state);
        }
    }

    fn wait<'a>(&self, state: std::sync::MutexGuard<'a, State>) -> std::sync::MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
