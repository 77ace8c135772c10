//! Manifest of a bundle: its first entry, which names all others.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::proof::header;

/// Name of the manifest's own entry.
pub const NAME: &str = "manifest.json";

/// The only format that there is.
const FORMAT: u32 = 1;

/// Most bytes of a manifest: some 300,000 entries.
pub const MOST_BYTES: u64 = 64 << 20;

/// Most entries of a bundle.
const MOST_ENTRIES: usize = 300_000;

/// Content of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format.
    pub format: u32,
    /// Those who may read it.
    pub kind: Kind,
    /// The agentmill that packed it, by its version.
    pub version: String,
    /// Digest of the grader that packed it: the code beside agents and in judges.
    pub grader: String,
    /// Id of the image that cells and judges ran in.
    pub image: String,
    /// Of a public one: hex sha256 of the full bundle of the same results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_sha256: Option<String>,
    /// All other entries, in their order: sorted by name.
    pub entries: Vec<Entry>,
}

/// Those who may read a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Auditors: it holds hidden tests and everybody's sources.
    Full,
    /// Everybody.
    Public,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Path below the bundle's root, with slashes.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Hex sha256 of its bytes.
    pub sha256: String,
}

impl Manifest {
    /// A manifest of these entries, in any order.
    pub fn new(kind: Kind, image: String, full_sha256: Option<String>, mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let (version, grader) = (env!("CARGO_PKG_VERSION").into(), crate::sandbox::grader_version().into());
        Self { format: FORMAT, kind, version, grader, image, full_sha256, entries }
    }

    /// Its bytes in a bundle.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("text and numbers only");
        bytes.push(b'\n');
        bytes
    }

    /// Reads and checks the bytes of a bundle's first entry.
    ///
    /// # Errors
    /// They are not what [`Manifest::bytes`] writes, or name what can't be unpacked; what is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if manifest.format != FORMAT {
            return Err(format!("format {} is not known to this agentmill", manifest.format));
        }
        if manifest.entries.len() > MOST_ENTRIES {
            return Err(format!("it names more than {MOST_ENTRIES} entries"));
        }
        let sorted = manifest.entries.is_sorted_by(|a, b| a.name < b.name);
        if !sorted || manifest.bytes() != bytes {
            return Err("it is not written as agentmill writes it".into());
        }
        manifest.entries.iter().try_for_each(Entry::check)?;
        manifest.check_folders()?;
        Ok(manifest)
    }

    /// No name may be a file and a folder.
    fn check_folders(&self) -> Result<(), String> {
        let names: HashSet<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
        let folders = |name: &'_ str| {
            let ends: Vec<usize> = name.match_indices('/').map(|(at, _)| at).collect();
            ends.into_iter().find(|end| names.contains(&name[..*end]))
        };
        match self.entries.iter().find(|entry| folders(&entry.name).is_some()) {
            Some(entry) => Err(format!("{:?} lies below a file", entry.name)),
            None => Ok(()),
        }
    }
}

impl Entry {
    fn check(&self) -> Result<(), String> {
        check_name(&self.name)?;
        let is_digest = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if self.sha256.len() != 64 || !self.sha256.bytes().all(is_digest) {
            return Err(format!("{:?} has no digest", self.name));
        }
        Ok(())
    }
}

/// Checks that a name leads to nowhere but below the folder that it is unpacked to, on any system.
///
/// # Errors
/// It does not; the name and what is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    let bad = |c: char| c.is_control() || matches!(c, '\\' | ':');
    let part = |part: &str| !matches!(part, "" | "." | "..");
    let refused = |why: &str| Err(format!("entry {name:?} {why}"));
    if name.contains(bad) || !name.split('/').all(part) || name == NAME {
        return refused("has a name that no bundle may have");
    }
    if !header::fits(name) {
        return refused("has too long a name: at most 100 bytes behind its last folders and 155 before them");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        Entry { name: name.into(), bytes: 1, sha256: "0".repeat(64) }
    }

    fn read(names: &[&str]) -> Result<Manifest, String> {
        let entries = names.iter().copied().map(entry).collect();
        let manifest = Manifest::new(Kind::Full, "image".into(), None, entries);
        let read = Manifest::read(&manifest.bytes())?;
        assert_eq!(read, manifest);
        Ok(read)
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        assert_eq!(read(&["b", "a/c", "a/b"]).unwrap().entries.len(), 3);
        assert_eq!(read(&[]).unwrap().entries.len(), 0);
    }

    #[test]
    fn no_name_leads_out_or_is_two_things() {
        let long = format!("a/{}", "x".repeat(101));
        for name in
            ["/a", "../a", "a/../b", "a//b", "a/", ".", "", "a\\b", "C:a", "a\nb", "manifest.json", &long]
        {
            let error = read(&[name]).unwrap_err();
            assert!(error.contains("name"), "{name}: {error}");
        }
        assert!(read(&["a", "a"]).unwrap_err().contains("as agentmill writes it"));
        assert!(read(&["a", "a/b"]).unwrap_err().contains("below a file"));
        assert!(read(&["a", "a-b", "a/b"]).unwrap_err().contains("below a file"));
    }

    #[test]
    fn what_is_written_otherwise_is_none() {
        let manifest = Manifest::new(Kind::Public, "image".into(), None, vec![entry("a")]);
        let text = String::from_utf8(manifest.bytes()).unwrap();
        let refused = |text: &str| Manifest::read(text.as_bytes()).unwrap_err();
        refused("");
        refused(text.trim());
        refused(&text.replace("\"format\": 1", "\"format\": 2"));
        refused(&text.replace("\"bytes\": 1", "\"bytes\": -1"));
        refused(&text.replace("\"bytes\": 1", "\"bytes\": 1, \"mode\": 1"));
        refused(&text.replace("0000", "000G"));
        refused(&text.replace("0000", "000A"));
    }
}
