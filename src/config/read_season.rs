//! Reading seasons and extensions.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use jiff::civil::Date;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde_yaml::Value;

use crate::config::check::within;
use crate::config::roster::Roster;
use crate::config::season::{Counts, Extension, Late, Season};
use crate::model::miner_id::Miner;
use crate::yaml::{self, Kind, Log, Place, Problems, Reader, describe, excerpt};

/// File of the extensions, beside pipeline.yaml.
const EXTENSIONS: &str = "extensions.yaml";

/// Percent that a late day costs where nothing is said.
const PER_DAY: f64 = 10.0;

/// Furthest that the clock of another system may go before ours.
const CLOCKS: SignedDuration = SignedDuration::from_hours(1);

/// A moment, and the zone that it was told in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    zone: Offset,
}

/// None where the section says nothing: then every submission counts, and the last one is ranked.
pub(super) fn season(mut fields: Reader<'_>, file: &Path) -> Option<Season> {
    let opens = fields.optional("opens", moment);
    let closes = fields.optional("closes", moment);
    let mut submissions = fields.section("submissions");
    let per_day = submissions.optional("per_day", |count| within(count, 1, 100_000));
    let total = submissions.optional("total", |count| within(count, 1, 1_000_000));
    submissions.finish();
    let counts = fields.field("counts", Counts::Last);
    // One that is wrong is complained about already.
    let is_open = closes.is_none() && fields.get("closes").is_none_or(|place| place.is_null());
    let late = late(fields.section("late"), closes, is_open);
    if let (Some(opens), Some(closes)) = (opens, closes)
        && closes.at <= opens.at
    {
        fields.complain("closes", "must be after opens");
    }
    fields.finish();
    let says = opens.or(closes).is_some() || per_day.or(total).is_some() || counts != Counts::Last;
    says.then(|| Season {
        opens: opens.map(|opens| opens.at),
        closes: closes.map(|closes| closes.at),
        zone: opens.or(closes).map_or(Offset::UTC, |moment| moment.zone),
        per_day,
        total,
        counts,
        late,
        extensions: BTreeMap::new(),
        file: file.with_file_name(EXTENSIONS),
    })
}

fn late(mut fields: Reader<'_>, closes: Option<Moment>, is_open: bool) -> Option<Late> {
    let until = fields.optional("until", moment);
    let per_day = fields.checked("per_day", PER_DAY, percent);
    match (until, closes) {
        (Some(_), None) if is_open => fields.complain("until", "takes closes: without it nothing is late"),
        (Some(until), Some(closes)) if until.at <= closes.at => {
            fields.complain("until", "must be after closes");
        }
        _ => {}
    }
    fields.finish();
    until.map(|until| Late { until: until.at, per_day })
}

/// A time as RFC 3339 has it, such as `2027-03-01T18:00:00+01:00`.
pub(super) fn moment(text: String) -> Result<Moment, String> {
    let found = || {
        let no_day = no_day(&text).map_or_else(String::new, |day| format!("; there is no day {day}"));
        let found = excerpt(&text);
        format!("expected a time with its zone such as 2027-03-01T18:00:00+01:00, found {found}{no_day}")
    };
    let at: Timestamp = text.parse().map_err(|_| found())?;
    let zone = Pieces::parse(&text).ok().and_then(|pieces| pieces.to_numeric_offset()).ok_or_else(found)?;
    let year = at.to_zoned_datetime(jiff::tz::TimeZone::UTC).year();
    within(year, 2000, 9000).map_err(|_| format!("expected a year from 2000 to 9000, found {year}"))?;
    Ok(Moment { at, zone })
}

/// The day that a text begins with, where the calendar has none of the kind, such as `2026-11-31`.
fn no_day(text: &str) -> Option<&str> {
    let day = text.get(..10)?;
    let like = |(c, like): (char, char)| if like == '-' { c == '-' } else { c.is_ascii_digit() };
    (day.chars().zip("0000-00-00".chars()).all(like) && day.parse::<Date>().is_err()).then_some(day)
}

/// `10%` or `10`. A number below 1 needs the sign, as it looks like a share.
fn percent(value: Value) -> Result<f64, String> {
    let text = || value.as_str()?.strip_suffix('%')?.trim_end().parse::<f64>().ok();
    let found = || format!("expected a percentage from 0% to 100%, found {}", describe(&value));
    let percent = value.as_f64().or_else(text).filter(|percent| (0.0..=100.0).contains(percent));
    match percent.ok_or_else(found)? {
        share if value.is_number() && share > 0.0 && share < 1.0 => {
            Err(format!("{}; a tenth is 10%, a tenth of a percent 0.1%", found()))
        }
        percent => Ok(percent),
    }
}

/// Reads the extensions beside a pipeline.yaml, if there are any, for its season. Where there is a roster, it names everybody who may
/// have one.
///
/// # Errors
/// Every mistake in the file at once; without an end nothing can be extended.
pub(super) fn load(
    pipeline: &Path,
    season: Option<&Season>,
    roster: Option<&Roster>,
) -> Result<BTreeMap<Miner, Extension>, Problems> {
    let file = pipeline.with_file_name(EXTENSIONS);
    if matches!(file.try_exists(), Ok(false)) {
        return Ok(BTreeMap::new());
    }
    let log = Log::new(&file);
    let read = |bytes: Vec<u8>| extensions(&log, &bytes, season, roster, Timestamp::now());
    let extensions = yaml::read_file(&log).and_then(read);
    log.finish(extensions)
}

fn extensions(
    log: &Log,
    bytes: &[u8],
    season: Option<&Season>,
    roster: Option<&Roster>,
    now: Timestamp,
) -> Option<BTreeMap<Miner, Extension>> {
    let root = yaml::parse(log, bytes)?;
    let entries = Place::root(log, &root).entries()?;
    let (mut first, mut all) = (BTreeMap::new(), BTreeMap::new());
    let students =
        roster.map(|roster| roster.students.iter().map(|student| &student.id).collect::<HashSet<_>>());
    for (name, place) in entries {
        let Some((miner, extension)) = extension(name, &place, season) else { continue };
        let is_strange = students.as_ref().is_some_and(|students| !students.contains(&miner));
        // Each is compared with all on the roster: what nobody reads is not worth that.
        if let Some(roster) = roster.filter(|_| is_strange && !log.is_full()) {
            roster.stranger(&miner).into_iter().for_each(|stranger| place.complain(stranger));
        }
        if let Some(first) = first.insert(miner.clone(), name) {
            place.complain(format!("stands here twice, as {first} and {name}; leave one of them"));
        }
        if extension.received.last().is_some_and(|last| *last > now + CLOCKS) {
            place.complain("received is in the future; say when the file came");
        }
        all.insert(miner, extension);
    }
    Some(all)
}

/// `ann: {closes: 2027-03-08T18:00:00+01:00}`, or `received` in its place or beside it.
fn extension(name: &str, place: &Place<'_>, season: Option<&Season>) -> Option<(Miner, Extension)> {
    let miner: Option<Miner> = name.parse().map_err(|message: String| place.complain(message)).ok();
    if let Kind::Scalar(_) = place.node.kind {
        place.complain(format!("expected fields such as {name}: {{closes: 2027-03-08T18:00:00+01:00}}"));
        return None;
    }
    let mut fields = place.fields()?;
    let received = received(&mut fields);
    let is_empty = fields.names().next().is_none();
    let closes = match is_empty {
        false => fields.optional("closes", moment),
        true => fields.required("closes").and_then(|place| place.value(moment)),
    };
    let closes = closes.map(|closes| closes.at);
    check(&fields, closes, &received, season);
    fields.finish();
    closes.or(received.first().copied()).and_then(|_| Some((miner?, Extension { closes, received })))
}

/// One time, or several that do not go back.
fn received(fields: &mut Reader<'_>) -> Vec<Timestamp> {
    let Some(place) = fields.get("received") else { return Vec::new() };
    let places = match place.node.kind {
        Kind::Sequence(_) => place.items().unwrap_or_default(),
        _ => vec![place.clone()],
    };
    let times: Vec<Timestamp> =
        places.iter().filter_map(|place| place.value(moment)).map(|moment| moment.at).collect();
    if places.is_empty() || !times.is_sorted() {
        place.complain("expected times in order: that of the first file, of the second and so on");
    }
    times
}

/// Refuses an extension of what has no end, or one that grants nothing.
fn check(fields: &Reader<'_>, later: Option<Timestamp>, received: &[Timestamp], season: Option<&Season>) {
    let opens = season.and_then(|season| season.opens);
    match (later, season.and_then(|season| season.closes)) {
        (Some(_), None) => {
            fields
                .complain("closes", "season.closes of pipeline.yaml is not set: there is nothing to extend");
        }
        (Some(later), Some(closes)) if later <= closes => {
            fields.complain("closes", "must be after season.closes of pipeline.yaml");
        }
        (None, None) if !received.is_empty() => {
            fields.complain("received", "season.closes of pipeline.yaml is not set: nothing is late");
        }
        _ => {}
    }
    if received.first().zip(opens).is_some_and(|(first, opens)| *first < opens) {
        fields.complain("received", "must not be before season.opens of pipeline.yaml");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Pipeline, parse};

    fn read(season: &str) -> Result<Pipeline, Vec<String>> {
        let text = format!("season: {season}");
        let problems = |problems: Problems| problems.0.iter().map(ToString::to_string).collect();
        parse(Path::new("pipeline.yaml"), text.as_bytes()).map_err(problems)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_section_that_says_nothing_is_no_season() {
        for nothing in ["", "{}", "{counts: last}", "{submissions: {per_day: null}, late: {per_day: 5%}}"] {
            assert_eq!(read(nothing).unwrap().season, None, "{nothing}");
        }
        assert_eq!(read("{counts: best}").unwrap().season.unwrap().counts, Counts::Best);
    }

    #[test]
    fn all_of_it_is_read() {
        let season = read(
            "{opens: 2027-03-01T00:00:00+01:00, closes: '2027-03-08T18:00Z', submissions: {per_day: 5, total: 100}, \
             counts: last_valid, late: {until: 2027-03-10T00:00:00Z, per_day: 12.5%}}",
        );
        let season = season.unwrap().season.unwrap();
        assert_eq!(
            (season.opens, season.closes),
            (Some(at("2027-02-28T23:00Z")), Some(at("2027-03-08T18:00Z")))
        );
        assert_eq!(season.zone, jiff::tz::offset(1));
        assert_eq!((season.per_day, season.total, season.counts), (Some(5), Some(100), Counts::LastValid));
        assert_eq!(season.late, Some(Late { until: at("2027-03-10T00:00Z"), per_day: 12.5 }));
        assert_eq!(season.file, Path::new("extensions.yaml"));
    }

    #[test]
    fn mistakes_are_told_with_their_places() {
        let told = |season: &str| read(season).unwrap_err().join("\n");
        let zone = told("{opens: 2027-03-01T00:00:00}");
        assert!(
            zone.starts_with("pipeline.yaml:1:17: season.opens: expected a time with its zone"),
            "{zone}"
        );
        for (season, message) in [
            ("{opens: 2027-03-01}", "season.opens: expected a time with its zone"),
            ("{closes: 2026-11-31T18:00:00+01:00}", "\"; there is no day 2026-11-31"),
            ("{opens: 1970-03-01T00:00Z}", "season.opens: expected a year from 2000 to 9000, found 1970"),
            ("{opens: 2027-03-02T00:00Z, closes: 2027-03-01T00:00Z}", "season.closes: must be after opens"),
            ("{submissions: {per_day: 0}}", "season.submissions.per_day: expected 1 to 100000, found 0"),
            ("{submissions: {total: 1.5}}", "season.submissions.total: expected a whole number"),
            ("{submissions: {per_week: 1}}", "season.submissions.per_week: unknown field"),
            ("{counts: first}", "season.counts: expected one of"),
            (
                "{late: {per_day: 0.1}}",
                "season.late.per_day: expected a percentage from 0% to 100%, found 0.1; a tenth is 10%",
            ),
            ("{late: {until: 2027-03-01T00:00Z}}", "season.late.until: takes closes"),
            ("{closes: null, late: {until: 2027-03-01T00:00Z}}", "season.late.until: takes closes"),
            ("{closes: 2027-03-01T00:00Z, late: {until: 2027-03-01T00:00Z}}", "must be after closes"),
            ("{late: {per_day: 101%}}", "season.late.per_day: expected a percentage from 0% to 100%"),
            ("{late: {per_day: ten}}", "season.late.per_day: expected a percentage from 0% to 100%"),
        ] {
            assert!(told(season).contains(message), "{season}: {}", told(season));
        }
        let wrong = told("{closes: 2027-03-01, late: {until: 2027-03-02T00:00Z}}");
        assert!(!wrong.contains("takes closes"), "one mistake is told once: {wrong}");
    }

    #[test]
    fn of_many_strangers_as_many_are_told_as_of_other_mistakes() {
        let ids = |start: &str, many: u32| (0..many).map(|n| format!("{start}{n}")).collect::<Vec<_>>();
        let student = |id: &String| crate::config::Student {
            id: id.parse().unwrap(),
            written: id.clone(),
            name: String::new(),
            group: String::new(),
        };
        let roster =
            Roster { file: "r.csv".into(), students: ids("student-", 300).iter().map(student).collect() };
        let strangers: String = ids("stranger-", 6000)
            .iter()
            .map(|id| format!("{id}: {{closes: 2027-03-09T00:00Z}}\n"))
            .collect();
        let log = Log::new(Path::new("extensions.yaml"));
        let season = self::read("{closes: 2027-03-08T00:00Z}").unwrap().season;
        extensions(&log, strangers.as_bytes(), season.as_ref(), Some(&roster), at("2027-04-01T00:00Z"));
        assert_eq!(log.into_problems().len(), 100);
    }

    #[test]
    fn extensions_are_read_and_their_mistakes_told() {
        let read = |text: &str, season: Option<&str>| {
            let log = Log::new(Path::new("extensions.yaml"));
            let season = season.map(|season| self::read(season).unwrap().season.unwrap());
            let read = extensions(&log, text.as_bytes(), season.as_ref(), None, at("2027-04-01T00:00Z"));
            log.finish(read).map_err(|problems| problems.to_string())
        };
        let closes = Some("{closes: 2027-03-08T00:00Z, opens: 2027-03-01T00:00Z}");
        let given = read("ann: {closes: 2027-03-09T00:00:00Z}\n", closes).unwrap();
        let later = |closes: Option<&str>, received: Option<&str>| {
            BTreeMap::from([(
                "ann".parse().unwrap(),
                Extension { closes: closes.map(at), received: received.into_iter().map(at).collect() },
            )])
        };
        assert_eq!(given, later(Some("2027-03-09T00:00Z"), None));
        let given = read("ann: {received: 2027-03-07T00:00:00Z}\n", closes).unwrap();
        assert_eq!(given, later(None, Some("2027-03-07T00:00Z")));
        let both = "ann: {received: 2027-03-08T12:00:00Z, closes: 2027-03-09T00:00:00Z}\n";
        assert_eq!(read(both, closes).unwrap(), later(Some("2027-03-09T00:00Z"), Some("2027-03-08T12:00Z")));
        assert_eq!(read("", closes).unwrap(), BTreeMap::new());
        for (text, message) in [
            (
                "ann: {closes: 2027-03-07T00:00:00Z}",
                "extensions.yaml:1:15: ann.closes: must be after season.closes",
            ),
            ("\nann: {}", "extensions.yaml:2:6: ann.closes: missing"),
            (
                "\nann: {recieved: 2027-03-09T00:00:00Z}",
                "extensions.yaml:2:7: ann.recieved: unknown field; did you mean \"received\"?",
            ),
            (
                "Ann: {closes: 2027-03-09T00:00:00Z}\nann: {closes: 2027-03-10T00:00:00Z}",
                "extensions.yaml:2:6: ann: stands here twice, as Ann and ann; leave one of them",
            ),
            (
                "ann: {received: [2027-03-03T00:00Z, 2028-03-04T00:00Z]}",
                "extensions.yaml:1:6: ann: received is in the future; say when the file came",
            ),
            ("a b: {closes: 2027-03-09T00:00:00Z}", "is not a miner id"),
            ("ann: {closes: soon}", "expected a time with its zone"),
            ("ann: {received: soon}", "ann.received: expected a time with its zone"),
            ("ann: {received: []}", "ann.received: expected times in order"),
            (
                "ann: {received: [2027-03-03T00:00Z, 2027-03-02T00:00Z]}",
                "ann.received: expected times in order",
            ),
            ("ann: {received: [2027-03-03T00:00Z, soon]}", "ann.received[1]: expected a time with its zone"),
            ("ann: {received: 2027-02-28T00:00Z}", "ann.received: must not be before season.opens"),
            ("ann: 2027-03-09T00:00:00Z", "extensions.yaml:1:6: ann: expected fields such as ann: {closes: "),
        ] {
            let told = read(text, closes).unwrap_err();
            assert!(told.contains(message), "{text}: {told}");
        }
        assert!(read("ann: {closes: 2027-03-09T00:00:00Z}", None).unwrap_err().contains("nothing to extend"));
        assert!(read("ann: {received: 2027-03-09T00:00:00Z}", None).unwrap_err().contains("nothing is late"));
    }

    #[test]
    fn with_a_roster_only_those_on_it_are_extended() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pipeline.yaml");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("pipeline.yaml", "season: {closes: 2027-03-08T00:00Z}\nroster: students.csv\n");
        write("students.csv", "id,name\nann,Ann\n");
        write("extensions.yaml", "Ann: {closes: 2027-03-09T00:00:00Z}\n");
        assert_eq!(crate::config::load(&file).unwrap().season.unwrap().extensions.len(), 1);
        write(
            "extensions.yaml",
            "ann: {closes: 2027-03-09T00:00:00Z}\nanna: {closes: 2027-03-09T00:00:00Z}\n",
        );
        let told = crate::config::load(&file).unwrap_err().to_string();
        assert!(told.contains("extensions.yaml:2:7: anna: anna is not on the roster, "), "{told}");
        let students =
            || crate::config::load_with_mistakes(&file).0.roster.map(|roster| roster.students.len());
        assert_eq!(students(), Some(1), "a mistake elsewhere empties no roster");
        write("students.csv", "no,nobody\n");
        assert_eq!(students(), None, "one that can't be read names nobody that is known of");
        write("pipeline.yaml", "season: {closes: 2027-03-08T00:00Z}\n");
        assert!(crate::config::load(&file).is_ok(), "without a roster nobody is unknown");
        write("pipeline.yaml", "");
        let told = crate::config::load(&file).unwrap_err().to_string();
        assert!(
            told.contains("extensions.yaml:1:15: ann.closes: season.closes of pipeline.yaml is not set"),
            "{told}"
        );
        write("pipeline.yaml", "season: {closes: 2027-03-08}\n");
        let told = crate::config::load(&file).unwrap_err().to_string();
        assert!(told.contains("season.closes: expected a time") && !told.contains("is not set"), "{told}");
    }
}
