//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::import::Benchmark;

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
    Watch,
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
