//! The image: present -> used; else pulled; else built from Debian's packages.

use crate::sandbox::Fault;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::cli::errand::{Errands, Unfinished};
use crate::sandbox::engine::cli::supply;
use crate::sandbox::engine::way::Way;
use crate::ui::Events;

/// The id of the image `name`, after getting it if it is not there.
///
/// # Errors
/// The engine can't be reached, or there is no such image and no way to get it; or `errands` were stopped.
pub fn ensure(engine: &Engine, name: &str, events: &Events, errands: &Errands) -> Result<String, Fault> {
    match engine.way()? {
        Way::Direct(runtime) => runtime.images().ensure(name, events, errands).map_err(fault),
        Way::Socket(_) | Way::Client(_) => of_engine(engine, name, events, errands),
    }
}

fn of_engine(engine: &Engine, name: &str, events: &Events, errands: &Errands) -> Result<String, Fault> {
    if let Some(id) = engine.image_id(name)? {
        return Ok(id);
    }
    let reason = match supply::pull(engine.program(), name, events, errands) {
        Ok(()) => match engine.image_id(name)? {
            Some(id) => return Ok(id),
            None => String::new(),
        },
        Err(Unfinished::Failed(reason)) => format!("{} pull: {reason}", engine.program()),
        Err(Unfinished::Stopped) => return Err(Fault::Stopped),
    };
    supply::build((engine.program(), name), name, &reason, events, errands).map_err(fault)?;
    engine.image_id(name)?.ok_or_else(|| Fault::Engine(format!("image {name} was built but is not there")))
}

fn fault(unfinished: Unfinished) -> Fault {
    match unfinished {
        Unfinished::Stopped => Fault::Stopped,
        Unfinished::Failed(why) => Fault::Engine(why),
    }
}
