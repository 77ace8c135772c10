//! Checks of folders, disks and clocks.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{Access, access, statvfs};

use crate::config::Pipeline;
use crate::doctor::Finding;
use crate::pipeline::intake::order::{self, Unreliable};
use crate::pipeline::ledger::last_look;
use crate::pipeline::publish::json;

/// Free space below which results, or containers, soon fail to be written.
const SCARCE: u64 = 1 << 30;

/// Free space below which they fail already.
const NONE: u64 = 32 << 20;

/// Largest difference between the engine's clock and ours at which its records can be told from older ones.
const APART: SignedDuration = SignedDuration::from_secs(10);

/// Time before this version was made: an earlier clock was never set.
const BUILT: &str = "2026-11-01T00:00:00Z";

/// The inbox and the results folder.
pub(super) fn folders(pipeline: &Pipeline) -> [Finding; 2] {
    [inbox(&pipeline.inbox), results(&pipeline.results)]
}

fn inbox(path: &Path) -> Finding {
    let shown = path.display();
    if let Err(error) = std::fs::read_dir(path) {
        return Finding::bad(
            "inbox",
            format!("{shown} can't be read: {error}"),
            "create it, or fix its permissions",
        );
    }
    let odd = |text: &str, remedy: &str| Finding::odd("inbox", format!("{shown} {text}"), remedy);
    match order::unreliable(path) {
        Some(Unreliable::Renamed) => {
            return odd(
                "lets others rename each other's files, so that nobody can tell which of two equal ones came first",
                "set its sticky bit (chmod +t), or take submissions over HTTP",
            );
        }
        Some(Unreliable::InMemory) => {
            return odd(
                "lies in memory, where a file's times don't tell when its bytes came",
                "put it on a disk, or take submissions over HTTP",
            );
        }
        None => {}
    }
    match access(path, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::ok("inbox", format!("{shown} can be read and written")),
        Err(error) => Finding::odd(
            "inbox",
            format!("{shown} can be read, not written: {error}"),
            "fine as long as only others drop files there",
        ),
    }
}

/// Tried with a real file: permissions don't tell of full disks and read-only mounts.
fn results(path: &Path) -> Finding {
    let shown = path.display();
    let folder = existing(path);
    match tempfile::Builder::new().prefix(".agentmill-").suffix(".tmp").tempfile_in(&folder) {
        Ok(_) if folder == path => Finding::ok("results", format!("{shown} can be written")),
        Ok(_) => Finding::ok("results", format!("{shown} can be created")),
        Err(error) => {
            let remedy = format!("fix the permissions of {}, or name another folder", folder.display());
            Finding::bad("results", format!("{shown} can't be written: {error}"), remedy)
        }
    }
}

/// The path itself or the nearest folder above it that is there.
fn existing(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|folder| folder.as_os_str().is_empty() || folder.exists());
    match there {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Room for results, and for containers where the engine's folder is on this machine and may be looked at.
pub(super) fn disks(pipeline: &Pipeline, engine_root: Option<&Path>) -> Vec<Finding> {
    let results = existing(&pipeline.results);
    let engine = engine_root.filter(|root| root.exists());
    let results = room(&results).map(|room| judge_room("disk", &results, room));
    let engine = engine.and_then(|root| Some(judge_room("engine's disk", root, room(root)?)));
    results.into_iter().chain(engine).collect()
}

/// Free bytes, and free files where the file system counts them.
fn room(path: &Path) -> Option<(u64, Option<u64>)> {
    let stat = statvfs(path).ok()?;
    let files = (stat.f_files > 0).then_some(stat.f_favail);
    Some((stat.f_bavail.saturating_mul(stat.f_frsize), files))
}

pub(super) fn judge_room(what: &'static str, path: &Path, (bytes, files): (u64, Option<u64>)) -> Finding {
    let text = format!("{} MiB free at {}", bytes >> 20, path.display());
    match (bytes, files) {
        (..NONE, _) | (_, Some(0)) => Finding::bad(what, text, "make room (df, df -i)"),
        (..SCARCE, _) => Finding::odd(what, text, "make room before it runs out"),
        _ => Finding::ok(what, text),
    }
}

/// Checks whether times can be trusted: they decide who was first.
pub(super) fn clock(pipeline: &Pipeline, engine: Option<(Timestamp, Timestamp)>) -> Finding {
    let published = json::load(&pipeline.results).ok().map(|rankings| rankings.generated_at);
    judge_clock(Timestamp::now(), published.max(last_look(&pipeline.results)), engine)
}

pub(super) fn judge_clock(
    now: Timestamp,
    last: Option<Timestamp>,
    engine: Option<(Timestamp, Timestamp)>,
) -> Finding {
    let remedy = "set the clock and keep it by NTP: who submitted first is decided by it";
    let text = format!("{}", now.strftime("%Y-%m-%d %H:%M:%S UTC"));
    if now < BUILT.parse().expect("a constant time") {
        return Finding::bad("clock", format!("{text}, before agentmill was made"), remedy);
    }
    if last.is_some_and(|last| last > now) {
        return Finding::odd("clock", format!("{text}, before the last results"), remedy);
    }
    match engine.map(|(theirs, ours)| theirs.duration_since(ours).abs()) {
        Some(apart) if apart > APART => {
            Finding::odd("clock", format!("{text}, {} s off the engine's", apart.as_secs()), remedy)
        }
        _ => Finding::ok("clock", text),
    }
}
