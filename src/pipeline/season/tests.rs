//! Rules of a season, one by one; [`simulation`] has all of them at once.

mod board;
mod model;
mod simulation;

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::*;
use crate::config::Extension;
use crate::config::{self, Late};
use crate::model::first_sights::{Origin, Sight};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn season(text: &str) -> Season {
    let text = format!("season: {text}");
    config::parse(std::path::Path::new("pipeline.yaml"), text.as_bytes()).unwrap().season.unwrap()
}

fn ann() -> Miner {
    "ann".parse().unwrap()
}

/// A line of ann's in the ledger: digest, time, and whether it is no agent.
fn sight((sha256, came, refused): &(&str, &str, bool)) -> Sight {
    Sight {
        sha256: (*sha256).to_owned(),
        miner: ann(),
        at: at(came),
        came: None,
        file: "ann.py".to_owned(),
        via: Origin::Dropped,
        refused: *refused,
        prints: Vec::new(),
        undecided: false,
        packed: false,
        other: None,
    }
}

/// Several of them, oldest first.
fn lines(lines: &[(&str, &str, bool)]) -> FirstSights {
    lines.iter().map(sight).collect::<Vec<_>>().iter().collect()
}

fn sights(all: &[(&str, &str)]) -> FirstSights {
    lines(&all.iter().map(|(sha256, came)| (*sha256, *came, false)).collect::<Vec<_>>())
}

/// The organiser's word on ann.
fn extension(closes: Option<&str>, received: &[&str]) -> BTreeMap<Miner, Extension> {
    let received = received.iter().map(|time| at(time)).collect();
    BTreeMap::from([(ann(), Extension { closes: closes.map(at), received })])
}

/// The digests of what counts.
fn counted(season: &Season, sights: &FirstSights) -> Vec<String> {
    Course::of(season, &ann(), sights).counted().iter().map(|counted| counted.sha256.clone()).collect()
}

fn refusal(season: &Season, sights: &FirstSights, now: &str) -> (String, Option<Timestamp>) {
    match Course::of(season, &ann(), sights).decide("new", at(now)) {
        Decision::Refused(Refusal { reason, next }) => (reason, next),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_comes_before_the_season_is_told_when_it_opens_and_counts_then_if_it_still_lies_there() {
    let season = season("{opens: 2027-03-01T00:00:00+01:00}");
    let sights = sights(&[("A", "2027-02-27T12:00Z")]);
    let (reason, next) = refusal(&season, &sights, "2027-02-28T22:59:59Z");
    assert_eq!(reason, "is early: submissions count from 2027-03-01T00:00:00+01:00 on");
    assert_eq!(next, Some(at("2027-02-28T23:00Z")));
    let course = Course::of(&season, &ann(), &sights);
    assert_eq!(course.counted(), []);
    assert!(matches!(course.decide_lying("A", at("2027-02-28T22:00Z")).0, Decision::Refused(_)));
    assert_eq!(
        course.decide_lying("A", at("2027-03-05T09:00Z")),
        (Decision::Counts(0), at("2027-02-28T23:00Z"))
    );
    assert_eq!(course.decide("B", at("2027-02-28T23:00Z")), Decision::Counts(0));
}

#[test]
fn the_close_is_the_last_moment_and_may_be_later_for_some() {
    let mut season = season("{closes: 2027-03-08T18:00:00Z}");
    let empty = FirstSights::default();
    let course = Course::of(&season, &ann(), &empty);
    assert_eq!(course.decide("A", at("2027-03-08T18:00Z")), Decision::Counts(0));
    let (reason, next) = refusal(&season, &empty, "2027-03-08T18:00:00.001Z");
    assert_eq!(
        (reason.as_str(), next),
        ("is late: the last one that counts came by 2027-03-08T18:00:00+00:00", None)
    );
    // One that was refused counts if an extension is granted afterwards.
    let late = sights(&[("A", "2027-03-09T12:00Z")]);
    assert_eq!(counted(&season, &late), [""; 0]);
    season.extensions = extension(Some("2027-03-10T00:00Z"), &[]);
    assert_eq!(counted(&season, &late), ["A"]);
    assert!(matches!(
        Course::of(&season, &ann(), &late).decide("B", at("2027-03-10T00:00:01Z")),
        Decision::Refused(_)
    ));
}

/// Files that a teacher copies days after they came. An upload's time is known.
#[test]
fn what_was_dropped_came_when_the_organiser_says_and_an_upload_when_it_did() {
    let mut season =
        season("{closes: 2027-03-08T18:00Z, late: {until: 2027-03-20T00:00Z, per_day: 10%}, counts: last}");
    let dropped = sights(&[("A", "2027-03-12T00:00Z")]);
    let days = |season: &Season, sights: &FirstSights| {
        Course::of(season, &ann(), sights).counted().iter().map(|one| one.days_late).collect::<Vec<_>>()
    };
    assert_eq!(days(&season, &dropped), [4]);
    season.extensions = extension(None, &["2027-03-09T10:00Z"]);
    assert_eq!(days(&season, &dropped), [1]);
    let decided = Course::of(&season, &ann(), &dropped).decide_lying("A", at("2027-03-15T00:00Z")).0;
    assert_eq!(decided, Decision::Stands);
    season.extensions = extension(Some("2027-03-09T12:00Z"), &["2027-03-09T10:00Z"]);
    assert_eq!(days(&season, &dropped), [0]);
    let uploaded = Sight { via: Origin::Http, ..sight(&("A", "2027-03-12T00:00Z", false)) };
    season.extensions = extension(None, &["2027-03-08T10:00Z"]);
    assert_eq!(days(&season, &std::iter::once(&uploaded).collect()), [4]);
    let (_, next) = refusal(&season, &dropped, "2027-03-21T00:00Z");
    assert_eq!(next, None, "what comes now is late");
    season.extensions = extension(None, &["2027-03-20T00:00Z"]);
    assert_eq!(days(&season, &dropped), [4], "nothing comes after it was seen");
}

/// A second attempt that is copied later: the first keeps its time.
#[test]
fn of_several_dropped_files_each_has_its_own_time() {
    let mut season = season("{closes: 2027-03-08T18:00Z, late: {until: 2027-03-20T00:00Z, per_day: 10%}}");
    let days = |season: &Season, lines: &[(&str, &str)]| {
        let course = Course::of(season, &ann(), &sights(lines));
        course.all().iter().map(|one| one.came.strftime("%d").to_string()).collect::<Vec<_>>()
    };
    let lines = [("A", "2027-03-10T00:00Z"), ("B", "2027-03-13T00:00Z"), ("C", "2027-03-14T00:00Z")];
    season.extensions = extension(None, &["2027-03-07T10:00Z"]);
    assert_eq!(days(&season, &lines), ["07", "07", "07"]);
    season.extensions = extension(None, &["2027-03-07T10:00Z", "2027-03-12T10:00Z"]);
    assert_eq!(days(&season, &lines[..1]), ["07"]);
    assert_eq!(days(&season, &lines), ["07", "12", "12"]);
}

#[test]
fn late_days_cost_a_share_each_that_has_begun() {
    let mut season =
        season("{closes: 2027-03-08T18:00:00Z, late: {until: 2027-03-20T00:00:00Z, per_day: 12.5%}}");
    let penalty =
        |season: &Season, came: &str| Course::of(season, &ann(), &sights(&[("A", came)])).penalty("A");
    for (came, percent) in [
        ("2027-03-08T18:00:00Z", 0.0),
        ("2027-03-08T18:00:00.001Z", 12.5),
        ("2027-03-09T18:00:00Z", 12.5),
        ("2027-03-09T18:00:01Z", 25.0),
        ("2027-03-19T00:00:00Z", 100.0),
    ] {
        assert_eq!(penalty(&season, came), Some(percent), "{came}");
    }
    season.extensions = extension(Some("2027-03-09T18:00Z"), &[]);
    assert_eq!(penalty(&season, "2027-03-09T18:00:01Z"), Some(12.5), "from the own close on");
    season.late = None;
    assert_eq!(penalty(&season, "2027-03-09T18:00:00Z"), None);
}

#[test]
fn a_day_ends_at_midnight_in_the_zone_of_the_season() {
    let season = season("{opens: 2027-03-01T00:00:00+09:00, submissions: {per_day: 2}}");
    let two = sights(&[("A", "2027-03-04T15:00Z"), ("B", "2027-03-05T14:00Z")]);
    let (reason, next) = refusal(&season, &two, "2027-03-05T14:59:59Z");
    let expected = "is one too many: 2 submissions count on a day; the next one counts from 2027-03-06T00:00:00+09:00 on, and the last \
                    one that counted stands";
    assert_eq!((reason.as_str(), next), (expected, Some(at("2027-03-05T15:00Z"))));
    assert_eq!(Course::of(&season, &ann(), &two).decide("C", at("2027-03-05T15:00Z")), Decision::Counts(0));
    let closing = Season { closes: Some(at("2027-03-05T14:59:59Z")), ..season };
    assert_eq!(refusal(&closing, &two, "2027-03-05T14:59:00Z").1, None, "there is no next day");
}

#[test]
fn no_more_count_in_all_than_the_total() {
    let season = season("{submissions: {total: 2, per_day: 2}}");
    let sights =
        sights(&[("A", "2027-03-04T15:00Z"), ("B", "2027-03-05T14:00Z"), ("C", "2027-03-06T14:00Z")]);
    assert_eq!(counted(&season, &sights), ["A", "B"]);
    let (reason, next) = refusal(&season, &sights, "2027-03-09T00:00Z");
    assert_eq!(
        (reason.as_str(), next),
        ("is one too many: 2 submissions count in all; the last one that counted stands", None)
    );
    let best = Season { counts: Counts::Best, ..season };
    let (reason, _) = refusal(&best, &sights, "2027-03-09T00:00Z");
    assert_eq!(reason, "is one too many: 2 submissions count in all; the best one that counted stands");
}

#[test]
fn refused_ones_and_the_same_again_take_no_place_but_a_return_does() {
    let season = season("{submissions: {per_day: 2}}");
    let day = |hour: u8| format!("2027-03-04T{hour:02}:00Z");
    let (one, two, three) = (day(1), day(2), day(3));
    let all = lines(&[("A", &one, false), ("A", &two, false), ("bad", &two, true), ("B", &three, false)]);
    assert_eq!(counted(&season, &all), ["A", "B"]);
    assert!(matches!(Course::of(&season, &ann(), &all).decide("A", at(&day(4))), Decision::Refused(_)));
    // What turns out to be no agent gives its place back.
    let turned = lines(&[("A", &one, false), ("B", &two, false), ("B", &two, true), ("C", &three, false)]);
    assert_eq!(counted(&season, &turned), ["A", "C"]);
    let returned = lines(&[("A", &one, false), ("B", &two, false), ("A", "2027-03-05T00:00Z", false)]);
    assert_eq!(counted(&season, &returned), ["A", "B", "A"]);
}

/// Rules of validation are changed after the close, and who changed nothing is not late by that.
#[test]
fn what_was_no_agent_when_it_came_counts_from_then_on_once_it_is_one() {
    let season = season("{closes: 2027-03-08T18:00:00Z, late: {until: 2027-03-20T00:00:00Z, per_day: 10%}}");
    let (in_time, too, now) = ("2027-03-08T12:00Z", "2027-03-08T13:00Z", at("2027-03-10T12:00Z"));
    let lying = |all: &[(&str, &str, bool)]| {
        let sights = lines(all);
        Course::of(&season, &ann(), &sights).decide_lying("A", now)
    };
    let (at_first, late) = ((Decision::Counts(0), at(in_time)), (Decision::Counts(2), now));
    assert_eq!(lying(&[("A", in_time, true)]), at_first);
    assert_eq!(lying(&[("B", in_time, true), ("A", in_time, false), ("A", too, true)]), at_first);
    // Something else came in between: a return to bytes is a submission as any other.
    assert_eq!(lying(&[("A", in_time, true), ("B", too, false)]), late);
    assert_eq!(lying(&[("A", in_time, true), ("B", too, true)]), late);
    assert_eq!(lying(&[]), late);
    assert_eq!(lying(&[("A", "2027-03-08T18:30Z", true)]).0, Decision::Counts(1));
    // On a day without room it counts from the next one on, once and for all.
    let season = Season { per_day: Some(1), ..season.clone() };
    let (before, next) = ("2027-03-07T12:00Z", "2027-03-08T00:00Z");
    let full = [("B", before, false), ("A", before, true)];
    let course = lines(&full);
    assert_eq!(Course::of(&season, &ann(), &course).decide_lying("A", now), (Decision::Counts(0), at(next)));
    let written = lines(&[&full[..], &[("A", next, false)]].concat());
    let course = Course::of(&season, &ann(), &written);
    assert_eq!((course.counted()[1].came, course.decide_lying("A", now).0), (at(next), Decision::Stands));
    // The line that says so was written and the process died, or the file was moved: nothing is decided otherwise.
    for came in [in_time, "2027-03-10T12:00Z"] {
        let sights = lines(&[("A", in_time, true), ("A", came, false)]);
        let course = Course::of(&season, &ann(), &sights);
        assert_eq!((course.penalty("A"), course.counted()[0].came), (Some(0.0), at(in_time)));
        assert_eq!(course.decide_lying("A", now).0, Decision::Stands);
    }
}

/// A miner who hands in all day long holds up nobody's upload: each of them is counted once. The time to count
/// all anew for each would grow by the square.
#[test]
fn tens_of_thousands_of_submissions_are_counted_at_once() {
    let digests: Vec<String> = (0..30_000).map(|number| format!("{number}")).collect();
    let all: Vec<(&str, &str)> =
        digests.iter().map(|digest| (digest.as_str(), "2027-03-02T10:00:00Z")).collect();
    let (season, sights) =
        (season("{opens: 2027-03-01T00:00:00Z, submissions: {per_day: 29999}}"), sights(&all));
    assert_eq!(counted(&season, &sights).len(), 29_999);
    assert!(refusal(&season, &sights, "2027-03-02T11:00:00Z").0.starts_with("is one too many"));
}

#[test]
fn of_the_best_the_least_late_counts_and_of_the_last_the_last() {
    let until = at("2027-03-20T00:00Z");
    let all = sights(&[("A", "2027-03-07T00:00Z"), ("B", "2027-03-08T00:00Z"), ("A", "2027-03-08T20:00Z")]);
    let mut season = season("{closes: 2027-03-08T18:00:00Z}");
    season.late = Some(Late { until, per_day: 10.0 });
    assert_eq!(Course::of(&season, &ann(), &all).penalty("A"), Some(10.0));
    season.counts = Counts::Best;
    assert_eq!(Course::of(&season, &ann(), &all).penalty("A"), Some(0.0));
}

#[test]
fn what_lies_there_counts_from_the_first_day_that_has_room() {
    let season = season("{submissions: {per_day: 1}}");
    let all = sights(&[("A", "2027-03-04T10:00Z"), ("B", "2027-03-04T11:00Z")]);
    let course = Course::of(&season, &ann(), &all);
    let now = at("2027-03-04T11:00Z");
    assert!(matches!(course.decide_lying("B", now).0, Decision::Refused(_)));
    let later = now + SignedDuration::from_hours(24 * 7);
    assert_eq!(course.decide_lying("B", later), (Decision::Counts(0), at("2027-03-05T00:00Z")));
    assert_eq!(course.decide_lying("C", later), (Decision::Counts(0), later));
}

#[test]
fn what_is_left_is_told_for_today_and_in_all() {
    let season = season("{submissions: {per_day: 2, total: 3}, closes: 2027-03-09T00:00:00Z}");
    let room = |sights: &FirstSights, now: &str| {
        let Room { today, total, counts_now, next, end, .. } =
            Course::of(&season, &ann(), sights).room(at(now));
        assert_eq!(end, Some(at("2027-03-09T00:00Z")));
        (today.unwrap(), total.unwrap(), counts_now, next)
    };
    let one = sights(&[("A", "2027-03-04T10:00Z")]);
    assert_eq!(room(&one, "2027-03-04T11:00Z"), (1, 2, true, None));
    let two = sights(&[("A", "2027-03-04T10:00Z"), ("B", "2027-03-04T11:00Z")]);
    assert_eq!(room(&two, "2027-03-04T12:00Z"), (0, 1, false, Some(at("2027-03-05T00:00Z"))));
    assert_eq!(room(&two, "2027-03-05T12:00Z"), (2, 1, true, None));
    assert_eq!(room(&two, "2027-03-10T12:00Z"), (2, 1, false, None), "it is over");
    let three = sights(&[("A", "2027-03-04T10:00Z"), ("B", "2027-03-04T11:00Z"), ("C", "2027-03-05T11:00Z")]);
    assert_eq!(room(&three, "2027-03-06T12:00Z"), (2, 0, false, None));
}

#[test]
fn what_one_costs_that_comes_now_is_told_beforehand() {
    let season = season("{closes: 2027-03-08T18:00Z, late: {until: 2027-03-20T00:00Z, per_day: 12.5%}}");
    let costs = |now: &str| Course::of(&season, &ann(), &sights(&[])).room(at(now)).penalty_now;
    assert_eq!(costs("2027-03-08T18:00:00Z"), None);
    assert_eq!(costs("2027-03-09T19:00:00Z"), Some(25.0));
    assert_eq!(costs("2027-03-21T00:00:00Z"), None, "it does not count at all");
}
