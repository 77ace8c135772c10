//! Terminal output: layout, colours and printing.

mod layout;
mod table;

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

use crate::util::json;

pub use crate::term::layout::{BAD, GOOD, HEADING, Layout, ODD, of_verdict};
pub use crate::term::table::{Column, Styled, left, right, table};

/// Failure to print, such as on a full disk.
#[derive(Debug, thiserror::Error)]
#[error("can't print: {0}")]
pub struct Unprinted(io::Error);

/// Prints text as it stands. A reader that has left, as `head` does, is no error.
///
/// # Errors
/// It can't be written for another reason.
pub fn print(text: &str) -> Result<(), Unprinted> {
    match print_to_reader(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Unprinted),
    }
}

/// Prints what `fill` writes, which is not held in memory. A reader that has left is no error.
///
/// # Errors
/// As of [`print`], and those of `fill`.
pub fn print_by(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Unprinted> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    match fill(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Unprinted),
    }
}

/// Prints text that must not be lost, such as a secret that is shown once.
///
/// # Errors
/// It can't be written, as to a full disk or to a reader that has left.
pub fn print_to_reader(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}

/// Says something on stderr, in a line of its own. Where nobody reads it there is nobody to tell that, either.
pub fn complain(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a value as readable JSON, in which nothing can be taken for a terminal's command.
///
/// # Errors
/// As of [`print`].
pub fn print_json(value: &impl Serialize) -> Result<(), Unprinted> {
    print(&String::from_utf8_lossy(&json::bytes(value).map_err(Unprinted)?))
}

/// Prints a value as a line of JSON, as safe as by [`print_json`].
///
/// # Errors
/// As of [`print`].
pub fn print_json_line(value: &impl Serialize) -> Result<(), Unprinted> {
    print(&(json::line(value).map_err(Unprinted)? + "\n"))
}
