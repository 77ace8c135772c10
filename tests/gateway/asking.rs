//! Questions that agents may ask, and what neither they nor anybody else gets to see.

use crate::provider::Provider;
use crate::support::{Folder, KEY};

const GRANT: &str = "{allow: [m, n], requests: 20}";

#[test]
fn every_kind_of_question_has_its_answer() {
    let provider = Provider::echo();
    let agent = r#"
def work():
    stream = chat("s", stream=True, stream_options={"include_usage": True})[1]
    events = [json.loads(line[6:]) for line in stream.split("\n\n") if line.startswith("data: {")]
    return [
        stream.endswith("data: [DONE]\n\n"),
        "".join(choice["delta"].get("content", "") for event in events for choice in event["choices"]),
        events[-1]["usage"]["total_tokens"],
    ]


def other():
    completion = json.loads(post("/completions", {"model": "m", "prompt": "p"})[1])["choices"][0]["text"]
    embedding = json.loads(post("/embeddings", {"model": "n", "input": "x"})[1])["data"][0]["embedding"]
    models = [model["id"] for model in json.loads(get("/models")[1])["data"]]
    return [completion, embedding, models, json.loads(get("/models/m")[1])["id"], get("/models/x")[0], post("/x", {})[0]]
"#;
    let tests = [
        "ask('hi', temperature=0.5) == 'echo hi'",
        "work() == [True, 'echo s', 15]",
        "other() == ['echo ', [0.5, 1.0], ['m', 'n'], 'm', 404, 404]",
    ];
    let folder = Folder::with(&provider, GRANT, &tests, agent);
    folder.task("work", &tests);
    let prompt = folder.read("tasks/work.yaml").replace("work(),", "work(), other(),");
    folder.write("tasks/work.yaml", &prompt);
    folder.expect_passed();
    let asked = provider.asked();
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert!(asked.iter().all(|asked| asked.head.contains(&format!("authorization: bearer {KEY}"))));
    assert_eq!(asked[0].body["temperature"], 0.5);
    assert!(asked[1].body.get("stream").is_none(), "a provider is never asked for a stream");
    let usage = &folder.alice()["usage"]["model"];
    assert_eq!(
        (&usage["requests"], &usage["tokens_in"], &usage["tokens_out"]),
        (&4.into(), &33.into(), &15.into())
    );
    assert_eq!((&usage["cost"], &usage["unpriced"]), (&0.00006.into(), &1.into()), "n has no price");
    let scores = folder.read("results/scores.csv");
    assert!(
        scores.lines().next().unwrap().ends_with(",max_rss_kib,requests,tokens_in,tokens_out,cost"),
        "{scores}"
    );
    assert!(scores.lines().nth(1).unwrap().ends_with(",4,33,15,"), "a cost that isn't known: {scores}");
    let rankings = folder.read("results/rankings.csv");
    assert!(rankings.lines().next().unwrap().ends_with(",cost,rank_low,rank_high,tier"), "{rankings}");
    assert!(rankings.lines().nth(1).unwrap().ends_with(",,,,"), "{rankings}");
}

#[test]
fn neither_key_nor_address_nor_headers_get_into_a_cell() {
    let provider = Provider::echo();
    let port = provider.address.port();
    provider.says(move |asked| match asked.text().as_str() {
        "wrong" => {
            let body = format!("{{\"error\": {{\"message\": \"no {KEY} at 127.0.0.1:{port}\"}}}}");
            crate::provider::Says::Status(400, "", body)
        }
        _ => crate::provider::Says::Text("yes".into(), std::time::Duration::ZERO),
    });
    let agent = r#"
def work():
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "wrong"}]})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    names = sorted(name for name in os.environ if "OPENAI" in name or "AGENTMILL" in name)
    seen = raw((head + body).encode()) + str(chat("x")) + str(dict(os.environ)) + open("/proc/self/environ").read()
    granted = json.loads(os.environ["AGENTMILL_BUDGET"])
    return [names, seen, granted["models"], granted["requests"]]
"#;
    let tests = [
        "work()[0] == ['AGENTMILL_BUDGET', 'OPENAI_API_KEY', 'OPENAI_BASE_URL']",
        &format!(
            "not [word for word in ('sk-test', ':{port}', 'hidden-header', 'X-Provider') if word in work()[1]]"
        ),
        "work()[1].startswith('HTTP/1.1 400') and 'no *** at ***' in work()[1]",
        "work()[2:] == [['m', 'n'], 20]",
    ];
    let folder = Folder::with(&provider, GRANT, &tests, agent);
    folder.expect_passed();
    let results = folder.recording();
    assert!(results.iter().all(|line| !line.to_string().contains(KEY)), "{results:?}");
}

#[test]
fn without_a_grant_there_is_nothing_to_ask() {
    let provider = Provider::echo();
    let agent = r#"
def work():
    names = [name for name in os.environ if "OPENAI" in name or "AGENTMILL" in name]
    with socket.socket() as link:
        return names + [link.connect_ex(("127.0.0.1", port)) != 0 for port in (4000, 80, 8080)]
"#;
    let folder = Folder::with(&provider, "null", &["work() == [True, True, True]"], agent);
    folder.expect_passed();
    assert_eq!(provider.requests(), 0);
    assert!(!folder.path().join("results/recordings").exists());
    assert!(folder.alice()["usage"].get("model").is_none());
    let scores = folder.read("results/scores.csv");
    assert!(scores.lines().next().unwrap().ends_with(",max_rss_kib"), "{scores}");
}
