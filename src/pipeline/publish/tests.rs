//! Result files: what stands in them, and when they are written.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::*;
use crate::config::{Rewards, Split, Stage, Student};
use crate::model::first_sights::NearCopy;
use crate::model::report::Report;
use crate::model::report::{Outcome, Verdict};
use crate::pipeline::publish::samples::{
    crowd, first_sights, miner, noon, report, rewards, run, stage, task, unscored,
};
use crate::pipeline::report_store::{load_report, save_report, tidy};
use crate::pipeline::score::rank;
use std::path::PathBuf;

mod course;
mod feedback;
mod lasting;
mod sampled;

const FILES: [&str; 6] =
    ["rankings.json", "rankings.csv", "scores.csv", "rejected.csv", "history.csv", "index.html"];

/// A pass's end, to be varied by tests.
struct Pass {
    reports: Vec<Report>,
    pending: Vec<Miner>,
    rejections: Vec<Rejection>,
    stages: Vec<Stage>,
    tasks: Vec<crate::task::Task>,
    at: Timestamp,
    title: Option<&'static str>,
    rewards: Option<Rewards>,
    roster: Vec<Student>,
    submitted: BTreeSet<Miner>,
    board: Board,
    near: HashMap<Miner, NearCopy>,
    /// Percent that coming late cost one of them.
    penalty: Option<(Miner, f64)>,
    live: bool,
}

impl Pass {
    fn new(reports: Vec<Report>) -> Self {
        let mut ids: Vec<&str> =
            reports.iter().flat_map(|report| &report.runs).map(|run| run.task.as_str()).collect();
        ids.sort();
        ids.dedup();
        Self {
            tasks: ids.into_iter().map(|id| task(id, 1.0)).collect(),
            reports,
            pending: Vec::new(),
            rejections: Vec::new(),
            stages: vec![stage("screening", "screening/*", 0.0), stage("main", "main/*", 50.0)],
            at: noon(),
            title: None,
            rewards: Some(rewards(100.0, Split::Proportional)),
            roster: Vec::new(),
            submitted: BTreeSet::new(),
            board: Board::Private,
            near: HashMap::new(),
            penalty: None,
            live: false,
        }
    }

    fn publish(&self, dir: &Path) -> Vec<Row> {
        self.publish_after(dir, true)
    }

    fn publish_unevaluated(&self, dir: &Path) {
        self.publish_after(dir, false);
    }

    fn publish_after(&self, dir: &Path, evaluated: bool) -> Vec<Row> {
        self.try_to_publish(dir, evaluated).unwrap().0
    }

    /// The ranking, and what is remarked.
    fn try_to_publish(&self, dir: &Path, evaluated: bool) -> io::Result<(Vec<Row>, Vec<String>)> {
        for report in &self.reports {
            save_report(dir, report).unwrap();
        }
        let plan = Plan::new(&self.stages, &self.tasks);
        let penalty =
            |miner: &Miner| self.penalty.as_ref().filter(|late| late.0 == *miner).map(|late| late.1);
        let summary = |report: &Report| ReportSummary {
            penalty: penalty(&report.miner),
            ..ReportSummary::of(report, &plan)
        };
        let agents: Vec<ReportSummary> = self.reports.iter().map(summary).collect();
        let agents: Vec<&ReportSummary> = agents.iter().collect();
        let rows = rank(
            &agents,
            &plan,
            self.rewards.as_ref(),
            &first_sights(&agents),
            &self.near,
            &crate::pipeline::score::improvement::Past::default(),
        );
        let published = Published {
            rows: &rows,
            agents: &agents,
            pending: &self.pending,
            evaluated: &[],
            rejections: &self.rejections,
            present: None,
            basis: &Basis::default(),
            whole: true,
            generated_at: self.at,
            image: "sha256:9f2c6d",
            engine: "docker",
            pipeline_sha256: "0123456789abcdef0123",
            title: self.title,
            token: self.rewards.as_ref().map(|rewards| rewards.token.as_str()),
            roster: &self.roster,
            submitted: &self.submitted,
            board: self.board,
            plan: &plan,
            live: self.live,
        };
        let mut publisher = Publisher::new(dir);
        publisher.publish(&published, evaluated)?;
        let remarks = publisher.take_remarks().collect();
        Ok((rows, remarks))
    }
}

fn small() -> Pass {
    let mut pass = Pass::new(vec![
        report("alice", vec![run("screening", "screening/reverse", 100.0), run("main", "main/primes", 75.0)]),
        report("bob", vec![unscored("screening", "screening/reverse")]),
        report("carol", vec![run("screening", "screening/reverse", 100.0), run("main", "main/primes", 25.0)]),
    ]);
    pass.pending = vec![miner("erin"), miner("dave")];
    pass.rejections = vec![Rejection {
        file: "mallory.py".into(),
        miner: Some(miner("mallory")),
        line: Some(3),
        reason: "imports numpy; only Python's standard library is there".into(),
        sha256: None,
        claims: None,
        perhaps: None,
    }];
    pass
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

/// The page without its data, and the data.
fn halves(page: &str) -> (String, &str) {
    let (before, rest) = page.split_once(r#"id="data">"#).unwrap();
    let (data, after) = rest.split_once("</script>").unwrap();
    (before.to_owned() + after, data)
}

/// The page's data.
fn on_page(dir: &Path) -> serde_json::Value {
    serde_json::from_str(halves(&read(dir, "index.html")).1).unwrap()
}

fn records(dir: &Path, name: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_path(dir.join(name)).unwrap();
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn formats() {
    let dir = tempfile::tempdir().unwrap();
    small().publish(dir.path());
    for name in ["rankings.json", "rankings.csv", "scores.csv", "rejected.csv", "history.csv"] {
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, lasting(&read(dir.path(), name)));
        });
    }
}

/// Without what another version changes.
fn lasting(text: &str) -> String {
    let line = |line: &str| match line.split_once("\": \"") {
        Some((name @ ("  \"version" | "  \"made_of"), _)) => format!("{name}\": …,\n"),
        _ => line.to_owned() + "\n",
    };
    text.lines().map(line).collect()
}

#[test]
fn every_file_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let pass = small();
    let rows = pass.publish(dir.path());
    let rankings = json::load(dir.path()).unwrap();
    assert_eq!(rankings.rankings, rows);
    assert_eq!(rankings.rejected, pass.rejections);
    assert_eq!(rankings.pending, [miner("dave"), miner("erin")]);
    assert_eq!(records(dir.path(), "rankings.csv").len(), 4);
    assert_eq!(records(dir.path(), "rankings.csv")[1][..4], ["1", "alice", "87.5", "100"]);
    assert_eq!(records(dir.path(), "scores.csv").len(), 6);
    for report in &pass.reports {
        save_report(dir.path(), report).unwrap();
        assert_eq!(load_report(dir.path(), &report.miner).as_ref(), Some(report));
    }
}

#[test]
fn foreign_or_broken_reports_are_none() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(load_report(dir.path(), &miner("alice")), None);
    save_report(dir.path(), &report("alice", Vec::new())).unwrap();
    let file = |id: &str| dir.path().join(format!("agents/{id}.json"));
    fs::copy(file("alice"), file("bob")).unwrap();
    assert_eq!(load_report(dir.path(), &miner("bob")), None);
    for text in ["", "{}", "[1]", "{\"miner\": \"alice\"", "\u{feff}"] {
        fs::write(file("alice"), text).unwrap();
        assert_eq!(load_report(dir.path(), &miner("alice")), None);
    }
}

#[test]
fn tidy_removes_left_overs_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    tidy(&dir.path().join("missing")).unwrap();
    small().publish(dir.path());
    let at = |name: &str| dir.path().join(name);
    for name in [".agentmill-Ab3dEf.tmp", "agents/.agentmill-Ab3dEf.tmp", ".agentmill.lock", "agents/x.json"]
    {
        fs::write(at(name), "half").unwrap();
    }
    tidy(dir.path()).unwrap();
    assert!(!at(".agentmill-Ab3dEf.tmp").exists() && !at("agents/.agentmill-Ab3dEf.tmp").exists());
    assert!(at(".agentmill.lock").exists() && at("agents/x.json").exists());
    assert!(FILES.iter().all(|name| at(name).exists()));
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| name.to_str().unwrap().ends_with(".tmp"));
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn errors_name_the_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("scores.csv")).unwrap();
    fs::write(dir.path().join("scores.csv/x"), "").unwrap();
    let published = Published {
        rows: &[],
        agents: &[],
        pending: &[],
        evaluated: &[],
        rejections: &[],
        present: None,
        basis: &Basis::default(),
        whole: true,
        generated_at: noon(),
        image: "",
        engine: "docker",
        pipeline_sha256: "",
        title: None,
        token: None,
        roster: &[],
        submitted: &BTreeSet::new(),
        board: Board::Private,
        plan: &Plan::new(&[], &[]),
        live: false,
    };
    let err = Publisher::new(dir.path()).publish(&published, true).unwrap_err();
    assert!(err.to_string().contains("scores.csv"), "{err}");
}

#[test]
fn hostile_text_stays_text() {
    let dir = tempfile::tempdir().unwrap();
    let nasty = "=cmd()|'\"<script>alert(1)</script>\x1b]0;pwn\x07\u{9b}2J\r\nx,y\u{202e}{{ 7 * 7 }}";
    let mut pass =
        Pass::new(vec![report("alice", vec![run("main", "main/x", 50.0), run("<i>@stage", "<b>\"&'", 0.0)])]);
    pass.stages.push(stage("<i>@stage", "*", 0.0));
    pass.tasks.push(task("=task<u>", 1.0));
    pass.reports[0].runs.push(run("<i>@stage", "=task<u>", 25.0));
    if let Outcome::Scored(run) = &mut pass.reports[0].runs[0].outcome {
        run.verdict = Verdict::Failed;
        run.stderr = nasty.into();
        run.tests[3].message = Some(nasty.into());
    }
    pass.rejections = vec![Rejection {
        file: nasty.into(),
        miner: None,
        line: None,
        reason: nasty.repeat(999),
        sha256: None,
        claims: None,
        perhaps: None,
    }];
    pass.publish(dir.path());

    for name in FILES.into_iter().chain(["agents/alice.json"]) {
        let text = read(dir.path(), name);
        assert!(
            !text.chars().any(|c| c != '\n' && crate::util::text::unseen(c)),
            "{name} holds control characters"
        );
        assert!(text.len() < 300_000, "{name} is {} long", text.len());
    }
    let rejected = records(dir.path(), "rejected.csv");
    assert_eq!(rejected.len(), 2);
    assert!(rejected[1][0].starts_with("'=cmd()"));
    assert_eq!(records(dir.path(), "scores.csv")[3][1..3], ["<i>@stage", "'=task<u>"]);
    let page = read(dir.path(), "index.html");
    let (frame, data) = halves(&page);
    assert!(!data.contains('<'), "foreign text could end its element");
    assert!(data.contains(r"\u003cscript>alert(1)") && data.contains("{{ 7 * 7 }}"));
    assert!(!frame.contains("alert(1)") && !frame.contains("7 * 7") && !frame.contains("@stage"));
    assert_eq!(json::load(dir.path()).unwrap().rejected[0].file, nasty);
    assert_eq!(load_report(dir.path(), &miner("alice")).unwrap(), pass.reports[0]);
}

#[test]
fn stages_tell_how_many_came_and_passed() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = small();
    pass.stages[0].pass_mark = 60.0;
    pass.publish(dir.path());
    let stages = &on_page(dir.path())["stages"];
    // Nobody holds an unscored run against bob, but he waits where he is.
    assert_eq!((&stages[0]["reached"], &stages[0]["passed"]), (&3.into(), &2.into()));
    // Alice has 75 of 50, carol 25.
    assert_eq!((&stages[1]["reached"], &stages[1]["passed"]), (&2.into(), &1.into()));
}

#[test]
fn history_is_on_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = small();
    pass.publish(dir.path());
    pass.reports[0].runs[1] = run("main", "main/primes", 100.0);
    pass.at += jiff::SignedDuration::from_mins(2);
    pass.publish(dir.path());
    let (data, noon) = (on_page(dir.path()), noon().as_second());
    assert_eq!(data["agents"][0]["history"], serde_json::json!([[noon, 87.5], [noon + 120, 100.0]]));
    assert_eq!(data["agents"][2]["history"], serde_json::json!([[noon, null]]));
}

#[test]
fn endless_complaints_leave_the_page_light() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = Pass::new(crowd(300, 10));
    for (at, scored) in pass.reports.iter_mut().flat_map(|report| &mut report.runs).enumerate() {
        if let Outcome::Scored(run) = &mut scored.outcome {
            run.stderr = format!("{at} {}\n", "<\x1b".repeat(200)).repeat(9);
            run.tests[3].verdict = Verdict::Error;
            run.tests[3].message = Some(run.stderr.clone());
        }
    }
    pass.publish(dir.path());
    let page = read(dir.path(), "index.html");
    assert!(page.len() < 6 << 20, "{}", page.len());
    assert_eq!(on_page(dir.path())["agents"][0]["cut"], true);
}

#[test]
fn readers_never_see_half_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = Pass::new(crowd(40, 12));
    pass.publish(dir.path());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = std::collections::BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                seen.insert(json::load(dir.path()).unwrap().generated_at);
                assert!(read(dir.path(), "index.html").ends_with("</html>"));
            }
            seen.len()
        });
        for _ in 0..60 {
            pass.at += jiff::SignedDuration::from_mins(1);
            pass.publish(dir.path());
        }
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 2);
    });
}

#[test]
fn empty_folder_has_a_page() {
    let dir = tempfile::tempdir().unwrap();
    Pass::new(Vec::new()).publish(dir.path());
    let page = read(dir.path(), "index.html");
    assert!(halves(&page).1.contains(r#""agents":[]"#));
    assert_eq!(records(dir.path(), "rankings.csv").len(), 1);
}

/// `AGENTMILL_SAMPLE=/tmp/x cargo test --release -- --ignored --nocapture measure`
#[test]
#[ignore = "a measurement, and sample pages to look at"]
fn measure() {
    let kept = tempfile::tempdir().unwrap();
    let base = std::env::var_os("AGENTMILL_SAMPLE").map_or(kept.path().to_owned(), PathBuf::from);
    let (big, little) = (base.join("big"), base.join("little"));
    let mut pass = Pass::new(crowd(2_000, 50));
    for turn in ["first", "nothing new", "new time"] {
        let start = Instant::now();
        pass.publish(&big);
        println!("rank and publish, {turn}: {:?}", start.elapsed());
        if turn == "nothing new" {
            pass.at += jiff::SignedDuration::from_mins(1);
        }
    }
    for turn in ["first", "unchanged"] {
        let start = Instant::now();
        pass.reports.iter().for_each(|report| save_report(&big, report).unwrap());
        println!("2,000 reports saved, {turn}: {:?}", start.elapsed());
    }
    let start = Instant::now();
    assert!(pass.reports.iter().all(|report| load_report(&big, &report.miner).as_ref() == Some(report)));
    println!("2,000 reports loaded: {:?}", start.elapsed());
    for name in FILES {
        println!("{name}: {} KiB", fs::metadata(big.join(name)).unwrap().len() / 1024);
    }

    let mut pass = Pass::new(crowd(14, 14));
    pass.reports[3].sha256 = pass.reports[4].sha256.clone();
    pass.reports[3].first_seen += jiff::SignedDuration::from_mins(9);
    pass.reports.push(report("zoe", vec![unscored("screening", "screening/reverse_0")]));
    pass.pending = small().pending;
    pass.rejections = small().rejections;
    pass.rejections.push(Rejection {
        file: "<script>alert(1)</script>.py".into(),
        miner: None,
        line: None,
        reason: "the name is no miner id: use a-z, 0-9, - and _".into(),
        sha256: None,
        claims: None,
        perhaps: None,
    });
    pass.publish(&little);
    pass.reports.iter().for_each(|report| save_report(&little, report).unwrap());
}
