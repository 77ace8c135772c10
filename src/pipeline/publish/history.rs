//! `history.csv`: a line whenever a miner's score or submission changed, with the causes.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use csv::{Reader, StringRecord};
use jiff::Timestamp;

use crate::config::Pipeline;
use crate::model::first_sights::FirstSights;
use crate::model::miner_id::Miner;
use crate::pipeline::basis::Part;
use crate::pipeline::basis_memory::BasisMemory;
use crate::pipeline::publish::Published;
use crate::pipeline::publish::csv as format;
use crate::pipeline::score::Row;
use crate::pipeline::score::improvement::{self, Attempt};
use crate::util::atomic_file;

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
    /// True if the last line tells that the miner left the ranking.
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
        let miners = match fs::read(&path) {
            Ok(bytes) => parse(&bytes),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Some(HashMap::new()),
            Err(_) => None,
        };
        if miners.is_none() {
            set_aside(&path)?;
        }
        let bases = BasisMemory::read(results_dir);
        Ok(Self { seen: look(&path), path, miners: miners.unwrap_or_default(), bases })
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
        if self.seen != look(&self.path) {
            *self = Self::read(&folder)?;
        }
        let rows = published.rows;
        let changed: Vec<Change> = rows.iter().filter_map(|row| self.change(row, published)).collect();
        let mut left = self.left(published);
        left.sort_by_key(|change| change.miner);
        let at = published.generated_at;
        if !(changed.is_empty() && left.is_empty() && self.seen.is_some()) {
            let changes: Vec<&Change> = changed.iter().chain(&left).collect();
            atomic_file::replace_by(&self.path, |out| self.write(out, &changes, at))?;
            let new: Vec<_> = changes
                .iter()
                .map(|change| {
                    let score = change.row.and_then(|row| row.score);
                    (
                        change.miner.clone(),
                        (at.as_second(), score),
                        change.sha256.to_owned(),
                        change.row.is_none(),
                    )
                })
                .collect();
            self.seen = look(&self.path);
            new.into_iter().for_each(|(miner, point, sha256, left)| {
                push(&mut self.miners, miner, point, &sha256, left);
            });
        }
        match published.whole {
            true => self.bases.note(&folder, published.basis, rows.iter().map(|row| row.miner.clone())),
            false => Ok(()),
        }
    }

    /// The file as it is, and a line for each change.
    fn write(&self, out: &mut dyn Write, changes: &[&Change], at: Timestamp) -> io::Result<()> {
        let old = if self.seen.is_some() { fs::read(&self.path)? } else { Vec::new() };
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

fn push(miners: &mut HashMap<Miner, Past>, miner: Miner, point: Point, sha256: &str, left: bool) {
    let new = || Past { points: Vec::new(), sha256: String::new(), left };
    let past = miners.entry(miner).or_insert_with(new);
    past.points.push(point);
    past.left = left;
    sha256.clone_into(&mut past.sha256);
}

fn line(change: &Change, at: Timestamp) -> Vec<String> {
    let (score, rank) = (change.row.and_then(|row| row.score), change.row.and_then(|row| row.rank));
    let (miner, sha256) = (change.miner.to_string(), change.sha256.to_owned());
    let cause = change.cause.clone();
    vec![at.to_string(), miner, format::or_empty(score), format::or_empty(rank), sha256, cause]
}

/// None if there is something but it is no history.
fn parse(bytes: &[u8]) -> Option<HashMap<Miner, Past>> {
    let mut miners = HashMap::new();
    let mut reader = Reader::from_reader(std::str::from_utf8(bytes).ok()?.as_bytes());
    let header = reader.headers().ok()?.iter().collect::<Vec<_>>().join(",");
    if !bytes.is_empty() && header != HEADER && header != OLD_HEADER {
        return None;
    }
    for record in reader.records() {
        let record = record.ok()?;
        let point = point(&record)?;
        let left = tells_of_leaving(record.get(5));
        push(&mut miners, record[1].parse().ok()?, point, &record[4], left);
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::Split;
    use crate::model::rejection::Rejection;
    use crate::pipeline::basis::Basis;
    use crate::pipeline::plan::Plan;
    use crate::pipeline::publish::samples::{first_sights, miner, noon, report, rewards, run, stage, task};
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

    /// State of the inbox and the rules, to be varied by tests.
    struct Around {
        basis: Basis,
        pending: Vec<Miner>,
        rejections: Vec<Rejection>,
        present: BTreeSet<Miner>,
    }

    impl Around {
        fn new(miners: &[&str]) -> Self {
            let present = miners.iter().map(|name| miner(name)).collect();
            Self { basis: Basis::default(), pending: Vec::new(), rejections: Vec::new(), present }
        }

        fn update(&self, results_dir: &Path, rows: &[Row], at: Timestamp) {
            let published = Published {
                rows,
                agents: &[],
                pending: &self.pending,
                rejections: &self.rejections,
                present: Some(&self.present),
                basis: &self.basis,
                whole: true,
                generated_at: at,
                image: "",
                engine: "",
                pipeline_sha256: "",
                title: None,
                token: None,
                roster: &[],
                plan: &Plan::new(&[], &[]),
                live: false,
            };
            History::read(results_dir).unwrap().add(&published).unwrap();
        }
    }

    fn update(results_dir: &Path, rows: &[Row], at: Timestamp) {
        Around::new(&["alice", "bob"]).update(results_dir, rows, at);
    }

    fn lines(dir: &Path) -> Vec<String> {
        fs::read_to_string(dir.join(FILE)).unwrap().lines().map(str::to_owned).collect()
    }

    /// Miner, score and cause of all lines from this one on.
    fn told(dir: &Path, first: usize) -> Vec<String> {
        let cells = |line: &String| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let told = lines(dir)
            .into_iter()
            .map(|line| cells(&line))
            .map(|line| format!("{} {} {}", line[1], line[2], line[5]));
        told.skip(first).collect()
    }

    #[test]
    fn every_change_has_its_causes() {
        let dir = tempfile::tempdir().unwrap();
        let later = |hours: i64| noon() + jiff::SignedDuration::from_hours(hours);
        let mut around = Around::new(&["alice", "bob"]);
        around.update(dir.path(), &rows(&[("alice", 50.0), ("bob", 25.0)]), noon());
        assert_eq!(told(dir.path(), 1), ["alice 50 submission", "bob 25 submission"]);

        // A change of tasks that reaches one after the other, and limits with it.
        around.basis.image = "other".into();
        around.pending = vec![miner("bob")];
        around.update(dir.path(), &rows(&[("alice", 75.0)]), later(1));
        around.pending.clear();
        around.update(dir.path(), &rows(&[("alice", 75.0), ("bob", 50.0)]), later(2));
        assert_eq!(told(dir.path(), 3), ["alice 75 image", "bob 50 image"]);

        // Nothing changed but the score; other bytes.
        around.update(dir.path(), &rows(&[("alice", 50.0), ("bob", 50.0)]), later(3));
        let mut other = rows(&[("alice", 50.0), ("bob", 50.0)]);
        other[1].sha256 = "f".repeat(64);
        around.update(dir.path(), &other, later(4));
        assert_eq!(told(dir.path(), 5), ["alice 50 again", "bob 50 submission"]);

        // Who waits has not left; who has left is told once, and comes back.
        around.pending = vec![miner("bob")];
        around.update(dir.path(), &rows(&[("alice", 50.0)]), later(5));
        around.pending.clear();
        let refusal = Rejection {
            file: "bob.py".into(),
            miner: Some(miner("bob")),
            line: None,
            reason: "no".into(),
            sha256: None,
        };
        around.rejections = vec![refusal];
        around.present.remove(&miner("alice"));
        around.update(dir.path(), &[], later(6));
        around.update(dir.path(), &[], later(7));
        around.present.insert(miner("alice"));
        around.update(dir.path(), &rows(&[("alice", 50.0)]), later(8));
        assert_eq!(told(dir.path(), 7), ["alice  withdrawal", "bob  refusal", "alice 50 submission"]);
    }

    #[test]
    fn lines_of_an_older_agentmill_stay_and_have_no_cause() {
        let dir = tempfile::tempdir().unwrap();
        let old = format!("{OLD_HEADER}\n2026-11-22T11:00:00Z,alice,25,1,{:0>64}\n", "");
        fs::write(dir.path().join(FILE), old).unwrap();
        update(dir.path(), &rows(&[("alice", 50.0)]), noon());
        let lines = lines(dir.path());
        assert_eq!((lines[0].as_str(), lines.len()), (HEADER, 3));
        assert!(
            lines[1].starts_with("2026-11-22T11:00:00Z,alice,25,1,000") && lines[1].ends_with("0,"),
            "{lines:?}"
        );
        assert!(lines[2].starts_with("2026-11-22T12:00:00Z,alice,50,1,"), "{lines:?}");
    }

    #[test]
    fn a_line_is_added_only_for_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let lines = || lines(dir.path());
        update(dir.path(), &rows(&[("alice", 50.0), ("bob", 25.0)]), noon());
        let first = lines();
        assert_eq!(first.len(), 3);
        assert_eq!(first[0], HEADER);
        assert!(first[1].starts_with("2026-11-22T12:00:00Z,alice,50,1,000"), "{}", first[1]);

        let later = noon() + jiff::SignedDuration::from_secs(60);
        update(dir.path(), &rows(&[("alice", 50.0), ("bob", 25.0)]), later);
        assert_eq!(lines(), first);
        update(dir.path(), &rows(&[("alice", 50.0), ("bob", 75.0)]), later);
        assert_eq!(lines()[..3], first);
        assert!(lines()[3].starts_with("2026-11-22T12:01:00Z,bob,75,1,000"));
        // Back to an older score: a change too.
        update(dir.path(), &rows(&[("bob", 25.0)]), later);
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
            update(dir.path(), &rows(&[("alice", 50.0)]), noon());
            assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
        }
        assert_eq!(fs::read(dir.path().join("history.csv.bad")).unwrap(), broken[0]);
        assert_eq!(fs::read(dir.path().join("history.csv.bad-4")).unwrap(), broken[3]);
    }
}
