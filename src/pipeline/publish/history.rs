//! `history.csv`: a line whenever a miner's score or submission changed, with the causes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use csv::{Reader, StringRecord};
use jiff::Timestamp;

use crate::model::first_sights::FirstSights;
use crate::model::miner_id::Miner;
use crate::pipeline::basis::Part;
use crate::pipeline::basis_memory::BasisMemory;
use crate::pipeline::publish::Published;
use crate::pipeline::publish::csv as format;
use crate::pipeline::score::Row;
use crate::pipeline::score::improvement::{self, Attempt};
use crate::util::{atomic_file, regular};

/// Name of the file.
pub const FILE: &str = "history.csv";

const HEADER: &str = "at,miner,score,rank,sha256,cause";

/// The header of an older agentmill, whose lines tell no cause.
const OLD_HEADER: &str = "at,miner,score,rank,sha256";

/// The cause of a change that follows from what lies in the inbox.
const SUBMISSION: &str = "submission";

/// The causes of lines that tell that a miner left: nothing lies in the inbox any more, or it is no agent.
const WITHDRAWAL: &str = "withdrawal";
const REFUSAL: &str = "refusal";

/// Tells whether a line with this cause tells that its miner left, and nothing of its submission.
pub fn tells_of_leaving(cause: Option<&str>) -> bool {
    matches!(cause, Some(WITHDRAWAL | REFUSAL))
}

/// When, in seconds since 1970, and the score from then on.
pub(super) type Point = (i64, Option<f64>);

/// Everybody's scores over time, as the file tells them.
#[derive(Debug)]
pub(super) struct History {
    path: PathBuf,
    /// How the file looked when it was read or written last.
    seen: Option<Seen>,
    miners: HashMap<Miner, Past>,
    /// Bases of the last lines.
    bases: BasisMemory,
    /// The remark on a file that could not be read.
    remark: Option<String>,
    /// Miners who were found to have taken their submission out of the inbox, and have not come back.
    withdrawn: BTreeSet<Miner>,
}

/// Size, inode and time: what tells that nobody else has touched a file.
type Seen = (u64, u64, i64, i64);

/// One miner's.
#[derive(Debug, Default)]
struct Past {
    /// Oldest first.
    points: Vec<Point>,
    /// The last score of each submission that had one, in hundredths, and when; by digest.
    scores: HashMap<String, (Timestamp, u128)>,
    /// Of the last line.
    sha256: String,
    /// True if the last line tells that the miner left the ranking.
    left: bool,
}

/// One line's news of its miner.
struct Told {
    at: Timestamp,
    score: Option<f64>,
    sha256: String,
    /// True if the miner left the ranking.
    left: bool,
}

/// One line to come.
struct Change<'a> {
    miner: &'a Miner,
    /// None if it left the ranking.
    row: Option<&'a Row>,
    sha256: &'a str,
    cause: String,
}

impl History {
    /// Reads the file. What can't be read is kept aside, and a new history begins.
    ///
    /// # Errors
    /// It can't be put aside.
    pub(super) fn read(results_dir: &Path) -> io::Result<Self> {
        let path = results_dir.join(FILE);
        let (seen, read) = (look(&path), load(&path));
        let bases = BasisMemory::read(results_dir);
        let (miners, remark) = match read {
            Ok(miners) => (miners, None),
            Err(reason) => (HashMap::new(), Some(set_aside(&path, &reason)?)),
        };
        Ok(Self {
            seen: seen.filter(|_| remark.is_none()),
            path,
            miners,
            bases,
            remark,
            withdrawn: BTreeSet::new(),
        })
    }

    /// Reads the file anew if it is another one than the one that is known.
    fn refresh(&mut self) -> io::Result<()> {
        if self.seen != look(&self.path) {
            let (remark, withdrawn) = (self.remark.take(), std::mem::take(&mut self.withdrawn));
            *self = Self::read(self.path.parent().unwrap_or(Path::new(".")))?;
            (self.remark, self.withdrawn) = (self.remark.take().or(remark), withdrawn);
        }
        Ok(())
    }

    /// The remark on a file that could not be read, once.
    pub(super) fn take_remark(&mut self) -> Option<String> {
        self.remark.take()
    }

    /// Miners who were found to have taken their submission out of the inbox since the history was opened, and have not come back.
    pub(super) fn withdrawn(&self) -> &BTreeSet<Miner> {
        &self.withdrawn
    }

    /// All that was submitted before.
    ///
    /// # Errors
    /// As of [`read`](Self::read).
    pub(super) fn past(&mut self, sights: &FirstSights, now: Timestamp) -> io::Result<improvement::Past> {
        self.refresh()?;
        Ok(past_of(&self.miners, sights, now))
    }

    /// A miner's scores, oldest first.
    pub(super) fn of(&self, miner: &Miner) -> &[Point] {
        self.miners.get(miner).map_or(&[], |past| &past.points)
    }

    /// Adds what changed. The file is written whole and replaced, like every other; what scores rest on is noted behind it: a
    /// crash in between leaves no change without its cause.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn add(&mut self, published: &Published) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        self.refresh()?;
        let rows = published.rows;
        let changed: Vec<Change> = rows.iter().filter_map(|row| self.change(row, published)).collect();
        let mut left = self.left(published);
        left.sort_by_key(|change| change.miner);
        let withdrawn = left.iter().filter(|change| change.cause == WITHDRAWAL);
        let withdrawn: Vec<Miner> = withdrawn.map(|change| change.miner.clone()).collect();
        let at = published.generated_at;
        if !(changed.is_empty() && left.is_empty() && self.seen.is_some()) {
            let changes: Vec<&Change> = changed.iter().chain(&left).collect();
            atomic_file::replace_by(&self.path, |out| self.write(out, &changes, at))?;
            let new: Vec<(Miner, Told)> =
                changes.iter().map(|change| (change.miner.clone(), change.told(at))).collect();
            self.seen = look(&self.path);
            new.into_iter().for_each(|(miner, told)| push(&mut self.miners, miner, told));
            self.withdrawn.extend(withdrawn);
        }
        for row in rows {
            self.withdrawn.remove(&row.miner);
        }
        match published.whole {
            true => self.bases.note(&folder, published.basis, rows.iter().map(|row| row.miner.clone())),
            false => Ok(()),
        }
    }

    /// The file as it is, and a line for each change.
    fn write(&self, out: &mut dyn Write, changes: &[&Change], at: Timestamp) -> io::Result<()> {
        let old = if self.seen.is_some() { regular::read(&self.path)? } else { Vec::new() };
        let lines = changes.iter().map(|change| line(change, at));
        if old.starts_with(HEADER.as_bytes()) {
            out.write_all(&old)?;
            if !old.ends_with(b"\n") {
                out.write_all(b"\n")?;
            }
            return format::lines(out, lines);
        }
        // Of an older agentmill, or none.
        let mut reader = Reader::from_reader(old.as_slice());
        let cells = |record: StringRecord| record.iter().chain([""]).map(str::to_owned).collect();
        let older = reader.records().map_while(Result::ok).map(cells);
        format::table(out, HEADER, older.chain(lines))
    }

    /// None if nothing changed.
    fn change<'a>(&self, row: &'a Row, published: &Published) -> Option<Change<'a>> {
        let cause = match self.miners.get(&row.miner) {
            None => SUBMISSION.to_owned(),
            Some(past) => {
                let last = past.points.last()?;
                let is_other = past.left || past.sha256 != row.sha256;
                if !is_other && last.1 == row.score {
                    return None;
                }
                self.cause(row, (past, last), published)
            }
        };
        Some(Change { miner: &row.miner, row: Some(row), sha256: &row.sha256, cause })
    }

    /// All causes of a change, in words.
    fn cause(&self, row: &Row, (past, last): (&Past, &Point), published: &Published) -> String {
        let before = self.bases.of(&row.miner);
        let changed = before.map(|before| published.basis.changed_since(before)).unwrap_or_default();
        // What nobody is paid by decides no score.
        let parts = changed.iter().map(|changed| changed.part).filter(|part| *part != Part::Rewards);
        let mut causes: Vec<&str> = parts.map(Part::name).collect();
        // By another rule, or other tasks, an earlier submission may be the best.
        let is_earlier = !causes.is_empty() && row.first_seen.as_second() < last.0;
        if past.left || past.sha256 != row.sha256 && !is_earlier {
            causes.insert(0, SUBMISSION);
        }
        match () {
            () if !causes.is_empty() => causes.join(" "),
            () if last.1.is_none() || row.score.is_none() => "unscored".to_owned(),
            () if before.is_some() => "again".to_owned(),
            () => "unknown".to_owned(),
        }
    }

    /// Those who are in the ranking no more, and why. While a file does not stand still, nobody has left.
    fn left<'a>(&'a self, published: &Published<'a>) -> Vec<Change<'a>> {
        let Some(present) = published.present else { return Vec::new() };
        let there: HashSet<&Miner> =
            published.rows.iter().map(|row| &row.miner).chain(published.pending).collect();
        let refused: HashSet<&Miner> =
            published.rejections.iter().filter_map(|one| one.miner.as_ref()).collect();
        let gone = self.miners.iter().filter(|(miner, past)| !past.left && !there.contains(miner));
        let change = |(miner, past): (&'a Miner, &'a Past)| {
            let cause = match (present.contains(miner), refused.contains(miner)) {
                (false, _) => WITHDRAWAL,
                (true, true) => REFUSAL,
                (true, false) => return None,
            };
            Some(Change { miner, row: None, sha256: &past.sha256, cause: cause.to_owned() })
        };
        gone.filter_map(change).collect()
    }
}

impl Change<'_> {
    fn told(&self, at: Timestamp) -> Told {
        let score = self.row.and_then(|row| row.score);
        Told { at, score, sha256: self.sha256.to_owned(), left: self.row.is_none() }
    }
}

/// The last score of each miner that is ranked by the file of a results folder, and the digest of its submission; nobody's if it
/// can't be read.
pub fn last_scores(results_dir: &Path) -> HashMap<Miner, (Option<f64>, String)> {
    let miners = load(&results_dir.join(FILE)).unwrap_or_default().into_iter();
    let ranked = miners.filter(|(_, past)| !past.left);
    ranked.filter_map(|(miner, past)| Some((miner, (past.points.last()?.1, past.sha256)))).collect()
}

/// All that was submitted before by the file of a results folder; nothing if it can't be read.
pub fn past(results_dir: &Path, sights: &FirstSights, now: Timestamp) -> improvement::Past {
    past_of(&load(&results_dir.join(FILE)).unwrap_or_default(), sights, now)
}

fn past_of(miners: &HashMap<Miner, Past>, sights: &FirstSights, now: Timestamp) -> improvement::Past {
    let of = |(miner, past): (&Miner, &Past)| {
        let attempt = |(sha256, (at, cents)): (&String, &(Timestamp, u128))| Attempt {
            seen: sights.decides(sha256, miner).unwrap_or(*at),
            miner: miner.clone(),
            sha256: sha256.clone(),
            cents: *cents,
        };
        past.scores.iter().map(attempt).collect::<Vec<_>>()
    };
    improvement::Past { attempts: miners.iter().flat_map(of).collect(), now: Some(now) }
}

fn look(path: &Path) -> Option<Seen> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
}

fn push(miners: &mut HashMap<Miner, Past>, miner: Miner, told: Told) {
    let past = miners.entry(miner).or_default();
    let Told { at, score, sha256, left } = told;
    past.points.push((at.as_second(), score));
    if let Some(score) = score {
        past.scores.insert(sha256.clone(), (at, (score * 100.0).round() as u128));
    }
    (past.left, past.sha256) = (left, sha256);
}

fn line(change: &Change, at: Timestamp) -> Vec<String> {
    let (score, rank) = (change.row.and_then(|row| row.score), change.row.and_then(|row| row.rank));
    let (miner, sha256) = (change.miner.to_string(), change.sha256.to_owned());
    let cause = change.cause.clone();
    vec![at.to_string(), miner, format::or_empty(score), format::or_empty(rank), sha256, cause]
}

/// Everybody's past by the file; the reason if it is no history. One that is not there is empty.
fn load(path: &Path) -> Result<HashMap<Miner, Past>, String> {
    match regular::read(path) {
        Ok(bytes) => parse(&bytes),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(HashMap::new()),
        Err(err) => Err(err.to_string()),
    }
}

fn parse(bytes: &[u8]) -> Result<HashMap<Miner, Past>, String> {
    let mut miners = HashMap::new();
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut reader = Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|err| err.to_string())?.iter().collect::<Vec<_>>().join(",");
    if !bytes.is_empty() && header != HEADER && header != OLD_HEADER {
        return Err(format!("line 1: the columns are not {HEADER}"));
    }
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(miners),
            Ok(true) => {
                let (miner, told) =
                    told(&record).ok_or_else(|| format!("line {line} is no line of a history"))?;
                push(&mut miners, miner, told);
            }
            Err(_) => return Err(format!("line {line} has more or fewer cells than the first")),
        }
    }
}

/// None if the line is none of ours.
fn told(record: &StringRecord) -> Option<(Miner, Told)> {
    let at = record[0].parse().ok()?;
    let score = (!record[2].is_empty()).then(|| record[2].parse::<f64>()).transpose().ok()?;
    let fits = score.is_none_or(|score| (0.0..=100.0).contains(&score))
        && (record[3].is_empty() || record[3].parse::<u32>().is_ok());
    let left = tells_of_leaving(record.get(5));
    let miner = record[1].parse().ok()?;
    fits.then(|| (miner, Told { at, score, sha256: record[4].to_owned(), left }))
}

/// Keeps what can't be read as `history.csv.bad`, or under the next free name, and says so.
fn set_aside(path: &Path, reason: &str) -> io::Result<String> {
    let name = |n: u32| match n {
        1 => PathBuf::from(format!("{}.bad", path.display())),
        n => PathBuf::from(format!("{}.bad-{n}", path.display())),
    };
    let is_free = |bad: &PathBuf| fs::symlink_metadata(bad).is_err();
    let bad = (1..).map(name).find(is_free).unwrap_or_else(|| name(0));
    fs::rename(path, &bad).map_err(|err| atomic_file::blame(path, &err))?;
    Ok(format!(
        "{}: {reason}: it is kept as {}, and a new history begins, without what was in it",
        path.display(),
        bad.display()
    ))
}

#[cfg(test)]
mod tests;
