//! Patience with a word: work that may take long without anybody knowing why says so once.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::ui::{Event, Events};

/// Silence after which somebody at a terminal wonders.
pub const SILENCE: Duration = Duration::from_secs(10);

/// Does `work`; warns with `remark` if it isn't done after `silence`.
pub fn with_remark<T>(
    events: &Events,
    silence: Duration,
    remark: impl FnOnce() -> String + Send,
    work: impl FnOnce() -> T,
) -> T {
    let (working, done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if done.recv_timeout(silence) == Err(RecvTimeoutError::Timeout) {
                events.send(Event::Warning(remark()));
            }
        });
        let value = work();
        drop(working);
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remarks on work that ends once it was remarked on, or before.
    fn remarks(silence: Duration, waits: bool) -> usize {
        let (events, told) = Events::channel();
        let (saying, said) = mpsc::channel();
        let remark = move || {
            saying.send(()).unwrap();
            "slow".to_owned()
        };
        with_remark(&events, silence, remark, || {
            if waits {
                said.recv().unwrap()
            }
        });
        drop(events);
        told.iter().count()
    }

    #[test]
    fn only_slow_work_is_remarked_on() {
        assert_eq!(remarks(Duration::ZERO, true), 1);
        assert_eq!(remarks(Duration::from_secs(60), false), 0);
    }
}
