//! Host: what agents' sessions share, which is cells, judges, and the engine that they are containers of.

use std::path::Path;
use std::sync::Arc;

use crate::config::{self, CellPer, Limits};
use crate::sandbox::containers::launcher::Launcher;
use crate::sandbox::engine::Role;
use crate::sandbox::guest;
use crate::sandbox::run::cell::LiveCell;
use crate::sandbox::run::judges::Judges;
use crate::sandbox::run::warm_pool::WarmPool;
use crate::sandbox::{Fault, Refusal};
use crate::ui::Events;

/// All that agents' sessions share.
#[derive(Debug)]
pub struct Host {
    /// How long a cell lives.
    pub cell_per: CellPer,
    /// True if public tests are asked in cells that were asked nothing hidden.
    pub public_apart: bool,
    warm_pool: WarmPool,
    /// The judges.
    pub judges: Judges,
    /// Starts and ends containers.
    pub launcher: Arc<Launcher>,
    /// Bounds of judges.
    pub judge: config::Judge,
}

impl Host {
    /// For so many agents at the same time.
    pub fn new(sandbox: &config::Sandbox, parallel: usize, results: &Path, events: Events) -> Self {
        let launcher = Arc::new(Launcher::new(sandbox, results, events));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // One more than there are cores: a start waits for the engine in between.
        let starters = parallel.min(cores) + 1;
        Self {
            cell_per: sandbox.cell_per,
            public_apart: sandbox.public_apart,
            warm_pool: WarmPool::new(Arc::clone(&launcher), starters, parallel + 1),
            judges: Judges::new(Arc::clone(&launcher), sandbox.judge, sandbox.limits.value, parallel + 1),
            launcher,
            judge: sandbox.judge,
        }
    }

    /// Says that so many more agents will come for cells with these limits.
    pub fn expect_cells(&self, agents: usize, limits: &Limits) {
        // A carried cell takes a place in a queue, and one that waits here for an agent may keep out the one that an
        // agent waits for.
        if !self.launcher.engine().launch().carries() {
            self.warm_pool.expect(agents, limits);
        }
    }

    /// A cell with the source in it, in which chance begins with this seed; or why Python does not compile it.
    ///
    /// # Errors
    /// No cell could be had.
    pub fn start_cell(
        &self,
        source: &[u8],
        limits: &Limits,
        seed: u32,
    ) -> Result<Result<LiveCell, Refusal>, Fault> {
        let started = match seed {
            0 => self.warm_pool.take(limits)?,
            _ => self.launcher.start(Role::Cell(limits, seed), &guest::cell(seed))?,
        };
        let mut cell = LiveCell::new(started, limits);
        let deaths = self.launcher.death_log(cell.container())?;
        match cell.load(source, limits, &deaths) {
            Ok(None) => Ok(Ok(cell)),
            other => {
                self.end(cell);
                self.launcher.check_running()?;
                other.map(|refusal| Err(refusal.expect("the other case is above")))
            }
        }
    }

    /// Lets a cell end.
    pub fn end(&self, cell: LiveCell) {
        self.launcher.end(cell.into_container());
    }

    /// Ends everything at once and starts nothing more.
    pub fn stop(&self) {
        self.launcher.stop();
        self.warm_pool.close();
    }
}
