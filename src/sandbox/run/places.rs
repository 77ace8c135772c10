//! Places: a bound on how many of something there are at a time.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// Places of which some are free.
#[derive(Debug)]
pub struct Places {
    free: Mutex<usize>,
    changed: Condvar,
}

/// A place that is taken until this is dropped, be it by a panic.
#[derive(Debug)]
pub struct Place(Arc<Places>);

impl Places {
    /// So many free ones.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::new(count), changed: Condvar::new() })
    }

    /// Takes a place, or something instead of one, whichever is there first; `instead` is looked for at each
    /// [`notify`](Self::notify).
    pub fn take_or<T>(self: &Arc<Self>, instead: impl Fn() -> Option<T>) -> Result<T, Place> {
        let mut free = self.free.lock();
        loop {
            if let Some(found) = instead() {
                return Ok(found);
            }
            if *free > 0 {
                *free -= 1;
                return Err(Place(Arc::clone(self)));
            }
            self.changed.wait(&mut free);
        }
    }

    /// Says that there may be something to take instead of a place.
    pub fn notify(&self) {
        drop(self.free.lock()); // who waits has looked before, and is woken, or looks after
        self.changed.notify_one();
    }
}

impl Drop for Place {
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
        let places = Places::new(1);
        let held = Arc::clone(&places);
        let panicked = thread::spawn(move || {
            let _place = held.take_or(|| None::<()>);
            panic!("as it must");
        });
        assert!(panicked.join().is_err());
        assert!(places.take_or(|| None::<()>).is_err());
    }

    #[test]
    fn who_waits_takes_what_comes_first() {
        let (places, found) = (Places::new(1), Arc::new(Mutex::new(None)));
        let place = places.take_or(|| None::<u8>).unwrap_err();
        let waiting = {
            let (places, found) = (Arc::clone(&places), Arc::clone(&found));
            thread::spawn(move || places.take_or(|| found.lock().take()))
        };
        *found.lock() = Some(7);
        places.notify();
        assert_eq!(waiting.join().unwrap().unwrap(), 7);
        drop(place);
        assert!(places.take_or(|| None::<u8>).is_err());
    }
}
