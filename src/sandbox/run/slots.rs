//! Slots: a bound on how many of something there are at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Slots of which some are free.
#[derive(Debug)]
pub struct Slots {
    count: usize,
    free: Mutex<usize>,
    changed: Condvar,
}

/// A slot that is taken until this is dropped, be it by a panic.
#[derive(Debug)]
pub struct Slot(Arc<Slots>);

impl Slots {
    /// So many free ones.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { count, free: Mutex::new(count), changed: Condvar::new() })
    }

    /// Takes a slot, or something instead of one, whichever is there first; `instead` is looked for at each
    /// [`notify`](Self::notify). Where others have slots, and may give back what to take instead, that is waited for
    /// as long as `patience` says before a free slot is taken.
    pub fn take_or<T>(
        self: &Arc<Self>,
        patience: Duration,
        instead: impl Fn() -> Option<T>,
    ) -> Result<T, Slot> {
        let patient_until = Instant::now() + patience;
        let mut free = self.free.lock();
        loop {
            if let Some(found) = instead() {
                return Ok(found);
            }
            let somebody_has_one = *free < self.count;
            if *free == 0 {
                self.changed.wait(&mut free);
            } else if somebody_has_one && Instant::now() < patient_until {
                self.changed.wait_until(&mut free, patient_until);
            } else {
                *free -= 1;
                return Err(Slot(Arc::clone(self)));
            }
        }
    }

    /// Says that there may be something to take instead of a slot.
    pub fn notify(&self) {
        drop(self.free.lock()); // who waits has looked before, and is woken, or looks after
        self.changed.notify_one();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_place_is_free_again_even_after_a_panic() {
        let slots = Slots::new(1);
        let held = Arc::clone(&slots);
        let panicked = thread::spawn(move || {
            let _place = held.take_or(Duration::ZERO, || None::<()>);
            panic!("as it must");
        });
        assert!(panicked.join().is_err());
        assert!(slots.take_or(Duration::ZERO, || None::<()>).is_err());
    }

    #[test]
    fn who_waits_takes_what_comes_first() {
        let (slots, found) = (Slots::new(1), Arc::new(Mutex::new(None)));
        let slot = slots.take_or(Duration::ZERO, || None::<u8>).unwrap_err();
        let waiting = {
            let (slots, found) = (Arc::clone(&slots), Arc::clone(&found));
            thread::spawn(move || slots.take_or(Duration::ZERO, || found.lock().take()))
        };
        *found.lock() = Some(7);
        slots.notify();
        assert_eq!(waiting.join().unwrap().unwrap(), 7);
        drop(slot);
        assert!(slots.take_or(Duration::ZERO, || None::<u8>).is_err());
    }

    #[test]
    fn who_is_patient_leaves_a_free_slot_for_what_another_gives_back() {
        const LONG: Duration = Duration::from_secs(60);
        let (slots, found) = (Slots::new(3), Arc::new(Mutex::new(None)));
        let first = slots.take_or(LONG, || None::<u8>).expect_err("there is nobody to wait for");
        let patient = {
            let (slots, found) = (Arc::clone(&slots), Arc::clone(&found));
            thread::spawn(move || slots.take_or(LONG, || found.lock().take()))
        };
        let second = slots.take_or(Duration::ZERO, || None::<u8>);
        *found.lock() = Some(7);
        slots.notify();
        assert_eq!(patient.join().unwrap().unwrap(), 7);
        drop((first, second));
        assert!(slots.take_or(LONG, || None::<u8>).is_err());
    }
}
