//! inbox -> [`Submission`]: what lies there, opened once, without following links.
//!
//! [`list`] looks at names and kinds only; [`read`] opens. Between the two anything may be swapped, so
//! `read` trusts nothing that `list` saw: it checks again on the handle that it reads from.

#[cfg(test)]
mod tests;

mod file;
mod folder;
mod names;
pub mod order;
mod read;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use crate::model::first_sights::FirstSights;
use crate::model::joined::AGENT;
use crate::model::miner_id::{Miner, printable};
use crate::model::rejection::Rejection;
pub use crate::pipeline::intake::file::{Bounds, InboxFile, SETTLE, Stamp, Submission, excess};
use crate::pipeline::intake::file::{changed, is_near, obstacle};
pub use crate::pipeline::intake::folder::joined;
use crate::pipeline::intake::folder::{Fault, Looks};
use crate::pipeline::intake::names::{PROBE, is_passed_over};
pub use crate::pipeline::intake::read::{Unreadable, read, reread};

/// Names in the inbox that something happened to since they were looked at.
#[derive(Debug, Default)]
pub struct Touched {
    names: BTreeSet<OsString>,
    /// Files, relative to the inbox, that were closed by who wrote them, or moved there: they need not stand still for a
    /// while to be taken for finished.
    closed: HashSet<PathBuf>,
}

impl Touched {
    /// Adds these names.
    pub fn add(&mut self, names: impl IntoIterator<Item = OsString>) {
        self.names.extend(names);
    }

    /// Tells whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }
}

/// The inbox as last looked at, before any file is opened: its names, and what each stands for.
///
/// Names with a leading dot or ending in `~`, `.tmp`, `.part` and the like belong to editors and copiers and are
/// passed over, as are a README and what Python, file systems and desktops leave behind.
#[derive(Debug)]
pub struct Inbox {
    folder: PathBuf,
    /// As paths of events have it.
    absolute: PathBuf,
    bounds: Bounds,
    sights: HashMap<OsString, Sight>,
    /// Names that claim one id, in the order in which they came: the first holds it.
    claims: HashMap<Miner, Vec<OsString>>,
    unsettled: BTreeSet<OsString>,
}

/// News that a look at the inbox brought.
#[derive(Debug, Default)]
pub struct News {
    /// Miners whose claims were looked at, or went away.
    pub miners: BTreeSet<Miner>,
    /// True if other names are refused than before, or for other reasons.
    pub refusals: bool,
}

/// The file that holds a miner's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The file.
    pub inbox_file: InboxFile,
    /// False if it is still being written: modified within [`SETTLE`] of the last look.
    pub settled: bool,
    changed: (i64, i64),
}

impl Inbox {
    /// An inbox that was not looked at yet, whose submissions have these bounds.
    pub fn new(folder: &Path, bounds: Bounds) -> Self {
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let (sights, claims, unsettled) = Default::default();
        Self { folder: folder.to_owned(), absolute, bounds, sights, claims, unsettled }
    }

    /// Notes that something happened to a path below the inbox; whether that path is `closed` now. Tells whether it is
    /// known what to look at.
    pub fn touch(&self, path: &Path, closed: bool, touched: &mut Touched) -> bool {
        let below = path.strip_prefix(&self.absolute).or_else(|_| path.strip_prefix(&self.folder));
        let Ok(file) = below else { return false };
        let Some(Component::Normal(name)) = file.components().next() else { return false };
        touched.names.insert(name.to_owned());
        if closed {
            touched.closed.insert(file.to_owned());
        }
        true
    }

    /// Adds all names that lie there, or did at the last look.
    ///
    /// # Errors
    /// The inbox itself can't be read; the message names it.
    pub fn touch_all(&self, touched: &mut Touched) -> io::Result<()> {
        let blame = |error: io::Error| {
            let folder = self.folder.display();
            let why = match error.kind() {
                io::ErrorKind::NotFound => "there is no such folder; make it".to_owned(),
                _ => error.to_string(),
            };
            io::Error::new(error.kind(), format!("the inbox {folder} can't be read: {why}"))
        };
        for entry in fs::read_dir(&self.folder).map_err(blame)? {
            touched.names.insert(entry.map_err(blame)?.file_name());
        }
        touched.names.extend(self.sights.keys().cloned());
        Ok(())
    }

    /// Looks at these names. Of several new ones that claim one id, the file comes first that the miner was last seen
    /// with, then the one that was changed earlier.
    pub fn look(&mut self, touched: Touched, known: &FirstSights) -> News {
        let now = Now { time: SystemTime::now(), closed: &touched.closed };
        self.look_at(touched.names, &now, known)
    }

    fn look_at(&mut self, names: BTreeSet<OsString>, now: &Now<'_>, known: &FirstSights) -> News {
        let mut news = News::default();
        let mut sights: Vec<(OsString, Sight)> = names
            .into_iter()
            .map(|name| {
                let sight = look(&self.folder, &name, self.bounds, now);
                (name, sight)
            })
            .collect();
        let age = |sight: &Sight| sight.claim().map(|claim| claim.age(known));
        sights.sort_by(|(name, a), (other, b)| (age(a), name).cmp(&(age(b), other)));
        for (name, sight) in sights {
            self.place(name, sight, &mut news);
        }
        news
    }

    /// Puts what a name turned out to be in the place of what it was.
    fn place(&mut self, name: OsString, sight: Sight, news: &mut News) {
        let unsettled = sight.is_unsettled();
        if unsettled {
            self.unsettled.insert(name.clone())
        } else {
            self.unsettled.remove(&name)
        };
        let old = self.sights.remove(&name);
        news.refusals |= old.as_ref().and_then(Sight::refusal) != sight.refusal();
        let (before, after) = (old.as_ref().and_then(Sight::miner), sight.miner());
        if before != after {
            news.refusals |= before.is_some_and(|miner| self.leave(miner, &name));
            news.refusals |= after.is_some_and(|miner| self.enter(miner, &name));
        }
        news.miners.extend([before, after].into_iter().flatten().cloned());
        if !matches!(sight, Sight::Nothing) {
            self.sights.insert(name, sight);
        }
    }

    /// Takes a name from those that claim an id. Tells whether there were several.
    fn leave(&mut self, miner: &Miner, name: &OsStr) -> bool {
        let Some(names) = self.claims.get_mut(miner) else { return false };
        let contested = names.len() > 1;
        names.retain(|other| other != name);
        if names.is_empty() {
            self.claims.remove(miner);
        }
        contested
    }

    /// Adds a name to those that claim an id. Tells whether there are several now.
    fn enter(&mut self, miner: &Miner, name: &OsStr) -> bool {
        let names = self.claims.entry(miner.clone()).or_default();
        names.push(name.to_owned());
        names.len() > 1
    }

    /// The file that holds a miner's id, if there is one.
    pub fn holder(&self, miner: &Miner) -> Option<&Claim> {
        self.claim(self.claims.get(miner)?.first()?)
    }

    /// Miners of whom a file is there.
    pub fn miners(&self) -> impl Iterator<Item = &Miner> {
        self.claims.iter().filter(|(_, names)| !names.is_empty()).map(|(miner, _)| miner)
    }

    fn claim(&self, name: &OsStr) -> Option<&Claim> {
        self.sights.get(name).and_then(Sight::claim)
    }

    /// Notes that a file which was listed did not stand still when it was read.
    pub fn unsettle(&mut self, file: &InboxFile) {
        self.unsettled.extend(file.name());
    }

    /// The names that did not stand still.
    pub fn unsettled(&self) -> &BTreeSet<OsString> {
        &self.unsettled
    }

    /// Names and kinds of file that cannot be submissions, and those that claim an id which another file holds.
    pub fn refused(&self) -> impl Iterator<Item = Rejection> {
        let contested = self.claims.values().filter_map(|names| names.split_first());
        let rivals = contested.flat_map(|(first, later)| later.iter().map(move |name| (first, name)));
        let rivals =
            rivals.filter_map(|(holder, name)| Some(self.claim(name)?.rejected(self.claim(holder)?)));
        self.sights.values().filter_map(Sight::refusal).cloned().chain(rivals)
    }
}

/// The whole inbox at one time.
#[derive(Debug, Default)]
pub struct Listing {
    /// Sorted by miner; one per miner.
    pub files: Vec<InboxFile>,
    /// Names and kinds of file that cannot be submissions, sorted by name.
    pub rejected: Vec<Rejection>,
    /// Names still being written: modified within [`SETTLE`] of now.
    pub unsettled: usize,
}

/// Lists the inbox, whose submissions have these bounds.
///
/// # Errors
/// The inbox itself can't be read.
pub fn list(inbox: &Path, bounds: Bounds) -> io::Result<Listing> {
    list_at(inbox, bounds, &Now { time: SystemTime::now(), closed: &HashSet::new() })
}

fn list_at(folder: &Path, bounds: Bounds, now: &Now<'_>) -> io::Result<Listing> {
    let (mut inbox, mut all) = (Inbox::new(folder, bounds), Touched::default());
    inbox.touch_all(&mut all)?;
    let miners = inbox.look_at(all.names, now, &FirstSights::default()).miners;
    let holders = miners.iter().filter_map(|miner| inbox.holder(miner)).filter(|claim| claim.settled);
    let files = holders.map(|claim| claim.inbox_file.clone()).collect();
    let mut rejected: Vec<Rejection> = inbox.refused().collect();
    rejected.sort();
    Ok(Listing { files, rejected, unsettled: inbox.unsettled.len() })
}

/// The clock and the announcements by which a file is known to be finished.
struct Now<'a> {
    time: SystemTime,
    closed: &'a HashSet<PathBuf>,
}

/// A name in the inbox, looked at.
#[derive(Debug)]
enum Sight {
    Nothing,
    Unsettled,
    Claim(Claim),
    Rejected(Rejection),
}

impl Claim {
    /// Order of claims to one id that are seen at once.
    fn age(&self, known: &FirstSights) -> impl Ord + use<> {
        let InboxFile { miner, file, .. } = &self.inbox_file;
        (!known.is_last_file(miner, file), self.changed)
    }

    /// This claim refused. The id is the holder's: its miner is not told of it as of a refusal of its own.
    fn rejected(&self, holder: &Self) -> Rejection {
        let held = &holder.inbox_file.file;
        let reason =
            format!("names the same miner as {held}, which was there before; leave only one of them");
        let rejection = self.inbox_file.rejection(None, reason);
        Rejection { miner: None, claims: rejection.miner.clone(), ..rejection }
    }
}

impl Sight {
    fn is_unsettled(&self) -> bool {
        matches!(self, Self::Unsettled) || self.claim().is_some_and(|claim| !claim.settled)
    }

    fn claim(&self) -> Option<&Claim> {
        if let Self::Claim(claim) = self { Some(claim) } else { None }
    }

    fn miner(&self) -> Option<&Miner> {
        self.claim().map(|claim| &claim.inbox_file.miner)
    }

    fn refusal(&self) -> Option<&Rejection> {
        if let Self::Rejected(rejection) = self { Some(rejection) } else { None }
    }
}

fn look(folder: &Path, name: &OsStr, bounds: Bounds, now: &Now<'_>) -> Sight {
    if is_passed_over(name.as_bytes()) {
        return Sight::Nothing;
    }
    let path = folder.join(name);
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) => return unseen(name, &error),
    };
    match name.to_str() {
        None => refused(name, None, "its name is not UTF-8"),
        Some(text) if metadata.is_dir() => look_into(text, path, &metadata, bounds, now),
        Some(text) => look_at(text, path, &metadata, now),
    }
}

/// A name that is not a directory's: `<miner>.py`, or refused.
fn look_at(name: &str, path: PathBuf, metadata: &Metadata, now: &Now<'_>) -> Sight {
    let id = name.strip_suffix(".py").map(|stem| Miner::try_from(stem.to_owned()));
    if name == PROBE {
        return Sight::Nothing;
    }
    if !metadata.is_file() {
        return refused(name, id.and_then(Result::ok), obstacle(metadata).unwrap_or_default());
    }
    match id {
        None => refused(name, None, no_python(name)),
        Some(Err(reason)) => refused(name, None, reason),
        Some(Ok(miner)) => {
            let file = name.to_owned();
            claim(InboxFile { miner, file, path, stamp: Stamp::of(metadata, now.time) }, metadata, now)
        }
    }
}

/// The reason why a file of this name is no agent.
fn no_python(name: &str) -> String {
    let (written, name) = (name, name.to_ascii_lowercase());
    match () {
        () if name.ends_with(".ipynb") => "is a Jupyter notebook; export it as .py".to_owned(),
        () if [".zip", ".tar", ".gz", ".tgz", ".xz", ".rar", ".7z"].iter().any(|end| name.ends_with(end)) => {
            "is an archive; drop the .py files that are in it".to_owned()
        }
        () if name.ends_with(".py") => {
            let stem = &written[..written.len() - ".py".len()];
            format!(
                "is not a .py file, whose name ends in small letters; rename it to {}.py",
                printable(stem.as_bytes())
            )
        }
        () => "is not a .py file; an agent is <miner>.py or <miner>/agent.py".to_owned(),
    }
}

/// A directory: `<miner>/agent.py`, or refused.
fn look_into(name: &str, folder: PathBuf, metadata: &Metadata, bounds: Bounds, now: &Now<'_>) -> Sight {
    if name.ends_with(".py") {
        return refused(
            name,
            None,
            "is a directory; only a file's name ends in .py, a folder is <miner>/agent.py",
        );
    }
    let miner = match Miner::try_from(name.to_owned()) {
        Ok(miner) => miner,
        Err(reason) => return refused(name, None, reason),
    };
    let path = folder.join(AGENT);
    let file = format!("{name}/{AGENT}");
    match path.symlink_metadata() {
        Ok(agent) => {
            let stamp = Stamp::of(&agent, now.time);
            let inbox_file = InboxFile { miner, file, path, stamp };
            // Too much by this pipeline's rules is read all the same, and refused then.
            let looks = folder::look(&folder, Bounds::widest(2));
            match inbox_file.is_folder(bounds) && obstacle(&agent).is_none() {
                true => claim_folder(inbox_file, looks, metadata, now),
                false => {
                    let stamp = looks.map_or(stamp, |looks| looks.stamp(stamp, now.time));
                    claim(InboxFile { stamp, ..inbox_file }, &agent, now)
                }
            }
        }
        Err(error) if error.kind() != ErrorKind::NotFound => unseen(OsStr::new(&file), &error),
        Err(_) if is_fresh(metadata, now.time) => Sight::Unsettled,
        Err(_) => refused(
            name,
            Some(miner),
            format!(
                "is a folder without {AGENT}; put the agent there, or an empty one beside programs of tasks"
            ),
        ),
    }
}

fn claim(inbox_file: InboxFile, metadata: &Metadata, now: &Now<'_>) -> Sight {
    let fresh = is_fresh(metadata, now.time);
    match obstacle(metadata) {
        // A file of two names may be on its way from the one to the other.
        Some(reason) if !fresh || !metadata.is_file() => Sight::Rejected(inbox_file.rejection(None, reason)),
        obstacle => {
            let settled = !fresh || obstacle.is_none() && now.closed.contains(Path::new(&inbox_file.file));
            Sight::Claim(Claim { inbox_file, settled, changed: changed(metadata) })
        }
    }
}

/// A folder of which all files count: they are finished once nothing in it was modified for a while, as more may be on their way
/// into it.
fn claim_folder(
    inbox_file: InboxFile,
    looks: Result<Looks, Fault>,
    metadata: &Metadata,
    now: &Now<'_>,
) -> Sight {
    let refused = |reason: String| Sight::Rejected(inbox_file.rejection(None, reason));
    match looks {
        Ok(looks) => {
            let stamp = looks.stamp(inbox_file.stamp, now.time);
            let (settled, changed) = (looks.is_settled(now.time), looks.changed());
            Sight::Claim(Claim { inbox_file: InboxFile { stamp, ..inbox_file }, settled, changed })
        }
        Err(Fault::Changing) => Sight::Unsettled,
        Err(_) if is_fresh(metadata, now.time) => Sight::Unsettled,
        Err(Fault::Refused(reason)) => refused(reason),
        Err(Fault::Failed(error)) => refused(format!("can't be looked at: {error}")),
    }
}

fn is_fresh(metadata: &Metadata, now: SystemTime) -> bool {
    metadata.modified().is_ok_and(|modified| is_near(modified, now))
}

fn refused(name: impl AsRef<OsStr>, miner: Option<Miner>, reason: impl Into<String>) -> Sight {
    Sight::Rejected(Rejection {
        file: printable(name.as_ref().as_bytes()),
        miner,
        line: None,
        reason: reason.into(),
        sha256: None,
        claims: None,
        perhaps: None,
    })
}

fn unseen(name: &OsStr, error: &io::Error) -> Sight {
    match error.kind() {
        // Withdrawn since its name was read.
        ErrorKind::NotFound | ErrorKind::NotADirectory => Sight::Nothing,
        _ => refused(name, None, format!("can't be looked at: {error}")),
    }
}
