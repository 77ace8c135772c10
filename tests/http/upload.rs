//! Uploads: which are taken, which are refused, and what is left on the disk.

use std::fs;

use agentmill::model::joined;
use agentmill::util::digest;
use serde_json::json;

use crate::support::{Folder, GOOD};

const FORM: &str = "--XX\nContent-Disposition: form-data; name=\"miner_id\"\n\nalice\n--XX\nContent-Disposition: \
form-data; name=\"file\"; filename=\"../../evil.py\"\nContent-Type: text/x-python\n\nx = 1\n--XX--\n";

#[test]
fn a_form_as_curl_sends_it_is_taken() {
    let folder = Folder::new("");
    let answer = folder.serve().form(FORM);
    assert_eq!(answer.status, 201, "{answer:?}");
    let body = answer.json();
    assert_eq!(
        (&body["miner"], &body["file"], &body["door"]),
        (&json!("alice"), &json!("alice.py"), &json!("http"))
    );
    assert_eq!(folder.read("inbox/alice.py"), "x = 1");
    let receipt: serde_json::Value =
        serde_json::from_str(&folder.read("results/.uploads/alice.json")).unwrap();
    assert_eq!(receipt["sha256"], body["sha256"]);
    assert!(!folder.path().parent().unwrap().join("evil.py").exists());
}

#[test]
fn a_bare_source_is_taken_and_the_same_again_changes_nothing() {
    let folder = Folder::new("");
    let api = folder.serve();
    for (status, word) in [(201, "accepted"), (200, "unchanged")] {
        let answer = api.put("alice", "", GOOD);
        assert_eq!((answer.status, answer.json()["status"].as_str()), (status, Some(word)));
    }
    assert_eq!(folder.read("inbox/alice.py"), GOOD);
    let next = || {
        let answer = api.put("alice", "", GOOD).json();
        (answer["next"].as_str().unwrap().to_owned(), answer["sha256"].clone())
    };
    let (waits, sha256) = next();
    assert!(waits.starts_with("it is evaluated when it is its turn; "), "{waits}");
    let mut rankings = crate::guard::rankings();
    rankings["rankings"][0]["sha256"] = sha256;
    folder.write("results/rankings.json", &rankings.to_string());
    assert_eq!(next().0, "it is evaluated already; ask /agents/alice for the outcome");
    assert_eq!(api.put("alice", "Content-Type: text/x-python; charset=utf-8\r\n", "x = 2\n").status, 201);
    assert_eq!(folder.read("inbox/alice.py"), "x = 2\n");
}

/// A form as curl sends it of several files.
fn form_of(files: &[(&str, &str)]) -> String {
    let file = |(name, text): &(&str, &str)| {
        format!("--XX\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\n\n{text}\n")
    };
    let files: String = files.iter().map(file).collect();
    format!("--XX\nContent-Disposition: form-data; name=\"miner_id\"\n\nalice\n{files}--XX--\n")
}

#[test]
fn the_name_of_a_file_is_not_taken_for_the_file() {
    let folder = Folder::new("");
    let api = folder.serve();
    let nameless = |text| form_of(&[("agent.py", text)]).replace("; filename=\"agent.py\"", "");
    for text in ["agent.py", "mine/agent.py"] {
        let answer = api.form(&nameless(text));
        assert_eq!(answer.status, 422, "{answer:?}");
        assert!(answer.error().contains("-F file=@agent.py"), "{answer:?}");
    }
    assert_eq!(api.form(&nameless("x = 1  # not agent.py")).status, 201);
    let other = api.form(&form_of(&[("agent.py", "x = 1")]).replace("miner_id", "miner"));
    assert!(other.error().contains("no fields but miner_id and file; \"miner\" is none"), "{other:?}");
}

#[test]
fn several_files_are_one_submission_where_the_platform_takes_them() {
    let files =
        [("helpers.py", "x = 1"), ("agent.py", "import helpers"), ("parts/tree.py", "import helpers")];
    let joined = joined::join(files.iter().map(|(path, text)| (*path, text.as_bytes())));
    let folder = Folder::new("validate: {files: 3}");
    let api = folder.serve();
    let answer = api.form(&form_of(&files));
    assert_eq!((answer.status, answer.json()["sha256"].as_str()), (201, Some(&*digest::sha256(&joined))));
    assert_eq!(fs::read(folder.inbox().join("alice.py")).unwrap(), joined);
    assert_eq!(api.put("alice", "", std::str::from_utf8(&joined).unwrap()).status, 200);
    for (files, reason) in [
        (
            [("agent.py", "import helpers"), ("helpers.py", "x = 1\nimport numpy")],
            "helpers.py, line 2: imports numpy",
        ),
        (
            [("agent.py", "import helpers"), ("helper.py", "x = 1")],
            "handed in beside agent.py, by its path such as parts/tree.py",
        ),
        ([("agent.py", "x = 1"), ("../../evil.py", "x = 1")], "can't be imported"),
        ([("agent.py", "x = 1"), ("agent.py", "x = 1")], "has two files agent.py"),
        ([("solution.py", "x = 1"), ("helpers.py", "x = 1")], "has no agent.py"),
        ([("agent.py", "x = 1"), ("x.py: 1 bytes <==\nx", "x = 1")], ""),
    ] {
        let answer = api.form(&form_of(&files));
        assert_eq!(answer.status / 100, 4, "{answer:?}");
        assert!(answer.error().contains(reason), "{answer:?}");
    }
    let nameless = form_of(&files).replace("; filename=\"agent.py\"", "");
    assert!(api.form(&nameless).error().contains("takes its path as its file name"));
    let answer = Folder::new("").serve().form(&form_of(&files));
    assert_eq!(answer.status, 422);
    assert!(answer.error().contains("this pipeline takes one (validate.files)"), "{answer:?}");
}

#[test]
fn an_agent_in_a_folder_is_replaced_there() {
    let folder = Folder::new("");
    folder.write("inbox/Alice/agent.py", "x = 1\n");
    let answer = folder.serve().put("ALICE", "", GOOD);
    assert_eq!((answer.status, answer.json()["file"].as_str()), (201, Some("Alice/agent.py")));
    assert_eq!(folder.read("inbox/Alice/agent.py"), GOOD);
    assert!(!folder.inbox().join("alice.py").exists());
}

#[test]
fn sources_are_refused_with_line_and_reason() {
    let folder = Folder::new("validate: {max_bytes: 100B, forbid: ['\\beval\\(']}");
    let api = folder.serve();
    for (source, status, line, reason) in [
        ("import os\nimport numpy\n", 422, json!(2), "imports numpy"),
        ("x = eval('1')\n", 422, json!(1), "forbids"),
        ("", 422, json!(null), "is empty"),
        ("# nothing\n", 422, json!(null), "contains no code"),
        ("x = 1\0\n", 422, json!(1), "NUL"),
        (&"x".repeat(101), 413, json!(null), "larger than 100 bytes"),
    ] {
        let answer = api.put("alice", "", source);
        assert_eq!((answer.status, &answer.json()["line"]), (status, &line), "{answer:?}");
        assert!(answer.error().contains(reason), "{answer:?}");
    }
    assert_eq!(fs::read_dir(folder.inbox()).unwrap().count(), 0);
}

#[test]
fn ids_that_are_none_lead_nowhere() {
    let folder = Folder::new("");
    let api = folder.serve();
    for id in ["..%2Fx", "%2Fetc%2Fpasswd", "a%00b", "con", "%3Dcmd()", "a.py", "", "%0Aalice", "a%2Fagent"] {
        let answer = api.put(id, "", GOOD);
        assert_eq!(answer.status, 422, "{id}: {answer:?}");
        assert!(answer.error().contains("is not a miner id"), "{id}");
    }
    let form = FORM.replace("alice", "../alice");
    assert_eq!(api.form(&form).status, 422);
    for path in [
        "/tasks/..%2F..%2Fpipeline",
        "/tasks/../pipeline.yaml",
        "/agents/..%2Fx",
        "/tasks/%FF",
        "/agents/%FF",
    ] {
        assert_eq!(api.get(path).status, 404, "{path}");
    }
    assert_eq!(fs::read_dir(folder.inbox()).unwrap().count(), 0);
}

#[test]
fn requests_that_are_malformed_get_a_4xx() {
    let folder = Folder::new("");
    let api = folder.serve();
    for (form, status) in [
        ("", 400),
        ("nonsense", 400),
        (FORM.strip_suffix("--XX--\n").unwrap(), 400),
        (&FORM.replace("name=\"file\"", "name=\"miner_id\""), 400),
        (&FORM.replace("name=\"miner_id\"", "name=\"id\""), 422),
        (&FORM.replace("name=\"miner_id\"", "nam"), 422),
        ("--XX--\n", 422),
    ] {
        let answer = api.form(form);
        assert_eq!(answer.status, status, "{form}: {answer:?}");
        assert!(!answer.error().is_empty());
    }
    for query in ["", "?", "?miner=alice", "?miner_id=alice&miner_id=bob", "?miner_id=alice&x=1"] {
        let request = crate::support::request("PUT", &format!("/upload/agent{query}"), "", GOOD.as_bytes());
        assert_eq!(api.raw(&request).status, 400, "{query}");
    }
    assert_eq!(api.put("alice", "Content-Type: application/json\r\n", "{}").status, 415);
    assert_eq!(api.put("alice", "Content-Type: multipart/form-data\r\n", GOOD).status, 400);
    assert_eq!(api.raw(&crate::support::request("DELETE", "/tasks", "", b"")).status, 405);
    assert_eq!(api.get("/nowhere").status, 404);
    assert_eq!(fs::read_dir(folder.inbox()).unwrap().count(), 0);
}

#[test]
fn what_is_announced_too_large_is_refused_before_it_is_sent() {
    let folder = Folder::new("");
    let api = folder.serve();
    let head = "PUT /upload/agent?miner_id=alice HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let answer =
        api.raw(format!("{head}Expect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n").as_bytes());
    assert_eq!(answer.status, 413, "{answer:?}");
    let chunk = format!("40000\r\n{}\r\n", "x".repeat(0x40000));
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n");
    assert_eq!(api.raw(chunked.as_bytes()).status, 413);
    // Of a form the limit of the submission is told, not that of the body.
    let length = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 99999999999\r\n\r\n";
    let answer = api.raw(format!("{head}{length}").as_bytes());
    assert!(answer.error().contains("the submission is larger than 262144 bytes"), "{answer:?}");
}

#[test]
fn a_head_that_makes_something_else_of_the_body_is_refused() {
    let folder = Folder::new("");
    let api = folder.serve();
    for (more, status) in [
        ("Content-Range: bytes 0-1/2", 400),
        ("Content-Type: text/plain\r\nContent-Type: text/html", 400),
        ("Content-Encoding: gzip", 415),
        ("Content-Type: text/plain; Charset=\"utf-16\"", 415),
        ("Content-Type: text/plain;charset=UTF-8\r\nContent-Encoding: identity", 201),
    ] {
        let head = "PUT /upload/agent?miner_id=alice HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
        let answer = api.raw(format!("{head}{more}\r\nContent-Length: 6\r\n\r\nx = 1\n").as_bytes());
        assert_eq!(answer.status, status, "{more}: {answer:?}");
    }
}

#[test]
fn tasks_show_public_tests_only_and_follow_the_files() {
    let folder = Folder::new("");
    let api = folder.serve();
    let list = api.get("/tasks");
    assert!(!list.body.contains("secret") && !list.body.contains("'ab'"), "{list:?}");
    assert_eq!(list.json()[0]["hidden_tests"], 1);
    assert_eq!(list.json()[0]["tests"][0]["name"], "word");
    assert_eq!(list.json()[0]["tests"][0]["form"], "assert");
    assert!(list.json()[0]["timeout_ms"].is_u64() && list.json()[0]["memory"].is_u64(), "{list:?}");
    assert!(list.json()[0]["model"].is_null() && list.json()[0]["test_timeout_ms"].is_null());
    for path in ["/tasks/strings/reverse", "/tasks/strings%2Freverse"] {
        assert_eq!(api.get(path).json(), list.json()[0]);
    }
    folder.write("tasks/new.yaml", "prompt: new\ntests: [assert True]\n");
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    while api.get("/tasks/new").status != 200 {
        assert!(std::time::Instant::now() < deadline, "the new task is not seen");
        std::thread::yield_now();
    }
}

#[test]
fn miners_are_not_offered_a_task_that_no_stage_runs() {
    let folder = Folder::new("stages: [{name: all, tasks: [strings/*]}]\n");
    folder.write("tasks/later.yaml", "prompt: later\ntests: [assert True]\n");
    let api = folder.serve();
    let list = api.get("/tasks").json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["id"]), (1, &json!("strings/reverse")));
    assert_eq!(api.get("/tasks/later").status, 404);
}

#[test]
fn before_there_are_results_there_are_answers() {
    let folder = Folder::new("");
    let api = folder.serve();
    assert_eq!(api.get("/rankings").json(), json!({"rankings": [], "rejected": [], "pending": []}));
    assert!(api.get("/").head.contains("content-type: text/html"));
    assert_eq!(api.get("/agents/alice").status, 404);
    assert_eq!(api.get("/healthz").json(), json!({"status": "ok"}));
    let paths = api.get("/openapi.json").json()["paths"].as_object().unwrap().len();
    assert_eq!(paths, 13);
}
