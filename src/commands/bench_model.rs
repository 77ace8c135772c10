//! `bench-model`: all tasks, several samples of each, straight into a ranking of models.

use std::path::Path;

use anyhow::{Context, ensure};

use crate::cli::{BenchModel, Exit};
use crate::client::bench::asking::{Asking, Missing};
use crate::client::bench::judging::{Judging, Results};
use crate::client::bench::memory::{self, FOLDER, Memory};
use crate::client::bench::ranking::{self, Row};
use crate::client::generate::draft::choose;
use crate::client::generate::model::Model;
use crate::client::generate::program::Children;
use crate::client::generate::prompt::Interpreter;
use crate::commands::aside;
use crate::config::Llm;
use crate::sandbox::Sandbox;
use crate::sandbox::run::ContainerSandbox;
use crate::task::Task;
use crate::term::{self, Layout};
use crate::ui::Spinner;
use crate::util::{atomic_file, json};
use crate::workspace::Workspace;
use crate::yaml::Problems;

/// Asks the models for what is missing, judges it, and ranks them beside those of before.
///
/// # Errors
/// There is no model, no key or no engine, or something can't be written.
pub fn bench_model(dir: &Path, args: &BenchModel, quiet: bool) -> anyhow::Result<Exit> {
    let workspace = Workspace::open(dir)?;
    let k = args.k.unwrap_or(args.samples);
    ensure!(
        k <= args.samples,
        "--k {k} takes at least as many --samples, of which there are {}",
        args.samples
    );
    choose(&workspace.tasks, &args.tasks, args.tasks.is_empty())?;
    let children = Children::default();
    let models = models(&workspace.pipeline.llm, args, &children)?;
    let spinner = Spinner::new(quiet);
    let (pipeline, parallel) = (workspace.pipeline.clone(), workspace.pipeline.parallel.get());
    let job = Job { workspace, args: args.clone(), models, k, spinner: spinner.clone() };
    let done = aside::work(&pipeline, parallel, &spinner, &children, move |containers| job.run(containers))?;
    let (rows, whole) = match done {
        Ok(done) => done?,
        Err(signal) => return Ok(signal),
    };
    match args.json {
        true => term::print_json(&rows)?,
        false => term::print(&ranking::shown(&rows, &Layout::stdout()))?,
    }
    Ok(if whole { Exit::Done } else { Exit::Unscored })
}

/// The models by name; that of the `llm` section if none is named.
fn models(llm: &Llm, args: &BenchModel, children: &Children) -> anyhow::Result<Vec<(String, Model)>> {
    let mut names = args.models.clone();
    if names.is_empty() {
        let own = llm.command.first().filter(|_| llm.model.is_none());
        let name =
            llm.model.as_ref().or(own).context("say which model: --model, or llm.model in pipeline.yaml")?;
        names.push(name.clone());
    }
    let model = |name: String| {
        let llm = Llm { model: Some(name.clone()), ..llm.clone() };
        Ok((name, Model::new(&llm, children.clone())?))
    };
    names.into_iter().map(model).collect()
}

/// All that a benchmark takes, on a thread of its own.
struct Job {
    workspace: Workspace,
    args: BenchModel,
    models: Vec<(String, Model)>,
    k: u32,
    spinner: Spinner,
}

impl Job {
    /// The ranking, and true if nothing in it is missing.
    fn run(&self, containers: &ContainerSandbox) -> anyhow::Result<(Vec<Row>, bool)> {
        let folder = self.workspace.pipeline.results.join(FOLDER);
        let _lock = memory::lock(&folder)?;
        let tasks = choose(&self.workspace.tasks, &self.args.tasks, self.args.tasks.is_empty())?;
        Problems::check(containers.check(&self.workspace.tasks)?.refused)?;
        let interpreter = Interpreter::of(&self.workspace.pipeline, Some(&containers.library()?));
        for (name, model) in &self.models {
            self.ask(&Memory::open(&folder, name)?, (model, &interpreter), &tasks)?;
        }
        let mut rows = Vec::new();
        for memory in Memory::all(&folder)? {
            let results = self.judge(&memory, &interpreter, containers)?;
            rows.push(Row::new(&memory.model, &results, &tasks, self.args.samples, self.k));
        }
        ranking::rank(&mut rows);
        self.write(&folder, &rows)?;
        let asked = |row: &&Row| self.models.iter().any(|(name, _)| *name == row.model);
        let whole = rows.iter().filter(asked).all(|row| row.missing == 0);
        Ok((rows, whole))
    }

    fn ask(
        &self,
        memory: &Memory,
        (model, interpreter): (&Model, &Interpreter),
        tasks: &[&Task],
    ) -> anyhow::Result<()> {
        let asking = Asking {
            model,
            memory,
            llm: &self.workspace.pipeline.llm,
            interpreter,
            samples: self.args.samples,
            requests: usize::from(self.args.requests),
            spinner: &self.spinner,
        };
        let Missing { samples, reasons } = asking.ask(tasks)?;
        for reason in reasons {
            self.spinner.tell(&format!("agentmill: {}: {reason}", memory.model));
        }
        if samples > 0 {
            let text = format!(
                "agentmill: {}: {samples} samples are missing; the same command asks for them again",
                memory.model
            );
            self.spinner.tell(&text);
        }
        Ok(())
    }

    fn judge(
        &self,
        memory: &Memory,
        interpreter: &Interpreter,
        sandbox: &dyn Sandbox,
    ) -> anyhow::Result<Results> {
        let pipeline = &self.workspace.pipeline;
        let judging = Judging { pipeline, llm: &pipeline.llm, interpreter, sandbox, spinner: &self.spinner };
        let results = judging.judge(memory, &self.workspace.tasks)?;
        for (task, reason) in &results.task_faults {
            self.spinner.tell(&format!("agentmill: task {task} is at fault and counts for nobody: {reason}"));
        }
        for fault in &results.faults {
            self.spinner.tell(&format!("agentmill: {}: not judged: {fault}", memory.model));
        }
        Ok(results)
    }

    fn write(&self, folder: &Path, rows: &[Row]) -> anyhow::Result<()> {
        let results = &self.workspace.pipeline.results;
        let context = || format!("can't write into {}", results.display());
        atomic_file::replace_by(&results.join("models.csv"), |out| ranking::csv(out, rows))
            .with_context(context)?;
        atomic_file::replace(&results.join("models.json"), &json::bytes(&rows)?).with_context(context)?;
        self.spinner.say(&format!("models.csv in {}, replies in {}", results.display(), folder.display()));
        Ok(())
    }
}
