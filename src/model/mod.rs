//! The words that every part shares: miner ids, first sights, reports, feedback. Imports nothing of the rest but
//! [`util`](crate::util).

mod arrival_order;
pub mod claims;
pub mod collected;
pub mod feedback;
pub mod first_sights;
pub mod joined;
mod literal;
pub mod merged;
pub mod miner_id;
pub mod model_use;
pub mod near_pair;
pub mod over_budget;
pub mod python;
pub mod rejection;
pub mod report;
pub mod sampled;
pub mod samples;
pub mod spread;
pub mod stopped_early;
pub mod unpassed;
pub mod verdict;
