//! Spinner: shown while a model or a platform is waited for.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use crate::ui::event::Event;

/// How often progress is told where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// A spinner; shown only on a terminal.
#[derive(Debug, Clone)]
pub struct Spinner {
    bar: ProgressBar,
    quiet: bool,
    /// When it was last told without a terminal what is waited for.
    told: Arc<Mutex<Instant>>,
}

impl Spinner {
    /// A spinner that is hidden until [`wait`](Self::wait).
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let live = !quiet && stderr().is_terminal() && std::env::var_os("CI").is_none();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self::on(target, quiet)
    }

    fn on(target: ProgressDrawTarget, quiet: bool) -> Self {
        Self { bar: bar(target), quiet, told: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Shows what is waited for from here on.
    pub fn wait(&self, what: String) {
        if self.bar.is_hidden() {
            self.say(&what);
            *self.told.lock() = Instant::now();
        }
        self.show(what);
    }

    /// Shows how far the work is; without a terminal only now and then.
    pub fn progress(&self, what: String) {
        if self.bar.is_hidden() && self.told.lock().elapsed() < EVERY {
            return;
        }
        self.wait(what);
    }

    fn show(&self, what: String) {
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
        let spinner = Spinner::on(target, false);
        spinner.wait("asking for strings/reverse (1 of 2)".to_owned());
        spinner.bar.tick();
        let shown = terminal.contents();
        assert!(shown.contains("asking for strings/reverse (1 of 2)") && !shown.contains("0/0"), "{shown}");
    }
}
