//! Faces: the protocols in which agents may speak to the one gateway, each a thin translation in a file of its own.
//!
//! A face names the variables by which agents find it, reads a question out of what is sent to its paths, and puts answers and
//! refusals into its own words. Budget, recording and provider are the same behind all of them. Whatever a request says
//! of who asks is passed over: that is known by the pipe.

mod bitsec;
mod fields;
mod openai;
mod ridges;

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Method;
use serde_json::Value;

use crate::config::grant::{self, Grant};
use crate::gateway::budget::{self, Budget};
use crate::gateway::question::{Kind, Question};
use crate::gateway::refusal::Refusal;

/// Port on loopback where a cell's supervisor listens. It is nobody else's: a cell's network has nothing in it but loopback.
pub const PORT: u16 = 4000;

/// Variables of an agent's environment.
pub type Environment = BTreeMap<&'static str, String>;

/// One protocol.
pub trait Face: Sync {
    /// Its paths, as refusals list them.
    fn paths(&self) -> &'static str;

    /// Variables by which agents find it, for runs of so much time.
    fn environment(&self, grant: &Grant, timeout: Duration) -> Environment;

    /// The way in which a model is asked at this path; None if none is.
    fn asked_at(&self, path: &str) -> Option<Asking>;

    /// The value that is told at this path without asking anybody; None if there is none.
    fn told_at(&self, path: &str, budget: &Budget) -> Option<Value>;

    /// Status and body of a refusal.
    fn refusal(&self, refusal: &Refusal) -> (u16, Value);
}

/// The way in which a model is asked at some path.
pub struct Asking {
    /// Kind of the questions.
    pub kind: Kind,
    /// Reads a question out of a request's body.
    pub read: fn(Kind, &[u8], &Grant) -> Result<Question, Refusal>,
    /// Puts an answer into the face's words.
    pub write: fn(&Question, &Value) -> Said,
}

/// A successful response.
pub struct Said {
    /// Its media type.
    pub media: &'static str,
    /// Its body.
    pub text: String,
}

impl Said {
    /// A response of JSON.
    pub fn json(value: &Value) -> Self {
        Self { media: "application/json", text: value.to_string() }
    }
}

/// Service that a request is for.
pub enum Service {
    /// A model is asked.
    Ask(Asking),
    /// Something is told.
    Tell(Value),
}

/// The face that a request speaks to, and the service that it wants; a refusal if there is no such path.
pub fn find(method: &Method, path: &str, budget: &Budget) -> (&'static dyn Face, Result<Service, Refusal>) {
    let faces = || granted(budget.grant());
    let service = |face: &'static dyn Face| match *method {
        Method::POST => face.asked_at(path).map(Service::Ask),
        Method::GET => face.told_at(path, budget).map(Service::Tell),
        _ => None,
    };
    match faces().find_map(|face| service(face).map(|service| (face, service))) {
        Some((face, service)) => (face, Ok(service)),
        None => {
            let paths: Vec<&str> = faces().map(Face::paths).collect();
            let what = format!("there is no {method} of that path; there are {}", paths.join(", "));
            (faces().next().unwrap_or(&openai::OpenAi), Err(Refusal::unknown(what)))
        }
    }
}

/// Environment of an agent that is granted this, for runs of so much time.
pub fn environment(grant: &Grant, timeout: Duration) -> Environment {
    let told = budget::granted(grant).to_string();
    let of_faces = granted(grant).flat_map(|face| face.environment(grant, timeout));
    of_faces.chain([("AGENTMILL_BUDGET", told)]).collect()
}

fn granted(grant: &Grant) -> impl Iterator<Item = &'static dyn Face> {
    grant.faces.iter().map(|face| -> &'static dyn Face {
        match face {
            grant::Face::Openai => &openai::OpenAi,
            grant::Face::Bitsec => &bitsec::Bitsec,
            grant::Face::Ridges => &ridges::Ridges,
        }
    })
}

/// The gateway's address in the cell.
fn address() -> String {
    format!("http://127.0.0.1:{PORT}")
}
