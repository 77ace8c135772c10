//! Versions of Python, the images that have them, and what each can import: the one place that names either.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// An image of plain Python that can be built from the packages of a Debian release where it can't be pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseImage {
    /// Its name at the registry, and in pipeline.yaml.
    pub name: &'static str,
    /// Python's version, without its last number.
    pub python: &'static str,
    /// The Debian release that packages this version.
    pub debian: &'static str,
}

/// All of them. No release of Debian has Python 3.12: that image can only be pulled.
pub const BASE_IMAGES: [BaseImage; 2] = [
    BaseImage { name: "python:3.11-slim", python: "3.11", debian: "bookworm" },
    BaseImage { name: "python:3.13-slim", python: "3.13", debian: "trixie" },
];

/// The one that is used unless pipeline.yaml names another.
pub const DEFAULT_IMAGE: &BaseImage = &BASE_IMAGES[0];

impl BaseImage {
    /// The base that can stand in for an image of this name, which may be that of a registry of one's own.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        let is_it = |base: &&Self| {
            name.strip_suffix(base.name).is_some_and(|host| host.is_empty() || host.ends_with('/'))
        };
        BASE_IMAGES.iter().find(is_it)
    }

    /// The names of all, for people.
    #[must_use]
    pub fn names() -> String {
        BASE_IMAGES.map(|base| base.name).join(" and ")
    }
}

/// An image that `image build` has made: packages on a base. Its name tells both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedImage {
    /// The name of the image that it was built on.
    pub base: String,
    /// Hex digits that tell the packages from others.
    pub packages: String,
}

impl PackedImage {
    /// A name stands before the base's version and behind it the packages: `agentmill/python:3.11-slim-0123456789ab`.
    const PREFIX: &str = "agentmill/";

    /// The name of an image in pipeline.yaml and at an engine.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}{}-{}", Self::PREFIX, self.base, self.packages)
    }

    /// The image of this name; None if it is no such name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (base, packages) = name.strip_prefix(Self::PREFIX)?.rsplit_once('-')?;
        let is_digest = packages.len() == 12 && packages.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_digest && base.contains(':'))
            .then(|| Self { base: base.to_owned(), packages: packages.to_owned() })
    }
}

/// The modules that the Python of an image can import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// Its version, without the last number.
    pub python: String,
    /// Names of the standard library's modules.
    pub standard: BTreeSet<String>,
    /// First names of all other modules that are installed; None if they are not known.
    pub packages: Option<BTreeSet<String>>,
}

/// As long as no image was asked. Python 3.12 and 3.13 have added no module that agents would import, and only left some out: what is
/// refused by this list is refused by theirs.
static DEFAULT_LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let lines = include_str!("stdlib_3_11.txt").lines().filter(|line| !line.starts_with('#'));
    let standard = lines.map(str::to_owned).collect();
    Library { python: DEFAULT_IMAGE.python.to_owned(), standard, packages: None }
});

impl Default for Library {
    fn default() -> Self {
        DEFAULT_LIBRARY.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_packages_tells_its_base() {
        let packed = PackedImage { base: "python:3.13-slim".into(), packages: "0123456789ab".into() };
        assert_eq!(packed.name(), "agentmill/python:3.13-slim-0123456789ab");
        assert_eq!(PackedImage::parse(&packed.name()), Some(packed));
        for none in ["python:3.13-slim", "agentmill/python:3.13-slim", "mine/python:3.13-slim-0123456789ab"] {
            assert_eq!(PackedImage::parse(none), None, "{none}");
        }
    }

    #[test]
    fn a_registry_of_ones_own_may_have_the_image() {
        let debian = |name: &str| BaseImage::of(name).map(|base| base.debian);
        assert_eq!(debian("python:3.11-slim"), Some("bookworm"));
        assert_eq!(debian("registry.example/dockerhub/python:3.13-slim"), Some("trixie"));
        for none in ["python:3.12-slim", "my-python:3.11-slim", "python:3.11-slim-1", "python"] {
            assert_eq!(debian(none), None, "{none}");
        }
    }
}
