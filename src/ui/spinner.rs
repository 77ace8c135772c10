//! Spinner: shown while a model or a platform is waited for.

use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ui::event::Event;

/// A spinner; shown only on a terminal.
#[derive(Debug, Clone)]
pub struct Spinner {
    bar: ProgressBar,
    quiet: bool,
}

impl Spinner {
    /// A spinner that is hidden until [`wait`](Self::wait).
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let live = !quiet && stderr().is_terminal() && std::env::var_os("CI").is_none();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { bar: bar(target), quiet }
    }

    /// Shows what is waited for from here on.
    pub fn wait(&self, what: String) {
        if self.bar.is_hidden() {
            self.say(&what);
        }
        self.bar.set_message(what);
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    /// Writes a line that the spinner does not tear.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            self.tell(line);
        }
    }

    /// Writes what even a quiet command has to tell.
    pub fn tell(&self, text: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(stderr(), "{text}");
        });
    }

    /// Shows the sandbox's events until it is dropped.
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

    /// Hides the spinner.
    pub fn done(&self) {
        self.bar.finish_and_clear();
    }
}

/// A bar that shows its message; what indicatif shows by itself is a count of nothing.
fn bar(target: ProgressDrawTarget) -> ProgressBar {
    ProgressBar::with_draw_target(None, target).with_style(ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    #[test]
    fn its_text_is_shown() {
        let terminal = InMemoryTerm::new(4, 60);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let spinner = Spinner { bar: bar(target), quiet: false };
        spinner.wait("asking for strings/reverse (1 of 2)".to_owned());
        spinner.bar.tick();
        let shown = terminal.contents();
        assert!(shown.contains("asking for strings/reverse (1 of 2)") && !shown.contains("0/0"), "{shown}");
    }
}
