//! The command line: commands, options and exit codes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::export::Format;
use crate::import::Kind;
use crate::model::miner_id::Miner;
use crate::sandbox::grader_version;

/// Grade Python files in containers: files in, rankings out
#[derive(Debug, Parser)]
#[command(version, long_version = facts(), propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// Folder that holds pipeline.yaml
    #[arg(short = 'C', long = "dir", global = true, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,

    /// Print nothing but errors and requested output
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// The command to run
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 done, but something could not be scored or taken; \
2 bad configuration or usage; 3 verified in part; 69 no engine or no image; 74 the results or the output can't be written; \
75 another agentmill works in this folder; 130, 143 stopped by a signal.";

/// Facts about the build, behind the version: none of them depends on an engine.
fn facts() -> &'static str {
    use std::env::consts::{ARCH, OS};
    use std::sync::LazyLock;
    static FACTS: LazyLock<String> = LazyLock::new(|| {
        let commit =
            option_env!("AGENTMILL_COMMIT").unwrap_or("not told (AGENTMILL_COMMIT, when it was built)");
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        format!(
            "{}\ncommit: {commit}\nbuild: {build}, for {ARCH} {OS}\ngrader: {}",
            env!("CARGO_PKG_VERSION"),
            &grader_version()[..16]
        )
    });
    &FACTS
}

/// A command and its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Evaluate new and changed submissions, once
    Run(Run),
    /// Evaluate what a change of tasks, limits, rules or image would do, beside the results, and print whose rank and score
    /// change
    Preview {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take the change that was previewed: nothing that the preview has evaluated is evaluated again
    Accept,
    /// End the freeze of the board now, for good: everybody sees what is published
    Reveal,
    /// Evaluate submissions as they come into the inbox, until stopped
    Watch {
        /// Serve the HTTP API, too
        #[arg(long)]
        serve: bool,
        /// Address to listen on instead of serve.listen
        #[arg(long, value_name = "ADDRESS:PORT", requires = "serve", value_parser = address)]
        listen: Option<SocketAddr>,
    },
    /// Serve the HTTP API: uploads into the inbox, tasks and rankings
    Serve {
        /// Address to listen on instead of serve.listen
        #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
        listen: Option<SocketAddr>,
    },
    /// Have a model write an agent, and submit it
    Generate(Generate),
    /// Have models write code for every task, several times, and rank them by what it scores
    BenchModel(BenchModel),
    /// Submit an agent, here or to a platform
    Submit(Submit),
    /// Manage the tokens of miners who may submit over HTTP, and of the organiser
    Token {
        /// The change
        #[command(subcommand)]
        what: Token,
    },
    /// Build images for agents
    Image {
        /// The work
        #[command(subcommand)]
        what: Image,
    },
    /// Check the configuration, tasks, machine, engine, image and reference solutions; or one agent file
    Check {
        /// Ids, patterns or files of the tasks to check, all when not given; or an agent's file, NAME.py, or its folder,
        /// FOLDER/, to be checked as a submission but not evaluated
        #[arg(value_name = "TASK|AGENT")]
        what: Vec<String>,
        /// Try solutions with a small mistake in them, and tell of those that pass all tests
        #[arg(long)]
        mutants: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Evaluate sample agents in a folder of their own
    Demo {
        /// The folder; a new temporary one when not given
        #[arg(id = "demo-dir", value_name = "DIR")]
        // an id of its own, or it would be taken for -C's
        dir: Option<PathBuf>,
    },
    /// Write a pipeline.yaml, an example task and the folders
    Init {
        /// The folder; that of -C when not given
        #[arg(id = "init-dir", value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Make tasks of a published benchmark, with their tests and reference solutions
    Import {
        /// The kind of what is imported
        kind: Kind,
        /// The benchmark's files as published, which may be gzipped, or files of samples, one for each model
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Replace tasks that are there
        #[arg(long)]
        force: bool,
    },
    /// Write the results in a format of others: gradescope, junit, csv-long, gradebook or kaggle
    Export {
        /// The format
        format: Format,
        /// The folder for its files, made if need be; stdout when not given
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// Print the ranking, an agent's report, one of its runs, or everybody's run on a task
    Show(Shown),
    /// List the tasks, or print one
    Tasks {
        /// A task's id
        id: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Pack results with all that they rest on into one signed file, for others to check
    Bundle(Bundle),
    /// Check a bundle: signature, every byte, and each verdict, by judging the recorded answers anew
    Verify(Verify),
    /// Print a JSON Schema, by which editors complete and check pipeline.yaml or tasks
    Schema {
        /// The file
        what: SchemaOf,
    },
    /// Print a shell's completion script
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual's first page, or write all pages into a folder
    Man {
        /// The folder for all pages
        folder: Option<PathBuf>,
    },
}

/// The runs to be made, of all that could be.
#[derive(Debug, Args)]
pub struct Run {
    /// Evaluate everything again, changed or not
    #[arg(long)]
    pub force: bool,
    /// The same, and ask models again instead of repeating what they said
    #[arg(long)]
    pub fresh: bool,
    /// Evaluate only agents of miners that the pattern matches; all other results stay. May be repeated
    #[arg(long = "agent", value_name = "GLOB")]
    pub agents: Vec<String>,
    /// Make only runs on tasks that the pattern matches; all other results stay. May be repeated
    #[arg(long = "task", value_name = "GLOB")]
    pub tasks: Vec<String>,
    /// Print the runs that would be made, and why; evaluate nothing, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON: the results instead of the ranking, or the runs of --dry-run
    #[arg(long)]
    pub json: bool,
}

/// A file that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemaOf {
    /// pipeline.yaml
    Pipeline,
    /// tasks/*.yaml
    Task,
}

/// The part of the results to be printed.
#[derive(Debug, Args)]
pub struct Shown {
    /// The miner whose report is printed, by id or by the roster's name; the ranking when not given
    pub miner: Option<String>,
    /// Only the run on this task
    pub task: Option<String>,
    /// Everything that the miner submitted, oldest first
    #[arg(long, requires = "miner", conflicts_with = "task")]
    pub history: bool,
    /// Only as much as the miner itself sees: the answer of /agents/MINER to its token, as `submit --wait` prints it
    #[arg(long, requires = "miner", conflicts_with = "history")]
    pub as_miner: bool,
    /// Everybody's run on this task
    #[arg(long = "task", value_name = "TASK", conflicts_with = "miner")]
    pub all_on: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A bundle to write.
#[derive(Debug, Args)]
pub struct Bundle {
    /// The file to write; its signature goes beside it, as FILE.minisig
    #[arg(required_unless_present = "make_key")]
    pub file: Option<PathBuf>,
    /// The organiser's secret key, as minisign has it; a password is taken from AGENTMILL_KEY_PASSWORD
    #[arg(long, value_name = "KEY", required_unless_present = "make_key")]
    pub key: Option<PathBuf>,
    /// Pack only what everybody may see: no hidden test, no source, no answer
    #[arg(long)]
    pub public: bool,
    /// Make a secret key, and a public one beside it that ends in .pub
    #[arg(long, value_name = "KEY", conflicts_with_all = ["file", "key", "public"])]
    pub make_key: Option<PathBuf>,
}

/// A bundle to check.
#[derive(Debug, Args)]
pub struct Verify {
    /// The bundle; its signature lies beside it, as BUNDLE.minisig
    pub bundle: PathBuf,
    /// The organiser's public key: its file, or the key itself
    #[arg(long, value_name = "KEY")]
    pub key: String,
    /// Run so many agents again, too, drawn by chance
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub rerun: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Tasks to write an agent for, and the place that it goes to.
#[derive(Debug, Clone, Args)]
pub struct Generate {
    /// Ids or patterns of the tasks; agentmill tasks lists them
    #[arg(value_name = "TASK")]
    pub tasks: Vec<String>,
    /// One agent for every task
    #[arg(long, conflicts_with = "tasks")]
    pub all: bool,
    /// The agent's miner; it goes into the inbox unless --out says otherwise
    #[arg(long)]
    pub miner: Option<Miner>,
    /// The model's name at the endpoint instead of llm.model
    #[arg(long, value_name = "MODEL", value_parser = model_name)]
    pub model: Option<String>,
    /// The file to write instead
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Evaluate it on the public tests, in a cell, before it is submitted
    #[arg(long = "try")]
    pub tried: bool,
    /// How often the model may mend a draft; it is told what is wrong, with --try the public tests that fail
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=20))]
    pub repairs: u32,
    /// Start anew: drop what the miner, or the file of --out, has for other tasks
    #[arg(long)]
    pub replace: bool,
    /// Show every reply as it came; those that can't be used are shown anyway
    #[arg(long)]
    pub show_reply: bool,
}

/// Models to rank, and how often each is asked.
#[derive(Debug, Clone, Args)]
pub struct BenchModel {
    /// Ids or patterns of the tasks; every task in a stage when none is given
    #[arg(value_name = "TASK")]
    pub tasks: Vec<String>,
    /// A model's name at the endpoint instead of llm.model; may be repeated
    #[arg(long = "model", value_name = "MODEL", value_parser = model_name)]
    pub models: Vec<String>,
    /// A file of samples that a model has written elsewhere, which stands for a model of the file's name; may be repeated
    #[arg(long = "file", value_name = "SAMPLES.JSONL")]
    pub files: Vec<PathBuf>,
    /// Samples of each task; when not given, as many as the files have, else 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub samples: Option<u32>,
    /// The k of pass@k; when not given, as many as samples, of the task with the fewest in a file
    #[arg(long, value_name = "K", value_parser = best_of)]
    pub k: Option<u32>,
    /// Requests to a model at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub requests: u16,
    /// Ask no more once the replies of this command have cost so many dollars
    #[arg(long, value_name = "DOLLARS", value_parser = dollars, allow_negative_numbers = true)]
    pub max_cost: Option<f64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| match text.strip_prefix("localhost:") {
        Some(port) => format!("expected an address and a port, for localhost 127.0.0.1:{port}"),
        None => "expected an address and a port such as 127.0.0.1:8000".to_owned(),
    })
}

fn best_of(text: &str) -> Result<u32, String> {
    let number = text.parse::<u32>().ok().filter(|number| (1..=10_000).contains(number));
    number.ok_or_else(|| {
        "expected one number from 1 to 10000; pass@1 is told beside the pass@k of any other k".to_owned()
    })
}

fn dollars(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "expected dollars above 0, such as 2.50".to_owned())
}

fn model_name(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("the name is empty; say which model".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// An agent to submit, and the place that it goes to.
#[derive(Debug, Args)]
pub struct Submit {
    /// The agent's file, or the folder of its files
    pub file: PathBuf,
    /// The agent's miner
    #[arg(long)]
    pub miner: Miner,
    /// A platform's URL; its token is taken from AGENTMILL_TOKEN. Without it, the inbox of the folder
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Wait for the verdict and print it
    #[arg(long)]
    pub wait: bool,
    /// Longest wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "wait")]
    pub patience: u64,
}

/// Changes of the token file.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token and print it; only a hash of it is kept
    Add(Whose),
    /// Remove every token of a miner, or of the organiser
    Remove(Whose),
    /// List who has tokens, and since when
    List,
}

/// Work on images.
#[derive(Debug, Subcommand)]
pub enum Image {
    /// Put packages on an image, and print its name for `sandbox.image`. One that is there is not built again
    Build(BuildImage),
}

/// An image to build.
#[derive(Debug, Args)]
pub struct BuildImage {
    /// pip's requirements.txt
    #[arg(value_name = "FILE")]
    pub requirements: PathBuf,
    /// The image to build on; when not given, that of pipeline.yaml
    #[arg(long, value_name = "IMAGE")]
    pub base: Option<String>,
}

/// Bearer of a token.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Whose {
    /// The miner's id
    pub miner: Option<Miner>,
    /// The organiser's, which sees everybody's scores and the metrics, and submits for nobody
    #[arg(long)]
    pub organiser: bool,
}

/// Exit codes, as docs/commands.md documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Done, but something could not be scored, by our fault or the engine's, or not taken.
    Unscored,
    /// The configuration, a task or the command line is wrong.
    Usage,
    /// Verified as far as answers were kept: what could be checked holds, and not everything could.
    Partly,
    /// There is no engine, or no image and no way to get one.
    NoEngine,
    /// The results, or what is printed, can't be written.
    Unwritable,
    /// Another agentmill works in this folder.
    Locked,
    /// Stopped by a signal, of this number.
    Signal(i32),
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Unscored => 1,
            Exit::Usage => 2,
            Exit::Partly => 3,
            Exit::NoEngine => 69,
            Exit::Unwritable => 74,
            Exit::Locked => 75,
            Exit::Signal(number) => u8::try_from(128 + number).unwrap_or(1),
        })
    }
}
