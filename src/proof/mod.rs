//! Proof: results that a third party can check, as one signed file, the bundle.
//!
//! ```text
//! workspace ──contents──▶ entries ──pack──▶ FILE ──signature──▶ FILE.minisig
//! FILE ──signature, walk──▶ faults, by entry; or a folder ──judged, ranking, rerun──▶ findings
//! ```
//!
//! A bundle is a tar archive whose every byte follows from its manifest, which comes first: names, sizes and digests. So the
//! same results make the same bytes, a changed byte is found in the entry that it is in, and nothing can be hidden between two.
//! It is not compressed: what is unpacked is no larger than what was sent.

pub mod contents;
pub mod finding;
mod header;
pub mod judged;
pub mod manifest;
pub mod pack;
mod public;
pub mod ranking;
pub mod rerun;
pub mod signature;
mod standing;
mod tables;
pub mod unpacked;
pub mod walk;
pub mod withheld;
