//! Claims on the disk: `results/claims/`, a file beside each report and a line for each of its runs, which nobody but the
//! owner may read, as answers tell of hidden tests. By them a run can be judged anew without its agent.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;

use crate::model::claims::{Claims, MOST_OF_AGENT as MOST};
use crate::model::miner_id::Miner;
use crate::model::report::Report;
use crate::util::{atomic_file, private, regular};

/// Folder below the results.
const FOLDER: &str = "claims";

/// Bytes of all claims of one miner's submissions up to which they are kept, whichever is ranked.
const MOST_OF_MINER: u64 = 4 * MOST as u64;

/// A line, so far as it tells which run it is of.
#[derive(Deserialize)]
struct Head {
    key: String,
}

/// The folder of all claims.
pub fn folder(results: &Path) -> PathBuf {
    results.join(FOLDER)
}

/// Path of a miner's claims; where each submission keeps its report, of this one's.
pub fn path(results: &Path, (miner, sha256): (&Miner, &str), each: bool) -> PathBuf {
    let name = if each { format!("{sha256}-{miner}") } else { miner.to_string() };
    folder(results).join(format!("{name}.jsonl"))
}

/// Keeps what was claimed in runs of a report, beside what is known of its other runs.
///
/// # Errors
/// It can't be written; the message names the file.
pub fn keep(results: &Path, report: &Report, new: &[Claims], each: bool) -> io::Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let path = path(results, (&report.miner, &report.sha256), each);
    let mut lines = known(&path, report);
    for claims in new {
        lines.insert(claims.key.clone(), serde_json::to_string(claims)?);
    }
    let mut left = MOST;
    let kept = report.runs.iter().filter_map(|run| lines.get(&run.key)).filter(|line| {
        let fits = line.len() < left;
        left -= if fits { line.len() + 1 } else { 0 };
        fits
    });
    prepare(results)?;
    atomic_file::replace_by(&path, |out| kept.into_iter().try_for_each(|line| writeln!(out, "{line}")))
        .map(drop)
}

/// Makes the folder, if need be.
///
/// # Errors
/// It can't be made, or is somebody else's; the message names it.
pub fn prepare(results: &Path) -> io::Result<()> {
    private::folder(&folder(results)).map(drop).map_err(|error| atomic_file::blame(&folder(results), &error))
}

/// Removes claims of submissions that are not ranked, the oldest first, of each miner that has more than there is room for.
/// `ranked` gives the digest of each miner's.
///
/// # Errors
/// One can't be removed; the message names it.
pub fn trim<'a>(results: &Path, ranked: impl Iterator<Item = (&'a Miner, &'a str)>) -> io::Result<()> {
    let standing: HashSet<PathBuf> = ranked.map(|one| path(results, one, true)).collect();
    for (_, mut files) in of_each_miner(results) {
        let mut size: u64 = files.iter().map(|file| file.size).sum();
        files.retain(|file| !standing.contains(&file.path));
        files.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
        for file in files {
            if size <= MOST_OF_MINER {
                break;
            }
            fs::remove_file(&file.path).map_err(|error| atomic_file::blame(&file.path, &error))?;
            size -= file.size;
        }
    }
    Ok(())
}

/// A file of the claims of one submission.
struct OfSubmission {
    path: PathBuf,
    size: u64,
    modified: SystemTime,
}

/// Those that are there, by miner, where each submission keeps its report.
fn of_each_miner(results: &Path) -> HashMap<String, Vec<OfSubmission>> {
    let mut all: HashMap<String, Vec<OfSubmission>> = HashMap::new();
    for entry in fs::read_dir(folder(results)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        // Behind the digest stands the miner.
        let miner = name.to_str().and_then(|name| name.strip_suffix(".jsonl")?.get(65..));
        let (Some(miner), Ok(metadata)) = (miner, entry.metadata()) else { continue };
        let Ok(modified) = metadata.modified() else { continue };
        let file = OfSubmission { path: entry.path(), size: metadata.len(), modified };
        all.entry(miner.to_owned()).or_default().push(file);
    }
    all
}

/// Lines of the report's runs that are there already, by their keys.
fn known(path: &Path, report: &Report) -> HashMap<String, String> {
    let text = regular::read_to_string(path).unwrap_or_default();
    let keys: HashSet<&str> = report.runs.iter().map(|run| run.key.as_str()).collect();
    let head = |line: &str| Some((serde_json::from_str::<Head>(line).ok()?.key, line.to_owned()));
    text.lines().filter_map(head).filter(|(key, _)| keys.contains(key.as_str())).collect()
}

/// Claims of the runs of a submission, by their keys; what can't be read is not there.
pub fn load(results: &Path, miner: &Miner, sha256: &str) -> HashMap<String, Claims> {
    let texts = [true, false].map(|each| regular::read_to_string(path(results, (miner, sha256), each)));
    let lines = texts.iter().flatten().flat_map(|text| text.lines());
    let claims = lines.filter_map(|line| serde_json::from_str::<Claims>(line).ok());
    claims.map(|claims| (claims.key.clone(), claims)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use jiff::Timestamp;

    use super::*;
    use crate::model::claims::{Exchange, Reply};
    use crate::model::report::{Outcome, Run};

    fn report(keys: &[&str]) -> Report {
        let run = |key: &&str| Run {
            key: (*key).to_owned(),
            stage: "s".into(),
            task: format!("t{key}"),
            sample: 1,
            outcome: Outcome::Unscored { unscored: "x".into() },
        };
        Report {
            miner: "ann".parse().unwrap(),
            file: "ann.py".into(),
            sha256: "0".repeat(64),
            bytes: 1,
            first_seen: Timestamp::UNIX_EPOCH,
            modified: Timestamp::UNIX_EPOCH,
            syntax: None,
            runs: keys.iter().map(run).collect(),
            spreads: Vec::new(),
            stopped_early: None,
        }
    }

    fn claims(key: &str, answer: &str) -> Claims {
        let reply = Reply::Claim(answer.into());
        Claims { key: key.into(), exchanges: vec![Exchange { asked: "0".into(), reply }] }
    }

    fn kept(results: &Path) -> Vec<(String, usize)> {
        let report = report(&[]);
        let size = |claims: Claims| claims.exchanges.iter().map(|exchange| exchange.reply.size()).sum();
        let claims = load(results, &report.miner, &report.sha256);
        let mut kept: Vec<_> = claims.into_iter().map(|(key, claims)| (key, size(claims))).collect();
        kept.sort();
        kept
    }

    #[test]
    fn known_runs_keep_their_claims_and_those_that_are_gone_take_theirs_along() {
        let results = tempfile::tempdir().unwrap();
        for each in [false, true] {
            keep(results.path(), &report(&["a", "b"]), &[claims("a", "1"), claims("b", "2")], each).unwrap();
            keep(results.path(), &report(&["b", "c"]), &[claims("c", "33")], each).unwrap();
            assert_eq!(kept(results.path()), [("b".to_owned(), 1), ("c".to_owned(), 2)]);
            fs::remove_dir_all(folder(results.path())).unwrap();
        }
    }

    #[test]
    fn nobody_else_reads_them_and_no_agent_fills_the_disk() {
        let results = tempfile::tempdir().unwrap();
        let long = "x".repeat(MOST / 2);
        let all = [claims("a", &long), claims("b", &long), claims("c", "3")];
        keep(results.path(), &report(&["a", "b", "c"]), &all, false).unwrap();
        assert_eq!(kept(results.path()), [("a".to_owned(), MOST / 2), ("c".to_owned(), 1)]);
        let mode = fs::metadata(folder(results.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_miner_that_submits_again_and_again_fills_no_disk_and_what_is_ranked_stays() {
        let results = tempfile::tempdir().unwrap();
        prepare(results.path()).unwrap();
        let (ann, long) = ("ann".parse::<Miner>().unwrap(), MOST as u64 - 1);
        let file = |number: u64| path(results.path(), (&ann, &format!("{number:064}")), true);
        for number in 0..20 {
            let one = fs::File::create(file(number)).unwrap();
            one.set_len(long).unwrap();
            one.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(number)).unwrap();
        }
        let other = path(results.path(), (&"ben".parse().unwrap(), &"0".repeat(64)), true);
        fs::write(&other, "x").unwrap();
        let oldest = format!("{:064}", 0);
        trim(results.path(), [(&ann, oldest.as_str())].into_iter()).unwrap();
        let left: Vec<u64> = (0..20).filter(|number| file(*number).exists()).collect();
        assert_eq!(left, [0, 17, 18, 19], "the ranked one, and as many of the newest as there is room for");
        assert!(other.exists());
    }

    #[test]
    fn what_was_cut_off_is_not_there_and_is_made_good() {
        let results = tempfile::tempdir().unwrap();
        keep(results.path(), &report(&["a", "b"]), &[claims("a", "1"), claims("b", "2")], false).unwrap();
        let path = folder(results.path()).join("ann.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..text.len() - 5]).unwrap();
        assert_eq!(kept(results.path()), [("a".to_owned(), 1)]);
        keep(results.path(), &report(&["a", "b"]), &[claims("b", "2")], false).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
