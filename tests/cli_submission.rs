//! Bad submissions, by the real binary: every file in the inbox is ranked, or refused with its line and a reason;
//! whatever stands in pipeline.yaml and in tasks is taken, or named with its place.

mod testenv;

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, Mode, mkfifoat};
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv};

/// Sources that look odd and are fine, each by what goes before the agent's code and behind it.
const FINE: &[(&str, &str, &str)] = &[
    ("bom", "\u{feff}", ""),
    ("docstring", "\"\"\"\nimport numpy\n\"\"\"\n", ""),
    ("comment", "# import numpy\n", "# import numpy"),
    ("text", "x = 'import numpy'\ny = f'{x}; import numpy'\n", ""),
    ("dotted", "import urllib.request, concurrent.futures as c\nfrom xml.etree import ElementTree\n", ""),
    ("backslash", "import \\\n os, \\\n json\n", ""),
    ("parentheses", "from os import (path, # numpy\n sep)\n", ""),
    ("semicolon", "x = 1; import os; import sys\n", ""),
    ("guarded", "try: import os\nexcept ImportError: os = None\nif os: import json\n", ""),
    ("emoji", "# -*- coding: utf-8 -*-\nzählung = '🙂'\n", ""),
];

/// Refusals, with line and reason.
const REFUSED: &[(&str, &[u8], &str, &str)] = &[
    ("empty", b"", "", "is empty"),
    ("comments", b"# nothing\n\n# else\n", "", "contains no code"),
    ("syntax", b"x = 1\ndef f(:\n", "2", "is not valid Python 3.11"),
    ("latin", b"x = 1\ny = '\xe9'\n", "2", "byte 6 of the line, 0xe9, is not UTF-8"),
    ("utf16", b"\xff\xfex\0\n\0", "1", "is UTF-16 text"),
    ("zero", b"x = 1\0\n", "1", "contains a NUL byte"),
    ("declared", b"# coding: latin-1\nx = 1\n", "1", "declares the encoding latin-1"),
    ("second", b"import os, numpy as n\n", "1", "imports numpy"),
    ("behind", b"x = 1; import numpy\n", "1", "imports numpy"),
    ("continued", b"import os, \\\n numpy\n", "2", "imports numpy"),
    ("bracketed", b"\nfrom numpy import (\n  array)\n", "2", "imports numpy"),
    ("under", b"try:\n    import numpy\nexcept ImportError: pass\n", "2", "imports numpy"),
    ("relative", b"from . import x\n", "1", "relative imports"),
];

fn put(env: &TestEnv, file: &str, bytes: impl AsRef<[u8]>) {
    fs::write(env.path("inbox").join(file), bytes).unwrap();
}

#[test]
fn every_source_is_ranked_or_refused_with_its_line_and_reason() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    for (miner, before, behind) in FINE {
        put(&env, &format!("{miner}.py"), format!("{before}{DOUBLE_AGENT}{behind}"));
    }
    put(&env, "crlf.py", DOUBLE_AGENT.replace('\n', "\r\n"));
    put(&env, "cr.py", DOUBLE_AGENT.replace('\n', "\r"));
    put(&env, "longline.py", format!("x = '{}'\n{DOUBLE_AGENT}", "x".repeat(200 << 10)));

    let generated = [
        ("nested", "[".repeat(100_000) + &"]".repeat(100_000), "", "is not valid Python 3.11"),
        ("giant", format!("x = 1\ny = {}\n", "9".repeat(5000)), "2", "Exceeds the limit"),
        ("oversize", "#".repeat((256 << 10) + 1), "", "is 262145 bytes long; at most 262144 are taken"),
    ];
    let generated =
        generated.each_ref().map(|(miner, text, line, why)| (*miner, text.as_bytes(), *line, *why));
    let refused: Vec<_> = REFUSED.iter().copied().chain(generated).collect();
    refused.iter().for_each(|(miner, bytes, ..)| put(&env, &format!("{miner}.py"), bytes));

    env.run();
    let scores: Vec<_> =
        env.csv("rankings.csv").into_iter().map(|line| (line["score"].clone(), line)).collect();
    assert!(scores.iter().all(|(score, _)| score == "100"), "{scores:#?}");
    assert_eq!(scores.len(), FINE.len() + 3, "{scores:#?}");
    let rejected = env.csv("rejected.csv");
    for (miner, _, line, reason) in &refused {
        let found = rejected.iter().find(|found| found["miner"] == **miner);
        let found = found.unwrap_or_else(|| panic!("{miner} is not among {rejected:#?}"));
        assert!(found["reason"].contains(reason), "{miner}: {found:?}");
        assert!(line.is_empty() || found["line"] == **line, "{miner}: {found:?}");
    }
    assert_eq!(rejected.len(), refused.len(), "{rejected:#?}");
}

#[test]
fn what_is_no_plain_file_or_has_no_name_is_refused_and_stops_nobody() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    let inbox = env.path("inbox");
    env.write("elsewhere.py", DOUBLE_AGENT);
    symlink("../elsewhere.py", inbox.join("link.py")).unwrap();
    symlink("/etc/passwd", inbox.join("outside.py")).unwrap();
    fs::hard_link(env.path("elsewhere.py"), inbox.join("hard.py")).unwrap();
    mkfifoat(CWD, inbox.join("fifo.py"), Mode::RUSR | Mode::WUSR).unwrap();
    let _socket = UnixListener::bind(inbox.join("socket.py")).unwrap();
    fs::create_dir(inbox.join("folder.py")).unwrap();
    let names = ["=cmd().py", "CON.py", "a\nb.py", "x%2f..py", "-x.py", "Twice.py", "twice.py", "notes.txt"];
    names.iter().for_each(|name| put(&env, name, DOUBLE_AGENT));

    env.run();
    assert_eq!(env.rankings().into_keys().collect::<Vec<_>>(), ["ann", "twice"]);
    let rejected = env.csv("rejected.csv");
    for (file, reason) in [
        ("link.py", "symbolic link"),
        ("outside.py", "symbolic link"),
        ("hard.py", "hard link"),
        ("fifo.py", "named pipe"),
        ("socket.py", "socket"),
        ("folder.py", "directory"),
        ("=cmd().py", "is not a miner id"),
        ("CON.py", "Windows"),
        ("a\\nb.py", "is not a miner id"),
        ("x%2f..py", "is not a miner id"),
        ("-x.py", "is not a miner id"),
        ("twice.py", "names the same miner as Twice.py"),
        ("notes.txt", "is not a .py file"),
    ] {
        // In a table, what begins like a formula is quoted.
        let is_it = |found: &&testenv::Line| found["file"].trim_start_matches('\'') == file;
        let found =
            rejected.iter().find(is_it).unwrap_or_else(|| panic!("{file} is not among {rejected:#?}"));
        assert!(found["reason"].contains(reason), "{file}: {found:?}");
    }
    assert_eq!(rejected.len(), 13, "{rejected:#?}");
}

/// Mistakes in any YAML file, with place and message.
const WRONG_YAML: &[(&[u8], &str)] = &[
    (b"\xff\xfea\0", ":1:1: this is UTF-16; save the file as UTF-8"),
    (b"a: 1\nb: \xff\n", ":2:4: not UTF-8 text (byte 0xff)"),
    (b"a: \0", ":1:4: control character"),
    (b"a: [", ":1:5: not valid YAML"),
    (b"a: 1\n---\nb: 2\n", ":2:1: a second document starts here"),
    (b"a: &a [*a]\n", ":1:8: a[0]: aliases"),
    (b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", ":2:8: b[0]: aliases"),
    (b"a: !!python/object x\n", ":1:4: a: tags"),
    (b"- a\n", ":1:1: expected a mapping of fields, found a list"),
    (b"5\n", ":1:1: expected a mapping of fields, found 5"),
];

#[test]
fn whatever_is_wrong_with_a_yaml_file_is_told_with_its_place() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    let complains = |file: &str, bytes: &[u8], expected: &str| {
        fs::write(env.path(file), bytes).unwrap();
        env.agentmill(&["run"]).code(2).complains(&[&format!("{file}{expected}")]);
        env.remove(file);
    };
    let huge = b"# x\n".repeat(1 << 18).into_iter().chain(*b"#").collect::<Vec<_>>();
    for (bytes, expected) in WRONG_YAML.iter().copied().chain([(&huge[..], ": larger than 1MiB")]) {
        complains("pipeline.yaml", bytes, expected);
        env.write("pipeline.yaml", "");
        complains("tasks/wrong.yaml", bytes, expected);
    }
    complains("tasks/wrong.yaml", b"", ":1:1: prompt: missing");
    complains("tasks/wrong.yaml", b"prompt: p\nprompt: q\ntests: [assert x]\n", ":2:1: prompt: given twice");
    complains(
        "tasks/wrong.yaml",
        b"prompt: p\ntest: [assert x]\n",
        ":2:1: test: unknown field; did you mean \"tests\"?",
    );
    complains("tasks/wrong.yaml", b"prompt: 5\ntests: [assert x]\n", ":1:9: prompt: expected text, found 5");
    complains("pipeline.yaml", b"parallel: 1\nparallel: 2\n", ":2:1: parallel: given twice");
    complains("pipeline.yaml", b"paralel: 1\n", ":1:1: paralel: unknown field; did you mean \"parallel\"?");
    complains("pipeline.yaml", b"parallel: []\n", ":1:11: parallel: expected");
    fs::create_dir(env.path("pipeline.yaml")).unwrap();
    env.agentmill(&["run"]).code(2).complains(&["pipeline.yaml: this is a folder; expected a file"]);
}

#[test]
fn one_agent_is_checked_as_the_pipeline_would() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    let check = |source: &str| {
        env.write("agent.py", source);
        env.agentmill(&["check", env.path("agent.py").to_str().unwrap()])
    };
    check(DOUBLE_AGENT).code(0).prints(&["agent.py would be evaluated"]);
    check("import os\n\nimport numpy\n").code(2).complains(&["agent.py:3: imports numpy"]);
    check("x = 1\ndef f(:\n    pass\n").code(2).complains(&["agent.py:2: ", "invalid syntax"]);
    check("# nothing\n").code(2).complains(&["agent.py: ", "no code"]);
    env.agentmill(&["check", "absent.py"]).code(2).complains(&["can't read absent.py"]);
    check("x = input()\n").code(0).prints(&[
        "hint: ",
        "its import raises EOFError",
        "agent.py would be evaluated",
    ]);
    let ended = check("import sys\nsys.exit(0)\n").code(0);
    assert!(!ended.stdout.contains("hint: "), "{ended}");
    // What lies in the inbox has a name that counts, too.
    for (file, reason) in [
        ("notes.txt", "is not a .py file"),
        ("J\u{f6}rg.py", "is not a miner id"),
        ("bob/main.py", "is a folder without agent.py"),
        ("Ann.py", ""),
    ] {
        env.write(&format!("inbox/{file}"), DOUBLE_AGENT);
        std::thread::sleep(std::time::Duration::from_millis(300));
        let named = file.split('/').next().unwrap();
        let found = env.agentmill(&["check", env.path("inbox").join(named).to_str().unwrap()]);
        if reason.is_empty() {
            found.code(0).prints(&["would be evaluated"])
        } else {
            found.code(2).complains(&[reason])
        };
    }
    assert!(!env.path("results/rankings.json").exists());
}
