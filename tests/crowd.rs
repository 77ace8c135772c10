//! Ten thousand files dropped at once, half of them junk. The sandbox of the first test is the fake one, as real cells
//! for five thousand agents take a quarter of an hour; all else is real: files, reports, results. The second has real
//! cells, for a handful of agents in a flood of junk.

mod testenv;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use agentmill::pipeline::{Mill, Summary};
use agentmill::sandbox::fake::Fake;
use agentmill::ui::Events;
use agentmill::workspace::Workspace;
use rustix::process::Signal;
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv, wait_until};

const HONEST: usize = 5000;

/// Of each kind.
const JUNK: usize = 500;

/// Of one source, beside its code.
const FILLING: usize = 4 << 10;

/// The memory that all of it may take, in bytes; the junk alone is half a TiB to look at.
const ROOM: u64 = 64 << 20;

type Make = fn(&Path, usize);

/// What people and programs drop, by what is said of it.
const KINDS: [(&str, Make); 10] = [
    ("is not UTF-8", |inbox, n| put(inbox.join(format!("binary-{n}.py")), b"\x7fELF\x02\x01\xff\xfe")),
    ("contains a NUL byte", |inbox, n| put(inbox.join(format!("nul-{n}.py")), b"x = 1\n\0")),
    ("is not valid Python 3.11: ", |inbox, n| {
        put(inbox.join(format!("syntax-{n}.py")), b"x = = 1 # syntax error")
    }),
    ("imports numpy", |inbox, n| {
        put(inbox.join(format!("numpy-{n}.py")), b"import os\nimport numpy as np\n")
    }),
    ("bytes long; at most", |inbox, n| {
        File::create(inbox.join(format!("large-{n}.py"))).unwrap().set_len(1 << 30).unwrap();
    }),
    ("is empty", |inbox, n| put(inbox.join(format!("empty-{n}.py")), b"")),
    ("a symbolic link", |inbox, n| symlink("honest-0.py", inbox.join(format!("link-{n}.py"))).unwrap()),
    ("is a directory", |inbox, n| fs::create_dir(inbox.join(format!("folder-{n}.py"))).unwrap()),
    ("is a folder without agent.py", |inbox, n| fs::create_dir(inbox.join(format!("hollow-{n}"))).unwrap()),
    ("", |inbox, n| put(inbox.join(OsStr::from_bytes(&odd_name(n))), b"x = 1")),
];

fn odd_name(n: usize) -> Vec<u8> {
    let odd: [&[u8]; 6] =
        [b"=cmd()", b"new\nline", b"\xff\xfe", b"\x1b[31m", "\u{202e}é".as_bytes(), b"a,\"b\""];
    [odd[n % odd.len()], format!("{n}.py").as_bytes()].concat()
}

fn put(path: PathBuf, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

fn drop_them_all(inbox: &Path) {
    let filling = "#".repeat(FILLING);
    (0..HONEST).for_each(|n| {
        put(inbox.join(format!("honest-{n}.py")), format!("# passes all {n}\nx = 1\n{filling}").as_bytes())
    });
    for (_, make) in KINDS {
        (0..JUNK).for_each(|n| make(inbox, n));
    }
    let earlier = SystemTime::now() - Duration::from_secs(60);
    for entry in fs::read_dir(inbox).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_symlink() {
            File::open(path).unwrap().set_modified(earlier).unwrap();
        }
    }
}

fn turn(dir: &Path) -> (Summary, Fake) {
    let Workspace { pipeline, tasks, .. } = Workspace::open(dir).unwrap();
    let (sandbox, (events, _), (waker, wakes)) = (Fake::default(), Events::channel(), mpsc::channel());
    let mill = Mill {
        pipeline: &pipeline,
        tasks: &tasks,
        sandbox: &sandbox,
        events: &events,
        force: false,
        stay: false,
    };
    let summary = mill.turn(&waker, &wakes).unwrap();
    (summary, sandbox)
}

/// The most memory that a process had since it was last asked to forget.
fn peak(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

#[test]
fn ten_thousand_files_all_end_in_the_rankings_or_among_the_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let inbox = dir.path().join("inbox");
    ["inbox", "tasks"].iter().for_each(|folder| fs::create_dir(dir.path().join(folder)).unwrap());
    put(dir.path().join("pipeline.yaml"), b"parallel: 4\n");
    put(dir.path().join("tasks/t.yaml"), b"prompt: p\ntests: [assert x, assert y, assert z]\n");
    drop_them_all(&inbox);

    forget_peak();
    let before = peak("self");
    let start = Instant::now();
    let (summary, _) = turn(dir.path());
    let (took, grown) = (start.elapsed(), peak("self") - before);
    println!("{} files in {took:.1?}, {} MiB more memory", HONEST + KINDS.len() * JUNK, grown >> 20);

    assert_eq!((summary.rows.len(), summary.pending), (HONEST, 0));
    assert!(summary.rows.iter().all(|row| row.score == Some(100.0)));
    assert_eq!(summary.rejected.len(), KINDS.len() * JUNK);
    let files: BTreeSet<_> = summary.rejected.iter().map(|rejection| &rejection.file).collect();
    assert_eq!(files.len(), summary.rejected.len(), "each is named");
    for (reason, _) in KINDS.iter().filter(|(reason, _)| !reason.is_empty()) {
        let count = summary.rejected.iter().filter(|rejection| rejection.reason.contains(reason)).count();
        assert!((JUNK..JUNK + JUNK / 2).contains(&count), "{reason}: {count}");
    }
    assert!(grown < ROOM, "{grown} bytes");
    assert_eq!(lines(dir.path(), "rankings.csv"), HONEST + 1);
    assert_eq!(lines(dir.path(), "scores.csv"), HONEST + 1);
    assert_eq!(lines(dir.path(), "rejected.csv"), KINDS.len() * JUNK + 1);
    assert_eq!(fs::read_dir(dir.path().join("results/agents")).unwrap().count(), HONEST + JUNK);

    let (again, fake) = turn(dir.path());
    assert_eq!((again.rows, again.rejected), (summary.rows, summary.rejected));
    assert_eq!(fake.opened.into_inner(), 0, "all of it is remembered");
}

fn lines(dir: &Path, name: &str) -> usize {
    fs::read_to_string(dir.join("results").join(name)).unwrap().lines().count()
}

#[test]
fn a_flood_of_junk_keeps_no_agent_from_its_score() {
    let env = TestEnv::new().task("double", DOUBLE_TASK);
    let daemon = env.watch();
    // Only Python tells a syntax error, and so in a cell.
    let kinds = KINDS.iter().filter(|(reason, _)| !reason.contains("Python"));
    for (number, (_, make)) in kinds.clone().enumerate() {
        (0..JUNK).for_each(|n| make(&env.path("inbox"), n));
        env.drop_agent(&format!("m{number}"), DOUBLE_AGENT);
    }
    wait_until("all junk is refused", || env.csv("rejected.csv").len() == kinds.clone().count() * JUNK);
    wait_until("every agent is ranked", || env.rankings().len() == kinds.clone().count());
    assert!(env.rankings().values().all(|line| line["score"] == "100"));
    let peak = peak(&daemon.id().to_string());
    println!("{} MiB of memory at most", peak >> 20);
    assert!(peak < 2 * ROOM, "{peak} bytes");
    daemon.signal(Signal::TERM);
    daemon.wait().code(143);
}
