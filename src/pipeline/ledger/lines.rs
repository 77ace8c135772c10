//! Lines of the ledger: JSON, one sight each.

use std::io;
use std::path::Path;

use crate::model::first_sights::Sight;
use crate::yaml::{Log, Position, Problem, Problems};

/// Content of a ledger file.
pub(super) struct Read {
    pub(super) sights: Vec<Sight>,
    /// Tells of halves of lines that count for nothing.
    pub(super) warning: Option<String>,
}

/// Reads all lines.
///
/// # Errors
/// Every line that is neither a sight nor a half of one.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Read, Problems> {
    let (log, mut sights, mut halves) = (Log::new(path), Vec::new(), Vec::new());
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
        match serde_json::from_slice::<Sight>(line) {
            Ok(sight) => sights.push(sight),
            Err(_) if line.is_empty() => {}
            Err(error) if error.is_eof() || is_unwritten(line) => halves.push(number.to_string()),
            Err(error) => log.add(Position { line: number, column: error.column() }, "", complaint(&error)),
        }
    }
    let warning = (!halves.is_empty()).then(|| {
        let (file, lines) = (path.display(), halves.join(", "));
        format!("{file}: line {lines} ends in the middle, as a crash leaves it, and counts for nothing")
    });
    log.finish(Some(Read { sights, warning }))
}

/// Zeros are what a file system may show after a power loss where bytes were to be written.
fn is_unwritten(line: &[u8]) -> bool {
    let written = line.split(|byte| *byte == 0).next().unwrap_or_default();
    written.len() < line.len() && serde_json::from_slice::<Sight>(written).is_err_and(|error| error.is_eof())
}

fn complaint(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    format!("is no line of the ledger of first sights: {reason}; mend it or remove the line")
}

/// The file as a whole can't be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Problems {
    let message = format!("can't be read: {error}");
    Problems(vec![Problem { file: path.to_owned(), line: 0, column: 0, field: String::new(), message }])
}

/// The lines of these sights.
pub(super) fn render<'a>(sights: impl Iterator<Item = &'a Sight>) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for sight in sights {
        serde_json::to_writer(&mut lines, sight)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
