//! Walk through a bundle of anybody's: every byte must be the one that the manifest calls for, and what is not is told by
//! the entry that it is in. Holds no more than the manifest and a piece of a file in memory, whatever comes.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};

use crate::proof::header::{self, BLOCK, END};
use crate::proof::manifest::{self, MOST_BYTES, Manifest};
use crate::util::digest;
use crate::util::text::visible;

/// Faults that are told; where more is wrong, nobody needs to know what.
const MOST_FAULTS: usize = 20;

/// Most characters of a fault.
const MOST_SHOWN: usize = 600;

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;

/// Something that is not as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// The entry's name; None behind the last one.
    pub entry: Option<String>,
    /// The fault, as a fragment.
    pub what: String,
}

impl Fault {
    /// A fault in an entry.
    pub fn of(entry: &str, what: &str) -> Self {
        Self { entry: Some(entry.to_owned()), what: what.to_owned() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = self.entry.as_ref().map_or_else(String::new, |entry| format!("{entry}: "));
        write!(f, "{}", visible(&format!("{entry}{}", self.what), MOST_SHOWN))
    }
}

/// A bundle that was walked through.
#[derive(Debug)]
pub struct Walked {
    /// Its manifest.
    pub manifest: Manifest,
    /// Hex sha256 of the manifest.
    pub manifest_sha256: String,
    /// All that is wrong with its entries, but no more than a few.
    pub faults: Vec<Fault>,
}

/// Reads a bundle to its end, and gives the bytes of each entry to the place that `unpack` has for its name; they count only if
/// nothing is wrong with the bundle.
///
/// # Errors
/// It has no manifest that can be read, or it can't be read, or `unpack` fails.
pub fn walk<Out: Write>(
    bundle: &mut impl Read,
    mut unpack: impl FnMut(&str) -> io::Result<Out>,
) -> io::Result<Walked> {
    let (manifest, manifest_sha256) = self::manifest(bundle)?;
    let mut faults = Vec::new();
    for entry in &manifest.entries {
        let fault = |what: &str| Fault::of(&entry.name, what);
        let header =
            header::of(&entry.name, entry.bytes).ok_or_else(|| io::Error::other("too long a name"))?;
        if read_block(bundle)?.is_none_or(|found| found != header) {
            faults.push(fault("its header is not the one that its name and size have"));
        }
        let mut out = unpack(&entry.name)?;
        let (bytes, sha256) = copy(bundle, entry.bytes, &mut out)?;
        out.flush()?;
        if bytes < entry.bytes {
            faults.push(fault("the bundle ends in it"));
            break;
        }
        if sha256 != entry.sha256 {
            faults.push(fault("its bytes are not those that the manifest names"));
        }
        if !is_zeros(bundle, header::padding(entry.bytes))? {
            faults.push(fault("there is something behind its bytes"));
        }
        if faults.len() >= MOST_FAULTS {
            break;
        }
    }
    if faults.is_empty() && !(is_zeros(bundle, END.len())? && is_end(bundle)?) {
        faults
            .push(Fault { entry: None, what: "there is something behind the last entry, or no end".into() });
    }
    Ok(Walked { manifest, manifest_sha256, faults })
}

/// The manifest and its digest.
fn manifest(bundle: &mut impl Read) -> io::Result<(Manifest, String)> {
    let no_bundle = || io::Error::new(ErrorKind::InvalidData, "is no bundle of agentmill");
    let header = read_block(bundle)?.ok_or_else(no_bundle)?;
    let bytes = header::size(&header).filter(|bytes| *bytes <= MOST_BYTES).ok_or_else(no_bundle)?;
    if header::of(manifest::NAME, bytes) != Some(header) {
        return Err(no_bundle());
    }
    let mut text = Vec::new();
    copy(bundle, bytes, &mut text)?;
    let invalid =
        |what: String| io::Error::new(ErrorKind::InvalidData, format!("{}: {what}", manifest::NAME));
    let manifest = Manifest::read(&text).map_err(invalid)?;
    match is_zeros(bundle, header::padding(bytes))? {
        true => Ok((manifest, digest::sha256(&text))),
        false => Err(invalid("there is something behind its bytes".into())),
    }
}

/// The next block; None if there is no whole one.
fn read_block(bundle: &mut impl Read) -> io::Result<Option<[u8; BLOCK]>> {
    let mut block = [0; BLOCK];
    match bundle.read_exact(&mut block) {
        Ok(()) => Ok(Some(block)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Copies so many bytes, or as many as there are; their number and digest.
fn copy(bundle: &mut impl Read, bytes: u64, out: &mut impl Write) -> io::Result<(u64, String)> {
    let (mut digest, mut left, mut chunk) = (digest::Writer::default(), bytes, vec![0; CHUNK]);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let read = match bundle.read(&mut chunk[..most]) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.write_all(&chunk[..read])?;
        out.write_all(&chunk[..read])?;
        left -= read as u64;
    }
    Ok((bytes - left, digest.hex()))
}

/// True if the next bytes, so many of them, are zeros.
fn is_zeros(bundle: &mut impl Read, bytes: usize) -> io::Result<bool> {
    let mut found = Vec::with_capacity(bytes);
    bundle.take(bytes as u64).read_to_end(&mut found)?;
    Ok(found.len() == bytes && found.iter().all(|byte| *byte == 0))
}

fn is_end(bundle: &mut impl Read) -> io::Result<bool> {
    Ok(bundle.take(1).read_to_end(&mut Vec::new())? == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::proof::manifest::Kind;
    use crate::proof::pack::{Bundle, Content, Packed};

    fn bundle() -> Vec<u8> {
        let file = |(name, bytes): (&str, &[u8])| Packed {
            name: name.into(),
            content: Content::Bytes(bytes.to_vec()),
        };
        let files = [("tasks/a.yaml", &b"prompt: p"[..]), ("b", &[7; 512]), ("empty", b""), ("c", &[1; 700])];
        let bundle = Bundle::new(Kind::Full, "image".into(), None, files.map(file).into()).unwrap();
        let mut bytes = Vec::new();
        bundle.write(&mut bytes).unwrap();
        bytes
    }

    fn walked(mut bytes: &[u8]) -> io::Result<Walked> {
        walk(&mut bytes, |_| Ok(io::sink()))
    }

    #[test]
    fn a_bundle_is_walked_through_and_the_same_files_make_the_same_bytes() {
        assert_eq!(walked(&bundle()).unwrap().faults, []);
        assert_eq!(bundle(), bundle());
        let mut unpacked = Vec::new();
        walk(&mut &bundle()[..], |name| {
            unpacked.push(name.to_owned());
            Ok(io::sink())
        })
        .unwrap();
        assert_eq!(unpacked, ["b", "c", "empty", "tasks/a.yaml"]);
    }

    /// The entry that a byte of the bundle lies in.
    fn entry_at(bytes: &[u8], at: usize) -> Option<String> {
        let mut from = 0;
        loop {
            let header: [u8; BLOCK] = bytes[from..from + BLOCK].try_into().unwrap();
            let name = std::str::from_utf8(&header[..100]).unwrap().trim_end_matches('\0').to_owned();
            if name.is_empty() {
                return None;
            }
            let size = header::size(&header).unwrap();
            from += BLOCK + size as usize + header::padding(size);
            if at < from {
                return Some(name);
            }
        }
    }

    #[test]
    fn every_byte_that_is_changed_is_named_by_its_entry() {
        let whole = bundle();
        let sha256 = walked(&whole).unwrap().manifest_sha256;
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            let entry = entry_at(&whole, at);
            match walked(&bytes) {
                // A manifest that still makes sense is no longer the one that was signed, whatever else is found.
                Ok(found) if entry.as_deref() == Some(manifest::NAME) => {
                    assert_ne!(found.manifest_sha256, sha256, "{at}");
                }
                Ok(found) => {
                    let named: Vec<_> = found.faults.iter().map(|fault| fault.entry.clone()).collect();
                    assert_eq!(named, [entry], "{at}");
                }
                Err(_) => assert_eq!(entry.as_deref(), Some(manifest::NAME), "{at}"),
            }
        }
    }

    #[test]
    fn what_was_cut_off_or_put_behind_is_found() {
        let whole = bundle();
        for length in 0..whole.len() {
            assert!(
                walked(&whole[..length]).is_ok_and(|found| !found.faults.is_empty())
                    || walked(&whole[..length]).is_err(),
                "{length}"
            );
        }
        assert_eq!(walked(&[&whole[..], b"\0"].concat()).unwrap().faults.len(), 1);
    }

    #[test]
    fn an_archive_that_promises_more_than_it_holds_takes_no_memory() {
        let header = header::of(manifest::NAME, MOST_BYTES).unwrap();
        assert!(walked(&header).is_err());
        let header = header::of(manifest::NAME, MOST_BYTES + 1).unwrap();
        assert_eq!(walked(&header).unwrap_err().to_string(), "is no bundle of agentmill");
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_through_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let _ = walked(&bytes);
        }

        #[test]
        fn any_change_is_found(at in 0..4096_usize, bytes in proptest::collection::vec(any::<u8>(), 1..64)) {
            let mut changed = bundle();
            let at = at % changed.len();
            let end = changed.len().min(at + bytes.len());
            changed[at..end].copy_from_slice(&bytes[..end - at]);
            let (before, found) = (walked(&bundle()).unwrap().manifest_sha256, walked(&changed));
            let same = found.is_ok_and(|found| found.faults.is_empty() && found.manifest_sha256 == before);
            prop_assert_eq!(same, changed == bundle());
        }
    }
}
