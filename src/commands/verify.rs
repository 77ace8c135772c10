//! `verify`: checks a bundle of somebody else's.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rayon::ThreadPoolBuilder;
use serde::Serialize;

use crate::cli::{self, Exit};
use crate::client::generate::program::Children;
use crate::commands::aside;
use crate::config;
use crate::proof::finding::{Checked, Finding};
use crate::proof::judged::RunName;
use crate::proof::manifest::{Kind, Manifest};
use crate::proof::signature::{self, Signature};
use crate::proof::unpacked::{Unpacked, unpack};
use crate::proof::walk::Fault;
use crate::proof::{judged, ranking, rerun};
use crate::sandbox::{Sandbox, grader_version};
use crate::term;
use crate::ui::Spinner;
use crate::util::plural::counted;
use crate::util::text::visible;
use crate::yaml::Problems;

/// Ahead of what keeps verdicts from being judged anew.
const UNJUDGED: &str = "signature and bytes are as they were signed, and no verdict was judged anew";

/// Tasks that are named for each miner whose answers were not kept.
const MOST_TASKS: usize = 5;

/// Most characters of a task's id.
const MOST_SHOWN: usize = 200;

/// Outcome of a verification.
#[derive(Debug, Serialize)]
struct Verified {
    /// True if all was checked and is as the bundle says.
    ok: bool,
    /// True if all that could be checked is as the bundle says.
    holds: bool,
    kind: Option<Kind>,
    entries: usize,
    /// Bytes that are not as they were signed.
    faults: Vec<Fault>,
    /// Ranked agents whose runs were judged anew.
    agents: usize,
    judged: usize,
    unkept: usize,
    /// The runs of which the answers were not kept.
    unkept_runs: Vec<RunName>,
    /// The runs that come to something else each time that they are judged.
    wavering_runs: Vec<RunName>,
    unjudged: usize,
    rerun_agents: usize,
    rerun_runs: usize,
    /// The runs that asked a model something else when they were made again.
    unheard_runs: Vec<RunName>,
    /// Verdicts and lines of the ranking that are not as the bundle says.
    findings: Vec<Finding>,
    /// Differences between the place where it was packed and this one.
    notes: Vec<String>,
}

/// Checks a bundle and prints what is found.
///
/// # Errors
/// It is no bundle or has no signature, the key is none, its tasks can't be read, or there is no engine.
pub fn verify(args: &cli::Verify, quiet: bool) -> anyhow::Result<Exit> {
    let dir = tempfile::tempdir().context("no place to unpack to")?;
    let mut verified = Verified::new();
    let sound = open(args, dir.path(), &mut verified)?;
    if let Some(manifest) = sound.filter(|manifest| manifest.kind == Kind::Full)
        && let Err(signal) = judge(args, dir.path(), manifest, quiet, &mut verified).context(UNJUDGED)?
    {
        return Ok(signal);
    }
    verified.holds = verified.faults.is_empty() && verified.findings.is_empty();
    verified.ok = verified.holds && verified.unsettled() == 0;
    match args.json {
        true => term::print_json(&verified)?,
        false if quiet && verified.ok => {}
        false => term::print(&verified.text())?,
    }
    Ok(match (verified.ok, verified.holds) {
        (true, _) => Exit::Done,
        (false, true) => Exit::Partly,
        (false, false) => Exit::Unscored,
    })
}

/// Checks the signature and every byte, and unpacks; gives the manifest if all is as it was signed.
fn open(args: &cli::Verify, dir: &Path, verified: &mut Verified) -> anyhow::Result<Option<Manifest>> {
    let key = signature::public_key(&args.key)?;
    let name = || args.bundle.display().to_string();
    let signature = Signature::of(&args.bundle)?;
    let mut file = File::open(&args.bundle).with_context(name)?;
    let signed = signature.check(&file, &key);
    std::io::Seek::rewind(&mut file)?;
    let walked = unpack(&mut file, dir).with_context(name)?;
    verified.entries = walked.manifest.entries.len() + 1;
    verified.kind = Some(walked.manifest.kind);
    verified.faults = match signature.manifest_sha256() {
        Some(sha256) if sha256 != walked.manifest_sha256 => {
            vec![Fault::of("manifest.json", "it is not the one that was signed")]
        }
        _ => walked.faults,
    };
    if let Err(reason) = signed {
        verified.faults.push(Fault { entry: None, what: reason });
    }
    Ok(verified.faults.is_empty().then_some(walked.manifest))
}

/// Judges anew what an unpacked bundle holds; an exit code if a signal came before.
fn judge(
    args: &cli::Verify,
    dir: &Path,
    manifest: Manifest,
    quiet: bool,
    verified: &mut Verified,
) -> anyhow::Result<Result<(), Exit>> {
    let bundle = Arc::new(Unpacked::of(dir, manifest, config::engine_of_environment()?)?);
    let Checked { findings, notes } = ranking::check(&bundle)?;
    (verified.findings, verified.notes) = (findings, notes);
    verified.agents = bundle.rankings.rankings.len();
    let (spinner, children, sample) = (Spinner::new(quiet), Children::default(), args.rerun);
    let parallel = bundle.pipeline.parallel.get();
    spinner.wait(format!("judging {} anew", counted(verified.agents, "agent")));
    let (shared, progress) = (Arc::clone(&bundle), spinner.clone());
    let done = aside::work(&bundle.pipeline, parallel, &spinner, &children, move |containers| {
        let pool = ThreadPoolBuilder::new().num_threads(parallel).build()?;
        pool.install(|| of_sandbox(&shared, containers, sample, &progress))
    })?;
    let of_sandbox = match done {
        Ok(done) => done?,
        Err(signal) => return Ok(Err(signal)),
    };
    verified.take(&bundle.manifest, of_sandbox);
    Ok(Ok(()))
}

/// All that takes a sandbox.
struct OfSandbox {
    image: String,
    judged: judged::Judged,
    rerun: rerun::Rerun,
}

fn of_sandbox(
    bundle: &Unpacked,
    sandbox: &dyn Sandbox,
    sample: usize,
    spinner: &Spinner,
) -> anyhow::Result<OfSandbox> {
    let image = sandbox.image()?;
    Problems::check(sandbox.check(&bundle.tasks)?.refused)?;
    let judged = judged::judge(bundle, sandbox)?;
    if sample > 0 {
        spinner
            .wait(format!("running {} again", counted(sample.min(bundle.rankings.rankings.len()), "agent")));
    }
    let rerun = rerun::rerun(bundle, sandbox, sample)?;
    Ok(OfSandbox { image, judged, rerun })
}

impl Verified {
    fn new() -> Self {
        Self {
            ok: false,
            holds: false,
            kind: None,
            entries: 0,
            faults: Vec::new(),
            agents: 0,
            judged: 0,
            unkept: 0,
            unkept_runs: Vec::new(),
            wavering_runs: Vec::new(),
            unjudged: 0,
            rerun_agents: 0,
            rerun_runs: 0,
            unheard_runs: Vec::new(),
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn take(&mut self, manifest: &Manifest, of_sandbox: OfSandbox) {
        let OfSandbox { image, judged, rerun } = of_sandbox;
        (self.judged, self.unkept, self.unjudged) = (judged.runs, judged.unkept.len(), judged.unjudged);
        (self.unkept_runs, self.wavering_runs) = (judged.unkept, judged.wavering);
        (self.rerun_agents, self.rerun_runs, self.unheard_runs) = (rerun.agents, rerun.runs, rerun.unheard);
        self.findings.extend(judged.findings);
        self.findings.extend(rerun.findings);
        if manifest.image != image {
            self.notes.push(format!("judged in image {image}, there in {}", manifest.image));
        }
        if manifest.grader != grader_version() {
            let theirs = &manifest.version;
            self.notes.push(format!("judged by another grader than that of agentmill {theirs} there"));
        }
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        if self.faults.is_empty() {
            lines.push(format!("signature and {} entries hold", self.entries));
        }
        if self.faults.is_empty() && self.kind == Some(Kind::Public) {
            lines.push("public: there is nothing to be judged in it".to_owned());
        } else if self.faults.is_empty() {
            lines.push(format!("{} of {} judged anew", runs(self.judged), counted(self.agents, "agent")));
        }
        if self.unkept > 0 {
            lines.push(format!("{} not judged anew: their answers were not kept", runs(self.unkept)));
            lines.extend(by_miner("not kept", &self.unkept_runs));
        }
        if !self.wavering_runs.is_empty() {
            let wavering = runs(self.wavering_runs.len());
            lines.push(format!("{wavering} of another outcome each time, by what their agents answered"));
            lines.extend(by_miner("wavering", &self.wavering_runs));
        }
        if self.unjudged > 0 {
            lines.push(format!("{} that nobody had judged", runs(self.unjudged)));
        }
        if self.rerun_agents > 0 {
            lines.push(format!(
                "{} of {} made again",
                runs(self.rerun_runs),
                counted(self.rerun_agents, "agent")
            ));
        }
        if !self.unheard_runs.is_empty() {
            let unheard = runs(self.unheard_runs.len());
            lines
                .push(format!("{unheard} not made again: this time they asked a model what is not recorded"));
            lines.extend(by_miner("not made again", &self.unheard_runs));
        }
        lines.extend(self.notes.iter().map(|note| format!("note: {note}")));
        lines.extend(self.faults.iter().map(|fault| format!("changed: {fault}")));
        lines.extend(self.findings.iter().map(|finding| format!("differs: {finding}")));
        lines.push(match (self.ok, self.holds) {
            (true, _) => "ok".to_owned(),
            (false, true) => format!("ok as far as it can be told: all but {}", runs(self.unsettled())),
            (false, false) => "not ok".to_owned(),
        });
        lines.join("\n") + "\n"
    }

    /// Runs of which nobody can tell whether they are as the bundle says.
    fn unsettled(&self) -> usize {
        self.unkept + self.wavering_runs.len() + self.unheard_runs.len()
    }
}

fn runs(count: usize) -> String {
    counted(count, "run")
}

/// A line for each miner, in the ranking's order, with its first few tasks.
fn by_miner(what: &str, runs: &[RunName]) -> impl Iterator<Item = String> {
    runs.chunk_by(|a, b| a.miner == b.miner).map(move |runs| {
        let tasks: Vec<String> =
            runs.iter().take(MOST_TASKS).map(|run| visible(&run.task, MOST_SHOWN)).collect();
        let more = runs.len().saturating_sub(MOST_TASKS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{what}: {} on {}{more}", runs[0].miner, tasks.join(", "))
    })
}
