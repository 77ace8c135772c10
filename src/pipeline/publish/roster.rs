//! Roster in the results: everybody of a course has a line, whether something was submitted or not.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::config::Student;
use crate::model::miner_id::Miner;
use crate::pipeline::publish::Published;

/// State of a person's submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterState {
    /// It is in the ranking.
    Ranked,
    /// It is not evaluated yet.
    Waiting,
    /// It is no agent.
    Refused,
    /// There was one, and nothing of it lies in the inbox any more.
    Withdrawn,
    /// There is none.
    Absent,
}

/// A person of the course, and what became of the submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The miner that submits for the person.
    pub id: Miner,
    /// Full name.
    pub name: String,
    /// Group; empty if there is none.
    pub group: String,
    /// State of the submission.
    pub state: RosterState,
}

impl RosterState {
    /// The word in result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ranked => "ranked",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Absent => "absent",
        }
    }
}

/// Everybody of the course: those who are ranked in the ranking's order, then the others in the roster's.
pub(super) fn listed(published: &Published) -> Vec<Listed> {
    let places: HashMap<&Miner, usize> =
        published.rows.iter().enumerate().map(|(at, row)| (&row.miner, at)).collect();
    let pending: HashSet<&Miner> = published.pending.iter().collect();
    let refused: HashSet<&Miner> =
        published.rejections.iter().filter_map(|rejection| rejection.miner.as_ref()).collect();
    let state = |id| match () {
        () if places.contains_key(id) => RosterState::Ranked,
        () if pending.contains(id) => RosterState::Waiting,
        () if refused.contains(id) => RosterState::Refused,
        () if published.submitted.contains(id) => RosterState::Withdrawn,
        () => RosterState::Absent,
    };
    let mut all: Vec<&Student> = published.roster.iter().collect();
    all.sort_by_key(|student| places.get(&student.id).copied().unwrap_or(usize::MAX));
    all.into_iter().map(|student| Listed::new(student, state(&student.id))).collect()
}

impl Listed {
    fn new(student: &Student, state: RosterState) -> Self {
        let Student { id, name, group, .. } = student.clone();
        Self { id, name, group, state }
    }
}
