//! `export`: the results in formats of others, read back as others would.

mod testenv;

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};
use testenv::TestEnv;

const TASK: &str = "prompt: double it\ntests:\n  - {name: two, public: true, assert: double(2) == 4}\n  - {name: =text, weight: 3, assert: double('a') == 'aa'}\n";

/// Fails with words that no format may take as they are.
const HOSTILE: &str =
    "def double(x):\n    if x == 2: return 4\n    raise ValueError('\\x00\\x1b]]><b>&\"\\ufffe,\\n=1')\n";

/// Ann is ranked, bo is absent, eve is refused; the teacher's own agent is on no list.
fn course() -> TestEnv {
    let env = TestEnv::new()
        .pipeline("roster: students.csv\nrewards: none\n")
        .task("week1/double", TASK)
        .agent("ann", HOSTILE)
        .agent("eve", "import numpy\n")
        .agent("teacher", "def double(x):\n    return x * 2\n");
    env.write("students.csv", "id,name,group\nann,\"Ann, <Lee>\",A\nbo,Bo Ray,B\neve,Eve,\n");
    env.run();
    env
}

fn exported(env: &TestEnv, format: &str) -> String {
    env.agentmill(&["export", format]).code(0).stdout
}

#[test]
fn gradescope_gets_a_result_for_everybody() {
    let env = course();
    let results: Vec<Value> =
        exported(&env, "gradescope").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<&Value> = results.iter().map(|result| &result["extra_data"]["id"]).collect();
    assert_eq!(ids, ["ann", "bo", "eve", "teacher"]);
    let (ann, bo, eve) = (&results[0], &results[1], &results[2]);
    assert_eq!((&ann["score"], &ann["extra_data"]["name"]), (&json!(25.0), &json!("Ann, <Lee>")));
    let tests: Vec<_> = ann["tests"].as_array().unwrap().iter().collect();
    assert_eq!(
        [&tests[0]["status"], &tests[0]["visibility"], &tests[1]["status"], &tests[1]["visibility"]],
        ["passed", "visible", "failed", "hidden"]
    );
    assert_eq!((&tests[1]["score"], &tests[1]["max_score"]), (&json!(0.0), &json!(3.0)));
    assert_eq!((&bo["score"], &bo["output"]), (&json!(0.0), &json!("nothing was submitted")));
    let refused = "refused: line 1: imports numpy";
    assert!(eve["output"].as_str().unwrap().starts_with(refused), "{eve}");

    assert_eq!((&ann["visibility"], &ann["leaderboard"]), (&json!("visible"), &json!([])));
    // Gradescope shows its leaderboard to the whole class.
    let private = env.read("pipeline.yaml");
    env.write("pipeline.yaml", &format!("{private}board: public\n"));
    let results = exported(&env, "gradescope");
    let ann: Value = serde_json::from_str(results.lines().next().unwrap()).unwrap();
    assert_eq!(ann["leaderboard"][0]["value"], json!(25.0));

    let folder = env.path("grades");
    let out = folder.to_str().unwrap();
    env.agentmill(&["export", "gradescope", "--out", out]).code(0).prints(&["wrote 4 files in "]);
    let bo: Value = serde_json::from_str(&env.read("grades/bo.json")).unwrap();
    assert_eq!(bo["extra_data"]["state"], "absent");

    // Nothing is shown to students but that they were evaluated; the staff's gradebook has the score.
    env.write(
        "pipeline.yaml",
        "roster: students.csv\nrewards: none\nboard: public\nstages: [{name: all, tasks: ['**'], feedback: none}]\n",
    );
    let results = exported(&env, "gradescope");
    let ann: Value = serde_json::from_str(results.lines().next().unwrap()).unwrap();
    assert_eq!((&ann["visibility"], &ann["leaderboard"]), (&json!("hidden"), &json!([])));
    assert_eq!(ann["score"], json!(25.0));
    let bo: Value = serde_json::from_str(results.lines().nth(1).unwrap()).unwrap();
    assert_eq!((&bo["visibility"], &bo["output"]), (&json!("visible"), &json!("nothing was submitted")));
    let board = exported(&env, "kaggle");
    let ranks: Vec<_> = board.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(ranks, [""; 4]);
    assert!(!board.contains(",25,") && !board.contains(",100,"), "{board}");
}

#[test]
fn junit_is_sound_xml_whatever_an_agent_says() {
    let env = course();
    let xml = exported(&env, "junit");
    let (mut reader, mut counts) = (Reader::from_str(&xml), BTreeMap::<String, usize>::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                *counts.entry(tag.name().as_ref().to_owned()).or_default() += 1;
                tag.attributes().for_each(|attribute| drop(attribute.unwrap()));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let count = |name: &str| counts.get(name).copied().unwrap_or_default();
    assert_eq!([count("testsuite"), count("testcase"), count("failure"), count("skipped")], [4, 6, 1, 2]);
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\""), "{xml}");
    assert!(xml.contains("<skipped message=\"nothing was submitted\"/>"), "{xml}");
    assert!(xml.contains("skipped=\"1\" time=\"0.000\"") && !xml.contains("=\"-"), "{xml}");
    assert!(xml.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{fffe}'), "{xml:?}");
}

#[test]
fn csv_has_a_line_for_each_test_and_for_everybody_without() {
    let env = course();
    let text = exported(&env, "csv-long");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let lines: Vec<BTreeMap<String, String>> = reader.deserialize().collect::<Result<_, _>>().unwrap();
    let column = |name: &str| lines.iter().map(|line| line[name].as_str()).collect::<Vec<_>>();
    assert_eq!(column("miner"), ["ann", "ann", "bo", "eve", "teacher", "teacher"]);
    assert_eq!(column("state")[2..4], ["absent", "refused"]);
    assert_eq!(column("test")[..3], ["two", "'=text", ""]);
    assert_eq!(column("verdict")[..3], ["passed", "error", ""]);
    assert_eq!((column("earned")[1], column("weight")[1], column("score")[0]), ("0", "3", "25"));
}

#[test]
fn a_gradebook_has_a_line_for_each_student_and_a_column_for_each_task() {
    let env = course().task("week1/10", TASK).task("week1/2", TASK);
    env.write("students.csv", "id,name\neve,Eve\nann,\"Ann, <Lee>\"\nbo,=Bo Ray\n");
    env.run();
    let text = exported(&env, "gradebook");
    let expected = "id,name,week1/2,week1/10,week1/double,total,late,state\n\
                    eve,Eve,,,,,,refused\n\
                    ann,\"Ann, <Lee>\",25,25,25,25,,ranked\n\
                    bo,'=Bo Ray,,,,,,absent\n\
                    teacher,,100,100,100,100,,ranked\n";
    assert_eq!(text, expected);
    env.agentmill(&["export", "gradebook", "--out", "marks.csv"])
        .code(2)
        .complains(&["for the file marks.csv write `> marks.csv`"]);
    env.agentmill(&["export", "gradebook", "--out", env.path("out").to_str().unwrap()])
        .code(0)
        .prints(&["gradebook.csv"]);
}

/// Other systems find nobody by `s-77` whom they know as `S-77`.
#[test]
fn ids_are_those_of_the_roster_with_their_capitals() {
    let env = course();
    env.write("students.csv", "id,name\nANN,Ann Lee\nS-77,Cy\n");
    env.run();
    let ids = |format, places: &[usize]| {
        let text = exported(&env, format);
        let cells = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            places.iter().map(|place| cells[*place].to_owned()).collect::<Vec<_>>().join(" ")
        };
        text.lines().skip(1).map(cells).collect::<Vec<_>>()
    };
    assert_eq!(ids("gradebook", &[0]), ["ANN", "S-77", "teacher", "eve"]);
    assert_eq!(ids("csv-long", &[0]), ["ANN", "ANN", "S-77", "teacher", "teacher", "eve"]);
    assert_eq!(ids("kaggle", &[1, 6])[..2], ["teacher teacher", "ANN ANN"]);
    assert!(exported(&env, "junit").contains("<testsuite name=\"S-77\""));
    env.agentmill(&["export", "gradescope", "--out", env.path("grades").to_str().unwrap()]).code(0);
    assert!(env.read("grades/S-77.json").contains("\"id\": \"S-77\""));
}

#[test]
fn kaggles_leaderboard_is_by_rank() {
    let env = course();
    let folder = env.path("out");
    env.agentmill(&["export", "kaggle", "--out", folder.to_str().unwrap()])
        .code(0)
        .prints(&["leaderboard.csv"]);
    let text = env.read("out/leaderboard.csv");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Rank,TeamId,TeamName,LastSubmissionDate,Score,SubmissionCount,TeamMemberUserNames");
    assert!(lines[1].starts_with("1,teacher,teacher,20") && lines[1].ends_with(",100,1,teacher"), "{text}");
    assert!(lines[2].starts_with("2,ann,\"Ann, <Lee>\",20") && lines[2].ends_with(",25,1,ann"), "{text}");
    assert_eq!(lines[3..], [",bo,Bo Ray,,,0,bo", ",eve,Eve,,,1,eve"]);
}

/// The points of what passed don't add up else.
#[test]
fn a_passed_case_of_a_lost_subtask_is_said_to_be_worth_nothing() {
    let task = "prompt: p\ncases:\n  - {folder: q/all, weight: 10, all_or_nothing: true, public: ['1'], timeout: 1500ms}\n";
    let env = TestEnv::new().pipeline("rewards: none\n").task("q", task).agent("bo", "print(input())\n");
    for (name, right) in [("1", "1"), ("2", "2"), ("3", "4")] {
        env.write(&format!("tasks/q/all/{name}.in"), name);
        env.write(&format!("tasks/q/all/{name}.out"), right);
    }
    env.run();
    let worth = "worth nothing, as all is all or nothing";
    let show = |args: &[&str]| env.agentmill(&[&["show", "bo"], args].concat()).code(0);
    show(&["q"]).prints(&["0 of 30 points", &format!("all/1: passed, {worth}, weight 10")]);
    show(&[]).prints(&[&format!("all: 2 cases passed, {worth}, weight 20")]);
    show(&["--as-miner"]).prints(&["all/1: passed, worth nothing, as its folder is all or nothing"]);
    assert!(exported(&env, "gradescope").contains(&format!("\"output\":\"passed, {worth}\"")));
    let told =
        ["limits: 10s, in which a test has 1.5s or more of its own", "all or nothing by folder: 3 cases"];
    env.agentmill(&["tasks", "q"])
        .code(0)
        .prints(&told)
        .prints(&["# all/1 (within 1.5s, all is all or nothing)"]);
}

#[test]
fn without_results_there_is_nothing_to_export() {
    let env = TestEnv::new();
    env.agentmill(&["export", "junit"]).code(2).complains(&["there are no results in ", "agentmill run"]);
    env.agentmill(&["export", "excel"])
        .code(2)
        .complains(&["gradescope, junit, csv-long, gradebook, kaggle"]);
}
