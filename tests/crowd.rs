//! Ten thousand files dropped at once, half of them junk. The sandbox of the first test is the fake one, as real cells
//! for five thousand agents take a quarter of an hour; all else is real: files, reports, results. The second has real
//! cells, for a handful of agents in a flood of junk.

mod passes;
mod testenv;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Debug;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant, SystemTime};

use agentmill::pipeline::{Summary, Wake};
use agentmill::sandbox::fake::Fake;
use agentmill::ui::{Event, Events};
use agentmill::util::watch_folder::watch_folder;
use agentmill::workspace::Workspace;
use notify::RecursiveMode;
use passes::pass;
use rustix::process::Signal;
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv, wait_until};
use tracing::field::{Field, Visit};
use tracing::{Metadata, Subscriber, span};

/// Held by each test while it works: the memory of a process is that of all its tests, and so is a machine's time.
static ALONE: Mutex<()> = Mutex::new(());

const HONEST: usize = 5000;

/// Of each kind.
const JUNK: usize = 500;

/// Of one source, beside its code.
const FILLING: usize = 16 << 10;

/// The memory that all of it may take, in bytes: some 7 KiB for each file, with what an allocator leaves between. The honest agents'
/// sources alone are 78 MiB, so they can't be held beside it, and the junk is half a TiB to look at.
const ROOM: u64 = 96 << 20;

/// The most that `watch` may have, in bytes, with its own program.
const WATCHING: u64 = 128 << 20;

type Make = fn(&Path, usize);

/// Files that people and programs drop, by the message they get.
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

fn run_pass(dir: &Path) -> (Summary, Fake) {
    let sandbox = Fake::default();
    let workspace = Workspace::open(dir).unwrap();
    let summary = pass(&workspace, &sandbox, &Events::channel().0, false, mpsc::channel()).unwrap();
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
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let inbox = dir.path().join("inbox");
    ["inbox", "tasks"].iter().for_each(|folder| fs::create_dir(dir.path().join(folder)).unwrap());
    put(dir.path().join("pipeline.yaml"), b"parallel: 4\n");
    put(dir.path().join("tasks/t.yaml"), b"prompt: p\ntests: [assert x, assert y, assert z]\n");
    drop_them_all(&inbox);

    forget_peak();
    let before = peak("self");
    let start = Instant::now();
    let (summary, _) = run_pass(dir.path());
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

    let (again, fake) = run_pass(dir.path());
    assert_eq!((again.rows, again.rejected), (summary.rows, summary.rejected));
    assert_eq!(fake.opened.into_inner(), 0, "all of it is remembered");
}

fn lines(dir: &Path, name: &str) -> usize {
    fs::read_to_string(dir.join("results").join(name)).unwrap().lines().count()
}

#[test]
fn a_flood_of_junk_keeps_no_agent_from_its_score() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
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
    assert!(peak < WATCHING, "{peak} bytes");
    daemon.signal(Signal::TERM);
    daemon.wait().code(143);
}

/// Drops so many agents, each once the one before has its verdict, under a pass that stays, with made-up verdicts; gives the time from the
/// first drop to the last verdict.
fn watch_a_stream(agents: usize) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let inbox = dir.path().join("inbox");
    ["inbox", "tasks"].iter().for_each(|folder| fs::create_dir(dir.path().join(folder)).unwrap());
    put(dir.path().join("pipeline.yaml"), b"parallel: 4\n");
    put(dir.path().join("tasks/t.yaml"), b"prompt: p\ntests: [assert x, assert y, assert z]\n");
    let workspace = Workspace::open(dir.path()).unwrap();
    let (sandbox, (events, told), (waker, wakes)) = (Fake::default(), Events::channel(), mpsc::channel());
    let (from_inbox, end) = (waker.clone(), waker.clone());
    let _watcher = watch_folder(&workspace.pipeline.inbox, RecursiveMode::Recursive, move |change| {
        let _ = from_inbox.send(Wake::Inbox(change));
    });
    let feeder = std::thread::spawn(move || {
        let start = Instant::now();
        let mut finished = told.iter().filter(|event| matches!(event, Event::Finished { .. }));
        for n in 0..agents {
            let staged = inbox.join(".staged");
            fs::write(&staged, format!("# passes all {n}\nx = 1\n")).unwrap();
            fs::rename(staged, inbox.join(format!("m{n}.py"))).unwrap();
            // Were they dropped at once, they would be seen at once, in a few looks, whatever one look costs.
            assert!(finished.next().is_some());
        }
        end.send(Wake::Stop).unwrap();
        start.elapsed()
    });
    let summary = pass(&workspace, &sandbox, &events, true, (waker, wakes)).unwrap();
    assert_eq!((summary.rows.len(), summary.pending), (agents, 0));
    feeder.join().unwrap()
}

/// Counts the names in the inbox that a pass looks at, by its diagnostics.
#[derive(Clone, Default)]
struct Looks(Arc<AtomicUsize>);

impl Subscriber for Looks {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.fields().field("looked").is_some()
    }

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl Visit for Looks {
    fn record_u64(&mut self, _: &Field, looked: u64) {
        self.0.fetch_add(looked as usize, Ordering::SeqCst);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// With `AGENTMILL_CROWD=3000,6000,12000`, these crowds, with their times.
#[test]
fn an_agent_of_a_large_crowd_costs_watch_no_more_looks_than_one_of_a_small_crowd() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let crowds = std::env::var("AGENTMILL_CROWD").unwrap_or_else(|_| "100,500".to_owned());
    for agents in crowds.split(',').map(|crowd| crowd.parse().unwrap()) {
        let looks = Looks::default();
        let took = tracing::subscriber::with_default(looks.clone(), || watch_a_stream(agents));
        let looked = looks.0.load(Ordering::SeqCst);
        println!("{agents} agents in {took:.1?}, {looked} looks");
        // Each as it is moved there, and once more if it had not stood still; all of them by the slow timer.
        let listings = 1 + took.as_secs() as usize / 5;
        assert!((agents..=(4 + listings) * agents).contains(&looked), "{looked} looks at {agents} agents");
    }
}
