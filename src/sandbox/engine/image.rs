//! The image: present -> used; else pulled; else built from Debian's packages.

use crate::sandbox::Fault;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::backend::Backend;
use crate::sandbox::engine::cli::interruptible::{Interruptible, Unfinished};
use crate::sandbox::engine::cli::supply::{self, ENGINES, Packing};
use crate::ui::Events;

/// The id of the image `name`, after getting it if it is not there.
///
/// # Errors
/// The engine can't be reached, or there is no such image and no way to get it; or it was stopped.
pub fn ensure(
    engine: &Engine,
    name: &str,
    events: &Events,
    interruptible: &Interruptible,
) -> Result<String, Fault> {
    match engine.backend()? {
        Backend::Direct(runtime) => runtime.images().ensure(name, events, interruptible).map_err(fault),
        Backend::Socket(_) | Backend::Client(_) => of_engine(engine, name, events, interruptible),
    }
}

fn of_engine(
    engine: &Engine,
    name: &str,
    events: &Events,
    interruptible: &Interruptible,
) -> Result<String, Fault> {
    of_store(engine.program(), || engine.image_id(name), name, events, interruptible)
}

/// The id of an image, after getting it if `find` does not find it, into the store of an engine's program.
fn of_store(
    program: &str,
    find: impl Fn() -> Result<Option<String>, Fault>,
    name: &str,
    events: &Events,
    interruptible: &Interruptible,
) -> Result<String, Fault> {
    if let Some(id) = find()? {
        return Ok(id);
    }
    let reason = match supply::pull(program, name, events, interruptible) {
        Ok(()) => match find()? {
            Some(id) => return Ok(id),
            None => String::new(),
        },
        Err(Unfinished::Failed(reason)) => format!("{program} pull: {reason}"),
        Err(Unfinished::Stopped) => return Err(Fault::Stopped),
    };
    supply::build((program, name), name, &reason, events, interruptible).map_err(fault)?;
    find()?.ok_or_else(|| Fault::Engine(format!("image {name} was built but is not there")))
}

/// Sees to it that an image of packages is in the store of Docker or Podman, from which runtimes without an engine take it. Tells
/// whether it had to be built.
///
/// # Errors
/// There is no such engine, no base, or the packages are not to be had; or it was stopped.
pub fn pack(
    engine: &Engine,
    packing: &Packing,
    events: &Events,
    interruptible: &Interruptible,
) -> Result<bool, Fault> {
    let program = match engine.backend()? {
        Backend::Socket(_) | Backend::Client(_) => engine.program(),
        Backend::Direct(_) => {
            ENGINES.into_iter().find(|program| supply::find(program, "none").is_ok()).ok_or_else(|| {
                Fault::Engine("images are built by Docker or Podman, and neither answers".to_owned())
            })?
        }
    };
    let find = |name: &str| supply::find(program, name).map_err(Fault::Engine);
    if find(&packing.image.name())?.is_some() {
        return Ok(false);
    }
    let base = &packing.image.base;
    of_store(program, || find(base), base, events, interruptible)?;
    supply::pack(program, packing, events, interruptible).map_err(fault)?;
    Ok(true)
}

fn fault(unfinished: Unfinished) -> Fault {
    match unfinished {
        Unfinished::Stopped => Fault::Stopped,
        Unfinished::Failed(why) => Fault::Engine(why),
    }
}
