//! YAML with positions: every mistake in a file is reported at once, each where it stands.
//!
//! [`read_file`] gives bytes, [`parse`] turns them into a tree of [`Node`]s that know their place, and a [`Reader`]
//! asks a mapping for its fields by name. All of them write mistakes into a [`Log`].

mod document;
mod file;
mod problem;
mod reader;
mod surrogates;
#[cfg(test)]
mod tests;
mod text;

pub use crate::yaml::document::{Field, Kind, Node, parse};
pub use crate::yaml::file::{MAX_BYTES, read_file};
pub use crate::yaml::problem::{Log, Position, Problem, Problems, told};
pub use crate::yaml::reader::{Place, Reader, list};
pub use crate::yaml::text::{describe, excerpt};
