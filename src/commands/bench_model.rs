//! `bench-model`: all tasks, several samples of each, straight into a ranking of models.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;

use crate::cli::{BenchModel, Exit};
use crate::client::bench::asking::{Asking, Due, Missing, Tally};
use crate::client::bench::by_task;
use crate::client::bench::confidence;
use crate::client::bench::judging::{Judging, Results};
use crate::client::bench::memory::{self, FOLDER, Memory};
use crate::client::bench::page;
use crate::client::bench::published::Published;
use crate::client::bench::ranking::{self, Row};
use crate::client::bench::remarks;
use crate::client::bench::samples;
use crate::client::bench::spending::Spending;
use crate::client::bench::unranked;
use crate::client::generate::answer::Unanswered;
use crate::client::generate::draft::choose;
use crate::client::generate::model::Model;
use crate::client::generate::program::Children;
use crate::client::generate::prompt::Interpreter;
use crate::commands::{aside, check};
use crate::config::Llm;
use crate::pipeline::publish::page::MODELS;
use crate::sandbox::Sandbox;
use crate::sandbox::run::ContainerSandbox;
use crate::task::Task;
use crate::term::{self, Layout};
use crate::ui::Spinner;
use crate::util::first_few::first_few;
use crate::util::plural::counted;
use crate::util::text::visible;
use crate::util::{atomic_file, json};
use crate::workspace::{PIPELINE, Workspace};
use crate::yaml::Problems;

/// The most of a message that is told, in characters.
const SHOWN: usize = 300;

/// Asks the models for what is missing, judges it, and ranks them beside those of before.
///
/// # Errors
/// There is no model, no key or no engine, or something can't be written.
pub fn bench_model(dir: &Path, args: &BenchModel, quiet: bool) -> anyhow::Result<Exit> {
    let mut workspace = Workspace::open(dir)?;
    let files = args.files.iter().map(|file| Published::read(file, &workspace.tasks));
    let files: Vec<Published> = files.collect::<anyhow::Result<_>>()?;
    let wanted = wanted(args, &files)?;
    let spinner = Spinner::new(quiet);
    // Nothing else is looked at, asked for or judged.
    workspace.tasks = chosen(&workspace, &args.tasks, &spinner)?;
    let children = Children::default();
    let models = models(&workspace.pipeline.llm, args, &children, &spinner)?;
    let (pipeline, parallel) = (workspace.pipeline.clone(), workspace.pipeline.parallel.get());
    let (tally, asks) = (Arc::new(Tally::default()), !models.is_empty());
    let job = Job {
        workspace,
        requests: usize::from(args.requests),
        wanted,
        models,
        files,
        spinner: spinner.clone(),
        children: children.clone(),
        tally: tally.clone(),
        spending: Spending::new(args.max_cost),
    };
    let done = aside::work(&pipeline, parallel, &spinner, &children, move |containers| job.run(containers))?;
    let (rows, whole) = match done {
        Ok(done) => done?,
        Err(signal) => {
            spinner.tell(&format!("agentmill: {}", tally.at_stop(asks)));
            return Ok(signal);
        }
    };
    match args.json {
        true => term::print_json(&rows)?,
        false => term::print(&ranking::shown(&rows, &Layout::stdout()))?,
    }
    Ok(if whole { Exit::Done } else { Exit::Unscored })
}

/// Samples of each task, and the k of pass@k.
///
/// # Errors
/// There are fewer samples than k, or two files stand for one model.
fn wanted(args: &BenchModel, files: &[Published]) -> anyhow::Result<Wanted> {
    for (at, file) in files.iter().enumerate() {
        let other = files[..at].iter().find(|other| other.model == file.model);
        if let Some(other) = other {
            let (path, other) = (file.path.display(), other.path.display());
            bail!("{other} and {path} stand for one model, {}: a model is named after its file", file.model);
        }
    }
    let samples = args.samples.unwrap_or_else(|| files.iter().map(Published::most).max().unwrap_or(1));
    let least = files.iter().map(Published::least).min().unwrap_or(samples);
    let k = args.k.unwrap_or(samples.min(least));
    ensure!(k <= samples, "{}", too_few(args, files, k, samples));
    Ok(Wanted { samples, given: args.samples, k })
}

/// The words about a k for which nothing has enough samples.
fn too_few(args: &BenchModel, files: &[Published], k: u32, samples: u32) -> String {
    match files.iter().max_by_key(|file| file.most()) {
        Some(file) if args.samples.is_none() => {
            let (path, most) = (file.path.display(), counted(file.most(), "sample"));
            format!("{path} has {most} of a task at most; pass@{k} takes {k}: leave --k out, or give fewer")
        }
        _ => format!(
            "--k {k} takes at least as many samples: give --samples {k}; now they are {samples} of each task"
        ),
    }
}

/// The tasks that were asked for. All count that are in a stage, where none is named; one that is named must be in one.
fn chosen(workspace: &Workspace, named: &[String], spinner: &Spinner) -> anyhow::Result<Vec<Task>> {
    let tasks = choose(&workspace.tasks, named, named.is_empty())?;
    let is_staged = |task: &&Task| workspace.pipeline.stage_of(&task.id).is_some();
    let (staged, left): (Vec<&Task>, Vec<&Task>) = tasks.into_iter().partition(is_staged);
    if !left.is_empty() {
        let ids = first_few(left.iter().map(|task| &task.id));
        let file = workspace.file.display();
        ensure!(named.is_empty(), "{file}: no stage has {ids}, so no reply can be judged");
        let (tasks, are) = (counted(left.len(), "task"), if left.len() == 1 { "is" } else { "are" });
        spinner.say(&format!("{tasks} {are} in no stage of {PIPELINE} and left out: {ids}"));
    }
    Ok(staged.into_iter().cloned().collect())
}

/// The models to ask by name, each once; that of the `llm` section if neither one nor a file is named.
fn models(
    llm: &Llm,
    args: &BenchModel,
    children: &Children,
    spinner: &Spinner,
) -> anyhow::Result<Vec<(String, Model)>> {
    let mut names = args.models.clone();
    if names.is_empty() && args.files.is_empty() {
        let own = llm.command.first().filter(|_| llm.model.is_none());
        let name =
            llm.model.as_ref().or(own).context("say which model: --model, or llm.model in pipeline.yaml")?;
        names.push(name.clone());
    }
    if let Some(list) = names.iter().find(|name| name.contains(',')) {
        spinner.say(&format!("--model {list} is one model's name; repeat --model for several"));
    }
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let model = |name: String| {
        let llm = Llm { model: Some(name.clone()), ..llm.clone() };
        Ok((name, Model::new(&llm, children.clone())?))
    };
    names.into_iter().map(model).collect()
}

/// Samples of each task, and the k of pass@k.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    samples: u32,
    /// The number that was asked for in words.
    given: Option<u32>,
    k: u32,
}

impl Wanted {
    /// Samples of each task that a model lacks if they are not there. Where no number is given, nothing more will come of a
    /// file than it has, nor of a model of before.
    fn of(&self, is_asked: bool) -> u32 {
        if is_asked { self.samples } else { self.given.unwrap_or(1) }
    }
}

/// All that a benchmark takes, on a thread of its own.
struct Job {
    workspace: Workspace,
    wanted: Wanted,
    requests: usize,
    models: Vec<(String, Model)>,
    files: Vec<Published>,
    spinner: Spinner,
    children: Children,
    tally: Arc<Tally>,
    spending: Spending,
}

impl Job {
    /// The ranking, and true if nothing in it is missing.
    fn run(&self, containers: &ContainerSandbox) -> anyhow::Result<(Vec<Row>, bool)> {
        let folder = self.workspace.pipeline.results.join(FOLDER);
        let _lock = memory::lock(&folder)?;
        let tasks = &self.workspace.tasks;
        self.spinner.wait(format!("looking at {}", counted(tasks.len(), "task")));
        Problems::check(containers.check(tasks)?.refused)?;
        let interpreter = Interpreter::of(&self.workspace.pipeline, Some(&containers.library()?));
        self.ask(&folder, &interpreter)?;
        self.read(&folder)?;
        let (results, faults) = self.results(&folder, &interpreter, containers)?;
        let row = |(model, judged): (&String, &Results)| {
            let is_asked = self.models.iter().any(|(name, _)| name == model);
            Row::new(model, judged, tasks, self.wanted.of(is_asked), self.wanted.k)
        };
        let mut rows: Vec<Row> = results.iter().map(row).collect();
        ranking::rank(&mut rows);
        confidence::add(&mut rows);
        self.tally.note_written();
        self.write(&folder, &rows, &results)?;
        self.doubt(&rows, containers)?;
        self.explain(&rows, &results);
        if let Some(line) = remarks::at_fault(&faults, tasks.len()) {
            self.spinner.tell(&format!("agentmill: {line}"));
        }
        if let Some(line) = remarks::unsolved(&rows) {
            self.spinner.say(&format!("agentmill: {line}"));
        }
        let whole = faults.is_empty() && self.is_whole(&rows);
        Ok((rows, whole))
    }

    /// Results of all models, and the tasks at fault, which count for none of them, with the reasons.
    fn results(
        &self,
        folder: &Path,
        interpreter: &Interpreter,
        sandbox: &dyn Sandbox,
    ) -> anyhow::Result<(BTreeMap<String, Results>, BTreeMap<String, String>)> {
        let (mut results, mut faults) = (BTreeMap::new(), BTreeMap::new());
        for memory in Memory::all(folder)? {
            // A misspelt one has never replied.
            if memory.samples().is_empty() && !self.is_named(&memory.model) {
                continue;
            }
            let judged = self.judge(&memory, interpreter, sandbox)?;
            faults.extend(judged.task_faults.clone());
            results.insert(memory.model, judged);
        }
        for (task, reason) in &faults {
            self.spinner.tell(&format!("agentmill: task {task} is at fault and counts for nobody: {reason}"));
        }
        results.values_mut().for_each(|judged| judged.leave_out(&faults));
        Ok((results, faults))
    }

    /// Tells why models have no rank, but for those that were asked, whose missing samples are told already; and which
    /// of those has no cost.
    fn explain(&self, rows: &[Row], results: &BTreeMap<String, Results>) {
        let all = rows.iter().map(|row| (row, &results[&row.model]));
        let (named, others): (Vec<_>, Vec<_>) = all.partition(|(row, _)| self.is_named(&row.model));
        for line in named.into_iter().filter_map(unranked::of_file) {
            self.spinner.tell(&format!("agentmill: {line}"));
        }
        for line in unranked::of_before(&others) {
            self.spinner.say(&format!("agentmill: {line}"));
        }
        let prices = &self.workspace.pipeline.llm.prices;
        let asked = rows.iter().filter(|row| self.models.iter().any(|(name, _)| *name == row.model));
        for line in asked.filter_map(|row| remarks::unpriced(row, prices)) {
            self.spinner.say(&format!("agentmill: {line}"));
        }
    }

    /// Tells of tasks that no sample passes where the reference solution does not pass either.
    fn doubt(&self, rows: &[Row], sandbox: &dyn Sandbox) -> anyhow::Result<()> {
        let of_all = || rows.iter().flat_map(|row| &row.by_task);
        for task in self.workspace.tasks.iter().filter(|task| !task.asks_model()) {
            let is_hard = of_all().any(|row| row.task == task.id && row.samples > 0)
                && !of_all().any(|row| row.task == task.id && row.passed > 0);
            let Some(solution) = task.solution.as_ref().filter(|_| is_hard) else { continue };
            let limits = task.limits_by(&self.workspace.pipeline);
            if let Some(problem) = check::solve(task, solution, &limits, sandbox)? {
                let why = visible(&problem.message, SHOWN);
                self.spinner
                    .tell(&format!("agentmill: no sample passes {}, nor does its solution: {why}", task.id));
            }
        }
        Ok(())
    }

    /// True of the models that this is about.
    fn is_named(&self, model: &str) -> bool {
        self.models.iter().any(|(name, _)| name == model) || self.files.iter().any(|file| file.model == model)
    }

    /// True if nothing is missing of them.
    fn is_whole(&self, rows: &[Row]) -> bool {
        let whole = rows.iter().filter(|row| self.is_named(&row.model)).all(|row| row.missing == 0);
        whole && self.files.iter().all(|file| file.refused().is_empty())
    }

    /// Takes the files of samples.
    fn read(&self, folder: &Path) -> anyhow::Result<()> {
        for file in &self.files {
            file.remember(&Memory::open(folder, &file.model)?)?;
            for note in file.refused() {
                let path = file.path.display();
                self.spinner.tell(&format!("agentmill: {path}: {}: {}", note.place, note.text));
            }
            if let Some(warning) = file.fenced() {
                self.spinner.tell(&format!("agentmill: {}: {warning}", file.path.display()));
            }
        }
        Ok(())
    }

    /// Asks one model after the other.
    fn ask(&self, folder: &Path, interpreter: &Interpreter) -> anyhow::Result<()> {
        let memories = self.models.iter().map(|(name, _)| Memory::open(folder, name));
        let memories: Vec<Memory> = memories.collect::<anyhow::Result<_>>()?;
        if let Some(taken) = memories.iter().find(|memory| memory.file().is_some()) {
            bail!("{} is the name of a file of samples already; rename the file", taken.model);
        }
        let asking = |memory, model| Asking {
            model,
            memory,
            llm: &self.workspace.pipeline.llm,
            interpreter,
            samples: self.wanted.samples,
            requests: self.requests,
            spinner: &self.spinner,
            children: &self.children,
            tally: &self.tally,
            spending: &self.spending,
        };
        let pairs = memories.iter().zip(&self.models);
        let askings: Vec<Asking<'_>> = pairs.map(|(memory, (_, model))| asking(memory, model)).collect();
        let due: Vec<_> = askings.iter().map(|asking| asking.due(&self.workspace.tasks)).collect();
        let all = self.models.len() * self.of_each();
        self.tally.begin(all, all - due.iter().map(VecDeque::len).sum::<usize>());
        askings.iter().zip(due).try_for_each(|(asking, due)| self.ask_one(asking, due))
    }

    /// Samples that are wanted of a model.
    fn of_each(&self) -> usize {
        self.workspace.tasks.len() * self.wanted.samples as usize
    }

    fn ask_one(&self, asking: &Asking<'_>, due: VecDeque<Due<'_>>) -> anyhow::Result<()> {
        if due.is_empty() {
            return Ok(());
        }
        let memory = asking.memory;
        let tasks = counted(self.workspace.tasks.len(), "task");
        let kept = match self.of_each() - due.len() {
            0 => String::new(),
            1 => ", of which 1 is kept".to_owned(),
            kept => format!(", of which {kept} are kept"),
        };
        let replies = if due.len() == 1 { "1 reply".to_owned() } else { format!("{} replies", due.len()) };
        let samples = self.wanted.samples;
        let Missing { samples, reasons } = match self.affordable(memory) {
            Ok(()) => {
                let what = format!("asking {} for {replies} ({tasks} x {samples}{kept})", memory.model);
                self.spinner.wait(what + &asking.again(&due));
                asking.ask(due)?
            }
            Err(reason) => Missing { samples: due.len(), reasons: vec![format!("not asked: {reason}")] },
        };
        ensure!(!self.children.are_ended(), "stopped");
        for reason in reasons {
            self.spinner.tell(&format!("agentmill: {}: {reason}", memory.model));
        }
        if samples > 0 {
            let are = if samples == 1 { "is missing" } else { "are missing" };
            let again = self.foresee(memory).map_or("", |()| "; the same command asks again");
            let (model, samples) = (&memory.model, counted(samples, "sample"));
            self.spinner.tell(&format!("agentmill: {model}: {samples} {are}{again}"));
        }
        Ok(())
    }

    /// Says why a model is not asked: what its replies cost is not known, or no money is left.
    fn affordable(&self, memory: &Memory) -> Result<(), Unanswered> {
        self.foresee(memory)?;
        self.spending.check()
    }

    fn foresee(&self, memory: &Memory) -> Result<(), Unanswered> {
        let price = self.workspace.pipeline.llm.prices.get(&memory.model);
        self.spending.foresee(&memory.model, &memory.samples(), price)
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
        // What a stop broke off is no result.
        ensure!(!self.children.are_ended(), "stopped");
        for fault in &results.faults {
            self.spinner.tell(&format!("agentmill: {}: not judged: {fault}", memory.model));
        }
        Ok(results)
    }

    fn write(&self, folder: &Path, rows: &[Row], by_model: &BTreeMap<String, Results>) -> anyhow::Result<()> {
        let results = &self.workspace.pipeline.results;
        let context = || format!("can't write into {}", results.display());
        atomic_file::replace_by(&results.join("models.csv"), |out| ranking::csv(out, rows))
            .with_context(context)?;
        // What tests say tells of hidden ones.
        let bytes = json::bytes(&rows)?;
        atomic_file::replace_private(&results.join("models.json"), |out| out.write_all(&bytes))
            .with_context(context)?;
        let by_task = rows.iter().map(|row| (row.model.as_str(), row.by_task.as_slice()));
        atomic_file::replace_private(&results.join("models_tasks.csv"), |out| by_task::csv(out, by_task))
            .with_context(context)?;
        let tried = rows.iter().map(|row| (row.model.as_str(), &by_model[&row.model]));
        atomic_file::replace_private(&results.join("models_samples.csv"), |out| samples::csv(out, tried))
            .with_context(context)?;
        let title = self.workspace.pipeline.title.as_deref();
        let (page, now) = (results.join(MODELS), Timestamp::now());
        atomic_file::replace_by(&page, |out| page::write(out, rows, title, now)).with_context(context)?;
        let (results, folder) = (results.display(), folder.display());
        self.spinner.say(&format!(
            "models.csv, the page models.html and, task by task and sample by sample, models_tasks.csv and \
             models_samples.csv in {results}; replies in {folder}"
        ));
        Ok(())
    }
}
