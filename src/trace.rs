//! Diagnostics on stderr, on request: `AGENTMILL_LOG=agentmill=debug`, or RUST_LOG.
//!
//! Messages for the person at the terminal go through [`ui`](crate::ui); diagnostics help to find out why something is
//! slow or fails. Text from agents and engines is logged as a debug-quoted field, never as it stands.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::term;

/// The variables that hold a filter; the first that is set counts.
const VARIABLES: [&str; 2] = ["AGENTMILL_LOG", "RUST_LOG"];

/// True if diagnostics were asked for.
pub fn wanted() -> bool {
    filter().is_some()
}

fn filter() -> Option<String> {
    VARIABLES.iter().find_map(|name| env::var(name).ok()).filter(|filter| !filter.trim().is_empty())
}

/// Starts to write diagnostics if they are asked for; otherwise they cost next to nothing.
pub fn start() {
    let Some(filter) = filter() else {
        return;
    };
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|error| {
        term::complain(format_args!(
            "agentmill: the log filter {filter:?} is not understood ({error}); taking \"info\""
        ));
        EnvFilter::new("info")
    });
    let colour = io::stderr().is_terminal()
        && anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colour);
    // Another one is there only in tests that share a process.
    let _ = subscriber.try_init();
}
