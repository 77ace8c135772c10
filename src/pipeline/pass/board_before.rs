//! The board of before: it stands until all agents on it that are evaluated anew are through, as after an edit of a task. Between
//! two versions of a task there is no ranking that means anything, and none to be paid by.

use std::collections::HashMap;
use std::path::Path;

use crate::model::miner_id::Miner;
use crate::pipeline::publish;
use crate::pipeline::score::Row;

/// Agents on the published board.
#[derive(Default)]
pub(super) struct BoardBefore {
    /// Digests by miner; None as long as nobody asked.
    agents: Option<HashMap<Miner, String>>,
    /// True once it was told that it stands.
    told: bool,
}

impl BoardBefore {
    /// Tells whether this very submission is on it.
    pub(super) fn has(&mut self, (miner, sha256): (&Miner, &str), results: &Path) -> bool {
        let read = || publish::json::load(results).map_or_else(|_| HashMap::new(), |last| of(&last.rankings));
        self.agents.get_or_insert_with(read).get(miner).is_some_and(|known| known == sha256)
    }

    /// Notes that it was told that the board stands. Tells whether this was the first time.
    pub(super) fn tell(&mut self) -> bool {
        !std::mem::replace(&mut self.told, true)
    }

    /// Another board was published.
    pub(super) fn is_now(&mut self, rows: &[Row]) {
        *self = Self { agents: Some(of(rows)), told: false };
    }
}

fn of(rows: &[Row]) -> HashMap<Miner, String> {
    rows.iter().map(|row| (row.miner.clone(), row.sha256.clone())).collect()
}
