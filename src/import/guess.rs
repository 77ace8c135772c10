//! Guess of a file's kind by the fields of its first entry, for an author who named another one.

use std::path::Path;

use anyhow::bail;

use crate::import::entries::Entry;

/// A field that entries of this kind have, and those of no kind below it.
const TELLING: [(&str, &str); 7] = [
    ("base_input", "evalplus"),
    ("code_list", "samples"),
    ("question_id", "livecodebench"),
    ("test_list", "mbpp"),
    ("entry_point", "humaneval"),
    ("completion", "samples"),
    ("solution", "samples"),
];

/// Refuses a file of which nothing could be taken, if it looks like one of another kind.
///
/// # Errors
/// The kind that it looks like, and the command that imports it.
pub(super) fn refuse_other_kind(kind: &str, entries: &[Entry<'_>], path: &Path) -> anyhow::Result<()> {
    let fields = entries.first().map(Entry::fields).unwrap_or_default();
    let told = TELLING.iter().find(|(field, _)| fields.contains_key(*field));
    match told {
        Some((field, other)) if *other != kind => {
            bail!(
                "its entries have {field}, as those of {other} do: agentmill import {other} {}",
                path.display()
            )
        }
        _ => Ok(()),
    }
}
