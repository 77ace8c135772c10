//! Freeze of the board: the last results before it, kept in a folder of their own for those who are shown no later ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::config::Freeze;
use crate::util::atomic_file::{self, blame};
use crate::util::regular;

/// The results that are shown. Of the history no time of a line would tell whether it came before: a clock may be set back.
const SHOWN: [&str; 3] = ["rankings.json", "index.html", "history.csv"];

/// The place in the page where its data begins.
const DATA: &str = "id=\"data\">{";

/// File in the folder that ends the freeze.
const REVEALED: &str = "revealed";

/// Folder of what was published last before a freeze. One that begins at another time has another folder.
pub fn folder(results: &Path, freeze: &Freeze) -> PathBuf {
    results.join(".frozen").join(freeze.from.as_second().to_string())
}

/// Tells whether the board shows what the folder holds, and not what was published since.
pub fn is_in_force(results: &Path, freeze: &Freeze, now: Timestamp) -> bool {
    let folder = folder(results, freeze);
    freeze.until.is_none_or(|until| now < until) && folder.is_dir() && !folder.join(REVEALED).exists()
}

/// Tells whether others are to see nothing of what a miner does: from the beginning of the freeze on, whether anything was published
/// since or not.
pub fn hides_news(results: &Path, freeze: &Freeze, now: Timestamp) -> bool {
    let is_kept = folder(results, freeze).is_dir();
    let has_begun = freeze.from <= now && freeze.until.is_none_or(|until| now < until);
    if is_kept { is_in_force(results, freeze, now) } else { has_begun }
}

/// Ends a freeze before its time, for good. Tells whether it was in force.
///
/// # Errors
/// It can't be noted; the message names the file.
pub fn reveal(results: &Path, freeze: &Freeze, now: Timestamp) -> io::Result<bool> {
    let in_force = is_in_force(results, freeze, now);
    if in_force {
        let text = format!("{now}\n");
        atomic_file::replace(&folder(results, freeze).join(REVEALED), text.as_bytes())?;
    }
    Ok(in_force)
}

/// Keeps the present results before the first publication after the freeze has begun.
///
/// # Errors
/// They can't be kept; the message names the file.
pub fn keep(results: &Path, freeze: &Freeze, now: Timestamp) -> io::Result<()> {
    let folder = folder(results, freeze);
    if now < freeze.from || folder.is_dir() {
        return Ok(());
    }
    // Whole or not at all: a folder that is there is never looked at again.
    let making = folder.with_extension("making");
    fs::create_dir_all(&making).map_err(|error| blame(&making, &error))?;
    for name in SHOWN {
        match regular::read(results.join(name)) {
            Ok(bytes) => drop(atomic_file::replace(&making.join(name), &bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(blame(&results.join(name), &error)),
        }
    }
    fs::rename(&making, &folder).map_err(|error| blame(&folder, &error))
}

/// The page whose data says until when, in seconds since 1970, the board is frozen (`true`: until it is revealed); one without data as
/// it is.
pub fn marked(page: Vec<u8>, freeze: &Freeze) -> Vec<u8> {
    let until = freeze.until.map_or_else(|| "true".to_owned(), |until| until.as_second().to_string());
    match String::from_utf8(page) {
        Ok(page) => page.replacen(DATA, &format!("{DATA}\"frozen\":{until},"), 1).into_bytes(),
        Err(page) => page.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_results_before_the_freeze_are_kept_once() {
        let results = tempfile::tempdir().unwrap();
        let at = |hour: i64| Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap();
        let freeze = Freeze { from: at(1), until: Some(at(3)) };
        let publish = |text: &str, now| {
            keep(results.path(), &freeze, now).unwrap();
            fs::write(results.path().join("rankings.json"), text).unwrap();
        };
        let in_force = |now| is_in_force(results.path(), &freeze, now);
        publish("before", at(0));
        assert!(!in_force(at(2)), "nothing was published since");
        let hides_news = |now| hides_news(results.path(), &freeze, now);
        assert_eq!([at(0), at(1), at(2), at(3)].map(hides_news), [false, true, true, false]);
        publish("during", at(1));
        publish("later", at(2));
        let kept = fs::read_to_string(folder(results.path(), &freeze).join("rankings.json")).unwrap();
        assert_eq!(kept, "before");
        assert_eq!(
            [at(0), at(2), at(3)].map(in_force),
            [true, true, false],
            "a clock that is set back shows nothing"
        );
        let reveal = |now| reveal(results.path(), &freeze, now).unwrap();
        assert_eq!([reveal(at(3)), reveal(at(2)), reveal(at(2))], [false, true, false]);
        assert!(!in_force(at(2)) && !in_force(at(0)) && !hides_news(at(2)), "it is for good");
        publish("after", at(2));
        assert!(!in_force(at(2)));
    }

    #[test]
    fn the_page_says_until_when_it_is_frozen() {
        let told = |until| {
            let page = b"<script id=\"data\">{\"live\":true}</script>".to_vec();
            String::from_utf8(marked(page, &Freeze { from: Timestamp::UNIX_EPOCH, until })).unwrap()
        };
        assert_eq!(told(None), "<script id=\"data\">{\"frozen\":true,\"live\":true}</script>");
        let until = Timestamp::from_second(1_800_000_000).unwrap();
        assert!(told(Some(until)).contains("{\"frozen\":1800000000,\"live\""));
    }

    #[test]
    fn nothing_is_shown_where_nothing_was_published_before() {
        let results = tempfile::tempdir().unwrap();
        let freeze = Freeze { from: Timestamp::UNIX_EPOCH, until: None };
        keep(results.path(), &freeze, Timestamp::now()).unwrap();
        assert!(is_in_force(results.path(), &freeze, Timestamp::now()));
        assert_eq!(fs::read_dir(folder(results.path(), &freeze)).unwrap().count(), 0);
    }
}
