//! Contents of a public bundle: what everybody may see over HTTP, and nothing else. It holds the full bundle's
//! digest, so that the full one, shown later, can be checked against it.

use std::fs;
use std::io;

use jiff::Timestamp;

use crate::config::{Board as Sight, Pipeline};
use crate::pipeline::freeze;
use crate::proof::pack::{Content, Packed};
use crate::status::{Board, ShownTask};
use crate::util::atomic_file::blame;
use crate::util::json;
use crate::workspace::Workspace;

/// The tasks as miners see them; and the ranking, unless each sees only its own line.
pub(super) fn files(workspace: &Workspace) -> io::Result<Vec<Packed>> {
    let shown = |task| ShownTask::of(task, &workspace.pipeline);
    let tasks: Vec<ShownTask<'_>> = workspace.staged_tasks().map(shown).collect();
    let mut files = vec![file("tasks.json", json::bytes(&tasks)?)];
    if workspace.pipeline.board == Sight::Public
        && let Some(board) = board(&workspace.pipeline)?
    {
        files.push(file("rankings.json", json::bytes(&board)?));
    }
    Ok(files)
}

fn file(name: &str, bytes: Vec<u8>) -> Packed {
    Packed { name: name.into(), content: Content::Bytes(bytes) }
}

/// The board as it is shown now; None if nothing is.
fn board(pipeline: &Pipeline) -> io::Result<Option<Board>> {
    let Pipeline { results, freeze, .. } = pipeline;
    let frozen = freeze.as_ref().filter(|freeze| freeze::is_in_force(results, freeze, Timestamp::now()));
    let folder = frozen.map_or_else(|| results.clone(), |freeze| freeze::folder(results, freeze));
    let path = folder.join("rankings.json");
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| blame(&path, &error))?,
    };
    Board::read(&bytes, pipeline.feedback()).map(Some)
}
