//! Trouble: something wrong with the inbox or the results that may pass by itself.

use crate::ui::{Event, Events};

/// Something wrong that may pass: told once, not as often as it is met.
#[derive(Default)]
pub(super) struct Trouble(Option<String>);

impl Trouble {
    /// Notes it, or that it is over, and tells it if it is new.
    pub(super) fn is_now(&mut self, error: Option<anyhow::Error>, events: &Events) {
        let before = std::mem::replace(&mut self.0, error.map(|error| format!("{error:#}")));
        if let Some(trouble) = self.0.as_ref().filter(|_| self.0 != before) {
            events.send(Event::Warning(trouble.clone()));
        }
    }

    /// Trouble that an earlier pass may have told already: then it is no warning any more.
    pub(super) fn is_still(
        &mut self,
        trouble: Option<String>,
        told_before: impl FnOnce() -> Option<String>,
        events: &Events,
    ) {
        match trouble {
            Some(told) if self.0.is_none() && told_before().as_ref() == Some(&told) => {
                self.0 = Some(told.clone());
                events.send(Event::Note(told));
            }
            other => self.is_now(other.map(anyhow::Error::msg), events),
        }
    }
}
