//! Rate limits by key: a full minute's worth of requests at once, then evenly.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// From this many keys on, those with a full bucket are forgotten.
const REMEMBERED: usize = 10_000;

/// A token bucket per key.
#[derive(Debug)]
pub(super) struct Rate<K>(Mutex<Buckets<K>>);

#[derive(Debug)]
struct Buckets<K> {
    by_key: HashMap<K, TokenBucket>,
    /// With as many as this it is looked which can be forgotten: twice as many as were left by the last look, as a crowd that
    /// stays must not be looked through for each that comes.
    most: usize,
}

impl<K> Default for Rate<K> {
    fn default() -> Self {
        Self(Mutex::new(Buckets { by_key: HashMap::new(), most: REMEMBERED }))
    }
}

/// Requests left as of a time.
#[derive(Debug, Clone, Copy)]
struct TokenBucket {
    left: f64,
    at: Instant,
}

impl<K: Eq + Hash> Rate<K> {
    /// Spends one request of a key that has `per_minute` of them. The rate may be another at each call.
    ///
    /// # Errors
    /// None is left; in so many seconds one will be.
    pub(super) fn spend(&self, key: K, per_minute: u32, now: Instant) -> Result<(), u64> {
        let most = f64::from(per_minute);
        let mut buckets = self.0.lock();
        if buckets.by_key.len() >= buckets.most && !buckets.by_key.contains_key(&key) {
            buckets.by_key.retain(|_, bucket| bucket.filled(most, now) < most);
            buckets.most = REMEMBERED.max(2 * buckets.by_key.len());
        }
        let bucket = buckets.by_key.entry(key).or_insert(TokenBucket { left: most, at: now });
        *bucket = TokenBucket { left: bucket.filled(most, now), at: now };
        if bucket.left < 1.0 {
            let missing = Duration::from_secs(60).mul_f64((1.0 - bucket.left) / most);
            return Err(missing.as_secs() + 1);
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

impl TokenBucket {
    /// Requests left by now, at most `most`, which are earned in a minute.
    fn filled(self, most: f64, now: Instant) -> f64 {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() / 60.0 * most;
        (self.left + earned).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_at_once_then_evenly() {
        let (rate, start) = (Rate::<String>::default(), Instant::now());
        let spend = |key: &str, after: u64| rate.spend(key.into(), 60, start + Duration::from_secs(after));
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
    fn another_rate_holds_at_once() {
        let (rate, start) = (Rate::default(), Instant::now());
        assert_eq!(rate.spend("a", 600, start), Ok(()));
        assert_eq!(rate.spend("a", 1, start), Ok(()));
        assert_eq!(rate.spend("a", 1, start), Err(61));
    }

    #[test]
    fn a_crowd_is_forgotten_when_it_is_gone() {
        let (rate, start) = (Rate::default(), Instant::now());
        for visitor in 0..REMEMBERED {
            rate.spend(visitor, 60, start).unwrap();
        }
        rate.spend(REMEMBERED, 60, start + Duration::from_secs(60)).unwrap();
        assert_eq!(rate.0.lock().by_key.len(), 1);
    }

    #[test]
    fn a_crowd_that_stays_is_not_looked_through_for_each_that_comes() {
        let (rate, start) = (Rate::default(), Instant::now());
        for visitor in 0..=REMEMBERED {
            rate.spend(visitor, 60, start).unwrap();
        }
        assert_eq!(rate.0.lock().most, 2 * REMEMBERED);
        rate.spend(usize::MAX, 60, start + Duration::from_secs(60)).unwrap();
        assert_eq!(rate.0.lock().by_key.len(), REMEMBERED + 2, "there is room");
        for visitor in REMEMBERED..2 * REMEMBERED {
            rate.spend(visitor, 60, start + Duration::from_secs(60)).unwrap();
        }
        assert!(rate.0.lock().by_key.len() <= REMEMBERED + 1, "those of a minute ago are forgotten");
    }
}
