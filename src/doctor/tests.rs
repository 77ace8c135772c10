//! Tests of the checks: versions of runc, free space, clocks.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::doctor::engine::{Answers, judge_runc};
use crate::doctor::machine::{judge_clock, judge_room};
use crate::model::python::Library;

#[test]
fn an_image_must_have_what_is_allowed_and_judges_the_same_python() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let library = |python: &str| Library {
        python: python.into(),
        standard: names(&["os"]),
        packages: Some(names(&["numpy"])),
    };
    let found = |allow: &str, judges: Option<&str>| {
        let text = format!("validate: {{allow: {allow}}}\njudge: {{image: 'judges:1'}}\n");
        let pipeline = crate::config::parse(Path::new("p"), text.as_bytes()).unwrap();
        let findings = modules::look(&pipeline, &library("3.11"), judges.map(library).as_ref());
        findings.into_iter().map(|finding| (finding.health, finding.text)).collect::<Vec<_>>()
    };
    assert_eq!(found("image", None), [(Health::Ok, "Python 3.11, and 1 package".to_owned())]);
    assert_eq!(found("[numpy, os]", Some("3.11"))[0].0, Health::Ok);
    let lacking = "the image lacks requests, shiny, which validate.allow names".to_owned();
    assert_eq!(found("[requests, numpy, shiny]", None), [(Health::Bad, lacking)]);
    let other = "python:3.11-slim has Python 3.11, judges:1 has Python 3.13".to_owned();
    assert_eq!(found("[]", Some("3.13"))[0], (Health::Bad, other));
}

#[test]
fn a_public_board_without_scores_is_told() {
    let found = |text: &str| {
        let pipeline = crate::config::parse(Path::new("p"), text.as_bytes()).unwrap();
        board::look(&pipeline).map(|finding| finding.line())
    };
    let stages = "stages: [{name: easy, tasks: [a]}, {name: hard, tasks: [b], feedback: none}]\n";
    let told = found(&format!("board: public\n{stages}")).unwrap();
    assert!(told.contains("stage hard has feedback: none; with feedback: score"), "{told}");
    assert_eq!(found(stages), None);
    assert_eq!(found("board: public\n"), None);
}

#[test]
fn a_key_that_runs_need_and_that_is_not_there_is_told() {
    let found = |text: &str| {
        let pipeline = crate::config::parse(Path::new("p"), text.as_bytes()).unwrap();
        model_key::look(&pipeline).map(|finding| finding.line())
    };
    let llm = "llm: {api_key_env: AGENTMILL_NO_SUCH_KEY}\n";
    let told = found(&format!("stages: [{{name: ask, model: {{allow: [m]}}}}]\n{llm}")).unwrap();
    assert!(told.starts_with("model: there is no key: set AGENTMILL_NO_SUCH_KEY"), "{told}");
    assert_eq!(found(llm), None, "nobody asks");
    assert_eq!(found("stages: [{name: ask, model: {allow: [m]}}]\nllm: {api_key_env: null}\n"), None);
}

fn version(runc: Value) -> Value {
    json!({"Server": {"Version": "20.10", "Components": [{"Name": "Engine"}, runc]}})
}

fn runc(commit: &str, version: &str) -> Value {
    json!({"Name": "runc", "Version": version, "Details": {"GitCommit": commit}})
}

#[test]
fn an_old_number_is_no_alarm_where_the_mend_is_known_or_possible() {
    for (version, expected) in [
        ("1.1.12", Health::Ok),
        ("v1.2.0-rc.1", Health::Ok),
        ("1.3.3+ds1-2", Health::Ok),
        ("1.1.5+ds1-1+deb12u1", Health::Ok),
        ("1.1.5+ds1-1", Health::Odd),
        ("1.1.7-0ubuntu1~22.04.2", Health::Odd),
        ("1.1.9-1.el9", Health::Odd),
        ("1.1.11", Health::Bad),
        ("v1.0.3-0-gf46b6ba2", Health::Bad),
        ("spam", Health::Odd),
        ("", Health::Odd),
    ] {
        let finding = judge_runc(version);
        assert_eq!(finding.health, expected, "{version}: {finding:?}");
        assert_eq!(finding.remedy.is_empty(), expected == Health::Ok);
    }
}

#[test]
fn the_package_version_is_more_telling_than_the_commit() {
    let found = |commit, number| {
        Answers::new(version(runc(commit, number)), json!({})).findings().pop().unwrap().text
    };
    assert!(found("1.1.5+ds1-1+deb12u1", "1.1.5+ds1").starts_with("1.1.5+ds1-1+deb12u1"));
    assert_eq!(found("v1.1.12-0-g51d5e946", "1.1.12"), "1.1.12");
}

#[test]
fn engines_that_say_less_are_fine() {
    let podman = Answers::new(json!({"Client": {"Version": "5.2\u{1b}[2J"}}), json!({"host": {}}));
    let findings = podman.findings();
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].health, findings[0].text.as_str()), (Health::Ok, "docker 5.2\\u{1b}[2J"));
    assert_eq!(Answers::new(Value::Null, Value::Null).findings()[0].text, "docker of unknown version");
}

#[test]
fn limits_that_can_not_be_set_are_named() {
    let info = json!({"MemoryLimit": true, "SwapLimit": false, "CpuCfsQuota": true, "PidsLimit": false});
    let finding = Answers::new(version(runc("", "1.2.3")), info).findings().pop().unwrap();
    assert_eq!((finding.what, finding.health), ("limits", Health::Bad));
    assert!(finding.text.contains("swap") && finding.text.contains("processes"), "{finding:?}");
    assert!(!finding.text.contains("CPU"), "{finding:?}");
}

#[test]
fn room_is_bytes_and_files() {
    let health = |bytes, files| judge_room("disk", Path::new("/x"), (bytes, files)).health;
    assert_eq!(health(2 << 30, Some(5)), Health::Ok);
    assert_eq!(health(2 << 30, None), Health::Ok);
    assert_eq!(health(1 << 29, None), Health::Odd);
    assert_eq!(health(1 << 20, None), Health::Bad);
    assert_eq!(health(2 << 30, Some(0)), Health::Bad);
}

#[test]
fn clocks_that_decide_who_was_first() {
    let now: Timestamp = "2027-01-01T12:00:00Z".parse().unwrap();
    let minute = SignedDuration::from_mins(1);
    let health = |now, last, engine| judge_clock(now, last, engine).health;
    assert_eq!(health(now, Some(now - minute), Some((now, now))), Health::Ok);
    assert_eq!(health(now, Some(now + minute), None), Health::Odd);
    assert_eq!(health(now, None, Some((now - minute, now))), Health::Odd);
    assert_eq!(health(Timestamp::UNIX_EPOCH, None, None), Health::Bad);
}

#[test]
fn remedies_stand_below_the_table() {
    let findings = [Finding::ok("image", "x"), Finding::bad("clock", "1970", "set it")];
    assert_eq!(rows(&findings, 0, &Layout::PLAIN), "CHECK       FOUND\nimage  ok   x\nclock  bad  1970\n");
    assert_eq!(rows(&findings, 1, &Layout::PLAIN), "clock  bad  1970\n", "the first stands there already");
    assert_eq!(remedies(&findings), "\nclock: 1970; set it\n");
}
