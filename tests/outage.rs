//! Outages of the engine over agents that are ranked: their scores stand until they can be scored anew.

mod passes;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use agentmill::config::Limits;
use agentmill::pipeline::Wake;
use agentmill::sandbox::fake::Fake;
use agentmill::sandbox::{Checked, Fault, Opened, Sandbox};
use agentmill::task::Task;
use agentmill::ui::{Event, Events};
use passes::{Folder, pass};

/// An engine that can't open a cell as long as it is broken.
#[derive(Default)]
struct Away {
    fake: Fake,
    broken: AtomicBool,
}

impl Sandbox for Away {
    fn image(&self) -> Result<String, Fault> {
        self.fake.image()
    }

    fn check(&self, tasks: &[Task]) -> Result<Checked, Fault> {
        self.fake.check(tasks)
    }

    fn expect(&self, agents: usize, limits: &Limits) {
        self.fake.expect(agents, limits);
    }

    fn open(&self, source: Vec<u8>, limits: &Limits) -> Result<Opened<'_>, Fault> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(Fault::Engine("the engine is away".into())),
            false => self.fake.open(source, limits),
        }
    }

    fn stop(&self) {
        self.fake.stop();
    }
}

const PUBLISHED: [&str; 5] = ["rankings.csv", "rankings.json", "scores.csv", "history.csv", "index.html"];

#[test]
fn a_score_on_the_board_is_not_replaced_by_none_where_the_engine_is_away() {
    let folder = Folder::new("[assert x, assert y]");
    let engine = Away::default();
    folder.drop("ann.py", "x = 1 # passes all");
    folder.drop("ben.py", "x = 2 # assert x");
    folder.pass(&engine).0.unwrap();
    let results = || PUBLISHED.map(|file| folder.read(file));
    let before = results();
    fs::write(folder.path("tasks/t.yaml"), "prompt: p\ntests: [assert x, assert z]\n").unwrap();
    folder.drop("cid.py", "x = 3 # passes all");
    engine.broken.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let (summary, told) = folder.pass(&engine);
        assert_eq!(summary.unwrap().rows.iter().filter(|row| row.unscored == 1).count(), 3);
        assert_eq!(results(), before);
        let said: Vec<&str> = told.iter().filter_map(text).collect();
        let stands = "ann, ben: not scored anew, as runs could not be judged; the results stay as they were";
        assert!(said.iter().any(|text| text.starts_with(stands)), "{said:?}");
        assert!(!told.iter().any(|event| matches!(event, Event::Ranking(_))), "{told:?}");
    }
    engine.broken.store(false, Ordering::SeqCst);
    folder.pass(&engine).0.unwrap();
    let [ranking, .., history, _] = results();
    assert!(ranking.contains("1,ann,100") && ranking.contains("1,cid,100"), "{ranking}");
    assert!(history.lines().all(|line| line.split(',').nth(2) != Some("")), "{history}");

    // One who never had a score has none to keep, and keeps nobody from the ranking.
    folder.drop("dan.py", "x = 4 # passes all");
    engine.broken.store(true, Ordering::SeqCst);
    folder.pass(&engine).0.unwrap();
    assert!(folder.read("rankings.csv").contains("\n,dan,,"), "{}", folder.read("rankings.csv"));
    // With other bytes, or without any, one who had a score holds up nobody.
    folder.drop("ann.py", "x = 5 # passes all");
    folder.remove("cid.py");
    folder.pass(&engine).0.unwrap();
    assert!(folder.read("rankings.csv").contains("\n,ann,,"), "{}", folder.read("rankings.csv"));
}

fn text(event: &Event) -> Option<&str> {
    match event {
        Event::Warning(text) | Event::Note(text) => Some(text),
        _ => None,
    }
}

/// Nobody restarts a daemon because a provider was away for a while.
#[test]
fn a_pass_that_stays_tries_again_until_all_on_the_board_have_their_score() {
    let folder = Folder::new("[assert x, assert y]");
    folder.drop("ann.py", "x = 1 # passes all");
    let engine = Away::default();
    folder.pass(&engine).0.unwrap();
    let before = folder.read("rankings.csv");
    fs::write(folder.path("tasks/t.yaml"), "prompt: p\ntests: [assert x, assert z]\n").unwrap();
    engine.broken.store(true, Ordering::SeqCst);
    let (workspace, (events, shown), (waker, wakes)) =
        (folder.workspace(), Events::channel(), mpsc::channel());
    let to_pass = waker.clone();
    thread::scope(|scope| {
        let (workspace, engine, events) = (&workspace, &engine, &events);
        let staying = scope.spawn(move || pass(workspace, engine, events, true, (waker, wakes)).unwrap());
        let stands = |event: &Event| text(event).is_some_and(|text| text.starts_with("ann: not scored anew"));
        let patience = Duration::from_secs(60);
        while !stands(&shown.recv_timeout(patience).unwrap()) {}
        assert_eq!(folder.read("rankings.csv"), before);
        engine.broken.store(false, Ordering::SeqCst);
        let ranked = |event: &Event| matches!(event, Event::Ranking(text) if text.contains("1. ann: 100"));
        while !ranked(&shown.recv_timeout(patience).unwrap()) {}
        to_pass.send(Wake::Stop).unwrap();
        assert_eq!(staying.join().unwrap().rows[0].unscored, 0);
    });
}
