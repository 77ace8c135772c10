//! The board of before: it stands until all agents on it that are evaluated anew are through, as after an edit of a task, and none of
//! them has lost its score because the engine or the model's provider was away. Between two versions of a task there is no ranking
//! that means anything, and none to be paid by.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::model::miner_id::Miner;
use crate::pipeline::publish;
use crate::pipeline::score::{Evaluated, Row};

/// The pause before agents without their score are tried once more; each further one is twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LAST_PAUSE: Duration = Duration::from_secs(300);

/// Agents on the published board.
#[derive(Default)]
pub(super) struct BoardBefore {
    /// Lines by miner; None as long as nobody asked.
    agents: Option<HashMap<Miner, Line>>,
    /// Miners whose file was another one when its turn came. The board does not wait for them: they could have it stand for ever.
    changed: HashSet<Miner>,
    /// Miners whose agent has a score on it, and runs since that could not be judged.
    unscored: BTreeSet<Miner>,
    /// The time of the next try, and the pause behind it.
    retry: Option<(Instant, Duration)>,
    /// True once it was told that it stands.
    told: bool,
}

/// An agent on the board.
struct Line {
    sha256: String,
    /// How many of its runs could not be judged; None if it has no score.
    unscored: Option<u64>,
}

/// An agent as it is now.
#[derive(Clone, Copy)]
pub(super) struct Now<'r> {
    miner: &'r Miner,
    sha256: &'r str,
    score: Option<f64>,
    unscored: u64,
}

impl<'r> Now<'r> {
    /// Its miner, and the digest of its bytes.
    pub(super) fn submission(&self) -> (&'r Miner, &'r str) {
        (self.miner, self.sha256)
    }
}

impl BoardBefore {
    /// Tells whether it waits for this very submission, which is on it.
    pub(super) fn waits_for(&mut self, (miner, sha256): (&Miner, &str), results: &Path) -> bool {
        self.line((miner, sha256), results).is_some()
    }

    /// The line of this very submission, unless its file was another one when its turn came.
    fn line(&mut self, (miner, sha256): (&Miner, &str), results: &Path) -> Option<&Line> {
        let read = || publish::json::load(results).map_or_else(|_| HashMap::new(), |last| of(&last.rankings));
        let line = self.agents.get_or_insert_with(read).get(miner).filter(|known| known.sha256 == sha256);
        line.filter(|_| !self.changed.contains(miner))
    }

    /// Notes agents as they are now. Gives the miners of those that have a score on it and would lose it, or part of what it rests on,
    /// as runs could not be judged.
    pub(super) fn unscored_anew<'r>(
        &mut self,
        agents: impl Iterator<Item = Now<'r>>,
        results: &Path,
    ) -> &BTreeSet<Miner> {
        let loses = |agent: &Now<'_>| {
            let line = self.line((agent.miner, agent.sha256), results);
            let before = line.and_then(|line| line.unscored);
            before.is_some_and(|before| agent.unscored > if agent.score.is_none() { 0 } else { before })
        };
        self.unscored = agents.filter(loses).map(|agent| agent.miner.clone()).collect();
        &self.unscored
    }

    /// Takes out the miners whose agents are to be tried once more by now.
    pub(super) fn take_due_again(&mut self, now: Instant) -> BTreeSet<Miner> {
        if self.unscored.is_empty() {
            return BTreeSet::new();
        }
        let (at, pause) = *self.retry.get_or_insert((now + FIRST_PAUSE, FIRST_PAUSE));
        if now < at {
            return BTreeSet::new();
        }
        let pause = LAST_PAUSE.min(pause * 2);
        self.retry = Some((now + pause, pause));
        std::mem::take(&mut self.unscored)
    }

    /// Notes that a miner's file was another one when its turn came.
    pub(super) fn has_changed(&mut self, miner: &Miner) {
        self.changed.insert(miner.clone());
    }

    /// Notes that it was told that the board stands. Tells whether this was the first time.
    pub(super) fn tell(&mut self) -> bool {
        !std::mem::replace(&mut self.told, true)
    }

    /// Another board was published.
    pub(super) fn is_now(&mut self, rows: &[Row]) {
        *self = Self { agents: Some(of(rows)), ..Self::default() };
    }
}

fn of(rows: &[Row]) -> HashMap<Miner, Line> {
    let line = |row: &Row| Line { sha256: row.sha256.clone(), unscored: row.score.map(|_| row.unscored) };
    rows.iter().map(|row| (row.miner.clone(), line(row))).collect()
}

impl<'r> From<&'r Row> for Now<'r> {
    fn from(row: &'r Row) -> Self {
        Self { miner: &row.miner, sha256: &row.sha256, score: row.score, unscored: row.unscored }
    }
}

impl<'r> From<&'r Evaluated> for Now<'r> {
    fn from(agent: &'r Evaluated) -> Self {
        Self { miner: &agent.miner, sha256: &agent.sha256, score: agent.score, unscored: agent.unscored }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_a_board_stand_whose_file_changes_when_its_turn_comes() {
        let (ann, results) = ("ann".parse().unwrap(), Path::new("/nowhere"));
        let agents = Some(HashMap::from([(
            "ann".parse().unwrap(),
            Line { sha256: "a".to_owned(), unscored: Some(0) },
        )]));
        let mut board = BoardBefore { agents, ..BoardBefore::default() };
        assert!(board.waits_for((&ann, "a"), results) && !board.waits_for((&ann, "b"), results));
        board.has_changed(&ann);
        assert!(!board.waits_for((&ann, "a"), results), "whatever lies there by then");
    }

    #[test]
    fn who_has_a_score_and_loses_it_has_the_board_stand() {
        let (ann, results) = ("ann".parse().unwrap(), Path::new("/nowhere"));
        let loses = |before: Option<u64>, sha256: &str, score: Option<f64>, unscored: u64| {
            let line = Line { sha256: "a".to_owned(), unscored: before };
            let agents = Some(HashMap::from([("ann".parse().unwrap(), line)]));
            let mut board = BoardBefore { agents, ..BoardBefore::default() };
            let now = Now { miner: &ann, sha256, score, unscored };
            !board.unscored_anew([now].into_iter(), results).is_empty()
        };
        assert!(loses(Some(0), "a", None, 1) && loses(Some(0), "a", Some(50.0), 1));
        assert!(loses(Some(1), "a", None, 1), "another task is all that is left");
        assert!(!loses(None, "a", None, 1), "it never had one");
        assert!(!loses(Some(0), "b", None, 1), "other bytes");
        assert!(!loses(Some(0), "a", None, 0), "the author's fault");
        assert!(!loses(Some(1), "a", Some(50.0), 1) && !loses(Some(0), "a", Some(0.0), 0));
    }

    #[test]
    fn pauses_between_tries_grow() {
        let start = Instant::now();
        let ann: Miner = "ann".parse().unwrap();
        let mut board = BoardBefore::default();
        let mut tries = Vec::new();
        for second in 0..2000 {
            board.unscored.insert(ann.clone());
            if !board.take_due_again(start + Duration::from_secs(second)).is_empty() {
                tries.push(second);
            }
        }
        assert_eq!(tries, [5, 15, 35, 75, 155, 315, 615, 915, 1215, 1515, 1815]);
    }
}
