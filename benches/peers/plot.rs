//! The ratios as bars, on a logarithmic scale; an SVG that reads on light and dark ground.

use std::fmt::Write as _;

use crate::stats::{Spread, short};
use crate::versus::Duel;
use crate::ways::Way;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 270.0;
const RIGHT: f64 = 90.0;
const ROW: f64 = 24.0;
const TITLE: f64 = 30.0;

const HEAD: &str = "<style>text{font:13px system-ui,sans-serif;fill:#57606a}.t{font-weight:600}\
line{stroke:#57606a}.g{stroke-opacity:.25}rect{fill:#0f766e}\
@media(prefers-color-scheme:dark){text{fill:#b1bac4}line{stroke:#b1bac4}rect{fill:#4fc3b1}}</style>\n";

/// A bar as long as the median ratio, a whisker from the least to the greatest.
pub fn bars(duels: &[Duel]) -> String {
    let top = duels.iter().flat_map(bars_of).map(|(_, ratio)| ratio.max).fold(10.0, f64::max);
    let scale = Scale { top: 10f64.powf(top.log10().ceil()) };
    let (mut body, mut y) = (String::new(), TITLE);
    let _ = writeln!(body, r#"<text x="0" y="16" class="t">Times as long as agentmill (log scale)</text>"#);
    for duel in duels {
        y += TITLE;
        let _ = writeln!(body, r#"<text x="0" y="{}" class="t">{} runs</text>"#, y - 10.0, duel.shape);
        for (name, ratio) in bars_of(duel) {
            bar(&mut body, &scale, y, &name, ratio);
            y += ROW;
        }
    }
    let grid = grid(&scale, y);
    let height = y + TITLE;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"How many times as long as agentmill other ways take\">\n{HEAD}{grid}{body}</svg>\n"
    )
}

fn bars_of(duel: &Duel) -> Vec<(String, Spread)> {
    let others = duel.lanes.iter().filter(|lane| lane.way != Way::Agentmill);
    let measured =
        others.filter_map(|lane| Some((lane.way.name().replace('`', ""), lane.result.as_ref().ok()?.ratio)));
    measured.collect()
}

/// From a tenth to `top`.
struct Scale {
    top: f64,
}

impl Scale {
    fn x(&self, ratio: f64) -> f64 {
        let share = (ratio.max(0.1).log10() + 1.0) / (self.top.log10() + 1.0);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }
}

fn bar(body: &mut String, scale: &Scale, y: f64, name: &str, ratio: Spread) {
    let (one, end) = (scale.x(1.0), scale.x(ratio.median));
    let (from, long, middle) = (one.min(end), (end - one).abs().max(1.0), y + 9.0);
    let (low, high, after) = (scale.x(ratio.min), scale.x(ratio.max), scale.x(ratio.max.max(1.0)) + 8.0);
    let label = short(ratio.median);
    let _ = writeln!(
        body,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>\
         <rect x=\"{from:.1}\" y=\"{y}\" width=\"{long:.1}\" height=\"18\" rx=\"3\"/>\
         <line x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\
         <text x=\"{after:.1}\" y=\"{}\">{label}</text>",
        LEFT - 10.0,
        y + 14.0,
        y + 14.0,
    );
}

fn grid(scale: &Scale, bottom: f64) -> String {
    let mut lines = String::new();
    let mut ratio = 0.1;
    while ratio <= scale.top * 1.001 {
        let x = scale.x(ratio);
        let _ = writeln!(
            lines,
            "<line class=\"g\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TITLE}\" y2=\"{bottom}\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            if ratio < 1.0 { "0.1".to_owned() } else { format!("{ratio:.0}") },
        );
        ratio *= 10.0;
    }
    lines
}
