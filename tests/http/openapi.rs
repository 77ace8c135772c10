//! The OpenAPI document says what the server does: paths, status codes, names of fields.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Folder, GOOD};

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap_or_else(|| panic!("no object: {object}")).keys().map(String::as_str).collect()
}

/// The value that a `$ref` in the document points to, or the value itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    pointer.map_or(value, |pointer| document.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}")))
}

#[test]
fn every_path_method_and_status_is_there() {
    let document = Folder::new("").serve().get("/openapi.json").json();
    let every = "403 429 503";
    let upload = "200 201 400 401 403 408 409 413 415 422 429 503".to_owned();
    let expected = [
        ("/", "get", format!("200 304 401 {every}")),
        ("/agents/{miner}", "get", format!("200 304 401 403 404 {}", &every[4..])),
        ("/events", "get", format!("200 401 {every}")),
        ("/feed.atom", "get", format!("200 304 401 {every}")),
        ("/healthz", "get", format!("200 {every}")),
        ("/metrics", "get", format!("200 401 {every}")),
        ("/models.html", "get", "200 304 401 403 404 429 503".to_owned()),
        ("/openapi.json", "get", format!("200 304 {every}")),
        ("/rankings", "get", format!("200 304 400 401 {every}")),
        ("/submissions/{sha256}", "get", format!("200 304 401 403 404 {}", &every[4..])),
        ("/tasks", "get", format!("200 304 400 {every}")),
        ("/tasks/{id}", "get", "200 304 403 404 429 503".to_owned()),
        ("/upload/agent", "post", upload.clone()),
        ("/upload/agent", "put", upload),
    ];
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let codes: BTreeSet<&str> = keys(&operation["responses"]);
            for code in &codes {
                let response = resolved(&document, &operation["responses"][code]);
                assert!(response["description"].is_string(), "{path} {method} {code}");
            }
            let codes: Vec<&str> = codes.into_iter().collect();
            found.push((path.as_str(), method.as_str(), codes.join(" ")));
        }
    }
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn answers_have_the_fields_of_their_schemas() {
    let folder = Folder::new("");
    folder.write("results/rankings.json", &crate::guard::rankings().to_string());
    folder.write("results/agents/alice.json", &crate::guard::report().to_string());
    let api = folder.serve();
    let document = api.get("/openapi.json").json();
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    let fields = |name: &str| schema(name)["properties"].clone();
    let standing = api.get("/agents/alice").json();
    let rankings = api.get("/rankings").json();
    let carols = api.put("carol", "", GOOD).json();
    let source = api.get(&format!("/submissions/{}", carols["sha256"].as_str().unwrap())).json();
    let run = &standing["own"]["runs"][0];
    for (name, answer) in [
        ("Accepted", &carols),
        ("SubmittedSource", &source),
        ("Submission", &api.get("/agents/carol").json()["own"]["submission"]),
        ("Error", &api.get("/tasks/none").json()),
        ("Task", &api.get("/tasks").json()[0]),
        ("Row", &rankings["rankings"][0]),
        ("Standing", &standing),
        ("Run", run),
    ] {
        let known = fields(name);
        let mut documented = keys(&known);
        let optional = ["same_as", "same_bytes", "similar_to", "similarity", "sample", "frozen"]; // where there is one
        documented.retain(|field| !optional.contains(field));
        assert_eq!(keys(answer), documented, "{name}");
    }
    for (part, of, answer) in [
        ("tests", "Run", &run["tests"][0]),
        ("submissions", "SubmittedSource", &source["submissions"][0]),
        ("tests", "Task", &api.get("/tasks").json()[0]["tests"][0]),
        ("own", "Standing", &standing["own"]),
    ] {
        let property = &fields(of)[part];
        let inner = if property["type"] == json!("array") { &property["items"] } else { property };
        let mut documented = keys(&resolved(&document, inner)["properties"]);
        documented.retain(|field| !["stopped_early", "evaluated"].contains(field)); // where there is one
        assert_eq!(keys(answer), documented, "{part} of {of}");
    }
    assert!(keys(&rankings).is_subset(&keys(&fields("Rankings"))), "{rankings}");
}
