//! Queries to the results, and the reasons why one may have no answer.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::miner_id::Miner;
use crate::util::text::visible;

/// Longest line of foreign text, in characters.
const MAX: usize = 500;

/// Foreign text as one visible line.
pub fn shown(text: &str) -> String {
    visible(text, MAX)
}

/// A query to the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query<'a> {
    /// The ranking.
    Ranking,
    /// One miner's report.
    Miner(&'a str),
    /// Everything that one miner submitted.
    History(&'a str),
    /// One miner's run on one task.
    Run(&'a str, &'a str),
    /// Everybody's run on one task.
    Task(&'a str),
}

/// The reason why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// Nothing has been published yet.
    #[error("there are no results in {}; `agentmill run` makes them", .0.display())]
    NoResults(PathBuf),
    /// Nothing has been published but a ranking of models.
    #[error("there are no agents' results; models were benchmarked here: {} and models.html", .0.display())]
    OnlyModels(PathBuf),
    /// `rankings.json` can't be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// Nobody by that name has submitted.
    #[error("there is no miner \"{name}\"{nearest}")]
    NoMiner {
        /// As asked for.
        name: String,
        /// The nearest name, as a question.
        nearest: Nearest,
    },
    /// Several people on the roster have this name.
    #[error("{name} is the name of several on the roster; ask by id, such as {a} or {b}")]
    SeveralNamed {
        /// As asked for.
        name: String,
        /// One of them.
        a: Miner,
        /// Another one.
        b: Miner,
    },
    /// Nothing of the miner's is there any more.
    #[error(
        "{0} has withdrawn: nothing of it lies in the inbox; `agentmill show {0} --history` lists what it submitted"
    )]
    Withdrawn(Miner),
    /// The submission in the inbox was not evaluated yet.
    #[error("{0} waits to be evaluated; `agentmill run` does it")]
    Waiting(Miner),
    /// The miner is ranked but the report is gone.
    #[error("the report of {0} is missing or can't be read; the next run makes it anew")]
    NoReport(Miner),
    /// Nothing is known of a miner of this name.
    #[error("{0} has submitted nothing")]
    NothingHandedIn(Miner),
    /// The ledger holds lines that are none of ours.
    #[error("{0}")]
    Ledger(String),
    /// The submission is no agent.
    #[error("{miner} has no runs, as {file} was refused: {reason}")]
    Refused {
        /// The miner asked for.
        miner: Miner,
        /// The submitted file.
        file: String,
        /// The reason of the refusal.
        reason: String,
    },
    /// The agent has no run on such a task.
    #[error("{miner} has no run on a task \"{task}\"{nearest}")]
    NoRun {
        /// The miner asked for.
        miner: Miner,
        /// As asked for.
        task: String,
        /// The nearest name, as a question.
        nearest: Nearest,
    },
    /// No stage runs the task.
    #[error("no miner has a run on task \"{0}\": it is in no stage of pipeline.yaml, and so not run")]
    Parked(String),
    /// Nobody has a run on such a task.
    #[error("no miner has a run on a task \"{task}\"{nearest}")]
    NoTask {
        /// As asked for.
        task: String,
        /// The nearest name, as a question.
        nearest: Nearest,
    },
}

impl ShowError {
    /// The reason why a miner sees no run on a task.
    pub fn no_run(miner: Miner, task: &str) -> Self {
        Self::NoRun { miner, task: shown(task), nearest: Nearest(None) }
    }

    /// The reason why a folder has no rankings.
    pub(crate) fn no_results(results: &Path) -> Self {
        let models = results.join("models.csv");
        if models.exists() { Self::OnlyModels(models) } else { Self::NoResults(results.to_owned()) }
    }
}

/// The nearest name there is, if one is near.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest(Option<String>);

impl Nearest {
    /// This name.
    pub fn is(name: &str) -> Self {
        Self(Some(name.to_owned()))
    }

    /// The name that is nearest to the one asked for.
    pub fn of<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> Self {
        let close = |name: &&str| strsim::jaro_winkler(asked, name) > 0.7;
        let order =
            |a: &&str, b: &&str| strsim::jaro_winkler(asked, a).total_cmp(&strsim::jaro_winkler(asked, b));
        Self(names.filter(close).max_by(order).map(str::to_owned))
    }
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => write!(f, "; did you mean \"{}\"?", visible(name, MAX)),
            None => Ok(()),
        }
    }
}
