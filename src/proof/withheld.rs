//! Files that are in no bundle, though they lie where everything is packed: keys, the roster, tokens, and other bundles.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::Pipeline;
use crate::proof::header::{self, BLOCK};
use crate::proof::{manifest, signature};
use crate::util::atomic_file::blame;
use crate::util::regular;

/// Bytes at a file's beginning that tell a key or a bundle.
const HEAD: u64 = 4096;

/// The secrets of a workspace, by their paths.
#[derive(Debug)]
pub(super) struct Withheld {
    /// Real paths: a link to one of them is one, too.
    paths: Vec<PathBuf>,
}

impl Withheld {
    /// The key that the bundle is signed with, the roster and the tokens.
    pub(super) fn of(pipeline: &Pipeline, key: &Path) -> Self {
        let roster = pipeline.roster.as_ref().map(|roster| roster.file.as_path());
        let named = [Some(key), Some(pipeline.serve.tokens.as_path()), roster];
        Self { paths: named.into_iter().flatten().filter_map(|path| path.canonicalize().ok()).collect() }
    }

    /// Tells whether a file is one of them, the secret key of anything else, a bundle, or the signature of one.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn holds(&self, path: &Path) -> io::Result<bool> {
        let is_named = path.canonicalize().is_ok_and(|path| self.paths.contains(&path));
        let head = head(path).map_err(|error| blame(path, &error))?;
        Ok(is_named || signature::is_secret_key(&head) || begins_bundle(&head) || is_signature(path))
    }
}

/// Tells whether a file begins as a bundle does.
pub fn is_bundle(path: &Path) -> bool {
    head(path).is_ok_and(|head| begins_bundle(&head))
}

/// The signature of a bundle that lies beside it.
fn is_signature(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == signature::EXTENSION) && is_bundle(&path.with_extension(""))
}

fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    regular::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

fn begins_bundle(head: &[u8]) -> bool {
    let first: Option<&[u8; BLOCK]> = head.first_chunk();
    let is_first = |first: &[u8; BLOCK]| {
        header::size(first).and_then(|size| header::of(manifest::NAME, size)).as_ref() == Some(first)
    };
    first.is_some_and(is_first)
}
