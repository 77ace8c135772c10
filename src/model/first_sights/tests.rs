//! Order of first sights: uploads and dropped files.

use super::*;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

/// First miners with the bytes X by lines of miner, bytes, time of the line, and arrival if it was uploaded.
fn sights(lines: &[(&str, &str, i64, Option<i64>)]) -> FirstSights {
    let sight = |(miner, sha256, at, arrival): &(&str, &str, i64, Option<i64>)| Sight {
        sha256: (*sha256).to_owned(),
        miner: miner.parse().unwrap(),
        at: second(*at),
        // A file's own times are whatever its owner likes.
        came: Some(second(arrival.unwrap_or(0))),
        file: format!("{miner}.py"),
        via: if arrival.is_some() { Origin::Http } else { Origin::Dropped },
        refused: false,
        prints: Vec::new(),
        undecided: *miner == "undecided",
        packed: false,
        other: None,
    };
    lines.iter().map(sight).collect::<Vec<_>>().iter().collect()
}

fn order(lines: &[(&str, &str, i64, Option<i64>)]) -> String {
    let sights = sights(lines);
    let miners: Vec<_> = sights.miners("X").map(|(miner, _)| miner.to_string()).collect();
    let document = sights.documents().iter().find(|document| document.sha256 == "X").unwrap();
    assert_eq!(document.miner.as_str(), miners[0]);
    assert_eq!(sights.first("X"), Some(&document.miner));
    assert_eq!(sights.document("X", &document.miner).map(|at| &*sights.documents()[at].sha256), Some("X"));
    miners.join(" ")
}

#[test]
fn of_uploads_the_arrival_decides_and_not_the_wait_for_their_turn() {
    let thief_first = [("thief", "X", 18, Some(17)), ("alice", "X", 20, Some(16))];
    assert_eq!(order(&thief_first), "alice thief");
    let (alice, thief) = ("alice".parse().unwrap(), "thief".parse().unwrap());
    let sights = sights(&thief_first);
    assert_eq!(
        ["alice", "thief"].map(|who| sights.seen("X", &who.parse().unwrap())),
        [16, 17].map(|at| Some(second(at)))
    );
    assert!(sights.decides("X", &alice) < sights.decides("X", &thief));
    assert_eq!(sights.submitted_by(&alice)[0].at, second(16));
    assert_eq!(
        order(&[
            ("a", "Y", 1, Some(0)),
            ("c", "X", 18, Some(17)),
            ("b", "Y", 19, Some(18)),
            ("d", "X", 20, Some(16))
        ]),
        "d c"
    );
}

#[test]
fn a_dropped_file_is_before_uploads_whose_lines_stand_behind_its_own() {
    // The thief reads the inbox, uploads the file, and has the upload wait until a look has found it.
    assert_eq!(order(&[("alice", "X", 18, None), ("thief", "X", 20, Some(17))]), "alice thief");
    let variant = sights(&[("alice", "X", 18, None), ("thief", "Y", 20, Some(17))]);
    let time = |sha256, who: &str| variant.decides(sha256, &who.parse().unwrap());
    assert!(time("X", "alice") < time("Y", "thief"), "what it improves on is first, too");
    assert_eq!(variant.seen("X", &"alice".parse().unwrap()), Some(second(18)));
    assert_eq!(variant.documents().iter().map(|one| &*one.sha256).collect::<Vec<_>>(), ["X", "Y"]);
}

#[test]
fn a_file_that_was_found_after_an_upload_came_after_all_that_arrived_before_that() {
    let lines = [
        ("bo", "X", 18, Some(17)),
        ("mal", "X", 19, None),
        ("undecided", "X", 19, None),
        ("alice", "X", 20, Some(16)),
    ];
    assert_eq!(order(&lines), "alice bo mal undecided");
    assert!(sights(&lines).undecided("X").is_empty(), "alice was first with them");
    assert_eq!(
        order(&[("mal", "X", 19, None), ("undecided", "X", 19, None), ("alice", "X", 20, Some(16))]),
        "mal undecided alice"
    );
    let look = [("mal", "X", 19, None), ("undecided", "X", 19, None), ("alice", "X", 20, Some(16))];
    assert_eq!(sights(&look).undecided("X").len(), 2);
}

#[test]
fn documents_stand_elsewhere_under_another_revision() {
    let mut all = sights(&[("a", "X", 18, Some(17)), ("b", "Y", 19, Some(18))]);
    let before = all.revision();
    let earlier = sights(&[]);
    assert_ne!(before, earlier.revision());
    let again = Sight {
        sha256: "Y".into(),
        miner: "c".parse().unwrap(),
        at: second(20),
        came: Some(second(1)),
        file: "c.py".into(),
        via: Origin::Submit,
        refused: false,
        prints: Vec::new(),
        undecided: false,
        packed: false,
        other: None,
    };
    all.add(&again);
    assert_ne!(all.revision(), before);
    assert_eq!(all.documents()[0].miner.as_str(), "c");
}
