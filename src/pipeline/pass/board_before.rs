//! The board of before: it stands until all agents on it that are evaluated anew are through, as after an edit of a task. Between
//! two versions of a task there is no ranking that means anything, and none to be paid by.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::model::miner_id::Miner;
use crate::pipeline::publish;
use crate::pipeline::score::Row;

/// Agents on the published board.
#[derive(Default)]
pub(super) struct BoardBefore {
    /// Digests by miner; None as long as nobody asked.
    agents: Option<HashMap<Miner, String>>,
    /// Miners whose file was another one when its turn came. The board does not wait for them: they could have it stand for ever.
    changed: HashSet<Miner>,
    /// True once it was told that it stands.
    told: bool,
}

impl BoardBefore {
    /// Tells whether it waits for this very submission, which is on it.
    pub(super) fn waits_for(&mut self, (miner, sha256): (&Miner, &str), results: &Path) -> bool {
        let read = || publish::json::load(results).map_or_else(|_| HashMap::new(), |last| of(&last.rankings));
        let is_on_it = self.agents.get_or_insert_with(read).get(miner).is_some_and(|known| known == sha256);
        is_on_it && !self.changed.contains(miner)
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

fn of(rows: &[Row]) -> HashMap<Miner, String> {
    rows.iter().map(|row| (row.miner.clone(), row.sha256.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_a_board_stand_whose_file_changes_when_its_turn_comes() {
        let (ann, results) = ("ann".parse().unwrap(), Path::new("/nowhere"));
        let agents = Some(HashMap::from([("ann".parse().unwrap(), "a".to_owned())]));
        let mut board = BoardBefore { agents, ..BoardBefore::default() };
        assert!(board.waits_for((&ann, "a"), results) && !board.waits_for((&ann, "b"), results));
        board.has_changed(&ann);
        assert!(!board.waits_for((&ann, "a"), results), "whatever lies there by then");
    }
}
