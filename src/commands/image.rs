//! `image build`: an image of packages for agents, made once from pip's file of requirements.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::cli::{BuildImage, Exit, Image};
use crate::client::generate::program::Children;
use crate::commands::aside;
use crate::config::{self, Pipeline};
use crate::model::python::PackedImage;
use crate::sandbox::engine::cli::supply::Packing;
use crate::term;
use crate::ui::Spinner;
use crate::util::digest;
use crate::workspace::PIPELINE;

/// The most that a file of requirements may hold, in bytes.
const LARGEST: u64 = 1 << 20;

/// Builds the image, unless it is there, and prints its name.
///
/// # Errors
/// The file can't be read, names nothing, or there is no engine to build with.
pub fn image(dir: &Path, what: &Image, quiet: bool) -> anyhow::Result<Exit> {
    let Image::Build(BuildImage { requirements, base }) = what;
    let pipeline = pipeline(dir)?;
    let base = base.clone().unwrap_or_else(|| plain(&pipeline.sandbox.image));
    let packing = Packing { runtime: pipeline.sandbox.runtime.clone(), ..packing(requirements, base)? };
    let name = packing.image.name();
    let spinner = Spinner::new(quiet);
    let built = aside::work(&pipeline, 1, &spinner, &Children::default(), {
        let packing = packing.clone();
        move |containers| containers.pack(&packing)
    })?;
    let built = match built {
        Err(signal) => return Ok(signal),
        Ok(built) => built?,
    };
    if built && !quiet {
        let lock = packing.lock.map(|lock| format!("; versions and hashes are in {}", lock.display()));
        term::complain(format_args!("built{}", lock.unwrap_or_default()));
    }
    if !quiet {
        let fields = format!("sandbox: {{image: \"{name}\"}} and validate: {{allow: [MODULE]}}");
        term::complain(format_args!(
            "agents get it by {fields} in pipeline.yaml, or allow: image for all of it"
        ));
    }
    term::print(&format!("{name}\n"))?;
    Ok(Exit::Done)
}

/// The folder's pipeline, or defaults where there is none.
fn pipeline(dir: &Path) -> anyhow::Result<Pipeline> {
    let file = dir.join(PIPELINE);
    if file.exists() {
        return Ok(config::load(&file)?);
    }
    let mut pipeline = config::parse(&file, b"").expect("every field has a default");
    pipeline.sandbox.engine = config::engine_of_environment()?;
    Ok(pipeline)
}

/// The image to build on, beside one that may have been built already.
fn plain(image: &str) -> String {
    PackedImage::parse(image).map_or_else(|| image.to_owned(), |packed| packed.base)
}

fn packing(requirements: &Path, base: String) -> anyhow::Result<Packing> {
    let cant = || format!("can't read {}", requirements.display());
    let length = std::fs::metadata(requirements).with_context(cant)?.len();
    if length > LARGEST {
        bail!("{} is {length} bytes long; at most {LARGEST} are taken", requirements.display());
    }
    let text = std::fs::read_to_string(requirements).with_context(cant)?;
    if !base.contains(':') || base.contains('@') {
        bail!("the base {base} must be named with its version, such as python:3.13-slim");
    }
    let packages = digest::hex([base.as_bytes(), text.as_bytes()])[..12].to_owned();
    let requirements = std::path::absolute(requirements)?;
    let lock = (!text.contains("--hash=")).then(|| beside(&requirements));
    Ok(Packing { image: PackedImage { base, packages }, requirements, runtime: None, lock })
}

/// `requirements.lock` of `requirements.txt`.
fn beside(requirements: &Path) -> PathBuf {
    match requirements.extension().is_some_and(|ending| ending == "lock") {
        true => requirements.with_extension("lock.lock"),
        false => requirements.with_extension("lock"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_by_its_base_and_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("requirements.txt");
        let packed = |text: &str, base: &str| {
            std::fs::write(&file, text).unwrap();
            packing(&file, base.to_owned())
        };
        let one = packed("six\n", "python:3.11-slim").unwrap();
        assert_eq!(one.lock, Some(folder.path().join("requirements.lock")));
        assert!(one.image.name().starts_with("agentmill/python:3.11-slim-"));
        assert_eq!(plain(&one.image.name()), "python:3.11-slim");
        assert_eq!(packed("six\n", "python:3.11-slim").unwrap().image, one.image);
        let hashed = packed("six==1.17.0 --hash=sha256:0\n", "python:3.11-slim").unwrap();
        assert!(hashed.lock.is_none() && hashed.image != one.image);
        assert_ne!(packed("six\n", "python:3.13-slim").unwrap().image, one.image);
        assert!(packed("six\n", "python").unwrap_err().to_string().contains("with its version"));
        assert!(
            packed(&"#".repeat(2 << 20), "python:3").unwrap_err().to_string().contains("at most 1048576")
        );
    }
}
