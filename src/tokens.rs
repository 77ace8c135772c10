//! Tokens: who may submit over HTTP for which miner, kept as hashes in one file.
//!
//! A token is 256 random bits, so one sha256 is hash enough: there is nothing to guess.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::model::miner_id::Miner;
use crate::util::{digest, private, regular};

/// Prefix of every token, by which one is recognised where it should not be.
const PREFIX: &str = "agm_";

/// How long another process may hold the file.
const PATIENCE: Duration = Duration::from_secs(10);

/// The file of tokens.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    tokens: Vec<Token>,
}

/// One token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Token {
    /// The bearer that it is of.
    pub bearer: Bearer,
    /// Hex sha256 of the token.
    sha256: String,
    /// Time it was made, in whole seconds.
    pub added_at: Timestamp,
}

/// Bearer of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// Speaks for this miner.
    Miner(Miner),
    /// Sees everybody's scores and the metrics, and submits for nobody.
    Organiser,
}

/// A token as the file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    miner: Option<Miner>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    organiser: bool,
    sha256: String,
    added_at: Timestamp,
}

impl TryFrom<Written> for Token {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let bearer = match (written.miner, written.organiser) {
            (Some(miner), false) => Bearer::Miner(miner),
            (None, true) => Bearer::Organiser,
            _ => return Err("a token is of a miner or of the organiser"),
        };
        Ok(Self { bearer, sha256: written.sha256, added_at: written.added_at })
    }
}

impl From<Token> for Written {
    fn from(Token { bearer, sha256, added_at }: Token) -> Self {
        let (miner, organiser) = match bearer {
            Bearer::Miner(miner) => (Some(miner), false),
            Bearer::Organiser => (None, true),
        };
        Self { miner, organiser, sha256, added_at }
    }
}

impl fmt::Display for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Miner(miner) => miner.fmt(f),
            Self::Organiser => f.write_str("(organiser)"),
        }
    }
}

impl Tokens {
    /// Reads the file; none there means no tokens.
    ///
    /// # Errors
    /// It is not a file of tokens, or others may read it.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let context = || format!("the tokens {} can't be read", path.display());
        let mut file = match regular::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(context),
        };
        if file.metadata().with_context(context)?.mode() & 0o077 != 0 {
            bail!("others may read the tokens {0}; run: chmod 600 {0}", path.display());
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(context)?;
        serde_json::from_slice(&bytes).with_context(context)
    }

    /// Writes the file, readable by its owner only.
    ///
    /// # Errors
    /// It can't be written.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        self.write(path).with_context(|| format!("the tokens {} can't be written", path.display()))
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut file =
            tempfile::Builder::new().prefix(".agentmill-").suffix(".tmp").tempfile_in(folder(path))?;
        file.write_all((serde_json::to_string_pretty(self)? + "\n").as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    /// Makes a new token. This is the only time that it is seen.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn add(&mut self, bearer: Bearer) -> io::Result<String> {
        let mut random = [0_u8; 32];
        let mut filled = 0;
        while filled < random.len() {
            filled += getrandom(&mut random[filled..], GetRandomFlags::empty())?;
        }
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let token = format!("{PREFIX}{digits}");
        let now = Timestamp::now();
        let added_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
        self.tokens.push(Token { bearer, sha256: digest::sha256(token.as_bytes()), added_at });
        Ok(token)
    }

    /// Removes every token of a bearer; tells how many.
    pub fn remove(&mut self, bearer: &Bearer) -> usize {
        let before = self.tokens.len();
        self.tokens.retain(|token| token.bearer != *bearer);
        before - self.tokens.len()
    }

    /// The bearer of a token. Takes the same time whichever it is, or none.
    #[must_use]
    pub fn owner(&self, token: &str) -> Option<&Bearer> {
        let sha256 = digest::sha256(token.as_bytes());
        self.tokens.iter().fold(None, |owner, known| {
            let same = bool::from(known.sha256.as_bytes().ct_eq(sha256.as_bytes()));
            if same { Some(&known.bearer) } else { owner }
        })
    }

    /// In the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }
}

/// Changes the file while no other process does.
///
/// # Errors
/// It can't be locked, read or written, or `change` fails.
pub fn update<T>(path: &Path, change: impl FnOnce(&mut Tokens) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let lock = folder(path).join(format!(".{}.lock", path.file_name().unwrap_or_default().display()));
    let _lock = private::lock(&lock, PATIENCE).with_context(|| format!("can't lock {}", lock.display()))?;
    let mut tokens = Tokens::load(path)?;
    let result = change(&mut tokens)?;
    tokens.save(path)?;
    Ok(result)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn miner(id: &str) -> Bearer {
        Bearer::Miner(id.parse().unwrap())
    }

    #[test]
    fn the_organisers_token_is_no_miners() {
        let mut tokens = Tokens::default();
        let token = tokens.add(Bearer::Organiser).unwrap();
        let text = serde_json::to_string(&tokens).unwrap();
        assert!(text.contains("\"organiser\":true") && !text.contains("miner"), "{text}");
        let mut read: Tokens = serde_json::from_str(&text).unwrap();
        assert_eq!(read.owner(&token), Some(&Bearer::Organiser));
        assert_eq!((read.remove(&miner("organiser")), read.remove(&Bearer::Organiser)), (0, 1));
    }

    #[test]
    fn a_token_is_its_miners_until_removed() {
        let mut tokens = Tokens::default();
        let (alice, again, bob) = (
            tokens.add(miner("alice")).unwrap(),
            tokens.add(miner("alice")).unwrap(),
            tokens.add(miner("bob")).unwrap(),
        );
        assert_ne!(alice, again);
        assert_eq!(tokens.owner(&alice), Some(&miner("alice")));
        assert_eq!(tokens.owner(&again), Some(&miner("alice")));
        assert_eq!(tokens.owner(&bob), Some(&miner("bob")));
        for wrong in ["", "agm_", &alice[..alice.len() - 1], &alice.to_uppercase()] {
            assert_eq!(tokens.owner(wrong), None);
        }
        assert_eq!(tokens.remove(&miner("alice")), 2);
        assert_eq!((tokens.owner(&alice), tokens.owner(&bob)), (None, Some(&miner("bob"))));
    }

    #[test]
    fn the_file_holds_no_token_and_is_the_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        assert!(Tokens::load(&path).unwrap().is_empty());
        let token = update(&path, |tokens| Ok(tokens.add(miner("alice"))?)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&token[PREFIX.len()..]));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(Tokens::load(&path).unwrap().owner(&token), Some(&miner("alice")));
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(Tokens::load(&path).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_lock_on_the_folder_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = File::open(folder.path()).unwrap();
        theirs.lock().unwrap();
        update(&folder.path().join("tokens.json"), |_| Ok(())).unwrap();
        let lock = fs::metadata(folder.path().join(".tokens.json.lock")).unwrap();
        assert_eq!(lock.mode() & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_is_an_error_and_not_an_open_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        for text in [
            "",
            "{}",
            "[]",
            "{\"tokens\": [{\"miner\": \"../x\"}]}",
            "{\"tokens\": [{\"sha256\": \"\", \"added_at\": \"2027-01-01T00:00:00Z\"}]}",
        ] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            assert!(Tokens::load(&path).is_err(), "{text}");
        }
    }
}
