//! The engine that the environment names where pipeline.yaml leaves it open.

use std::path::Path;

use crate::config::{EngineKind, Pipeline};
use crate::yaml::{Problem, Problems};

/// The variable, in the words of pipeline.yaml.
const VARIABLE: &str = "AGENTMILL_ENGINE";

/// The pipeline of `file` with the engine that the environment names, if it leaves it open.
pub(super) fn complete(file: &Path, pipeline: Pipeline) -> Result<Pipeline, Problems> {
    let named = std::env::var_os(VARIABLE).unwrap_or_default();
    choose(file, pipeline, &named.to_string_lossy())
}

/// The engine that the environment names alone.
pub(super) fn engine() -> Result<EngineKind, Problems> {
    let named = std::env::var_os(VARIABLE).unwrap_or_default();
    if named.is_empty() { Ok(EngineKind::Auto) } else { kind(&named.to_string_lossy()) }
}

/// The engine of this name.
fn kind(named: &str) -> Result<EngineKind, Problems> {
    EngineKind::ALL.into_iter().find(|it| it.word() == named).ok_or_else(|| {
        let words = EngineKind::ALL.map(EngineKind::word).join(", ");
        let message = format!("expected one of {words}, found {named:?}");
        Problems(vec![problem(Path::new(VARIABLE), "", message)])
    })
}

fn problem(file: &Path, field: &str, message: String) -> Problem {
    let (file, field) = (file.to_owned(), field.to_owned());
    Problem { file, line: 0, column: 0, field, message }
}

fn choose(file: &Path, mut pipeline: Pipeline, named: &str) -> Result<Pipeline, Problems> {
    let sandbox = &mut pipeline.sandbox;
    if sandbox.engine != EngineKind::Auto || named.is_empty() {
        return Ok(pipeline);
    }
    let engine = kind(named)?;
    sandbox.engine = engine;
    let refused = engine.refuses(sandbox.runtime.is_some(), !sandbox.launch.is_empty());
    let problems = refused.map(|(field, why)| {
        problem(file, &format!("sandbox.{field}"), format!("{why}, which {VARIABLE} names"))
    });
    Problems::check(problems.collect()).map(|()| pipeline)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str, named: &str) -> Result<EngineKind, String> {
        let file = Path::new("p.yaml");
        let pipeline = crate::config::parse(file, text.as_bytes()).unwrap();
        let chosen = choose(file, pipeline, named).map_err(|problems| problems.to_string());
        chosen.map(|pipeline| pipeline.sandbox.engine)
    }

    #[test]
    fn it_names_the_engine_that_auto_is() {
        assert_eq!(chosen("", ""), Ok(EngineKind::Auto));
        assert_eq!(chosen("", "runc"), Ok(EngineKind::Runc));
        assert_eq!(chosen("sandbox: {engine: docker}", "runc"), Ok(EngineKind::Docker));
        assert_eq!(chosen("sandbox: {runtime: runsc}", "podman"), Ok(EngineKind::Podman));
    }

    #[test]
    fn an_unknown_word_is_an_error_that_names_the_choices() {
        let error = "AGENTMILL_ENGINE: expected one of auto, docker, podman, runc, crun, found \"dokcer\"";
        assert_eq!(chosen("", "dokcer"), Err(error.to_owned()));
    }

    #[test]
    fn no_runtime_and_no_launcher_go_with_a_runtime_that_is_run_directly() {
        let error = "p.yaml: sandbox.runtime: takes engine docker or podman; crun is run directly, which AGENTMILL_ENGINE names";
        assert_eq!(chosen("sandbox: {runtime: runsc}", "crun"), Err(error.to_owned()));
        assert!(
            chosen("sandbox: {launch: [srun]}", "runc").unwrap_err().starts_with("p.yaml: sandbox.launch: ")
        );
    }
}
