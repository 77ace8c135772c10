//! Progress of a long check: a line now and then, and none where it is done soon.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::ui::{Event, Events};

/// Time between two lines.
const PAUSE: Duration = Duration::from_secs(10);

/// Counts what is done.
pub(super) struct Progress<'a> {
    /// Such as `solutions`.
    what: &'static str,
    events: &'a Events,
    total: usize,
    /// Number of those that are done, and the time of the last line.
    state: Mutex<(usize, Instant)>,
}

impl<'a> Progress<'a> {
    /// Nothing is done yet.
    pub(super) fn new(what: &'static str, total: usize, events: &'a Events) -> Self {
        Self { what, events, total, state: Mutex::new((0, Instant::now())) }
    }

    /// One more is done.
    pub(super) fn step(&self) {
        let mut state = self.state.lock();
        state.0 += 1;
        if state.1.elapsed() >= PAUSE {
            state.1 = Instant::now();
            self.events.send(Event::Note(format!("{} of {} {} tried", state.0, self.total, self.what)));
        }
    }
}
