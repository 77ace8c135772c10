//! Tests of `show`: its layout as snapshots, its answers to queries.

use std::path::Path;

use super::*;
use crate::config::{self, Board, Split};
use crate::model::rejection::Rejection;
use crate::model::report::{Outcome, Run};
use crate::pipeline::basis::Basis;
use crate::pipeline::plan::Plan;
use crate::pipeline::publish::samples::{
    first_sights, miner, noon, report, rewards, run, stage, task, unscored,
};
use crate::pipeline::publish::{Published, Publisher};
use crate::pipeline::report_store::{load_report, save_report};
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::score::rank;
use crate::util::text::unseen;
use std::collections::{BTreeSet, HashMap};

const NASTY: &str = "want \x1b[2J\u{9b}31m 'x'\n\tgot \x07\r<y>\u{202e}";

fn results() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut alice = vec![run("main", "strings/reverse", 100.0), run("main", "primes", 50.0)];
    if let Outcome::Scored(run) = &mut alice[1].outcome {
        run.tests[2].message = Some(NASTY.into());
        run.tests[3].weight = 2.0;
        run.stderr = format!("{}last {NASTY}", "line\n".repeat(40));
    }
    let mut reports = [
        report("alice", alice.clone()),
        report("bob", vec![unscored("main", "strings/reverse"), run("main", "primes", 100.0)]),
        report("carol", alice),
    ];
    reports[2].sha256 = reports[0].sha256.clone();
    let stages = [stage("main", "*", 0.0)];
    let tasks = [task("strings/reverse", 1.0), task("primes", 1.0)];
    let rewards = rewards(100.0, Split::Winner);
    let plan = Plan::new(&stages, &tasks);
    let agents = reports.each_ref().map(|report| ReportSummary::of(report, &plan));
    let agents = agents.each_ref();
    let rejections = [Rejection {
        file: "mallory.py".into(),
        miner: Some(miner("mallory")),
        line: Some(3),
        reason: NASTY.into(),
        sha256: None,
        claims: None,
        perhaps: None,
    }];
    let published = Published {
        rows: &rank(
            &agents,
            &plan,
            Some(&rewards),
            &first_sights(&agents),
            &HashMap::new(),
            &crate::pipeline::score::improvement::Past::default(),
        ),
        agents: &agents,
        pending: &[miner("dave")],
        evaluated: &[],
        rejections: &rejections,
        present: None,
        basis: &Basis::default(),
        whole: true,
        generated_at: noon(),
        image: "sha256:9f2c6d",
        engine: "docker",
        pipeline_sha256: "0123",
        token: Some("TAO"),
        title: None,
        roster: &[],
        submitted: &BTreeSet::new(),
        board: Board::Private,
        plan: &plan,
        live: false,
    };
    reports.iter().for_each(|report| save_report(dir.path(), report).unwrap());
    Publisher::new(dir.path()).publish(&published, true).unwrap();
    dir
}

/// `TASK` behind a colon is everybody's run on it.
fn asked<'a>(what: &[&'a str]) -> Query<'a> {
    match *what {
        [] => Query::Ranking,
        [":", task] => Query::Task(task),
        [miner] => Query::Miner(miner),
        [miner, task] => Query::Run(miner, task),
        _ => panic!("{what:?}"),
    }
}

fn shown(dir: &Path, what: &[&str]) -> Result<String, String> {
    let stages = b"stages: [{name: main, samples: 9}]";
    let pipeline = config::parse(Path::new("pipeline.yaml"), stages).unwrap();
    let pipeline = Pipeline { results: dir.to_owned(), inbox: dir.join("inbox"), ..pipeline };
    show(&pipeline, asked(what), &Layout::PLAIN).map_err(|err| err.to_string())
}

#[test]
fn samples_that_a_stage_does_not_ask_for_any_more_are_left_out() {
    let dir = results();
    let mut alice = load_report(dir.path(), &miner("alice")).unwrap();
    let more: Vec<Run> = alice.runs.iter().map(|run| Run { sample: 2, ..run.clone() }).collect();
    alice.runs.extend(more);
    save_report(dir.path(), &alice).unwrap();
    let shown = |samples: u32| {
        let stages = format!("stages: [{{name: main, samples: {samples}}}]");
        let pipeline = config::parse(Path::new("pipeline.yaml"), stages.as_bytes()).unwrap();
        let pipeline = Pipeline { results: dir.path().to_owned(), ..pipeline };
        let Data::Miner(known) = data(&pipeline, Query::Miner("alice")).unwrap() else { panic!() };
        let Data::Runs(runs) = data(&pipeline, Query::Run("alice", "primes")).unwrap() else { panic!() };
        let Data::Task(all) = data(&pipeline, Query::Task("primes")).unwrap() else { panic!() };
        let report = known.report.unwrap();
        (report.runs.len(), report.spreads.len(), runs.len(), all.len())
    };
    assert_eq!(shown(2), (4, 2, 2, 4));
    assert_eq!(shown(1), (2, 0, 1, 3));
}

#[test]
fn texts() {
    let dir = results();
    for (name, what) in [
        ("ranking", &[][..]),
        ("alice", &["alice"]),
        ("alice_primes", &["alice", "primes"]),
        ("task_primes", &[":", "primes"]),
        ("bob_reverse", &["Bob", "reverse"]),
        ("mallory", &["mallory"]),
        ("dave", &["dave"]),
    ] {
        let text = shown(dir.path(), what).unwrap();
        assert!(!text.chars().any(|c| c != '\n' && unseen(c)), "{text:?}");
        assert!(text.ends_with('\n'));
        insta::with_settings!({ prepend_module_to_snapshot => false }, { insta::assert_snapshot!(name, text) });
    }
}

#[test]
fn samples_are_told_with_their_spread() {
    let dir = results();
    let mut report = load_report(dir.path(), &miner("alice")).unwrap();
    report.runs.push(Run { sample: 2, ..run("main", "primes", 100.0) });
    save_report(dir.path(), &report).unwrap();
    let words = |text: &str, first: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        lines.filter(|line| line.first().is_some_and(|word| word == first)).flatten().collect()
    };
    for what in [&["alice"][..], &["alice", "primes"]] {
        let text = shown(dir.path(), what).unwrap();
        let told = words(&text, "main").join(" ");
        assert!(told.starts_with("main primes 2 1 75 50 100 35.36 main "), "{text}");
        assert!(text.contains("  DEVIATION\n") && text.contains("  SAMPLE\n"), "{text}");
        assert!(text.lines().all(|line| !line.ends_with("MEMORY")), "each table of runs has it: {text}");
        assert!(told.contains("primes passed 100 4/4") && told.ends_with("10 MiB 2"), "{text}");
    }
    assert!(!shown(dir.path(), &["carol"]).unwrap().contains("SAMPLE"));
}

/// `rankings.json` with other people and chances in it.
fn change_rankings(dir: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let file = dir.join("rankings.json");
    let mut rankings = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    change(&mut rankings);
    std::fs::write(file, rankings.to_string()).unwrap();
}

fn cells(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect()
}

#[test]
fn everybody_of_a_course_is_in_the_table() {
    let dir = results();
    let person = |id: &str, name: &str, state: &str| serde_json::json!({"id": id, "name": name, "group": "", "state": state});
    change_rankings(dir.path(), |rankings| {
        let people = [
            ("alice", "Alice Lee", "ranked"),
            ("erin", "Erin \u{1b}[1m", "absent"),
            ("mallory", "M.", "refused"),
        ];
        rankings["roster"] = people.map(|(id, name, state)| person(id, name, state)).to_vec().into();
    });
    let text = shown(dir.path(), &[]).unwrap();
    let cells = cells(&text);
    assert_eq!(cells[0][..4], ["#", "MINER", "NAME", "SCORE"], "{text}");
    assert_eq!(cells[2][..4], ["2", "alice", "Alice Lee", "75"], "{text}");
    assert_eq!(cells[4], ["-", "erin", "Erin \\u{1b}[1m", "-", "-", "-", "-", "absent"], "{text}");
    assert_eq!(cells[5], ["-", "mallory", "M.", "-", "-", "-", "-", "refused"], "{text}");
    let erin = shown(dir.path(), &["Erin"]).unwrap();
    assert_eq!(erin, "erin has submitted nothing: absent, on the roster as Erin \\u{1b}[1m\n");
    assert_eq!(shown(dir.path(), &["erin", "primes"]).unwrap_err(), "erin has submitted nothing");
    assert!(shown(dir.path(), &["erni"]).unwrap_err().ends_with("did you mean \"erin\"?"));
}

#[test]
fn chances_of_samples_are_in_the_table() {
    let dir = results();
    change_rankings(dir.path(), |rankings| {
        rankings["rankings"][0]["pass_at_1"] = 62.5.into();
        rankings["rankings"][0]["pass_at_k"] = 75.into();
        for row in rankings["rankings"].as_array_mut().unwrap() {
            row["k"] = 5.into();
        }
    });
    let text = shown(dir.path(), &[]).unwrap();
    let cells = cells(&text);
    assert_eq!(
        cells[0],
        ["#", "MINER", "SCORE", "REWARD (TAO)", "PASS@1", "PASS@5", "TESTS", "STAGE"],
        "{text}"
    );
    assert_eq!(cells[1][..7], ["1", "bob", "100", "0", "62.5", "75", "4/8"], "{text}");
    assert_eq!(cells[2][3..6], ["100", "-", "-"], "{text}");
}

#[test]
fn a_person_is_named_who_is_called_so_but_for_accents() {
    let dir = results();
    change_rankings(dir.path(), |rankings| {
        rankings["roster"] =
            serde_json::json!([{"id": "s03", "name": "Cl\u{e9}o Dupont", "group": "", "state": "absent"}]);
    });
    for name in ["Cleo", "cleo dupont", "DUPONT", "cle\u{301}o"] {
        let error = shown(dir.path(), &[name]).unwrap_err();
        assert!(error.ends_with("; did you mean \"Cl\u{e9}o Dupont\"?"), "{error}");
    }
}

/// Somebody asks before a run has looked at the file.
#[test]
fn what_lies_in_the_inbox_unevaluated_waits() {
    let dir = results();
    let inbox = dir.path().join("inbox");
    std::fs::create_dir_all(inbox.join("frank")).unwrap();
    std::fs::write(inbox.join("Erin.py"), "x = 1").unwrap();
    for miner in ["erin", "frank"] {
        let told = format!("{miner} waits to be evaluated; `agentmill run` does it");
        assert_eq!(shown(dir.path(), &[miner]).unwrap_err(), told);
        assert_eq!(shown(dir.path(), &[miner, "primes"]).unwrap_err(), told);
    }
}

#[test]
fn errors_name_the_nearest() {
    let dir = results();
    let error = |what: &[&str]| shown(dir.path(), what).unwrap_err();
    assert_eq!(error(&["alcie"]), "there is no miner \"alcie\"; did you mean \"alice\"?");
    assert_eq!(error(&["\x1b[1m"]), "there is no miner \"\\u{1b}[1m\"");
    let expected = "alice has no run on a task \"prime\"; did you mean \"primes\"?";
    assert_eq!(error(&["alice", "prime"]), expected);
    let expected = "no miner has a run on a task \"prime\"; did you mean \"primes\"?";
    assert_eq!(error(&[":", "prime"]), expected);
    assert!(error(&["mallory", "primes"]).starts_with("mallory has no runs, as mallory.py was refused: "));
    std::fs::remove_file(dir.path().join("agents/alice.json")).unwrap();
    assert!(error(&["alice"]).contains("the report of alice"));
    assert!(shown(&dir.path().join("nowhere"), &[]).unwrap_err().contains("no results"));
    std::fs::write(dir.path().join("rankings.json"), "{").unwrap();
    assert!(error(&[]).contains("rankings.json"));
}
