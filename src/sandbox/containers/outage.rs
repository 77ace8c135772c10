//! Outage: while the engine is away, one thread asks for it and all others wait for that one. A start that failed meanwhile
//! is made again and counts as no try.
//!
//! `launcher` sits it out where a start has failed; `death_log` tells that a container was lost with the engine;
//! `run/agent_session` makes a run that was lost with it once more; one that could not be judged is made unscored in
//! `pipeline/evaluate`.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::sandbox::Fault;
use crate::ui::{Event, Events};
use crate::util::units::Time;

/// Between two looks at an engine that is not there.
const PAUSE: Duration = Duration::from_millis(500);

const AWAY: &str = "the engine went away";

/// An engine's absences, as far as they are known.
#[derive(Debug)]
pub struct Outage {
    /// How long it may be away before runs stay unscored.
    patience: Duration,
    events: Events,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when it has been away, if it is.
    since: Option<Instant>,
    /// When it was last found to be back.
    back: Option<Instant>,
    /// When it last answered.
    answered: Option<Instant>,
}

/// State of an engine after something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// It was there: what failed is another matter.
    There,
    /// It was away, and is back.
    Back,
}

impl Outage {
    /// None yet.
    pub fn new(patience: Duration, events: Events) -> Self {
        Self { patience, events, state: Mutex::default() }
    }

    /// Tells whether the engine was ever away.
    pub fn happened(&self) -> bool {
        let state = self.state.lock();
        state.since.or(state.back).is_some()
    }

    /// Tells whether it has been away for too long: nobody waits for it any more.
    pub fn is_given_up(&self) -> bool {
        self.state.lock().since.is_some_and(|since| since.elapsed() >= self.patience)
    }

    /// After something that began at `began` failed: waits until `ask` finds the engine there. One looks for all; who
    /// comes meanwhile waits for that, and is told what came of it.
    ///
    /// # Errors
    /// It is away for too long, or `ask` says that nobody wants it any more.
    pub fn sit_out(&self, began: Instant, ask: impl Fn() -> Result<(), Fault>) -> Result<Stay, Fault> {
        let mut state = self.state.lock();
        while state.answered.is_none_or(|answered| answered < began) {
            let asked = Instant::now();
            match ask() {
                Ok(()) => {
                    state.answered = Some(asked);
                    if state.since.take().is_some() {
                        state.back = Some(asked);
                        self.events.send(Event::Note("the engine is back".into()));
                    }
                }
                Err(fault @ (Fault::Stopped | Fault::Task(_) | Fault::Provider(_))) => return Err(fault),
                Err(Fault::Engine(reason)) => {
                    let since = *state.since.get_or_insert_with(|| self.first_seen(asked, &reason));
                    if since.elapsed() >= self.patience {
                        return Err(self.given_up(&reason));
                    }
                    std::thread::sleep(PAUSE.min(self.patience));
                }
            }
        }
        let was_away = state.back.is_some_and(|back| back >= began);
        Ok(if was_away { Stay::Back } else { Stay::There })
    }

    /// The fault, and that the engine is away if that has been found for too long: who fails just then may say less.
    pub fn explain(&self, fault: Fault) -> Fault {
        match &fault {
            Fault::Engine(reason) if self.is_given_up() && !reason.starts_with(AWAY) => self.given_up(reason),
            _ => fault,
        }
    }

    fn first_seen(&self, now: Instant, reason: &str) -> Instant {
        let patience = Time(self.patience);
        self.events.send(Event::Warning(format!("{AWAY}; waiting {patience} for it ({reason})")));
        now
    }

    fn given_up(&self, reason: &str) -> Fault {
        let patience = Time(self.patience);
        Fault::Engine(format!("{AWAY} and was not back within {patience}: {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn outage(patience: Duration) -> Outage {
        Outage::new(patience, Events::channel().0)
    }

    fn away() -> Result<(), Fault> {
        Err(Fault::Engine("cannot connect".into()))
    }

    #[test]
    fn an_engine_that_answers_was_there() {
        let outage = outage(LONG);
        assert_eq!(outage.sit_out(Instant::now(), || Ok(())), Ok(Stay::There));
        assert!(!outage.happened());
    }

    #[test]
    fn everybody_whom_it_hit_learns_that_it_came_back_and_one_asks_for_all() {
        let (outage, asked, began) = (outage(LONG), AtomicUsize::new(0), Instant::now());
        let ask = || if asked.fetch_add(1, Ordering::SeqCst) == 0 { away() } else { Ok(()) };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..8).map(|_| scope.spawn(|| outage.sit_out(began, ask))).collect();
            for worker in workers {
                assert_eq!(worker.join().unwrap(), Ok(Stay::Back));
            }
        });
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert_eq!(outage.sit_out(Instant::now(), || Ok(())), Ok(Stay::There), "that was another outage");
    }

    #[test]
    fn patience_is_with_the_outage_and_not_with_each_run() {
        let outage = outage(Duration::from_millis(1));
        let Err(Fault::Engine(reason)) = outage.sit_out(Instant::now(), away) else {
            panic!("it waits for ever")
        };
        assert!(reason.contains("cannot connect"), "{reason}");
        let again = Instant::now();
        assert!(outage.sit_out(again, away).is_err());
        assert_eq!(outage.sit_out(again, || Ok(())), Ok(Stay::Back), "it is still looked for");
    }

    #[test]
    fn who_is_stopped_waits_no_longer() {
        let outage = outage(LONG);
        assert_eq!(outage.sit_out(Instant::now(), || Err(Fault::Stopped)), Err(Fault::Stopped));
    }
}
