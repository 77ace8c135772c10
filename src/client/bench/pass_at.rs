//! pass@k: the chance that at least one of k samples passes.

/// The unbiased estimate from `samples` of which `passed` did: 1 - C(n-c, k) / C(n, k), without large numbers in between.
/// `k` is at most `samples`.
pub(super) fn pass_at(k: u32, samples: u32, passed: u32) -> f64 {
    let failed = samples - passed;
    let none = (failed + 1..=samples).map(|n| 1.0 - f64::from(k) / f64::from(n)).product::<f64>();
    if failed < k { 1.0 } else { 1.0 - none }
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
}
