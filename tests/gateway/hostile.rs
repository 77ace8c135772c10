//! Agents that attack the gateway: each gets a refusal or nothing, and the gateway works on.

use crate::provider::Provider;
use crate::support::Folder;

const GRANT: &str = "{allow: [m], requests: 20, tokens: 100k}";

/// Bytes of one attack, as Python; `BODY` is a right question's.
const BYTES: [(&str, &str); 27] = [
    ("two lengths", r#"head("Content-Length: 5", f"Content-Length: {len(BODY)}") + BODY"#),
    (
        "length and chunks",
        r#"head(f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + SECOND"#,
    ),
    ("pipelined", r#"right() + SECOND"#),
    ("bad chunk", r#"head("Transfer-Encoding: chunked") + b"zz\r\n" + BODY"#),
    ("endless chunk", r#"head("Transfer-Encoding: chunked") + b"ffffffffffffffff\r\n" + BODY"#),
    (
        "injected header",
        r#"head(f"Content-Length: {len(BODY)}", "X: a\r\nAuthorization: Bearer evil") + BODY"#,
    ),
    ("bare line feeds", r#"right().replace(b"\r\n", b"\n")"#),
    ("negative length", r#"head("Content-Length: -1") + BODY"#),
    (
        "other host",
        r#"b"POST http://169.254.169.254/v1/chat/completions HTTP/1.1\r\nHost: evil\r\nContent-Length: 0\r\n\r\n""#,
    ),
    ("connect", r#"b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n""#),
    ("endless head", r#"b"POST / HTTP/1.1\r\n" + b"a: b\r\n" * 100000"#),
    ("huge trailers", r#"chunked() + b"0\r\n" + b"Content-Length: 5\r\n" * 100000 + b"\r\n" + SECOND"#),
    ("trailer that ends early", r#"chunked() + b"0\r\nContent-Length: 500\r\n\r\n" + SECOND"#),
    (
        "huge chunk extension",
        r#"head("Transfer-Encoding: chunked") + b"5;" + b"x" * (1 << 20) + b"\r\n" + BODY"#,
    ),
    ("chunk size with a sign", r#"head("Transfer-Encoding: chunked") + b"+5\r\n" + BODY"#),
    ("field of a megabyte", r#"head(f"Content-Length: {len(BODY)}", "X: " + "x" * (1 << 20)) + BODY"#),
    (
        "two encodings",
        r#"head("Transfer-Encoding: chunked, identity", f"Content-Length: {len(BODY)}") + BODY + SECOND"#,
    ),
    (
        "encoding that is none",
        r#"head("Transfer-Encoding: xchunked", f"Content-Length: {len(BODY)}") + BODY + SECOND"#,
    ),
    ("space before a colon", r#"head("Content-Length : 5") + BODY + SECOND"#),
    ("folded length", r#"head(f"Content-Length:\r\n {len(BODY)}") + BODY + SECOND"#),
    ("length with a sign", r#"head(f"Content-Length: +{len(BODY)}") + BODY + SECOND"#),
    ("lengths in a list", r#"head(f"Content-Length: 5, {len(BODY)}") + BODY + SECOND"#),
    ("old version with chunks", r#"chunked().replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n" + SECOND"#),
    (
        "upgrade",
        r#"head("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__") + SECOND"#,
    ),
    ("http/2", r#"b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04" + SECOND"#),
    ("path with a line", r#"right().replace(b"/v1/chat", b"/v1/budget HTTP/1.1\r\nX:")"#),
    ("binary", r#"bytes(range(256)) * 100 + b"\r\n\r\n""#),
];

#[test]
fn malformed_and_smuggled_requests_reach_nobody_else() {
    let provider = Provider::echo();
    let attacks: String =
        BYTES.iter().map(|(name, bytes)| format!("    {name:?}: lambda: {bytes},\n")).collect();
    let agent = format!(
        r#"
BODY = json.dumps({{"model": "m", "messages": [{{"role": "user", "content": "first"}}]}}).encode()


def head(*fields):
    return "\r\n".join(["POST /v1/chat/completions HTTP/1.1", "Host: x", *fields, "", ""]).encode()


def right():
    return head(f"Content-Length: {{len(BODY)}}") + BODY


def chunked():
    return head("Transfer-Encoding: chunked") + f"{{len(BODY):x}}\r\n".encode() + BODY + b"\r\n"


SECOND = right().replace(b"first", b"smugg")
ATTACKS = {{
{attacks}}}


def work():
    found = {{}}
    for name, attack in ATTACKS.items():
        try:
            found[name] = raw(attack(), 1)
        except OSError:
            found[name] = ""
    return found
"#
    );
    let tests = [
        "all(text.count('HTTP/1.1 ') <= 1 for text in work().values())",
        "not any('169.254' in text or 'smugg' in text for text in work().values())",
        "ask('after it') == 'echo after it'",
    ];
    let folder = Folder::with(&provider, GRANT, &tests, &agent);
    let text = folder.read("pipeline.yaml").replace("requests: 20", "requests: 200");
    let text = text.replace("    model:", "    sandbox: {timeout: 60s}\n    model:");
    folder.write("pipeline.yaml", &text);
    folder.expect_passed();
    let asked = provider.asked();
    assert!(asked.iter().all(|asked| asked.text() != "smugg"), "{asked:?}");
    assert!(asked.iter().all(|asked| !asked.head.contains("evil")), "{asked:?}");
}

#[test]
fn floods_and_idlers_harm_only_themselves() {
    let provider = Provider::echo();
    let agent = r#"
def address():
    return "127.0.0.1", int(os.environ["OPENAI_BASE_URL"].split(":")[2].split("/")[0])


def flood():
    """Many connections that say little or nothing, and end."""
    for number in range(200):
        with socket.socket() as link:
            link.settimeout(5)
            try:
                link.connect(address())
                link.send(b"POST /v1/chat"[: number % 14])
            except OSError:
                pass
    return ask("after it")


def oversize():
    """A body that is larger than any may be, by what it says and by what it is."""
    link = socket.create_connection(address())
    link.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    sent = 0
    try:
        while sent < 64 << 20:
            link.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            sent += 65536
    except OSError:
        pass
    return [sent < 32 << 20, ask("after it")]


def continued():
    """Waits to be told to go on, is, and then sends another length than it said; or nothing at all."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    links, found = [socket.create_connection(address()) for _ in range(4)], []
    for link in links:
        link.settimeout(5)
        link.sendall(head.encode())
        found.append(link.recv(1 << 16)[:12])
    links[0].sendall(body * 2)
    found.append(links[0].makefile("rb").read().count(b"HTTP/1.1"))
    return [*found, ask("after it")]


def unread():
    """Answers that nobody reads."""
    links = []
    for _ in range(8):
        link = socket.create_connection(address())
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 200000}], "max_tokens": 1}).encode()
        link.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        links.append(link)
    return ask("after it", max_tokens=5)


def idle():
    """As many connections as there may be, held open; the next one waits until they end."""
    links = [socket.create_connection(address()) for _ in range(16)]
    threading.Timer(1, lambda: [link.close() for link in links]).start()
    return ask("after it")


def gone():
    """Asks and does not wait for the answer, many times."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}).encode()
    for _ in range(10):
        with socket.create_connection(address()) as link:
            link.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    return ask("after it")
"#;
    let folder = Folder::new(&provider, "{allow: [m], requests: 100, tokens: 100M}", "");
    for (name, wanted) in [
        ("flood", "'echo after it'"),
        ("oversize", "[True, 'echo after it']"),
        ("continued", "[b'HTTP/1.1 100'] * 4 + [1, 'echo after it']"),
        ("unread", "'echo after it'"),
        ("idle", "'echo after it'"),
        ("gone", "'echo after it'"),
    ] {
        folder.write(
            &format!("tasks/{name}.yaml"),
            &format!("prompt: Write {name}()\ntests:\n  - assert {name}() == {wanted}\n"),
        );
    }
    folder.agent("alice", agent);
    let ran = folder.run(&[]);
    let scores = folder.read("results/scores.csv");
    assert_eq!((ran.code, scores.matches(",passed,").count()), (Some(0), 7), "{}\n{scores}", ran.said);
}

/// Reading is work of the host's: an agent had it parse megabytes without a pause, and was billed a twentieth of that.
#[test]
fn requests_that_come_to_nothing_are_read_up_to_a_bound() {
    let provider = Provider::echo();
    let agent = r#"
def work():
    junk, found = b'{"messages":[' + b"{}," * 600_000 + b"{}]}", []
    for _ in range(12):
        request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", junk)
        try:
            urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            found.append(error.code)
        except OSError:
            found.append(429)  # answered and gone before all of it was sent
    return [found[:8], found[-1], ask("after it")]
"#;
    let folder = Folder::with(&provider, GRANT, &["work() == [[400] * 8, 429, 429]"], agent);
    folder.write("tasks/work.yaml", &(folder.read("tasks/work.yaml") + "timeout: 60s\n")); // on a busy machine
    folder.expect_passed();
}

/// One agent's recording is of no use to another, and none gets at it.
#[test]
fn agents_share_nothing() {
    let provider = Provider::echo();
    let folder = Folder::with(&provider, GRANT, &["ask('same') == 'echo same'"], "");
    folder.agent("bob", "# another\n");
    let ran = folder.run(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(provider.asked().len(), 2, "each has asked for itself");
    assert_eq!(std::fs::read_dir(folder.path().join("results/recordings")).unwrap().count(), 2);
}
