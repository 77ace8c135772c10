//! `history.csv`: a line whenever a miner's score or submission changed.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use csv::{Reader, StringRecord};
use jiff::Timestamp;

use super::{atomic, csv as format};
use crate::pipeline::intake::Miner;
use crate::pipeline::score::Row;

const HEADER: &str = "at,miner,score,rank,sha256";

/// When, in seconds since 1970, and the score from then on.
pub(super) type Point = (i64, Option<f64>);

/// Everybody's scores over time.
#[derive(Debug, Default)]
pub(super) struct Histories(HashMap<String, Vec<Point>>);

impl Histories {
    /// A miner's, oldest first.
    pub(super) fn of(&self, miner: &Miner) -> &[Point] {
        self.0.get(miner.as_str()).map_or(&[], Vec::as_slice)
    }

    fn push(&mut self, miner: &str, point: Point) {
        match self.0.get_mut(miner) {
            Some(points) => points.push(point),
            None => drop(self.0.insert(miner.to_owned(), vec![point])),
        }
    }
}

/// Appends what changed and tells the whole. The file is written whole and replaced, like every other.
pub(super) fn update(results_dir: &Path, rows: &[Row], at: Timestamp) -> io::Result<Histories> {
    let path = results_dir.join("history.csv");
    let mut old = match read(&path) {
        Some(old) => old,
        None => {
            set_aside(&path)?;
            History::default()
        }
    };
    let changed = rows.iter().filter(|row| old.differs(row)).map(|row| line(row, at));
    let table = format::table(HEADER, changed)?;
    let kept = old.text.as_bytes();
    let bytes = if kept.is_empty() { table } else { [kept, &table[HEADER.len() + 1..]].concat() };
    atomic::replace(&path, &bytes)?;
    let changed: Vec<&Row> = rows.iter().filter(|row| old.differs(row)).collect();
    changed.iter().for_each(|row| old.all.push(row.miner.as_str(), (at.as_second(), row.score)));
    Ok(old.all)
}

fn line(row: &Row, at: Timestamp) -> Vec<String> {
    let sha256 = row.sha256.clone();
    let (score, rank) = (format::or_empty(row.score), format::or_empty(row.rank));
    vec![at.to_string(), row.miner.to_string(), score, rank, sha256]
}

#[derive(Default)]
struct History {
    /// The file as it is; ends with a newline unless it is empty.
    text: String,
    /// Score and sha256 of each miner's last line.
    last: HashMap<String, (String, String)>,
    all: Histories,
}

impl History {
    fn differs(&self, row: &Row) -> bool {
        let last = self.last.get(row.miner.as_str());
        last.is_none_or(|(score, sha256)| *score != format::or_empty(row.score) || *sha256 != row.sha256)
    }
}

/// None if there is something but it is no history.
fn read(path: &Path) -> Option<History> {
    match fs::read(path) {
        Ok(bytes) => parse(String::from_utf8(bytes).ok()?),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Some(History::default()),
        Err(_) => None,
    }
}

fn parse(mut text: String) -> Option<History> {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let (mut last, mut all) = (HashMap::new(), Histories::default());
    let mut reader = Reader::from_reader(text.as_bytes());
    if !text.is_empty() && *reader.headers().ok()? != HEADER.split(',').collect::<StringRecord>() {
        return None;
    }
    for record in reader.records() {
        let record = record.ok()?;
        all.push(&record[1], point(&record)?);
        last.insert(record[1].to_owned(), (record[2].to_owned(), record[4].to_owned()));
    }
    Some(History { text, last, all })
}

/// None if the line is none of ours.
fn point(record: &StringRecord) -> Option<Point> {
    let at = record[0].parse::<Timestamp>().ok()?;
    let score = (!record[2].is_empty()).then(|| record[2].parse::<f64>()).transpose().ok()?;
    let rank = record[3].is_empty() || record[3].parse::<u32>().is_ok();
    rank.then_some((at.as_second(), score))
}

/// Keeps what can't be read as `history.csv.bad`, or under the next free name.
fn set_aside(path: &Path) -> io::Result<()> {
    let bad = (1..)
        .map(|n| {
            PathBuf::from(format!(
                "{}.bad{}",
                path.display(),
                if n == 1 { String::new() } else { format!("-{n}") }
            ))
        })
        .find(|bad| fs::symlink_metadata(bad).is_err());
    bad.map_or(Ok(()), |bad| fs::rename(path, bad)).map_err(|err| atomic::blame(path, &err))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Rewards, Split};
    use crate::pipeline::publish::samples::{noon, report, run, stage, task};
    use crate::pipeline::score::rank;

    fn rows(scores: &[(&str, f64)]) -> Vec<Row> {
        let reports: Vec<_> =
            scores.iter().map(|(miner, score)| report(miner, vec![run("s", "t", *score)])).collect();
        let rewards = Rewards { pool: 1.0, token: "T".into(), split: Split::Winner };
        rank(&reports.iter().collect::<Vec<_>>(), &[stage("s", "*", 0.0)], &[task("t", 1.0)], &rewards)
    }

    #[test]
    fn a_line_is_added_only_for_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("history.csv");
        let lines = || fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
        update(dir.path(), &rows(&[("alice", 50.0), ("bob", 25.0)]), noon()).unwrap();
        let first = lines();
        assert_eq!(first.len(), 3);
        assert_eq!(first[0], HEADER);
        assert!(first[1].starts_with("2026-11-22T12:00:00Z,alice,50,1,000"), "{}", first[1]);

        let later = noon() + jiff::SignedDuration::from_secs(60);
        update(dir.path(), &rows(&[("alice", 50.0), ("bob", 25.0)]), later).unwrap();
        assert_eq!(lines(), first);
        update(dir.path(), &rows(&[("alice", 50.0), ("bob", 75.0)]), later).unwrap();
        assert_eq!(lines()[..3], first);
        assert!(lines()[3].starts_with("2026-11-22T12:01:00Z,bob,75,1,000"));
        // Back to an older score: a change too.
        update(dir.path(), &rows(&[("bob", 25.0)]), later).unwrap();
        assert_eq!(lines().len(), 5);
    }

    #[test]
    fn what_cannot_be_read_is_kept_aside() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("history.csv");
        let broken: [&[u8]; 4] = [
            b"\xff\xfe",
            b"a,b\n1,2\n",
            b"at,miner,score,rank,sha256\nyesterday,a,1,1,f\n",
            b"at,miner,score,rank,sha256\n1,2\n",
        ];
        for bytes in broken {
            fs::write(&file, bytes).unwrap();
            update(dir.path(), &rows(&[("alice", 50.0)]), noon()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
        }
        assert_eq!(fs::read(dir.path().join("history.csv.bad")).unwrap(), broken[0]);
        assert_eq!(fs::read(dir.path().join("history.csv.bad-4")).unwrap(), broken[3]);
    }
}
