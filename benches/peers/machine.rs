//! The machine that the figures were measured on, as far as it matters to who compares.

use std::fs;
use std::process::Command;

use crate::options::Options;
use crate::tools::{Tools, output};

/// One sentence.
pub fn describe(tools: &Tools, options: &Options) -> String {
    let cores = crate::shapes::cores();
    let engine = output(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{} cores ({}), Linux {}, Docker Engine {}, image {} ({}); load at the start {}; {} of each measurement, \
         interleaved; {}.",
        cores,
        processor(),
        kernel.trim(),
        engine.unwrap_or_default().trim(),
        crate::tools::IMAGE,
        &tools.image[..tools.image.len().min(19)],
        load.split(' ').next().unwrap_or_default(),
        options.rounds(),
        jiff::Timestamp::now().strftime("%Y-%m-%d"),
    )
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned())
}
