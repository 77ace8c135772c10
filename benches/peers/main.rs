//! Measures agentmill against what people would use instead, and how its cost grows: `cargo bench --bench peers`.
//!
//! Absolute times depend on the machine and on what else it does; what counts are the ratios, each between two
//! measurements of the same round. docs/performance.md says what is measured and holds the last full run.

mod alone;
mod bundles;
mod growth;
mod handles;
mod machine;
mod options;
mod page;
mod plot;
mod pretend;
mod shapes;
mod stats;
mod tools;
mod versus;
mod watching;
mod ways;

use anyhow::Context;
use clap::Parser;

use options::{Options, Part};
use page::Page;
use tools::Tools;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let tools = Tools::fetch(options.wants(Part::Peers))?;
    let mut page = Page::new(machine::describe(&tools, &options));
    if options.wants(Part::Peers) {
        page.versus(&versus::measure(&tools, &options)?);
    }
    if options.wants(Part::Alone) {
        page.alone(&alone::measure(&tools, &options)?);
    }
    if options.wants(Part::Growth) {
        page.growth(&growth::measure(&tools, &options)?);
    }
    println!("{}", page.text());
    if options.writes() {
        page.write().context("docs/performance.md can't be written")?;
    }
    Ok(())
}
