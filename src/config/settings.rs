//! The checked `pipeline.yaml`, as types.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use globset::GlobSet;
use jiff::Timestamp;
use regex::Regex;

use crate::config::grant::Grant;
use crate::config::roster::Roster;
use crate::config::sampling::Sampling;
use crate::config::season::Season;
use crate::model::feedback::Feedback;
use crate::model::miner_id::Miner;

/// A checked `pipeline.yaml`. Paths are absolute or relative to the folder that holds it.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Name of the competition or course.
    pub title: Option<String>,
    /// The folder miners drop files into.
    pub inbox: PathBuf,
    /// The folder of task files.
    pub tasks: PathBuf,
    /// The folder results are written to.
    pub results: PathBuf,
    /// The folder of the ledger, the archive and the recordings: the results folder, or, of a preview, the one that it is a
    /// preview of.
    pub records: PathBuf,
    /// Time at which changed tasks, limits, rules or another image come into force.
    pub changes: Changes,
    /// People of the course, if there is a list of them.
    pub roster: Option<Roster>,
    /// Readers of scores over HTTP.
    pub board: Board,
    /// Time in which the board stands still, if there is one.
    pub freeze: Option<Freeze>,
    /// The times and numbers of submissions that count; None where all do, and the last one is ranked.
    pub season: Option<Season>,
    /// Conditions that a submission must satisfy before it runs.
    pub validate: Validate,
    /// Agents that are taken for copies in disguise, and what becomes of them.
    pub similarity: Similarity,
    /// Engine, image and limits of cells.
    pub sandbox: Sandbox,
    /// Budget for the questions of one run's tests to a model; None: tests ask nobody.
    pub judge_model: Option<Grant>,
    /// Agents evaluated at the same time.
    pub parallel: NonZeroUsize,
    /// Stages in the order that agents go through them; never empty.
    pub stages: Vec<Stage>,
    /// Pool, token and split; None where nothing is paid.
    pub rewards: Option<Rewards>,
    /// The command that is told of each change of the ranking, if there is one.
    pub on_change: Option<OnChange>,
    /// The models that agents may ask, and the one that writes code for miners.
    pub llm: Llm,
    /// The HTTP API.
    pub serve: Serve,
    /// Hex sha256 of the file's bytes.
    pub sha256: String,
}

impl Pipeline {
    /// True if it evaluates beside the results, and writes nothing that anything else is decided by.
    #[must_use]
    pub fn is_preview(&self) -> bool {
        self.results != self.records
    }

    /// True if agents or tests may ask a model.
    #[must_use]
    pub fn asks_models(&self) -> bool {
        self.judge_model.is_some() || self.stages.iter().any(|stage| stage.model.is_some())
    }

    /// Models that agents or tests may ask.
    #[must_use]
    pub fn granted_models(&self) -> BTreeSet<&str> {
        let grants = self.stages.iter().filter_map(|stage| stage.model.as_ref()).chain(&self.judge_model);
        grants.flat_map(|grant| grant.allow.iter().map(String::as_str)).collect()
    }

    /// Feedback on what all stages make up together.
    #[must_use]
    pub fn feedback(&self) -> Feedback {
        Feedback::least(self.stages.iter().map(|stage| stage.feedback))
    }

    /// Feedback on runs of a stage; the least if there is no such stage any more.
    #[must_use]
    pub fn feedback_in(&self, stage: &str) -> Feedback {
        let stage = self.stages.iter().find(|one| one.name == stage);
        stage.map_or(Feedback::None, |stage| stage.feedback)
    }

    /// Samples of a task in a stage; none if there is no such stage any more, or it does not hold the task.
    #[must_use]
    pub fn samples_of(&self, stage: &str, task: &str) -> u32 {
        let stage = self.stages.iter().find(|one| one.name == stage && one.tasks.is_match(task));
        stage.map_or(0, |stage| stage.sampling.samples)
    }

    /// The stage that runs agents on a task, by its id; None if none does.
    #[must_use]
    pub fn stage_of(&self, task: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.tasks.is_match(task))
    }
}

/// Times at which changes of the rules come into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Changes {
    /// With the next pass.
    Take,
    /// Once `accept` has taken them.
    Hold,
}

/// The command that is told of each change of the ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnChange {
    /// The program and its arguments; never empty.
    pub command: Vec<String>,
    /// The folder of pipeline.yaml, in which it works.
    pub folder: PathBuf,
}

/// Time in which nobody is shown over HTTP what is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Freeze {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end; None until somebody writes one.
    pub until: Option<Timestamp>,
}

/// Visibility of scores over HTTP, once there are tokens to tell miners apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Board {
    /// Each miner sees its own.
    Private,
    /// Everybody sees everybody's.
    Public,
}

/// The `validate` section.
#[derive(Debug, Clone)]
pub struct Validate {
    /// Largest accepted submission, in bytes, all its files together.
    pub max_bytes: u64,
    /// Files that a submission may have; of one file it is that file, of more it is a folder.
    pub files: usize,
    /// A match in the source, as written or as tokens alone, refuses the submission.
    pub forbid: Vec<Regex>,
    /// Modules beside the standard library's that it may import.
    pub allow: Allow,
}

/// Modules beside the standard library's that agents may import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allow {
    /// These, by their first names; none at all if there are none.
    Modules(Vec<String>),
    /// All that the image holds; it is not known before the cell imports them.
    Image,
}

impl Allow {
    /// Tells whether there may be any.
    pub fn is_any(&self) -> bool {
        *self != Self::Modules(Vec::new())
    }
}

/// The `similarity` section.
#[derive(Debug, Clone, PartialEq)]
pub struct Similarity {
    /// Share of an agent's fingerprints, above 0 and at most 1, that makes it a near copy.
    pub threshold: f64,
    /// Treatment of a near copy.
    pub action: OnSimilar,
    /// Sources that everybody may use.
    pub base: Vec<Base>,
    /// Miners that were first with bytes by the organiser's word, by hex sha256.
    pub originals: BTreeMap<String, Miner>,
}

impl Similarity {
    /// The line of pipeline.yaml with these originals beside those that stand there: a second `originals` would be a mistake.
    pub fn with_originals<'a>(&'a self, more: impl Iterator<Item = (&'a str, &'a Miner)>) -> String {
        let known = self.originals.iter().map(|(sha256, miner)| (sha256.as_str(), miner));
        let all: BTreeMap<&str, &Miner> = known.chain(more).collect();
        let all: Vec<String> =
            all.iter().map(|(sha256, miner)| format!("{sha256}: {}", as_text(miner))).collect();
        format!("similarity: {{originals: {{{}}}}}", all.join(", "))
    }
}

/// An id as YAML takes it for text: 79 would be a number.
fn as_text(miner: &Miner) -> String {
    let is_text = matches!(serde_yaml::from_str(miner.as_str()), Ok(serde_yaml::Value::String(_)));
    if is_text { miner.to_string() } else { format!("\"{miner}\"") }
}

/// A source that everybody may use, such as a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// The file.
    pub file: PathBuf,
    /// Its bytes.
    pub source: Vec<u8>,
}

/// Treatment of near copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnSimilar {
    /// It is marked.
    Flag,
    /// It is marked and earns nothing.
    Withhold,
}

/// The `sandbox` section.
#[derive(Debug, Clone)]
pub struct Sandbox {
    /// The container engine.
    pub engine: EngineKind,
    /// Image of cells.
    pub image: String,
    /// Image of judges, the same unless pipeline.yaml says otherwise.
    pub judge_image: String,
    /// OCI runtime passed to the engine, such as `runsc`.
    pub runtime: Option<String>,
    /// True if cells find the packages that are installed in the image: [`Validate::allow`] allows some.
    pub packages: bool,
    /// Lifetime of a cell: an agent's or a run's.
    pub cell_per: CellPer,
    /// True if public tests are asked in cells that were asked nothing hidden: where miners see less than the default.
    pub public_apart: bool,
    /// Command put before the engine's own, such as `[srun, --quiet, -n1]`.
    pub launch: Vec<String>,
    /// Longest time until a launched cell is ready, its wait in a queue included.
    pub launch_timeout: Duration,
    /// Longest wait for an engine that went away; after it, runs stay unscored.
    pub wait_for_engine: Duration,
    /// Most bytes of the files that a task gives its agents.
    pub files: u64,
    /// Bounds of every run unless a stage or task says otherwise.
    pub limits: Limits,
    /// Bounds of the judges.
    pub judge: Judge,
}

/// The `judge` section: what judging one test may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Judge {
    /// CPU time of one test; a test may use half of it without any agent's value.
    pub time: Duration,
    /// Memory of a judge in bytes, swap off.
    pub memory: u64,
}

/// The container engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// The first of the others that is there.
    Auto,
    /// Docker Engine.
    Docker,
    /// Podman.
    Podman,
    /// No engine: runc, an OCI runtime, is run directly.
    Runc,
    /// No engine: crun, an OCI runtime, is run directly.
    Crun,
}

impl EngineKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Auto, Self::Docker, Self::Podman, Self::Runc, Self::Crun];

    /// Its name in pipeline.yaml.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Runc => "runc",
            Self::Crun => "crun",
        }
    }

    /// True if there is no engine between agentmill and the OCI runtime.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        matches!(self, Self::Runc | Self::Crun)
    }

    /// The fields of `sandbox` that are given, `runtime` or `launch`, and do not go with it; why.
    pub fn refuses(self, runtime: bool, launch: bool) -> impl Iterator<Item = (&'static str, String)> {
        let fields = [("runtime", runtime), ("launch", launch)].into_iter();
        let given = fields.filter(move |(_, given)| *given && self.is_direct());
        given.map(move |(name, _)| {
            (name, format!("takes engine docker or podman; {} is run directly", self.word()))
        })
    }
}

/// Lifetime of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CellPer {
    /// One cell serves all runs of an agent, each in a fresh process.
    Agent,
    /// Every run gets a cell of its own.
    Task,
}

/// Bounds of one run.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Limits {
    /// Agent time per run, by the host's clock: it runs while it is the agent's turn.
    pub timeout: Duration,
    /// Memory of the cell in bytes, swap off.
    pub memory: u64,
    /// CPUs the cell may use; fractions allowed.
    pub cpus: f64,
    /// Processes and threads in the cell.
    pub pids: u32,
    /// Bytes a run may print on stdout and stderr together.
    pub output: u64,
    /// Size of the cell's writable /tmp in bytes (counts as memory).
    pub tmp: u64,
    /// Files and folders of a task's in /tmp, beside those that an agent may make there.
    pub entries: u32,
    /// Bytes that a value may have as JSON, an argument or an answer; the same in all stages.
    pub value: u64,
}

/// A set of tasks with a pass mark.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Unique among the stages.
    pub name: String,
    /// Patterns of the task ids that belong to it.
    pub tasks: GlobSet,
    /// Runs of each agent on each of these tasks, and the score that they come to.
    pub sampling: Sampling,
    /// Score 0-100 needed to go on to the next stage and to earn rewards.
    pub pass_mark: f64,
    /// An agent is run no further in it once it can't reach the pass mark any more.
    pub stop_early: bool,
    /// Feedback on the hidden tests of its tasks.
    pub feedback: Feedback,
    /// The pipeline's limits with this stage's overrides applied.
    pub limits: Limits,
    /// Budget for questions to a model; None: its agents may ask nobody.
    pub model: Option<Grant>,
}

/// The `rewards` section.
#[derive(Debug, Clone, PartialEq)]
pub struct Rewards {
    /// Amount that is shared out, in tokens; 0 to 1e15.
    pub pool: f64,
    /// The token's name, such as `TAO`.
    pub token: String,
    /// Rule by which the pool is shared.
    pub split: Split,
    /// Agents that are paid the same.
    pub ties: Ties,
    /// The most that one miner earns, in tokens.
    pub cap: Option<f64>,
    /// Score below which nothing is earned.
    pub minimum: f64,
    /// The part of the pool that goes to those who beat the best score so far.
    pub improvement: Option<Improvement>,
    /// Percent of the rest of the pool by stage, for those who passed it; None: all of it goes by the ranking.
    pub per_stage: Option<Vec<(String, f64)>>,
}

impl Rewards {
    /// Tells whether rewards depend on what was submitted before.
    pub fn pay_improvements(&self) -> bool {
        self.improvement.is_some()
    }
}

/// The rule by which those are paid who beat the best score so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Improvement {
    /// Percent of the pool that 100 points are worth.
    pub percent: f64,
    /// Hundredths of a point by which the best must be beaten.
    pub margin: u128,
    /// Days after which an improvement is worth half.
    pub half_life: u64,
}

/// Agents that are paid the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ties {
    /// Those of equal scores.
    Exact,
    /// Those whose order may be chance, too.
    Statistical,
    /// Those of equal scores whose questions to models cost the same; of the others, the cheaper one is before.
    Cost,
}

/// Rules by which the pool is shared.
#[derive(Debug, Clone, PartialEq)]
pub enum Split {
    /// By score.
    Proportional,
    /// All to the best; ties share.
    Winner,
    /// Percent of the pool for ranks 1, 2, 3...; ties share the places they hold.
    Places(Vec<f64>),
}

/// The `llm` section.
#[derive(Debug, Clone, PartialEq)]
pub struct Llm {
    /// Reads the prompt on stdin and prints the reply; empty: the endpoint is asked.
    pub command: Vec<String>,
    /// An OpenAI-compatible endpoint, without a slash at its end.
    pub base_url: String,
    /// The model's name at the endpoint; needed to generate.
    pub model: Option<String>,
    /// The environment variable that holds the key; None: the endpoint takes no key.
    pub api_key_env: Option<String>,
    /// Longest time for one reply.
    pub timeout: Duration,
    /// Longest reply in tokens; None: as the endpoint likes.
    pub max_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2; None: as the endpoint likes.
    pub temperature: Option<f64>,
    /// Version of Azure's API, sent as `?api-version=`; the key then goes into a header of Azure's.
    pub api_version: Option<String>,
    /// More headers of each request; none of them is one of ours.
    pub headers: Vec<(String, String)>,
    /// More fields of each request's body.
    pub body: serde_json::Map<String, serde_json::Value>,
    /// Prices by model, where the endpoint doesn't tell the cost.
    pub prices: BTreeMap<String, Price>,
}

/// Prices of a million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Of prompts.
    pub prompt: f64,
    /// Of replies.
    pub reply: f64,
}

/// The `serve` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// The file of hashed tokens.
    pub tokens: PathBuf,
    /// Uploads accepted from one miner in a minute.
    pub uploads_per_minute: u32,
    /// Requests of every kind accepted from one address in a minute.
    pub requests_per_minute: u32,
    /// Time for a client to send its request's head, and again for its body.
    pub timeout: Duration,
}
