//! A second `run` does only what changed.

mod ignorable;
mod testenv;

use ignorable::{plain, with_docker};
use std::process::ExitCode;
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv, anew};

fn main() -> ExitCode {
    ignorable::main_of([
        plain![
            only_what_changed_is_evaluated_again,
            a_copy_is_ranked_and_marked_and_earns_nothing,
            a_renamed_drop_form_is_no_change,
            samples_have_cells_and_seeds_of_their_own_and_none_is_made_twice,
            a_change_is_previewed_held_until_it_is_accepted_and_not_evaluated_twice
        ],
        with_docker![
            what_the_engine_kept_from_being_scored_is_tried_again,
            with_nothing_due_the_engine_is_not_asked
        ],
    ])
}

/// Never gives the same answer twice, so a run made anew shows in the report.
const MOODY: &str = "import os\ndef mood():\n    return os.urandom(8).hex()\n";

/// Fails with the answer in its message.
const MOOD: &str = "prompt: be happy\ntests:\n  - assert mood() == 'happy'\n";

fn moody(whose: &str) -> String {
    format!("{MOODY}# {whose}'s\n")
}

/// Runs that are made anew after `change`, as `miner task`.
fn anew_after(env: &TestEnv, change: impl FnOnce(&TestEnv)) -> Vec<String> {
    let before = env.traces();
    change(env);
    env.run();
    anew(&before, &env.traces())
}

fn only_what_changed_is_evaluated_again() {
    let env = TestEnv::new().task("one", MOOD).task("two", &MOOD.replace("happy", "merry"));
    let env = env.agent("ann", &moody("ann")).agent("ben", &moody("ben")).agent("bad", "import numpy\n");
    env.run().prints(&["1. ann: 0 (reward: 0 TAO)\n", "refused: bad.py line 1"]);

    let results = || {
        ["rankings.csv", "scores.csv", "rejected.csv", "history.csv"]
            .map(|name| env.read(&format!("results/{name}")))
    };
    let (before, (again, started)) = (results(), env.starts(|| env.run()));
    assert_eq!(started, [""; 0], "nothing changed");
    assert_eq!(results(), before);
    assert!(!again.stderr.contains("evaluating"), "{again}");

    let edit = |name: &'static str, text: String| move |env: &TestEnv| env.write(name, &text);
    let two = MOOD.replace("happy", "merry").replace("tests:", "# a comment\ntests:");
    assert_eq!(anew_after(&env, edit("tasks/two.yaml", two)), [""; 0], "a comment in a task");
    let two = MOOD.replace("happy", "glad");
    assert_eq!(anew_after(&env, edit("tasks/two.yaml", two)), ["ann two", "ben two"], "an edited task");
    assert_eq!(
        anew_after(&env, edit("inbox/ben.py", moody("Ben"))),
        ["ben one", "ben two"],
        "a changed agent"
    );
    assert_eq!(anew_after(&env, edit("inbox/cid.py", moody("cid"))), ["cid one", "cid two"], "another miner");
    let changed = anew_after(&env, edit("tasks/one.yaml", MOOD.to_owned() + "timeout: 9s\n"));
    assert_eq!(changed, ["ann one", "ben one", "cid one"], "another limit for a task");
    assert_eq!(
        anew_after(&env, edit("pipeline.yaml", "rewards: {pool: 5}\n".into())),
        [""; 0],
        "other rewards"
    );
    assert_eq!(
        anew_after(&env, edit("pipeline.yaml", "sandbox: {pids: 32}\n".into())).len(),
        6,
        "another limit for all"
    );

    let before = env.traces();
    env.agentmill(&["run", "--force"]).code(1);
    assert_eq!(anew(&before, &env.traces()).len(), 6, "--force");

    env.remove("inbox/ann.py");
    env.remove("inbox/bad.py");
    let (_, started) = env.starts(|| env.run());
    assert_eq!(started, [""; 0], "a removed file");
    assert_eq!(env.rankings().into_keys().collect::<Vec<_>>(), ["ben", "cid"]);
    assert!(env.csv("scores.csv").iter().all(|line| line["miner"] != "ann"));
    assert_eq!(env.csv("rejected.csv"), []);

    env.drop_agent("ann", &moody("ann"));
    let (_, started) = env.starts(|| env.run());
    assert_eq!(started, [""; 0], "a file that is back and was evaluated before");
    assert_eq!(env.rankings().len(), 3);
}

fn a_copy_is_ranked_and_marked_and_earns_nothing() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("zoe", DOUBLE_AGENT);
    env.run();
    env.drop_agent("abe", DOUBLE_AGENT);
    env.run().prints(&["1. zoe: 100 (reward: 100 TAO)\n", "1. abe: 100 (reward: 0 TAO) [copy of zoe]\n"]);
    let rankings = env.rankings();
    assert_eq!(rankings["abe"]["duplicate_of"], "zoe");
    assert_eq!((rankings["zoe"]["duplicate_of"].as_str(), rankings["zoe"]["reward"].as_str()), ("", "100"));
}

fn a_renamed_drop_form_is_no_change() {
    let env = TestEnv::new().task("mood", MOOD).agent("ann", MOODY);
    env.run();
    let made = anew_after(&env, |env| {
        env.remove("inbox/ann.py");
        env.write("inbox/ann/agent.py", MOODY);
    });
    assert_eq!(made, [""; 0]);
}

fn what_the_engine_kept_from_being_scored_is_tried_again() {
    let env = TestEnv::new().task("mood", MOOD).agent("ann", MOODY);
    let env = env.engine_script("test -e \"$AGENTMILL_TESTENV/broken\" && case \"$*\" in *label=agentmill=cell*) echo no luck >&2; exit 125;; esac");
    env.write("broken", "");
    env.agentmill(&["run"]).code(1).prints(&["-. ann: unscored\n"]);
    assert_eq!(env.csv("scores.csv")[0]["verdict"], "unscored");
    let ann = &env.rankings()["ann"];
    assert_eq!((&*ann["rank"], &*ann["score"], &*ann["unscored"], &*ann["reward"]), ("", "", "1", "0"));
    assert!(env.json("agents/ann.json")["runs"][0]["unscored"].as_str().unwrap().contains("no luck"));

    env.remove("broken");
    env.run().prints(&["1. ann: 0 (reward: 0 TAO)\n"]);
}

fn with_nothing_due_the_engine_is_not_asked() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    let env = env.engine_script("echo \"$1\" >> \"$AGENTMILL_TESTENV/asked\"");
    env.run();
    assert!(env.read("asked").contains("run"));
    assert!(!env.path("results/.cells").exists());
    env.remove("asked");
    env.run().prints(&["1. ann: 100"]);
    assert!(!env.path("asked").exists());

    // Left by one that was killed.
    env.write("results/.cells", "");
    env.run();
    assert_eq!(env.read("asked"), "version\nps\n", "is it there, and what is left of it");
    assert!(!env.path("results/.cells").exists());
}

/// Tells its seed and what follows from it, never says the same twice, and leaves what it can for the next one.
const SAMPLED: &str = "import os, random\nLEFT = []\ndef seed():\n    return os.environ['PYTHONHASHSEED'], random.random(), hash('x')\n\
    def mood():\n    return os.urandom(8).hex()\ndef left():\n    places = ['/tmp/left', '/dev/shm/left']\n\
    \x20   found = len(LEFT) + sum(map(os.path.exists, places))\n    LEFT.append(1)\n    for place in places:\n        open(place, 'w').close()\n\
    \x20   return found\n";

/// Messages of an agent's samples, in their order: the seed's and the mood's.
fn samples_of(env: &TestEnv, miner: &str) -> Vec<(String, String)> {
    let report = env.json(&format!("agents/{miner}.json"));
    let runs = report["runs"].as_array().unwrap();
    for (at, run) in runs.iter().enumerate() {
        assert_eq!(run["sample"].as_u64().unwrap_or(1), at as u64 + 1, "{run}");
        assert_eq!(run["tests"][2]["verdict"], "passed", "nothing is left of the others: {run}");
    }
    let message = |run: &serde_json::Value, test: usize| run["tests"][test]["message"].to_string();
    runs.iter().map(|run| (message(run, 0), message(run, 1))).collect()
}

fn samples_have_cells_and_seeds_of_their_own_and_none_is_made_twice() {
    let task = "prompt: p\ntests:\n  - assert seed() == 0\n  - assert mood() == 0\n  - assert left() == 0\n";
    let env = TestEnv::new()
        .task("t", task)
        .agent("ann", SAMPLED)
        .agent("ben", &(SAMPLED.to_owned() + "# ben's\n"));
    env.run();
    let first = samples_of(&env, "ann");
    let raise =
        |samples: u32| env.write("pipeline.yaml", &format!("stages: [{{name: all, samples: {samples}}}]\n"));

    raise(2);
    env.run();
    let [ann, ben] = ["ann", "ben"].map(|miner| samples_of(&env, miner));
    assert_eq!((&ann[..1], ann.len()), (&first[..], 2));
    assert_ne!(ann[0].0, ann[1].0, "another seed");
    let seeds =
        |samples: &[(String, String)]| samples.iter().map(|(seed, _)| seed.clone()).collect::<Vec<_>>();
    assert_eq!(seeds(&ann), seeds(&ben), "the same for everybody");

    // Killed in the middle of the new ones, it makes them all the same.
    raise(4);
    let run = env.start(&["run"]);
    let is_at_work = || env.containers().iter().any(|name| name.contains("-cell-"));
    testenv::wait_until("a cell is there", is_at_work);
    run.signal(rustix::process::Signal::KILL);
    run.wait();
    env.run();
    for (miner, before) in [("ann", ann), ("ben", ben)] {
        let now = samples_of(&env, miner);
        assert_eq!((&now[..2], now.len()), (&before[..], 4));
        assert_eq!(env.rankings()[miner]["k"], "4");
    }
    let (_, started) = env.starts(|| env.run());
    assert_eq!(started, [""; 0], "all is done");
}

/// Bytes of all files that are published.
fn published(env: &TestEnv) -> Vec<String> {
    let files =
        ["rankings.csv", "rankings.json", "scores.csv", "history.csv", "index.html", "agents/ann.json"];
    files.iter().map(|name| env.read(&format!("results/{name}"))).collect()
}

fn a_change_is_previewed_held_until_it_is_accepted_and_not_evaluated_twice() {
    let env = TestEnv::new()
        .pipeline("changes: hold\n")
        .task("one", MOOD)
        .task("two", &MOOD.replace("happy", "merry"));
    let env = env.agent("ann", &moody("ann")).agent("ben", "def mood():\n    return 'happy'\n");
    env.run().prints(&["1. ben: 50"]);
    env.run();
    env.agentmill(&["accept"]).code(2).complains(&["there is no finished preview"]);

    // Held: nothing is evaluated, nothing published.
    let before = published(&env);
    env.write("tasks/one.yaml", &MOOD.replace("happy", "glad"));
    let held = env.agentmill(&["run"]).code(2);
    held.complains(&["not accepted (task (one))", "`agentmill preview`"]);
    assert_eq!(published(&env), before);

    // Shown beside, for those who have come since, too; one that was killed counts for nothing.
    env.drop_agent("cid", &moody("cid"));
    let killed = env.start(&["preview"]);
    testenv::wait_until("the preview has begun", || env.path("results/.preview/agents/ann.json").exists());
    killed.signal(rustix::process::Signal::KILL);
    killed.wait();
    env.agentmill(&["accept"]).code(2).complains(&["there is no finished preview"]);
    let lock = agentmill::workspace::Workspace::open(env.dir()).unwrap().lock().unwrap();
    env.agentmill(&["preview"]).code(75);
    env.agentmill(&["accept"]).code(75);
    drop(lock);
    let shown = env.agentmill(&["preview"]).code(0);
    shown.prints(&[
        "changed: task (one)\n",
        "ann: rank 2 -> 1, score 0, by others\n",
        "ben: rank 1, score 50 -> 0, by task: one 100 -> 0\n",
        "cid: rank - -> 1, score - -> 0, by submission\n",
        "ben: reward 100 -> 0\n",
        "3 of 3 agents would move\n",
    ]);
    assert_eq!(published(&env), before);
    let evaluated = |name: &str| env.json(name)["runs"].to_string();
    let previewed = ["ann", "cid"].map(|miner| evaluated(&format!(".preview/agents/{miner}.json")));

    // Stale: the task is another one by now.
    env.write("tasks/one.yaml", &MOOD.replace("happy", "calm"));
    env.agentmill(&["accept"]).code(2).complains(&["changed since the preview: task (one)"]);
    env.write("tasks/one.yaml", &MOOD.replace("happy", "glad"));
    env.agentmill(&["accept"]).code(0).prints(&["1. ann: 0", "1. cid: 0"]);
    assert_eq!(["ann", "cid"].map(|miner| evaluated(&format!("agents/{miner}.json"))), previewed);
    assert!(!env.path("results/.preview").exists());
    let causes: Vec<_> = env
        .csv("history.csv")
        .iter()
        .map(|line| format!("{} {} {}", line["miner"], line["score"], line["cause"]))
        .collect();
    assert_eq!(causes[..2], ["ben 50 submission", "ann 0 submission"]);
    let mut last = causes[2..].to_vec();
    last.sort();
    assert_eq!(last, ["ben 0 task", "cid 0 submission"]);
    env.run();
    assert_eq!(["ann", "cid"].map(|miner| evaluated(&format!("agents/{miner}.json"))), previewed);

    env.remove("inbox/cid.py");
    env.agentmill(&["preview"]).code(0).prints(&["cid: rank 1 -> -", "1 of 3 agents would move\n"]);
    env.run();
    let last = env.csv("history.csv").pop().unwrap();
    assert_eq!([&last["miner"], &last["score"], &last["cause"]], ["cid", "", "withdrawal"]);
}
