//! Questions that would get more out of a provider than is granted: another model, a network, a dearer answer.

use serde_json::{Value, json};

use crate::provider::{Asked, Provider, Says};
use crate::support::Folder;

/// Each is sent as it stands; the first ones name a model twice, and the last one counts.
const AGENT: &str = r#"
EVIL = "http://evil.example/?secret"
RIGHT = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
IMAGE = [{"type": "image_url", "image_url": {"url": EVIL}}]
FAR = {"name": "f", "parameters": {"properties": {"x": {"$ref": EVIL}}}}
TEMPLATE = "{% for i in range(10 ** 9) %}" + EVIL + "{% endfor %}"


def status(path, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return fetch(urllib.request.Request(os.environ["OPENAI_BASE_URL"] + path, data, {"content-type": "application/json"}))[0]


def models():
    twice = b'{"messages": [{"role": "user", "content": "x"}], "model": "m", "model": "evil"}'
    names = ["m\n", " m", "\uff4d", "m:online", "m\x00", "M", "m,evil", "", "evil/../m"]
    return {status("/chat/completions", twice), *(status("/chat/completions", RIGHT | {"model": name}) for name in names)}


def wrong():
    yield from ({"max_tokens": most} for most in (-1, 0, 1.5, 1e99, "5", True, [5], {}))
    yield from ({"max_completion_tokens": most} for most in (-1, 1e99, "5"))
    yield from ({"n": n} for n in (0, 17, 1000, -1, 1.5, "2"))
    yield {"web_search_options": {}}
    yield {"plugins": [{"id": "web"}]}
    yield {"models": ["evil"]}
    yield {"route": "fallback"}
    yield {"provider": {"order": ["evil"]}}
    yield {"extra_body": {"model": "evil"}}
    yield {"prediction": {"type": "content", "content": "x"}}
    yield {"modalities": ["audio"], "audio": {"voice": "x"}}
    yield {"tools": [{"type": "mcp", "server_url": EVIL}]}
    yield {"tools": [{"type": "function", "function": FAR}]}
    yield {"functions": [FAR]}
    yield {"functions": [{"name": "f", "url": EVIL}]}
    yield {"tool_choice": {"type": "web_search", "url": EVIL}}
    yield {"function_call": {"name": "f", "url": EVIL}}
    yield {"response_format": {"type": "json_schema", "json_schema": {"name": "f", "schema": {"$ref": EVIL}}}}
    yield {"chat_template_kwargs": {"chat_template": TEMPLATE}}
    yield {"chat_template": TEMPLATE}
    yield {"logit_bias": {"5": {"url": EVIL}}}
    yield {"reasoning_effort": {"url": EVIL}}
    yield {"stop": [{"url": EVIL}]}
    yield {"messages": [{"role": "user", "content": IMAGE}]}
    yield {"messages": [{"role": "user", "content": "x", "name": {"url": EVIL}}]}
    yield {"messages": [{"role": "assistant", "tool_calls": [{"type": "custom", "custom": {"input": EVIL}}]}]}


def fields():
    found = {status("/chat/completions", RIGHT | more) for more in wrong()}
    found.add(status("/chat/completions", b'{"model": "m", "max_tokens": NaN, "messages": [{"role": "user", "content": "x"}]}'))
    for texts in ([{"content": IMAGE}], {"image": EVIL}, [{"image": EVIL}] * 10000, 5, [[EVIL]]):
        found.add(status("/embeddings", {"model": "m", "input": texts}))
        found.add(status("/completions", {"model": "m", "prompt": texts}))
    return found


def taken():
    """Questions that are passed on, without the fields that cost more."""
    dear = {"service_tier": "priority", "store": True, "metadata": {"url": EVIL}, "stream_options": {"url": EVIL}, "user": EVIL}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}", "url": EVIL}, "extra_content": EVIL}
    back = {"role": "assistant", "content": None, "annotations": [{"url": EVIL}], "refusal": None, "audio": None, "tool_calls": [call]}
    twice = b'{"messages": [{"role": "user", "content": "x"}], "model": "evil", "model": "m", "max_tokens": 100000, "max_tokens": 7}'
    return [
        status("/chat/completions", RIGHT | dear),
        status("/chat/completions", RIGHT | {"messages": [RIGHT["messages"][0], back, {"role": "tool", "tool_call_id": "c", "content": "x"}]}),
        status("/chat/completions", twice),
        status("/chat/completions", RIGHT | {"max_tokens": 100000, "max_completion_tokens": 7}),
        status("/embeddings", {"model": "m", "input": ["x"] * 10000}),
    ]
"#;

#[test]
fn no_question_asks_for_more_than_words_of_a_model_that_is_allowed() {
    let provider = Provider::echo();
    let folder = Folder::new(&provider, "{allow: [m], requests: 100, tokens: 1M}", "");
    for (name, wanted) in [("models", "{403}"), ("fields", "{400}"), ("taken", "[200, 200, 200, 200, 200]")] {
        let task = format!("prompt: Write {name}()\ntests:\n  - assert {name}() == {wanted}\n");
        folder.write(&format!("tasks/{name}.yaml"), &task);
    }
    folder.agent("alice", AGENT);
    let ran = folder.run(&[]);
    let report = folder.read("results/agents/alice.json");
    let scores = folder.read("results/scores.csv");
    assert_eq!((ran.code, scores.matches(",100,passed,").count()), (Some(0), 3), "{}\n{report}", ran.said);
    let asked = provider.asked();
    assert_eq!(asked.len(), 5, "{asked:?}");
    assert!(asked.iter().all(|asked| asked.body["model"] == "m"));
    assert!(asked.iter().all(|asked| !asked.body.to_string().contains("evil")), "{asked:?}");
    let longest = |at: usize, name: &str| asked[at].body[name].clone();
    assert_eq!([longest(2, "max_tokens"), longest(3, "max_completion_tokens")], [7, 7]);
    assert_eq!(longest(3, "max_tokens"), Value::Null);
    assert_eq!(asked[0].body.as_object().unwrap().len(), 3, "{:?}", asked[0].body);
}

/// The dearest answer that a provider may give: a token for each byte of a question, and as many of the answer as allowed.
fn dearest(asked: &Asked) -> [u64; 2] {
    let body = &asked.body;
    let number = |name: &str| body[name].as_u64().unwrap_or(1);
    let several = body["prompt"].as_array().filter(|all| !all.iter().all(Value::is_number));
    let prompts = several.map_or(1, |all| all.len() as u64);
    let choices = number("n").max(number("best_of")) * prompts;
    let own = body["messages"].to_string().len().max(body["prompt"].to_string().len()) as u64;
    [own, number("max_tokens") * choices]
}

#[test]
fn no_trick_passes_a_budget_by_more_than_one_question() {
    let provider = Provider::new(|asked| {
        if asked.head.starts_with("get ") {
            return Says::Status(200, "", "{}".into());
        }
        let [prompt, reply] = dearest(asked);
        let choice = match asked.body.get("prompt") {
            Some(_) => json!({ "text": "x" }),
            None => json!({ "message": { "role": "assistant", "content": "x" } }),
        };
        // Some leave out of an answer's tokens what the model thought.
        let usage =
            json!({ "prompt_tokens": prompt, "completion_tokens": 1, "total_tokens": prompt + reply });
        Says::Status(200, "", json!({ "choices": [choice], "usage": usage }).to_string())
    });
    let agent = r#"
def work():
    tricks = [
        ("/chat/completions", {"messages": [{"role": "user", "content": "x"}], "n": 16, "max_tokens": 1000}),
        ("/completions", {"prompt": [""] * 500, "n": 16}),
        ("/completions", {"prompt": [[7]] * 500, "best_of": 16, "max_tokens": 1}),
        ("/completions", {"prompt": [7] * 2000, "max_tokens": 100000}),
        ("/completions", {"prompt": "x" * 3000, "max_tokens": 100000}),
        ("/chat/completions", {"messages": [{"role": "user", "content": "\u00e9" * 900}], "max_tokens": 10}),
    ]

    def race(number):
        for turn in range(12):
            path, body = tricks[(number + turn) % len(tricks)]
            post(path, {"model": "m"} | body)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return json.loads(get("/budget")[1])["left"]["tokens"]
"#;
    let grant = "{allow: [m], requests: 500, tokens: 5000, cost: 0.009, at_once: 16}";
    let folder = Folder::with(&provider, grant, &["work() < 5000"], agent);
    let text = folder.read("pipeline.yaml").replace("    model:", "    sandbox: {timeout: 60s}\n    model:");
    folder.write("pipeline.yaml", &text);
    folder.expect_passed();
    let asked = provider.asked();
    let spent: Vec<[u64; 2]> = asked.iter().map(dearest).collect();
    let cost = |[prompt, reply]: &[u64; 2]| prompt + 2 * reply; // millionths of a dollar
    let (all, most) = (spent.iter().map(cost).sum::<u64>(), spent.iter().map(cost).max().unwrap());
    assert!(all <= 9000 + most, "{spent:?}");
    let tokens = spent.iter().map(|one| one.iter().sum::<u64>());
    assert!(tokens.clone().sum::<u64>() <= 5000 + tokens.max().unwrap(), "{spent:?}");
    // Nor does that one get far: it is refused where its own text, or its shortest answers, are more than the rest.
    assert!(most < 2 * 9000, "{spent:?}");
    let used = &folder.alice()["usage"]["model"];
    assert_eq!(
        used["tokens_in"].as_u64().zip(used["tokens_out"].as_u64()),
        Some(spent.iter().fold((0, 0), |sum, one| (sum.0 + one[0], sum.1 + one[1])))
    );
}
