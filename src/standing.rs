//! Where a miner stands, read off the result files: all of it for the miner, the score for others.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::door::{self, Receipt};
use crate::pipeline::intake::{Miner, Rejection};
use crate::pipeline::publish;
use crate::pipeline::publish::json::Rankings;
use crate::pipeline::score::Row;
use crate::report::{Outcome, Report, Run, Usage, Verdict};

/// `rankings.json`, ready to be looked into; by default, before anything is published.
#[derive(Debug, Default)]
pub struct Board {
    rows: HashMap<Miner, Row>,
    rejected: HashMap<Miner, Rejection>,
    pending: HashSet<Miner>,
}

impl Board {
    /// Takes in the file's bytes.
    ///
    /// # Errors
    /// They are not what the pipeline publishes.
    pub fn read(bytes: &[u8]) -> io::Result<Self> {
        let rankings: Rankings = serde_json::from_slice(bytes)?;
        let rejected = rankings.rejected.into_iter().filter_map(|one| Some((one.miner.clone()?, one)));
        Ok(Self {
            rows: rankings.rankings.into_iter().map(|row| (row.miner.clone(), row)).collect(),
            rejected: rejected.collect(),
            pending: rankings.pending.into_iter().collect(),
        })
    }
}

/// Where a miner's submission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It will be evaluated.
    Waiting,
    /// It is in the ranking.
    Ranked,
    /// It is no agent.
    Refused,
}

/// The answer of `/agents/{miner}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Who.
    pub miner: Miner,
    /// How far the submission came.
    pub state: State,
    /// The line in the ranking; of an earlier submission while a new one waits.
    pub ranking: Option<Row>,
    /// For the miner only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Own>,
}

/// What only the miner sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// The last hand-in by a door; None if the file was dropped into the inbox.
    pub submission: Option<Receipt>,
    /// Why it is no agent.
    pub rejection: Option<Rejection>,
    /// Of the submission that `runs` is about.
    pub evaluated_sha256: Option<String>,
    /// In stage order, then task order.
    pub runs: Vec<OwnRun>,
}

/// A run as its miner sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnRun {
    /// The stage it was run in.
    pub stage: String,
    /// The task's id.
    pub task: String,
    /// None if it could not be judged.
    pub verdict: Option<Verdict>,
    /// 0-100.
    pub score: Option<f64>,
    /// Why it could not be judged.
    pub unscored: Option<String>,
    /// In the task's order.
    pub tests: Vec<OwnTest>,
    /// What it used.
    pub usage: Option<Usage>,
    /// Only where every test is public.
    pub stderr: Option<String>,
}

/// A test as the run's miner sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnTest {
    /// Its name in the task.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Its weight in the run's score.
    pub weight: f64,
    /// Whether miners may see the message.
    pub public: bool,
    /// Why it did not pass; only where it is public.
    pub message: Option<String>,
}

/// None if nothing is known of the miner.
#[must_use]
pub fn view(miner: &Miner, board: &Board, inbox: &Path, results: &Path, own: bool) -> Option<View> {
    let receipt = door::receipt(inbox, miner);
    let report = publish::load_report(results, miner);
    let state = state(miner, board, receipt.as_ref(), report.as_ref())?;
    let ranking = board.rows.get(miner).cloned();
    let rejection = board.rejected.get(miner).filter(|_| state == State::Refused).cloned();
    let own = own.then(|| Own {
        submission: receipt,
        rejection,
        evaluated_sha256: report.as_ref().map(|report| report.sha256.clone()),
        runs: report.into_iter().flat_map(|report| report.runs).map(own_run).collect(),
    });
    Some(View { miner: miner.clone(), state, ranking, own })
}

fn state(miner: &Miner, board: &Board, receipt: Option<&Receipt>, report: Option<&Report>) -> Option<State> {
    // What is published is of this submission, or of one that was put into the inbox later by other ways.
    let seen = |receipt: &Receipt| {
        report
            .is_some_and(|report| report.sha256 == receipt.sha256 || report.first_seen >= receipt.received_at)
    };
    let row = board.rows.get(miner).filter(|row| {
        receipt.is_none_or(|receipt| row.sha256 == receipt.sha256 || row.first_seen >= receipt.received_at)
    });
    match () {
        () if board.pending.contains(miner) => Some(State::Waiting),
        () if row.is_some() => Some(State::Ranked),
        () if board.rejected.contains_key(miner) && receipt.is_none_or(seen) => Some(State::Refused),
        () if receipt.is_some() => Some(State::Waiting),
        () => None,
    }
}

fn own_run(run: Run) -> OwnRun {
    let (stage, task) = (run.stage, run.task);
    let scored = match run.outcome {
        Outcome::Scored(scored) => scored,
        Outcome::Unscored { unscored } => {
            let (unscored, tests) = (Some(unscored), Vec::new());
            return OwnRun {
                stage,
                task,
                verdict: None,
                score: None,
                unscored,
                tests,
                usage: None,
                stderr: None,
            };
        }
    };
    // An agent can print what it was asked: its stderr tells as much of hidden tests as their messages do.
    let all_public = scored.tests.iter().all(|test| test.public);
    let tests = scored.tests.into_iter().map(|test| {
        let message = test.message.filter(|_| test.public);
        OwnTest { name: test.name, verdict: test.verdict, weight: test.weight, public: test.public, message }
    });
    OwnRun {
        stage,
        task,
        verdict: Some(scored.verdict),
        score: Some(scored.score),
        unscored: None,
        tests: tests.collect(),
        usage: Some(scored.usage),
        stderr: all_public.then_some(scored.stderr),
    }
}
