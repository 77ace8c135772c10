//! The image: present -> used; else pulled; else built from Debian's packages.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use duct::cmd;

use super::Fault;
use super::engine::Engine;
use crate::ui::{Event, Events};

/// Builds a root filesystem with Python 3.11 and imports it; says at its top how.
const BUILD: &str = include_str!("build_image.sh");

/// How long a pull may take.
const PULL: Duration = Duration::from_secs(900);

/// The image that [`BUILD`] can stand in for.
const BUILDABLE: &str = "python:3.11-slim";

/// The id of the image `name`, after getting it if it is not there.
///
/// # Errors
/// The engine can't be reached, or there is no such image and no way to get it.
pub fn ensure(engine: &Engine, name: &str, events: &Events) -> Result<String, Fault> {
    if let Some(id) = engine.image_id(name)? {
        return Ok(id);
    }
    events.send(Event::Image(format!("pulling {name}")));
    let pulled = engine.ask_patiently(&["pull", "--quiet", name], PULL);
    if let (Ok(_), Some(id)) = (&pulled, engine.image_id(name)?) {
        return Ok(id);
    }
    let reason = pulled.err().map(|fault| fault.to_string()).unwrap_or_default();
    if !name.ends_with(BUILDABLE) {
        return Err(Fault::Engine(format!("image {name} is not present and can't be pulled ({reason})")));
    }
    events.send(Event::Image(format!("{name} can't be pulled; building it from Debian packages")));
    build(engine, name, events).map_err(|error| {
        Fault::Engine(format!("image {name} can't be pulled ({reason}), nor built: {error}"))
    })?;
    engine.image_id(name)?.ok_or_else(|| Fault::Engine(format!("image {name} was built but is not there")))
}

/// Passes the script's progress on; its last line says why it failed.
fn build(engine: &Engine, name: &str, events: &Events) -> Result<(), String> {
    let script = cmd!("sh", "-c", BUILD, "build_image.sh", engine.program(), name);
    let output = script.stdin_null().stderr_to_stdout().reader().map_err(|error| error.to_string())?;
    let mut last = String::new();
    for line in BufReader::new(output).lines() {
        match line {
            Ok(line) => {
                events.send(Event::Image(line.clone()));
                last = line;
            }
            Err(_) => return Err(last),
        }
    }
    Ok(())
}
