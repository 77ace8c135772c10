//! Options of the benchmark: the parts to measure, and how often.

use clap::{Parser, ValueEnum};

/// Measures agentmill against its peers; a full run takes some 20 minutes on 2 cores.
#[derive(Debug, Parser)]
pub struct Options {
    /// One round of smaller shapes: to see that everything works, not for figures
    #[arg(long)]
    pub quick: bool,

    /// Rounds in which all ways are measured one after the other [default: 5; 1 with --quick]
    #[arg(long)]
    rounds: Option<usize>,

    /// Only these parts
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,

    /// Only these shapes, such as 20x20
    #[arg(long, value_delimiter = ',')]
    shapes: Vec<String>,

    /// Write docs/performance.md and its plot even though this is not the full run
    #[arg(long)]
    write: bool,

    /// The flag that cargo gives to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Side by side with other ways of running the same agents
    Peers,
    /// Unchanged re-runs, watch, memory and validation
    Alone,
    /// How cost grows with agents, tasks, tests, parallel and size
    Growth,
}

impl Options {
    /// Tells whether a part is to be measured.
    pub fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Tells whether a shape is to be measured.
    pub fn wants_shape(&self, name: &str) -> bool {
        self.shapes.is_empty() || self.shapes.iter().any(|wanted| wanted == name)
    }

    /// How often.
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 5 }).max(1)
    }

    /// Tells whether the page is to be written: by a full run, or when asked.
    pub fn writes(&self) -> bool {
        self.write || !self.quick && self.only.is_empty() && self.shapes.is_empty()
    }

    /// The one or the other number.
    pub fn full_or_quick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}
