//! Recordings: the same run made again asks nobody.

use std::time::Duration;

use crate::provider::{Provider, Says};
use crate::support::Folder;

#[test]
fn a_run_made_again_is_the_same_and_asks_nobody() {
    let provider = Provider::echo();
    let counter = std::sync::atomic::AtomicUsize::new(0);
    provider.says(move |asked| {
        let count = counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let words = if asked.is_control() { "yes".into() } else { format!("{count}") };
        Says::Text(words, Duration::ZERO)
    });
    let agent = "\ndef work():\n    return len({ask('same'), ask('same'), ask('other')})\n";
    let folder =
        Folder::with(&provider, "{allow: [m]}", &["work() == 3", "ask('last') != ask('last')"], agent);
    folder.expect_passed();
    let (asked, recording, run) = (provider.asked().len(), folder.recording(), folder.alice());
    assert_eq!((asked, recording.len()), (5, 5));
    assert_eq!((&recording[0]["tokens_in"], &recording[0]["cost"]), (&10.into(), &0.00002.into()));
    let scores = folder.read("results/scores.csv");
    let shown = folder.command(&["show", "alice"]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("asked of models in think: 5 requests, 50 tokens in, 25 out, $0.0001\n"),
        "{shown}"
    );
    // Nobody is there, and no key either.
    provider.stop();
    let again = folder.command(&["run", "--force"]).env_remove("TEST_KEY").output().unwrap();
    assert!(again.status.success(), "{again:?}");
    assert_eq!(folder.recording(), recording);
    let asked_of =
        |run: &serde_json::Value| (run["score"].clone(), run["tests"].clone(), run["usage"]["model"].clone());
    assert_eq!(asked_of(&folder.alice()), asked_of(&run));
    let without_times = |scores: &str| {
        scores.lines().nth(1).map(|line| line.split(',').skip(10).collect::<Vec<_>>().join(","))
    };
    assert_eq!(without_times(&folder.read("results/scores.csv")), without_times(&scores));
}

/// A refusal for answers that had taken too long comes again, although recorded ones take no time; and who asked nothing
/// needs nobody to be there.
#[test]
fn all_of_a_stage_is_the_same_with_nobody_there() {
    let provider =
        Provider::new(|asked| Says::Text(format!("echo {}", asked.text()), Duration::from_millis(300)));
    let agent = "\ndef work():\n    n = 0\n    while ask(str(n)) != 429:\n        n += 1\n    return n\n";
    let folder = Folder::with(&provider, "{allow: [m], wait: 1s}", &["0 < work() < 10"], agent);
    folder.agent("bob", "\ndef work():\n    return 5\n");
    let scores = |folder: &Folder| {
        let lines = folder.read("results/scores.csv");
        lines.lines().map(|line| line.split(',').take(7).collect::<Vec<_>>().join(",")).collect::<Vec<_>>()
    };
    folder.run(&[]);
    let before = scores(&folder);
    provider.stop();
    let ran = folder.run(&["--force"]);
    assert_eq!((ran.code, scores(&folder)), (Some(0), before.clone()), "{}", ran.said);
    assert!(before[1..].iter().all(|line| line.contains(",100,passed,")), "{before:?}");
}

#[test]
fn fresh_asks_again_and_a_question_that_differs_is_asked() {
    let provider = Provider::echo();
    let agent = "\ndef work():\n    return ask('a')\n";
    let folder = Folder::with(&provider, "{allow: [m]}", &["work() == 'echo a'"], agent);
    folder.expect_passed();
    let ran = folder.run(&["--fresh"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!((provider.asked().len(), folder.recording().len()), (2, 1));
    // Another budget is another run.
    let other = folder.read("pipeline.yaml").replace("{allow: [m]}", "{allow: [m], requests: 7}");
    folder.write("pipeline.yaml", &other);
    assert_eq!(folder.run(&[]).code, Some(0));
    assert_eq!(provider.asked().len(), 3);
}

/// A bundle's runs are made again elsewhere by its recordings, without a key and with nobody there.
#[test]
fn who_checks_a_bundle_makes_its_runs_again_by_the_recordings() {
    let provider = Provider::echo();
    let agent = "\ndef work():\n    return ask('a')\n";
    let folder = Folder::with(&provider, "{allow: [m]}", &["work() == 'echo a'"], agent);
    let key = |ending: &str| folder.path().join(format!("k.{ending}")).display().to_string();
    let said = |args: &[&str]| {
        let output = folder.command(args).env_remove("TEST_KEY").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code(), text)
    };
    let verified = || {
        assert_eq!(folder.run(&[]).code, Some(0));
        let bundle = folder.path().join("b").display().to_string();
        assert_eq!(said(&["bundle", &bundle, "--key", &key("key")]).0, Some(0));
        let asked = provider.asked().len();
        let verified = said(&["verify", &bundle, "--key", &key("pub"), "--rerun", "2"]);
        assert_eq!(provider.asked().len(), asked, "nobody is asked");
        verified
    };
    assert_eq!(said(&["bundle", "--make-key", &key("key")]).0, Some(0));
    let (code, told) = verified();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("1 run of 1 agent made again\n"), "{told}");
    folder.agent("bob", "\ndef work():\n    return ask(os.urandom(9).hex())[:5] and 'echo a'\n");
    let (code, told) = verified();
    assert_eq!(code, Some(3), "{told}");
    assert!(
        told.contains(
            "1 run of 2 agents made again\n1 run not made again: this time they asked a model what is not recorded\n\
             not made again: bob on work\n"
        ),
        "{told}"
    );
}
