//! Waiting for somebody else, such as a model or a platform.

use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::Event;

/// Turns while somebody else is awaited; shown only on a terminal.
#[derive(Debug, Clone)]
pub struct Spinner {
    bar: ProgressBar,
    quiet: bool,
}

impl Spinner {
    /// A spinner that is not seen before [`wait`](Self::wait).
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let live = !quiet && stderr().is_terminal() && std::env::var_os("CI").is_none();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { bar: ProgressBar::with_draw_target(None, target), quiet }
    }

    /// Says what is awaited from here on.
    pub fn wait(&self, what: String) {
        if self.bar.is_hidden() {
            self.say(&what);
        }
        self.bar.set_message(what);
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    /// A line that the spinner does not tear.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            self.bar.suspend(|| {
                let _ = writeln!(stderr(), "{line}");
            });
        }
    }

    /// Shows what the sandbox tells, until it is gone.
    pub fn follow(&self, events: Receiver<Event>) -> JoinHandle<()> {
        let spinner = self.clone();
        thread::spawn(move || {
            for event in events {
                if let Event::Image(text) | Event::Note(text) | Event::Warning(text) = event {
                    spinner.say(&text);
                }
            }
        })
    }

    /// Nothing is awaited any more.
    pub fn done(&self) {
        self.bar.finish_and_clear();
    }
}
