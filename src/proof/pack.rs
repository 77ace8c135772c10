//! Packing: the entries of a bundle, one after the other behind their manifest.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::PathBuf;

use crate::proof::header::{self, END};
use crate::proof::manifest::{self, Entry, Kind, Manifest, check_name};
use crate::util::atomic_file::blame;
use crate::util::digest;

/// A file to be packed.
#[derive(Debug)]
pub struct Packed {
    /// Its name in the bundle.
    pub name: String,
    /// Its bytes.
    pub content: Content,
}

/// Bytes of a file to be packed.
#[derive(Debug)]
pub enum Content {
    /// Those of a file, which are not held in memory.
    File(PathBuf),
    /// These.
    Bytes(Vec<u8>),
}

impl Content {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path).map_err(|error| blame(path, &error))?),
            Self::Bytes(bytes) => Box::new(Cursor::new(bytes)),
        })
    }

    /// Its size, and its bytes to `out`.
    fn copy(&self, out: &mut impl Write) -> io::Result<u64> {
        let copied = self.open().and_then(|mut file| io::copy(&mut file, out));
        copied.map_err(|error| match self {
            Self::File(path) => blame(path, &error),
            Self::Bytes(_) => error,
        })
    }
}

/// A bundle to be written.
#[derive(Debug)]
pub struct Bundle {
    manifest: Manifest,
    /// In the manifest's order.
    files: Vec<Packed>,
}

impl Bundle {
    /// Reads all files once, to name them in the manifest. `image` is the id of the image that cells ran in.
    ///
    /// # Errors
    /// A file can't be read, or has a name that no bundle may have; the message names it.
    pub fn new(
        kind: Kind,
        image: String,
        full_sha256: Option<String>,
        mut files: Vec<Packed>,
    ) -> io::Result<Self> {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files.dedup_by(|a, b| a.name == b.name);
        let entries = files.iter().map(entry).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { manifest: Manifest::new(kind, image, full_sha256, entries), files })
    }

    /// Entries, the manifest's included.
    pub fn entries(&self) -> usize {
        self.files.len() + 1
    }

    /// Hex sha256 of the manifest.
    pub fn manifest_sha256(&self) -> String {
        digest::sha256(&self.manifest.bytes())
    }

    /// Hex sha256 of the whole bundle.
    ///
    /// # Errors
    /// As of [`Bundle::write`].
    pub fn sha256(&self) -> io::Result<String> {
        let mut digest = digest::Writer::default();
        self.write(&mut digest)?;
        Ok(digest.hex())
    }

    /// Writes the bundle.
    ///
    /// # Errors
    /// It can't be written; or a file can't be read again, or is no longer what it was.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let manifest = self.manifest.bytes();
        write_entry(out, manifest::NAME, manifest.len() as u64, |out| out.write_all(&manifest))?;
        for (entry, file) in self.manifest.entries.iter().zip(&self.files) {
            write_entry(out, &entry.name, entry.bytes, |out| {
                let mut hashed = Hashed { out, digest: digest::Writer::default() };
                let bytes = file.content.copy(&mut hashed)?;
                match bytes == entry.bytes && hashed.digest.hex() == entry.sha256 {
                    true => Ok(()),
                    false => Err(io::Error::other(format!("{} changed while it was packed", entry.name))),
                }
            })?;
        }
        out.write_all(&END)
    }
}

fn entry(file: &Packed) -> io::Result<Entry> {
    check_name(&file.name).map_err(io::Error::other)?;
    let mut digest = digest::Writer::default();
    let bytes = file.content.copy(&mut digest)?;
    Ok(Entry { name: file.name.clone(), bytes, sha256: digest.hex() })
}

fn write_entry(
    out: &mut dyn Write,
    name: &str,
    bytes: u64,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let header =
        header::of(name, bytes).ok_or_else(|| io::Error::other(format!("{name}: too long a name")))?;
    out.write_all(&header)?;
    content(out)?;
    out.write_all(&END[..header::padding(bytes)])
}

/// Passes bytes on and digests them.
struct Hashed<'a> {
    out: &'a mut dyn Write,
    digest: digest::Writer,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.write_all(&bytes[..written])?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
