//! `history.csv`: a line whenever a miner's score or submission changed.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use csv::{Reader, StringRecord};
use jiff::Timestamp;

use crate::config::Pipeline;
use crate::model::first_sights::FirstSights;
use crate::model::miner_id::Miner;
use crate::pipeline::publish::csv as format;
use crate::pipeline::score::Row;
use crate::pipeline::score::improvement::{self, Attempt};
use crate::util::atomic_file;

pub(super) const FILE: &str = "history.csv";

const HEADER: &str = "at,miner,score,rank,sha256";

/// When, in seconds since 1970, and the score from then on.
pub(super) type Point = (i64, Option<f64>);

/// Everybody's scores over time, as the file tells them.
#[derive(Debug)]
pub(super) struct History {
    path: PathBuf,
    /// How the file looked when it was read or written last.
    seen: Option<Seen>,
    miners: HashMap<Miner, Past>,
}

/// Size, inode and time: what tells that nobody else has touched a file.
type Seen = (u64, u64, i64, i64);

/// One miner's.
#[derive(Debug)]
struct Past {
    /// Oldest first.
    points: Vec<Point>,
    /// Of the last line.
    sha256: String,
}

impl History {
    /// Reads the file. What can't be read is kept aside, and a new history begins.
    ///
    /// # Errors
    /// It can't be put aside.
    pub(super) fn read(results_dir: &Path) -> io::Result<Self> {
        let path = results_dir.join(FILE);
        let miners = match fs::read(&path) {
            Ok(bytes) => parse(&bytes),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Some(HashMap::new()),
            Err(_) => None,
        };
        if miners.is_none() {
            set_aside(&path)?;
        }
        Ok(Self { seen: look(&path), path, miners: miners.unwrap_or_default() })
    }

    /// A miner's scores, oldest first.
    pub(super) fn of(&self, miner: &Miner) -> &[Point] {
        self.miners.get(miner).map_or(&[], |past| &past.points)
    }

    /// Adds what changed. The file is written whole and replaced, like every other.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn add(&mut self, rows: &[Row], at: Timestamp) -> io::Result<()> {
        if self.seen != look(&self.path) {
            *self = Self::read(self.path.parent().unwrap_or(Path::new(".")))?;
        }
        let changed: Vec<&Row> = rows.iter().filter(|row| self.differs(row)).collect();
        if changed.is_empty() && self.seen.is_some() {
            return Ok(());
        }
        atomic_file::replace_by(&self.path, |out| self.write(out, &changed, at))?;
        self.seen = look(&self.path);
        for row in changed {
            push(&mut self.miners, row.miner.clone(), (at.as_second(), row.score), &row.sha256);
        }
        Ok(())
    }

    /// The file as it is, and a line for each change.
    fn write(&self, out: &mut dyn Write, changed: &[&Row], at: Timestamp) -> io::Result<()> {
        let old = if self.seen.is_some() { fs::read(&self.path)? } else { Vec::new() };
        out.write_all(&old)?;
        if !old.is_empty() && !old.ends_with(b"\n") {
            out.write_all(b"\n")?;
        }
        let lines = changed.iter().map(|row| line(row, at));
        if old.is_empty() { format::table(out, HEADER, lines) } else { format::lines(out, lines) }
    }

    fn differs(&self, row: &Row) -> bool {
        let past = self.miners.get(&row.miner);
        past.is_none_or(|past| {
            past.points.last().is_none_or(|last| last.1 != row.score) || past.sha256 != row.sha256
        })
    }
}

/// All that was submitted before, where it is paid for.
pub fn past(pipeline: &Pipeline, sights: &FirstSights, now: Timestamp) -> improvement::Past {
    let pays = pipeline.rewards.as_ref().is_some_and(|rewards| rewards.improvement.is_some());
    match pays {
        true => improvement::Past { attempts: attempts(&pipeline.results, sights), now: Some(now) },
        false => improvement::Past::default(),
    }
}

/// All scores that the file of a results folder tells of, oldest first. Lines that are none of ours tell of none.
fn attempts(results_dir: &Path, sights: &FirstSights) -> Vec<Attempt> {
    let bytes = fs::read(results_dir.join(FILE)).unwrap_or_default();
    Reader::from_reader(bytes.as_slice())
        .records()
        .flatten()
        .filter_map(|line| attempt(&line, sights))
        .collect()
}

fn attempt(line: &StringRecord, sights: &FirstSights) -> Option<Attempt> {
    let (miner, sha256): (Miner, &str) = (line.get(1)?.parse().ok()?, line.get(4)?);
    let score: f64 = line.get(2)?.parse().ok()?;
    let seen = sights.seen(sha256, &miner).or_else(|| line[0].parse().ok())?;
    Some(Attempt { seen, miner, sha256: sha256.to_owned(), cents: (score * 100.0).round() as u128 })
}

fn look(path: &Path) -> Option<Seen> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
}

fn push(miners: &mut HashMap<Miner, Past>, miner: Miner, point: Point, sha256: &str) {
    let past = miners.entry(miner).or_insert_with(|| Past { points: Vec::new(), sha256: String::new() });
    past.points.push(point);
    sha256.clone_into(&mut past.sha256);
}

fn line(row: &Row, at: Timestamp) -> Vec<String> {
    let sha256 = row.sha256.clone();
    let (score, rank) = (format::or_empty(row.score), format::or_empty(row.rank));
    vec![at.to_string(), row.miner.to_string(), score, rank, sha256]
}

/// None if there is something but it is no history.
fn parse(bytes: &[u8]) -> Option<HashMap<Miner, Past>> {
    let mut miners = HashMap::new();
    let mut reader = Reader::from_reader(std::str::from_utf8(bytes).ok()?.as_bytes());
    if !bytes.is_empty() && *reader.headers().ok()? != HEADER.split(',').collect::<StringRecord>() {
        return None;
    }
    for record in reader.records() {
        let record = record.ok()?;
        push(&mut miners, record[1].parse().ok()?, point(&record)?, &record[4]);
    }
    Some(miners)
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
    bad.map_or(Ok(()), |bad| fs::rename(path, bad)).map_err(|err| atomic_file::blame(path, &err))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Split;
    use crate::pipeline::plan::Plan;
    use crate::pipeline::publish::samples::{first_sights, noon, report, rewards, run, stage, task};
    use crate::pipeline::report_summary::ReportSummary;
    use crate::pipeline::score::rank;

    fn rows(scores: &[(&str, f64)]) -> Vec<Row> {
        let (stages, tasks) = ([stage("s", "*", 0.0)], [task("t", 1.0)]);
        let plan = Plan::new(&stages, &tasks);
        let agent = |(miner, score): &(&str, f64)| {
            ReportSummary::of(&report(miner, vec![run("s", "t", *score)]), &plan)
        };
        let agents: Vec<ReportSummary> = scores.iter().map(agent).collect();
        let rewards = rewards(1.0, Split::Winner);
        let agents: Vec<&ReportSummary> = agents.iter().collect();
        rank(
            &agents,
            &plan,
            Some(&rewards),
            &first_sights(&agents),
            &HashMap::new(),
            &crate::pipeline::score::improvement::Past::default(),
        )
    }

    fn update(results_dir: &Path, rows: &[Row], at: Timestamp) -> io::Result<()> {
        History::read(results_dir)?.add(rows, at)
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
