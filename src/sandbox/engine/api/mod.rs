//! Docker Engine's API over its socket. Paths name no version: the engine takes its own, be it old or new.

pub mod address;
pub mod attached;
mod body;
pub mod demux;
mod http;

use std::fmt::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use hyper::{Method, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::sandbox::engine::api::http::{Failure, Stream, within};

/// How long a request may take. On a starved machine a minute is nothing.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long an engine that does nothing else may take to say that it is there, or that it will tell of events.
const ANSWER: Duration = Duration::from_secs(10);

/// How long it is waited for a container's end before it is asked anew whether that has come: an engine that finds the
/// container, and removes it before it begins to wait, waits for ever.
const GLANCE: Duration = Duration::from_millis(500);

/// An engine, by its socket.
#[derive(Debug, Clone)]
pub struct Api {
    socket: PathBuf,
}

#[derive(Deserialize)]
struct Thing {
    #[serde(rename = "Id")]
    id: String,
}

impl Api {
    /// The engine that listens there.
    pub fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Fails if the engine does not answer.
    ///
    /// # Errors
    /// It does not.
    pub fn ping(&self) -> Result<(), Failure> {
        within(ANSWER, self.ask(request(Method::GET, "/_ping", ""))).map(drop)
    }

    /// The engine's version and its account of the machine, in the form in which its client prints them.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn described(&self) -> Result<[Value; 2], Failure> {
        let version: Value = self.get("/version")?;
        Ok([json!({ "Server": version }), self.get("/info")?])
    }

    /// The ids of containers with this label, in whatever state they are.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn labelled(&self, label: &str) -> Result<Vec<String>, Failure> {
        let filters = escaped(&json!({ "label": [label] }).to_string());
        let listed: Vec<Thing> = self.get(&format!("/containers/json?all=1&filters={filters}"))?;
        Ok(listed.into_iter().map(|container| container.id).collect())
    }

    /// The id of an image if it is there.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn image_id(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.get::<Thing>(&format!("/images/{}/json", escaped(name))) {
            Err(failure) if failure.is_absence() => Ok(None),
            found => found.map(|image| Some(image.id)),
        }
    }

    /// The number of a running container's first process; 0 if it does not run.
    ///
    /// # Errors
    /// The engine can't be reached, or knows no such container.
    pub fn pid_of(&self, name: &str) -> Result<u32, Failure> {
        #[derive(Deserialize)]
        struct Inspected {
            #[serde(rename = "State")]
            state: State,
        }
        #[derive(Deserialize)]
        struct State {
            #[serde(rename = "Pid")]
            pid: u32,
        }
        Ok(self.get::<Inspected>(&format!("/containers/{name}/json"))?.state.pid)
    }

    /// Creates a container, takes hold of its input and output and starts it, in this order, so that nothing it says is
    /// lost. Gives the stream and what has come on it. Nothing is left of one that can't be started.
    ///
    /// # Errors
    /// The engine can't be reached, or won't.
    pub fn run(&self, name: &str, container: &Value) -> Result<(UnixStream, Bytes), Failure> {
        let started = within(PATIENCE, async {
            let body = container.to_string();
            self.ask(request(Method::POST, &format!("/containers/create?name={name}"), &body)).await?;
            let attach = format!("/containers/{name}/attach?stream=1&stdin=1&stdout=1&stderr=1");
            let stream = http::hijack(http::ask(&self.socket, hijacking(&attach)).await?).await?;
            self.ask(request(Method::POST, &format!("/containers/{name}/start"), "")).await?;
            Ok(stream)
        });
        if started.is_err() {
            self.remove(&[name]);
        }
        started
    }

    /// Removes containers by name or id, all at once; those already gone are no matter.
    pub fn remove(&self, names: &[&str]) {
        let removal = |name| request(Method::DELETE, &format!("/containers/{name}?force=1"), "");
        let _ = within(PATIENCE, async {
            let mut removals = JoinSet::new();
            for name in names {
                let (api, removal) = (self.clone(), removal(name));
                removals.spawn(async move { api.ask(removal).await });
            }
            removals.join_all().await;
            Ok(())
        });
    }

    /// Waits up to `patience` until the container is gone, and tells whether it is.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn is_gone(&self, name: &str, patience: Duration) -> Result<bool, Failure> {
        let (target, end) = (format!("/containers/{name}/wait?condition=removed"), Instant::now() + patience);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match within(left.min(GLANCE), self.ask(request(Method::POST, &target, ""))) {
                Err(Failure::Late(_)) if left > GLANCE => {}
                Err(Failure::Late(_)) => return Ok(false),
                Err(failure) if failure.is_absence() => return Ok(true),
                other => return other.map(|_| true),
            }
        }
    }

    /// These events of containers with this label, a line of JSON each, from the engine's start on and until `stop`'s
    /// other end is dropped.
    ///
    /// # Errors
    /// The engine can't be reached.
    pub fn events(
        &self,
        label: &str,
        events: &[&str],
        stop: oneshot::Receiver<()>,
    ) -> Result<Stream, Failure> {
        let filters = escaped(&json!({ "label": [label], "event": events }).to_string());
        let target = format!("/events?since=1&filters={filters}");
        Stream::open(&self.socket, request(Method::GET, &target, ""), ANSWER, stop)
    }

    fn get<T: DeserializeOwned>(&self, target: &str) -> Result<T, Failure> {
        let answer = within(PATIENCE, self.ask(request(Method::GET, target, "")))?;
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn ask(&self, request: Request<String>) -> Result<Vec<u8>, Failure> {
        http::whole(http::ask(&self.socket, request).await?).await
    }
}

fn request(method: Method, target: &str, body: &str) -> Request<String> {
    let head = Request::builder().method(method).uri(target).header("host", "docker");
    head.header("content-type", "application/json")
        .body(body.to_owned())
        .expect("we write targets as they must be")
}

/// Asks for the connection itself.
fn hijacking(target: &str) -> Request<String> {
    let mut request = request(Method::POST, target, "");
    request.headers_mut().extend([
        (hyper::header::CONNECTION, "Upgrade".parse().expect("a constant")),
        (hyper::header::UPGRADE, "tcp".parse().expect("a constant")),
    ]);
    request
}

/// For any place in a target: a name of an image may hold slashes, a filter anything.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => {
                escaped.push(char::from(byte));
            }
            _ => write!(escaped, "%{byte:02X}").expect("a string takes it"),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_can_stand_in_a_target() {
        assert_eq!(escaped("localhost:1/a/b:1"), "localhost:1/a/b:1");
        assert_eq!(escaped(r#"{"label":["a=b c"]}"#), "%7B%22label%22:%5B%22a%3Db%20c%22%5D%7D");
        assert_eq!(request(Method::GET, &escaped("/ä?#"), "").uri().path(), "/%C3%A4%3F%23");
    }

    #[test]
    fn a_socket_that_nobody_listens_to_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("sock");
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        let said = Api::new(socket).ping().unwrap_err().to_string();
        assert!(
            said.contains("can't connect to the engine at unix://") && said.contains("refused"),
            "{said}"
        );
    }
}
