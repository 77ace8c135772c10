//! A folder with a server, a client that sends what it is told to, and a model that says what it is told to.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use agentmill::serve::Server;
use agentmill::tokens::{self, Bearer};
use agentmill::ui::Events;
use agentmill::workspace::Workspace;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::tls;

/// No answer takes this long; a test that waits for it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const GOOD: &str = "def reverse_string(s: str) -> str:\n    return s[::-1]\n";

pub const TASK: &str = "prompt: Write reverse_string(s)
tests:
  - {name: word, assert: reverse_string('hello') == 'olleh', public: true}
  - {name: secret, assert: reverse_string('ab') == 'ba'}
";

/// A folder to work in.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// With one task, and these lines in pipeline.yaml.
    pub fn new(pipeline: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("pipeline.yaml", pipeline);
        folder.write("tasks/strings/reverse.yaml", TASK);
        fs::create_dir(folder.path().join("inbox")).unwrap();
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn inbox(&self) -> PathBuf {
        self.path().join("inbox")
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub fn token(&self, miner: &str) -> String {
        let path = self.path().join("tokens.json");
        tokens::update(&path, |tokens| Ok(tokens.add(Bearer::Miner(miner.parse().unwrap()))?)).unwrap()
    }

    pub fn organisers_token(&self) -> String {
        let path = self.path().join("tokens.json");
        tokens::update(&path, |tokens| Ok(tokens.add(Bearer::Organiser)?)).unwrap()
    }

    /// A server on a port of its own.
    pub fn serve(&self) -> Api {
        let workspace = Workspace::open(self.path()).unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let mut server = Server::start(&workspace, Some(listen), &Events::channel().0).unwrap();
        server.follow(self.path(), &workspace).unwrap();
        Api { address: server.address(), _server: server }
    }

    /// agentmill in this folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentmill"));
        command.arg("-C").arg(self.path()).args(args).env("CI", "1").env_remove("AGENTMILL_TOKEN");
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }
}

/// stdout and stderr together.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// A server at work.
pub struct Api {
    pub address: SocketAddr,
    _server: Server,
}

/// An answer, taken apart.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The `error` of a failure.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

impl Api {
    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// Sends bytes and reads to the end.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        answer(&mut stream)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_as(path, "")
    }

    pub fn get_as(&self, path: &str, headers: &str) -> Answer {
        self.raw(request("GET", path, headers, b"").as_slice())
    }

    /// The bare source, with more headers.
    pub fn put(&self, miner: &str, headers: &str, source: &str) -> Answer {
        let path = format!("/upload/agent?miner_id={miner}");
        self.raw(&request("PUT", &path, headers, source.as_bytes()))
    }

    pub fn form(&self, body: &str) -> Answer {
        let headers = "Content-Type: multipart/form-data; boundary=XX\r\n";
        self.raw(&request("POST", "/upload/agent", headers, body.replace('\n', "\r\n").as_bytes()))
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

pub fn answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// An answer of the model's to a request.
#[derive(Debug, Clone)]
pub enum Line {
    /// Replies with this text.
    Says(String),
    /// Refuses with this status, headers and body.
    Fails(u16, &'static str, String),
    /// Says nothing until the client leaves.
    IsSilent,
}

/// An OpenAI-compatible endpoint with a script; past its end it repeats the last line.
pub struct Model {
    pub url: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

/// The file that `generate` makes of one task's solution.
pub fn drafted(task: &str, source: &str) -> String {
    format!("# ---- {task} ----\n{source}")
}

impl Model {
    pub fn new(script: impl IntoIterator<Item = Line>) -> Self {
        Self::behind("http", script, |stream| stream)
    }

    /// The same behind TLS, with a certificate of the authority in `tls/ca.pem`.
    pub fn secure(script: impl IntoIterator<Item = Line>) -> Self {
        Self::behind("https", script, tls::accept)
    }

    fn behind<S: Read + Write>(
        scheme: &str,
        script: impl IntoIterator<Item = Line>,
        wrap: impl Fn(TcpStream) -> S + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (heard, mut script) = (Arc::clone(&requests), script.into_iter().collect::<VecDeque<_>>());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let line = if script.len() > 1 { script.pop_front().unwrap() } else { script[0].clone() };
                converse(wrap(stream.unwrap()), &line, &heard);
            }
        });
        Self { url, requests }
    }

    /// pipeline.yaml that asks this model.
    pub fn pipeline(&self) -> String {
        format!("llm: {{base_url: '{}', model: scripted, api_key_env: TEST_KEY}}\n", self.url)
    }

    /// Heads and bodies so far.
    pub fn requests(&self) -> Vec<(String, Value)> {
        self.requests.lock().unwrap().clone()
    }

    /// The prompts so far.
    pub fn prompts(&self) -> Vec<String> {
        let prompt = |body: &Value| body["messages"][0]["content"].as_str().unwrap().to_owned();
        self.requests().iter().map(|(_, body)| prompt(body)).collect()
    }
}

fn converse(stream: impl Read + Write, line: &Line, heard: &Mutex<Vec<(String, Value)>>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        // A client that does not trust us leaves with an error.
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    heard.lock().unwrap().push((head, serde_json::from_slice(&body).unwrap_or_default()));
    let completion = |text: &str| {
        serde_json::json!({"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]})
            .to_string()
    };
    let (status, headers, body) = match line {
        Line::Says(text) => (200, "", completion(text)),
        Line::Fails(status, headers, body) => (*status, *headers, body.clone()),
        Line::IsSilent => {
            let _ = reader.read(&mut [0]);
            return;
        }
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    let _ = reader.get_mut().write_all(format!("{head}{body}").as_bytes());
    let _ = reader.get_mut().flush();
}

/// The binary as a server; stopped when dropped, even by a failed test.
pub struct Program {
    child: Child,
    pub url: String,
    /// Lines on stderr before it listened.
    pub before: Vec<String>,
    told: Arc<Mutex<String>>,
}

impl Program {
    /// With these arguments and an address of its own.
    pub fn start(folder: &Folder, args: &[&str]) -> Self {
        Self::start_at(folder, &[args, &["--listen", "127.0.0.1:0"]].concat())
    }

    pub fn start_at(folder: &Folder, args: &[&str]) -> Self {
        let mut command = folder.command(args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut before = Vec::new();
        let url = lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            let url = line.strip_prefix("listening on ").map(str::to_owned);
            url.is_none().then(|| before.push(line));
            url
        });
        let told = Arc::default();
        let shared = Arc::clone(&told);
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| note(&shared, &line)));
        Self { child, url: url.unwrap_or_else(|| panic!("{before:?}")), before, told }
    }

    pub fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// Lines on stderr since it listens.
    pub fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }

    pub fn get(&self, path: &str, headers: &str) -> Answer {
        send(self.address(), &request("GET", path, headers, b""))
    }

    pub fn put(&self, miner: &str, headers: &str, source: &str) -> Answer {
        let path = format!("/upload/agent?miner_id={miner}");
        send(self.address(), &request("PUT", &path, headers, source.as_bytes()))
    }

    pub fn stop(mut self) -> Option<i32> {
        self.end()
    }

    fn end(&mut self) -> Option<i32> {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.end();
        }
    }
}

fn note(told: &Mutex<String>, line: &str) {
    let mut told = told.lock().unwrap();
    told.push_str(line);
    told.push('\n');
}

/// Looks again and again until `holds`.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn send(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = connect(address);
    stream.write_all(request).unwrap();
    answer(&mut stream)
}
