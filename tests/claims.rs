//! What the judge makes of claims, in the image that it runs in: random values, damaged ones, and what is none at all.

mod common;

use common::Lab;

const CODEC: &str = include_str!("../src/sandbox/codec.py");
const CLAIMS: &str = include_str!("../fuzz/claims.py");

#[test]
fn claims_decode_to_exact_builtin_types_or_not_at_all() {
    let lab = Lab::new();
    let program = format!("{CODEC}\n{CLAIMS}");
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
