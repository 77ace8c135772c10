//! Spread of samples: how far the runs of one agent on one task differ.

use serde::{Deserialize, Serialize};

/// The judged samples of one agent on one task.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many were judged.
    pub samples: u32,
    /// How many of them passed all tests.
    pub passed: u32,
    /// The mean of their scores, 0-100.
    pub mean: f64,
    /// The lowest score.
    pub min: f64,
    /// The highest one.
    pub max: f64,
    /// The standard deviation of the scores, with n - 1 below; 0 of a single one.
    pub stdev: f64,
}

/// The spread of an agent's samples on a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSpread {
    /// The stage they were run in.
    pub stage: String,
    /// The task's id.
    pub task: String,
    /// Their spread.
    #[serde(flatten)]
    pub spread: Spread,
}

impl Spread {
    /// Of scores and whether all tests were passed; None if nothing was judged.
    #[must_use]
    pub fn of(samples: &[(f64, bool)]) -> Option<Self> {
        let count = samples.len() as f64;
        let scores = || samples.iter().map(|(score, _)| *score);
        let (min, max) = (scores().reduce(f64::min)?, scores().reduce(f64::max)?);
        let mean = scores().fold(0.0, |sum, score| sum + score) / count;
        let squares = scores().fold(0.0, |sum, score| sum + (score - mean).powi(2));
        let stdev = if samples.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
        let passed = samples.iter().filter(|(_, passed)| *passed).count() as u32;
        Some(Self { samples: samples.len() as u32, passed, mean, min, max, stdev })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_differ_by_so_much() {
        assert_eq!(Spread::of(&[]), None);
        let one = Spread::of(&[(50.0, false)]).unwrap();
        assert_eq!((one.samples, one.min, one.max, one.mean, one.stdev), (1, 50.0, 50.0, 50.0, 0.0));
        let spread = Spread::of(&[(0.0, false), (100.0, true), (50.0, false), (50.0, false)]).unwrap();
        assert_eq!((spread.samples, spread.passed, spread.min, spread.max), (4, 1, 0.0, 100.0));
        assert_eq!(spread.mean, 50.0);
        assert!((spread.stdev - (5000.0_f64 / 3.0).sqrt()).abs() < 1e-9);
    }
}
