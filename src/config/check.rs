//! Checks of single values, here and in task files.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use globset::{Glob, GlobBuilder};
use regex::Regex;
use serde_yaml::Value;

use crate::config::settings::{Allow, Split};
use crate::model::joined;
use crate::util::text::unseen;
use crate::util::units::{Size, Time};
use crate::yaml::{Kind, Place, describe, excerpt, list};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

/// `value`, if it lies between the bounds.
pub(crate) fn within<T: PartialOrd + Display>(value: T, low: T, high: T) -> Result<T, String> {
    match low <= value && value <= high {
        true => Ok(value),
        false => Err(format!("expected {low} to {high}, found {value}")),
    }
}

pub(crate) fn timeout(time: Time) -> Result<Duration, String> {
    let (low, high) = (Duration::from_millis(10), Duration::from_secs(3600));
    within(time, Time(low), Time(high)).map(|time| time.0)
}

/// The kernel counts CPU time in hundredths of a second or so.
pub(super) fn judge_time(time: Time) -> Result<Duration, String> {
    let (low, high) = (Duration::from_millis(100), Duration::from_secs(3600));
    within(time, Time(low), Time(high)).map(|time| time.0)
}

/// Beside a test's own, there are Python's and the largest values that an agent may return.
pub(super) fn judge_memory(bytes: Size) -> Result<u64, String> {
    size(bytes, 64 * MIB, TIB)
}

pub(super) fn wait(time: Time) -> Result<Duration, String> {
    within(time, Time(Duration::ZERO), Time(Duration::from_secs(24 * 3600))).map(|time| time.0)
}

fn size(size: Size, low: u64, high: u64) -> Result<u64, String> {
    within(size, Size(low), Size(high)).map(|size| size.0)
}

/// Python itself needs a good part of the least memory.
pub(crate) fn memory(bytes: Size) -> Result<u64, String> {
    size(bytes, 32 * MIB, TIB)
}

/// All of it comes in one frame.
pub(crate) fn output(bytes: Size) -> Result<u64, String> {
    size(bytes, KIB, 7 * MIB)
}

/// Three go into a frame (`sandbox::guest::frames`).
pub(crate) fn value(bytes: Size) -> Result<u64, String> {
    size(bytes, KIB, 64 * MIB)
}

/// Never 0: to an engine that means "no limit".
pub(super) fn tmp(bytes: Size) -> Result<u64, String> {
    size(bytes, 64 * KIB, TIB)
}

/// All of them are read and sent for each cell.
pub(super) fn files(bytes: Size) -> Result<u64, String> {
    size(bytes, 0, 512 * MIB)
}

/// Bytes that a submission may have at most, whatever the pipeline allows.
pub const MOST_BYTES: u64 = 16 * MIB;

pub(super) fn max_bytes(bytes: Size) -> Result<u64, String> {
    size(bytes, 1, MOST_BYTES)
}

/// All of them are looked at whenever one may have changed.
pub(super) fn submitted_files(files: usize) -> Result<usize, String> {
    within(files, 1, joined::MOST)
}

pub(super) fn cpus(cpus: f64) -> Result<f64, String> {
    within(cpus, 0.01, 1024.0)
}

/// The cell's own processes need some, too.
pub(super) fn pids(pids: u32) -> Result<u32, String> {
    within(pids, 8, 32768)
}

/// Less than a tenth is shared by chance.
pub(super) fn threshold(share: f64) -> Result<f64, String> {
    within(share, 0.1, 1.0)
}

pub(super) fn pass_mark(score: f64) -> Result<f64, String> {
    within(score, 0.0, 100.0)
}

pub(super) fn pool(tokens: f64) -> Result<f64, String> {
    match tokens {
        _ if tokens > 0.0 && tokens < SMALLEST => {
            Err(format!("expected at least {SMALLEST}, the smallest part that is paid, found {tokens}"))
        }
        0.0..=1e15 => Ok(tokens),
        _ => Err(format!("expected 0 to 1e15, found {tokens}")),
    }
}

/// The most that one miner earns.
pub(super) fn cap(tokens: f64) -> Result<f64, String> {
    match tokens == 0.0 {
        true => Err("0 pays nobody anything; leave cap out, or write `rewards: none`".to_owned()),
        false => pool(tokens),
    }
}

/// Tokens are paid in whole millionths.
const SMALLEST: f64 = 0.000_001;

/// The weight of a task or a test.
pub(crate) fn weight(weight: f64) -> Result<f64, String> {
    match weight > 0.0 {
        true => within(weight, 0.001, 1_000_000.0),
        false if weight == 0.0 => {
            Err("expected a number above 0, found 0; remove what is not to count".to_owned())
        }
        false => Err(format!("expected a number above 0, found {weight}")),
    }
}

pub(super) fn parallel(value: Value) -> Result<NonZeroUsize, String> {
    if value.as_str() == Some("auto") {
        return Ok(cores());
    }
    let number = value.as_u64().filter(|number| (1..=1024).contains(number));
    number
        .and_then(|number| usize::try_from(number).ok())
        .and_then(NonZeroUsize::new)
        .ok_or_else(|| format!("expected auto or a whole number from 1 to 1024, found {}", describe(&value)))
}

/// CPU cores this process may use.
pub(super) fn cores() -> NonZeroUsize {
    available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

pub(super) fn network(mode: Value) -> Result<(), String> {
    match mode.as_str() {
        Some("none") => Ok(()),
        _ => Err(format!("expected none, found {}: agents never get a network", describe(&mode))),
    }
}

pub(super) fn split(word: Value) -> Result<Split, String> {
    match word.as_str() {
        Some("proportional") => Ok(Split::Proportional),
        Some("winner") => Ok(Split::Winner),
        _ => Err(format!(
            "expected proportional, winner or a list such as [50, 30, 20], found {}",
            describe(&word)
        )),
    }
}

pub(super) fn path(path: String) -> Result<String, String> {
    match path.as_str() {
        "" => Err("expected a path, found an empty text".to_owned()),
        _ => no_control(path),
    }
}

/// Fits a heading.
pub(super) fn title(title: String) -> Result<String, String> {
    let shown = title.trim();
    match (1..=120).contains(&shown.chars().count()) && !shown.chars().any(unseen) {
        true => Ok(shown.to_owned()),
        false => Err(format!("expected a title of 1 to 120 characters, found {}", excerpt(&title))),
    }
}

/// A model's name at an endpoint.
pub(super) fn model(name: String) -> Result<String, String> {
    match (1..=255).contains(&name.len()) && !name.contains(char::is_control) {
        true => Ok(name),
        false => Err(format!("expected a model's name, found {}", excerpt(&name))),
    }
}

/// Something that stands as one word on an engine's command line.
pub(super) fn word(word: String) -> Result<String, String> {
    let graphic = word.chars().all(|c| c.is_ascii_graphic());
    match graphic && !word.is_empty() && !word.starts_with('-') && word.len() <= 255 {
        true => Ok(word),
        false => Err(format!(
            "expected a name without spaces and not starting with \"-\", found {}",
            excerpt(&word)
        )),
    }
}

/// The first name of a module, as imports have it.
pub(super) fn module(name: String) -> Result<String, String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    match !name.is_empty() && name.chars().all(is_name) && !name.starts_with(|c: char| c.is_numeric()) {
        true => Ok(name),
        false => Err(format!(
            "expected the name that an import begins with, such as numpy, found {}",
            excerpt(&name)
        )),
    }
}

pub(super) fn allow(word: Value) -> Result<Allow, String> {
    match word.as_str() {
        Some("image") => Ok(Allow::Image),
        _ => Err(format!("expected image or a list of modules such as [numpy], found {}", describe(&word))),
    }
}

/// The words of a command. One that is written as a text is told as the list that it is.
pub(super) fn command(place: Option<Place<'_>>) -> Option<Vec<String>> {
    let place = place?;
    if let Kind::Scalar(Value::String(text)) = &place.node.kind {
        let is_plain = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_alphabetic() || "/.".contains(c))
                && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        };
        let word = |word: &str| if is_plain(word) { word.to_owned() } else { format!("{word:?}") };
        let words: Vec<String> = text.split_whitespace().map(word).collect();
        let (found, words) = (excerpt(text), words.join(", "));
        place.complain(format!("expected a list, found {found}; write [{words}]"));
        return None;
    }
    list(Some(place), argument)
}

pub(super) fn argument(text: String) -> Result<String, String> {
    match text.as_str() {
        "" => Err("expected a word of a command, found an empty text".to_owned()),
        _ => no_control(text),
    }
}

fn no_control(text: String) -> Result<String, String> {
    match text.contains(char::is_control) {
        false => Ok(text),
        true => Err(format!("control characters in {}", excerpt(&text))),
    }
}

pub(super) fn token(token: String) -> Result<String, String> {
    let symbol = |c: char| c.is_alphanumeric() || "-_.$€£¥₿".contains(c);
    match (1..=16).contains(&token.chars().count()) && token.chars().all(symbol) {
        true => Ok(token),
        false => {
            Err(format!("expected 1 to 16 letters or digits such as \"TAO\", found {}", excerpt(&token)))
        }
    }
}

pub(super) fn stage_name(name: String) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    match (1..=64).contains(&name.len()) && name.chars().all(allowed) {
        true => Ok(name),
        false => Err(format!("expected 1 to 64 characters of a-z, 0-9, _ and -, found {}", excerpt(&name))),
    }
}

pub(super) fn regex(pattern: String) -> Result<Regex, String> {
    if pattern.contains('\u{8}') {
        return Err(
            r#"in double quotes "\b" is the backspace character; write '\b' in single quotes"#.to_owned()
        );
    }
    let regex = Regex::new(&pattern).map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        format!("not a regular expression: {}", last.trim_start_matches("error: "))
    })?;
    match regex.is_match("") && regex.is_match("x") {
        true => Err("matches everything, so it would refuse every submission".to_owned()),
        false => Ok(regex),
    }
}

/// `*` stays within a folder, `**` does not.
pub(crate) fn glob(pattern: String) -> Result<Glob, String> {
    if pattern.is_empty() {
        return Err("expected a pattern such as \"strings/*\", found an empty text".to_owned());
    }
    GlobBuilder::new(&pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| format!("not a valid pattern: {}", error.kind()))
}

/// One of `[50, 30, 20]`.
pub(super) fn percent(share: f64) -> Result<f64, String> {
    match share > 0.0 && share <= 100.0 {
        true => Ok(share),
        false => Err(format!("expected a percentage above 0 and up to 100, found {share}")),
    }
}
