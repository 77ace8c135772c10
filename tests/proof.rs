//! Bundles by the real binary: packed in one folder and checked in another, by people who trust nobody.

mod testenv;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use agentmill::proof::manifest::{Entry, Kind, Manifest};
use agentmill::proof::signature;
use agentmill::util::digest;
use serde_json::Value;
use testenv::{DOUBLE_AGENT, DOUBLE_TASK, Finished, MOODY_AGENT, TestEnv};

const HALF: &str = "def double(x):\n    return 4\n";

/// Results of three agents, and a key.
fn evaluated() -> TestEnv {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT).agent("bo", HALF);
    let env = env.agent("cy", "def double(x):\n    import os\n    os._exit(3)\n");
    env.run();
    env.agentmill(&["bundle", "--make-key", at(&env, "season.key")]).code(0);
    env
}

fn at<'a>(env: &TestEnv, name: &str) -> &'a str {
    env.path(name).to_str().unwrap().to_owned().leak()
}

fn bundle(env: &TestEnv, name: &str, options: &[&str]) -> Finished {
    let words = [&["bundle", at(env, name), "--key", at(env, "season.key")], options].concat();
    env.agentmill(&words)
}

/// Checks a bundle in a folder that holds nothing else.
fn verify(bundle: &Path, key: &Path, options: &[&str]) -> Finished {
    let elsewhere = TestEnv::empty();
    let words = [bundle.to_str().unwrap(), "--key", key.to_str().unwrap()];
    elsewhere.agentmill(&[&["verify"], &words[..], options].concat())
}

fn check(env: &TestEnv, name: &str, options: &[&str]) -> Finished {
    verify(&env.path(name), &env.path("season.pub"), options)
}

/// Entries of a bundle, by name.
fn entries(bundle: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(bundle);
    let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        std::io::copy(&mut entry, &mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

/// A bundle with other entries, each with the right digest, signed by the organiser's own key: a lie.
fn forge(env: &TestEnv, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
    let whole = fs::read(env.path("b")).unwrap();
    let mut entries = entries(&whole);
    let manifest = Manifest::read(&entries.remove("manifest.json").unwrap()).unwrap();
    change(&mut entries);
    let named = entries.iter().map(|(name, bytes)| Entry {
        name: name.clone(),
        bytes: bytes.len() as u64,
        sha256: digest::sha256(bytes),
    });
    let manifest = Manifest { entries: named.collect(), ..manifest };
    let mut files = vec![("manifest.json".to_owned(), manifest.bytes())];
    files.extend(entries);
    sign(env, "forged", &archive(&files), &digest::sha256(&manifest.bytes()));
}

/// A tar archive as bundles are.
fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        // As it stands: not all that is forged is a path that the library would take.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        archive.append(&header, &bytes[..]).unwrap();
    }
    archive.into_inner().unwrap()
}

fn sign(env: &TestEnv, name: &str, bytes: &[u8], manifest_sha256: &str) {
    fs::write(env.path(name), bytes).unwrap();
    let key = signature::secret_key(&env.path("season.key")).unwrap();
    signature::sign(&env.path(name), manifest_sha256, &key).unwrap();
}

fn replace(entries: &mut BTreeMap<String, Vec<u8>>, name: &str, old: &str, new: &str) {
    let entry = entries.get_mut(name).unwrap();
    let text = String::from_utf8(entry.clone()).unwrap();
    assert!(text.contains(old), "{name} lacks {old:?}: {text}");
    *entry = text.replacen(old, new, 1).into_bytes();
}

#[test]
fn a_bundle_holds_elsewhere_and_every_changed_byte_is_named() {
    let env = evaluated();
    bundle(&env, "b", &[]).code(0);
    bundle(&env, "again", &[]).code(0);
    let whole = fs::read(env.path("b")).unwrap();
    assert_eq!(whole, fs::read(env.path("again")).unwrap(), "the same results make the same bytes");
    let found = check(&env, "b", &["--rerun", "3"]).code(0);
    found.prints(&["3 runs of 3 agents judged anew", "3 runs of 3 agents made again", "\nok\n"]);

    let names: Vec<String> = entries(&whole).into_keys().collect();
    for name in ["pipeline.yaml", "tasks/double.yaml", "results/claims/ann.jsonl", "results/ledger.jsonl"] {
        assert!(names.iter().any(|one| one == name), "{name} is not in {names:?}");
    }
    fs::copy(env.path("b.minisig"), env.path("changed.minisig")).unwrap();
    for place in (0..whole.len()).step_by(whole.len() / 25) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(env.path("changed"), bytes).unwrap();
        let found = check(&env, "changed", &[]);
        assert!(matches!(found.code, Some(1 | 2)), "{place}: {found}");
        let told = format!("{}{}", found.stdout, found.stderr);
        let is_named = names.iter().any(|name| told.contains(&format!("{name}: ")));
        let is_told = is_named || told.contains("last entry") || told.contains("is no bundle");
        assert!(is_told, "{place}: {found}");
        assert!(!told.contains("\nok\n") && !told.contains("panicked"), "{found}");
    }
}

#[test]
fn nothing_is_proved_without_the_organisers_signature() {
    let env = evaluated();
    bundle(&env, "b", &[]).code(0);
    // Verdicts that were changed along with all digests, and signed by somebody else.
    forge(&env, |entries| {
        replace(entries, "results/agents/bo.json", r#""verdict": "failed""#, r#""verdict": "passed""#);
    });
    fs::copy(env.path("b.minisig"), env.path("forged.minisig")).unwrap();
    check(&env, "forged", &[])
        .code(1)
        .prints(&["manifest.json: it is not the one that was signed", "not ok"]);
    env.agentmill(&["bundle", "--make-key", at(&env, "other.key")]).code(0);
    let other = verify(&env.path("b"), &env.path("other.pub"), &[]);
    other.code(1).prints(&["is different from public key", "not ok"]);
    fs::remove_file(env.path("b.minisig")).unwrap();
    check(&env, "b", &[]).code(2).complains(&["no signature, so nothing is proved"]);
    check(&env, "pipeline.yaml", &[]).code(2);
    bundle(&env, "c", &[]).code(0);
    verify(&env.path("c"), &env.path("pipeline.yaml"), &[]).code(2).complains(&["no public key"]);
    env.agentmill(&["bundle", at(&env, "d"), "--key", at(&env, "pipeline.yaml")]).code(2);
    assert!(!env.path("d").exists());
}

#[test]
fn an_agent_that_answers_more_than_is_kept_spoils_nobody_elses_proof() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    let env = env.agent("eve", "def double(x):\n    return 'x' * 900_000\n");
    env.run();
    env.agentmill(&["bundle", "--make-key", at(&env, "season.key")]).code(0);
    bundle(&env, "b", &[]).code(0);
    check(&env, "b", &[]).code(3).prints(&[
        "1 run of 2 agents judged anew\n1 run not judged anew: their answers were not kept\nnot kept: eve on double\n",
        "ok as far as it can be told: all but 1 run\n",
    ]);
}

#[test]
fn an_organiser_who_lies_is_found_out_run_by_run() {
    let env = evaluated();
    bundle(&env, "b", &[]).code(0);
    forge(&env, |entries| {
        replace(entries, "results/agents/bo.json", r#""verdict": "failed""#, r#""verdict": "passed""#);
        replace(entries, "results/agents/bo.json", r#""verdict": "failed""#, r#""verdict": "passed""#);
        replace(entries, "results/agents/bo.json", r#""score": 50.0"#, r#""score": 100.0"#);
    });
    check(&env, "forged", &[]).code(1).prints(&[
        "differs: bo on double: passed with 100 in the bundle, failed with 50 now; test 2: passed in the bundle, failed now",
        "; score is 50.0 in the ranking, 100.0 by the reports",
        "not ok",
    ]);
    // A line of the ranking alone.
    forge(&env, |entries| {
        replace(entries, "results/rankings.json", r#""score": 50.0"#, r#""score": 60.0"#);
    });
    check(&env, "forged", &[]).code(1).prints(&["bo: score is 60.0 in the ranking, 50.0 by the reports"]);
    // Tables that tell something else.
    forge(&env, |entries| replace(entries, "results/rankings.csv", ",bo,50,", ",bo,1,"));
    check(&env, "forged", &[]).code(1).prints(&["results/rankings.csv: line 3 is not as the ranking"]);
    forge(&env, |entries| replace(entries, "results/scores.csv", "double,50,", "double,51,"));
    check(&env, "forged", &[]).code(1).prints(&["results/scores.csv: line 3 is not as the ranking"]);
    forge(&env, |entries| replace(entries, "results/history.csv", ",bo,50,", ",bo,100,"));
    check(&env, "forged", &[]).code(1).prints(&["bo: results/history.csv: its last line does not tell"]);
    // An answer that nobody gave, a question that nobody asked, and no answers at all.
    forge(&env, |entries| replace(entries, "results/claims/bo.jsonl", "4}", "5}"));
    check(&env, "forged", &[])
        .code(1)
        .prints(&["bo on double: failed with 50 in the bundle, failed with 0 now"]);
    forge(&env, |entries| replace(entries, "results/claims/bo.jsonl", r#""asked":""#, r#""asked":"0"#));
    check(&env, "forged", &[])
        .code(1)
        .prints(&["bo on double: can't be judged anew: the judge asks something else"]);
    forge(&env, |entries| drop(entries.remove("results/claims/bo.jsonl")));
    check(&env, "forged", &[]).code(3).prints(&[
        "1 run not judged anew: their answers were not kept\nnot kept: bo on double\n",
        "ok as far as it can be told: all but 1 run",
    ]);
    forge(&env, |entries| {
        drop(entries.remove("results/claims/bo.jsonl"));
        replace(entries, "results/rankings.json", r#""score": 50.0"#, r#""score": 60.0"#);
    });
    check(&env, "forged", &[]).code(1).prints(&["not kept: bo on double", "not ok"]);
    // Another task than the one that was asked, another source, and an agent without a report.
    forge(&env, |entries| replace(entries, "tasks/double.yaml", "double it", "double that"));
    check(&env, "forged", &[]).code(1).prints(&["was made of another task, limits, image or source"]);
    forge(&env, |entries| entries.retain(|name, _| !name.starts_with("results/submissions/")));
    check(&env, "forged", &[]).code(1).prints(&["ann: its source is not in the bundle"]);
    forge(&env, |entries| drop(entries.remove("results/agents/ann.json")));
    check(&env, "forged", &[]).code(1).prints(&["ann: is ranked, and the bundle has no report of it"]);
    // Answers and verdict that go together, but are not the agent's: only a run made again tells.
    forge(&env, |entries| {
        replace(entries, "results/agents/bo.json", r#""verdict": "failed""#, r#""verdict": "passed""#);
        replace(entries, "results/agents/bo.json", r#""verdict": "failed""#, r#""verdict": "passed""#);
        replace(entries, "results/agents/bo.json", r#""score": 50.0"#, r#""score": 100.0"#);
        replace(entries, "results/claims/bo.jsonl", r#"\"value\": 4"#, r#"\"value\": 4 "#);
        let claims = entries.get_mut("results/claims/bo.jsonl").unwrap();
        let text = String::from_utf8(claims.clone()).unwrap();
        let last = text.rfind("4}").unwrap();
        *claims = format!("{}\\\"aa\\\"}}{}", &text[..last], &text[last + 2..]).into_bytes();
    });
    let found = check(&env, "forged", &["--rerun", "9"]).code(1);
    assert!(!found.stdout.contains("bo on double: passed"), "{found}");
    found.prints(&["bo on double: run again: passed with 100 in the bundle, failed with 50 now"]);
}

#[test]
fn answers_of_every_kind_are_judged_anew_to_the_same() {
    let task = "prompt: p\nsetup: |\n  import random\ntests:\n  \
        - assert double(2) == 4\n  \
        - assert agent.run('x', stdin='3').stdout == '6\\n'\n  \
        - assert Box(3).grow().size == 6\n  \
        - assert sorted(each([1, 2])) == [2, 4]\n  \
        - 'with raises(ValueError): double(None)'\n  \
        - score: 0.25 * (double(1) == 2)\n  \
        - {assert: slow() == 1, timeout: 1s}\n  \
        - assert double(3) == double(4)\n  \
        - assert double(random.random()) < random.random()\n";
    let agent = "import sys\ndef double(x):\n    if x is None: raise ValueError('x')\n    return 2 * x\n\
        class Box:\n    def __init__(self, size): self.size = size\n    def grow(self): return Box(2 * self.size)\n\
        def each(them):\n    for one in them: yield 2 * one\n\
        def slow():\n    while True: pass\n\
        if __name__ == '__main__': print(2 * int(sys.stdin.read()))\n";
    let cases = "prompt: add\ncases: cases\n";
    let adds = "import sys\nif __name__ == '__main__':\n    print(sum(map(int, sys.stdin.read().split())))\n";
    let dialogue = "prompt: talk\ncases: [{folder: talk, interactor: talk.py}]\n";
    let env = TestEnv::new().task("many", task).task("sum", cases).task("talk", dialogue);
    for (name, text) in [("1.in", "1 2\n"), ("1.ans", "3\n"), ("2.in", "5 5\n"), ("2.ans", "11\n")] {
        env.write(&format!("tasks/cases/{name}"), text);
    }
    env.write("tasks/talk/1.in", "4\n");
    env.write("tasks/talk.py", "def interact(talk, input, answer):\n    talk.print(input.strip())\n    return talk.readline() == '8'\n");
    env.drop_agent("ann", agent);
    env.drop_agent("bo", adds);
    env.drop_agent("cy", MOODY_AGENT);
    env.agentmill(&["run"]).code(0);
    env.agentmill(&["bundle", "--make-key", at(&env, "season.key")]).code(0);
    bundle(&env, "b", &[]).code(0);
    check(&env, "b", &[]).code(0).prints(&["9 runs of 3 agents judged anew", "\nok\n"]);
    // Nobody has moved: the second look at the same results finds the same, and keeps what is known.
    env.run();
    env.write("tasks/sum.yaml", "prompt: add them\ncases: cases\n");
    env.run();
    bundle(&env, "b", &[]).code(0);
    check(&env, "b", &[]).code(0).prints(&["9 runs of 3 agents judged anew"]);
}

#[test]
fn chance_in_an_agent_shows_when_it_is_run_again() {
    let env = TestEnv::new().task("double", "prompt: p\ntests:\n  - {score: double(1)}\n");
    env.drop_agent("ann", "import os\ndef double(x):\n    return os.urandom(1)[0] / 256\n");
    env.run();
    env.agentmill(&["bundle", "--make-key", at(&env, "season.key")]).code(0);
    bundle(&env, "b", &[]).code(0);
    check(&env, "b", &[]).code(0);
    check(&env, "b", &["--rerun", "1"]).code(1).prints(&["ann on double: run again: "]);
    let found = check(&env, "b", &["--rerun", "1", "--json"]).code(1);
    let json: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!((&json["ok"], &json["findings"][0]["miner"]), (&false.into(), &"ann".into()), "{found}");
}

#[test]
fn a_public_bundle_holds_nothing_hidden() {
    let task = "prompt: double it\nsetup: SECRET_SETUP = 1\ntests:\n  \
        - {assert: double(2) == 4, public: true}\n  - {assert: double(21) == 42, name: secret name}\n";
    let env = TestEnv::new().pipeline("board: public\n").task("double", task);
    env.drop_agent("ann", "def double(x):\n    return 2 * x  # source of ann\n");
    env.run();
    env.agentmill(&["bundle", "--make-key", at(&env, "season.key")]).code(0);
    bundle(&env, "p", &["--public"]).code(0);
    bundle(&env, "b", &[]).code(0);
    let whole = fs::read(env.path("p")).unwrap();
    let names: Vec<String> = entries(&whole).into_keys().collect();
    assert_eq!(names, ["manifest.json", "rankings.json", "tasks.json"]);
    let text = String::from_utf8_lossy(&whole);
    for hidden in ["double(21)", "secret name", "SECRET_SETUP", "source of ann", "claim", "solution"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    assert!(
        text.contains("double(2) == 4") && text.contains("\"ann\"") && text.contains("\"hidden_tests\": 1")
    );
    let manifest = Manifest::read(&entries(&whole)["manifest.json"]).unwrap();
    assert_eq!(manifest.kind, Kind::Public);
    let full = fs::read(env.path("b")).unwrap();
    assert_eq!(manifest.full_sha256, Some(digest::sha256(&full)), "it commits to the full bundle");
    check(&env, "p", &[]).code(0).prints(&["public: there is nothing to be judged", "\nok\n"]);
    env.write("pipeline.yaml", "board: private\n");
    bundle(&env, "q", &["--public"]).code(0).prints(&["the ranking is left out"]);
    assert!(!entries(&fs::read(env.path("q")).unwrap()).contains_key("rankings.json"));
}

#[test]
fn no_secret_is_packed_and_nothing_but_a_bundle_is_replaced() {
    let env = TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT);
    env.write("tasks/students.csv", "id,name\nann,Ann Secretname\n");
    env.write("tasks/tokens.json", "{}");
    env.write("pipeline.yaml", "roster: tasks/students.csv\nserve: {tokens: tasks/tokens.json}\n");
    env.agentmill(&["bundle", "--make-key", at(&env, "tasks/old.key")]).code(0);
    env.agentmill(&["bundle", "--make-key", at(&env, "season.key")]).code(0);
    bundle(&env, "b", &[]).code(2).complains(&["there are no results in ", "`agentmill run` makes them"]);
    env.run();
    bundle(&env, "b", &[]).code(0);
    for name in ["b", "b.minisig"] {
        fs::copy(env.path(name), env.path(&format!("tasks/{name}"))).unwrap();
    }
    let told = bundle(&env, "b", &[]).code(0);
    let whole = fs::read(env.path("b")).unwrap();
    let tasks: Vec<String> = entries(&whole).into_keys().filter(|name| name.starts_with("tasks/")).collect();
    assert_eq!(tasks, ["tasks/double.yaml", "tasks/old.pub"]);
    let left_out = told.stdout.lines().filter(|line| line.starts_with("left out, as it is a key"));
    let left_out: Vec<&str> = left_out.filter_map(|line| line.rsplit('/').next()).collect();
    assert_eq!(left_out, ["b", "b.minisig", "old.key", "students.csv", "tokens.json"], "{told}");
    check(&env, "b", &[]).code(0).prints(&["\nok\n"]);
    // The key itself would be lost, and with it all that was ever signed by it.
    for name in ["season.key", "pipeline.yaml", "results/ledger.jsonl"] {
        let before = fs::read(env.path(name)).unwrap();
        bundle(&env, name, &[]).code(2).complains(&["is there already, and no bundle"]);
        assert_eq!(fs::read(env.path(name)).unwrap(), before);
    }
    bundle(&env, "inbox/x.py", &[]).code(2).complains(&["lies in the folder of the inbox"]);
}

#[test]
fn who_lacks_the_image_is_told_of_what_holds_without_it() {
    let env = evaluated();
    bundle(&env, "b", &[]).code(0);
    forge(&env, |entries| {
        let pipeline = b"sandbox: {image: 'nobody.invalid/none:1'}\n".to_vec();
        entries.insert("pipeline.yaml".into(), pipeline);
    });
    check(&env, "forged", &[]).code(69).complains(&[
        "signature and bytes are as they were signed, and no verdict was judged anew: image nobody.invalid/none:1 is not present",
    ]);
}

#[test]
fn hostile_archives_are_refused_and_leave_nothing() {
    let env = evaluated();
    bundle(&env, "b", &[]).code(0);
    let before = fs::read_dir(env.dir()).unwrap().count();
    let entry = |name: &str, bytes: u64| Entry { name: name.into(), bytes, sha256: digest::sha256(b"evil") };
    let manifest = |entries| Manifest::new(Kind::Full, "image".into(), None, entries).bytes();
    let packed = |name: &str| {
        let text = manifest(vec![entry(name, 4)]);
        archive(&[("manifest.json".into(), text), (name.into(), b"evil".to_vec())])
    };
    let outside = format!("{}/outside", env.dir().display());
    let deep = format!("{}evil", "a/".repeat(5000));
    let hostile: Vec<(&str, Vec<u8>)> = vec![
        ("out of it", packed("../evil")),
        ("somewhere else", packed(&outside[..outside.len().min(100)])),
        ("the manifest", archive(&[("manifest.json".into(), manifest(vec![entry("manifest.json", 4)]))])),
        ("a folder that is a file", {
            let text = manifest(vec![entry("a", 4), entry("a/b", 4)]);
            archive(&[("manifest.json".into(), text)])
        }),
        ("too deep", archive(&[("manifest.json".into(), manifest(vec![entry(&deep, 4)]))])),
        ("endless", archive(&[("manifest.json".into(), manifest(vec![entry("a", u64::MAX)]))])),
        ("no manifest", archive(&[("other".into(), b"{}".to_vec())])),
        ("nonsense", archive(&[("manifest.json".into(), b"[[[[".repeat(100_000))])),
        ("nothing", Vec::new()),
        ("zeros", vec![0; 1 << 20]),
        ("no archive", b"PK\x03\x04".repeat(1000)),
    ];
    for (what, bytes) in hostile {
        sign(&env, "hostile", &bytes, &"0".repeat(64));
        let found = check(&env, "hostile", &[]);
        assert!(matches!(found.code, Some(1 | 2)), "{what}: {found}");
        assert!(!found.stderr.contains("panicked") && !found.stderr.contains("a bug"), "{what}: {found}");
        assert!(!env.path("outside").exists() && !env.path("evil").exists(), "{what}");
    }
    // Rightly signed, but what is in it makes no sense.
    for (name, text) in [
        ("pipeline.yaml", "parallel: nonsense\n"),
        ("results/rankings.json", "{}"),
        ("results/ledger.jsonl", "nonsense\n"),
        ("tasks/double.yaml", "prompt: [\n"),
    ] {
        forge(&env, |entries| drop(entries.insert(name.into(), text.into())));
        let found = check(&env, "forged", &[]).code(2);
        assert!(!found.stderr.contains("panicked"), "{found}");
    }
    forge(&env, |entries| drop(entries.insert("results/agents/ann.json".into(), b"{}".to_vec())));
    check(&env, "forged", &[]).code(1).prints(&["ann: is ranked, and the bundle has no report of it"]);
    // What its pipeline.yaml would run, nobody runs.
    forge(&env, |entries| {
        let text = "sandbox: {launch: [touch, outside], runtime: evil, engine: docker}\nllm: {command: [touch, outside]}\n";
        entries.insert("pipeline.yaml".into(), text.into());
    });
    check(&env, "forged", &[]).code(0).prints(&["\nok\n"]);
    assert!(!env.path("outside").exists());
    assert_eq!(fs::read_dir(env.dir()).unwrap().count(), before + 4, "hostile, forged, their signatures");
}

#[test]
fn a_season_that_pays_for_improvements_is_verified_to_the_last_unit() {
    let env = TestEnv::new().pipeline(
        "season: {counts: best, submissions: {total: 5}}\nstages: [{name: all, pass_mark: 60}]\n\
         rewards: {pool: 100, improvement: {percent: 50, margin: 1, half_life: 30d}}\n",
    );
    let twice = DOUBLE_TASK.replace("double it", "make it twice as much");
    let env = env.task("double", DOUBLE_TASK).task("twice", &twice).agent("ann", HALF);
    env.run();
    env.drop_agent("ann", DOUBLE_AGENT);
    env.drop_agent("bo", "def double(x):\n    return 3\n");
    env.drop_agent("cy", "def double(x):\n    return x + x\n");
    env.run();
    // Worse than before: the best one stays.
    env.drop_agent("ann", "def double(x):\n    return 5\n");
    env.run();
    let [ann, bo] = ["ann", "bo"].map(|miner| env.rankings()[miner].clone());
    assert_eq!((ann["score"].as_str(), bo["score"].as_str()), ("100", "0"), "{ann:?} {bo:?}");
    assert!(ann["reward"].parse::<f64>().unwrap() > 0.0, "{ann:?}");
    env.agentmill(&["bundle", "--make-key", at(&env, "season.key")]).code(0);
    bundle(&env, "b", &[]).code(0);
    check(&env, "b", &[]).code(0).prints(&["6 runs of 3 agents judged anew", "\nok\n"]);
    // Fields that are left out tell something, too.
    forge(&env, |entries| {
        let rankings = String::from_utf8(entries["results/rankings.json"].clone()).unwrap();
        let at = rankings.find("\"reward\": ").unwrap();
        let end = at + rankings[at..].find(',').unwrap() + 1;
        let without = format!("{}{}", &rankings[..at], &rankings[end..]);
        entries.insert("results/rankings.json".into(), without.into_bytes());
    });
    check(&env, "forged", &[]).code(1).prints(&["ann: reward is null in the ranking, "]);
    // Another submission of hers than the best one.
    forge(&env, |entries| {
        let mut rankings: Value = serde_json::from_slice(&entries["results/rankings.json"]).unwrap();
        let worse = rankings["evaluated"][1].clone();
        let (row, hers) = ("/rankings/0", "/evaluated/1");
        for field in ["sha256", "first_seen", "score", "passed"] {
            let ranked = rankings.pointer(row).unwrap()[field].clone();
            rankings.pointer_mut(row).unwrap()[field] = worse[field].clone();
            rankings.pointer_mut(hers).unwrap()[field] = ranked;
        }
        entries.insert("results/rankings.json".into(), serde_json::to_vec(&rankings).unwrap());
    });
    check(&env, "forged", &[]).code(1).prints(&["ann: is ranked by submission ", " stands\n"]);
    forge(&env, |entries| {
        replace(entries, "results/rankings.json", r#""evaluated": ["#, r#""evaluates": ["#)
    });
    check(&env, "forged", &[]).code(1).prints(&["ann: its lines in evaluated are not as "]);
    // What improvements were paid by can't be made up.
    forge(&env, |entries| {
        let history = String::from_utf8(entries["results/history.csv"].clone()).unwrap();
        assert_eq!(history.matches(",ann,50,").count(), 1, "{history}");
        let forged = history.replace(",ann,50,", ",cy,50,");
        entries.insert("results/history.csv".into(), forged.into_bytes());
    });
    check(&env, "forged", &[]).code(1).prints(&["ann: reward is ", "not ok"]);
}
