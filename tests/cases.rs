//! Cases on the real engine: every rule that decides on an output, dialogues, large files, and files that change.

mod common;
mod testenv;

use std::fs;
use std::path::Path;

use agentmill::model::merged::{self, DraftPart};
use agentmill::model::report::Scored;
use agentmill::task::{self, Task};
use common::{LIMITS, Lab, Outcome, messages, verdicts};
use tempfile::TempDir;
use testenv::{TestEnv, wait_until};

/// A task with files beside it, which are there as long as the folder is.
fn task(files: &[(&str, &str)]) -> (TempDir, Task) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let task = load(folder.path());
    (folder, task)
}

fn load(folder: &Path) -> Task {
    task::load(folder).unwrap_or_else(|problems| panic!("{problems}")).remove(0)
}

fn run(lab: &Lab, agent: &str, task: &Task) -> Scored {
    match lab.run(agent.as_bytes(), task, &task.limits(&LIMITS), 1) {
        Outcome::Judged(mut runs) => runs.remove(0),
        outcome => panic!("{outcome:?}"),
    }
}

fn fault(lab: &Lab, agent: &str, task: &Task) -> String {
    match lab.run(agent.as_bytes(), task, &LIMITS, 1) {
        Outcome::TaskFault(fault) => fault,
        outcome => panic!("{outcome:?}"),
    }
}

fn expect(scored: &Scored, wanted: &[(&str, &str)]) {
    let words: Vec<&str> = wanted.iter().map(|(verdict, _)| *verdict).collect();
    assert_eq!(verdicts(scored), words, "{:?}", messages(scored));
    for (test, (_, part)) in scored.tests.iter().zip(wanted) {
        let message = test.message.as_deref().unwrap_or_default();
        assert!(message.contains(part), "{}: {message:?} lacks {part:?}", test.name);
    }
}

/// Prints the sum of the numbers on stdin, in the way that its input asks for.
const SUM: &str = r#"
import sys
words = sys.stdin.read().split()
total = sum(map(float, words[1:]))
how = words[0]
if how == "crash":
    raise KeyError("no such way")
print({"plain": f"{total:g}", "spaced": f"  {total:g} \n", "near": total + 1e-9, "far": total + 1, "twice": f"{total:g} {total:g}"}[how])
"#;

#[test]
fn an_output_is_compared_as_the_task_says() {
    let inputs = ["plain 1 2", "spaced 1 2", "near 1 2", "far 1 2", "twice 1 2", "crash"];
    let mut files: Vec<(String, String)> = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        files.push((format!("s/{number}.in"), (*input).to_owned()));
        files.push((format!("s/{number}.ans"), "3\n".to_owned()));
    }
    let lab = Lab::with_workers(1);
    let error = ("error", "exit code 1: KeyError: 'no such way' - the program < s/5.in");
    let more = ("failed", "expected 1 word, got 2; they are right as far as they go");
    let rules = [
        (
            "exact",
            [
                ("passed", ""),
                ("failed", "line 1: expected '3', got '  3 '"),
                ("failed", "line 1"),
                ("failed", "line 1"),
                ("failed", "line 1"),
                error,
            ],
        ),
        (
            "tokens",
            [
                ("passed", ""),
                ("passed", ""),
                ("failed", "word 1: expected '3', got '3.000000001'"),
                ("failed", "got '4.0'"),
                more,
                error,
            ],
        ),
        (
            "{float: 1e-6}",
            [("passed", ""), ("passed", ""), ("passed", ""), ("failed", "got '4.0'"), more, error],
        ),
    ];
    for (rule, wanted) in rules {
        let yaml = format!("prompt: add\ncases:\n  - folder: s\n    compare: {rule}\n");
        let listed: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .chain([("t.yaml", yaml.as_str())])
            .collect();
        let (_folder, task) = task(&listed);
        expect(&run(&lab, SUM, &task), &wanted);
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// A lecturer on Windows saves both files so; a \r that is not at the end of each line is meant, or is told.
#[test]
fn line_ends_of_windows_are_those_of_linux_for_programs_and_answers() {
    let files = [
        ("s/1.in", "Anna\r\nEnde\r\n"),
        ("s/1.out", "Hallo Anna!\r\nHallo Ende!\r\n"),
        ("s/2.in", "Anna\r\nEnde\n"),
        ("s/2.out", "Hallo Anna!\nHallo Ende!\n"),
    ];
    let agent = "import sys\nfor line in sys.stdin:\n    print(f'Hallo {line[:-1]}!')\n";
    let lab = Lab::with_workers(1);
    let visible = "expected 'Anna!', got 'Anna'; there are carriage returns, \\r, in the output";
    for (rule, kept) in [("tokens", visible), ("exact", r"expected 'Hallo Anna!', got 'Hallo Anna\r!'")] {
        let text = format!("prompt: p\ncases: {{folder: s, compare: {rule}, public: true}}\n");
        let (_folder, task) = task(&[&files[..], &[("t.yaml", text.as_str())]].concat());
        expect(&run(&lab, agent, &task), &[("passed", ""), ("failed", kept)]);
    }
}

#[test]
fn nothing_is_near_to_an_answer_that_is_not_finite() {
    let (_folder, task) = task(&[
        ("s/1.in", "5"),
        ("s/2.in", "5"),
        ("s/3.in", "5"),
        ("s/4.in", "inf"),
        ("s/1.out", "inf"),
        ("s/2.out", "-1e999"),
        ("s/3.out", "nan"),
        ("s/4.out", "Infinity"),
        ("t.yaml", "prompt: p\ncases:\n  - {folder: s, compare: {float: 1e-6}}\n"),
    ]);
    let lab = Lab::with_workers(1);
    let wanted = [
        ("failed", "expected 'inf', got '5'"),
        ("failed", "expected '-1e999', got '5'"),
        ("failed", "expected 'nan', got '5'"),
        ("passed", ""),
    ];
    expect(&run(&lab, "print(input())\n", &task), &wanted);
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Any two numbers of that sum are right; as a function, and as Kattis has it.
const CHECK: &str = r#"
def check(input, output, answer):
    words = output.split()
    assert len(words) == 2, f"expected two numbers, got {len(words)}"
    return sum(map(int, words)) == int(input)
"#;
const VALIDATE: &str = r#"
import sys
total = int(open(sys.argv[1]).read())
assert open(sys.argv[2]).read() == "any\n"
words = sys.stdin.read().split()
if len(words) != 2:
    with open(sys.argv[3] + "judgemessage.txt", "w") as file:
        file.write(f"expected two numbers, got {len(words)}")
    sys.exit(43)
sys.exit(42 if sum(map(int, words)) == total else 43)
"#;

#[test]
fn a_checker_of_the_author_decides() {
    let agent = "n = int(input())\nprint(*{5: (1, 4), 6: (1, 1), 7: (7,), 8: ('x', 'y')}[n])\n";
    let lab = Lab::with_workers(1);
    for (name, checker) in [("function.py", CHECK), ("program.py", VALIDATE)] {
        let yaml = format!("prompt: p\ncases:\n  - {{folder: s, compare: {{checker: {name}}}}}\n");
        let (_folder, task) = task(&[
            (name, checker),
            ("t.yaml", &yaml),
            ("s/5.in", "5\n"),
            ("s/6.in", "6\n"),
            ("s/7.in", "7\n"),
            ("s/8.in", "8\n"),
            ("s/5.ans", "any\n"),
            ("s/6.ans", "any\n"),
            ("s/7.ans", "any\n"),
            ("s/8.ans", "any\n"),
        ]);
        let refused = format!("{name} does not accept it");
        let wanted = [
            ("passed", ""),
            ("failed", refused.as_str()),
            ("failed", "expected two numbers, got 1"),
            ("failed", "ValueError"),
        ];
        expect(&run(&lab, agent, &task), &wanted);
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// A number is to be guessed within ten tries.
const INTERACT: &str = r#"
def interact(talk, input, answer):
    secret = int(input)
    for _ in range(10):
        guess = int(talk.readline())
        if guess == secret:
            talk.print("right")
            return True
        talk.print("less" if secret < guess else "more")
    return False
"#;
const INTERACTIVE: &str = r#"
import sys
secret = int(open(sys.argv[1]).read())
for _ in range(10):
    guess = int(input())
    if guess == secret:
        print("right")
        sys.exit(42)
    print("less" if secret < guess else "more")
sys.exit(43)
"#;
const GUESS: &str = r#"
low, high = 1, 1000
while True:
    print((low + high) // 2, flush=True)
    match input():
        case "right":
            break
        case "less":
            high = (low + high) // 2 - 1
        case "more":
            low = (low + high) // 2 + 1
"#;

#[test]
fn an_interactor_talks_to_the_program() {
    let lab = Lab::with_workers(1);
    for interactor in [INTERACT, INTERACTIVE] {
        let (_folder, task) = task(&[
            ("talk.py", interactor),
            ("t.yaml", "prompt: p\ncases:\n  - {folder: s, interactor: talk.py, public: [a]}\n"),
            ("s/a.in", "1000\n"),
            ("s/b.in", "500\n"),
            ("s/c.in", "1\n"),
        ]);
        let names: Vec<&str> = task.tests.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(names, ["s/a", "s/b", "s/c"]);
        expect(&run(&lab, GUESS, &task), &[("passed", ""); 3]);
        let stubborn = "while True:\n    print(500, flush=True)\n    if input() == 'right': break\n";
        let refused = ("failed", "talk.py does not accept it - a dialogue on s/");
        expect(&run(&lab, stubborn, &task), &[refused, ("passed", ""), refused]);
        let gone = "print(500)\nimport sys\nsys.exit(7)\n";
        expect(&run(&lab, gone, &task), &[("error", "exit code 7"); 3]);
        let mute = "import time\ntime.sleep(100)\n";
        expect(&run(&lab, mute, &task), &[("timeout", ""); 3]);
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn a_case_takes_no_more_than_its_own_time_and_the_rest_goes_on() {
    let (_folder, task) = task(&[
        ("s/1.in", "9"),
        ("s/2.in", "0"),
        ("s/3.in", "9"),
        ("s/4.in", "0"),
        ("s/1.out", "9"),
        ("s/2.out", "0"),
        ("s/3.out", "9"),
        ("s/4.out", "0"),
        (
            "t.yaml",
            "prompt: p\ntimeout: 20s\ntests:\n  - {assert: wait(9) == 9, timeout: 300ms}\n  - assert wait(0) == 0\n\
             cases: [{folder: s, timeout: 400ms}]\n",
        ),
    ]);
    let agent = "import sys, time\ndef wait(n):\n    time.sleep(n)\n    return n\n\
                 if __name__ == '__main__':\n    print(wait(int(input())), file=sys.stderr)\n    print(wait(0), end='')\n";
    let lab = Lab::with_workers(1);
    let late = |what: &'static str| ("timeout", what);
    let scored = run(&lab, agent, &task);
    let case = "the test's 400ms were used up: the program < s/";
    expect(
        &scored,
        &[
            late("the test's 300ms were used up by importing the agent, or by the first call: wait(9)"),
            ("passed", ""),
            late(case),
            ("passed", ""),
            late(case),
            ("passed", ""),
        ],
    );
    assert_eq!(
        (scored.usage.wall_ms > 1000, scored.usage.wall_ms < 8000),
        (true, true),
        "{:?}",
        scored.usage
    );
    let later = "prompt: p\ntests:\n  - assert wait(0) == 0\n  - {assert: wait(9) == 9, timeout: 300ms}\n";
    let answered = run(&lab, agent, &self::task(&[("t.yaml", later)]).1);
    expect(&answered, &[("passed", ""), late("the test's 300ms were used up: wait(9)")]);
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn a_subtask_counts_if_all_of_its_cases_pass() {
    let (_folder, task) = task(&[
        ("a/1.in", "1"),
        ("a/1.out", "1"),
        ("b/1.in", "2"),
        ("b/1.out", "2"),
        ("b/2.in", "3"),
        ("b/2.out", "4"),
        (
            "t.yaml",
            "prompt: p\ncases: [{folder: a, weight: 30, all_or_nothing: true}, {folder: b, weight: 35, all_or_nothing: true}]\n",
        ),
    ]);
    let lab = Lab::with_workers(1);
    let scored = run(&lab, "print(input())\n", &task);
    assert_eq!(verdicts(&scored), ["passed", "passed", "failed"]);
    assert_eq!((scored.score, scored.tests[1].share), (30.0, Some(0.0)));
    assert_eq!(scored.tests[1].worth().as_deref(), Some("worth nothing, as b is all or nothing"));
    assert_eq!([0, 2].map(|at: usize| scored.tests[at].worth()), [None, None]);
    let all = run(&lab, "n = int(input())\nprint(n + (n == 3))\n", &task);
    assert_eq!((all.score, all.tests[1].share), (100.0, None));
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn words_that_came_together_are_heard_one_by_one() {
    let talk = "def interact(talk, input, answer):\n    lines = [talk.readline() for _ in range(3)]\n    \
                talk.write('x' * 300000)\n    assert lines == ['a\\n', 'b\\n', 'c'], lines\n    \
                return talk.readline() == ''\n";
    let (_folder, task) = task(&[
        ("talk.py", talk),
        ("s/1.in", ""),
        ("t.yaml", "prompt: p\ncases: [{folder: s, interactor: talk.py}]\n"),
    ]);
    let lab = Lab::with_workers(1);
    expect(&run(&lab, "print('a\\nb\\nc', end='')\n", &task), &[("passed", "")]);
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn a_program_that_no_output_pleases_is_the_authors_fault() {
    let lab = Lab::with_workers(1);
    for (checker, told) in [
        ("def check(input, output, answer):\n    return 1\n", "check in c.py returned 1, not True or False"),
        ("def check(input, output, answer):\n\n    return isclose(1, 2)\n", "c.py line 3 raised NameError"),
        ("import sys\nsys.exit(1)\n", "c.py ended with exit code 1, not 42 or 43"),
        (
            "def chek(input, output, answer):\n    return True\n",
            "not 42 or 43; it has no function `check` to call",
        ),
    ] {
        let (_folder, task) = task(&[
            ("c.py", checker),
            ("s/1.in", "1"),
            ("s/1.out", "1"),
            ("t.yaml", "prompt: p\ncases: [{folder: s, compare: {checker: c.py}}]\n"),
        ]);
        let said = fault(&lab, "print(1)\n", &task);
        assert!(said.contains(told), "{said}");
    }
    let (_folder, task) = task(&[
        ("c.py", "def check(:\n"),
        ("s/1.in", "1"),
        ("s/1.out", "1"),
        ("t.yaml", "prompt: p\ncases: [{folder: s, compare: {checker: c.py}}]\n"),
    ]);
    let said = fault(&lab, "print(1)\n", &task);
    assert!(said.contains("s/1 (line 2): the program that decides: invalid syntax (c.py, line 1)"), "{said}");
    assert_eq!(lab.close(), Vec::<String>::new());
}

#[test]
fn a_file_that_changes_under_a_run_is_nobodys_failure() {
    let lab = Lab::with_workers(1);
    for name in ["s/1.in", "s/1.out"] {
        let (folder, task) = task(&[("s/1.in", "1"), ("s/1.out", "1"), ("t.yaml", "prompt: p\ncases: s\n")]);
        fs::write(folder.path().join(name), "2").unwrap();
        let said = fault(&lab, "print(input())\n", &task);
        assert!(said.contains("has changed since the task was read"), "{said}");
        let changed = load(folder.path());
        assert_ne!(changed.digest(), task.digest());
        fs::write(folder.path().join(name), "1").unwrap();
        let again = load(folder.path());
        assert_eq!(again.digest(), task.digest());
    }
    let (_folder, task) = task(&[("s/1.in", "2"), ("s/1.out", "2"), ("t.yaml", "prompt: p\ncases: s\n")]);
    expect(&run(&lab, "print(input())\n", &task), &[("passed", "")]);
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// The most memory that a process has had, in KiB.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The host is a process of its own: other tests beside this one take memory, too.
#[test]
fn five_megabytes_go_in_and_three_come_out_and_the_host_stays_small() {
    let numbers: String = (0..700_000).map(|number| format!("{number}\n")).collect();
    let (input, output) = (format!("{numbers}{}", "x\n".repeat(200_000)), &numbers[..3 << 20]);
    assert!(input.len() > 5_000_000);
    let env = TestEnv::new().pipeline("parallel: 1\njudge: {memory: 256MiB}\n").task(
        "t",
        "prompt: p\noutput: 4MiB\nmemory: 256MiB\ntimeout: 60s\ncases: {folder: s, compare: exact}\n",
    );
    for number in 0..8 {
        env.write(&format!("tasks/s/{number}.in"), &input);
        env.write(&format!("tasks/s/{number}.out"), output);
    }
    let daemon = env.watch();
    let before = peak(daemon.id());
    let agent = "import sys\ntext = sys.stdin.read()\nsys.stdout.write(text[:3 << 20])\n";
    let judged = |miner: &str, source: &str, score: &str| {
        env.drop_agent(miner, source);
        wait_until("it is judged", || env.score(miner).is_some_and(|it| !it.is_empty()));
        assert_eq!(env.score(miner).as_deref(), Some(score), "{:?}", env.report(miner, "t"));
    };
    judged("ann", agent, "100");
    let more = peak(daemon.id()) - before;
    assert!(more < 48 << 10, "the host took {more} KiB more for 8 cases of 8 MiB");
    judged("bob", &agent.replace("3 << 20", "(3 << 20) - 1"), "0");
    let report = env.report("bob", "t");
    assert!(report.len() == 8 && report.iter().all(|test| test.contains("line 4")), "{report:?}");
    daemon.end();
}

/// By a program of each task's name beside agent.py; by one file of samples; by one of several drafts; and by asking for the task's id.
#[test]
fn a_submission_serves_many_tasks_of_programs() {
    let env = TestEnv::new().pipeline("validate: {files: 5}\nrewards: none\n");
    for (id, answer) in [("sum", "5"), ("set-1/two-max", "3")] {
        env.write(
            &format!("tasks/{id}.yaml"),
            &format!("prompt: {id}\ncases: {}-data\n", id.replace("set-1/", "")),
        );
        env.write(&format!("tasks/{id}-data/1.in"), "2 3\n");
        env.write(&format!("tasks/{id}-data/1.out"), &format!("{answer}\n"));
    }
    let [sum, max] = ["sum", "max"].map(|how| format!("print({how}(map(int, input().split())))\n"));
    env.write("inbox/ann/agent.py", "");
    env.write("inbox/ann/sum.py", &format!("import tools\ntools.told()\n{sum}"));
    env.write(
        "inbox/ann/tools.py",
        "import sys\ndef told():\n    print(sys.argv, __name__, file=sys.stderr)\n",
    );
    env.write("inbox/ann/set_1/two_max.py", &max);
    let part = |id: &str, source: &str| DraftPart {
        id: id.into(),
        prompt: id.into(),
        program: true,
        source: source.into(),
    };
    env.drop_agent("bob", &merged::merge(&[part("sum", &sum), part("set-1/two-max", &max)]));
    env.drop_agent(
        "cyd",
        &format!("import os\nif os.environ['AGENTMILL_TASK'] == 'sum':\n    {sum}else:\n    {max}"),
    );
    let line =
        |id: &str, source: &str| serde_json::json!({ "task_id": id, "solution": source }).to_string() + "\n";
    env.write("dan.jsonl", &(line("sum", &sum) + &line("set-1/two-max", &max)));
    env.agentmill(&["import", "samples", env.path("dan.jsonl").to_str().unwrap()]).code(0);
    env.run();
    let scores = ["ann", "bob", "cyd", "dan"].map(|miner| env.score(miner).unwrap_or_default());
    assert_eq!(scores, ["100"; 4], "{:?} {}", env.verdicts(), env.read("results/rejected.csv"));
    let stderr = env.json("agents/ann.json").to_string();
    assert!(stderr.contains("['sum.py'] tools"), "{stderr}");
}
