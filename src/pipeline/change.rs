//! Changes of the ranking: who entered, left or moved between two of them.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::miner_id::Miner;
use crate::pipeline::score::Row;

/// A change of the ranking, as `on_change` is told of it.
#[derive(Debug, Serialize)]
pub struct Change<'a> {
    /// Name of the competition or course.
    pub title: Option<&'a str>,
    /// When the ranking was published.
    pub at: Timestamp,
    /// True while the board stands still: miners are not shown this ranking.
    pub frozen: bool,
    /// The token's name; None where nothing is paid.
    pub token: Option<&'a str>,
    /// Everybody whose rank or score changed, in the order of the ranking; those who left come last.
    pub moved: Vec<Move>,
    /// The ranking that was told before.
    pub before: &'a [Place],
    /// The ranking now.
    pub after: &'a [Place],
}

/// One line of a ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// 1-based; None if it is unscored.
    pub rank: Option<NonZeroU32>,
    /// The agent's miner.
    pub miner: Miner,
    /// 0-100; None if it is unscored.
    pub score: Option<f64>,
    /// In tokens; None where nothing is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f64>,
}

/// One miner's way from a ranking to the next.
#[derive(Debug, PartialEq, Serialize)]
pub struct Move {
    /// The miner.
    pub miner: Miner,
    /// In a word.
    pub how: How,
    /// None if it was not ranked.
    pub rank_before: Option<NonZeroU32>,
    /// None if it is not ranked.
    pub rank_after: Option<NonZeroU32>,
    /// None if it had no score.
    pub score_before: Option<f64>,
    /// None if it has no score.
    pub score_after: Option<f64>,
}

/// Ways from a ranking to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It was not there.
    Entered,
    /// It is not there any more.
    Left,
    /// It has a better rank.
    Up,
    /// It has a worse rank, or none.
    Down,
    /// It has the same rank by another score.
    Stayed,
}

impl From<&Row> for Place {
    fn from(row: &Row) -> Self {
        Self { rank: row.rank, miner: row.miner.clone(), score: row.score, reward: row.reward }
    }
}

/// Everybody whose rank or score differs.
pub fn moves(before: &[Place], after: &[Place]) -> Vec<Move> {
    let mut old: BTreeMap<&Miner, &Place> = before.iter().map(|place| (&place.miner, place)).collect();
    let mut moves: Vec<Move> =
        after.iter().filter_map(|place| step(old.remove(&place.miner), place)).collect();
    moves.extend(old.into_values().map(|gone| Move {
        miner: gone.miner.clone(),
        how: How::Left,
        rank_before: gone.rank,
        rank_after: None,
        score_before: gone.score,
        score_after: None,
    }));
    moves
}

/// None if nothing differs.
fn step(before: Option<&Place>, after: &Place) -> Option<Move> {
    let Some(old) = before else {
        return Some(between(How::Entered, None, after));
    };
    if (old.rank, old.score) == (after.rank, after.score) {
        return None;
    }
    // Nothing is worse than the last rank.
    let place = |rank: Option<NonZeroU32>| rank.map_or(u32::MAX, NonZeroU32::get);
    let how = match place(after.rank).cmp(&place(old.rank)) {
        std::cmp::Ordering::Less => How::Up,
        std::cmp::Ordering::Equal => How::Stayed,
        std::cmp::Ordering::Greater => How::Down,
    };
    Some(between(how, before, after))
}

fn between(how: How, before: Option<&Place>, after: &Place) -> Move {
    Move {
        miner: after.miner.clone(),
        how,
        rank_before: before.and_then(|old| old.rank),
        rank_after: after.rank,
        score_before: before.and_then(|old| old.score),
        score_after: after.score,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(miner: &str, rank: u32, score: f64) -> Place {
        let scored = rank > 0;
        Place {
            rank: NonZeroU32::new(rank),
            miner: miner.parse().unwrap(),
            score: scored.then_some(score),
            reward: None,
        }
    }

    #[test]
    fn everybody_who_moved_is_told_and_nobody_else() {
        let before =
            [place("ann", 1, 90.0), place("ben", 2, 80.0), place("cid", 3, 70.0), place("dan", 4, 60.0)];
        let after =
            [place("ben", 1, 95.0), place("eve", 2, 92.0), place("ann", 3, 90.0), place("dan", 4, 65.0)];
        let told: Vec<_> =
            moves(&before, &after).iter().map(|moved| (moved.miner.to_string(), moved.how)).collect();
        let expect = [
            ("ben", How::Up),
            ("eve", How::Entered),
            ("ann", How::Down),
            ("dan", How::Stayed),
            ("cid", How::Left),
        ];
        assert_eq!(told, expect.map(|(miner, how)| (miner.to_owned(), how)));
        assert_eq!(moves(&after, &after), []);
    }

    #[test]
    fn no_rank_is_below_the_last() {
        let how =
            |before: u32, after: u32| moves(&[place("a", before, 1.0)], &[place("a", after, 1.0)])[0].how;
        assert_eq!([how(0, 9), how(9, 0)], [How::Up, How::Down]);
    }
}
