//! A provider of models: an HTTP server of this test, which says what it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// A request that has come.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Request line and headers, in lower case.
    pub head: String,
    /// Null where there is none.
    pub body: Value,
}

impl Asked {
    /// The last thing that the asker said.
    pub fn text(&self) -> String {
        let message = self.body["messages"].as_array().and_then(|all| all.last());
        message.map_or(String::new(), |message| message["content"].as_str().unwrap_or_default().to_owned())
    }

    /// The gateway's own question, by which it knows whether a provider is well.
    pub fn is_control(&self) -> bool {
        self.text() == "Say yes."
    }
}

/// The provider's answer to a request.
#[derive(Debug, Clone)]
pub enum Says {
    /// An answer of OpenAI's kind with this text, after a while.
    Text(String, Duration),
    /// A status, more headers, and a body.
    Status(u16, &'static str, String),
    /// The head of an answer and half of its body.
    Cut,
    /// Nothing, for a long while.
    Silence,
}

type Script = dyn Fn(&Asked) -> Says + Send + Sync;

pub struct Provider {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    script: Mutex<Arc<Script>>,
    asked: Mutex<Vec<Asked>>,
    stopped: AtomicBool,
}

impl Provider {
    /// One that says `echo` and the asker's last words.
    pub fn echo() -> Self {
        Self::new(|asked| Says::Text(format!("echo {}", asked.text()), Duration::ZERO))
    }

    pub fn new(script: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let script: Arc<Script> = Arc::new(script);
        let (asked, stopped) = (Mutex::default(), AtomicBool::new(false));
        let state = Arc::new(State { script: Mutex::new(script), asked, stopped });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return; // and nobody listens any more
                }
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(&stream.unwrap()));
            }
        });
        Self { address, state }
    }

    /// From now on it says this.
    pub fn says(&self, script: impl Fn(&Asked) -> Says + Send + Sync + 'static) {
        *self.state.script.lock().unwrap() = Arc::new(script);
    }

    /// All questions so far, in the order that they came in; looks whether it is there left out.
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.state.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.head.starts_with("post ") && !asked.is_control()).cloned().collect()
    }

    /// How many requests of any kind have come.
    pub fn requests(&self) -> usize {
        self.state.asked.lock().unwrap().len()
    }

    /// Ends it: nobody listens there any more.
    pub fn stop(&self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        while TcpStream::connect(self.address).is_ok() {
            thread::yield_now();
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop();
    }
}

impl State {
    /// Requests of one connection, one after the other.
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(asked) = read(&mut reader) {
            self.asked.lock().unwrap().push(asked.clone());
            let script = Arc::clone(&self.script.lock().unwrap());
            if !reply(stream, &asked, script(&asked)) {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Asked> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { head, body: serde_json::from_slice(&body).unwrap_or_default() })
}

/// False if the connection is to end.
fn reply(mut stream: &TcpStream, asked: &Asked, says: Says) -> bool {
    let (status, headers, body) = match says {
        Says::Text(text, pause) => {
            thread::sleep(pause);
            (200, "", answer(asked, &text).to_string())
        }
        Says::Status(status, headers, body) => (status, headers, body),
        Says::Cut => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"choices\": [");
            return false;
        }
        Says::Silence => {
            // Until the other one gives up.
            let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
            let _ = stream.read(&mut [0]);
            return false;
        }
    };
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nX-Provider-Secret: hidden-header\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).is_ok()
}

/// As OpenAI's API would answer the request.
fn answer(asked: &Asked, text: &str) -> Value {
    if asked.head.starts_with("get ") {
        return json!({ "object": "list", "data": [] });
    }
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 });
    let model = &asked.body["model"];
    if asked.body.get("input").is_some() {
        let data = json!([{ "object": "embedding", "index": 0, "embedding": [0.5, 1.0] }]);
        return json!({ "object": "list", "model": model, "data": data, "usage": { "prompt_tokens": 3, "total_tokens": 3 } });
    }
    let choice = match asked.body.get("prompt") {
        Some(_) => json!({ "index": 0, "text": text, "finish_reason": "stop" }),
        None => {
            json!({ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" })
        }
    };
    json!({ "id": "x", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage })
}
