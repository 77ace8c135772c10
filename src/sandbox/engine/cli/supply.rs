//! Supply of images: pulled by an engine's client, or built from Debian's packages.

use std::time::Duration;

use parking_lot::Mutex;

use crate::model::python::BaseImage;
use crate::sandbox::engine::cli::errand::{Errands, Unfinished};
use crate::ui::{Event, Events};
use crate::util::command::ask;

/// Builds a root filesystem with Python and imports it; says at its top how.
const BUILD: &str = include_str!("../build_image.sh");

/// How long a pull may take.
pub const PULL: Duration = Duration::from_secs(900);
/// How long a build of the image may take.
pub const BUILT: Duration = Duration::from_secs(3600);

/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The id of an image if the engine of this program has it.
///
/// # Errors
/// The engine can't be reached.
pub fn find(program: &str, name: &str) -> Result<Option<String>, String> {
    let listed = ask(program, &["images", "--quiet", "--no-trunc", name], PATIENCE)?;
    Ok(listed.lines().next().map(str::to_owned))
}

/// Pulls an image; all that the engine's client says is the reason where it fails.
///
/// # Errors
/// As of [`Errands::run`].
pub fn pull(program: &str, name: &str, events: &Events, errands: &Errands) -> Result<(), Unfinished> {
    events.send(Event::Image(format!("pulling {name}")));
    let said = Mutex::new(Vec::new());
    let pulled = errands.run(&[program, "pull", "--quiet", name], PULL, |line| {
        said.lock().push(line.to_owned());
    });
    let said = said.lock().join("\n");
    pulled.map_err(|unfinished| match unfinished {
        Unfinished::Failed(_) if !said.is_empty() => Unfinished::Failed(said),
        other => other,
    })
}

/// Builds the image `name`, which can't be had for the reason `why`: into an engine, by its program and the image's name as `place`;
/// or, by the word `folder`, its files into the folder `place`. Passes the progress on.
///
/// # Errors
/// It is none that can be built, or as of [`Errands::run`]; the text tells of both.
pub fn build(
    (into, place): (&str, &str),
    name: &str,
    why: &str,
    events: &Events,
    errands: &Errands,
) -> Result<(), Unfinished> {
    let Some(base) = BaseImage::of(name) else {
        let buildable = BaseImage::names();
        return Err(Unfinished::Failed(format!(
            "image {name} is not present and can't be pulled ({why}); of Debian packages only {buildable} can be built"
        )));
    };
    events.send(Event::Image(format!("{name} can't be pulled; building it from Debian packages")));
    let argv = ["sh", "-c", BUILD, "build_image.sh", into, place, base.python, base.debian];
    let built = errands.run(&argv, BUILT, |line| events.send(Event::Image(line.to_owned())));
    built.map_err(|unfinished| match unfinished {
        Unfinished::Failed(error) => {
            Unfinished::Failed(format!("image {name} can't be pulled ({why}), nor built: {error}"))
        }
        Unfinished::Stopped => Unfinished::Stopped,
    })
}
