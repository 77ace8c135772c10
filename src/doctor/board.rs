//! Check of the board: one that all may see, and that has nothing to show.

use crate::config::{Board, Pipeline};
use crate::doctor::Finding;
use crate::model::feedback::Feedback;
use crate::util::first_few::first_few;

/// The stages that take all scores off a public board; None if there is none.
pub(super) fn look(pipeline: &Pipeline) -> Option<Finding> {
    let silent: Vec<&str> = pipeline
        .stages
        .iter()
        .filter(|stage| stage.feedback == Feedback::None)
        .map(|stage| stage.name.as_str())
        .collect();
    (pipeline.board == Board::Public && !silent.is_empty()).then(|| {
        let text =
            format!("public, and shows no score or rank: stage {} has feedback: none", first_few(silent));
        Finding::odd("board", text, "with feedback: score it shows them, and no task's")
    })
}
