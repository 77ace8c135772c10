//! Everything that a miner submitted, from the ledger, with what became of it, from the rankings, `history.csv` and the rules
//! of the season.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Pipeline;
use crate::model::first_sights::{Event, FirstSights, Origin, SubmittedBytes};
use crate::model::miner_id::Miner;
use crate::pipeline::archive;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::publish::history;
use crate::pipeline::publish::json::Rankings;
use crate::pipeline::score::{Evaluated, Row};
use crate::pipeline::season::Course;
use crate::show::people;
use crate::show::query::ShowError;

/// Bytes that a miner submitted.
#[derive(Debug, Clone, Serialize)]
pub struct Submitted {
    /// Time at which they were first seen.
    pub at: Timestamp,
    /// Hex sha256 of the bytes.
    pub sha256: String,
    /// Channel that they came by.
    pub via: Origin,
    /// Their number, if the archive holds them.
    pub bytes: Option<u64>,
    /// The last score that was published for them.
    pub score: Option<f64>,
    /// Other scores that were published for them before, oldest first: tasks or rules changed since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scores_before: Vec<f64>,
    /// True if they are what the miner is ranked by.
    pub stands: bool,
    /// Their outcome.
    pub state: Fate,
    /// The reason why they are no agent, where that is known, or do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Percent of the score that is taken off for coming late; None where nothing late counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
}

/// Outcome of bytes that were submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The miner is ranked by them.
    Stands,
    /// They were evaluated and count, and others of the miner's stand, as they are at least as good.
    Evaluated,
    /// They will be evaluated.
    Waiting,
    /// They are no agent.
    Refused,
    /// They do not count by the rules of the season.
    NotCounted,
    /// The miner has submitted something else since, and that is what counts.
    Replaced,
    /// Nothing lies in the inbox for the miner any more.
    Withdrawn,
}

impl Fate {
    /// The word in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stands => "stands",
            Self::Evaluated => "evaluated",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::NotCounted => "not counted",
            Self::Replaced => "replaced",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// All that tells what became of a miner's submissions.
struct Told<'a> {
    miner: &'a Miner,
    rankings: &'a Rankings,
    row: Option<&'a Row>,
    sights: &'a FirstSights,
    course: Option<Course<'a>>,
    scores: HashMap<String, Vec<Option<f64>>>,
}

/// Everything that a miner submitted, oldest first; the same bytes once.
///
/// # Errors
/// There is nothing, or the ledger can't be read.
pub(super) fn of(pipeline: &Pipeline, rankings: &Rankings, name: &str) -> Result<Vec<Submitted>, ShowError> {
    let miner = people::named(rankings, name)?;
    let results = &pipeline.results;
    let ledger = Ledger::open(results).map_err(|problems| ShowError::Ledger(problems.to_string()))?.0;
    let sights = ledger.sights();
    let told = Told {
        miner: &miner,
        rankings,
        row: rankings.rankings.iter().find(|row| row.miner == miner),
        sights,
        course: pipeline.season.as_ref().map(|season| Course::of(season, &miner, sights)),
        scores: scores(results, &miner),
    };
    let all = sights.submitted_by(&miner);
    let one = |(at, one): (usize, &SubmittedBytes)| told.submitted(results, one, at + 1 == all.len());
    let found: Vec<Submitted> = all.iter().enumerate().map(one).collect();
    if found.is_empty() { Err(ShowError::NothingHandedIn(miner)) } else { Ok(found) }
}

impl Told<'_> {
    fn submitted(&self, results: &Path, one: &SubmittedBytes, is_last: bool) -> Submitted {
        let SubmittedBytes { sha256, at, via } = one.clone();
        let state = self.fate(one, is_last);
        let penalty = self.course.as_ref().and_then(|course| course.penalty(&sha256));
        let published = self.scores.get(&sha256).map_or(&[][..], Vec::as_slice);
        let last = published.last().copied().flatten();
        let score = self.evaluated(&sha256).map_or(last, |evaluated| evaluated.score);
        Submitted {
            at,
            via,
            bytes: archive::path(results, &sha256).metadata().ok().map(|file| file.len()),
            scores_before: before(published, score),
            score,
            stands: state == Fate::Stands,
            reason: self.reason(&sha256, state),
            penalty: penalty.filter(|_| !matches!(state, Fate::Refused | Fate::NotCounted)),
            state,
            sha256,
        }
    }

    fn fate(&self, SubmittedBytes { sha256, at, .. }: &SubmittedBytes, is_last: bool) -> Fate {
        let is_of = |event: &&Event| event.sha256 == *sha256;
        let is_pending = self.rankings.pending.contains(self.miner);
        let is_unseen = *at > self.rankings.generated_at;
        match () {
            () if self.row.is_some_and(|row| row.sha256 == *sha256) => Fate::Stands,
            () if self.evaluated(sha256).is_some() => Fate::Evaluated,
            () if self.sights.events(self.miner).iter().rev().find(is_of).is_some_and(|it| it.refused) => {
                Fate::Refused
            }
            () if self.course.as_ref().is_some_and(|course| course.refusal(sha256).is_some()) => {
                Fate::NotCounted
            }
            () if is_last && (is_pending || is_unseen) => Fate::Waiting,
            () if is_last && self.row.is_none() => Fate::Withdrawn,
            () => Fate::Replaced,
        }
    }

    fn evaluated(&self, sha256: &str) -> Option<&Evaluated> {
        self.rankings.evaluated.iter().find(|one| one.miner == *self.miner && one.sha256 == sha256)
    }

    /// Reasons of refusals are known of what lies in the inbox.
    fn reason(&self, sha256: &str, state: Fate) -> Option<String> {
        let of_these = |sha: &Option<String>| sha.as_deref() == Some(sha256);
        match state {
            Fate::NotCounted => self.course.as_ref()?.refusal(sha256).map(|refusal| refusal.reason.clone()),
            Fate::Refused => {
                let mut rejected = self.rankings.rejected.iter();
                let found = rejected.find(|one| of_these(&one.sha256))?;
                let line = found.line.map_or_else(String::new, |line| format!("line {line}: "));
                Some(line + &found.reason)
            }
            _ => None,
        }
    }
}

/// Scores that were published before this one.
fn before(published: &[Option<f64>], score: Option<f64>) -> Vec<f64> {
    let mut before: Vec<f64> = published.iter().copied().flatten().collect();
    before.dedup();
    before.pop_if(|last| Some(*last) == score);
    before
}

/// All scores of a miner's submissions, as `history.csv` has them.
fn scores(results: &Path, miner: &Miner) -> HashMap<String, Vec<Option<f64>>> {
    let Ok(mut reader) = csv::Reader::from_path(results.join("history.csv")) else { return HashMap::new() };
    let records = reader.records().map_while(Result::ok).filter(|record| &record[1] == miner.as_str());
    let mut scores: HashMap<String, Vec<Option<f64>>> = HashMap::new();
    for record in records.filter(|record| !history::tells_of_leaving(record.get(5))) {
        scores.entry(record[4].to_owned()).or_default().push(record[2].parse().ok());
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_that_were_published_before_are_told_once() {
        let published = [Some(88.89), Some(88.89), None, Some(100.0), Some(50.0)];
        assert_eq!(before(&published, Some(50.0)), [88.89, 100.0]);
        assert!(before(&published[..2], Some(88.89)).is_empty());
        assert_eq!(before(&published[..2], None), [88.89]);
    }
}
