//! How often somebody may come: a full minute's worth at once, then evenly.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When this many are remembered, those who may come as often as anybody are forgotten.
const REMEMBERED: usize = 10_000;

/// Counts visits per key.
#[derive(Debug)]
pub(super) struct Rate {
    per_minute: f64,
    purses: Mutex<HashMap<String, Purse>>,
}

/// What is left to spend, as of a time.
#[derive(Debug, Clone, Copy)]
struct Purse {
    left: f64,
    at: Instant,
}

impl Rate {
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.into(), purses: Mutex::default() }
    }

    /// Spends one visit.
    ///
    /// # Errors
    /// None is left; in so many seconds one will be.
    pub(super) fn spend(&self, key: String, now: Instant) -> Result<(), u64> {
        let mut purses = self.purses.lock().unwrap_or_else(PoisonError::into_inner);
        if purses.len() >= REMEMBERED && !purses.contains_key(&key) {
            purses.retain(|_, purse| self.filled(*purse, now) < self.per_minute);
        }
        let purse = purses.entry(key).or_insert(Purse { left: self.per_minute, at: now });
        *purse = Purse { left: self.filled(*purse, now), at: now };
        if purse.left < 1.0 {
            let missing = Duration::from_secs(60).mul_f64((1.0 - purse.left) / self.per_minute);
            return Err(missing.as_secs() + 1);
        }
        purse.left -= 1.0;
        Ok(())
    }

    fn filled(&self, purse: Purse, now: Instant) -> f64 {
        let earned = now.saturating_duration_since(purse.at).as_secs_f64() / 60.0 * self.per_minute;
        (purse.left + earned).min(self.per_minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_at_once_then_evenly() {
        let (rate, start) = (Rate::new(60), Instant::now());
        let spend = |key: &str, after: u64| rate.spend(key.into(), start + Duration::from_secs(after));
        assert!((0..60).all(|_| spend("a", 0).is_ok()));
        assert_eq!(spend("a", 0), Err(2));
        assert_eq!(spend("b", 0), Ok(()));
        assert_eq!(spend("a", 2), Ok(()));
        assert_eq!(spend("a", 2), Ok(()));
        assert!(spend("a", 2).is_err());
        assert!((0..60).all(|_| spend("a", 3600).is_ok()));
        assert!(spend("a", 3600).is_err());
    }

    #[test]
    fn a_crowd_is_forgotten_when_it_is_gone() {
        let (rate, start) = (Rate::new(60), Instant::now());
        for visitor in 0..REMEMBERED {
            rate.spend(visitor.to_string(), start).unwrap();
        }
        rate.spend("late".into(), start + Duration::from_secs(60)).unwrap();
        assert_eq!(rate.purses.lock().unwrap().len(), 1);
    }
}
