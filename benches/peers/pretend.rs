//! A sandbox that makes up verdicts: what remains of a pass is what agentmill itself does.

use std::path::Path;
use std::sync::mpsc;

use agentmill::config::Limits;
use agentmill::model::report::{Scored, TestResult, Usage, Verdict};
use agentmill::pipeline::scope::Scope;
use agentmill::pipeline::{PassContext, Summary};
use agentmill::sandbox::{Cell, Checked, Fault, Opened, Sandbox};
use agentmill::task::{Task, Test};
use agentmill::ui::{self, Events};
use agentmill::workspace::Workspace;

/// Has the real image's id, so that a real run finds these runs done.
struct Pretend<'a> {
    image: &'a str,
}

/// Passes more or fewer tests, by the first bytes of the agent.
struct Pretender {
    luck: usize,
}

/// One pass over a folder.
pub fn pass(dir: &Path, image: &str) -> anyhow::Result<Summary> {
    let workspace = Workspace::open(dir)?;
    let (waker, wakes) = mpsc::channel();
    let (events, shown) = Events::channel();
    let display = ui::display(shown, ui::Talk::of(true, false));
    let context = PassContext {
        pipeline: &workspace.pipeline,
        tasks: &workspace.tasks,
        sandbox: &Pretend { image },
        when_sound: None,
        gateway: None,
        events: &events,
        scope: &Scope::default(),
        force: false,
        stay: false,
    };
    let summary = context.run_pass(&waker, &wakes);
    drop(events);
    display.join();
    summary
}

impl Sandbox for Pretend<'_> {
    fn image(&self) -> Result<String, Fault> {
        Ok(self.image.to_owned())
    }

    fn check(&self, _tasks: &[Task]) -> Result<Checked, Fault> {
        Ok(Checked::default())
    }

    fn expect(&self, _agents: usize, _limits: &Limits) {}

    fn open(&self, source: Vec<u8>, _limits: &Limits) -> Result<Opened<'_>, Fault> {
        Ok(Opened::Ready(Box::new(Pretender {
            luck: source.iter().take(99).map(|byte| *byte as usize).sum(),
        })))
    }

    fn stop(&self) {}
}

impl Cell for Pretender {
    fn run(&mut self, task: &Task, _limits: &Limits) -> Result<Scored, Fault> {
        self.luck = self.luck * 31 % 1_000_003;
        let tests = task
            .tests
            .iter()
            .enumerate()
            .map(|(at, test)| made_up(test, !(self.luck + at).is_multiple_of(5)));
        let usage = Usage { wall_ms: 12, cpu_ms: 9, max_rss_kib: 10_240, model: None, judge_model: None };
        Ok(Scored::new(tests.collect(), usage, String::new()))
    }
}

fn made_up(test: &Test, passed: bool) -> TestResult {
    let message = "add_7(3) == 10 is not so: add_7(3) is 3, by no fault of the test's";
    TestResult {
        share: None,
        name: test.name.clone(),
        verdict: if passed { Verdict::Passed } else { Verdict::Failed },
        weight: test.weight,
        public: test.public,
        message: (!passed).then(|| message.to_owned()),
    }
}
