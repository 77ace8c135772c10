//! Warm pool: cells of seed 0 started ahead of the agents that they are for, agent-agnostic, single-use, waiting on stdin.
//!
//! Starting a container and running an agent are different work. A few threads do nothing but start, so that many
//! workers don't slow each other's starts down, and a worker finds a cell ready when it has an agent.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex};

use crate::config::Limits;
use crate::sandbox::Fault;
use crate::sandbox::containers::launcher::Launcher;
use crate::sandbox::containers::running::RunningContainer;
use crate::sandbox::engine::Role;
use crate::sandbox::guest;
use crate::sandbox::run::cell_stock::{CellStock, Offer, Step};

/// Keeps as many cells ready as are expected to be needed soon.
#[derive(Debug)]
pub struct WarmPool {
    shared: Arc<Shared>,
    starters: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    launcher: Arc<Launcher>,
    stock: Mutex<CellStock<RunningContainer>>,
    changed: Condvar,
}

impl WarmPool {
    /// A pool with so many threads that start, and room for so many cells that wait.
    pub fn new(launcher: Arc<Launcher>, starters: usize, room: usize) -> Self {
        let stock = Mutex::new(CellStock::new(room));
        let shared = Arc::new(Shared { launcher, stock, changed: Condvar::new() });
        let start = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.start_cells())
        };
        Self { starters: (0..starters).map(start).collect(), shared }
    }

    /// Says that so many more agents will come for cells with these limits.
    pub fn expect(&self, agents: usize, limits: &Limits) {
        let useless = self.shared.stock.lock().expect(agents, limits);
        self.shared.changed.notify_all();
        self.end(useless);
    }

    /// A cell for an agent: one that waits, or that is just being started, or else a new one.
    ///
    /// # Errors
    /// No cell could be started.
    pub fn take(&self, limits: &Limits) -> Result<RunningContainer, Fault> {
        match self.take_ready(limits) {
            Some(cell) => cell,
            None => self.shared.launcher.start(Role::Cell(limits, 0), &guest::CELL),
        }
    }

    fn take_ready(&self, limits: &Limits) -> Option<Result<RunningContainer, Fault>> {
        let mut stock = self.shared.stock.lock();
        loop {
            match stock.take(limits) {
                Offer::Nothing => return None,
                Offer::Wait => self.shared.changed.wait(&mut stock),
                Offer::Ready(cell) => {
                    // There is room for another one.
                    self.shared.changed.notify_all();
                    let Ok(mut cell) = cell else { return Some(cell) };
                    if cell.channel.is_silent() {
                        stock.taken();
                        return Some(Ok(cell));
                    }
                    // It died while it waited, by no fault of the agent that it was for.
                    self.shared.launcher.end(cell);
                }
            }
        }
    }

    /// Wakes whoever waits for a cell, as there will be none.
    pub fn close(&self) {
        self.shared.stock.lock().close();
        self.shared.changed.notify_all();
    }

    fn end(&self, cells: Vec<RunningContainer>) {
        cells.into_iter().for_each(|cell| self.shared.launcher.end(cell));
    }
}

impl Drop for WarmPool {
    fn drop(&mut self) {
        self.close();
        for starter in self.starters.drain(..) {
            let _ = starter.join();
        }
        let left = self.shared.stock.lock().empty();
        self.end(left);
    }
}

impl Shared {
    /// The work of a starter's thread.
    fn start_cells(&self) {
        while let Some(limits) = self.next() {
            let cell = self.launcher.start(Role::Cell(&limits, 0), &guest::CELL);
            let useless = self.stock.lock().started(&limits, cell);
            self.changed.notify_all();
            if let Some(cell) = useless {
                self.launcher.end(cell);
            }
        }
    }

    /// Waits until there is a cell to start; None if there will be none.
    fn next(&self) -> Option<Limits> {
        let mut stock = self.stock.lock();
        loop {
            match stock.next() {
                Step::Start(limits) => return Some(limits),
                Step::Wait => self.changed.wait(&mut stock),
                Step::Leave => return None,
            }
        }
    }
}
