//! Everything that a miner submitted, from the ledger, with what became of it, from the rankings, `history.csv` and the rules
//! of the season.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Counts, Pipeline};
use crate::model::first_sights::{Event, Origin};
use crate::model::miner_id::Miner;
use crate::pipeline::archive;
use crate::pipeline::ledger::Ledger;
use crate::pipeline::publish::history;
use crate::pipeline::publish::json::Rankings;
use crate::pipeline::score::{Evaluated, Row};
use crate::pipeline::season::{Course, Outcome, Refusal};
use crate::show::people;
use crate::show::query::ShowError;
use crate::show::rescored::{Change, changes};

/// A submission of a miner.
#[derive(Debug, Clone, Serialize)]
pub struct Submitted {
    /// Time at which it was seen.
    pub at: Timestamp,
    /// Time at which it came.
    pub came: Timestamp,
    /// True if that is the organiser's word, in `extensions.yaml`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub received: bool,
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
    /// The cause of the last change of score, as `history.csv` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// Every change of score, oldest first: the first is that of the first score before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
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
    /// The close of its miner that it came after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
}

/// A line of `history.csv` on a submission.
struct Published {
    at: Timestamp,
    score: Option<f64>,
    cause: String,
}

/// Outcome of a submission.
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
    /// They stood already when they came once more.
    Unchanged,
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
            Self::Unchanged => "stood already",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// All that tells what became of a miner's submissions.
struct Told<'a> {
    miner: &'a Miner,
    rankings: &'a Rankings,
    row: Option<&'a Row>,
    course: Option<Course<'a>>,
    scores: HashMap<String, Vec<Published>>,
}

/// A submission in the ledger: its lines, of which several tell of a file that was renamed, or that counted from a later time on.
struct Lines<'a> {
    first: &'a Event,
    last: &'a Event,
    /// Place of the first line among all of the miner's.
    begins: usize,
    /// Place of the last one.
    at: usize,
}

/// Submissions of a miner, and those of the same bytes.
struct Submissions<'a> {
    all: Vec<Lines<'a>>,
    by_bytes: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Submissions<'a> {
    fn of(events: &'a [Event]) -> Self {
        let all = Lines::of(events);
        let mut by_bytes: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, lines) in all.iter().enumerate() {
            by_bytes.entry(&lines.first.sha256).or_default().push(at);
        }
        Self { all, by_bytes }
    }

    /// Places of those of the same bytes as one, oldest first.
    fn of_same_bytes(&self, at: usize) -> &[usize] {
        &self.by_bytes[self.all[at].first.sha256.as_str()]
    }
}

impl<'a> Lines<'a> {
    /// All submissions of a miner's lines, oldest first.
    fn of(events: &'a [Event]) -> Vec<Self> {
        let mut ends = 0;
        let chunks = events.chunk_by(|one, next| one.sha256 == next.sha256);
        let lines = chunks.filter_map(|lines| {
            ends += lines.len();
            let (begins, at) = (ends - lines.len(), ends - 1);
            Some(Self { first: lines.first()?, last: lines.last()?, begins, at })
        });
        lines.collect()
    }
}

/// Everything that a miner submitted, oldest first, a return to earlier bytes as often as there was one.
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
        course: pipeline.season.as_ref().map(|season| Course::of(season, &miner, sights)),
        scores: scores(results, &miner),
    };
    let counts = pipeline.season.as_ref().map_or(Counts::Last, |season| season.counts);
    let submissions = Submissions::of(sights.events(&miner));
    let one = |at: usize| told.submitted(results, &submissions, at, counts);
    let found: Vec<Submitted> = (0..submissions.all.len()).map(one).collect();
    if found.is_empty() { Err(ShowError::NothingHandedIn(miner)) } else { Ok(found) }
}

impl Told<'_> {
    fn submitted(
        &self,
        results: &Path,
        submissions: &Submissions<'_>,
        at: usize,
        counts: Counts,
    ) -> Submitted {
        let all = &submissions.all;
        let Lines { first, last, .. } = &all[at];
        let sha256 = &first.sha256;
        let came = self.course.as_ref().map_or(first.came, |course| course.came(first));
        let is_chosen = self.chosen(submissions, at, counts) == Some(at);
        let state = self.fate(&all[at], is_chosen, at + 1 == all.len(), counts);
        let penalty = self.days_late(&all[at]).and_then(|days| self.course.as_ref()?.cost(days));
        let is_shown = is_chosen && matches!(state, Fate::Stands | Fate::Evaluated);
        let published = self.published(submissions, at, is_shown);
        let score = match (self.evaluated(sha256), self.row) {
            (Some(evaluated), _) if is_chosen => evaluated.score,
            (_, Some(row)) if state == Fate::Stands => row.score,
            _ => published.last().and_then(|last| last.score),
        };
        Submitted {
            at: first.at,
            came,
            received: came < first.came,
            via: first.via,
            bytes: archive::path(results, sha256).metadata().ok().map(|file| file.len()),
            changed_by: changed_by(&published, score),
            changes: changes(published.iter().map(|one| (one.score, one.cause.as_str())), score),
            scores_before: before(&published, score),
            score,
            stands: state == Fate::Stands,
            reason: self.reason(&all[at], state),
            penalty: penalty.filter(|_| !last.refused),
            closed: self.course.as_ref().and_then(Course::closes).filter(|closes| came > *closes),
            state,
            sha256: sha256.clone(),
        }
    }

    /// The submission by which the bytes of one are ranked, if they are: of those that count the last one, or of the best the least
    /// late.
    fn chosen(&self, submissions: &Submissions<'_>, at: usize, counts: Counts) -> Option<usize> {
        let of_these = submissions.of_same_bytes(at);
        let days_late = |at: usize| self.days_late(&submissions.all[at]);
        let is_taken = |at: &usize| days_late(*at).is_some() && !self.stood(&submissions.all[*at]);
        let mut taken = of_these.iter().copied().filter(is_taken);
        let chosen = match counts {
            Counts::Best => taken.max_by_key(|at| days_late(*at).map(Reverse)),
            Counts::Last | Counts::LastValid => taken.next_back(),
        };
        chosen.or(of_these.last().copied())
    }

    /// True if its bytes stood already when they came once more.
    fn stood(&self, lines: &Lines<'_>) -> bool {
        let all = self.course.as_ref().and_then(|course| course.all().get(lines.begins..=lines.at));
        all.is_some_and(|all| all.iter().all(|one| matches!(one.outcome, Outcome::Stood(_))))
    }

    /// Days by which a submission came late that counts; None if it does not.
    fn days_late(&self, lines: &Lines<'_>) -> Option<u32> {
        let Some(course) = &self.course else { return (!lines.last.refused).then_some(0) };
        match course.all().get(lines.at)?.outcome {
            Outcome::Taken(days) | Outcome::Stood(days) => Some(days),
            Outcome::Refused(_) | Outcome::NoAgent => None,
        }
    }

    /// The reason why a submission does not count by the rules of the season.
    fn refusal(&self, lines: &Lines<'_>) -> Option<&Refusal> {
        match &self.course.as_ref()?.all().get(lines.at)?.outcome {
            Outcome::Refused(refusal) => Some(refusal),
            Outcome::Taken(_) | Outcome::Stood(_) | Outcome::NoAgent => None,
        }
    }

    fn fate(&self, lines: &Lines<'_>, is_chosen: bool, is_last: bool, counts: Counts) -> Fate {
        let sha256 = &lines.first.sha256;
        let is_pending = self.rankings.pending.contains(self.miner);
        let is_unseen = lines.last.at > self.rankings.generated_at;
        let is_ranked = self.row.is_some_and(|row| row.sha256 == *sha256);
        let counts_beside = || counts == Counts::Best && self.days_late(lines).is_some();
        match () {
            () if is_chosen && is_ranked => Fate::Stands,
            () if is_chosen && self.evaluated(sha256).is_some() => Fate::Evaluated,
            () if lines.last.refused => Fate::Refused,
            () if self.refusal(lines).is_some() => Fate::NotCounted,
            () if !is_chosen && self.stood(lines) => Fate::Unchanged,
            () if !is_chosen && (is_ranked || self.evaluated(sha256).is_some()) && counts_beside() => {
                Fate::Evaluated
            }
            () if is_last && (is_pending || is_unseen) => Fate::Waiting,
            () if is_last && self.row.is_none() => Fate::Withdrawn,
            () => Fate::Replaced,
        }
    }

    /// Scores that were published of a submission, oldest first: those until the same bytes came again are the earlier one's.
    fn published(&self, submissions: &Submissions<'_>, at: usize, is_shown: bool) -> Vec<&Published> {
        let of_these = submissions.of_same_bytes(at);
        let place = of_these.iter().position(|one| *one == at).unwrap_or_default();
        let seen = |at: &usize| submissions.all[*at].first.at;
        let next = of_these.get(place + 1).filter(|_| !is_shown).map(seen);
        let begin = if place == 0 { Timestamp::MIN } else { seen(&at) };
        let published = self.scores.get(&submissions.all[at].first.sha256).into_iter().flatten();
        published.filter(|one| one.at >= begin && next.is_none_or(|next| one.at < next)).collect()
    }

    fn evaluated(&self, sha256: &str) -> Option<&Evaluated> {
        self.rankings.evaluated.iter().find(|one| one.miner == *self.miner && one.sha256 == sha256)
    }

    /// Reasons of refusals are known of what lies in the inbox.
    fn reason(&self, lines: &Lines<'_>, state: Fate) -> Option<String> {
        let of_these = |sha256: &Option<String>| sha256.as_ref() == Some(&lines.first.sha256);
        match state {
            Fate::NotCounted => self.refusal(lines).map(|refusal| refusal.reason.clone()),
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
fn before(published: &[&Published], score: Option<f64>) -> Vec<f64> {
    let mut before: Vec<f64> = published.iter().filter_map(|one| one.score).collect();
    before.dedup();
    before.pop_if(|last| Some(*last) == score);
    before
}

/// The cause of the line by which the score became this one; None if it is the first.
fn changed_by(published: &[&Published], score: Option<f64>) -> Option<String> {
    let (at, last) = published.iter().enumerate().rev().take_while(|(_, one)| one.score == score).last()?;
    Some(last.cause.clone()).filter(|cause| at > 0 && !cause.is_empty())
}

/// All scores of a miner's submissions, as `history.csv` has them.
fn scores(results: &Path, miner: &Miner) -> HashMap<String, Vec<Published>> {
    let mut scores: HashMap<String, Vec<Published>> = HashMap::new();
    for (record, at) in records(results, miner) {
        let cause = record.get(5).unwrap_or_default().to_owned();
        if !history::tells_of_leaving(Some(&cause)) {
            let one = Published { at, score: record[2].parse().ok(), cause };
            scores.entry(record[4].to_owned()).or_default().push(one);
        }
    }
    scores
}

/// The time since which a miner is not ranked any more, by the last line of `history.csv`.
pub(super) fn left(results: &Path, miner: &Miner) -> Option<Timestamp> {
    let (record, at) = records(results, miner).pop()?;
    history::tells_of_leaving(record.get(5)).then_some(at)
}

/// Lines of `history.csv` on a miner, with their times.
fn records(results: &Path, miner: &Miner) -> Vec<(csv::StringRecord, Timestamp)> {
    let Ok(mut reader) = csv::Reader::from_path(results.join(history::FILE)) else { return Vec::new() };
    let records = reader.records().map_while(Result::ok).filter(|record| &record[1] == miner.as_str());
    records.filter_map(|record| record[0].parse().ok().map(|at| (record, at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_that_were_published_before_are_told_once() {
        let line = |score: Option<f64>| Published { at: Timestamp::UNIX_EPOCH, score, cause: "task".into() };
        let published = [Some(88.89), Some(88.89), None, Some(100.0), Some(50.0)].map(line);
        let published: Vec<&Published> = published.iter().collect();
        assert_eq!(before(&published, Some(50.0)), [88.89, 100.0]);
        assert!(before(&published[..2], Some(88.89)).is_empty());
        assert_eq!(before(&published[..2], None), [88.89]);
        assert_eq!(changed_by(&published, Some(50.0)).as_deref(), Some("task"));
        assert_eq!(changed_by(&published[..2], Some(88.89)), None);
    }
}
