//! Unpacked bundle: the folder that it is of, in a place of its own. Of its pipeline.yaml only what decides verdicts is taken,
//! and nothing that names a program or a place of this machine.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::num::NonZeroUsize;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{anyhow, bail};

use crate::config::{self, EngineKind, Pipeline};
use crate::model::miner_id::Miner;
use crate::model::report::Report;
use crate::pipeline::publish::json::{self, Rankings};
use crate::pipeline::report_store;
use crate::pipeline::run_keys::EvaluationPlan;
use crate::pipeline::score::Row;
use crate::proof::manifest::{Entry, Manifest};
use crate::proof::walk::{Walked, walk};
use crate::task::{self, Task};

/// Most bytes of an entry that is read whole.
const MOST_READ: u64 = 256 << 20;

/// Most bytes of a pipeline.yaml.
const MOST_YAML: u64 = 1 << 20;

/// Longest wait for the engine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A full bundle's folder.
#[derive(Debug)]
pub struct Unpacked {
    /// The bundle's manifest.
    pub manifest: Manifest,
    /// Its pipeline, with the folders of this place.
    pub pipeline: Pipeline,
    /// Its tasks.
    pub tasks: Vec<Task>,
    /// Its ranking.
    pub rankings: Rankings,
}

/// Writes all entries below a folder that nobody else may look into, each as a new file.
///
/// # Errors
/// As of [`walk`]; or it can't be written there.
pub fn unpack(bundle: &mut File, dir: &Path) -> io::Result<Walked> {
    walk(bundle, |name| {
        // The manifest was checked: no name leads out of the folder.
        let path = dir.join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        File::options().write(true).create_new(true).mode(0o600).open(&path).map(BufWriter::new)
    })
}

impl Unpacked {
    /// Takes in a folder to which a sound full bundle was unpacked. `engine` runs judges and agents.
    ///
    /// # Errors
    /// Mistakes in its pipeline.yaml, tasks or rankings.
    pub fn of(dir: &Path, manifest: Manifest, engine: EngineKind) -> anyhow::Result<Self> {
        check_sizes(&manifest)?;
        let read = fs::read(dir.join("pipeline.yaml"));
        let bytes = read.map_err(|error| anyhow!("the bundle's pipeline.yaml: {error}"))?;
        let mut pipeline = config::parse(Path::new("pipeline.yaml"), &bytes)?;
        (pipeline.tasks, pipeline.results, pipeline.inbox) =
            (dir.join("tasks"), dir.join("results"), dir.join("inbox"));
        pipeline.records = pipeline.results.clone();
        let sandbox = &mut pipeline.sandbox;
        (sandbox.engine, sandbox.runtime, sandbox.launch) = (engine, None, Vec::new());
        sandbox.wait_for_engine = PATIENCE;
        pipeline.parallel = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        if let Some(season) = &mut pipeline.season {
            season.file = dir.join("extensions.yaml");
            season.extensions = config::extensions(&dir.join("pipeline.yaml"), season)?;
        }
        let tasks = task::load(&pipeline.tasks)?;
        let rankings = json::load(&pipeline.results)?;
        Ok(Self { manifest, pipeline, tasks, rankings })
    }

    /// All that agents were evaluated on.
    pub fn plan(&self) -> EvaluationPlan<'_> {
        EvaluationPlan::new(&self.pipeline, &self.tasks, &self.manifest.image)
    }

    /// Tells whether another submission of a miner's waited for its evaluation, so that an earlier one may stand as it was.
    pub fn is_pending(&self, miner: &Miner) -> bool {
        self.rankings.pending.contains(miner)
    }

    /// The report of a ranked agent; None if the bundle has none.
    pub fn report(&self, row: &Row) -> Option<Report> {
        report_store::load_report_of(&self.pipeline.results, &row.miner, &row.sha256)
    }
}

/// Refuses entries that would take the memory of whoever reads them.
fn check_sizes(manifest: &Manifest) -> anyhow::Result<()> {
    let most = |entry: &Entry| match entry.name.as_str() {
        "pipeline.yaml" => MOST_YAML,
        name if name.starts_with("results/") => MOST_READ,
        // Tasks are read within bounds of their own.
        _ => u64::MAX,
    };
    match manifest.entries.iter().find(|entry| entry.bytes > most(entry)) {
        Some(entry) => bail!("{}: larger than {} MiB", entry.name, most(entry) >> 20),
        None => Ok(()),
    }
}
