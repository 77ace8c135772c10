//! A season by the real binary: what counts, what is refused, and which submission is ranked.

mod testenv;

use agentmill::serve::Server;
use agentmill::ui::Events;
use agentmill::workspace::Workspace;
use jiff::{SignedDuration, Timestamp};
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, Finished, TestEnv};

const HALF: &str = "def double(x):\n    return 4\n";
const OTHER_HALF: &str = "def double(x):\n    return 'aa'\n";

fn pipeline(season: &str) -> String {
    format!("rewards: none\nseason: {season}\n")
}

fn env(season: &str) -> TestEnv {
    TestEnv::new().pipeline(&pipeline(season)).task("double", DOUBLE_TASK)
}

/// A time so many hours from now, as pipeline.yaml has it.
fn hours(from_now: i64) -> String {
    (Timestamp::now() + SignedDuration::from_hours(from_now)).to_string()
}

fn submit(env: &TestEnv, source: &str) -> Finished {
    env.write("new.py", source);
    env.agentmill(&["submit", env.path("new.py").to_str().unwrap(), "--miner", "ann"])
}

/// Reasons in `rejected.csv`.
fn rejected(env: &TestEnv) -> Vec<String> {
    env.csv("rejected.csv").iter().map(|line| line["reason"].clone()).collect()
}

#[test]
fn surplus_ones_are_refused_at_the_door_and_in_the_inbox_and_the_last_that_counted_stands() {
    let env = env("{submissions: {total: 2}}");
    submit(&env, HALF).code(0);
    // What is refused, and the same again, take no place.
    submit(&env, "import numpy\n").code(2);
    submit(&env, "def double(x)\n").code(2).complains(&["line 1: this submission is not valid Python"]);
    submit(&env, HALF).code(0).prints(&["unchanged"]);
    submit(&env, DOUBLE_AGENT).code(0).prints(&["accepted"]);
    submit(&env, OTHER_HALF).code(2).complains(&["is one too many: 2 submissions count in all"]);
    env.run().prints(&["1. ann: 100\n"]);
    // A return to what was given up takes a place, too.
    submit(&env, HALF).code(2).complains(&["is one too many"]);
    env.drop_agent("ann", OTHER_HALF);
    env.run().prints(&["1. ann: 100\n", "refused: ann.py: is one too many: 2 submissions count in all"]);
    assert_eq!(rejected(&env).len(), 1);
    env.remove("results/agents/ann.json");
    std::fs::remove_dir_all(env.path("results/reports")).unwrap();
    env.run().prints(&["1. ann: 100\n"]);
    assert_eq!(env.json("agents/ann.json")["sha256"].as_str().unwrap(), env.rankings()["ann"]["sha256"]);
    // Withdrawn is withdrawn.
    env.remove("inbox/ann.py");
    env.run();
    assert_eq!(env.csv("rankings.csv").len(), 0);
}

#[test]
fn early_ones_count_once_the_season_opens() {
    let env = env(&format!("{{opens: {}}}", hours(2))).agent("ann", DOUBLE_AGENT);
    env.run();
    assert!(rejected(&env)[0].starts_with("is early: submissions count from 20"), "{:?}", rejected(&env));
    assert_eq!(env.csv("rankings.csv").len(), 0);
    submit(&env, HALF).code(2).complains(&["this submission is early"]);
    env.write("pipeline.yaml", &pipeline(&format!("{{opens: {}}}", hours(-2))));
    env.run().prints(&["1. ann: 100\n"]);
    assert_eq!(rejected(&env), [""; 0]);
}

#[test]
fn late_ones_are_refused_and_an_extension_lets_one_count() {
    let closes = format!("{{closes: {}}}", hours(-2));
    let env = env(&closes).agent("ann", DOUBLE_AGENT).agent("bo", DOUBLE_AGENT);
    env.run();
    assert!(rejected(&env).iter().all(|reason| reason.starts_with("is late: ")), "{:?}", rejected(&env));
    env.write("extensions.yaml", &format!("ann: {{closes: {}}}\n", hours(2)));
    env.run().prints(&["1. ann: 100\n"]);
    assert_eq!(env.rankings().into_keys().collect::<Vec<_>>(), ["ann"]);
    env.write("extensions.yaml", &format!("ann: {{closes: {}}}\n", hours(-3)));
    env.agentmill(&["run"])
        .code(2)
        .complains(&["extensions.yaml:1:15: ann.closes: must be after season.closes"]);
}

/// Files of a learning platform, copied days after the close.
#[test]
fn copied_files_came_when_extensions_yaml_says_and_nothing_is_submitted_by_that() {
    let late = format!("{{closes: {}, late: {{until: {}, per_day: 10%}}}}", hours(-100), hours(-50));
    let env = env(&late).agent("ann", DOUBLE_AGENT).agent("bo", HALF);
    env.run();
    assert!(rejected(&env).iter().all(|reason| reason.starts_with("is late: ")), "{:?}", rejected(&env));
    let received = format!("ann: {{received: {}}}\nbo: {{received: {}}}\n", hours(-101), hours(-90));
    env.write("extensions.yaml", &received);
    env.run().prints(&["1. ann: 100\n", "2. bo: 45 [10% off for coming late]\n"]);
    let shown = env.agentmill(&["show", "bo", "--history"]).code(0);
    shown.prints(&["stands  10% off for coming late; came then by extensions.yaml"]);
    submit(&env, OTHER_HALF).code(2).complains(&["is late: "]);
    env.write("extensions.yaml", "ann: {received: 1999-03-09T00:00Z}\n");
    env.agentmill(&["check"]).code(2).complains(&["extensions.yaml:1:17: ann.received: expected a year"]);
}

#[test]
fn late_days_cost_their_share_of_the_score() {
    let late = format!("{{closes: {}, late: {{until: {}, per_day: 15%}}}}", hours(-30), hours(2));
    let env = env(&late).agent("ann", DOUBLE_AGENT);
    env.run().prints(&["1. ann: 70 [30% off for coming late]\n"]);
    let line = &env.rankings()["ann"];
    assert_eq!((line["score"].as_str(), line["penalty"].as_str()), ("70", "30"));
    assert_eq!(env.csv("scores.csv")[0]["score"], "100", "of the run");
    env.agentmill(&["show", "ann"])
        .code(0)
        .prints(&["30% off for coming late", "\nlate: 100 less 30%, as it came 1 day 6 h after 20"]);
    let agent = env.path("inbox/ann.py");
    let again = ["submit", agent.to_str().unwrap(), "--miner", "ann", "--wait"];
    env.agentmill(&again).code(0).prints(&["ann: 70 (rank 1", "), 30% off for coming late\n"]);
    let exported = env.agentmill(&["export", "gradescope"]).code(0);
    exported.prints(&["\"output\":\"30% off for coming late\""]);
}

/// The first submission is put back before the close, and nothing looks until it is over.
#[test]
fn a_return_before_the_close_is_in_time_whenever_run_looks() {
    let late = format!("late: {{until: {}, per_day: 15%}}", hours(2));
    let env = env(&format!("{{closes: {}, counts: last, {late}}}", hours(1)));
    for source in [DOUBLE_AGENT, HALF] {
        env.drop_agent("ann", source);
        env.run();
    }
    env.drop_agent("ann", DOUBLE_AGENT);
    let now = Timestamp::now();
    env.write("pipeline.yaml", &pipeline(&format!("{{closes: {now}, counts: last, {late}}}")));
    env.run().prints(&["1. ann: 100\n"]);
    env.write("pipeline.yaml", &pipeline(&format!("{{closes: {now}, counts: last}}")));
    env.run().prints(&["1. ann: 100\n"]);
    assert_eq!(rejected(&env), [""; 0]);
}

#[test]
fn the_last_valid_one_stands_whatever_lies_in_the_inbox() {
    let env = env("{counts: last_valid}").agent("ann", HALF);
    env.run();
    for bad in ["import numpy\n", "def double(x)\n    return 2 * x\n", "nonlocal x\n"] {
        env.drop_agent("ann", bad);
        env.run().prints(&["1. ann: 50\n", "refused: ann.py line 1"]);
        env.run().prints(&["1. ann: 50\n", "refused: ann.py line 1"]);
    }
    env.drop_agent("ann", DOUBLE_AGENT);
    env.run().prints(&["1. ann: 100\n"]);
    env.write("pipeline.yaml", &pipeline("{counts: last, submissions: {total: 9}}"));
    env.drop_agent("ann", "import numpy\n");
    env.run();
    assert_eq!(env.csv("rankings.csv").len(), 0, "what lies there is what counts");
}

#[test]
fn the_best_one_is_ranked_and_another_one_if_the_tasks_change() {
    let env = env("{counts: best}").agent("ann", DOUBLE_AGENT);
    env.run();
    for (source, score) in [(HALF, "100"), (OTHER_HALF, "100")] {
        env.drop_agent("ann", source);
        env.run();
        assert_eq!(env.score("ann").unwrap(), score);
    }
    let shown = |source: &str| {
        let sha256 = agentmill::util::digest::sha256(source.as_bytes());
        assert_eq!(env.rankings()["ann"]["sha256"], sha256);
        assert_eq!(env.json("agents/ann.json")["sha256"], sha256.as_str());
    };
    shown(DOUBLE_AGENT);
    env.write("tasks/double.yaml", "prompt: four\ntests: [assert double(1) == 4]\n");
    env.run().prints(&["1. ann: 100\n"]);
    shown(HALF);
    // Known reports are enough: nothing is run again.
    let before = env.traces();
    env.run();
    assert_eq!(env.traces(), before);
}

#[test]
fn one_that_is_not_the_best_is_evaluated_and_its_miner_is_told_its_score_and_its_runs() {
    let env = env("{counts: best}").agent("ann", DOUBLE_AGENT);
    env.run();
    submit(&env, HALF).code(0);
    env.run();
    let told = |score: &str| {
        let new = env.path("new.py");
        let args = ["submit", new.to_str().unwrap(), "--miner", "ann", "--wait", "--patience", "5"];
        let line = format!("ann: {score}: your best one stands with 100 (rank 1)");
        env.agentmill(&args).code(0).prints(&["unchanged", &line, "  double: failed 50\n"]);
    };
    told("50");
    // Again by another process, and with the results of one that did not tell it.
    env.run();
    told("50");
    let mut rankings = env.json("rankings.json");
    let fields = rankings.as_object_mut().unwrap();
    assert_eq!(fields.remove("evaluated").unwrap()[0]["in_inbox"], true);
    fields.insert("made_of".to_owned(), "older".into());
    env.write("results/rankings.json", &rankings.to_string());
    env.run();
    told("50");
    // Put there by hand, and as good as another.
    env.drop_agent("ann", OTHER_HALF);
    env.run();
    let digest = |source: &str| agentmill::util::digest::sha256(source.as_bytes());
    let (best, half, other) = (digest(DOUBLE_AGENT), digest(HALF), digest(OTHER_HALF));
    env.agentmill(&["show", "ann"]).code(0).prints(&[
        &format!(
            "submission in the inbox, {}, was evaluated, and an earlier one stands: score 50",
            &other[..12]
        ),
        &format!("sha256 {best}"),
    ]);
    let workspace = Workspace::open(env.dir()).unwrap();
    let server =
        Server::start(&workspace, Some("127.0.0.1:0".parse().unwrap()), &Events::channel().0).unwrap();
    let get = |path: &str| -> serde_json::Value {
        let url = format!("http://{}/{path}", server.address());
        serde_json::from_str(&ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap()).unwrap()
    };
    let ann = get("agents/ann");
    assert_eq!((&ann["state"], &ann["ranking"]["sha256"]), (&"evaluated".into(), &best.into()));
    let own = &ann["own"];
    assert_eq!((&own["evaluated_sha256"], &own["evaluated"]["score"]), (&other.clone().into(), &50.0.into()));
    assert_eq!(own["runs"][0]["score"], 50.0);
    for (sha256, state) in [(other, "evaluated"), (half, "replaced")] {
        let one = &get(&format!("submissions/{sha256}"))["submissions"][0];
        assert_eq!((&one["state"], &one["evaluated"]["score"]), (&state.into(), &50.0.into()));
    }
    assert_eq!(get("rankings")["evaluated"], serde_json::Value::Null, "nobody else's");
}

/// Column of the states, and what follows it, of a history.
fn fates(env: &TestEnv) -> Vec<String> {
    let shown = env.agentmill(&["show", "ann", "--history"]).code(0).stdout;
    let fate = |line: &str| line.split_whitespace().skip(6).collect::<Vec<_>>().join(" ");
    shown.lines().skip(1).map(fate).collect()
}

#[test]
fn a_history_tells_what_became_of_each_submission() {
    let env = env("{counts: best, submissions: {total: 2}}").agent("ann", DOUBLE_AGENT);
    env.run();
    for source in ["import numpy\n", HALF, OTHER_HALF] {
        env.drop_agent("ann", source);
        env.run();
    }
    let refused = "refused line 1: imports numpy; only Python 3.11's standard library is available";
    let counted = fates(&env);
    assert_eq!([&counted[0], &counted[1], &counted[2]], ["100 stands", "- refused", "50 evaluated"]);
    assert!(
        counted[3].starts_with("- not counted is one too many: 2 submissions count in all"),
        "{counted:?}"
    );
    env.drop_agent("ann", "import numpy\n");
    env.run();
    assert!(fates(&env)[1].starts_with(&format!("- {}", &refused[..30])), "{:?}", fates(&env));
    env.write(
        "pipeline.yaml",
        &pipeline(&format!("{{closes: {}, late: {{until: {}, per_day: 15%}}}}", hours(-30), hours(2))),
    );
    env.drop_agent("ann", DOUBLE_AGENT);
    env.run();
    let of_each = fates(&env);
    assert_eq!(of_each[0], "100 replaced 30% off for coming late");
    assert_eq!(of_each.last().unwrap(), "70 stands 30% off for coming late", "a return is one of its own");
    env.remove("inbox/ann.py");
    env.run();
    assert!(fates(&env).iter().any(|fate| fate.contains("withdrawn")), "{:?}", fates(&env));
}

#[test]
fn a_history_has_a_line_for_each_return_and_says_which_one_came_late() {
    let env = env("{counts: last}");
    for source in [HALF, DOUBLE_AGENT] {
        env.drop_agent("ann", source);
        env.run();
    }
    env.drop_agent("ann", HALF);
    let closes = Timestamp::now();
    env.run();
    env.drop_agent("ann", DOUBLE_AGENT);
    let late = format!("{{closes: {closes}, late: {{until: {}, per_day: 15%}}}}", hours(2));
    env.write("pipeline.yaml", &pipeline(&late));
    env.run().prints(&["1. ann: 85 [15% off"]);
    let before = ["50 replaced", "100 replaced", "50 replaced"];
    let fates_now = fates(&env);
    assert_eq!(fates_now[..3], before);
    assert_eq!(fates_now[3..], ["85 stands 15% off for coming late"]);
    let told = env.agentmill(&["show", "ann", "--history", "--json"]).code(0).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let penalties = told.as_array().unwrap().iter().map(|one| one["penalty"].as_f64());
    assert_eq!(penalties.collect::<Vec<_>>(), [Some(0.0), Some(0.0), Some(0.0), Some(15.0)]);
    // Without late days the return does not count.
    env.write("pipeline.yaml", &pipeline(&format!("{{closes: {closes}}}")));
    env.run().prints(&["1. ann: 50\n"]);
    let fates_now = fates(&env);
    assert_eq!(fates_now[..3], ["50 replaced", "100 replaced", "50 stands"]);
    assert!(fates_now[3].contains("not counted is late: "), "{fates_now:?}");
    env.drop_agent("ann", HALF);
    env.run();
    let fates_now = fates(&env);
    assert_eq!(
        [&fates_now[2], &fates_now[4]],
        ["50 stands", "- stood already"],
        "nothing that comes late stands"
    );
}

#[test]
fn an_upload_is_refused_before_it_is_taken_with_the_time_when_the_next_one_counts() {
    // Noon, wherever that is now: no midnight passes while this works.
    let hour = Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).hour();
    let opens = format!("2026-01-01T00:00:00{:+03}:00", 12 - hour);
    let env = env(&format!("{{opens: '{opens}', submissions: {{per_day: 1}}}}"));
    let workspace = Workspace::open(env.dir()).unwrap();
    let serve =
        || Server::start(&workspace, Some("127.0.0.1:0".parse().unwrap()), &Events::channel().0).unwrap();
    let put = |server: &Server, source: &str| {
        let agent = ureq::Agent::from(ureq::Agent::config_builder().http_status_as_error(false).build());
        let url = format!("http://{}/upload/agent?miner_id=ann", server.address());
        let mut answer = agent.put(&url).header("content-type", "text/x-python").send(source).unwrap();
        let wait =
            answer.headers().get("retry-after").map(|value| value.to_str().unwrap().parse::<u64>().unwrap());
        (answer.status().as_u16(), wait, answer.body_mut().read_to_string().unwrap())
    };
    let server = serve();
    assert_eq!(put(&server, HALF).0, 201);
    assert_eq!(put(&server, HALF).0, 200);
    let url = format!("http://{}/agents/ann", server.address());
    let view: serde_json::Value =
        serde_json::from_str(&ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap()).unwrap();
    let limits = &view["own"]["limits"];
    assert_eq!((limits["today"].as_u64(), limits["total"].as_u64()), (Some(0), None), "{view}");
    assert!(limits["next"].as_str().unwrap().parse::<Timestamp>().unwrap() > Timestamp::now());
    drop(server);
    let server = serve();
    let (status, wait, said) = put(&server, DOUBLE_AGENT);
    assert_eq!(status, 429, "{said}");
    assert!(wait.is_some_and(|seconds| (10 * 3600..13 * 3600).contains(&seconds)), "{wait:?}");
    assert!(
        said.contains("is one too many: 1 submission counts on a day; the next one counts from 20"),
        "{said}"
    );
    assert_eq!(env.read("inbox/ann.py"), HALF);
    assert_eq!(std::fs::read_dir(env.path("results/submissions")).unwrap().count(), 1);
    env.write("pipeline.yaml", &pipeline(&format!("{{closes: {}}}", hours(-1))));
    let workspace = Workspace::open(env.dir()).unwrap();
    server.update(&workspace);
    let (status, wait, said) = put(&server, DOUBLE_AGENT);
    assert_eq!((status, wait), (403, None), "{said}");
}

#[test]
fn what_lies_in_the_inbox_counts_while_watch_works_as_soon_as_it_may() {
    let opens = (Timestamp::now() + SignedDuration::from_secs(8)).to_string();
    let env = env(&format!("{{opens: {opens}}}")).agent("ann", DOUBLE_AGENT);
    let daemon = env.watch();
    testenv::wait_until("the season is open, and ann is ranked", || {
        env.score("ann").as_deref() == Some("100")
    });
    assert!(Timestamp::now() > opens.parse::<Timestamp>().unwrap());
    daemon.end();
}

#[test]
fn a_frozen_board_stands_still_until_it_is_revealed() {
    let env = TestEnv::new().pipeline("board: public\n").task("double", DOUBLE_TASK).agent("ann", HALF);
    env.run();
    let board = |from: i64, until: i64| {
        format!("board: {{sight: public, freeze_from: {}, reveal_at: {}}}\n", hours(from), hours(until))
    };
    env.write("pipeline.yaml", &board(-2, 2));
    submit(&env, DOUBLE_AGENT).code(0);
    env.run().prints(&["the board is frozen until 20"]);
    assert_eq!(env.score("ann").unwrap(), "100", "the organiser's files go on");
    let shown = || {
        let workspace = Workspace::open(env.dir()).unwrap();
        let listen = Some("127.0.0.1:0".parse().unwrap());
        let server = Server::start(&workspace, listen, &Events::channel().0).unwrap();
        let get = |path: &str| {
            let url = format!("http://{}/{path}", server.address());
            ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap()
        };
        let read = |path: &str| -> serde_json::Value { serde_json::from_str(&get(path)).unwrap() };
        let [rankings, ann] = ["rankings", "agents/ann"].map(read);
        let is_frozen = rankings.get("frozen").is_some();
        // Until a time, in seconds.
        assert_eq!(get("").contains("id=\"data\">{\"frozen\":1"), is_frozen);
        if is_frozen && ann["own"]["submission"]["sha256"] == env.rankings()["ann"]["sha256"] {
            // Its miner waits for no place, and is told the rest.
            let sent = read(&format!("submissions/{}", env.rankings()["ann"]["sha256"]));
            for told in [&ann["own"]["evaluated"], &sent["submissions"][0]["evaluated"]] {
                assert_eq!(told["score"], 100.0, "{ann} {sent}");
            }
            let states = [&ann["state"], &sent["submissions"][0]["state"]];
            assert_eq!((states, &ann["frozen"]), ([&"evaluated".into(); 2], &true.into()));
        }
        let scores = [&rankings["rankings"][0]["score"], &ann["ranking"]["score"]]
            .map(|score| score.as_f64().unwrap());
        (scores, get("").contains(&env.rankings()["ann"]["sha256"]))
    };
    assert_eq!(shown(), ([50.0, 50.0], false));
    env.agentmill(&["show"]).code(0).prints(&["the board is frozen from "]);
    let told = env.agentmill(&["show", "ann", "--as-miner"]).code(0);
    told.prints(&["ann: 100; the board is frozen: no place is told for now"]);
    env.run();
    assert_eq!(shown(), ([50.0, 50.0], false), "nor does another publication show anything");
    let text = env.read("pipeline.yaml");
    let (before, _) = text.split_once("reveal_at").unwrap();
    env.write("pipeline.yaml", &format!("{before}reveal_at: {}}}\n", hours(-1)));
    assert_eq!(shown(), ([100.0, 100.0], true));
    env.agentmill(&["reveal"]).code(2).complains(&["the board does not stand still"]);

    // Another freeze, which a command ends.
    env.write("pipeline.yaml", &board(-3, 2));
    env.drop_agent("ann", OTHER_HALF);
    env.run();
    assert_eq!(shown(), ([100.0, 100.0], false));
    env.agentmill(&["reveal"]).code(0).prints(&["revealed"]);
    assert_eq!(shown(), ([50.0, 50.0], true));
    env.agentmill(&["reveal"]).code(2);
}
