//! The real sandbox: agents in cells, assertions in judges, both containers.

use std::path::Path;

use crate::config::{self, Limits};
use crate::model::claims::Exchange;
use crate::model::python::Library;
use crate::sandbox::engine::cli::supply::Packing;
use crate::sandbox::engine::{Engine, ImageOf};
use crate::sandbox::run::agent_session::AgentSession;
use crate::sandbox::run::host::Host;
use crate::sandbox::run::judge::{Flaw, Gravity};
use crate::sandbox::run::{judge_again, survey};
use crate::sandbox::{Checked, Fault, Opened, Rejudged, Sandbox};
use crate::task::Task;
use crate::ui::Events;
use crate::yaml::Problem;

/// Cells and judges as containers of an engine.
#[derive(Debug)]
pub struct ContainerSandbox(Host);

impl ContainerSandbox {
    /// A sandbox that has asked nothing of the engine yet; for so many agents at the same time.
    pub fn new(sandbox: &config::Sandbox, parallel: usize, results: &Path, events: Events) -> Self {
        Self(Host::new(sandbox, parallel, results, events))
    }

    /// Sees to it that an image of packages is there; tells whether it had to be built.
    ///
    /// # Errors
    /// It is not there and can't be built.
    pub fn pack(&self, packing: &Packing) -> Result<bool, Fault> {
        self.0.launcher.pack(packing)
    }

    /// The modules of the judges' image; None if it is the cells'.
    ///
    /// # Errors
    /// As of [`Sandbox::library`].
    pub fn library_of_judges(&self) -> Result<Option<Library>, Fault> {
        let launcher = &self.0.launcher;
        let is_same = launcher.image_for(ImageOf::Judges)? == launcher.image_for(ImageOf::Cells)?;
        if is_same { Ok(None) } else { launcher.retry(|| self.survey(ImageOf::Judges)).map(Some) }
    }

    fn survey(&self, of: ImageOf) -> Result<Library, Fault> {
        survey::library(&self.0.launcher, &self.0.judge, of)
    }

    /// The engine that it uses.
    pub fn engine(&self) -> &Engine {
        self.0.launcher.engine()
    }
}

impl Sandbox for ContainerSandbox {
    fn image(&self) -> Result<String, Fault> {
        self.0.launcher.image()
    }

    fn library(&self) -> Result<Library, Fault> {
        self.0.launcher.retry(|| self.survey(ImageOf::Cells))
    }

    fn engine(&self) -> Option<&'static str> {
        self.0.launcher.engine().known()
    }

    fn sweep(&self) {
        self.0.launcher.sweep();
    }

    fn expect(&self, agents: usize, limits: &Limits) {
        self.0.expect_cells(agents, limits);
    }

    fn check(&self, tasks: &[Task]) -> Result<Checked, Fault> {
        self.0.launcher.retry(|| {
            let mut judge = self.0.judges.any()?;
            let mut checked = Checked::default();
            match self.0.judges.teach(&mut judge, tasks) {
                Ok(flaws) => {
                    self.0.judges.give_back(judge);
                    tasks.iter().zip(flaws).for_each(|(task, flaws)| note(&mut checked, task, flaws));
                    Ok(checked)
                }
                Err(fault) => {
                    self.0.judges.discard(judge);
                    Err(fault)
                }
            }
        })
    }

    fn open(&self, source: Vec<u8>, limits: &Limits) -> Result<Opened<'_>, Fault> {
        match self.0.launcher.retry(|| self.0.start_cell(&source, limits, 0))? {
            Ok(cell) => Ok(Opened::Ready(Box::new(AgentSession::new(&self.0, source, limits, cell)))),
            Err(refusal) => Ok(Opened::Refused(refusal)),
        }
    }

    fn judge_again(&self, task: &Task, exchanges: &[Exchange], new: bool) -> Result<Rejudged, Fault> {
        self.0.launcher.retry(|| judge_again::judge(&self.0, task, exchanges, new))
    }

    fn rest(&self) {
        self.0.judges.rest();
    }

    fn stop(&self) {
        self.0.stop();
    }
}

fn note(checked: &mut Checked, task: &Task, flaws: Vec<Flaw>) {
    for flaw in flaws {
        match flaw.gravity {
            Gravity::Refused => checked.refused.push(problem(task, flaw)),
            Gravity::Faulty => checked.faulty.push(problem(task, flaw)),
            Gravity::Doubtful => checked.doubtful.push(problem(task, flaw)),
            Gravity::Trusting => checked.trusting.push(problem(task, flaw)),
        }
    }
}

fn problem(task: &Task, flaw: Flaw) -> Problem {
    let field = flaw.test.map_or_else(|| "setup".to_owned(), |test| task.tests[test].field());
    Problem { file: task.path.clone(), line: flaw.line, column: 0, field, message: flaw.message }
}
