//! `generate`: a model writes an agent for one task or more.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use parking_lot::Mutex;

use crate::cli::{Exit, Generate};
use crate::client::generate::before;
use crate::client::generate::draft::{Drafts, Studio, choose};
use crate::client::generate::model::Model;
use crate::client::generate::program::Children;
use crate::client::generate::prompt::Interpreter;
use crate::client::generate::trial::Trial;
use crate::client::submit::Target;
use crate::commands::aside;
use crate::model::joined;
use crate::model::merged::{DraftPart, merge};
use crate::sandbox::Sandbox;
use crate::sandbox::run::ContainerSandbox;
use crate::submission::{self, Channel};
use crate::task::Task;
use crate::ui::Spinner;
use crate::util::atomic_file;
use crate::workspace::Workspace;

/// Asks the model of the `llm` section.
///
/// # Errors
/// There is no model or no key, or nothing usable came of it.
pub fn generate(dir: &Path, args: &Generate, quiet: bool) -> anyhow::Result<Exit> {
    ensure!(
        args.miner.is_some() || args.out.is_some(),
        "say whose agent it is (--miner) or where to write it (--out)"
    );
    let mut workspace = Workspace::open(dir)?;
    if let Some(model) = &args.model {
        workspace.pipeline.llm.model = Some(model.clone());
    }
    choose(&workspace.tasks, &args.tasks, args.all)?;
    let children = Children::default();
    let model = Model::new(&workspace.pipeline.llm, children.clone())?;
    let spinner = Spinner::new(quiet);
    let pipeline = workspace.pipeline.clone();
    let job = Job { workspace, args: args.clone(), model, spinner: spinner.clone() };
    match aside::work(&pipeline, 1, &spinner, &children, move |containers| job.run(containers))? {
        Ok(exit) => exit,
        Err(signal) => Ok(signal),
    }
}

/// All that generating takes, on a thread of its own.
struct Job {
    workspace: Workspace,
    args: Generate,
    model: Model,
    spinner: Spinner,
}

impl Job {
    fn run(&self, containers: &ContainerSandbox) -> anyhow::Result<Exit> {
        let tasks = choose(&self.workspace.tasks, &self.args.tasks, self.args.all)?;
        let before = self.before()?;
        let trial = self.trial(containers);
        let library = trial.sandbox.and_then(|sandbox| sandbox.library().ok());
        let llm = &self.workspace.pipeline.llm;
        let studio = Studio {
            model: &self.model,
            interpreter: Interpreter::of(trial.pipeline, library.as_ref()),
            trial,
            repairs: self.args.repairs,
            show_replies: self.args.show_reply,
            spinner: &self.spinner,
            price: llm.model.as_ref().and_then(|model| llm.prices.get(model)),
            bill: Mutex::default(),
        };
        let drafts = studio.drafts(&tasks);
        let bill = studio.bill.lock();
        if bill.is_known() {
            self.spinner.say(&bill.to_string());
        }
        if !drafts.parts.is_empty() {
            let source = self.file(&studio.trial, drafts.parts.clone(), before.as_deref())?;
            self.deliver(source.as_bytes())?;
        }
        self.outcome(drafts)
    }

    fn trial<'a>(&'a self, containers: &'a ContainerSandbox) -> Trial<'a> {
        let (pipeline, engine) = (&self.workspace.pipeline, containers.engine());
        let tried = self.args.tried;
        let there = tried || matches!(engine.image_id(&pipeline.sandbox.image), Ok(Some(_)));
        if !there {
            self.spinner.say(
                "no container engine with the image: what the model writes is looked at, but not compiled",
            );
        }
        let sandbox = there.then_some(containers as &dyn Sandbox);
        Trial { pipeline, sandbox, tried, spinner: &self.spinner }
    }

    /// The file that the new solutions go beside.
    fn before(&self) -> anyhow::Result<Option<String>> {
        let (whose, bytes) = match (&self.args.out, &self.args.miner) {
            _ if self.args.replace => return Ok(None),
            (Some(out), _) => (out.display().to_string(), std::fs::read(out).ok()),
            (None, Some(miner)) => {
                (format!("{miner}'s file"), submission::present(&self.workspace.pipeline, miner))
            }
            (None, None) => return Ok(None),
        };
        ensure!(
            !bytes.as_deref().is_some_and(joined::is_joined),
            "{whose} is several files, and solutions go beside one only; --out FILE writes them elsewhere"
        );
        let text = bytes.map(String::from_utf8).transpose();
        text.with_context(|| {
            format!("{whose} is no UTF-8 text, so nothing can go beside it; --replace starts anew")
        })
    }

    /// One file of the new solutions and what stays of the one before.
    fn file(&self, trial: &Trial<'_>, new: Vec<DraftPart>, before: Option<&str>) -> anyhow::Result<String> {
        let tasks = &self.workspace.tasks;
        let (replaced, kept) =
            before.map_or_else(Default::default, |before| before::split(before, &new, tasks));
        let remedy = if kept.is_empty() { "" } else { "; --replace leaves out what was there before" };
        for (what, parts) in [("replaced", &replaced), ("kept beside it", &kept)] {
            parts.iter().for_each(|part| self.spinner.say(&format!("{what}: {}", told(part))));
        }
        if kept.iter().any(|part| part.id.is_empty()) {
            self.spinner.say("nothing says which task that is of, so it may answer in place of the new one; --replace leaves it out");
        }
        let served: Vec<&Task> =
            tasks.iter().filter(|task| new.iter().any(|part| part.id == task.id)).collect();
        let parts: Vec<DraftPart> = new.into_iter().chain(kept).collect();
        let merged = merge(&parts);
        if parts.len() > 1
            && let Some(problem) = trial.problem(&merged, &served)?
        {
            bail!("the drafts are good, but the file that they were merged into is not: {problem}{remedy}");
        }
        Ok(merged)
    }

    fn deliver(&self, source: &[u8]) -> anyhow::Result<()> {
        if let Some(out) = &self.args.out {
            atomic_file::replace(out, source).with_context(|| format!("can't write {}", out.display()))?;
            self.spinner.say(&format!("wrote {}", out.display()));
        } else if let Some(miner) = &self.args.miner {
            let target = Target::Here(&self.workspace.pipeline);
            let submitted = target.submit(miner, source, Channel::Generate)?;
            self.spinner.say(&format!("{miner}: {}, sha256 {}", submitted.status, submitted.sha256));
        }
        Ok(())
    }

    /// The exit code; what failed is told one by one where something succeeded.
    fn outcome(&self, drafts: Drafts) -> anyhow::Result<Exit> {
        let mut reasons: Vec<String> =
            drafts.failed.into_iter().map(|(task, reason)| format!("{task}: {reason}")).collect();
        match drafts.ended {
            Some(error) if drafts.parts.is_empty() => return Err(error),
            Some(error) => reasons.push(format!("stopped before the rest: {error:#}")),
            None if drafts.parts.is_empty() => bail!("{}", reasons.join("\nagentmill: ")),
            None => {}
        }
        for reason in &reasons {
            self.spinner.tell(&format!("agentmill: {reason}"));
        }
        Ok(if reasons.is_empty() { Exit::Done } else { Exit::Unscored })
    }
}

/// A part of a file, in words.
fn told(part: &DraftPart) -> &str {
    if part.id.is_empty() { "what was there before" } else { &part.id }
}
