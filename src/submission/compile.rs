//! Compiling before a submission is taken: Python looks at its source in a cell of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::config::Pipeline;
use crate::pipeline::image_memory::KnownImage;
use crate::pipeline::validate::{self, Finding};
use crate::sandbox::run::ContainerSandbox;
use crate::sandbox::{Opened, Refusal, Sandbox};
use crate::submission::refused::Refused;
use crate::ui::Events;

/// Python for sources that are submitted. The engine is first asked for anything when there is a source.
#[derive(Debug, Default)]
pub struct Compiler(Mutex<Option<Arc<ContainerSandbox>>>);

impl Compiler {
    /// Has Python compile a checked source, by the pipeline that this compiler was first used with. Where there is no
    /// engine with the image, none that answers, or one that is on other machines, nothing is refused: the pass that evaluates
    /// the source will see.
    ///
    /// # Errors
    /// Python refuses it, with the line and the reason as in `rejected.csv`.
    pub fn check(&self, source: &[u8], pipeline: &Pipeline) -> Result<(), Refused> {
        let Some(containers) = self.containers(pipeline) else { return Ok(()) };
        match containers.open(source.to_vec(), &pipeline.sandbox.limits) {
            Ok(Opened::Refused(refusal)) => Err(Refused::Source(does_not_compile(&refusal, pipeline))),
            Ok(Opened::Ready(_)) | Err(_) => Ok(()),
        }
    }

    fn containers(&self, pipeline: &Pipeline) -> Option<Arc<ContainerSandbox>> {
        let mut held = self.0.lock();
        if held.is_none() {
            *held = containers(pipeline).map(Arc::new);
        }
        held.clone()
    }
}

fn does_not_compile(refusal: &Refusal, pipeline: &Pipeline) -> Finding {
    let library = KnownImage::read(&pipeline.results).library;
    validate::does_not_compile(&library.python, refusal.line, &refusal.message)
}

/// A sandbox that is in nobody's way and waits for no engine; None if the image is not there, or cells are launched on other
/// machines: no upload waits in a cluster's queue.
fn containers(pipeline: &Pipeline) -> Option<ContainerSandbox> {
    if !pipeline.sandbox.launch.is_empty() {
        return None;
    }
    let mut sandbox = pipeline.sandbox.clone();
    sandbox.wait_for_engine = Duration::ZERO;
    let containers =
        ContainerSandbox::new(&sandbox, 1, &place_of_its_own(&pipeline.results), Events::channel().0);
    let there = matches!(containers.engine().image_id(&sandbox.image), Ok(Some(_)));
    there.then_some(containers)
}

/// A results folder that no other agentmill names, and that is never made: containers are told apart by it.
fn place_of_its_own(results: &Path) -> std::path::PathBuf {
    let now = jiff::Timestamp::now().as_nanosecond();
    results.join(format!(".compile-{}-{now}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_launched_for_an_upload() {
        let folder = tempfile::tempdir().unwrap();
        let started = folder.path().join("started");
        let launch = format!("sandbox: {{launch: [sh, -c, 'touch {}; false']}}", started.display());
        let mut pipeline = crate::config::parse(Path::new("p"), launch.as_bytes()).unwrap();
        pipeline.results = folder.path().join("results");
        assert!(Compiler::default().check(b"x = 1\n", &pipeline).is_ok());
        assert!(!started.exists());
    }
}
