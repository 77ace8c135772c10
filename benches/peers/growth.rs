//! How cost grows. What grows faster than its work is a mistake: the exponent between the last two points tells.

use std::fs;
use std::process::Command;

use agentmill::pipeline::validate;
use anyhow::ensure;

use crate::alone::crowd;
use crate::options::Options;
use crate::pretend;
use crate::stats::{Spread, timed};
use crate::tools::Tools;
use crate::ways::succeed;

/// Seconds by the amount of work.
pub struct Curve {
    pub what: &'static str,
    /// The unit of the amounts, such as agents.
    pub of: &'static str,
    pub points: Vec<(usize, f64)>,
}

impl Curve {
    /// 1 where cost grows as its work does, 2 where it grows as its square; between the last two points.
    pub fn exponent(&self) -> Option<f64> {
        let [.., (less, quick), (more, slow)] = self.points[..] else { return None };
        Some((slow / quick).ln() / (more as f64 / less as f64).ln())
    }
}

/// All curves.
pub fn measure(tools: &Tools, options: &Options) -> anyhow::Result<Vec<Curve>> {
    let (first, again) = agents(options)?;
    let mut curves = vec![first, again];
    curves.push(tasks(options)?);
    curves.push(history(options)?);
    curves.push(sizes(options)?);
    curves.push(tests(tools, options)?);
    curves.push(parallel(tools, options)?);
    Ok(curves)
}

/// The middle of some measurements.
fn often(options: &Options, mut once: impl FnMut() -> anyhow::Result<f64>) -> anyhow::Result<f64> {
    let values = (0..options.rounds().min(3)).map(|_| once()).collect::<Result<Vec<_>, _>>()?;
    Ok(Spread::of(&values).median)
}

/// First passes and passes after them.
fn agents(options: &Options) -> anyhow::Result<(Curve, Curve)> {
    let what = ("a first pass, verdicts made up, 20 tasks", "an unchanged pass, 20 tasks");
    let mut first = Curve { what: what.0, of: "agents", points: Vec::new() };
    let mut again = Curve { what: what.1, of: "agents", points: Vec::new() };
    for count in [1, 10, 100, 500, 1_000, options.full_or_quick(2_000, 1_500)] {
        let dir = crowd(count, 20, 5)?;
        first.points.push((count, pass(dir.path(), count)?));
        again.points.push((count, often(options, || pass(dir.path(), count))?));
    }
    Ok((first, again))
}

fn tasks(options: &Options) -> anyhow::Result<Curve> {
    let mut points = Vec::new();
    for count in [1, 20, 50, 100, 200] {
        let agents = options.full_or_quick(200, 50);
        points.push((count, pass(crowd(agents, count, 5)?.path(), agents)?));
    }
    Ok(Curve { what: "a first pass, verdicts made up, 200 agents", of: "tasks", points })
}

fn pass(dir: &std::path::Path, agents: usize) -> anyhow::Result<f64> {
    timed(|| {
        let summary = pretend::pass(dir, "sha256:made-up")?;
        ensure!(summary.rows.len() == agents, "{} of {agents} agents are ranked", summary.rows.len());
        Ok(())
    })
}

/// History only grows: what does its length cost a pass?
fn history(options: &Options) -> anyhow::Result<Curve> {
    let dir = crowd(10, 1, 1)?;
    let mut points = Vec::new();
    for count in [100, 1_000, 10_000, options.full_or_quick(100_000, 50_000)] {
        let line = |at: usize| format!("2026-01-01T00:00:00Z,gone-{},50,1,{:064x}\n", at % 1000, at);
        let text: String = (0..count).map(line).collect();
        fs::write(dir.path().join("results/history.csv"), format!("at,miner,score,rank,sha256\n{text}"))?;
        points.push((count, often(options, || pass(dir.path(), 10))?));
    }
    Ok(Curve { what: "an unchanged pass, 10 agents", of: "lines of history.csv", points })
}

fn sizes(options: &Options) -> anyhow::Result<Curve> {
    let line = "def function(argument):\n    return 'text' + str(argument) # why\n";
    let mut points = Vec::new();
    for kib in [1, 4, 16, 64, 256] {
        let source = line.repeat(kib * 1024 / line.len());
        let scan = || {
            let refused = |finding| anyhow::anyhow!("refused: {finding:?}");
            timed(|| (0..50).try_for_each(|_| validate::scan(source.as_bytes(), &[]).map_err(refused)))
        };
        points.push((kib, often(options, scan)? / 50.0));
    }
    Ok(Curve { what: "one validation", of: "KiB", points })
}

/// In real containers; the first agent's run teaches the judges, the others replay.
fn tests(tools: &Tools, options: &Options) -> anyhow::Result<Curve> {
    let mut points = Vec::new();
    for count in [1, 10, 100, options.full_or_quick(1_000, 300)] {
        let dir = crowd(4, 4, count)?;
        points.push((count, often(options, || run(tools, dir.path()))?));
    }
    Ok(Curve { what: "a run of 4 agents, 4 tasks, in containers", of: "tests per task", points })
}

fn parallel(tools: &Tools, options: &Options) -> anyhow::Result<Curve> {
    let dir = crowd(options.full_or_quick(24, 8), 4, 5)?;
    let mut points = Vec::new();
    for count in [1, 2, 4, 8] {
        fs::write(dir.path().join("pipeline.yaml"), format!("parallel: {count}\n"))?;
        points.push((count, often(options, || run(tools, dir.path()))?));
    }
    Ok(Curve { what: "a run of 24 agents, 4 tasks, in containers", of: "agents in parallel", points })
}

fn run(tools: &Tools, dir: &std::path::Path) -> anyhow::Result<f64> {
    let mut command = Command::new(&tools.agentmill);
    timed(|| succeed(command.arg("--dir").arg(dir).args(["--quiet", "run", "--force"])))
}
