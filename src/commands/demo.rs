//! `demo`: sample agents, good and bad, evaluated for real in a folder of their own.

use std::path::Path;

use crate::cli::Exit;
use crate::commands::{init, run};
use crate::pipeline::scope::Scope;
use crate::term;
use crate::ui::Talk;
use crate::workspace::Workspace;

/// Lists the files of `src/demo/`.
macro_rules! files {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../demo/", $name)))),*]
    };
}

const FILES: &[(&str, &str)] = &files! {
    "pipeline.yaml"
    "inbox/alice.py"
    "inbox/bob/agent.py"
    "inbox/carol.py"
    "inbox/dave.py"
    "inbox/erin.py"
    "inbox/frank.py"
    "tasks/merge_intervals.yaml"
    "tasks/parse_duration.yaml"
    "tasks/reverse_string.yaml"
    "tasks/times_table.yaml"
    "tasks/solutions/merge_intervals.py"
    "tasks/solutions/parse_duration.py"
    "tasks/solutions/reverse_string.py"
    "tasks/solutions/times_table.py"
};

/// Writes the samples to `dir`, or to a new temporary folder, and runs the pipeline on them.
///
/// # Errors
/// As of `run`; or the folder can't be written.
pub fn demo(dir: Option<&Path>, quiet: bool) -> anyhow::Result<Exit> {
    let dir = match dir {
        Some(dir) => dir.to_owned(),
        None => tempfile::Builder::new().prefix("agentmill-demo-").tempdir()?.keep(),
    };
    for (name, text) in FILES {
        init::write_new(&dir.join(name), text)?;
    }
    // One of the samples is meant to be refused.
    let workspace = Workspace::open(&dir)?;
    let (_, exit) =
        run::evaluate(&workspace, &Scope::default(), run::Again::Nothing, Talk::of(quiet, false))?;
    if !quiet {
        let (page, table) = (dir.join("results/index.html"), dir.join("results/rankings.csv"));
        term::print(&format!("look at {} and {}\n", page.display(), table.display()))?;
    }
    Ok(exit)
}
