//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::import::Benchmark;
use crate::pipeline::intake::Miner;

/// Evaluates code-writing agents in containers: files in, rankings out.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// The folder that holds pipeline.yaml
    #[arg(short = 'C', long = "dir", global = true, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,

    /// Print nothing but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 done, but something could not be scored or taken; \
2 bad configuration or usage; 75 another agentmill works in this folder; 130, 143 stopped by a signal.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Evaluate what is new in the inbox, once
    Run {
        /// Evaluate everything again, whether or not it changed
        #[arg(long)]
        force: bool,
        /// Print what it came to as JSON instead of the ranking
        #[arg(long)]
        json: bool,
    },
    /// Evaluate whatever is dropped into the inbox, until stopped
    Watch {
        /// Open the HTTP doors, too
        #[arg(long)]
        serve: bool,
        /// Where to listen instead of serve.listen
        #[arg(long, value_name = "ADDRESS:PORT", requires = "serve")]
        listen: Option<SocketAddr>,
    },
    /// Open the HTTP doors: uploads into the inbox, tasks and rankings
    Serve {
        /// Where to listen instead of serve.listen
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<SocketAddr>,
    },
    /// Have a model write an agent and hand it in
    Generate(Generate),
    /// Hand in an agent, here or at a platform
    Submit(Submit),
    /// Manage who may hand in over HTTP
    Token {
        /// What to do
        #[command(subcommand)]
        what: Token,
    },
    /// Check the configuration, tasks, machine, engine, image and reference solutions; or one agent file
    Check {
        /// An agent to check as the pipeline would, without evaluating it
        agent: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Evaluate sample agents in a folder of their own
    Demo {
        /// Where; a new temporary folder when not given
        #[arg(id = "demo-dir", value_name = "DIR")]
        // an id of its own, or it would be taken for -C's
        dir: Option<PathBuf>,
    },
    /// Write a pipeline.yaml, an example task and the folders
    Init {
        /// Where; the folder of -C when not given
        #[arg(id = "init-dir", value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Make tasks of a published benchmark, with their tests and reference solutions
    Import {
        /// Which
        benchmark: Benchmark,
        /// Its file, as published; may be gzipped
        file: PathBuf,
        /// Replace tasks that are there
        #[arg(long)]
        force: bool,
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
    /// Print a shell's completion script
    Completions {
        /// Which
        shell: Shell,
    },
    /// Print the manual's first page, or write all pages into a folder
    Man {
        /// Where
        folder: Option<PathBuf>,
    },
}

/// What of the results is to be printed.
#[derive(Debug, Args)]
pub struct Shown {
    /// Whose report; the ranking when not given
    pub miner: Option<String>,
    /// Only the run on this task
    pub task: Option<String>,
    /// Everybody's run on this task
    #[arg(long = "task", value_name = "TASK", conflicts_with = "miner")]
    pub all_on: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What to generate, and where to.
#[derive(Debug, Args)]
pub struct Generate {
    /// The tasks' ids; agentmill tasks lists them
    #[arg(value_name = "TASK")]
    pub tasks: Vec<String>,
    /// One agent for every task
    #[arg(long, conflicts_with = "tasks")]
    pub all: bool,
    /// Whose agent it is; it goes into the inbox unless --out says otherwise
    #[arg(long)]
    pub miner: Option<Miner>,
    /// The file to write instead
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Evaluate it on the public tests, in a cell, before it is handed in
    #[arg(long = "try")]
    pub tried: bool,
}

/// What to hand in, and where.
#[derive(Debug, Args)]
pub struct Submit {
    /// The agent
    pub file: PathBuf,
    /// Whose it is
    #[arg(long)]
    pub miner: Miner,
    /// A platform's URL; its token is taken from AGENTMILL_TOKEN. Without it, the inbox of the folder
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Wait for the verdict and print it
    #[arg(long)]
    pub wait: bool,
    /// How long to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "wait")]
    pub patience: u64,
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token for a miner and print it; only a hash of it is kept
    Add {
        /// Whose
        miner: Miner,
    },
    /// Remove every token of a miner
    Remove {
        /// Whose
        miner: Miner,
    },
    /// List who has tokens, and since when
    List,
}

/// What the shell is told. README.md documents these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Done, but something could not be scored, by our fault or the engine's, or not taken.
    Unscored,
    /// The configuration, a task or the command line is wrong.
    Usage,
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
            Exit::Locked => 75,
            Exit::Signal(number) => u8::try_from(128 + number).unwrap_or(1),
        })
    }
}
