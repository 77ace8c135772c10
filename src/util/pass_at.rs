//! pass@k and pass^k, as they are estimated from more than k samples.

/// The chance that at least one of `k` samples passes, by `samples` of which `passed` did: 1 - C(n-c, k) / C(n, k), the
/// unbiased estimate of Chen et al., 2021, without large numbers in between. `k` is at most `samples`.
pub fn pass_at(k: u32, samples: u32, passed: u32) -> f64 {
    1.0 - all_of(k, samples, samples - passed)
}

/// The chance that all of `k` samples pass, by `samples` of which `passed` did: C(c, k) / C(n, k).
pub fn pass_all(k: u32, samples: u32, passed: u32) -> f64 {
    all_of(k, samples, passed)
}

/// The chance that `k` things drawn from so many, without putting one back, are all of the `marked` ones.
fn all_of(k: u32, things: u32, marked: u32) -> f64 {
    let unmarked = things - marked;
    if marked < k {
        return 0.0;
    }
    (0..unmarked).map(|n| 1.0 - f64::from(k) / f64::from(things - n)).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances() {
        for (k, samples, passed, chance) in [
            (1, 1, 0, 0.0),
            (1, 1, 1, 1.0),
            (1, 10, 3, 0.3),
            (5, 10, 3, 1.0 - 21.0 / 252.0),
            (10, 10, 1, 1.0),
            (2, 4, 1, 0.5),
            (100, 200, 0, 0.0),
        ] {
            assert!((pass_at(k, samples, passed) - chance).abs() < 1e-12, "{k} {samples} {passed}");
        }
        assert!(pass_at(10, 1_000, 1) > 0.0);
    }

    #[test]
    fn chances_of_all() {
        for (k, samples, passed, chance) in
            [(1, 10, 3, 0.3), (2, 4, 3, 0.5), (3, 5, 5, 1.0), (3, 5, 2, 0.0), (3, 5, 3, 0.1), (5, 5, 4, 0.0)]
        {
            assert!((pass_all(k, samples, passed) - chance).abs() < 1e-12, "{k} {samples} {passed}");
        }
    }

    #[test]
    fn certainty_is_exact() {
        assert_eq!([pass_at(2, 5, 4), pass_at(5, 5, 1), pass_all(2, 5, 5), pass_at(3, 5, 5)], [1.0; 4]);
        assert_eq!([pass_at(2, 5, 0), pass_all(2, 5, 1)], [0.0; 2]);
    }
}
