//! Memory of the image, `results/.image.json`: the one that was used last, and the modules that its Python can import. A
//! submission is checked by it where no engine is asked.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::python::Library;
use crate::util::{atomic_file, regular};

/// Name of the file.
pub const FILE: &str = ".image.json";

/// An image and its modules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownImage {
    /// Its id; empty if none was used yet: then the library is that of the default image.
    pub image: String,
    /// Its modules.
    pub library: Library,
}

impl KnownImage {
    /// The image that was used last for these results, or what is known without one.
    #[must_use]
    pub fn read(results: &Path) -> Self {
        let bytes = regular::read(results.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Keeps it for the next pass, and for those who check a submission in between.
    ///
    /// # Errors
    /// The file can't be written; the message names it.
    pub fn keep(&self, results: &Path) -> io::Result<()> {
        std::fs::create_dir_all(results)?;
        atomic_file::replace(&results.join(FILE), &serde_json::to_vec(self)?).map(drop)
    }
}
