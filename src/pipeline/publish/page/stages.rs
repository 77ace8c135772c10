//! Stages on the page: their marks, and how many agents came how far.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::miner_id::Miner;
use crate::pipeline::plan::Part;
use crate::pipeline::publish::Published;
use crate::pipeline::score::passes;
use crate::util::text::visible;

/// Most characters of a stage's name.
const MAX: usize = 400;

/// A stage with how many agents reached it and how many passed it.
#[derive(Serialize)]
pub(super) struct StageData {
    name: String,
    mark: f64,
    /// How many agents reached and passed it, where scores are shown.
    reached: Option<usize>,
    passed: Option<usize>,
}

/// Each stage with how many agents reached it and how many passed it.
pub(super) fn stages(published: &Published) -> Vec<StageData> {
    let parts = &published.plan.parts;
    let mut stand = vec![0; parts.len() + 1];
    for row in published.rows {
        if let Some(count) = stand.get_mut(published.plan.place(&row.stage).unwrap_or_default()) {
            *count += 1;
        }
    }
    if let Some(cleared) = parts.len().checked_sub(1) {
        // Who stands at the last stage may have passed it.
        let passed = cleared_last(published);
        stand[cleared] -= passed;
        stand[cleared + 1] = passed;
    }
    let shown = published.plan.feedback().shows_ranking();
    let from = |at: usize| shown.then(|| stand[at..].iter().sum());
    let described = |(at, part): (usize, &Part)| StageData {
        name: visible(&part.stage.name, MAX),
        mark: part.stage.pass_mark,
        reached: from(at),
        passed: from(at + 1),
    };
    parts.iter().enumerate().map(described).collect()
}

/// How many agents passed the last stage.
fn cleared_last(published: &Published) -> usize {
    let Some(last) = published.plan.parts.last() else { return 0 };
    let standing: BTreeSet<&Miner> =
        published.rows.iter().filter(|row| row.stage == last.stage.name).map(|row| &row.miner).collect();
    let agents = published.agents.iter().filter(|agent| standing.contains(&agent.miner));
    agents.filter(|agent| passes(last, &agent.results)).count()
}
