//! Tests of a course's results: a title, everybody of the roster, no word of rewards.

use serde_json::json;

use super::*;
use crate::model::feedback::Feedback;

fn student(id: &str, name: &str, group: &str) -> Student {
    Student { id: miner(id), written: id.into(), name: name.into(), group: group.into() }
}

/// Bob is absent, dave waits, mallory was refused; alice and carol are ranked, and zed is on no list.
fn course() -> Pass {
    let mut pass = small();
    pass.reports[1].miner = miner("zed");
    pass.roster = vec![
        student("bob", "Bob =1", "B"),
        student("carol", "Carol Jones", "A"),
        student("dave", "Dave", ""),
        student("mallory", "Mallory", "B"),
        student("alice", "Alice Lee", "A"),
        student("wim", "Wim", "B"),
    ];
    // Of the ranked and the refused, who submitted, too, the state is theirs.
    pass.submitted = ["alice", "mallory", "wim"].into_iter().map(miner).collect();
    pass.title = Some("Programming 101");
    pass.rewards = None;
    pass
}

#[test]
fn everybody_of_the_roster_has_a_line() {
    let dir = tempfile::tempdir().unwrap();
    course().publish(dir.path());
    let lines = records(dir.path(), "rankings.csv");
    let columns = lines[0].len();
    assert_eq!(lines[0][columns - 3..], ["name", "group", "state"]);
    let line = |line: &Vec<String>| {
        [&line[0], &line[1], &line[columns - 3], &line[columns - 2], &line[columns - 1]]
            .map(String::as_str)
            .join("|")
    };
    assert_eq!(
        lines[1..].iter().map(line).collect::<Vec<_>>(),
        [
            "1|alice|Alice Lee|A|ranked",
            "2|carol|Carol Jones|A|ranked",
            "|zed|||ranked",
            "|bob|Bob =1|B|absent",
            "|dave|Dave||waiting",
            "|mallory|Mallory|B|refused",
            "|wim|Wim|B|withdrawn",
        ]
    );
    let json: serde_json::Value = serde_json::from_str(&read(dir.path(), "rankings.json")).unwrap();
    let ids = |listed: &serde_json::Value| -> Vec<String> {
        let one = |one: &serde_json::Value| format!("{} {}", one["id"], one["state"]).replace('"', "");
        listed.as_array().unwrap().iter().map(one).collect()
    };
    let everybody =
        ["alice ranked", "carol ranked", "bob absent", "dave waiting", "mallory refused", "wim withdrawn"];
    assert_eq!(ids(&json["roster"]), everybody);
    assert_eq!(ids(&on_page(dir.path())["roster"]), everybody);
}

#[test]
fn the_title_is_on_the_page_and_in_the_json() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = course();
    pass.title = Some("A <b> & \"B\"");
    pass.publish(dir.path());
    let page = read(dir.path(), "index.html");
    assert!(page.contains("<title>A &lt;b&gt; &amp; &quot;B&quot;</title>"), "{}", &page[..2000]);
    assert!(read(dir.path(), "rankings.json").contains(r#""title": "A <b> & \"B\"""#));
}

#[test]
fn without_rewards_no_file_says_a_word_of_any() {
    let dir = tempfile::tempdir().unwrap();
    course().publish(dir.path());
    for name in FILES {
        let text = read(dir.path(), name).to_lowercase();
        for word in ["reward", "\"token\"", "tao", "pool", "paid:", "awarded"] {
            assert!(!text.contains(word), "{word} in {name}");
        }
    }
}

#[test]
fn another_name_on_the_roster_is_published_though_nothing_was_evaluated() {
    let dir = tempfile::tempdir().unwrap();
    let mut pass = course();
    pass.publish(dir.path());
    pass.roster[0].name = "Robert".into();
    pass.publish_unevaluated(dir.path());
    assert!(read(dir.path(), "rankings.csv").contains("Robert"));
}

#[test]
fn a_page_that_all_see_marks_no_near_copies() {
    let mut pass = course();
    let near = NearCopy { percent: 93, similar_to: miner("alice"), withheld: false };
    pass.near = HashMap::from([(miner("carol"), near)]);
    for (board, expected) in [(Board::Private, json!(["alice", 0.93])), (Board::Public, json!(null))] {
        let dir = tempfile::tempdir().unwrap();
        pass.board = board;
        pass.publish(dir.path());
        assert_eq!(on_page(dir.path())["agents"][1]["similar"], expected, "{board:?}");
        assert!(read(dir.path(), "rankings.csv").contains(",alice,0.93,"), "the organiser's file");
    }
}

/// The tasks' scores are those of before, so the page says why the whole is less.
#[test]
fn the_page_tells_what_coming_late_cost_where_it_shows_scores() {
    for (feedback, expected) in [(Feedback::Tasks, json!(15.0)), (Feedback::None, json!(null))] {
        let dir = tempfile::tempdir().unwrap();
        let mut pass = course();
        pass.stages.iter_mut().for_each(|stage| stage.feedback = feedback);
        pass.penalty = Some((miner("alice"), 15.0));
        pass.publish(dir.path());
        assert_eq!(on_page(dir.path())["agents"][0]["late"], expected, "{feedback:?}");
        assert_eq!(on_page(dir.path())["agents"][1]["late"], json!(null));
    }
}
