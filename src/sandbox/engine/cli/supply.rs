//! Supply of images: pulled by an engine's client, or built from Debian's packages.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::python::{BaseImage, PackedImage};
use crate::sandbox::engine::cli::interruptible::{Interruptible, Unfinished};
use crate::ui::{Event, Events};
use crate::util::command::ask;

/// Builds a root filesystem with Python and imports it; says at its top how.
const BUILD: &str = concat!(include_str!("../steps.sh"), include_str!("../build_image.sh"));

/// Puts packages on an image; says at its top how.
const PACK: &str = concat!(include_str!("../steps.sh"), include_str!("../pack_image.sh"));

/// How long a pull may take.
pub const PULL: Duration = Duration::from_secs(900);
/// How long a build of the image may take.
pub const BUILT: Duration = Duration::from_secs(3600);

/// Engines that may have an image.
pub const ENGINES: [&str; 2] = ["docker", "podman"];

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
/// As of [`Interruptible::run`].
pub fn pull(
    program: &str,
    name: &str,
    events: &Events,
    interruptible: &Interruptible,
) -> Result<(), Unfinished> {
    events.send(Event::Image(format!("pulling {name}")));
    let said = Mutex::new(Vec::new());
    let pulled = interruptible.run(&[program, "pull", "--quiet", name], PULL, |line| {
        said.lock().push(line.to_owned());
    });
    let said = said.lock().join("\n");
    pulled.map_err(|unfinished| match unfinished {
        Unfinished::Failed(_) if !said.is_empty() => Unfinished::Failed(said),
        other => other,
    })
}

/// Packages to put on an image.
#[derive(Debug, Clone)]
pub struct Packing {
    /// The image to be: it names the base, too.
    pub image: PackedImage,
    /// pip's file of requirements.
    pub requirements: PathBuf,
    /// The OCI runtime that Podman is to take; None for its own.
    pub runtime: Option<String>,
    /// The file to write versions and hashes into; None: the requirements have them.
    pub lock: Option<PathBuf>,
}

/// Builds an image of packages on a base that is there, by an engine's program. Passes the progress on.
///
/// # Errors
/// As of [`Interruptible::run`].
pub fn pack(
    program: &str,
    packing: &Packing,
    events: &Events,
    interruptible: &Interruptible,
) -> Result<(), Unfinished> {
    let Packing { image, requirements, lock, runtime } = packing;
    let told = |line: &str| events.send(Event::Image(line.to_owned()));
    let failed = |error: std::io::Error| Unfinished::Failed(error.to_string());
    let folder = tempfile::tempdir().map_err(failed)?;
    let pip = match BaseImage::of(&image.base).filter(|_| is_built(program, &image.base)) {
        Some(base) => pip_of(base, folder.path(), &told, interruptible)?,
        None => String::new(),
    };
    let path = |path: &Path| path.display().to_string();
    let lock = lock.as_deref().map(path).unwrap_or_default();
    let words = [
        program,
        &image.base,
        &image.name(),
        &path(requirements),
        &lock,
        &pip,
        runtime.as_deref().unwrap_or_default(),
    ];
    interruptible.run(&[&["sh", "-c", PACK, "pack_image.sh"][..], &words].concat(), BUILT, told)
}

/// Tells whether agentmill has built an image, of Debian's packages, which leaves pip out.
fn is_built(program: &str, image: &str) -> bool {
    let label = ["image", "inspect", "--format", "{{index .Config.Labels \"agentmill.image\"}}", image];
    ask(program, &label, PATIENCE).is_ok_and(|label| label.trim() == "built")
}

/// The wheel of pip that Debian has for a base, put into a folder.
fn pip_of(
    base: &BaseImage,
    folder: &Path,
    told: &(impl Fn(&str) + Sync),
    interruptible: &Interruptible,
) -> Result<String, Unfinished> {
    let failed = |error: std::io::Error| Unfinished::Failed(error.to_string());
    let place = folder.display().to_string();
    interruptible.run(
        &["sh", "-c", BUILD, "build_image.sh", "pip", &place, base.python, base.debian],
        BUILT,
        told,
    )?;
    let wheel = std::fs::read_dir(folder).map_err(failed)?.flatten().next();
    wheel
        .map(|wheel| wheel.path().display().to_string())
        .ok_or_else(|| Unfinished::Failed("no wheel of pip came".into()))
}

/// Builds the image `name`, which can't be had for the reason `why`: into an engine, by its program and the image's name as `place`;
/// or, by the word `folder`, its files into the folder `place`. Passes the progress on.
///
/// # Errors
/// It is none that can be built, or as of [`Interruptible::run`]; the text tells of both.
pub fn build(
    (into, place): (&str, &str),
    name: &str,
    why: &str,
    events: &Events,
    interruptible: &Interruptible,
) -> Result<(), Unfinished> {
    if PackedImage::parse(name).is_some() {
        let way = "`agentmill image build FILE` builds it";
        return Err(Unfinished::Failed(format!(
            "image {name} is not present and can't be pulled ({why}); {way}"
        )));
    }
    let Some(base) = BaseImage::of(name) else {
        let buildable = BaseImage::names();
        return Err(Unfinished::Failed(format!(
            "image {name} is not present and can't be pulled ({why}); of Debian packages only {buildable} can be built: \
             name one of them in sandbox.image, or bring the image along (docker load)"
        )));
    };
    events.send(Event::Image(format!("{name} can't be pulled; building it from Debian packages")));
    let argv = ["sh", "-c", BUILD, "build_image.sh", into, place, base.python, base.debian];
    let built = interruptible.run(&argv, BUILT, |line| events.send(Event::Image(line.to_owned())));
    built.map_err(|unfinished| match unfinished {
        Unfinished::Failed(error) => {
            Unfinished::Failed(format!("image {name} can't be pulled ({why}), nor built: {error}"))
        }
        Unfinished::Stopped => Unfinished::Stopped,
    })
}
