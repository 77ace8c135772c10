//! `rankings.json`, and how JSON is written.

use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::miner_id::Miner;
use crate::model::rejection::Rejection;
use crate::pipeline::publish::Published;
use crate::pipeline::publish::roster::{self, Listed};
use crate::pipeline::score::{Evaluated, Row};
use crate::util::atomic_file::blame;
use crate::util::regular;

/// Name of the file.
pub const FILE: &str = "rankings.json";

/// Content of `rankings.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rankings<Line = Row> {
    /// When it was made.
    pub generated_at: Timestamp,
    /// Of agentmill.
    pub version: String,
    /// Id of the image that cells ran in.
    pub image: String,
    /// Hex sha256 of `pipeline.yaml`.
    pub pipeline_sha256: String,
    /// Hex sha256 over all that the files are made of but the time; empty if an older agentmill made them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub made_of: String,
    /// Name of the competition or course.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The token's name; None where nothing is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The ranking, in its order.
    pub rankings: Vec<Line>,
    /// Refused files, sorted.
    pub rejected: Vec<Rejection>,
    /// Miners whose submission is not evaluated yet, sorted.
    pub pending: Vec<Miner>,
    /// Everybody of the course; empty if there is no list of them.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub roster: Vec<Listed>,
    /// The engine that ran cells last, by its name in pipeline.yaml; empty if an older agentmill made it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub engine: String,
    /// Submissions that count and were evaluated, and are not the best of their miner's, by miner and the oldest first.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub evaluated: Vec<Evaluated>,
}

/// Basis of the last pass, from `rankings.json`.
#[derive(Debug, Deserialize)]
pub struct Last {
    /// Id of the image that cells ran in.
    pub image: String,
    /// Hex sha256 over all that the files are made of but the time; empty if an older agentmill made them.
    #[serde(default)]
    pub made_of: String,
    /// The engine that ran them; empty if an older agentmill made it.
    #[serde(default)]
    pub engine: String,
}

impl Last {
    /// None if there is no such file.
    pub fn read(results_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&regular::read(results_dir.join(FILE)).ok()?).ok()
    }
}

/// Reads `rankings.json`.
///
/// # Errors
/// It is missing, unreadable or not what [`publish`](crate::pipeline::publish::publish) writes; the message names it.
pub fn load(results_dir: &Path) -> io::Result<Rankings> {
    let path = results_dir.join(FILE);
    let read = || -> io::Result<Rankings> { Ok(serde_json::from_slice(&regular::read(&path)?)?) };
    read().map_err(|err| blame(&path, &err))
}

pub(super) fn rankings(out: &mut dyn Write, published: &Published, made_of: &str) -> io::Result<()> {
    #[derive(Serialize)]
    struct Borrowed<'a> {
        generated_at: Timestamp,
        version: &'a str,
        image: &'a str,
        pipeline_sha256: &'a str,
        made_of: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<&'a str>,
        rankings: &'a [Row],
        rejected: Vec<&'a Rejection>,
        pending: Vec<&'a Miner>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        roster: Vec<Listed>,
        #[serde(skip_serializing_if = "str::is_empty")]
        engine: &'a str,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        evaluated: &'a [Evaluated],
    }
    let mut rejected: Vec<&Rejection> = published.rejections.iter().collect();
    let mut pending: Vec<&Miner> = published.pending.iter().collect();
    rejected.sort();
    pending.sort();
    let rankings = Borrowed {
        generated_at: published.generated_at,
        version: env!("CARGO_PKG_VERSION"),
        image: published.image,
        pipeline_sha256: published.pipeline_sha256,
        made_of,
        title: published.title,
        token: published.token,
        rankings: published.rows,
        rejected,
        pending,
        roster: roster::listed(published),
        engine: published.engine,
        evaluated: published.evaluated,
    };
    crate::util::json::write(out, &rankings)
}
