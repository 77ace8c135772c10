//! Tests of the configuration: defaults, every kind of mistake, mutated files.

use std::time::Duration;

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::task;

fn load_text(text: &str) -> Result<Pipeline, Problems> {
    parse(Path::new("pipeline.yaml"), text.as_bytes())
}

/// The problems without the file's name.
fn problems(text: &str) -> Vec<String> {
    let problems = load_text(text).err().map_or(Vec::new(), |problems| problems.0);
    problems.iter().map(|problem| problem.to_string().replacen("pipeline.yaml:", "", 1)).collect()
}

/// The only problem.
fn problem(text: &str) -> String {
    let problems = problems(text);
    assert_eq!(problems.len(), 1, "{text}: {problems:?}");
    problems.concat()
}

fn valid(text: &str) -> Pipeline {
    load_text(text).unwrap_or_else(|problems| panic!("{text}: {problems}"))
}

#[test]
fn the_shipped_file_is_the_defaults() {
    let (shipped, empty) = (valid(DEFAULT), valid(""));
    assert_ne!(shipped.sha256, empty.sha256);
    assert_eq!(comparable(&shipped), comparable(&empty));
    for stages in [&shipped.stages, &empty.stages] {
        for id in ["a", "a/b", "a/b.c/d-e"] {
            assert!(stages[0].tasks.is_match(id));
        }
        assert_eq!(stages[0].tasks.len(), 1);
    }
}

#[test]
fn public_tests_are_asked_apart_where_miners_see_less_than_by_default() {
    let with = |feedback: &str| {
        let stages = format!(
            "stages: [{{name: a, tasks: ['a/*']}}, {{name: b, tasks: ['b/*'], feedback: {feedback}}}]"
        );
        valid(&stages).sandbox.public_apart
    };
    assert_eq!(["none", "score", "tasks", "full"].map(with), [true, true, false, false]);
    assert!(!valid("").sandbox.public_apart);
}

/// Everything but the digest and the globs, whose debug form is not stable.
fn comparable(pipeline: &Pipeline) -> String {
    let Pipeline { inbox, tasks, results, validate, sandbox, parallel, rewards, llm, serve, .. } = pipeline;
    let stage = |stage: &Stage| format!("{:?}", (&stage.name, stage.pass_mark, stage.feedback, stage.limits));
    let stages: Vec<String> = pipeline.stages.iter().map(stage).collect();
    format!("{:#?}", ((inbox, tasks, results), validate, sandbox, parallel, stages, (rewards, llm, serve),))
}

#[test]
fn the_shipped_file_shows_every_field_with_a_comment() {
    for section in [
        "",
        "season",
        "season.submissions",
        "season.late",
        "validate",
        "sandbox",
        "judge",
        "rewards",
        "llm",
        "serve",
        "stages",
        "stages.sandbox",
    ] {
        let text = match section {
            "" => "zzzzzzzzzz: 1".to_owned(),
            "stages" => "stages: [{name: a, zzzzzzzzzz: 1}]".to_owned(),
            "stages.sandbox" => "stages: [{name: a, sandbox: {zzzzzzzzzz: 1}}]".to_owned(),
            _ => match section.split_once('.') {
                Some((outer, inner)) => format!("{outer}: {{{inner}: {{zzzzzzzzzz: 1}}}}"),
                None => format!("{section}: {{zzzzzzzzzz: 1}}"),
            },
        };
        let message = problem(&text);
        let (_, names) = message.split_once("expected one of ").unwrap();
        for name in names.split(", ") {
            let shown = |line: &&str| line.trim_start_matches([' ', '-']).starts_with(&format!("{name}:"));
            let lines: Vec<&str> = DEFAULT.lines().filter(shown).collect();
            assert!(!lines.is_empty(), "{section}.{name} is missing");
            let explained =
                |line: &&str| line.contains(" # ") || line.ends_with(':') || line.ends_with(": all");
            assert!(lines.iter().all(explained), "{section}.{name} needs a comment");
        }
    }
}

#[test]
fn files_are_found_beside_the_pipeline() {
    let pipeline = parse(Path::new("/x/pipeline.yaml"), b"inbox: drop\nresults: /var/r").unwrap();
    assert_eq!(pipeline.inbox, Path::new("/x/drop"));
    assert_eq!(pipeline.tasks, Path::new("/x/tasks"));
    assert_eq!(pipeline.results, Path::new("/var/r"));
    assert_eq!(valid("").inbox, Path::new("inbox"));
}

#[test]
fn folders_lie_apart() {
    assert_eq!(problem("results: inbox"), "1:10: results: must not lie in the \"inbox\" folder");
    assert_eq!(problem("inbox: ./x/../tasks/in"), "1:8: inbox: must not lie in the \"tasks\" folder");
    assert!(problems("tasks: .").concat().contains("must not lie in the \"tasks\" folder"));
    assert!(problems("inbox: ''").concat().contains("expected a path"));
    valid("inbox: ../inbox\ntasks: ../tasks\nresults: ../..x");
}

#[test]
fn folders_lie_apart_by_whatever_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("inbox")).unwrap();
    std::os::unix::fs::symlink("inbox", dir.path().join("alias")).unwrap();
    let file = dir.path().join("pipeline.yaml");
    let whole = dir.path().display();
    for results in [format!("{whole}/inbox/new/x"), "alias".to_owned(), "alias/../inbox/x".to_owned()] {
        let problems = parse(&file, format!("results: {results}").as_bytes()).unwrap_err().to_string();
        assert!(problems.contains("results: must not lie in the \"inbox\" folder"), "{results}: {problems}");
    }
    parse(&file, b"results: alias/../results").unwrap();
}

#[test]
fn sections_may_be_empty() {
    valid("validate:\nsandbox:\nrewards: {}\n");
    assert_eq!(valid("rewards:").rewards, valid("").rewards);
    assert_eq!(problem("sandbox: []"), "1:10: sandbox: expected a mapping of fields, found a list");
}

#[test]
fn a_field_is_named_with_what_was_expected() {
    let cases = [
        ("sandbox: {timeout: ten}", "expected a duration such as \"10s\", found \"ten\""),
        ("sandbox: {timeout: 10}", "found 10 without a unit; write 10s"),
        ("sandbox: {timeout: 9ms}", "expected 10ms to 1h, found 9ms"),
        ("sandbox: {timeout: 61m}", "expected 10ms to 1h, found 61m"),
        ("sandbox: {timeout: }", "found nothing"),
        ("sandbox: {timeout: [1s]}", "found a list"),
        ("sandbox: {memory: 256}", "found 256 without a unit; write 256MiB"),
        ("validate: {max_bytes: 64000}", "found 64000 without a unit; write 64000B"),
        ("rewards: {improvement: {half_life: 2}}", "expected days from 1d to 3650d, found 2; write 2d"),
        ("sandbox: {memory: 31MiB}", "expected 32MiB to 1TiB, found 31MiB"),
        ("sandbox: {memory: 32MiB, tmp: 33MiB}", "tmp must not be larger than memory"),
        ("sandbox: {tmp: 0B}", "expected 64KiB to 1TiB, found 0B"),
        ("sandbox: {tmp: 1GiB}", "tmp must not be larger than memory"),
        ("sandbox: {cpus: 0}", "expected 0.01 to 1024, found 0"),
        ("sandbox: {cpus: .nan}", "expected 0.01 to 1024, found NaN"),
        ("sandbox: {cpus: '1'}", "expected a number, found \"1\""),
        ("sandbox: {pids: 1}", "expected 8 to 32768, found 1"),
        ("sandbox: {pids: -1}", "expected a whole number, found -1"),
        ("sandbox: {pids: 1e99}", "expected a whole number, found"),
        ("sandbox: {output: 1B}", "expected 1KiB to 7MiB, found 1B"),
        ("sandbox: {network: bridge}", "agents never get a network"),
        ("sandbox: {network: null}", "agents never get a network"),
        ("sandbox: {engine: dokcer}", "`auto`, `docker`, `podman`, `runc`, `crun`, found \"dokcer\""),
        ("sandbox: {engine: [docker]}", "`auto`, `docker`, `podman`, `runc`, `crun`, found a list"),
        (
            "sandbox: {engine: runc, runtime: runsc}",
            "runtime: takes engine docker or podman; runc is run directly",
        ),
        (
            "sandbox: {engine: crun, launch: [srun]}",
            "launch: takes engine docker or podman; crun is run directly",
        ),
        ("sandbox: {cell_per: run}", "expected `agent` or `task`, found \"run\""),
        ("sandbox: {image: ''}", "found \"\""),
        ("sandbox: {image: '--privileged'}", "not starting with \"-\""),
        ("sandbox: {image: 'a b'}", "without spaces"),
        ("sandbox: {runtime: -v}", "not starting with \"-\""),
        ("sandbox: {wait_for_engine: 25h}", "expected 0ms to 24h, found 25h"),
        ("sandbox: {launch: srun}", "expected a list, found \"srun\""),
        ("sandbox: {launch: [srun, 1]}", "expected text, found 1; quote it"),
        ("sandbox: {launch: [\"a\\0b\"]}", "control characters in \"a\\0b\""),
        ("sandbox: {memroy: 1}", "unknown field; did you mean \"memory\"?"),
        ("judge: {time: 10}", "found 10 without a unit; write 10s"),
        ("judge: {time: 10ms}", "expected 100ms to 1h, found 10ms"),
        ("judge: {memory: 16MiB}", "expected 64MiB to 1TiB, found 16MiB"),
        ("validate: {max_bytes: 1GiB}", "expected 1B to 16MiB, found 1GiB"),
        ("validate: {forbid: ['(']}", "not a regular expression: unclosed group"),
        ("validate: {forbid: ['']}", "matches everything"),
        (r#"validate: {forbid: ["\beval"]}"#, r"write '\b' in single quotes"),
        ("validate: {allow: numpy}", "expected image or a list of modules such as [numpy], found \"numpy\""),
        (
            "validate: {allow: [a.b]}",
            "expected the name that an import begins with, such as numpy, found \"a.b\"",
        ),
        ("validate: {allow: ['']}", "expected the name that an import begins with"),
        ("validate: {forbid: ['a{9999}{9999}']}", "not a regular expression"),
        ("parallel: 0", "expected auto or a whole number from 1 to 1024, found 0"),
        ("parallel: 1025", "found 1025"),
        ("parallel: all", "found \"all\""),
        ("stages: []", "expected at least one stage"),
        ("stages: {}", "expected a list, found a mapping; write each item behind a \"- \""),
        ("stages: [{}]", "stages[0].name: missing, such as name: all"),
        ("samples: 3", "samples: unknown field; did you mean stages: [{name: all, samples: ...}]?"),
        ("stages: [{name: a, pass_at_k: 3}]", "unknown field; did you mean reduce: {pass_at_k: ...}?"),
        ("stages: [{name: a, memory: 1GiB}]", "unknown field; did you mean sandbox: {memory: ...}"),
        (
            "rewards: {split: [0.5, 0.3, 0.2]}",
            "expected percentages such as 50 for a half, found shares of one",
        ),
        ("stages: [{name: A}]", "expected 1 to 64 characters of a-z, 0-9, _ and -, found \"A\""),
        ("stages: [{name: a, tasks: []}]", "expected at least one pattern"),
        ("stages: [{name: a, tasks: ['{a']}]", "not a valid pattern"),
        ("stages: [{name: a}, {name: a}]", "stages[1].name: another stage is called \"a\""),
        ("stages: [{name: a, pass_mark: 101}]", "expected 0 to 100, found 101"),
        ("stages: [{name: a, sandbox: {image: x}}]", "unknown field; expected one of timeout"),
        ("rewards: off", "rewards: expected fields such as `pool: 100`, or `none`"),
        ("rewards: 5", "rewards: expected fields such as `pool: 100`, or `none`"),
        ("rewards: {pool: -1}", "expected 0 to 1e15, found -1"),
        ("rewards: {pool: .inf}", "expected 0 to 1e15, found inf"),
        ("rewards: {token: '=cmd()'}", "letters or digits such as \"TAO\""),
        ("rewards: {token: \"a\\u202eb\"}", "letters or digits such as \"TAO\""),
        ("rewards: {split: all}", "expected proportional, winner or a list such as"),
        ("rewards: {split: []}", "expected at least one percentage"),
        ("rewards: {split: [60, 50]}", "add up to at most 100, found 110"),
        ("rewards: {split: [0]}", "expected a percentage above 0"),
        ("rewards: {split: {}}", "found a mapping"),
        ("similarity: {base: ['']}", "expected a path, found an empty text"),
        ("similarity: {originals: {abc: ann}}", "its name is no sha256: 64 digits of 0-9 and a-f"),
        ("rewards: {ties: never}", "expected one of `exact`, `statistical`, `cost`, found \"never\""),
        (
            "rewards: {pool: 0.0000001}",
            "expected at least 0.000001, the smallest part that is paid, found 0.0000001",
        ),
        ("rewards: {cap: 0}", "rewards.cap: 0 pays nobody anything; leave cap out"),
        ("rewards: {cap: -1}", "expected 0 to 1e15, found -1"),
        ("rewards: {minimum: 101}", "expected 0 to 100, found 101"),
        ("rewards: {improvement: {percent: 0}}", "expected a percentage above 0"),
        ("rewards: {improvement: {half_life: 12h}}", "expected days from 1d to 3650d, found \"12h\""),
        ("rewards: {per_stage: {easy: 50}}", "there is no stage \"easy\""),
        ("rewards: {per_stage: {al: 50}}", "there is no stage \"al\"; did you mean \"all\"?"),
        ("rewards: {per_stage: {all: 101}}", "expected a percentage above 0 and up to 100"),
        ("rewards: {per_stage: {}}", "expected a percentage for a stage"),
        ("rewards: {per_stage: {all: 50}, ties: statistical}", "per_stage takes exact"),
        ("rewards: {ties: cost}", "no stage grants a model"),
        ("llm: 1", "expected a mapping of fields, found 1"),
        ("llm: {base_url: 'ftp://x'}", "expected a URL such as"),
        ("llm: {base_url: 'https://u:p@x/v1'}", "must not hold a password"),
        ("llm: {base_url: 'https://x/v1?key=1'}", "a host and a path and nothing behind them"),
        ("llm: {api_key_env: sk-1234}", "not the key itself"),
        ("llm: {model: ''}", "expected a model's name, found \"\""),
        ("llm: {max_tokens: 0}", "expected 1 to 1000000, found 0"),
        ("llm: {temperature: 3}", "expected 0 to 2, found 3"),
        ("llm: {api_version: 'v?x=1'}", "expected a version such as 2024-10-21"),
        ("llm: {headers: {Authorization: x}}", "a key is set by api_key_env"),
        ("llm: {headers: {'X Y': x}}", "no name of a header"),
        ("llm: {headers: {X: \"a\\nb\"}}", "expected plain ASCII text"),
        ("llm: {body: {stream: true}}", "stream has a setting of its own, or can't be set"),
        ("llm: {body: 1}", "expected a mapping of fields, found 1"),
        (
            "llm: {prices: {m: 1}}",
            "expected the price of a million tokens of prompts and of replies, such as [2.5, 10]",
        ),
        ("llm: {prices: {m: [1]}}", "the price of a million tokens"),
        ("llm: {prices: {m: [1, -1]}}", "expected 0 to 1000000, found -1"),
        ("llm: {command: llm}", "expected a list, found \"llm\"; write [llm]"),
        (
            "on_change: 'ollama run qwen3:1b --x'",
            "expected a list, found \"ollama run qwen3:1b --x\"; write [ollama, run, \"qwen3:1b\", \"--x\"]",
        ),
        ("serve: {listen: 8000}", "an address and a port such as 127.0.0.1:8000, found 8000"),
        ("serve: {listen: 'localhost:8000'}", "; for localhost write 127.0.0.1:8000"),
        ("board: {sight: all}", "board.sight: expected `private` or `public`"),
        ("board: {reveal_at: 2027-03-01T00:00Z}", "board.reveal_at: takes freeze_from"),
        (
            "board: {freeze_from: 2027-03-02T00:00Z, reveal_at: 2027-03-01T00:00Z}",
            "board.reveal_at: must be after freeze_from",
        ),
        ("board: secret", "expected `private` or `public`, found \"secret\""),
        ("serve: {uploads_per_minute: 0}", "expected 1 to 1000000, found 0"),
        ("serve: {tokens: ''}", "expected a path"),
    ];
    for (text, expected) in cases {
        let found = problem(text);
        assert!(found.contains(expected), "{text}\n  {found}\n  {expected}");
    }
}

#[test]
fn all_mistakes_are_reported_in_order() {
    let text = "rewards:\n  split: x\nsandbox:\n  memroy: 1\n  timeout: ten\nstages:\n  - name: a\n  \
                - name: b\n    sandbox: {timeout: 2h}\nsandbox: {}\n";
    let starts = [
        "2:10: rewards.split: expected proportional",
        "4:3: sandbox.memroy: unknown field; did you mean \"memory\"?",
        "5:12: sandbox.timeout: expected a duration such as \"10s\", found \"ten\"",
        "9:24: stages[1].sandbox.timeout: expected 10ms to 1h, found 2h",
        "10:1: sandbox: given twice; first on line 3",
    ];
    let found = problems(text);
    assert_eq!(found.len(), starts.len(), "{found:?}");
    for (problem, start) in found.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }
}

#[test]
fn of_many_mistakes_a_hundred_are_told_and_that_there_are_more() {
    let many: String = (0..10_000).map(|n| format!("k{n}: 1\n")).collect();
    let told = problems(&many);
    assert_eq!(
        (told.len(), told.iter().filter(|one| one.contains("more mistakes follow")).count()),
        (100, 1)
    );
}

#[test]
fn stages_override_limits() {
    let pipeline = valid(
        "sandbox: {timeout: 2s, pids: 32}\nstages:\n  - name: quick\n    tasks: ['easy/*']\n    pass_mark: 50\n    \
         sandbox: {timeout: 1.5s, memory: 64MiB}\n  - name: rest\n    tasks: ['hard/**']\n",
    );
    let [quick, rest] = pipeline.stages.as_slice() else { panic!() };
    assert_eq!(quick.limits.timeout, Duration::from_millis(1500));
    assert_eq!((quick.limits.memory, quick.limits.pids, quick.pass_mark), (64 << 20, 32, 50.0));
    assert_eq!(rest.limits, pipeline.sandbox.limits);
    assert!(quick.tasks.is_match("easy/a") && !quick.tasks.is_match("easy/a/b"));
    assert!(rest.tasks.is_match("hard/a/b"));
}

#[test]
fn a_later_place_that_earns_more_is_hinted_at() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pipeline.yaml");
    let hints = |split: &str| {
        std::fs::write(&file, format!("title: cup\nrewards: {{split: {split}}}\n")).unwrap();
        let pipeline = crate::config::load(&file).unwrap();
        crate::config::rising_split(&file, pipeline.rewards.as_ref())
    };
    let told = hints("[20, 50, 30]");
    assert_eq!((told.len(), told[0].line, told[0].field.as_str()), (1, 2, "rewards.split"));
    assert_eq!(told[0].message, "place 2 earns 50, more than place 1 with 20");
    assert!(["[50, 30, 20]", "[50, 50]", "winner"].iter().all(|split| hints(split).is_empty()));
}

#[test]
fn improvements_and_pools_of_stages() {
    let rewards = |text: &str| valid(&format!("rewards: {{{text}}}")).rewards.unwrap();
    assert_eq!((rewards("").improvement, rewards("per_stage: null").per_stage), (None, None));
    let default = Improvement { percent: 50.0, margin: 100, half_life: 30 };
    assert_eq!(rewards("improvement: {}").improvement, Some(default));
    let own = rewards("improvement: {percent: 10, margin: 0.25, half_life: 7d}").improvement;
    assert_eq!(own, Some(Improvement { percent: 10.0, margin: 25, half_life: 7 }));
    assert_eq!(rewards("per_stage: {all: 60}").per_stage, Some(vec![("all".to_owned(), 60.0)]));
}

#[test]
fn splits() {
    let split = |text: &str| valid(&format!("rewards: {{split: {text}}}")).rewards.unwrap().split;
    assert_eq!(split("winner"), Split::Winner);
    assert_eq!(split("proportional"), Split::Proportional);
    assert_eq!(split("[50, 30, 20]"), Split::Places(vec![50.0, 30.0, 20.0]));
    assert_eq!(split("[33.4, 33.3, 33.3]"), Split::Places(vec![33.4, 33.3, 33.3]));
}

/// A folder with a pipeline and empty-ish tasks of these ids.
fn folder(pipeline: &str, ids: &[&str]) -> (tempfile::TempDir, Vec<task::Task>) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pipeline.yaml"), pipeline).unwrap();
    for id in ids {
        let file = dir.path().join(format!("tasks/{id}.yaml"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "prompt: p\ntests: [assert x]").unwrap();
    }
    let tasks = task::load(&dir.path().join("tasks")).unwrap();
    (dir, tasks)
}

fn stage_problems(pipeline: &str, ids: &[&str]) -> Vec<String> {
    let (dir, tasks) = folder(pipeline, ids);
    let file = dir.path().join("pipeline.yaml");
    let problems = crate::workspace::check_stages(&file, &load(&file).unwrap(), &tasks);
    let prefix = format!("{}:", file.display());
    problems.iter().map(|problem| problem.to_string().replacen(&prefix, "", 1)).collect()
}

#[test]
fn every_stage_has_tasks_and_no_task_has_two_stages() {
    assert!(stage_problems("", &["a", "b/c"]).is_empty());
    assert!(stage_problems("stages: [{name: x, tasks: [a]}]", &["a", "b/c"]).is_empty());
    let text = "stages:\n  - name: x\n    tasks: ['*']\n  - name: y\n    tasks: [a, 'z/*']\n  - name: z\n    \
                tasks: ['none/*']\n  - name: all\n";
    assert_eq!(
        stage_problems(text, &["a", "b", "z/c"]),
        [
            "5:12: stages[1].tasks: task \"a\" is already in stage \"x\"; a task may be in only one",
            "7:13: stages[2].tasks[0]: no task matches the pattern \"none/*\"",
            "8:5: stages[3].tasks: 2 tasks are already in stage \"x\", such as \"a\"; a task may be in only one",
            "8:5: stages[3].tasks: task \"z/c\" is already in stage \"y\"; a task may be in only one",
        ]
    );
}

/// A task that was meant would not be run, and nobody told.
#[test]
fn every_item_of_a_stage_names_a_task() {
    let text = "stages:\n- name: x\n  tasks: [one, tow, c]\n- name: y\n  tasks:\n  - '*/d'\n  - zebra\n";
    assert_eq!(
        stage_problems(text, &["one", "two", "b/c", "b/d"]),
        [
            "3:16: stages[0].tasks[1]: no task \"tow\"; did you mean \"two\"?",
            "3:21: stages[0].tasks[2]: no task \"c\"; did you mean \"b/c\"?",
            "7:5: stages[1].tasks[1]: no task \"zebra\"",
        ]
    );
}

/// Its questions would cost nothing.
#[test]
fn a_price_that_bears_nearly_the_name_of_a_model_is_hinted_at() {
    let hints = |prices: &str| {
        let asks = "stages: [{name: a, model: {allow: [gpt-4o-mini, o3]}}]\njudge: {model: {use: qwen3}}";
        let pipeline = valid(&format!("{asks}\nllm: {{prices: {{{prices}}}}}"));
        let hints = crate::config::misnamed_prices(Path::new("p"), &pipeline);
        hints.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for prices in ["", "gpt-4o-mini: [1, 2]", "gpt-4o-mini: [1, 2], gtp-4o-mini: [1, 2]", "other: [1, 2]"] {
        assert!(hints(prices).is_empty(), "{prices}: its own, none, or one for somebody else");
    }
    assert_eq!(
        hints("gtp-4o-mini: [1, 2], qwen: [1, 2], o3: [1, 2]"),
        [
            "p: llm.prices: nothing asks \"gtp-4o-mini\"; did you mean \"gpt-4o-mini\", which has no price?",
            "p: llm.prices: nothing asks \"qwen\"; did you mean \"qwen3\", which has no price?"
        ]
    );
}

/// The shipped file with some bytes replaced, removed or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edit = (0..DEFAULT.len(), 0..3_u8, prop::sample::select(b" \n:-[]{}\"'#*&!|>,0a\xff\0".to_vec()));
    prop::collection::vec(edit, 1..8).prop_map(|edits| {
        let mut bytes = DEFAULT.as_bytes().to_vec();
        for (at, action, byte) in edits {
            let at = at % bytes.len();
            match action {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn a_mutated_file_never_panics(bytes in mutated()) {
        if let Err(problems) = parse(Path::new("p"), &bytes) {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            prop_assert!(!problems.0.is_empty());
            for problem in problems.0 {
                prop_assert!((1..=lines).contains(&problem.line), "{}", problem);
                prop_assert!(problem.column > 0, "{}", problem);
            }
        }
    }
}
