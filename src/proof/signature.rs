//! Signatures of bundles, in the format of minisign, which checks them as well: `minisign -Vm BUNDLE -p KEY.pub`.

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign::{KeyPair, PublicKey, PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};

use crate::util::atomic_file;
use crate::util::panics::caught;

/// The variable that holds a key's password, if it has one.
const PASSWORD: &str = "AGENTMILL_KEY_PASSWORD";

/// Most bytes of a key or a signature.
const MOST: u64 = 4096;

/// Bytes of a signature as such.
const SIGNATURE: usize = 64;

/// Bytes of a public key in its file, and of a secret one.
const PUBLIC: usize = 42;
const SECRET: usize = 158;

/// Words before the manifest's digest in the comment that is signed, too.
const COMMENT: &str = "agentmill bundle, manifest sha256:";

/// End of the name of a signature's file.
pub const EXTENSION: &str = "minisig";

/// Path of a bundle's signature.
pub fn path(bundle: &Path) -> PathBuf {
    let mut path = bundle.as_os_str().to_owned();
    path.push(".");
    path.push(EXTENSION);
    path.into()
}

/// Makes a key pair: the secret key at `path`, without a password and for nobody else to read; and the public one beside it,
/// ending in `.pub`. Gives the path of that one.
///
/// # Errors
/// One of the files is there already or can't be written.
pub fn make_key(path: &Path) -> anyhow::Result<PathBuf> {
    let public = path.with_extension("pub");
    if public == path {
        bail!("{}: a secret key should not end in .pub", path.display());
    }
    let pair = KeyPair::generate_unencrypted_keypair().context("no key can be made")?;
    let key = pair.sk.to_box(Some("agentmill secret key")).context("no key can be made")?;
    write_new(path, 0o600, &key.to_bytes())?;
    write_new(&public, 0o644, &pair.pk.to_box().context("no key can be made")?.to_bytes())?;
    Ok(public)
}

fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> anyhow::Result<()> {
    let file = File::options().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()));
    written.with_context(|| format!("can't make {}", path.display()))
}

/// Reads a secret key; one with a password takes it from the environment.
///
/// # Errors
/// There is no such key, or it takes a password that is not there, or another one.
pub fn secret_key(path: &Path) -> anyhow::Result<SecretKey> {
    let text = read(path)?;
    let key_box = || SecretKeyBox::from_string(&text).map_err(|error| anyhow!("{error}"));
    let plain = caught(|| key_box().map(SecretKeyBox::into_unencrypted_secret_key));
    if let Ok(Ok(Ok(key))) = plain {
        return Ok(key);
    }
    let named = path.display();
    ensure!(
        key_bytes(&text) != Some(PUBLIC),
        "{named}: a public key; expected the secret one, as `minisign -G` makes it"
    );
    let refused = || format!("{named}: no secret key of minisign");
    let Ok(password) = std::env::var(PASSWORD) else {
        bail!("{}; or it has a password, which belongs into {PASSWORD}", refused());
    };
    let key = caught(|| key_box().map(|key| key.into_secret_key(Some(password))));
    key.map_err(|bug| anyhow!(bug))??.map_err(|error| anyhow!("{}, or another password: {error}", refused()))
}

/// Signs a bundle that was written, whose manifest has this digest; gives the path of the signature.
///
/// # Errors
/// The bundle can't be read or the signature can't be written.
pub fn sign(bundle: &Path, manifest_sha256: &str, key: &SecretKey) -> anyhow::Result<PathBuf> {
    let file = File::open(bundle).with_context(|| format!("can't read {}", bundle.display()))?;
    let comment = format!("{COMMENT}{manifest_sha256}");
    let signature = minisign::sign(None, key, file, Some(&comment), Some("signature of an agentmill bundle"))
        .map_err(|error| anyhow!("can't sign {}: {error}", bundle.display()))?;
    let path = path(bundle);
    atomic_file::replace(&path, signature.to_string().as_bytes())?;
    Ok(path)
}

/// The organiser's public key: the path of its file, or the key as text.
///
/// # Errors
/// It is neither.
pub fn public_key(named: &str) -> anyhow::Result<PublicKey> {
    if let Ok(Ok(key)) = caught(|| PublicKey::from_base64(named)) {
        return Ok(key);
    }
    let text = read(Path::new(named))?;
    ensure!(
        key_bytes(&text) != Some(SECRET),
        "{named}: a secret key, which is for nobody but its owner; expected the public one, as it stands in its .pub"
    );
    let key = caught(|| PublicKeyBox::from_string(&text).and_then(PublicKeyBox::into_public_key));
    key.map_err(|bug| anyhow!(bug))?.map_err(|error| anyhow!("{named}: no public key of minisign: {error}"))
}

/// Tells whether a file with these bytes is a secret key.
pub fn is_secret_key(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| key_bytes(text) == Some(SECRET))
}

/// Bytes of the key in a key's file, which tell its kind; None if there is none in it.
fn key_bytes(text: &str) -> Option<usize> {
    STANDARD.decode(text.lines().nth(1)?.trim()).ok().map(|key| key.len())
}

/// A signature, as it stands beside a bundle.
#[derive(Debug)]
pub struct Signature {
    text: String,
    path: PathBuf,
}

impl Signature {
    /// Reads the signature of a bundle.
    ///
    /// # Errors
    /// There is none.
    pub fn of(bundle: &Path) -> anyhow::Result<Self> {
        let path = path(bundle);
        let text = read(&path).context("there is no signature, so nothing is proved")?;
        Ok(Self { text, path })
    }

    /// Digest of the manifest that it names; None if it was made by other means than ours.
    pub fn manifest_sha256(&self) -> Option<&str> {
        self.text.lines().nth(2)?.strip_prefix("trusted comment: ")?.strip_prefix(COMMENT)
    }

    /// Checks that the key's owner has signed all bytes of the bundle.
    ///
    /// # Errors
    /// Why it does not hold, as a line.
    pub fn check(&self, mut bundle: &File, key: &PublicKey) -> Result<(), String> {
        let name = self.path.display();
        bundle.rewind().map_err(|error| error.to_string())?;
        let last = self.text.lines().nth(3).unwrap_or_default();
        if STANDARD.decode(last.trim()).map_or(0, |bytes| bytes.len()) != SIGNATURE {
            return Err(format!("{name}: no signature of minisign"));
        }
        let checked = caught(|| {
            let signature = SignatureBox::from_string(&self.text)?;
            minisign::verify(key, &signature, bundle, true, false, false)
        });
        checked
            .unwrap_or_else(|_| Err(minisign::PError::new(minisign::ErrorKind::Verify, "it makes no sense")))
            .map_err(|error| format!("{name}: {error}"))
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let text = || -> std::io::Result<String> {
        match fs::metadata(path)?.len() {
            0..=MOST => fs::read_to_string(path),
            _ => Err(std::io::Error::other("is larger than any key or signature")),
        }
    };
    text().with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_was_signed_is_told_from_what_was_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let public = make_key(&at("season.key")).unwrap();
        assert_eq!(public, at("season.pub"));
        assert_eq!(fs::metadata(at("season.key")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(make_key(&at("season.key")).is_err(), "a key is never overwritten");
        fs::write(at("b"), "bundle").unwrap();
        let key = secret_key(&at("season.key")).unwrap();
        sign(&at("b"), "abc", &key).unwrap();
        let check = |key: &str| {
            let signature = Signature::of(&at("b")).unwrap();
            assert_eq!(signature.manifest_sha256(), Some("abc"));
            signature.check(&File::open(at("b")).unwrap(), &public_key(key).unwrap())
        };
        check(public.to_str().unwrap()).unwrap();
        let text = fs::read_to_string(&public).unwrap();
        check(text.lines().nth(1).unwrap()).unwrap();
        make_key(&at("other.key")).unwrap();
        assert!(check(at("other.pub").to_str().unwrap()).unwrap_err().contains("different from public key"));
        let secret = public_key(at("season.key").to_str().unwrap()).unwrap_err().to_string();
        assert!(secret.contains("season.key: a secret key") && secret.contains(".pub"), "{secret}");
        let swapped = secret_key(&public).unwrap_err().to_string();
        assert!(swapped.contains("season.pub: a public key; expected the secret one"), "{swapped}");
        fs::write(at("b"), "bundlf").unwrap();
        assert!(check(public.to_str().unwrap()).unwrap_err().contains("verification failed"));
    }

    #[test]
    fn text_that_is_no_key_and_no_signature_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let public = make_key(&at("k.key")).unwrap();
        let (key, bundle) = (public_key(public.to_str().unwrap()).unwrap(), at("b"));
        fs::write(&bundle, "bundle").unwrap();
        sign(&bundle, "abc", &secret_key(&at("k.key")).unwrap()).unwrap();
        let whole = fs::read_to_string(path(&bundle)).unwrap();
        let file = File::open(&bundle).unwrap();
        // The first line is no part of what is signed.
        for at in whole.find('\n').unwrap() + 1..whole.len() - 1 {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] ^= 1;
            fs::write(path(&bundle), bytes).unwrap();
            assert!(Signature::of(&bundle).unwrap().check(&file, &key).is_err(), "{at}");
        }
        for text in ["", "x", "a\nb\nc\nd\n"] {
            fs::write(at("x"), text).unwrap();
            fs::write(path(&bundle), text).unwrap();
            assert!(secret_key(&at("x")).is_err() && public_key(at("x").to_str().unwrap()).is_err());
            assert!(Signature::of(&bundle).unwrap().check(&file, &key).is_err());
        }
    }
}
