//! The board of before: it stands until all agents on it that are evaluated anew are through, as after an edit of a task. Between
//! two versions of a task there is no ranking that means anything, and none to be paid by.

use std::collections::HashMap;
use std::path::Path;

use crate::model::miner_id::Miner;
use crate::pipeline::pass::Pass;
use crate::pipeline::publish;
use crate::pipeline::score::Row;
use crate::ui::Event;
use crate::util::plural::counted;

/// Agents on the published board.
#[derive(Default)]
pub(super) struct BoardBefore {
    /// Digests by miner; None as long as nobody asked.
    agents: Option<HashMap<Miner, String>>,
    /// True once it was told that it stands.
    told: bool,
}

impl BoardBefore {
    fn has(&mut self, (miner, sha256): (&Miner, &str), results: &Path) -> bool {
        let read = || publish::json::load(results).map_or_else(|_| HashMap::new(), |last| of(&last.rankings));
        self.agents.get_or_insert_with(read).get(miner).is_some_and(|known| known == sha256)
    }

    /// Another board was published.
    pub(super) fn is_now(&mut self, rows: &[Row]) {
        *self = Self { agents: Some(of(rows)), told: false };
    }
}

fn of(rows: &[Row]) -> HashMap<Miner, String> {
    rows.iter().map(|row| (row.miner.clone(), row.sha256.clone())).collect()
}

impl Pass<'_> {
    /// Tells whether the board of before stands for now. Whoever hands in other bytes meanwhile holds nobody up.
    pub(super) fn board_stands(&mut self) -> bool {
        let results = &self.context.pipeline.results;
        let left = self.submissions.left(self.ending.is_some());
        let left = left.filter(|agent| self.board_before.has(*agent, results)).count();
        if left > 0 && !std::mem::replace(&mut self.board_before.told, true) {
            let agents = counted(left, "ranked agent");
            self.context.events.send(Event::Note(format!(
                "{agents} to be evaluated anew: the results stay as they are until all of them are"
            )));
        }
        left > 0
    }
}
