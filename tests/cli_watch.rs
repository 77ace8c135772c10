//! `watch`: what is dropped, edited and removed is seen without a restart.

mod ignorable;
mod testenv;

use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use ignorable::{plain, with_docker};
use rustix::process::Signal;
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, Running, TestEnv, wait_until};

fn main() -> ExitCode {
    ignorable::main_of([
        plain![
            drops_edits_and_removals_are_seen,
            a_file_is_not_picked_up_before_it_is_whole,
            edits_of_tasks_and_pipeline_are_taken_when_they_are_good,
            an_edit_does_not_wait_for_the_queue,
            what_changed_while_no_daemon_was_there_is_seen,
            a_drop_starts_as_soon_as_a_worker_is_free,
            signals_end_a_run_too,
            an_idle_daemon_ends_at_once,
            a_run_after_a_watch_leaves_every_file_as_it_is,
            one_agentmill_works_in_a_folder
        ],
        with_docker![signals_end_a_run_while_its_image_is_pulled],
    ])
}

/// The daemon's promise: a file that stood still for this long is whole.
const SETTLE: Duration = agentmill::pipeline::intake::SETTLE;

fn stop(env: &TestEnv, daemon: Running) {
    daemon.signal(Signal::TERM);
    daemon.wait().code(143);
    env.expect_nothing_left();
}

fn wait_for_score(env: &TestEnv, miner: &str, score: &str) {
    wait_until(&format!("{miner} has {score}"), || env.score(miner).as_deref() == Some(score));
}

fn drops_edits_and_removals_are_seen() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    let daemon = env.watch();
    let edition = |n: usize| format!("# {n}\n{DOUBLE_AGENT}");
    (0..10).for_each(|n| env.drop_agent(&format!("m{n}"), &edition(n)));
    wait_until("ten are ranked", || env.rankings().len() == 10);
    wait_until("the ranking is told", || daemon.stdout().contains(". m9: 100 (reward: "));

    env.remove("inbox/m0.py");
    wait_until("nine are ranked", || env.rankings().len() == 9);
    env.drop_agent("m1", "def double(x):\n    return 4\n");
    wait_for_score(&env, "m1", "50");
    env.drop_agent("m1", "import numpy\n");
    wait_until("m1 is refused", || env.csv("rejected.csv").len() == 1 && env.rankings().len() == 8);

    // Renamed into place, as one should; and a folder moved in, of which only the folder is announced.
    env.write("inbox/.late.tmp", &edition(10));
    std::fs::rename(env.path("inbox/.late.tmp"), env.path("inbox/late.py")).unwrap();
    env.write("outside/agent.py", &edition(11));
    std::fs::rename(env.path("outside"), env.path("inbox/folder")).unwrap();
    wait_for_score(&env, "late", "100");
    wait_for_score(&env, "folder", "100");
    stop(&env, daemon);
}

fn a_file_is_not_picked_up_before_it_is_whole() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    let daemon = env.watch();
    // A stalled writer may be taken for one that has finished; then the next miner's file is the test.
    let miner = (0..10)
        .map(|n| format!("slow{n}"))
        .find(|miner| write_slowly(&env, miner))
        .expect("a machine that keeps up");
    wait_for_score(&env, &miner, "100");
    let seen: Vec<_> = env.csv("history.csv").into_iter().filter(|line| line["miner"] == miner).collect();
    assert_eq!(seen.len(), 1, "only the whole file was ever evaluated: {seen:#?}");
    stop(&env, daemon);
}

/// Appends a file piece by piece; each piece makes a valid agent, a worse one than the whole. Tells whether the pauses
/// were short enough for the file to be seen as unfinished all the time.
fn write_slowly(env: &TestEnv, miner: &str) -> bool {
    let mut file = File::create(env.path(&format!("inbox/{miner}.py"))).unwrap();
    let (mut longest, mut last) = (Duration::ZERO, Instant::now());
    for piece in 0..30 {
        writeln!(file, "def double(x): return {piece}").unwrap();
        thread::sleep(SETTLE / 5);
        longest = longest.max(last.elapsed());
        last = Instant::now();
        let found = env.json("rankings.json").to_string();
        assert!(longest > SETTLE / 2 || !found.contains(miner), "picked up at piece {piece}: {found}");
    }
    write!(file, "{DOUBLE_AGENT}").unwrap();
    longest.max(last.elapsed()) < SETTLE / 2
}

fn edits_of_tasks_and_pipeline_are_taken_when_they_are_good() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    let daemon = env.watch();
    wait_for_score(&env, "ann", "100");

    env.write("tasks/double.yaml", &DOUBLE_TASK.replace("== 4", "== 5"));
    wait_for_score(&env, "ann", "50");
    env.write("tasks/more.yaml", &DOUBLE_TASK.replace("prompt: ", "prompt: please "));
    wait_for_score(&env, "ann", "75");

    let complaint = |text: &str| wait_until(text, || daemon.stderr().contains(text));
    env.write("pipeline.yaml", "rewards: {pol: 5}\n");
    complaint("the last good configuration stays in force");
    complaint("pipeline.yaml:1:11: rewards.pol: unknown field; did you mean \"pool\"?");
    env.write("tasks/more.yaml", "prompt: p\ntests: []\n");
    env.drop_agent("ben", "def double(x):\n    return 4\n");
    wait_for_score(&env, "ben", "25");
    assert_eq!(env.score("ann").as_deref(), Some("75"), "both tasks are still there");

    env.write("pipeline.yaml", "rewards: {pool: 5, split: winner}\n");
    complaint("tasks/more.yaml:2:8: tests: expected at least one test");
    env.write("tasks/more.yaml", "prompt: p\ntests:\n  - assert double(1) = 2\n");
    complaint("tasks/more.yaml:3: tests[0]: ");
    let right_again = || daemon.stderr().matches("pipeline.yaml and the tasks are right again").count();
    let before = right_again();
    env.write("tasks/more.yaml", DOUBLE_TASK);
    wait_until("they are right again", || right_again() == before + 1);
    env.drop_agent("cid", "def double(x):\n    return 'aa'\n");
    wait_until("cid is ranked", || env.score("cid").is_some());

    env.write("tasks/notes.txt", "nothing to see");
    env.drop_agent("dan", DOUBLE_AGENT);
    wait_until("dan is ranked", || env.score("dan").is_some());
    assert_eq!(
        daemon.stderr().matches("tasks/more.yaml:3: tests[0]: ").count(),
        1,
        "told once: {}",
        daemon.stderr()
    );

    env.remove("tasks/more.yaml");
    wait_for_score(&env, "ann", "50");
    wait_until("the new pool is shared", || env.rankings()["ann"]["reward"] == "2.5");

    env.write("pipeline.yaml", "inbox: nowhere\n");
    complaint("nowhere");
    env.drop_agent("eve", DOUBLE_AGENT);
    wait_for_score(&env, "eve", "50");
    stop(&env, daemon);
}

fn an_edit_does_not_wait_for_the_queue() {
    let env = TestEnv::new().pipeline("parallel: 1\n").task("double", DOUBLE_TASK);
    let daemon = env.watch();
    let agent = |n: usize| format!("# {n}\nimport time\ndef double(x):\n    time.sleep(1)\n    return 4\n");
    (0..8).for_each(|n| env.drop_agent(&format!("m{n}"), &agent(n)));
    wait_until("the first is ranked", || !env.rankings().is_empty());
    env.write("tasks/double.yaml", "prompt: double it\ntests:\n  - assert double(2) == 4\n");
    wait_until("all are ranked by the new task", || {
        let rankings = env.rankings();
        rankings.len() == 8 && rankings.values().all(|line| line["score"] == "100")
    });
    let old = env.csv("history.csv").iter().filter(|line| line["score"] == "50").count();
    assert!(old < 8, "{old} agents were evaluated on the old task");
    stop(&env, daemon);
}

fn what_changed_while_no_daemon_was_there_is_seen() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    env.run();
    env.remove("inbox/ann.py");
    let daemon = env.watch();
    assert!(env.rankings().is_empty());

    std::fs::rename(env.path("inbox"), env.path("elsewhere")).unwrap();
    wait_until("the inbox is missed", || daemon.stderr().contains("inbox"));
    std::fs::rename(env.path("elsewhere"), env.path("inbox")).unwrap();
    env.drop_agent("ben", DOUBLE_AGENT);
    wait_for_score(&env, "ben", "100");
    stop(&env, daemon);
}

/// Needs all of its time for each of many tasks.
const SLOW_AGENT: &str = "def double(x):\n    while True: pass\n";

/// Ends each task quickly, but has many.
fn many_tasks(env: TestEnv) -> TestEnv {
    (0..8).fold(env, |env, n| env.task(&format!("t{n}"), &DOUBLE_TASK.replace("it", &format!("it {n}"))))
}

fn a_drop_starts_as_soon_as_a_worker_is_free() {
    let env = many_tasks(TestEnv::new())
        .pipeline("parallel: 2\nsandbox: {timeout: 4s}\n")
        .agent("slow", SLOW_AGENT);
    let daemon = env.watch();
    wait_until("slow is at work", || daemon.stderr().contains("evaluating 1 agent"));
    env.drop_agent("quick", DOUBLE_AGENT);
    wait_for_score(&env, "quick", "100");
    wait_until("all files say so", || env.json("rankings.json")["rankings"][0]["miner"] == "quick");
    assert_eq!(env.json("rankings.json")["pending"], serde_json::json!(["slow"]), "slow takes 32 seconds");

    // Stopped in the middle of it: what is finished stands, and the next run goes on from there.
    let start = Instant::now();
    stop(&env, daemon);
    assert!(start.elapsed() < Duration::from_secs(20), "slow was not waited for");
    assert_eq!(env.rankings().into_keys().collect::<Vec<_>>(), ["quick"]);
    let (_, started) = env.starts(|| {
        env.remove("inbox/slow.py");
        env.run();
    });
    assert_eq!(started, [""; 0], "quick is done");
}

fn signals_end_a_run_too() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let env = many_tasks(TestEnv::new())
            .pipeline("parallel: 1\nsandbox: {timeout: 4s}\n")
            .agent("slow", SLOW_AGENT);
        let run = env.start(&["run"]);
        wait_until("a cell is there", || env.containers().iter().any(|name| name.contains("-cell-")));
        run.signal(signal);
        run.wait().code(code).prints(&["not evaluated: 1\n"]);
        assert_eq!(env.json("rankings.json")["pending"], serde_json::json!(["slow"]));
        env.expect_nothing_left();
    }
}

fn a_run_after_a_watch_leaves_every_file_as_it_is() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    let daemon = env.watch();
    wait_for_score(&env, "ann", "100");
    stop(&env, daemon);
    let all =
        || ["rankings.json", "history.csv", "index.html"].map(|name| env.read(&format!("results/{name}")));
    let before = all();
    env.run();
    assert_eq!(all(), before);
}

/// The pull is ended with all that it started, and not taken for one that can't be made.
fn signals_end_a_run_while_its_image_is_pulled() {
    for (command, signal, code) in [("run", Signal::INT, 130), ("watch", Signal::TERM, 143)] {
        let pulls = r#"[ "$1" = pull ] && { echo "$$" > "$TMPDIR/pulls"; /bin/sleep 600; exit 1; }"#;
        let env = TestEnv::new()
            .pipeline("sandbox: {image: \"localhost:1/agentmill/python:3.11-slim\"}\n")
            .task("double", DOUBLE_TASK)
            .agent("ann", DOUBLE_AGENT)
            .engine_script(pulls);
        let work = env.start(&[command]);
        wait_until("it pulls", || env.path("pulls").metadata().is_ok_and(|file| file.len() > 0));
        let pull = env.read("pulls");
        work.signal(signal);
        let finished = work.wait().code(code);
        assert!(!finished.stderr.contains("can't be pulled"), "{finished}");
        assert!(!std::path::Path::new("/proc").join(pull.trim()).exists(), "the pull goes on");
        assert_eq!(env.json("rankings.json")["pending"], serde_json::json!(["ann"]));
    }
}

fn an_idle_daemon_ends_at_once() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    let daemon = env.watch();
    daemon.signal(Signal::INT);
    daemon.wait().code(130);
}

fn one_agentmill_works_in_a_folder() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    let daemon = env.watch();
    env.agentmill(&["run"]).code(75).complains(&["another agentmill is working in", "results"]);
    env.agentmill(&["watch"]).code(75).complains(&["another agentmill"]);
    wait_for_score(&env, "ann", "100");
    env.agentmill(&["show"]).code(0).prints(&["ann"]);
    stop(&env, daemon);
    env.run();
}
