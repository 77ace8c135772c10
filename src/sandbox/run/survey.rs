//! Survey of an image: a container of it tells its modules, once; a file of the user's cache, by the image's id, then knows them.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::config::Judge;
use crate::model::python::Library;
use crate::sandbox::Fault;
use crate::sandbox::channel::Received;
use crate::sandbox::containers::launcher::Launcher;
use crate::sandbox::engine::{ImageOf, Role};
use crate::sandbox::guest;
use crate::sandbox::guest::frames::FromSurvey;
use crate::util::{atomic_file, digest, user_cache};

/// How long it may take once the container is ready. On a starved machine a minute is patience.
const PATIENCE: Duration = Duration::from_secs(180);

/// The modules of an image.
///
/// # Errors
/// There is no image, or its Python does not tell.
pub fn library(launcher: &Launcher, bounds: &Judge, of: ImageOf) -> Result<Library, Fault> {
    let file = place(&launcher.image_for(of)?);
    if let Some(known) = file.as_ref().and_then(|file| read(&fs::read(file).ok()?)) {
        return Ok(known);
    }
    let mut container = launcher.start(Role::Survey(bounds, of), &guest::SURVEY)?;
    let told = container.channel.receive(Instant::now() + PATIENCE);
    let library = match &told {
        Received::Frame(frame) if frame.kind == u8::from(FromSurvey::Modules) => read(&frame.payload),
        _ => None,
    };
    let library = library.ok_or_else(|| {
        Fault::Engine(format!(
            "the Python of the image does not tell its modules: {}",
            container.last_words()
        ))
    });
    launcher.end(container);
    let library = library?;
    if let Some(file) = file {
        // Where it can't be kept it is asked for again.
        let _ = file.parent().map(fs::create_dir_all);
        let _ = atomic_file::replace(&file, &serde_json::to_vec(&library).unwrap_or_default());
    }
    Ok(library)
}

/// Text of the image's Python, which no agent was near; its version gets into messages all the same.
fn read(bytes: &[u8]) -> Option<Library> {
    let library: Library = serde_json::from_slice(bytes).ok()?;
    let is_version =
        |text: &str| text.len() < 10 && text.chars().all(|sign| sign.is_ascii_digit() || sign == '.');
    Some(library).filter(|library| is_version(&library.python) && !library.standard.is_empty())
}

/// The file for an image, as this program lists it; None if there is no folder for caches.
fn place(image: &str) -> Option<PathBuf> {
    let name = digest::hex([image.as_bytes(), guest::SURVEY.as_bytes()]);
    Some(user_cache::folder("images")?.join(format!("{name}.json")))
}
