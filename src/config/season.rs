//! Season: the times and the numbers of submissions that count, and the extensions of single miners.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;

use crate::model::miner_id::Miner;

/// The `season` section, where it says anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Season {
    /// The first moment; a submission that comes before counts from here on.
    pub opens: Option<Timestamp>,
    /// The last moment at which a submission counts, but for extensions and late ones.
    pub closes: Option<Timestamp>,
    /// Zone in which a day ends at midnight, and in which times are told.
    pub zone: Offset,
    /// Submissions of one miner that count a day.
    pub per_day: Option<u32>,
    /// Submissions of one miner that count in all.
    pub total: Option<u32>,
    /// The one of them that a miner is ranked by.
    pub counts: Counts,
    /// Submissions after the close, if they count at all.
    pub late: Option<Late>,
    /// The organiser's word on single miners.
    pub extensions: BTreeMap<Miner, Extension>,
    /// The file of the extensions, whether it is there or not.
    pub file: PathBuf,
}

/// The organiser's word on one miner; it says something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Extension {
    /// A later close.
    pub closes: Option<Timestamp>,
    /// Times at which the files came that were put into the inbox later, such as from another system: of the first, the second and so on; the last
    /// one is that of all further ones, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<Timestamp>,
}

/// The submission that a miner is ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// The last one; one that is no agent is not ranked.
    Last,
    /// The last one that is an agent.
    LastValid,
    /// The one with the best score.
    Best,
}

/// The rule for late submissions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Late {
    /// The last moment at which one counts.
    pub until: Timestamp,
    /// Percent of the score that each started day costs.
    pub per_day: f64,
}
