//! Digests of the published files, `results/.published`: a file that was cut off or edited since is noticed, and made anew.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::util::{atomic_file, digest, json, regular};

/// Name of the file.
const FILE: &str = ".published";

/// Files that others go by. The page is changed in place, and nobody is paid by it.
const OF: [&str; 4] = ["rankings.csv", "scores.csv", "rejected.csv", "rankings.json"];

/// Names of the files that are there and not as they were written; none where nothing is known of them.
pub(super) fn altered(results: &Path) -> Vec<String> {
    let bytes = regular::read(results.join(FILE)).unwrap_or_default();
    let known: BTreeMap<String, String> = serde_json::from_slice(&bytes).unwrap_or_default();
    let now = digests(results);
    known
        .into_iter()
        .filter(|(name, was)| now.get(name).is_some_and(|is| is != was))
        .map(|(name, _)| name)
        .collect()
}

/// Remembers the files as they are.
///
/// # Errors
/// It can't be written; the message names it.
pub(super) fn note(results: &Path) -> io::Result<()> {
    atomic_file::replace(&results.join(FILE), &json::bytes(&digests(results))?).map(drop)
}

fn digests(results: &Path) -> BTreeMap<String, String> {
    let of = |name: &str| Some((name.to_owned(), digest::sha256(&regular::read(results.join(name)).ok()?)));
    OF.into_iter().filter_map(of).collect()
}
