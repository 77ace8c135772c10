//! `run --agent --task` and `run --dry-run`: a part of the runs, and none of them.

mod passes;
mod testenv;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;

use agentmill::pipeline::dry_run::DryRun;
use agentmill::pipeline::scope::Scope;
use agentmill::pipeline::{PassContext, Summary};
use agentmill::sandbox::fake::Fake;
use agentmill::ui::Events;
use agentmill::workspace::Workspace;
use passes::Folder;
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv, anew};

/// Never gives the same answer twice, so a run made anew shows in the report.
const MOODY: &str = "import os\ndef mood():\n    return os.urandom(8).hex()\n";

const MOOD: &str = "prompt: be happy\ntests:\n  - assert mood() == 'happy'\n";

fn moody(whose: &str) -> String {
    format!("{MOODY}# {whose}'s\n")
}

#[test]
fn only_the_named_runs_are_made_and_all_else_stays() {
    let env = TestEnv::new().task("one", MOOD).task("two", &MOOD.replace("happy", "merry"));
    let env = env.agent("ann", &moody("ann")).agent("ben", &moody("ben"));
    env.run();
    let before = env.traces();
    env.write("tasks/one.yaml", &MOOD.replace("happy", "glad"));
    env.write("tasks/two.yaml", &MOOD.replace("happy", "calm"));
    env.agentmill(&["run", "--agent", "a*", "--task", "two"]).code(0).prints(&["1. ben: 0"]);
    assert_eq!(anew(&before, &env.traces()), ["ann two"]);
    let due = env.agentmill(&["run", "--dry-run"]).code(0);
    due.prints(&[
        "ann: task changed: 1 run in all: one\n",
        "ben: task changed: 2 runs in all: one, two\n3 runs of 2 agents\n",
    ]);

    let before = env.traces();
    env.agentmill(&["run", "--task", "two", "--force"]).code(0);
    assert_eq!(anew(&before, &env.traces()), ["ann two", "ben two"]);

    // Others' new submissions wait, and the old ones stay ranked.
    let sha256 = env.rankings()["ben"]["sha256"].clone();
    let before = env.traces();
    env.drop_agent("ben", &moody("Ben"));
    env.agentmill(&["run", "--agent", "ann"]).code(0);
    assert_eq!(anew(&before, &env.traces()), ["ann one"]);
    assert_eq!(env.rankings()["ben"]["sha256"], sha256);
    assert_eq!(env.json("rankings.json")["pending"], serde_json::json!(["ben"]));

    let before = env.traces();
    env.run();
    assert_eq!(anew(&before, &env.traces()), ["ben one", "ben two"], "what was left is made up for");
    assert_ne!(env.rankings()["ben"]["sha256"], sha256);
    env.agentmill(&["run", "--dry-run"]).code(0).prints(&["0 runs of 0 agents\n"]);
}

#[test]
fn patterns_that_match_nothing_are_mistakes() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    let stderr = |args: &[&str]| env.agentmill(&[&["run"], args].concat()).code(2).stderr.clone();
    assert!(stderr(&["--task", "treble"]).contains("--task \"treble\" matches no task"));
    assert!(stderr(&["--task", "{a"]).contains("--task \"{a\": not a valid pattern"));
    assert!(stderr(&["--agent", "ben"]).contains("--agent ben: no submission in "));
    assert!(stderr(&["--agent", "ben", "--dry-run"]).contains("--agent ben: no submission in "));
    assert!(!env.path("results/rankings.json").exists());
}

#[test]
fn a_dry_run_starts_nothing_and_writes_nothing() {
    let env =
        TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT).agent("bad", "import numpy\n");
    let ((finished, json), started) = env.starts(|| {
        let finished = env.agentmill(&["run", "--dry-run"]);
        (finished, env.agentmill(&["run", "--dry-run", "--json", "--force"]))
    });
    assert_eq!(started, [""; 0]);
    finished.code(0).prints(&[
        "ann: new: 1 run in all: double\n",
        "1 run of 1 agent\n",
        "bad.py: refused, not run\n",
    ]);
    let json: serde_json::Value = serde_json::from_str(&json.code(0).stdout).unwrap();
    let run = &json["runs"][0];
    assert_eq!(
        (&run["miner"], &run["stage"], &run["task"]),
        (&"ann".into(), &"all".into(), &"double".into())
    );
    assert_eq!((&run["why"], &run["if_passed"]), (&serde_json::json!(["new"]), &false.into()));
    assert!(
        files(&env.path("results")).keys().all(|name| name.starts_with('.')),
        "{:?}",
        env.path("results")
    );
}

/// The files of a folder with their content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            let below = crate::files(&entry.path());
            files.extend(below.into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else if name != ".ledger.lock" {
            files.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    files
}

fn pass(folder: &Folder, scope: &Scope, force: bool) -> (Summary, usize) {
    let (Workspace { pipeline, tasks, .. }, sandbox) = (folder.workspace(), Fake::default());
    let ((waker, wakes), (events, _told)) = (mpsc::channel(), Events::channel());
    let (pipeline, tasks, events) = (&pipeline, tasks.as_slice(), &events);
    let context = PassContext {
        pipeline,
        tasks,
        sandbox: &sandbox,
        gateway: None,
        events,
        scope,
        force,
        stay: false,
        when_sound: None,
    };
    let summary = context.run_pass(&waker, &wakes).unwrap();
    (summary, sandbox.runs.into_inner())
}

/// The causes of what is due, as `miner task cause`.
fn causes(folder: &Folder, image: Option<&str>, force: bool) -> Vec<String> {
    let Workspace { pipeline, tasks, .. } = folder.workspace();
    let (pipeline, tasks, scope) = (&pipeline, tasks.as_slice(), &Scope::default());
    let before = files(&folder.path("results"));
    let forecast = DryRun { pipeline, tasks, scope, force, image }.forecast().unwrap();
    assert_eq!(files(&folder.path("results")), before, "a dry run writes nothing");
    let line = |run: &agentmill::pipeline::dry_run::DueRun| {
        let why: Vec<&str> = run.why.iter().map(|cause| cause.words()).collect();
        let later = if run.if_passed { " if passed" } else { "" };
        format!("{} {} {}{later}", run.miner, run.task, why.join(", "))
    };
    forecast.runs.iter().map(line).collect()
}

const FAKE: Option<&str> = Some("sha256:fake");

#[test]
fn every_cause_is_told() {
    let folder = Folder::new("[assert x]");
    folder.drop("ann.py", "passes all\n");
    folder.drop("ben.py", "fault\n");
    assert_eq!(causes(&folder, FAKE, false), ["ann t new", "ben t new"]);
    pass(&folder, &Scope::default(), false);
    assert_eq!(causes(&folder, FAKE, false), ["ben t unscored before"]);
    assert_eq!(causes(&folder, None, false), ["ben t unscored before"], "the image is what it was");
    assert_eq!(causes(&folder, FAKE, true), ["ann t forced", "ben t unscored before"]);
    assert_eq!(
        causes(&folder, Some("sha256:other"), false),
        ["ann t image changed", "ben t image changed, unscored before"]
    );
    folder.remove("ben.py");
    let write = |name: &str, text: &str| std::fs::write(folder.path(name), text).unwrap();
    write("pipeline.yaml", "sandbox: {memory: 300MiB}\n");
    assert_eq!(causes(&folder, FAKE, false), ["ann t limits changed"]);
    write("pipeline.yaml", "judge: {memory: 300MiB}\n");
    assert_eq!(causes(&folder, FAKE, false), ["ann t grader changed"]);
    write("pipeline.yaml", "parallel: 2\n");
    write("tasks/t.yaml", "prompt: q\ntests: [assert x]\n");
    write("tasks/u.yaml", "prompt: r\ntests: [assert x]\n");
    assert_eq!(causes(&folder, FAKE, false), ["ann t task changed", "ann u new"]);
    folder.drop("ann.py", "passes all of it\n");
    assert_eq!(causes(&folder, FAKE, false), ["ann t submission changed", "ann u submission changed"]);
}

#[test]
fn tasks_of_the_same_content_are_one_run() {
    let folder = Folder::new("[assert x]");
    std::fs::copy(folder.path("tasks/t.yaml"), folder.path("tasks/u.yaml")).unwrap();
    folder.drop("ann.py", "passes all\n");
    for force in [false, true] {
        assert_eq!(causes(&folder, FAKE, force).len(), 1);
        assert_eq!(pass(&folder, &Scope::default(), force).1, 1);
    }
}

#[test]
fn a_run_of_a_later_stage_is_conditional() {
    let folder = Folder::new("[assert x]");
    let stages = "stages:\n  - {name: one, tasks: [t], pass_mark: 50}\n  - {name: two, tasks: [u]}\n";
    std::fs::write(folder.path("pipeline.yaml"), stages).unwrap();
    std::fs::write(folder.path("tasks/u.yaml"), "prompt: q\ntests: [assert y]\n").unwrap();
    folder.drop("ann.py", "passes none\n");
    folder.drop("ben.py", "passes all\n");
    let new = ["ann t new", "ann u new if passed", "ben t new", "ben u new if passed"];
    assert_eq!(causes(&folder, FAKE, false), new);

    // Nobody gets to the second stage by runs that were not made.
    let workspace = folder.workspace();
    let second = Scope::new(&[], &["u".to_owned()], &workspace.tasks).unwrap();
    assert_eq!(pass(&folder, &second, false).1, 0);
    let first = Scope::new(&[], &["t".to_owned()], &workspace.tasks).unwrap();
    assert_eq!(pass(&folder, &first, false).1, 2);
    assert_eq!(causes(&folder, FAKE, false), ["ben u new"]);
    let (summary, runs) = pass(&folder, &second, false);
    assert_eq!((runs, summary.pending, summary.left_out), (1, 0, 0));
    assert_eq!(summary.rows[0].score, Some(100.0));
    assert_eq!(pass(&folder, &Scope::default(), false).1, 0, "nothing is left to do");
}

#[test]
fn a_submission_of_another_waits_and_the_one_before_stays() {
    let folder = Folder::new("[assert x]");
    folder.drop("ann.py", "passes all\n");
    folder.drop("ben.py", "passes all, too\n");
    pass(&folder, &Scope::default(), false);
    folder.drop("ben.py", "passes none\n");
    folder.drop("cid.py", "passes none, either\n");
    let ann = Scope::new(&["ann".to_owned()], &[], &[]).unwrap();
    let (summary, runs) = pass(&folder, &ann, true);
    let scores: Vec<_> = summary.rows.iter().map(|row| (row.miner.as_str(), row.score)).collect();
    assert_eq!(scores, [("ann", Some(100.0)), ("ben", Some(100.0))]);
    assert_eq!((runs, summary.pending, summary.left_out), (1, 2, 2));
    let (summary, runs) = pass(&folder, &Scope::default(), false);
    assert_eq!((runs, summary.pending, summary.rows[1].score), (2, 0, Some(0.0)));
}

/// The samples of a report's runs, with their verdicts.
fn samples(folder: &Folder, miner: &str) -> Vec<(u64, String)> {
    let report: serde_json::Value =
        serde_json::from_str(&folder.read(&format!("agents/{miner}.json"))).unwrap();
    let run = |run: &serde_json::Value| {
        let verdict = run["verdict"].as_str().unwrap_or("unscored").to_owned();
        (run["sample"].as_u64().unwrap_or(1), verdict)
    };
    report["runs"].as_array().unwrap().iter().map(run).collect()
}

#[test]
fn more_samples_run_only_the_new_ones_and_fewer_run_nothing() {
    let folder = Folder::new("[assert x]");
    folder.drop("ann.py", "passes all, fails with 1, fails with 4\n");
    let stage = |rest: &str| {
        let text = format!("parallel: 2\nstages: [{{name: all, {rest}}}]\n");
        std::fs::write(folder.path("pipeline.yaml"), text).unwrap();
    };
    let run = || {
        let (summary, runs) = pass(&folder, &Scope::default(), false);
        (summary.rows[0].score.unwrap(), runs)
    };
    stage("samples: 1");
    assert_eq!(run(), (100.0, 1));
    let first = folder.read("agents/ann.json");
    assert!(!first.contains("sample") && !first.contains("spreads"), "as before there were samples: {first}");

    stage("samples: 3");
    assert_eq!(causes(&folder, FAKE, false), ["ann t more samples", "ann t more samples"]);
    assert_eq!(run(), (66.67, 2));
    stage("samples: 5");
    assert_eq!(run(), (60.0, 2));
    let words = |verdicts: [&str; 5]| (1..).zip(verdicts.map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(samples(&folder, "ann"), words(["passed", "failed", "passed", "passed", "failed"]));
    for (reduce, score) in [("best", 100.0), ("{pass_at_k: 1}", 60.0), ("{pass_all_k: 2}", 30.0)] {
        stage(&format!("samples: 5, reduce: {reduce}"));
        assert_eq!(run(), (score, 0), "{reduce}");
    }
    stage("samples: 5, reduce: {pass_at_k: 2}");
    assert_eq!(run(), (90.0, 0));
    assert!(folder.read("rankings.csv").starts_with("rank,miner,"));
    let lines = folder.read("rankings.csv");
    assert!(lines.lines().next().unwrap().ends_with(",pass_at_1,pass_at_k,k"), "{lines}");
    assert!(lines.lines().nth(1).unwrap().ends_with(",60,90,2"), "{lines}");
    let lines = folder.read("scores.csv");
    assert!(
        lines.contains("max_rss_kib,samples,samples_passed,score_min,score_max,score_stdev\n"),
        "{lines}"
    );
    assert!(lines.contains("ann,all,t,90,failed,3,5,") && lines.ends_with(",5,3,0,100,54.77\n"), "{lines}");
    let spread =
        r#""spreads":[{"stage":"all","task":"t","samples":5,"passed":3,"mean":60.0,"min":0.0,"max":100.0,"#;
    let report: String = folder.read("agents/ann.json").split_whitespace().collect();
    assert!(report.contains(spread), "{report}");

    stage("samples: 2");
    assert_eq!(run(), (50.0, 0));
    stage("samples: 5");
    assert_eq!(run(), (60.0, 0), "nothing that was made is lost");
}

#[test]
fn a_sample_that_is_our_fault_leaves_the_task_unscored_until_it_is_made() {
    let folder = Folder::new("[assert x]");
    let text = "stages: [{name: all, samples: 3, reduce: best}]\n";
    std::fs::write(folder.path("pipeline.yaml"), text).unwrap();
    folder.drop("ann.py", "passes all, fault with 1\n");
    let row = || {
        let (summary, runs) = pass(&folder, &Scope::default(), false);
        (summary.rows[0].score, summary.rows[0].unscored, runs)
    };
    assert_eq!(row(), (None, 1, 3));
    assert_eq!(causes(&folder, FAKE, false), ["ann t unscored before"]);
    assert_eq!(row(), (None, 1, 1), "only that sample is tried again");
    let words = ["passed", "unscored", "passed"].map(str::to_owned);
    assert_eq!(samples(&folder, "ann"), (1..).zip(words).collect::<Vec<_>>());
}

#[test]
fn each_sample_has_its_seed_and_a_pass_mark_counts_what_they_come_to() {
    let folder = Folder::new("[assert x]");
    let stages = "stages:\n - {name: a, tasks: [t], samples: 3, pass_mark: 50}\n - {name: b, tasks: [u], samples: 2}\n";
    std::fs::write(folder.path("pipeline.yaml"), stages).unwrap();
    // Not quite the same: tasks of the same content share their runs.
    let other = std::fs::read_to_string(folder.path("tasks/t.yaml")).unwrap().replacen(
        "prompt: ",
        "prompt: other ",
        1,
    );
    std::fs::write(folder.path("tasks/u.yaml"), other).unwrap();
    folder.drop("ann.py", "passes all, fails with 2\n");
    folder.drop("ben.py", "passes all, fails with 1, fails with 2\n");
    let sandbox = Fake::default();
    let summary = folder.pass(&sandbox).0.unwrap();
    let rows: Vec<_> = summary.rows.iter().map(|row| (row.miner.as_str(), row.score, &*row.stage)).collect();
    assert_eq!(rows, [("ann", Some(83.33), "b"), ("ben", Some(16.67), "a")]);
    let mut seeds = sandbox.seeds.into_inner();
    seeds.sort_unstable();
    assert_eq!(seeds, [0, 0, 0, 1, 1, 1, 2, 2], "three samples of both, two more of one");
}
