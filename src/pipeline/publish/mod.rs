//! Ranking -> JSON, CSV, page; each file replaced atomically.
#[cfg(test)]
pub(crate) mod samples;
