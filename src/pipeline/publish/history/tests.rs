//! Lines of the history and their causes, and the past that is paid for.

use std::collections::BTreeSet;

use super::*;
use crate::config::{Board, Split};
use crate::model::rejection::Rejection;
use crate::pipeline::basis::Basis;
use crate::pipeline::plan::Plan;
use crate::pipeline::publish::samples::{first_sights, miner, noon, report, rewards, run, stage, task};
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::score::rank;

fn rows(scores: &[(&str, f64)]) -> Vec<Row> {
    let (stages, tasks) = ([stage("s", "*", 0.0)], [task("t", 1.0)]);
    let plan = Plan::new(&stages, &tasks);
    let agent =
        |(miner, score): &(&str, f64)| ReportSummary::of(&report(miner, vec![run("s", "t", *score)]), &plan);
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
        self.publish(rows, at, |published| History::read(results_dir).unwrap().add(published).unwrap());
    }

    fn publish(&self, rows: &[Row], at: Timestamp, add: impl FnOnce(&Published)) {
        add(&Published {
            rows,
            agents: &[],
            pending: &self.pending,
            evaluated: &[],
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
            submitted: &BTreeSet::new(),
            board: Board::Private,
            plan: &Plan::new(&[], &[]),
            live: false,
        });
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
        claims: None,
        perhaps: None,
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
    let broken: [&[u8]; 6] = [
        b"\xff\xfe",
        b"a,b\n1,2\n",
        b"at,miner,score,rank,sha256\nyesterday,a,1,1,f\n",
        b"at,miner,score,rank,sha256\n1,2\n",
        b"at,miner,score,rank,sha256\n2026-11-22T11:00:00Z,a,inf,1,f\n",
        b"at,miner,score,rank,sha256\n2026-11-22T11:00:00Z,a,-1,1,f\n",
    ];
    for bytes in broken {
        fs::write(&file, bytes).unwrap();
        update(dir.path(), &rows(&[("alice", 50.0)]), noon());
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
    }
    assert_eq!(fs::read(dir.path().join("history.csv.bad")).unwrap(), broken[0]);
    assert_eq!(fs::read(dir.path().join("history.csv.bad-6")).unwrap(), broken[5]);
}

/// Miner and hundredths of all attempts, sorted.
fn attempts(history: &mut History) -> Vec<(String, u128)> {
    let past = history.past(&FirstSights::default(), noon()).unwrap();
    let told = past.attempts.iter().map(|attempt| (attempt.miner.to_string(), attempt.cents));
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

#[test]
fn the_past_is_what_the_file_tells_whoever_wrote_it_last() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(FILE);
    let mut history = History::read(dir.path()).unwrap();
    let around = Around::new(&["ann", "ben"]);
    let add = |history: &mut History, scores: &[(&str, f64)]| {
        around.publish(&rows(scores), noon(), |published| history.add(published).unwrap());
    };
    let all = |told: &[(&str, u128)]| {
        told.iter().map(|(miner, cents)| ((*miner).to_owned(), *cents)).collect::<Vec<_>>()
    };
    add(&mut history, &[("ann", 50.0), ("ben", 25.0)]);
    add(&mut history, &[("ann", 75.0), ("ben", 25.0)]);
    assert_eq!(
        attempts(&mut history),
        all(&[("ann", 7500), ("ben", 2500)]),
        "the last score of the same bytes"
    );
    assert_eq!(
        attempts(&mut History::read(dir.path()).unwrap()),
        attempts(&mut history),
        "in memory as on disk"
    );
    // In its place, of the same length.
    let edited = fs::read_to_string(&file).unwrap().replace("ann,75,", "ann,99,");
    fs::write(&file, edited).unwrap();
    assert_eq!(attempts(&mut history), all(&[("ann", 9900), ("ben", 2500)]));
    let first: String =
        fs::read_to_string(&file).unwrap().lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(&file, first).unwrap();
    assert_eq!(attempts(&mut history), all(&[("ann", 5000)]), "cut behind a line");
    fs::remove_file(&file).unwrap();
    assert_eq!(attempts(&mut history), all(&[]));
    // Cut within one: told, and nothing is lost.
    add(&mut history, &[("ann", 50.0)]);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 80]).unwrap();
    assert_eq!(attempts(&mut history), all(&[]));
    let remark = history.take_remark().unwrap();
    assert!(remark.contains("history.csv: line 2 ") && remark.contains("history.csv.bad,"), "{remark}");
    assert_eq!(
        (history.take_remark(), fs::read(dir.path().join("history.csv.bad")).unwrap().len()),
        (None, whole.len() - 80)
    );
}

/// Time that a publication and a start take with a long history: `cargo test --release --lib a_long -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn a_long_history_is_read_once() {
    let dir = tempfile::tempdir().unwrap();
    let line = |n: u32| format!("2026-11-22T11:00:00Z,m{},{}.5,1,{:0>64x},task\n", n % 500, n % 100, n / 2);
    let text: String = (0..100_000).map(line).collect();
    fs::write(dir.path().join(FILE), format!("{HEADER}\n{text}")).unwrap();
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let began = std::time::Instant::now();
        work();
        println!("{what}: {:.2?}", began.elapsed());
    };
    let mut history = None;
    timed("read", &mut || history = Some(History::read(dir.path()).unwrap()));
    let mut history = history.unwrap();
    timed("past", &mut || drop(attempts(&mut history)));
    let around = Around::new(&["ann"]);
    for score in [1.0, 2.0] {
        let ranked = rows(&[("ann", score)]);
        timed("add", &mut || {
            around.publish(&ranked, noon(), |published| history.add(published).unwrap());
        });
    }
}
