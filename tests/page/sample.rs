//! Results to look at, made of the public types alone.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use agentmill::config::{self, Pipeline, Student};
use agentmill::model::feedback::Feedback;
use agentmill::model::miner_id::Miner;
use agentmill::model::rejection::Rejection;
use agentmill::model::report::Verdict::{Error, Failed, OutOfMemory, Passed, Timeout};
use agentmill::model::report::{Outcome, Report, Run, Scored, TestResult, Usage, Verdict};
use agentmill::pipeline::ledger::Ledger;
use agentmill::pipeline::plan::Plan;
use agentmill::pipeline::publish::{Published, Publisher};
use agentmill::pipeline::report_store::save_report;
use agentmill::pipeline::report_summary::ReportSummary;
use agentmill::pipeline::score::rank;
use agentmill::task::{self, Task};
use jiff::{SignedDuration, Timestamp};

pub const HOSTILE: &str = "</script><script>document.title='pwned';console.error('pwned')</script>\
    <img src=x onerror=\"document.title='pwned'\"><a href=javascript:alert(1)>x</a>";

/// Results of a pass, to be published.
pub struct Sample {
    pub pipeline: Pipeline,
    pub tasks: Vec<Task>,
    pub reports: Vec<Report>,
    pub rejections: Vec<Rejection>,
    pub pending: Vec<Miner>,
    pub at: Timestamp,
    pub live: bool,
    pub roster: Vec<Student>,
}

const NAMES: [&str; 6] =
    ["reverse_string", "parse_csv", "primes", "path_traversal", "lru_cache", "roman_numerals"];

impl Sample {
    pub fn new(agents: u32, tasks: u32) -> Self {
        let stages = "stages:\n  - {name: screening, tasks: [\"screening/*\"], pass_mark: 40, feedback: full}\n  - {name: main, tasks: [\"main/*\"], pass_mark: 60, feedback: full}\n";
        let pipeline = config::parse(Path::new("pipeline.yaml"), stages.as_bytes()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ids: Vec<(&str, String)> = (0..tasks).map(place).collect();
        for (stage, id) in &ids {
            std::fs::create_dir_all(folder.path().join(stage)).unwrap();
            let text = "prompt: Do it\ntests:\n  - assert f(1) == 1\n  - assert f(2) == 2\n  - {name: empty input, assert: f(0) == 0, weight: 2}\n  - {name: hidden, assert: f(9) == 9, public: false}\n";
            std::fs::write(folder.path().join(format!("{id}.yaml")), text).unwrap();
        }
        Self {
            pipeline,
            tasks: task::load(folder.path()).unwrap(),
            reports: (0..agents).map(|agent| report(agent, &ids)).collect(),
            rejections: Vec::new(),
            pending: Vec::new(),
            at: "2026-11-22T12:00:00Z".parse().unwrap(),
            live: false,
            roster: Vec::new(),
        }
    }

    /// The same under another feedback.
    pub fn with_feedback(mut self, feedback: Feedback) -> Self {
        self.pipeline.stages.iter_mut().for_each(|stage| stage.feedback = feedback);
        self
    }

    /// With some of everything.
    pub fn varied() -> Self {
        let mut sample = Self::new(32, 14);
        sample.reports[3].sha256 = sample.reports[4].sha256.clone();
        sample.reports[3].first_seen += SignedDuration::from_mins(9);
        sample.pending = ["erin", "dave"].map(miner).into();
        let rejection = |file: &str, of: Option<&str>, line, reason: &str| Rejection {
            file: file.into(),
            miner: of.map(miner),
            line,
            reason: reason.into(),
            sha256: None,
            claims: None,
            perhaps: None,
        };
        sample.rejections = vec![
            rejection(
                "mallory.py",
                Some("mallory"),
                Some(3),
                "imports numpy; only Python's standard library is there",
            ),
            rejection(&format!("{HOSTILE}.py"), None, None, "the name is no miner id: use a-z, 0-9, - and _"),
            rejection("trent/agent.py", Some("trent"), Some(12), "is no Python: '(' was never closed"),
        ];
        sample
    }

    /// As above, after a few resubmissions.
    pub fn publish_with_history(&mut self, dir: &Path) {
        let last = self.reports.clone();
        for turn in (0..5).rev() {
            for (at, report) in self.reports.iter_mut().enumerate() {
                let lost = turn * (1 + at % 3);
                report.runs = last[at].runs.clone();
                report
                    .runs
                    .iter_mut()
                    .rev()
                    .take(lost)
                    .for_each(|run| run.outcome = outcome([Failed; 4], 12));
            }
            self.at += SignedDuration::from_mins(47 + 13 * turn as i64);
            self.publish(dir);
        }
        self.reports = last;
    }

    pub fn publish(&self, dir: &Path) {
        self.reports.iter().for_each(|report| save_report(dir, report).unwrap());
        let plan = Plan::new(&self.pipeline.stages, &self.tasks);
        let agents: Vec<ReportSummary> =
            self.reports.iter().map(|report| ReportSummary::of(report, &plan)).collect();
        let agents: Vec<&ReportSummary> = agents.iter().collect();
        let (ledger, _) = Ledger::open(dir).unwrap();
        let mut publisher = Publisher::new(dir);
        let published = publisher.publish(
            &Published {
                rows: &rank(
                    &agents,
                    &plan,
                    self.pipeline.rewards.as_ref(),
                    ledger.sights(),
                    &HashMap::new(),
                    &agentmill::pipeline::score::improvement::Past::default(),
                ),
                agents: &agents,
                pending: &self.pending,
                evaluated: &[],
                rejections: &self.rejections,
                present: None,
                basis: &agentmill::pipeline::basis::Basis::default(),
                whole: true,
                generated_at: self.at,
                image: "sha256:9f2c6d0e35c1",
                engine: "docker",
                pipeline_sha256: &self.pipeline.sha256,
                title: self.pipeline.title.as_deref(),
                token: self.pipeline.rewards.as_ref().map(|rewards| rewards.token.as_str()),
                roster: &self.roster,
                submitted: &BTreeSet::new(),
                board: self.pipeline.board,
                plan: &plan,
                live: self.live,
            },
            true,
        );
        published.unwrap();
    }
}

pub fn miner(id: &str) -> Miner {
    Miner::try_from(id.to_owned()).unwrap()
}

/// The first tasks of three are screening.
fn place(task: u32) -> (&'static str, String) {
    let stage = if task.is_multiple_of(3) { "screening" } else { "main" };
    let round = if task < 6 { String::new() } else { format!("_{}", task / 6 + 1) };
    (stage, format!("{stage}/{}{round}", NAMES[task as usize % 6]))
}

/// Agents of all strengths, by no visible order.
fn report(agent: u32, ids: &[(&str, String)]) -> Report {
    let names = ["alice", "bob", "carol", "dan", "eve", "frank", "grace", "heidi"];
    let name = names.get(agent as usize).map_or(format!("miner-{agent:04}"), ToString::to_string);
    let strength = agent * 7919 % 101;
    let runs = ids.iter().enumerate().filter(|(_, (stage, _))| strength >= 20 || *stage == "screening");
    let first_seen = Timestamp::from_second(1_795_000_000 + i64::from(agent) * 977).unwrap();
    Report {
        miner: miner(&name),
        file: format!("{name}.py"),
        sha256: format!("{:064x}", u128::from(agent) * 0x9e37_79b9_7f4a_7c15_f39c + 7),
        bytes: u64::from(900 + agent * 7),
        first_seen,
        modified: first_seen,
        syntax: None,
        runs: runs.map(|(task, (stage, id))| run(agent, strength, task as u32, stage, id)).collect(),
        spreads: Vec::new(),
        stopped_early: None,
    }
}

fn run(agent: u32, strength: u32, task: u32, stage: &str, id: &str) -> Run {
    let luck = (agent * 31 + task * 17) % 60;
    let wall_ms = u64::from(40 + luck * 71);
    let outcome = match strength + luck {
        _ if agent % 37 == 5 && task == 1 => Outcome::Unscored { unscored: "the engine went away".into() },
        0..30 => outcome([Timeout; 4], wall_ms),
        30..45 => outcome([Passed, Failed, Failed, Error], wall_ms),
        45..60 => outcome([Passed, Passed, Error, Failed], wall_ms),
        60..75 => outcome([Passed, Passed, Passed, OutOfMemory], wall_ms),
        _ => outcome([Passed; 4], wall_ms),
    };
    Run { key: format!("{agent} {id}"), stage: stage.into(), task: id.into(), sample: 1, outcome }
}

fn outcome(verdicts: [Verdict; 4], wall_ms: u64) -> Outcome {
    let names = ["test 1", "test 2", "empty input", "hidden"];
    let test = |at: usize| TestResult {
        name: names[at].into(),
        verdict: verdicts[at],
        weight: if at == 2 { 2.0 } else { 1.0 },
        public: at != 3,
        message: (verdicts[at] != Passed).then(|| {
            if at == 3 { "secret(42)".into() } else { format!("f(2) == 2\n  f(2) was 3 {HOSTILE}") }
        }),
        share: None,
    };
    let usage = Usage { wall_ms, cpu_ms: wall_ms / 3, max_rss_kib: 10_240, model: None, judge_model: None };
    let traceback = || {
        format!(
            "Traceback (most recent call last):\n  File \"agent.py\", line 12, in f\nValueError: {HOSTILE}\n"
        )
    };
    let stderr = verdicts.contains(&Error).then(traceback).unwrap_or_default();
    Outcome::Scored(Scored::new((0..4).map(test).collect(), usage, stderr))
}
