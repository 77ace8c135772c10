//! Samples: how often an agent is run on each task of a stage, and the one score that these runs come to.

/// The most samples of a task.
pub const MOST_SAMPLES: u32 = 200;

/// The samples of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Runs of each agent on each task, 1 to [`MOST_SAMPLES`].
    pub samples: u32,
    /// The score that they come to.
    pub reduce: Reduce,
}

/// Rules by which the scores of several samples become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduce {
    /// Their mean.
    Mean,
    /// The best of them.
    Best,
    /// The chance, in percent, that one of so many samples passes all tests.
    PassAt(u32),
    /// The chance, in percent, that all of so many do.
    PassAll(u32),
}

impl Sampling {
    /// One run, which stands for itself.
    pub const ONE: Self = Self { samples: 1, reduce: Reduce::Mean };

    /// The k of pass@k that tells most: that of the rule, or all samples.
    #[must_use]
    pub fn k(self) -> u32 {
        match self.reduce {
            Reduce::PassAt(k) | Reduce::PassAll(k) => k,
            Reduce::Mean | Reduce::Best => self.samples,
        }
    }
}
