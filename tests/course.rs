//! A course: a title, a roster, no rewards; what is submitted is compiled before it is taken, and kept for ever. And the pages that take
//! a reader by the hand.

mod testenv;

use std::collections::BTreeMap;
use std::path::Path;

use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv};

const COURSE: &str = "title: Programming 101\nroster: students.csv\nrewards: none\n";

fn course(students: &str) -> TestEnv {
    let env = TestEnv::new().pipeline(COURSE).task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    env.write("students.csv", students);
    env
}

#[test]
fn everybody_has_a_line_and_nothing_is_said_of_rewards() {
    let env =
        course("id,name,group\nbo,Bo Ray,B\nann,Ann Lee,A\neve,Eve,B\n").agent("eve", "import os, numpy\n");
    let told = env.run().prints(&["1. ann: 100\n", "refused: eve.py line 1"]);
    let shown = env.agentmill(&["show"]).code(0).prints(&["Programming 101\n", "bo     Bo Ray", "absent\n"]);
    env.agentmill(&["show", "bo"])
        .code(0)
        .prints(&["bo has submitted nothing: absent, on the roster as Bo Ray\n"]);
    let ann = env.agentmill(&["show", "ann"]).code(0);
    let source = format!("submissions/{}.py\n", agentmill::util::digest::sha256(DOUBLE_AGENT.as_bytes()));
    env.agentmill(&["show", "Ann Lee"]).code(0).prints(&["ann: rank 1", "\nsource ", &source]);
    env.agentmill(&["show", "ann  lee", "--history"]).code(0).prints(&["stands"]);
    env.agentmill(&["show", "Ann Lea"])
        .code(2)
        .complains(&["no miner \"Ann Lea\"; did you mean \"Ann Lee\"?"]);
    let lines: Vec<[String; 4]> = env
        .csv("rankings.csv")
        .iter()
        .map(|line| ["miner", "score", "name", "state"].map(|column| line[column].clone()))
        .collect();
    let expected =
        [["ann", "100", "Ann Lee", "ranked"], ["bo", "", "Bo Ray", "absent"], ["eve", "", "Eve", "refused"]];
    assert_eq!(lines, expected);
    let files = ["rankings.csv", "rankings.json", "history.csv", "scores.csv", "index.html"];
    let files = files.map(|name| env.read(&format!("results/{name}")));
    for text in files.iter().chain([&told.stdout, &told.stderr, &shown.stdout, &ann.stdout]) {
        let text = text.to_lowercase();
        assert!(!text.contains("reward") && !text.contains("tao"), "{text}");
    }
}

#[test]
fn a_mistake_in_the_roster_is_told_with_its_line_beside_those_of_the_pipeline() {
    let env = course("id,name,group\nann,Ann Lee,A\nann,Anna,B\n");
    env.agentmill(&["run"]).code(2).complains(&["students.csv:3: ann stands here twice"]);
    env.write("pipeline.yaml", &format!("{COURSE}parallel: no\n"));
    env.agentmill(&["run"]).code(2).complains(&["students.csv:3: ann", "pipeline.yaml:4:11: parallel"]);
    env.remove("students.csv");
    env.agentmill(&["check"])
        .code(2)
        .complains(&["students.csv: no such file; roster in pipeline.yaml names it"]);
}

/// Moodle's folders, as macOS unpacks them: an umlaut is two characters there.
#[test]
fn the_script_of_the_docs_collects_what_is_one_persons_and_tells_of_all_else() {
    let docs = include_str!("../docs/course.md");
    let script = docs.split("```python\n").find(|block| block.starts_with("# collect.py")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("collect.py", script.split("```").next().unwrap());
    let roster =
        "id,name\njo,J\u{f6}rg Ray\nbo,Bo M\u{75}\u{308}ller\ndi,Di Two\nzed,Zero Zed\ns1,Twin\ns2,Twin\n";
    write("inbox/bo.py", "old");
    write("zip/Jo\u{308}rg Ray_4711_assignsubmission_file_/solution.py", "jo");
    write("zip/Bo M\u{fc}ller_4712_assignsubmission_file_/solution.py", "bo");
    write("zip/Di Two_4713_assignsubmission_file_/a.py", "a");
    write("zip/Di Two_4713_assignsubmission_file_/b.py", "b");
    write("zip/Zero Zed_4714_assignsubmission_file_/x.ipynb", "{}");
    write("zip/Twin_4715_assignsubmission_file_/x.py", "x");
    write("zip/No Body_4716_assignsubmission_file_/x.py", "x");
    let mut python = std::process::Command::new("python3");
    // As typed in a spreadsheet; agentmill reads it, too.
    write("students.csv", &roster.replace("id,name", "ID; Name").replace(',', "; "));
    let told = match python.args(["collect.py", "zip"]).current_dir(folder.path()).output() {
        Ok(output) => String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
        // A machine without Python has agents in cells all the same.
        Err(error) => return eprintln!("not run: python3: {error}"),
    };
    let expected = [
        "replaced: inbox/bo.py",
        "not copied, as there are several; copy the right one to inbox/di.py: \
         zip/Di Two_4713_assignsubmission_file_/a.py zip/Di Two_4713_assignsubmission_file_/b.py",
        "not copied, as nobody on the roster is called so: zip/No Body_4716_assignsubmission_file_",
        "not copied, as several are called so: zip/Twin_4715_assignsubmission_file_",
        "not copied, as it is no .py file: zip/Zero Zed_4714_assignsubmission_file_/x.ipynb",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
    for id in ["jo", "bo"] {
        assert_eq!(std::fs::read_to_string(folder.path().join(format!("inbox/{id}.py"))).unwrap(), id);
    }
    assert_eq!(std::fs::read_dir(folder.path().join("inbox")).unwrap().count(), 2);
}

#[test]
fn an_edited_roster_is_taken_up_while_watch_works() {
    let env = course("id,name,group\nann,Ann Lee,A\n");
    let daemon = env.watch();
    env.write("students.csv", "id,name,group\nann,Ann Lee,A\nbo,Bo Ray,B\n");
    testenv::wait_until("bo has a line", || env.read("results/rankings.csv").contains("Bo Ray"));
    daemon.end();
}

#[test]
fn what_python_does_not_compile_is_refused_at_the_door_and_the_last_valid_one_stands() {
    let env = course("id,name\nann,Ann Lee\n");
    env.remove("inbox/ann.py");
    env.write("good.py", DOUBLE_AGENT);
    let submit = |file: &str| {
        let path = env.path(file);
        env.agentmill(&["submit", path.to_str().unwrap(), "--miner", "ann"])
    };
    submit("good.py").code(0).prints(&["ann: accepted"]);
    for (source, reason) in [
        (
            "def double(x):\n    return 2 *\n",
            "line 2: this submission is not valid Python 3.11: invalid syntax",
        ),
        (
            "nonlocal x\n",
            "line 1: this submission is not valid Python 3.11: nonlocal declaration not allowed at module level",
        ),
        ("import numpy\n", "line 1: this submission imports numpy"),
    ] {
        env.write("bad.py", source);
        submit("bad.py").code(2).complains(&["bad.py was not submitted", reason]);
    }
    env.run().prints(&["1. ann: 100\n"]);
    assert_eq!(std::fs::read_dir(env.path("results/submissions")).unwrap().count(), 1);
}

#[test]
fn everything_submitted_is_kept_and_shown() {
    let env = course("id,name\nann,Ann Lee\n");
    env.run();
    env.drop_agent("ann", "def double(x):\n    return 4\n");
    env.run().prints(&["1. ann: 50\n"]);
    env.write("new.py", "def double(x):\n    return x + x\n");
    env.agentmill(&["submit", env.path("new.py").to_str().unwrap(), "--miner", "ann"]).code(0);
    env.run().prints(&["1. ann: 100\n"]);
    env.drop_agent("ann", "import numpy\n");
    env.run();
    env.drop_agent("ann", DOUBLE_AGENT);
    env.run();
    let shown = env.agentmill(&["show", "ann", "--history"]).code(0).stdout;
    let lines: Vec<Vec<&str>> =
        shown.lines().skip(1).map(|line| line.split_whitespace().skip(4).collect()).collect();
    assert_eq!(
        lines,
        [
            vec!["32", "dropped", "100", "replaced"],
            vec!["28", "dropped", "50", "replaced"],
            vec!["32", "submit", "100", "replaced"],
            vec!["-", "dropped", "-", "refused"],
            vec!["32", "dropped", "100", "stands"],
        ],
        "{shown}"
    );
    let sha256 = agentmill::util::digest::sha256(DOUBLE_AGENT.as_bytes());
    assert_eq!(env.read(&format!("results/submissions/{sha256}.py")), DOUBLE_AGENT);
    let json = env.agentmill(&["show", "ann", "--history", "--json"]).code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json.as_array().unwrap().len(), &json[0]["sha256"]), (5, &sha256.into()));
    env.agentmill(&["show", "bo", "--history"]).code(2).complains(&["bo has submitted nothing"]);
    // A score that was published and is another one now is an answer to "it said 100".
    let history = env.read("results/history.csv");
    let last = history.lines().last().unwrap();
    let regraded = last.replace(",100,", ",62.5,");
    assert_ne!(last, regraded);
    env.write("results/history.csv", &history.replace(last, &format!("{regraded}\n{last}")));
    env.agentmill(&["show", "ann", "--history"])
        .code(0)
        .prints(&["stands    was 62.5, changed by submission to 100"]);
}

#[test]
fn nobody_is_ranked_by_bytes_that_cannot_be_kept() {
    let env = course("id,name\nann,Ann Lee\n");
    env.write("results/submissions", "in the way");
    env.agentmill(&["run"]).code(74).complains(&["submissions"]);
    env.remove("results/submissions");
    env.run().prints(&["1. ann: 100\n"]);
    assert_eq!(std::fs::read_dir(env.path("results/submissions")).unwrap().count(), 1);
}

#[test]
fn a_copy_is_told_without_names_where_the_board_is_private_and_without_rewards_where_there_are_none() {
    let env = course("id,name\nann,Ann Lee\nbo,Bo Ray\n");
    env.run();
    env.write("copy.py", DOUBLE_AGENT);
    let copy = env.path("copy.py");
    let stranger = env.agentmill(&["submit", copy.to_str().unwrap(), "--miner", "zed"]).code(0);
    stranger.complains(&["zed is not on the roster, "]);
    std::fs::remove_file(env.path("inbox/zed.py")).unwrap();
    let copy = ["submit", copy.to_str().unwrap(), "--miner", "bo"];
    env.agentmill(&copy).code(0);
    env.run();
    let told = |pipeline: &str| {
        env.write("pipeline.yaml", pipeline);
        let finished = env.agentmill(&[&copy[..], &["--wait"]].concat()).code(0);
        finished.stdout.lines().find(|line| line.contains("a copy of")).unwrap().trim().to_owned()
    };
    assert_eq!(told(COURSE), "a copy of what another submitted before");
    assert_eq!(told(&format!("{COURSE}board: public\n")), "a copy of what ann submitted before");
    env.write("pipeline.yaml", "board: public\n");
    env.run();
    assert_eq!(told("board: public\n"), "a copy of what ann submitted before, which earns nothing");
}

#[test]
fn who_is_not_on_the_roster_is_named() {
    let env = course("id,name\nann,Ann Lee\n").agent("zoe", "def double(x):\n    return 4\n");
    env.agentmill(&["check"]).code(0).prints(&["roster: not on it, ", "students.csv: zoe"]);
    env.run().prints(&["zoe is not on the roster, "]);
    env.agentmill(&["token", "add", "yan"]).code(0).complains(&["yan is not on the roster, "]);
    assert_eq!(env.agentmill(&["token", "add", "ann"]).code(0).stderr, "");
    let again = env.agentmill(&["token", "add", "ann"]).code(0);
    again.complains(&["ann has another token already, valid since 20", "token remove ann"]);
    env.agentmill(&["token", "add", "ann"]).code(0).complains(&["ann has other tokens already"]);
    env.agentmill(&["check"]).code(0).prints(&["students.csv: yan, zoe"]);
    let daemon = env.watch();
    let told = || daemon.stdout().matches("zoe is not on the roster").count();
    testenv::wait_until("zoe is named", || told() == 1);
    env.drop_agent("ann", "def double(x):\n    return x + x\n");
    let submitted = agentmill::util::digest::sha256(b"def double(x):\n    return x + x\n");
    testenv::wait_until("another pass is over", || env.read("results/rankings.csv").contains(&submitted));
    env.write("students.csv", "id,name\nann,Ann\nzoe,Zoe\n");
    testenv::wait_until("zoe has a name", || env.read("results/rankings.csv").contains("Zoe"));
    assert_eq!(told(), 1);
    daemon.end();
}

#[test]
fn the_organiser_sees_what_a_student_sees() {
    let env = course("id,name\nann,Ann Lee\nbo,Bo Ray\n");
    env.drop_agent("ann", "def double(x):\n    return 4\n");
    env.run();
    let own = env
        .agentmill(&["show", "ann", "--as-miner"])
        .code(0)
        .prints(&["ann: 50 (rank 1)\n  double: failed 50\n"]);
    assert!(!own.stdout.contains("aa"), "nothing of a hidden test: {own}");
    env.agentmill(&["show", "ann", "double", "--as-miner"]).code(0).prints(&["  double: failed 50\n"]);
    env.agentmill(&["show", "ann", "triple", "--as-miner"])
        .code(2)
        .complains(&["no run on a task \"triple\""]);
    env.agentmill(&["show", "Bo Ray", "--as-miner"]).code(0).prints(&["bo: nothing was submitted\n"]);
    let json = env.agentmill(&["show", "ann", "--as-miner", "--json"]).code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["state"], &json["own"]["runs"][0]["score"]), (&"ranked".into(), &50.0.into()));
    env.agentmill(&["show", "zoe", "--as-miner"]).code(2).complains(&["zoe has submitted nothing"]);
}

#[test]
fn cron_is_told_once_of_those_who_are_not_on_the_roster() {
    let env = course("id,name\nann,Ann Lee\n");
    env.agentmill(&["--quiet", "run"]).code(0).silent();
    env.drop_agent("homework1-gul", "def double(x):\n    return 4\n");
    let told = env.agentmill(&["--quiet", "run"]).code(0);
    told.complains(&["agentmill: homework1-gul is not on the roster, "]);
    env.agentmill(&["--quiet", "run"]).code(0).silent();
    env.drop_agent("bo1", "import numpy\n");
    env.drop_agent("bo2", "def double(x):\n    return 4\n");
    let told = env.agentmill(&["--quiet", "run"]).code(1);
    told.complains(&["1 refused: bo1.py", "bo2, bo1 are not on the roster, "]);
    env.write("students.csv", "id,name\nann,Ann Lee\n");
    env.agentmill(&["--quiet", "run"]).code(1).silent();
}

#[test]
fn a_file_that_was_misnamed_is_its_owners_by_the_organisers_word() {
    let source = "def double(x):\n    return x + x\n";
    let env = course("id,name\nann,Ann Lee\ns07,Gul\n").agent("homework1-gul", source);
    env.run();
    std::fs::rename(env.path("inbox/homework1-gul.py"), env.path("inbox/s07.py")).unwrap();
    let sha256 = agentmill::util::digest::sha256(source.as_bytes());
    let remedy = format!("similarity: {{originals: {{{sha256}: s07}}}}");
    let told = env.run().prints(&[
        "s07: 100 [copy of homework1-gul]",
        "s07 has the bytes that homework1-gul",
        &remedy,
    ]);
    assert_eq!(told.stdout.matches("originals").count(), 1, "{told}");
    env.write("pipeline.yaml", &format!("{COURSE}{remedy}\n"));
    let told = env.run();
    assert!(!told.stdout.contains("copy of"), "{told}");
    assert!(!told.stdout.contains("originals"), "{told}");
}

/// Two files whose names were not on the roster get theirs, and one loses its own.
#[test]
fn renamed_files_are_told_whatever_became_of_their_names_with_one_line_to_paste() {
    let agents = ["7", "8", "9"].map(|number| format!("def double(x):\n    return x + x # {number}\n"));
    let env = course("id,name\nann,Ann Lee\ns07,Gul\n79,Cy\n0080,Di\n");
    let env = env.agent("hw1-gul", &agents[0]).agent("0079", &agents[1]).agent("0080", &agents[2]);
    let quiet = || env.agentmill(&["--quiet", "run"]).code(0);
    quiet().complains(&[" are not on the roster, ", "; 79 is: spreadsheets drop zeros in front"]);
    for (from, to) in [("hw1-gul", "s07"), ("0079", "79"), ("0080", "80")] {
        let path = |name: &str| env.path(&format!("inbox/{name}.py"));
        std::fs::rename(path(from), path(to)).unwrap();
    }
    let told = quiet().complains(&[
        "80 is not on the roster, ",
        "80, who is not on the roster, has the bytes that 0080 had, of whom nothing lies in the inbox any more: if the file was \
         renamed, name it 0080 again",
        "have the bytes that ",
    ]);
    assert_eq!(told.stderr.matches("originals").count(), 1, "{told}");
    let (_, remedy) = told.stderr.split_once("is not true of: ").unwrap();
    let remedy = remedy.lines().next().unwrap();
    quiet().silent();
    std::fs::rename(env.path("inbox/80.py"), env.path("inbox/0080.py")).unwrap();
    env.write("pipeline.yaml", &format!("{COURSE}{remedy}\n"));
    let told = env.run();
    assert!(!told.stdout.contains("copy of") && !told.stdout.contains("originals"), "{told}");
    assert_eq!(env.csv("rankings.csv").iter().filter(|line| line["score"] == "100").count(), 4, "{told}");
}

#[test]
fn who_was_ranked_and_has_withdrawn_is_not_called_absent() {
    let env = course("id,name\nann,Ann Lee\nbo,Bo Ray\n");
    env.run();
    env.remove("inbox/ann.py");
    env.run();
    env.agentmill(&["show", "ann"]).code(0).prints(&[
        "ann, on the roster as Ann Lee, has withdrawn: nothing of it lies in the inbox since 20",
        "`agentmill show ann --history` lists what it submitted",
    ]);
    env.agentmill(&["show", "ann", "--as-miner"]).code(0).prints(&["ann: withdrawn\n"]);
    env.agentmill(&["show", "bo", "--as-miner"]).code(0).prints(&["bo: nothing was submitted\n"]);
    env.agentmill(&["show", "ann", "double"]).code(2).complains(&["ann has withdrawn: "]);
    env.agentmill(&["show"]).code(0).prints(&["Ann Lee", "withdrawn\n", "Bo Ray", "absent\n"]);
    for (format, word) in [
        ("gradebook", "ann,Ann Lee,,,withdrawn\nbo,Bo Ray,,,absent\n"),
        ("gradescope", "\"output\":\"withdrawn: nothing of it lies in the inbox any more\""),
        ("csv-long", ",withdrawn"),
        ("junit", "<skipped message=\"withdrawn: nothing of it lies in the inbox any more\"/>"),
    ] {
        env.agentmill(&["export", format]).code(0).prints(&[word]);
    }
    let states: Vec<String> = env.csv("rankings.csv").iter().map(|line| line["state"].clone()).collect();
    assert_eq!(states, ["withdrawn", "absent"]);
}

#[test]
fn weights_and_points_are_shown_where_they_differ() {
    let env = course("id,name\nann,Ann Lee\n");
    env.run();
    let shown = env.agentmill(&["show", "ann"]).code(0);
    assert!(!shown.stdout.contains("WEIGHT"), "{shown}");
    env.write(
        "tasks/triple.yaml",
        "prompt: Write double(x).\nweight: 3\ntests: [{assert: 'double(2) == 4', weight: 6}, {assert: 'double(2) == 5', weight: 2}]\n",
    );
    env.run();
    let shown = env.agentmill(&["show", "ann"]).code(0);
    shown.prints(&["MEMORY  WEIGHT\n", "triple: 6 of 8 points\n", "score 81.25"]);
    env.write("tasks/triple.yaml", "prompt: Write double(x).\nweight: 3\ntests: [assert double(2) == 5]\n");
    env.run();
    env.agentmill(&["show", "ann", "--history"])
        .code(0)
        .prints(&["was 100, changed by task to 81.25, by task to 25, says history.csv\n"]);
}

/// The files that docs/course.md shows: each block whose first line is a path in a comment, several of one path one behind the
/// other; and the roster.
fn shown() -> BTreeMap<&'static str, String> {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for block in include_str!("../docs/course.md").split("\n```").skip(1).step_by(2) {
        match block.split_once('\n') {
            Some(("csv", text)) => _ = files.insert("students.csv", text.to_owned()),
            Some((_, text)) if text.starts_with("# ") => {
                let (path, text) = text[2..].split_once('\n').unwrap();
                *files.entry(path).or_default() += &format!("{text}\n");
            }
            _ => {}
        }
    }
    files
}

#[test]
fn the_week_that_the_documentation_shows_is_one() {
    let env = TestEnv::new();
    let mut all = String::new();
    for (path, text) in shown() {
        // Its deadlines will have passed one day.
        let line = |line: &str| {
            let is_past = line.contains("opens: ") || line.contains("received: ");
            line.replace("2027-", if is_past { "2026-" } else { "2999-" }) + "\n"
        };
        env.write(path, &text.lines().map(line).collect::<String>());
        if path.contains("/solutions/") {
            all += &format!("{text}\n\n");
        }
    }
    let checked = env.agentmill(&["check"]).code(0).prints(&["6 tasks, 6 reference solutions score 100"]);
    assert!(!checked.stdout.contains("hint: "), "{checked}");
    env.write("inbox/ann.py", &all);
    let careless = all.replace("raise Overdrawn(amount)", "return").replace("(n)]", "(n + 1)]");
    env.write("inbox/bo.py", &careless);
    env.run().prints(&["1. ann: 100 [similar to bo]\n"]);
    let scores = env.csv("scores.csv");
    let of = |miner: &str, task: &str| {
        let is_it = |line: &&testenv::Line| line["miner"] == miner && line["task"] == format!("week1/{task}");
        scores.iter().find(is_it).map(|line| line["score"].clone()).unwrap_or_default()
    };
    env.agentmill(&["show"]).code(0).prints(&[
        "Programming 101\n",
        "ann    Ann Lee  A        100",
        "bo     Bo Ray   B",
    ]);
    env.write("extensions.yaml", "boo: {closes: 2999-03-15T18:00:00+01:00}\n");
    env.agentmill(&["check"]).code(2).complains(&["extensions.yaml:1:6: boo: boo is not on the roster"]);
    env.write("extensions.yaml", "bo: {close: 2999-03-15T18:00:00+01:00}\n");
    env.agentmill(&["check"]).code(2).complains(&["bo.close: unknown field; did you mean \"closes\"?"]);
    let tasks = ["account", "bubble", "guess", "primes", "retry", "words"];
    assert_eq!(tasks.map(|task| of("ann", task)), ["100"; 6]);
    // Two words of three are right: an f1 of 0.8, with two thirds of the weight.
    assert_eq!(tasks.map(|task| of("bo", task)), ["50", "100", "100", "100", "100", "86.67"]);
}

/// Follows a page as a reader would, in an empty folder: a block whose first line is a path in a comment is that file, one of `sh` is
/// run, and each line of one of `text` must have been printed by the last that was run.
fn follow(page: &str) {
    let env = TestEnv::empty();
    let binaries = Path::new(env!("CARGO_BIN_EXE_agentmill")).parent().unwrap().display();
    let path = format!("{binaries}:{}", std::env::var("PATH").unwrap());
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut printed = String::new();
    for block in page.split("\n```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').unwrap();
        let file = text.strip_prefix("# ").and_then(|rest| rest.split_once('\n'));
        match (language, file) {
            ("text", _) => {
                let lines: Vec<String> = printed.lines().map(words).collect();
                text.lines()
                    .for_each(|line| assert!(lines.contains(&words(line)), "{line:?} is not in {printed}"));
            }
            // Its deadlines will have passed one day.
            (_, Some((path, text))) => env.write(path, &format!("{}\n", text.replace("2027-", "2999-"))),
            ("sh", None) => {
                let mut shell = std::process::Command::new("sh");
                // Nothing is left beside the folder.
                let text = text.replace("../second", "second");
                shell.args(["-ec", &format!("exec 2>&1\n{text}")]).current_dir(env.dir()).env("PATH", &path);
                let output = shell.output().unwrap();
                printed = String::from_utf8(output.stdout).unwrap();
                assert!(output.status.success(), "{text}\n{printed}");
            }
            _ => panic!("a block of {language:?} is nothing to follow: {text}"),
        }
    }
}

#[test]
fn the_term_that_the_documentation_shows_is_one() {
    let (_, page) =
        include_str!("../docs/course.md").split_once("## Several deadlines in one term\n").unwrap();
    follow(page.split_once("\n## ").unwrap().0);
}

#[test]
fn the_competition_that_the_documentation_shows_is_one() {
    let (_, page) = include_str!("../docs/competition.md").split_once("## From start to finish\n").unwrap();
    follow(page.split_once("\n## ").unwrap().0);
}

#[test]
fn the_benchmark_that_the_documentation_shows_is_one() {
    follow(include_str!("../docs/benchmark.md"));
}
