//! Configuration: `pipeline.yaml`, read and checked; all mistakes at once, each with file:line:column and field.

pub(crate) mod check;
mod elsewhere;
mod environment;
pub mod grant;
mod read;
mod read_grant;
mod read_rewards;
mod read_sampling;
mod read_season;
mod requests;
mod roster;
mod sampling;
mod season;
mod services;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::miner_id::Miner;
use crate::yaml::{self, Log, Position, Problem, Problems};

pub use crate::config::check::MOST_BYTES;
pub use crate::config::read_rewards::rising_split;
pub use crate::config::roster::{Roster, Student};
pub use crate::config::sampling::{Reduce, Sampling};
pub use crate::config::season::{Counts, Extension, Late, Season};
pub use crate::config::services::misnamed_prices;
pub use crate::config::settings::{
    Allow, Base, Board, CellPer, Changes, EngineKind, Freeze, Improvement, Judge, Limits, Llm, OnChange,
    OnSimilar, Pipeline, Price, Rewards, Sandbox, Serve, Similarity, Split, Stage, Ties, Validate,
};

/// The shipped `pipeline.yaml`, which is also what `init` writes.
pub const DEFAULT: &str = include_str!("default.yaml");

/// Reads and checks `file`; relative folders in it are taken from the file's own folder. The environment names the engine where the
/// file leaves it open.
///
/// # Errors
/// Every mistake in the file at once; or the engine that the environment names is none, or does not go with the rest.
pub fn load(file: &Path) -> Result<Pipeline, Problems> {
    let log = Log::new(file);
    if is_missing(&log, file) {
        return log.finish(None);
    }
    let pipeline = yaml::read_file(&log).and_then(|bytes| read::pipeline(&log, file, &bytes));
    environment::complete(file, beside(log, file, pipeline)?)
}

/// Like [`load`], for work that takes nothing of extensions, bases, engine or roster: mistakes in those are no matter. A roster that
/// can't be read names nobody, as if there were none.
///
/// # Errors
/// Every mistake in the file itself at once.
pub fn load_alone(file: &Path) -> Result<Pipeline, Problems> {
    let log = Log::new(file);
    if is_missing(&log, file) {
        return log.finish(None);
    }
    let pipeline = yaml::read_file(&log).and_then(|bytes| read::pipeline(&log, file, &bytes));
    let mut pipeline = log.finish(pipeline)?;
    pipeline.roster = pipeline.roster.take().and_then(readable);
    Ok(pipeline)
}

/// Notes it if there is no such file.
fn is_missing(log: &Log, file: &Path) -> bool {
    let missing = matches!(file.try_exists(), Ok(false));
    if missing {
        let advice = "no such file; `agentmill init` makes a folder to work in, -C names another one";
        log.add(Position::default(), "", advice);
    }
    missing
}

/// A roster with its students; None if it can't be read, which is not to name nobody.
fn readable(listed: Roster) -> Option<Roster> {
    let students = roster::load(&listed.file).ok()?;
    Some(Roster { students, ..listed })
}

/// The extensions beside a pipeline.yaml, for its season.
///
/// # Errors
/// Every mistake in the file at once.
pub fn extensions(file: &Path, season: &Season) -> Result<BTreeMap<Miner, Extension>, Problems> {
    read_season::load(file, Some(season), None)
}

/// Like [`load`], with all that can be read of a file that has mistakes; where it has one, the default stands.
pub fn load_with_mistakes(file: &Path) -> (Pipeline, Vec<Problem>) {
    let Problems(problems) = match load(file) {
        Ok(pipeline) => return (pipeline, Vec::new()),
        Err(problems) => problems,
    };
    let told = Log::new(file);
    let pipeline = yaml::read_file(&told).and_then(|bytes| read::pipeline(&told, file, &bytes));
    let default = || parse(file, b"").expect("every field has a default");
    let mut pipeline = pipeline.unwrap_or_else(default);
    pipeline.roster = pipeline.roster.take().and_then(readable);
    (pipeline, problems)
}

/// The engine that the environment names, for work that no pipeline.yaml of this machine speaks of.
///
/// # Errors
/// It names none that there is.
pub fn engine_of_environment() -> Result<EngineKind, Problems> {
    environment::engine()
}

/// Reads the files that a pipeline names, and those that lie beside it, and tells their mistakes with its own.
fn beside(log: Log, file: &Path, mut pipeline: Option<Pipeline>) -> Result<Pipeline, Problems> {
    let (mut problems, mut roster) = (Vec::new(), None);
    if let Some(listed) = pipeline.as_mut().and_then(|pipeline| pipeline.roster.as_mut()) {
        match roster::load(&listed.file) {
            Ok(students) => listed.students = students,
            Err(mistakes) => problems = named_by("roster", mistakes),
        }
        roster = Some(listed.clone()).filter(|_| problems.is_empty());
    }
    let has_end = |pipeline: &&mut Pipeline| pipeline.season.as_ref().is_some_and(|one| one.closes.is_some());
    // An end that is wrong is told already, and extends as one that is not there.
    if let Some(pipeline) = pipeline.as_mut().filter(|pipeline| has_end(pipeline) || log.is_empty()) {
        let extensions = read_season::load(file, pipeline.season.as_ref(), roster.as_ref());
        match (extensions, &mut pipeline.season) {
            (Ok(extensions), Some(season)) => season.extensions = extensions,
            (Ok(_), None) => {}
            (Err(mistakes), _) => problems.extend(mistakes.0),
        }
    }
    for base in pipeline.iter_mut().flat_map(|pipeline| &mut pipeline.similarity.base) {
        let log = Log::new(&base.file);
        let source = yaml::read_file(&log);
        match log.finish(source) {
            Ok(source) => base.source = source,
            Err(mistakes) => problems.extend(named_by("similarity.base", mistakes)),
        }
    }
    let own = log.finish(pipeline);
    match own {
        Ok(pipeline) => Problems::check(problems).map(|()| pipeline),
        Err(own) => Err(Problems([own.0, problems].concat())),
    }
}

/// Mistakes in a file; where the whole of it is meant, as it is not there, they say which field of pipeline.yaml names it.
fn named_by(field: &str, Problems(mut mistakes): Problems) -> Vec<Problem> {
    for mistake in mistakes.iter_mut().filter(|mistake| mistake.line == 0) {
        mistake.message = format!("{}; {field} in pipeline.yaml names it", mistake.message);
    }
    mistakes
}

/// Like [`load`], for `bytes` that would stand in `file`; no other file is read.
///
/// # Errors
/// Every mistake in the file at once.
pub fn parse(file: &Path, bytes: &[u8]) -> Result<Pipeline, Problems> {
    let log = Log::new(file);
    let pipeline = read::pipeline(&log, file, bytes);
    log.finish(pipeline)
}
