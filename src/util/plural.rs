//! Plural: counted things in words.

use std::fmt::Display;

/// A count and its noun, such as "1 task" or "2 tasks".
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
