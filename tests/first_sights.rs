//! First sights over passes of a made-up sandbox: copies, resubmissions, restarts and damage between them.

mod passes;

use std::collections::BTreeMap;
use std::fs::{self};
use std::thread;
use std::time::{Duration, Instant};

use agentmill::config::Limits;
use agentmill::pipeline::Summary;
use agentmill::pipeline::intake::SETTLE;
use agentmill::pipeline::report_store::Unwritable;
use agentmill::sandbox::fake::Fake;
use agentmill::sandbox::{Checked, Fault, Opened, Sandbox};
use agentmill::submission::{self, Channel};
use agentmill::task::Task;
use agentmill::ui::Event;
use agentmill::yaml::Problems;
use passes::Folder;

const RIGHT: &str = "x = 1 # passes all";
const OTHER: &str = "x = 2 # passes all";

trait Copies {
    /// A pass; gives whom each ranked miner copied.
    fn copies(&self) -> BTreeMap<String, Option<String>>;
    fn ledger(&self) -> String;
}

impl Copies for Folder {
    fn copies(&self) -> BTreeMap<String, Option<String>> {
        let rows = self.pass(&Fake::default()).0.unwrap().rows;
        assert!(rows.iter().all(|row| row.duplicate_of.is_none() || row.reward == Some(0.0)));
        rows.into_iter().map(|row| (row.miner.into(), row.duplicate_of.map(String::from))).collect()
    }

    fn ledger(&self) -> String {
        self.read("ledger.jsonl")
    }
}

fn copies<const N: usize>(expected: [(&str, Option<&str>); N]) -> BTreeMap<String, Option<String>> {
    expected.into_iter().map(|(miner, of)| (miner.to_owned(), of.map(str::to_owned))).collect()
}

/// `touch -d 2001-01-01 abe.py` before anybody has looked.
#[test]
fn an_older_modification_time_makes_no_copy_an_original() {
    let folder = Folder::new("[assert x]");
    folder.drop("zoe.py", RIGHT);
    folder.copies();
    folder.put("abe.py", RIGHT, Duration::from_secs(25 * 365 * 86_400));
    assert_eq!(folder.copies(), copies([("abe", Some("zoe")), ("zoe", None)]));
}

/// A file may be stored into by way of a memory map, or renamed by another: its times don't tell who was first.
#[test]
fn of_equal_bytes_that_one_look_finds_nobody_is_paid_until_the_organiser_decides() {
    let folder = Folder::new("[assert x]");
    folder.drop("ann.py", OTHER);
    folder.drop("zoe.py", RIGHT);
    folder.put("abe.py", RIGHT, Duration::from_secs(25 * 365 * 86_400));
    let sha256 = agentmill::util::digest::sha256(RIGHT.as_bytes());
    let look = || {
        let (summary, told) = folder.pass(&Fake::default());
        let rows = summary.unwrap().rows;
        let words = |event| match event {
            Event::Warning(text) => Some(text),
            Event::Note(text) => Some(format!("note: {text}")),
            _ => None,
        };
        let told: Vec<String> = told.into_iter().filter_map(words).collect();
        let paid = |id: &str| rows.iter().find(|row| row.miner.as_str() == id).unwrap().reward.unwrap();
        let same = |id: &str| rows.iter().find(|row| row.miner.as_str() == id).unwrap().same_as.clone();
        (["abe", "ann", "zoe"].map(paid), ["abe", "ann", "zoe"].map(|id| same(id).len()), told.join(" "))
    };
    for before in [false, true] {
        let (paid, same, told) = look();
        assert_eq!(told.starts_with("note: "), before, "cron is told once: {told}");
        assert_eq!((paid, same), ([0.0, 100.0, 0.0], [1, 0, 1]));
        assert!(told.contains(&format!("similarity: {{originals: {{{sha256}: ")), "{told}");
    }
    let table = folder.read("rankings.csv");
    assert!(
        table.lines().next().unwrap().ends_with(",tier,pass_at_1,same_as") && table.contains(",abe\n"),
        "{table}"
    );
    assert!(folder.read("index.html").contains("\"same\":[\"zoe\"]"));
    // Who comes later is a copy, whoever was first.
    folder.drop("eve.py", RIGHT);
    assert!(folder.copies()["eve"].is_some());
    folder.remove("eve.py");
    let word = format!("similarity: {{originals: {{{sha256}: zoe}}}}\n");
    fs::write(folder.path("pipeline.yaml"), word).unwrap();
    assert_eq!(look(), ([0.0, 50.0, 50.0], [0; 3], String::new()));
    assert_eq!(folder.copies()["abe"].as_deref(), Some("zoe"));
    // Without a word, one of them alone is paid: the other has given up.
    fs::write(folder.path("pipeline.yaml"), "parallel: 2\n").unwrap();
    folder.remove("abe.py");
    let rows = folder.pass(&Fake::default()).0.unwrap().rows;
    assert!(rows.iter().all(|row| row.reward == Some(50.0) && row.same_as.is_empty()), "{rows:?}");
}

#[test]
fn an_original_that_was_replaced_and_comes_back_is_the_original_still() {
    let folder = Folder::new("[assert x]");
    folder.drop("zoe.py", RIGHT);
    folder.copies();
    folder.drop("abe.py", RIGHT);
    folder.copies();
    folder.drop("zoe.py", OTHER);
    assert_eq!(folder.copies(), copies([("abe", Some("zoe")), ("zoe", None)]));
    folder.drop("zoe.py", RIGHT);
    assert_eq!(folder.copies(), copies([("abe", Some("zoe")), ("zoe", None)]));

    // Withdrawn, moved, and dropped again; the reports are lost, too.
    folder.remove("zoe.py");
    assert_eq!(folder.copies(), copies([("abe", Some("zoe"))]));
    fs::remove_dir_all(folder.path("results/agents")).unwrap();
    folder.drop("zoe/agent.py", RIGHT);
    assert_eq!(folder.copies(), copies([("abe", Some("zoe")), ("zoe", None)]));
    let before = folder.ledger();
    assert_eq!(folder.copies(), copies([("abe", Some("zoe")), ("zoe", None)]));
    assert_eq!(folder.ledger(), before, "nothing new is no line");
}

/// A folder leaves the times of its files alone when it is moved.
#[test]
fn a_folder_that_is_moved_in_after_the_close_is_late_and_one_that_was_there_is_not() {
    let folder = Folder::new("[assert x]");
    folder.drop("ann/agent.py", RIGHT);
    fs::create_dir_all(folder.path("prep/eve")).unwrap();
    fs::write(folder.path("prep/eve/agent.py"), OTHER).unwrap();
    fs::write(folder.path("prep/bob.py"), OTHER).unwrap();
    thread::sleep(Duration::from_millis(50));
    let closes = jiff::Timestamp::now();
    fs::write(folder.path("pipeline.yaml"), format!("season: {{closes: {closes}}}\n")).unwrap();
    thread::sleep(Duration::from_millis(300));
    fs::rename(folder.path("prep/eve"), folder.path("inbox/eve")).unwrap();
    fs::rename(folder.path("prep/bob.py"), folder.path("inbox/bob.py")).unwrap();
    let summary = folder.pass(&Fake::default()).0.unwrap();
    let ranked: Vec<_> = summary.rows.iter().map(|row| row.miner.as_str()).collect();
    assert_eq!(ranked, ["ann"]);
    let late = summary.rejected.iter().filter(|one| one.reason.starts_with("is late: "));
    assert_eq!(late.map(|one| one.file.as_str()).collect::<Vec<_>>(), ["bob.py", "eve/agent.py"]);
}

/// Rules of validation that are loosened after the close make nobody late who changed nothing, whenever somebody looked; and nobody
/// in time who did.
#[test]
fn what_was_refused_in_time_is_in_time_once_the_rules_take_it() {
    let large = |text: &str| format!("x = 1 # passes all\n#{}", text.repeat(300));
    let looks = [[false, false], [true, false], [false, true], [true, true]];
    for (files, [before, after]) in [1, 2].into_iter().flat_map(|files| looks.map(|looks| (files, looks))) {
        let folder = Folder::new("[assert x]");
        let strict = format!("{{max_bytes: 200B, files: {files}, forbid: [forbidden]}}");
        let rules = |season: &str, validate: &str| {
            let text = format!("season: {{{season}}}\nvalidate: {validate}\n");
            fs::write(folder.path("pipeline.yaml"), text).unwrap();
        };
        let pass = || folder.pass(&Fake::default()).0.unwrap();
        rules("", &strict);
        folder.drop("word.py", "x = 1 # passes all, forbidden");
        folder.drop("big.py", &large("a"));
        folder.drop("mal.py", &large("b"));
        for beside in ["many/agent.py", "many/one.py", "many/two.py"] {
            folder.drop(beside, "import one, two # passes all");
        }
        if before {
            pass();
        }
        let closes = format!("closes: {}", jiff::Timestamp::now());
        rules(&closes, &strict);
        // A folder counts once it has stood still.
        thread::sleep(SETTLE + Duration::from_millis(50));
        folder.drop("eve.py", "x = 2 # passes all, forbidden");
        folder.drop("mal.py", &large("c"));
        if after {
            pass();
        }
        let loose = "{files: 5}";
        for validate in [loose, &strict, loose] {
            rules(&closes, validate);
            let Summary { rows, rejected, .. } = pass();
            let mut ranked: Vec<&str> = rows.iter().map(|row| row.miner.as_str()).collect();
            ranked.sort_unstable();
            let late = rejected.iter().filter(|one| one.reason.starts_with("is late: "));
            let late: Vec<&str> = late.map(|one| one.file.as_str()).collect();
            if validate == loose {
                let told = format!("files: {files}, looks: {before}, {after}");
                assert_eq!((ranked, late), (vec!["big", "many", "word"], vec!["eve.py", "mal.py"]), "{told}");
            }
        }
    }
}

/// The bytes of a file that a memory map stored into may change while its times stay: the look that saw others is the proof.
#[test]
fn bytes_that_the_last_look_did_not_see_came_after_it_whatever_their_file_says() {
    let folder = Folder::new("[assert x]");
    let stale = |at: jiff::Timestamp| format!("{{\"at\": \"{at}\", \"unread\": []}}");
    folder.drop("eve.py", RIGHT);
    let now = jiff::Timestamp::now();
    let closes = now + jiff::SignedDuration::from_secs(60);
    fs::write(folder.path("pipeline.yaml"), format!("season: {{closes: {closes}}}\n")).unwrap();
    fs::write(folder.path("results/.looked"), stale(closes + jiff::SignedDuration::from_millis(1))).unwrap();
    let summary = folder.pass(&Fake::default()).0.unwrap();
    assert_eq!((summary.rows.len(), summary.rejected.len()), (0, 1));
    assert!(folder.read(".looked").contains("\"at\""), "each pass leaves its own");
}

/// A copy in a packet has no fingerprints of what it does.
#[test]
fn a_packed_agent_is_marked_for_the_organiser_to_look_at() {
    let folder = Folder::new("[assert x]");
    folder.drop("zoe.py", RIGHT);
    let packed = "# passes all\nimport base64, zlib\nexec(zlib.decompress(base64.b85decode('c$}qH-;dii')))\n";
    folder.drop("abe.py", packed);
    for _ in 0..2 {
        let rows = folder.pass(&Fake::default()).0.unwrap().rows;
        let told: Vec<_> = rows.iter().map(|row| (row.miner.as_str(), row.packed, row.reward)).collect();
        assert_eq!(told, [("abe", true, Some(50.0)), ("zoe", false, Some(50.0))]);
    }
    let table = folder.read("rankings.csv");
    assert!(
        table.lines().next().unwrap().ends_with(",tier,pass_at_1,packed") && table.contains(",true\n"),
        "{table}"
    );
}

/// Has no image: the pass ends with its submissions still waiting.
struct Imageless;

impl Sandbox for Imageless {
    fn image(&self) -> Result<String, Fault> {
        Err(Fault::Engine("no image".into()))
    }

    fn check(&self, _tasks: &[Task]) -> Result<Checked, Fault> {
        unreachable!("there is no image to check them in")
    }

    fn expect(&self, _agents: usize, _limits: &Limits) {}

    fn open(&self, _source: Vec<u8>, _limits: &Limits) -> Result<Opened<'_>, Fault> {
        unreachable!("there is no image to open a cell of")
    }

    fn stop(&self) {}
}

#[test]
fn who_waits_when_a_pass_ends_was_first_all_the_same() {
    let folder = Folder::new("[assert x]");
    folder.drop("zoe.py", RIGHT);
    assert!(folder.pass(&Imageless).0.is_err());
    folder.drop("abe.py", RIGHT);
    // The inode changes anew, after abe's.
    folder.drop("zoe.py", RIGHT);
    assert_eq!(folder.copies(), copies([("abe", Some("zoe")), ("zoe", None)]));
}

#[test]
fn reports_of_an_older_agentmill_are_the_first_lines() {
    let folder = Folder::new("[assert x]");
    folder.drop("zoe.py", RIGHT);
    folder.copies();
    folder.drop("abe.py", RIGHT);
    folder.copies();
    fs::remove_file(folder.path("results/ledger.jsonl")).unwrap();
    folder.drop("eve.py", RIGHT);
    assert_eq!(folder.copies(), copies([("abe", Some("zoe")), ("eve", Some("zoe")), ("zoe", None)]));
    assert_eq!(folder.ledger().lines().count(), 3);
}

#[test]
fn half_of_a_line_is_told_and_a_foreign_line_ends_the_pass() {
    let folder = Folder::new("[assert x]");
    folder.drop("zoe.py", RIGHT);
    folder.copies();
    let whole = folder.ledger();
    fs::write(folder.path("results/ledger.jsonl"), format!("{whole}{{\"sha256\":\"01")).unwrap();
    folder.drop("abe.py", RIGHT);
    let (summary, told) = folder.pass(&Fake::default());
    assert_eq!(summary.unwrap().rows.len(), 2);
    let warned = |event: &Event| matches!(event, Event::Warning(text) if text.contains("line 2 ends in"));
    assert!(told.iter().any(warned), "{told:?}");

    let (damaged, ranking) =
        (format!("{whole}hello\n"), fs::read(folder.path("results/rankings.csv")).unwrap());
    fs::write(folder.path("results/ledger.jsonl"), &damaged).unwrap();
    let error = folder.pass(&Fake::default()).0.unwrap_err();
    assert!(error.is::<Problems>() && error.to_string().contains("ledger.jsonl:2:1: "), "{error}");
    assert_eq!(folder.ledger(), damaged);
    assert_eq!(fs::read(folder.path("results/rankings.csv")).unwrap(), ranking);
}

/// Takes the ledger away while an agent is evaluated, and drops another one.
struct Meddler<'a>(Fake, &'a Folder);

impl Sandbox for Meddler<'_> {
    fn image(&self) -> Result<String, Fault> {
        self.0.image()
    }

    fn check(&self, tasks: &[Task]) -> Result<Checked, Fault> {
        self.0.check(tasks)
    }

    fn expect(&self, agents: usize, limits: &Limits) {
        self.0.expect(agents, limits);
    }

    fn open(&self, source: Vec<u8>, limits: &Limits) -> Result<Opened<'_>, Fault> {
        if source == RIGHT.as_bytes() {
            fs::rename(self.1.path("results/ledger.jsonl"), self.1.path("away")).unwrap();
            self.1.drop("eve.py", OTHER);
        }
        self.0.open(source, limits)
    }

    fn stop(&self) {
        self.0.stop();
    }
}

#[test]
fn nobody_new_is_ranked_by_a_ledger_that_cannot_be_written() {
    let folder = Folder::new("[assert x]");
    folder.drop("ann.py", "x = 3");
    folder.copies();
    folder.drop("zoe.py", RIGHT);
    let ranking = fs::read(folder.path("results/rankings.csv")).unwrap();
    let error = folder.pass(&Meddler(Fake::default(), &folder)).0.unwrap_err();
    assert!(error.is::<Unwritable>(), "{error:#}");
    let told = format!("{error:#}");
    assert!(told.contains("the ledger of first sights can't be written") && told.contains("ledger.jsonl: "));
    assert_eq!(fs::read(folder.path("results/rankings.csv")).unwrap(), ranking);
    fs::rename(folder.path("away"), folder.path("results/ledger.jsonl")).unwrap();
    assert_eq!(folder.copies(), copies([("ann", None), ("eve", None), ("zoe", None)]));
    assert_eq!(folder.ledger().lines().count(), 3);
}

#[test]
fn the_ledger_tells_how_bytes_came() {
    let folder = Folder::new("[assert x]");
    let pipeline = folder.workspace().pipeline;
    let ann = "ann".parse().unwrap();
    submission::submit(&pipeline, &ann, RIGHT.as_bytes(), (Channel::Http, Instant::now())).unwrap();
    folder.drop("bob.py", "import numpy");
    thread::sleep(Duration::from_millis(300));
    folder.copies();
    folder.drop("ann.py", OTHER);
    folder.copies();
    let told = folder.ledger();
    let told: Vec<serde_json::Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = told.iter().map(|line| (&line["file"], &line["via"])).collect();
    assert_eq!(told.len(), 3);
    for (line, expected) in
        told.iter().zip([("ann.py", "http"), ("bob.py", "dropped"), ("ann.py", "dropped")])
    {
        assert_eq!(*line, (&expected.0.into(), &expected.1.into()));
    }
}

#[test]
fn an_id_claimed_twice_stays_with_the_one_that_has_it() {
    let folder = Folder::new("[assert x]");
    folder.drop("alice.py", RIGHT);
    folder.copies();
    folder.put("ALICE.py", OTHER, Duration::from_secs(1 << 30));
    folder.drop("alice/agent.py", OTHER);
    // Changed after the others came, and read by a process that was not there before.
    folder.drop("alice.py", "x = 3 # passes all");
    let summary = folder.pass(&Fake::default()).0.unwrap();
    let [row] = &summary.rows[..] else { panic!("{summary:?}") };
    assert_eq!((row.miner.as_str(), row.score), ("alice", Some(100.0)));
    let refused: Vec<_> = summary.rejected.iter().map(|refused| refused.file.as_str()).collect();
    assert_eq!(refused, ["ALICE.py", "alice/agent.py"]);
    let report = fs::read_to_string(folder.path("results/agents/alice.json")).unwrap();
    assert!(report.contains("\"file\": \"alice.py\""));

    folder.remove("alice.py");
    let summary = folder.pass(&Fake::default()).0.unwrap();
    assert_eq!((summary.rows.len(), summary.rejected.len()), (1, 1), "one of the others has it now");
}

/// The original is withdrawn before the copy comes, and another process reads who was first.
#[test]
fn a_near_copy_of_what_was_withdrawn_is_marked_and_earns_as_the_organiser_says() {
    let folder = Folder::new("[assert x]");
    let original = "# passes all\ndef longest(words):\n    best = ''\n    for word in words:\n        if len(word) > \
        len(best) and word.isalpha():\n            best = word\n        elif not word:\n            continue\n    \
        return best or None\n\n\ndef halves(text):\n    return [text[: len(text) // 2], text[len(text) // 2 :]]\n";
    folder.drop("zoe.py", original);
    folder.copies();
    folder.remove("zoe.py");
    folder.drop("abe.py", &original.replace("best", "top").replace("    return", "\n    # so\n    return"));
    for (action, reward) in [("flag", 100.0), ("withhold", 0.0)] {
        let pipeline = format!("parallel: 2\nsimilarity: {{action: {action}}}\n");
        fs::write(folder.path("pipeline.yaml"), pipeline).unwrap();
        let rows = folder.pass(&Fake::default()).0.unwrap().rows;
        assert_eq!((rows.len(), rows[0].miner.as_str(), rows[0].reward), (1, "abe", Some(reward)));
        assert_eq!((rows[0].similar_to.as_ref().unwrap().as_str(), rows[0].similarity), ("zoe", Some(1.0)));
    }
    let table = fs::read_to_string(folder.path("results/rankings.csv")).unwrap();
    assert!(table.lines().nth(1).unwrap().ends_with(",zoe,1,,,,100"), "{table}");
}

#[test]
fn near_copies_stand_side_by_side_for_the_organiser_and_nobody_else() {
    let folder = Folder::new("[assert x]");
    let original = "def longest(words):\n    best = ''\n    for word in words:\n        if len(word) > len(best) and \
                    word.isalpha():\n            best = word\n    return best\n\n\ndef count(text):\n    seen = {}\n    for c in \
                    text.lower():\n        seen[c] = seen.get(c, 0) + 1\n    return sorted(seen.items(), key=lambda x: (-x[1], \
                    x[0]))\n";
    folder.drop("ann.py", original);
    folder.pass(&Fake::default()).0.unwrap();
    assert!(!folder.path("results/similar").exists());
    folder.drop("bob.py", &format!("# mine\n{}", original.replace("best", "found").replace("seen", "bag")));
    folder.pass(&Fake::default()).0.unwrap();
    assert!(folder.read("rankings.csv").contains(",ann,1,"), "{}", folder.read("rankings.csv"));
    let similar = folder.read("similar/index.html");
    for text in ["bob: 100 % was seen with ann first", "    found = &#x27;&#x27;", "    best = &#x27;&#x27;"]
    {
        assert!(similar.contains(text), "{text}: {similar}");
    }
    let page = folder.read("index.html");
    assert!(page.contains("\"bob\"") && !page.contains("bag.get(") && !page.contains("isalpha"));
    folder.remove("bob.py");
    folder.pass(&Fake::default()).0.unwrap();
    assert!(folder.read("similar/index.html").contains("No near copies are ranked now"));
}
