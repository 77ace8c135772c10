//! People of an export: everybody of the roster, or everybody who submitted, with what became of the submission.

use std::collections::{HashMap, HashSet};
use std::io;

use serde::Deserialize;

use crate::config::{Board, Pipeline, Student};
use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::model::report::Run;
use crate::model::samples;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::publish::json::{self, Rankings};
use crate::pipeline::publish::roster::{Listed, RosterState};
use crate::pipeline::report_store;
use crate::pipeline::score::Row;
use crate::show::ShowError;
use crate::util::atomic_file::blame;

/// Everybody, and where their reports lie.
#[derive(Debug)]
pub struct People<'a> {
    pipeline: &'a Pipeline,
    rankings: Rankings,
    ledger: Ledger,
}

/// One person or miner.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The miner that submits for the person.
    pub id: &'a Miner,
    /// The id as the roster has it, such as `S-77` of `s-77`; of somebody who is not on it, the miner's.
    pub written: &'a str,
    /// Full name by the roster.
    pub name: Option<&'a str>,
    /// Group by the roster; empty if there is none.
    pub group: &'a str,
    /// State of the submission.
    pub state: RosterState,
    /// The line in the ranking.
    pub row: Option<&'a Row>,
    /// Why the submission was refused.
    pub refused: Option<&'a Rejection>,
    /// How many different submissions of its were seen.
    pub submissions: usize,
}

/// An agent's score on a task in a stage, as `scores.csv` has it: of samples, what they come to.
#[derive(Debug, Clone, Deserialize)]
pub struct Mark {
    /// The agent's miner.
    pub miner: String,
    /// The stage.
    pub stage: String,
    /// The task's id.
    pub task: String,
    /// 0-100; None if it could not be judged, or counts for nobody.
    pub score: Option<f64>,
}

impl<'p> People<'p> {
    /// Reads the published results and the ledger. Formats that miners are shown tell as much as the feedback; of samples, all
    /// tell those that pipeline.yaml asks for now.
    ///
    /// # Errors
    /// There are none, or they can't be read.
    pub fn read(pipeline: &'p Pipeline) -> Result<Self, ShowError> {
        let results = &pipeline.results;
        let rankings = json::load(results).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ShowError::no_results(results),
            _ => ShowError::Unreadable(error),
        })?;
        let ledger = Ledger::open(results).map_err(|problems| ShowError::Ledger(problems.to_string()))?.0;
        Ok(Self { pipeline, rankings, ledger })
    }

    /// Tells whether miners may see scores and ranks.
    pub fn shows_ranking(&self) -> bool {
        self.pipeline.feedback().shows_ranking()
    }

    /// Tells whether miners may see the scores of each other.
    pub fn shows_leaderboard(&self) -> bool {
        self.shows_ranking() && self.pipeline.board == Board::Public
    }

    /// Those of the roster in its order, then all others: ranked, waiting, refused.
    pub fn all(&self) -> Vec<Person<'_>> {
        let Rankings { rankings, rejected, pending, roster, .. } = &self.rankings;
        let refusals = || rejected.iter().filter_map(|one| Some((one.miner.as_ref()?, one)));
        let refused = refusals().map(|(miner, _)| (miner, RosterState::Refused));
        let ranked = rankings.iter().map(|row| (&row.miner, RosterState::Ranked));
        let waiting = pending.iter().map(|miner| (miner, RosterState::Waiting));
        let listed = roster.iter().map(|one| (&one.id, one.state));
        let mut seen = HashSet::new();
        let once = listed.chain(ranked).chain(waiting).chain(refused).filter(|(id, _)| seen.insert(*id));
        let names: HashMap<&Miner, &Listed> = roster.iter().map(|one| (&one.id, one)).collect();
        let rows: HashMap<&Miner, &Row> = rankings.iter().map(|row| (&row.miner, row)).collect();
        let reasons: HashMap<&Miner, &Rejection> = refusals().collect();
        let written: HashMap<&Miner, &str> = self.students().map(|one| (&one.id, &*one.written)).collect();
        let person = |(id, state)| Person {
            id,
            written: written.get(id).copied().unwrap_or(id.as_str()),
            name: names.get(id).map(|listed| listed.name.as_str()),
            group: names.get(id).map_or("", |listed| listed.group.as_str()),
            state,
            row: rows.get(id).copied(),
            refused: reasons.get(id).copied(),
            submissions: self.ledger.sights().submitted_by(id).len(),
        };
        once.map(person).collect()
    }

    /// Everybody in the roster's order, then those who are not on it.
    pub fn by_roster(&self) -> Vec<Person<'_>> {
        let places: HashMap<&Miner, usize> =
            self.students().enumerate().map(|(at, one)| (&one.id, at)).collect();
        let mut everybody = self.all();
        everybody.sort_by_key(|person| places.get(person.id).copied().unwrap_or(usize::MAX));
        everybody
    }

    fn students(&self) -> impl Iterator<Item = &Student> {
        self.pipeline.roster.iter().flat_map(|roster| &roster.students)
    }

    /// The scores of all who are ranked, task by task.
    ///
    /// # Errors
    /// They can't be read; the message names the file.
    pub fn marks(&self) -> io::Result<Vec<Mark>> {
        let path = self.pipeline.results.join("scores.csv");
        let read =
            || -> csv::Result<Vec<Mark>> { csv::Reader::from_path(&path)?.into_deserialize().collect() };
        read().map_err(|error| blame(&path, &error.into()))
    }

    /// The runs that a person's line in the ranking rests on; none for those who have no line.
    pub fn runs(&self, person: &Person<'_>) -> Vec<Run> {
        let load = |row: &Row| report_store::load_report_of(&self.pipeline.results, &row.miner, &row.sha256);
        let report = person.row.and_then(load);
        let report =
            report.map(|report| samples::of_now(report, |stage, task| self.pipeline.samples_of(stage, task)));
        report.map_or_else(Vec::new, |report| report.runs)
    }
}

impl Person<'_> {
    /// Why there is no score, in words; None if there is one.
    pub fn missing(&self) -> Option<String> {
        match self.state {
            RosterState::Ranked => None,
            RosterState::Waiting => Some("not evaluated yet".to_owned()),
            RosterState::Refused => {
                Some(self.refused.map_or_else(|| "refused: see rejected.csv".to_owned(), refusal))
            }
            RosterState::Withdrawn => Some("withdrawn: nothing of it lies in the inbox any more".to_owned()),
            RosterState::Absent => Some("nothing was submitted".to_owned()),
        }
    }
}

/// A refusal in words, with the line of the source where there is one.
fn refusal(of: &Rejection) -> String {
    let line = of.line.map_or_else(String::new, |line| format!("line {line}: "));
    format!("refused: {line}{}", of.reason)
}
