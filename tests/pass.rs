//! Passes over a made-up sandbox: what it does wrong, and what happens in the inbox meanwhile.

mod passes;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use agentmill::config::Limits;
use agentmill::model::python::Library;
use agentmill::model::report::Scored;
use agentmill::pipeline::{Summary, Wake};
use agentmill::sandbox::fake::Fake;
use agentmill::sandbox::{Cell, Checked, Fault, Opened, Sandbox};
use agentmill::task::Task;
use agentmill::ui::{Event, Events};
use agentmill::util::watch_folder::Change;
use passes::{Folder, pass};
use serde_json::Value;

fn folder() -> Folder {
    Folder::new("[assert x, assert y]")
}

/// An image whose Python lacks a module that others have.
struct OtherImage(Fake, &'static str);

impl Sandbox for OtherImage {
    fn image(&self) -> Result<String, Fault> {
        Ok(self.1.to_owned())
    }

    fn library(&self) -> Result<Library, Fault> {
        let mut library = Library { python: "3.13".into(), ..Library::default() };
        library.standard.remove("cgi");
        Ok(library)
    }

    fn check(&self, tasks: &[Task]) -> Result<Checked, Fault> {
        self.0.check(tasks)
    }

    fn expect(&self, agents: usize, limits: &Limits) {
        self.0.expect(agents, limits);
    }

    fn open(&self, source: Vec<u8>, limits: &Limits) -> Result<Opened<'_>, Fault> {
        self.0.open(source, limits)
    }

    fn stop(&self) {
        self.0.stop();
    }
}

#[test]
fn modules_are_those_of_the_image_and_another_image_is_asked_anew() {
    let folder = folder();
    folder.drop("old.py", "import cgi # passes all\n");
    assert_eq!(run(&folder, &Fake::default()).rows.len(), 1);
    let again = OtherImage(Fake::default(), "sha256:other");
    folder.drop("new.py", "import os # passes all\n");
    let Summary { rows, rejected, .. } = run(&folder, &again);
    assert_eq!(rows.len(), 1);
    assert!(rejected[0].reason.starts_with("imports cgi; only Python 3.13's"), "{rejected:?}");
    // The next pass knows it without asking, and refuses all that it did.
    let calm = OtherImage(Fake::default(), "sha256:other");
    assert_eq!(run(&folder, &calm).rejected, rejected);
    assert_eq!(calm.0.runs.load(Ordering::SeqCst), 0);
    // Without any results the image is asked before anybody is refused.
    let fresh = self::folder();
    fresh.drop("old.py", "import cgi # passes all\n");
    assert_eq!(run(&fresh, &again).rejected.len(), 1);
    assert_eq!(fresh.read("ledger.jsonl").lines().count(), 1);
}

fn report(folder: &Folder, miner: &str) -> Value {
    serde_json::from_str(&folder.read(&format!("agents/{miner}.json"))).unwrap()
}

fn run(folder: &Folder, sandbox: &dyn Sandbox) -> Summary {
    folder.pass(sandbox).0.unwrap()
}

/// Does what the fake one does, but panics, or has the pass stopped, where an agent says so.
#[derive(Default)]
struct Buggy {
    fake: Fake,
    image_asked: AtomicBool,
    waker: Option<Sender<Wake>>,
}

struct BuggyCell<'a>(Box<dyn Cell + 'a>, String);

impl Cell for BuggyCell<'_> {
    fn run(&mut self, task: &Task, limits: &Limits) -> Result<Scored, Fault> {
        assert!(!self.1.contains("panic in a run"), "cell of {} bytes", self.1.len());
        self.0.run(task, limits)
    }
}

impl Drop for BuggyCell<'_> {
    fn drop(&mut self) {
        assert!(!self.1.contains("panic at the end"), "no way out");
    }
}

impl Sandbox for Buggy {
    fn image(&self) -> Result<String, Fault> {
        self.image_asked.store(true, Ordering::SeqCst);
        self.fake.image()
    }

    fn check(&self, tasks: &[Task]) -> Result<Checked, Fault> {
        self.fake.check(tasks)
    }

    fn expect(&self, agents: usize, limits: &Limits) {
        self.fake.expect(agents, limits);
    }

    fn open(&self, source: Vec<u8>, limits: &Limits) -> Result<Opened<'_>, Fault> {
        let text = String::from_utf8_lossy(&source).into_owned();
        assert!(!text.contains("panic on opening"), "no way in");
        if let Some(waker) = self.waker.as_ref().filter(|_| text.contains("stop on opening")) {
            waker.send(Wake::Stop).unwrap();
            return Err(Fault::Stopped);
        }
        Ok(match self.fake.open(source, limits)? {
            Opened::Ready(cell) => Opened::Ready(Box::new(BuggyCell(cell, text))),
            refused => refused,
        })
    }

    fn stop(&self) {
        self.fake.stop();
    }
}

#[test]
fn a_panic_of_a_worker_ends_its_run_as_unscored_and_nobody_waits_for_it() {
    let folder = folder();
    folder.drop("ann.py", "x = 1 # passes all");
    folder.drop("bob.py", "x = 2 # panic in a run");
    folder.drop("cid.py", "x = 3 # panic on opening");
    folder.drop("dan.py", "x = 4 # panic at the end");
    let (summary, told) = folder.pass(&Buggy::default());
    let rows = summary.unwrap().rows;
    let unscored: Vec<_> = rows.iter().map(|row| (row.miner.as_str(), row.unscored)).collect();
    assert_eq!(unscored, [("ann", 0), ("bob", 1), ("cid", 1), ("dan", 1)]);
    // A bug beside the runs is nobody's report, so that the next pass tries again.
    let is_told = |bug: &str| told.iter().any(|event| matches!(event, Event::Warning(text) if text == bug));
    assert!(is_told("dan: agentmill has a bug: no way out"), "{told:?}");
    assert!(!folder.path("results/agents/dan.json").exists());
    let bugs = [("bob", "agentmill has a bug: cell of 22 bytes"), ("cid", "agentmill has a bug: no way in")];
    for (miner, reason) in bugs {
        assert_eq!(report(&folder, miner)["runs"][0]["unscored"], reason);
        let task = report(&folder, miner)["runs"][0]["task"].as_str().unwrap().to_owned();
        let line = format!("{miner} on {task}: unscored until the next run: {reason}");
        assert!(is_told(&line), "{told:?}");
    }
}

#[test]
fn a_file_that_moved_is_told_under_its_new_name() {
    let folder = folder();
    folder.drop("ann.py", "x = 1 # passes all");
    run(&folder, &Fake::default());
    assert!(folder.read("index.html").contains("ann.py"));

    folder.remove("ann.py");
    folder.drop("ann/agent.py", "x = 1 # passes all");
    let again = Buggy::default();
    run(&folder, &again);
    assert_eq!(report(&folder, "ann")["file"], "ann/agent.py");
    assert!(folder.read("index.html").contains("ann/agent.py"));
    assert!(!folder.read("index.html").contains("ann.py"));
    assert!(!again.image_asked.load(Ordering::SeqCst), "it is the same agent");
}

/// Takes for ever to get its image, or to check the tasks, unless it is stopped.
struct Slow {
    has_image: bool,
    stopped: AtomicBool,
    asked: AtomicUsize,
}

impl Slow {
    fn new(has_image: bool) -> Self {
        Self { has_image, stopped: AtomicBool::new(false), asked: AtomicUsize::new(0) }
    }

    fn take_for_ever<T>(&self) -> Result<T, Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        while !self.stopped.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        Err(Fault::Stopped)
    }
}

impl Sandbox for Slow {
    fn image(&self) -> Result<String, Fault> {
        if self.has_image { Ok("sha256:slow".into()) } else { self.take_for_ever() }
    }

    fn check(&self, _tasks: &[Task]) -> Result<Checked, Fault> {
        self.take_for_ever()
    }

    fn expect(&self, _agents: usize, _limits: &Limits) {}

    fn open(&self, _source: Vec<u8>, _limits: &Limits) -> Result<Opened<'_>, Fault> {
        unreachable!("nothing is evaluated")
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_pass_can_be_ended_while_the_image_is_fetched_or_the_tasks_are_checked() {
    for (has_image, wake, stopped) in
        [(false, Wake::Stop, true), (true, Wake::Stop, true), (false, Wake::Reload, false)]
    {
        let (folder, slow, (waker, wakes)) = (folder(), Slow::new(has_image), mpsc::channel());
        folder.drop("ann.py", "x = 1");
        let summary = thread::scope(|scope| {
            let to_pass = waker.clone();
            scope.spawn(|| {
                while slow.asked.load(Ordering::SeqCst) == 0 {
                    thread::sleep(Duration::from_millis(5));
                }
                let to_pass = to_pass;
                to_pass.send(wake).unwrap();
            });
            pass(&folder.workspace(), &slow, &Events::channel().0, false, (waker, wakes)).unwrap()
        });
        assert_eq!((summary.stopped, summary.pending, summary.rows.len()), (stopped, 1, 0));
    }
}

#[test]
fn an_edit_of_a_task_leaves_the_board_as_it_is_until_all_on_it_are_evaluated_anew() {
    let folder = folder();
    fs::write(folder.path("pipeline.yaml"), "parallel: 1\n").unwrap(); // ann is through when bob stops it
    folder.drop("ann.py", "x = 1 # passes all");
    folder.drop("bob.py", "x = 2 # passes all, stop on opening");
    run(&folder, &Fake::default());
    let results = || ["rankings.csv", "scores.csv", "history.csv"].map(|file| folder.read(file));
    let before = results();
    let stopped = || {
        let (waker, wakes) = mpsc::channel();
        let stopping = Buggy { waker: Some(waker.clone()), ..Buggy::default() };
        pass(&folder.workspace(), &stopping, &Events::channel().0, false, (waker, wakes)).unwrap()
    };
    fs::write(folder.path("tasks/t.yaml"), "prompt: p\ntests: [assert x, assert z]\n").unwrap();
    let summary = stopped();
    assert!(summary.stopped && summary.pending > 0, "{summary:?}");
    assert_eq!(results(), before);
    // Other bytes of one on the board are a new submission: they hold nobody up.
    folder.drop("bob.py", "x = 3 # assert x, stop on opening");
    stopped();
    let ranking = || folder.read("rankings.csv");
    assert!(!ranking().contains("bob") && ranking().contains("1,ann,100"), "{}", ranking());
    run(&folder, &Fake::default());
    assert!(ranking().contains("2,bob,0"), "{}", ranking());
}

#[test]
fn after_an_edit_nobody_is_ranked_by_what_was_not_the_best() {
    let folder = folder();
    fs::write(folder.path("pipeline.yaml"), "season: {counts: best}\n").unwrap();
    let mut told = Vec::new();
    for source in ["x = 1 # assert x, stop on opening", "x = 2 # passes all", "x = 3 # assert x"] {
        folder.drop("ann.py", source);
        told = folder.pass(&Fake::default()).1;
    }
    let is_told = |event: &Event| matches!(event, Event::Ranking(text) if text.contains("ann: 0, and another submission of ann's, which is at least as good, stands"));
    assert!(told.iter().any(is_told), "{told:?}");
    let results = || ["rankings.csv", "history.csv"].map(|file| folder.read(file));
    let before = results();
    assert!(before[0].contains("1,ann,100"), "{}", before[0]);
    fs::write(folder.path("tasks/t.yaml"), "prompt: p\ntests: [assert x, assert z]\n").unwrap();
    let (waker, wakes) = mpsc::channel();
    let stopping = Buggy { waker: Some(waker.clone()), ..Buggy::default() };
    pass(&folder.workspace(), &stopping, &Events::channel().0, false, (waker, wakes)).unwrap();
    assert_eq!(results(), before);
    run(&folder, &Fake::default());
    assert_eq!(results()[1], before[1], "ann was never ranked by another one");
}

/// Ranking and refusals as told, until a condition holds for what was told since the last look.
fn told(events: &Receiver<Event>, mut holds: impl FnMut(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Event::Ranking(text)) if holds(&text) => return text,
            Ok(_) => {}
            Err(error) => panic!("waited in vain: {error}"),
        }
    }
}

/// A pass that stays and is told of changes by the test.
#[test]
fn a_pass_that_stays_looks_where_something_changed_and_tells_only_that() {
    let folder = folder();
    folder.drop("ann.py", "x = 1 # passes all");
    folder.drop("bob.py", "import numpy");
    let (workspace, sandbox, (events, shown), (waker, wakes)) =
        (folder.workspace(), Fake::default(), Events::channel(), mpsc::channel());
    let to_pass = waker.clone();
    let touch = |name: &str| {
        to_pass.send(Wake::Inbox(Change::Touched(vec![folder.path("inbox").join(name)]))).unwrap();
    };
    thread::scope(|scope| {
        let (workspace, sandbox, events) = (&workspace, &sandbox, &events);
        let staying = scope.spawn(move || pass(workspace, sandbox, events, true, (waker, wakes)).unwrap());
        let first = told(&shown, |text| text.contains("ann"));
        assert!(first.contains("1. ann: 100") && first.contains("refused: bob.py"), "{first}");

        folder.drop("cid/agent.py", "x = 2 # passes all");
        touch("cid");
        let second = told(&shown, |text| text.contains("cid"));
        assert_eq!(second, "1. cid: 100 (reward: 50 TAO)");

        // A second claim to cid's id is refused; when the first goes, it counts.
        folder.drop("cid.py", "x = 3 # passes all");
        touch("cid.py");
        let third = told(&shown, |text| text.contains("cid"));
        assert!(third.starts_with("refused: cid.py: ") && third.lines().count() == 1, "{third}");
        fs::rename(folder.path("inbox/cid"), folder.path("elsewhere")).unwrap();
        touch("cid");
        let fourth = told(&shown, |text| text.contains("cid: "));
        assert!(fourth.contains("1. cid: 100 (reward: 50 TAO)") && !fourth.contains("refused"), "{fourth}");

        folder.remove("cid.py");
        touch("cid.py");
        assert_eq!(told(&shown, |text| text.contains("cid")), "withdrawn: cid");

        // Nobody announces it: it is found by the slow timer.
        folder.drop("dan.py", "x = 4 # passes all");
        told(&shown, |text| text.contains("dan"));
        to_pass.send(Wake::Stop).unwrap();
        assert_eq!(staying.join().unwrap().rows.len(), 2);
    });
}

#[test]
fn files_that_were_edited_by_hand_cost_no_more_than_their_own_content() {
    let folder = folder();
    folder.drop("ann.py", "assert x");
    folder.drop("ben.py", "passes all");
    run(&folder, &Fake::default());
    let ranked = folder.read("rankings.csv");
    let names =
        ["rankings.csv", "rankings.json", "scores.csv", "rejected.csv", "index.html", "agents/ann.json"];
    for name in names.into_iter().chain([".basis", ".planned", "history.csv"]) {
        for text in ["", "{}", "[[[", "\u{0}\u{0}", "a,b\n1,2,3\n"] {
            fs::write(folder.path("results").join(name), text).unwrap();
            // Where nothing is due and nothing changed, files stay as they are.
            let changed = format!("parallel: 2\n# {name} {}\n", text.len());
            fs::write(folder.path("pipeline.yaml"), changed).unwrap();
            run(&folder, &Fake::default());
            assert_eq!(folder.read("rankings.csv"), ranked, "{name}: {text:?}");
        }
    }
    let history = folder.read("history.csv");
    assert_eq!(history.lines().count(), 3, "begun anew, once each: {history}");
    assert!(folder.path("results/history.csv.bad").exists());
    // The ledger is the one file whose loss would change who was first: it is never written over.
    fs::write(folder.path("results/ledger.jsonl"), "nonsense\n").unwrap();
    assert!(folder.pass(&Fake::default()).0.is_err());
    assert_eq!(folder.read("ledger.jsonl"), "nonsense\n");
}

/// Five tasks of which an agent passes those that it names.
fn five_tasks(stage: &str) -> Folder {
    let folder = Folder::new("[{name: q0, assert: x}]");
    for task in 1..5 {
        let text = format!("prompt: p\ntests: [{{name: q{task}, assert: x}}]\n");
        fs::write(folder.path(format!("tasks/t{task}.yaml")), text).unwrap();
    }
    fs::write(folder.path("pipeline.yaml"), format!("parallel: 2\nstages: [{{name: s, {stage}}}]\n"))
        .unwrap();
    folder
}

#[test]
fn who_cannot_pass_any_more_is_run_no_further_and_the_rest_is_made_up_for() {
    let folder = five_tasks("pass_mark: 60, stop_early: true");
    let rules = |stage: &str| {
        let text = format!("parallel: 2\nstages: [{{name: s, {stage}}}]\n");
        fs::write(folder.path("pipeline.yaml"), text).unwrap();
    };
    folder.drop("ann.py", "x = 1 # passes all");
    folder.drop("ben.py", "x = 2 # q3, q4");
    let runs = || {
        let fake = Fake::default();
        let (summary, told) = folder.pass(&fake);
        summary.unwrap();
        (fake.runs.load(Ordering::SeqCst), told)
    };
    let (made, told) = runs();
    assert_eq!(made, 5 + 3, "40 is the best that three failures of five leave");
    let ranking = told.iter().find_map(|event| match event {
        Event::Ranking(text) => Some(text.clone()),
        _ => None,
    });
    let note =
        "2. ben: 0 (reward: 0 TAO) [stopped early: 2 of 5 runs not made, 60 can't be reached any more]";
    assert!(ranking.as_ref().is_some_and(|text| text.contains(note)), "{ranking:?}");
    let (scores, rankings) = (folder.read("scores.csv"), folder.read("rankings.csv"));
    let of_ben: Vec<&str> = scores.lines().filter(|line| line.starts_with("ben")).collect();
    assert_eq!(of_ben[3..], ["ben,s,t3,0,stopped_early,,,,,", "ben,s,t4,0,stopped_early,,,,,"]);
    assert!(rankings.lines().next().unwrap().ends_with(",not_run"), "{rankings}");
    assert!(rankings.lines().nth(2).unwrap().ends_with(",2"), "{rankings}");
    let report = || -> Value { serde_json::from_str(&folder.read("agents/ben.json")).unwrap() };
    let stopped = serde_json::json!({"stage": "s", "not_run": 2, "runs": 5, "pass_mark": 60.0});
    assert_eq!(report()["stopped_early"], stopped);
    assert_eq!(runs().0, 0);

    rules("pass_mark: 40, stop_early: true");
    assert_eq!(runs().0, 2, "the mark is lower: the rest is run");
    assert_eq!(
        (&report()["stopped_early"], folder.read("scores.csv").contains("stopped")),
        (&Value::Null, false)
    );

    rules("pass_mark: 60, stop_early: true");
    assert_eq!(runs().0, 0);
    assert_eq!(folder.read("scores.csv"), scores, "what was known of later runs changes nothing");
    assert_eq!(report()["stopped_early"], stopped);
    assert_eq!(report()["runs"].as_array().unwrap().len(), 3);
}

#[test]
fn a_task_and_its_copy_under_another_name_share_a_run_and_both_count() {
    let folder = Folder::new("[{name: q0, assert: x}]");
    let copy = |name: &str, text: &str| fs::write(folder.path(format!("tasks/{name}.yaml")), text).unwrap();
    let text = fs::read_to_string(folder.path("tasks/t.yaml")).unwrap();
    copy("u", &text);
    copy("v", &text.replace("q0", "q1"));
    folder.drop("ann.py", "x = 1 # q0");
    let fake = Fake::default();
    run(&folder, &fake);
    assert_eq!(fake.runs.load(Ordering::SeqCst), 2, "one of them is made of the same");
    let scores = || -> Vec<String> {
        let text = folder.read("scores.csv");
        text.lines().skip(1).map(|line| line.split(',').take(5).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(
        scores(),
        ["ann s t 100 passed", "ann s u 100 passed", "ann s v 0 failed"]
            .map(|line| line.replace(" s ", " all "))
    );
    assert!(folder.read("rankings.csv").contains("1,ann,66.67,"), "{}", folder.read("rankings.csv"));
    let report: Value = serde_json::from_str(&folder.read("agents/ann.json")).unwrap();
    assert_eq!(report["runs"].as_array().unwrap().len(), 3);
    let before = folder.read("rankings.csv");
    copy("w", &text);
    let fake = Fake::default();
    run(&folder, &fake);
    assert_eq!(fake.runs.load(Ordering::SeqCst), 0, "a further copy, too");
    assert_eq!(scores().len(), 4);
    fs::remove_file(folder.path("tasks/w.yaml")).unwrap();
    run(&folder, &Fake::default());
    assert_eq!(folder.read("rankings.csv"), before);
}

/// A clock that was once ahead makes all that is dropped later late, as no look at the inbox is forgotten.
#[test]
fn a_look_that_is_to_come_yet_is_told_in_a_season() {
    let folder = folder();
    folder.drop("ann.py", "x = 1 # passes all");
    fs::write(folder.path("results/.looked"), r#"{"at": "2099-01-01T00:00:00Z", "unread": []}"#).unwrap();
    let told = |folder: &Folder| {
        let (_, events) = folder.pass(&Fake::default());
        events.iter().any(|event| matches!(event, Event::Warning(text) if text.contains("results/.looked")))
    };
    assert!(!told(&folder), "times decide nothing here");
    fs::write(folder.path("pipeline.yaml"), "season: {closes: 2030-01-01T00:00:00Z}\n").unwrap();
    assert!(told(&folder));
    fs::remove_file(folder.path("results/.looked")).unwrap();
    assert!(!told(&folder));
}
