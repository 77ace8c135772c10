//! The result files, as scripts rely on them.

mod testenv;

use std::fs;

use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::Value;
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv};

const HOSTILE_SYNTAX: &str = "def f(:\n    pass\n";

fn header(env: &TestEnv, name: &str) -> String {
    env.read(&format!("results/{name}")).lines().next().unwrap().to_owned()
}

fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// Somebody pays by them.
#[test]
fn a_table_that_was_edited_or_cut_off_is_made_anew_and_told() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    env.run();
    let whole = env.read("results/rankings.csv");
    for spoilt in [whole.replace(",100,", ",1,"), whole[..9].to_owned()] {
        env.write("results/rankings.csv", &spoilt);
        env.agentmill(&["run"])
            .code(0)
            .complains(&["not as agentmill wrote it, and made anew: rankings.csv in "]);
        let at = whole.lines().nth(1).unwrap();
        assert_eq!(env.read("results/rankings.csv").lines().nth(1), Some(at));
    }
    let before = env.read("results/rankings.json");
    assert!(!env.agentmill(&["run"]).code(0).stderr.contains("made anew"));
    assert_eq!(env.read("results/rankings.json"), before);
}

/// Opening one waits for somebody who writes to it.
#[test]
fn a_fifo_among_the_results_is_named_at_once() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    env.run();
    for name in [".basis", "agents/ann.json"] {
        env.remove(&format!("results/{name}"));
        mkfifoat(CWD, env.path(&format!("results/{name}")), Mode::RUSR | Mode::WUSR).unwrap();
        env.agentmill(&["run"]).code(74).complains(&[name, "is not a regular file; remove it"]);
        env.agentmill(&["show", "ann"]);
        env.remove(&format!("results/{name}"));
        env.run();
    }
}

#[test]
fn every_file_has_the_promised_columns_and_fields() {
    let env =
        TestEnv::new().task("double", DOUBLE_TASK).agent("Ann", DOUBLE_AGENT).agent("bad", HOSTILE_SYNTAX);
    let env = env.pipeline("rewards: {pool: 7, token: ALPHA}\n");
    env.run()
        .prints(&["1. ann: 100 (reward: 7 ALPHA)\n", "refused: bad.py line 1: is not valid Python 3.11"]);

    assert_eq!(
        header(&env, "rankings.csv"),
        "rank,miner,score,reward,passed,tests,unscored,stage,duplicate_of,first_seen,sha256,similar_to,similarity,rank_low,\
         rank_high,tier"
    );
    assert_eq!(
        header(&env, "scores.csv"),
        "miner,stage,task,score,verdict,passed,tests,wall_ms,cpu_ms,max_rss_kib"
    );
    assert_eq!(header(&env, "rejected.csv"), "file,miner,line,reason");
    assert_eq!(header(&env, "history.csv"), "at,miner,score,rank,sha256,cause");

    let rankings = env.json("rankings.json");
    let top = [
        "engine",
        "generated_at",
        "image",
        "made_of",
        "pending",
        "pipeline_sha256",
        "rankings",
        "rejected",
        "token",
        "version",
    ];
    assert_eq!(keys(&rankings), top);
    let columns = header(&env, "rankings.csv");
    let mut columns: Vec<&str> = columns.split(',').collect();
    columns.sort_unstable();
    assert_eq!(keys(&rankings["rankings"][0]), columns, "rankings.json holds what rankings.csv holds");
    assert_eq!(keys(&rankings["rejected"][0]), ["file", "line", "miner", "reason", "sha256"]);
    assert_eq!(rankings["token"], "ALPHA");
    assert_eq!(rankings["version"], env!("CARGO_PKG_VERSION"));
    assert!(rankings["image"].as_str().unwrap().starts_with("sha256:"), "{rankings:#}");
    assert_eq!(rankings["rankings"][0]["miner"], "ann", "upper case is folded");
    assert_eq!(rankings["rejected"][0]["line"], 1);

    let sum = agentmill::util::digest::sha256(env.read("pipeline.yaml").as_bytes());
    assert_eq!(rankings["pipeline_sha256"], sum.as_str());
    let sum = agentmill::util::digest::sha256(DOUBLE_AGENT.as_bytes());
    assert_eq!(env.rankings()["ann"]["sha256"], sum);
    let page = env.read("results/index.html");
    assert!(page.contains("ann") && page.contains("bad.py"), "{page}");
}

#[test]
fn numbers_are_plain() {
    let task = "prompt: p\ntests:\n  - assert double(1) == 2\n  - assert double(1) == 2\n  - assert double(1) == 3\n";
    let env = TestEnv::new().task("t", task).agent("ann", DOUBLE_AGENT).agent("nil", "x = 1\n");
    env.run().prints(&["1. ann: 66.67 (reward: 100 TAO)\n", "2. nil: 0 (reward: 0 TAO)\n"]);
    let (ann, nil) = (&env.csv("scores.csv")[0], &env.csv("scores.csv")[1]);
    assert_eq!((ann["score"].as_str(), ann["passed"].as_str(), ann["tests"].as_str()), ("66.67", "2", "3"));
    assert_eq!((nil["score"].as_str(), nil["verdict"].as_str()), ("0", "error"));
    for column in ["wall_ms", "cpu_ms", "max_rss_kib"] {
        assert!(ann[column].parse::<u64>().is_ok(), "{column}: {ann:?}");
    }
}

#[test]
fn every_refusal_says_why() {
    let env = TestEnv::new()
        .task("double", DOUBLE_TASK)
        .agent("fine", DOUBLE_AGENT)
        .pipeline("validate: {max_bytes: 1KiB, forbid: ['\\beval\\(']}\n");
    env.write("inbox/notes.txt", "hello");
    env.write("inbox/Two Words.py", DOUBLE_AGENT);
    env.write("inbox/big.py", &"# long\n".repeat(1000));
    env.write("inbox/evil.py", "x = 1\nprint(eval('x'))\n");
    env.write("inbox/empty.py", "");
    env.write("inbox/twin.py", DOUBLE_AGENT);
    std::thread::sleep(std::time::Duration::from_millis(20));
    env.write("inbox/twin/agent.py", DOUBLE_AGENT);
    env.write("inbox/hollow/other.py", DOUBLE_AGENT);
    env.write("inbox/.hidden.py", "import numpy");
    fs::write(env.path("inbox/bytes.py"), b"x = '\xff'\n").unwrap();
    std::os::unix::fs::symlink("fine.py", env.path("inbox/link.py")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, env.path("inbox/pipe.py"), 0o600.into()).unwrap();
    env.run();

    let reasons: Vec<String> = env
        .csv("rejected.csv")
        .iter()
        .map(|line| format!("{} {} {}", line["file"], line["line"], line["reason"]))
        .collect();
    let expect = [
        ("Two Words.py", ""),
        ("big.py", "7000 bytes long; at most 1024"),
        ("bytes.py 1", "UTF-8"),
        ("empty.py", "is empty"),
        ("evil.py 2", "forbids"),
        ("hollow", "without agent.py"),
        ("link.py", "symbolic link"),
        ("notes.txt", "not a .py file"),
        ("pipe.py", "named pipe"),
        ("twin/agent.py", "names the same miner as twin.py"),
    ];
    assert_eq!(reasons.len(), expect.len(), "{reasons:#?}");
    for (found, (file, reason)) in reasons.iter().zip(expect) {
        assert!(found.starts_with(file) && found.contains(reason), "{found:?} is not {file:?} {reason:?}");
    }
    assert_eq!(env.rankings().into_keys().collect::<Vec<_>>(), ["fine", "twin"]);
}

#[test]
fn show_reads_the_results_back() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT).agent("nil", "x = 1\n");
    env.agentmill(&["show"]).code(2).complains(&["no results", "agentmill run"]);
    env.run();
    let (_, started) = env.starts(|| {
        env.agentmill(&["show"]).code(0).prints(&["ann", "nil", "image sha256:"]);
        env.agentmill(&["show", "ann"]).code(0).prints(&["ann: rank 1, score 100", "double"]);
        env.agentmill(&["show", "nil", "double"]).code(0).prints(&["the agent has no function double"]);
    });
    assert_eq!(started, [""; 0]);
    env.agentmill(&["show", "anne"]).code(2).complains(&["did you mean \"ann\"?"]);
    env.agentmill(&["show", "ann", "duble"]).code(2).complains(&["did you mean \"double\"?"]);
}

/// From cron, nobody would hear of it otherwise.
#[test]
fn refusals_are_told_by_the_exit_code_and_even_quietly() {
    let env =
        TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT).agent("bad", "import numpy\n");
    env.write("inbox/bob/agent.py", "import bank\n");
    env.write("inbox/bob/bank.py", "x = 1\n");
    env.write("inbox/Thumbs.db", "x");
    let told = |files: &str| {
        format!("agentmill: {files}; {} says why\n", env.path("results/rejected.csv").display())
    };
    let quiet = env.agentmill(&["--quiet", "run"]).code(1);
    assert_eq!(quiet.stderr, told("2 refused: bad.py, bob/agent.py"), "{quiet}");
    assert_eq!(quiet.stdout, "");
    env.agentmill(&["--quiet", "run"]).code(1).silent();
    env.drop_agent("bad", "import pandas\n");
    let quiet = env.agentmill(&["--quiet", "run"]).code(1);
    assert_eq!(quiet.stderr, told("1 refused: bad.py (2 in all)"), "{quiet}");
    let rejected = env.csv("rejected.csv");
    assert!(
        rejected[1]["reason"].contains("an agent is one file, and bank.py lies beside it"),
        "{rejected:?}"
    );
    env.remove("inbox/bad.py");
    fs::remove_dir_all(env.path("inbox/bob")).unwrap();
    assert_eq!(env.agentmill(&["--quiet", "run"]).code(0).stderr, "");
}

#[test]
fn a_withdrawal_is_told_once() {
    let env =
        TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT).agent("bob", DOUBLE_AGENT);
    env.run();
    env.remove("inbox/bob.py");
    env.run().prints(&["withdrawn: bob\n1. ann: 100"]);
    let later = env.run();
    assert!(!later.stdout.contains("withdrawn"), "{later}");
    env.agentmill(&["show", "bob"]).code(2).complains(&["bob has withdrawn", "show bob --history"]);
    env.remove("inbox/ann.py");
    let told = env.agentmill(&["run", "--json"]).code(0);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["withdrawn"], serde_json::json!(["ann"]));
}

/// A test of a task without a solution may be wrong; so every agent fails it.
#[test]
fn a_test_that_no_agent_passes_is_told() {
    let miners = ["ann", "bo", "cy", "di", "eve"];
    let env = TestEnv::new()
        .task("ggt", "prompt: p\ntests: [assert double(1) == 2, assert double(2) == 5]\n")
        .task("double", DOUBLE_TASK);
    let env = miners.iter().fold(env, |env, miner| env.agent(miner, DOUBLE_AGENT));
    let told = "test 2 of ggt: none of 5 agents passes it; a test may be wrong";
    env.run().complains(&[told]);
    env.agentmill(&["show", "--task", "ggt"]).code(0).prints(&[told]);
    assert!(!env.agentmill(&["show", "--task", "double"]).code(0).stdout.contains("none of"));
    env.remove("inbox/eve.py");
    let told = env.run();
    assert!(!told.stderr.contains("none of 4"), "{told}");
}
