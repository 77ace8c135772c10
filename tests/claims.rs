//! Claims as the judge decodes them, in the image that it runs in: random values, damaged ones, and bytes that are none.

mod common;
mod ignorable;

use std::process::ExitCode;

use common::Lab;
use ignorable::with_docker;

fn main() -> ExitCode {
    ignorable::main(with_docker![claims_decode_to_plain_types_and_proxies_or_not_at_all])
}

/// As `src/sandbox/guest/frames.rs` has them.
const BOUNDS: &str = "MAX_VALUE, MAX_FRAME, MAX_DEPTH = 1 << 20, 1 << 26, 100";
const DECODER: &str = concat!(
    include_str!("../src/sandbox/guest/codec.py"),
    include_str!("../src/sandbox/guest/library.py"),
    include_str!("../src/sandbox/guest/shared.py"),
    include_str!("../src/sandbox/guest/raised.py"),
    include_str!("../src/sandbox/guest/operations.py"),
    include_str!("../src/sandbox/guest/lines.py"),
    include_str!("../src/sandbox/guest/peer.py"),
    include_str!("../src/sandbox/guest/pasts.py"),
    include_str!("../src/sandbox/guest/proxies.py"),
);
const CLAIMS: &str = include_str!("../fuzz/claims.py");

fn claims_decode_to_plain_types_and_proxies_or_not_at_all() {
    let lab = Lab::new();
    let program = format!("{BOUNDS}\n{DECODER}\n{CLAIMS}");
    let told = lab.ask(&[
        "run",
        "--rm",
        "--network",
        "none",
        "python:3.11-slim",
        "python",
        "-c",
        &program,
        "3",
        "0",
    ]);
    println!("{told}");
    assert!(told.contains(" claims, "), "{told}");
}
