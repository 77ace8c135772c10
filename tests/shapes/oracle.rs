//! Plain Python's word on every shape: all of them in one container of the image that judges run in.

use serde_json::{Value, json};

use super::common::Lab;
use super::family::Family;

const ORACLE: &str = include_str!("oracle.py");

/// Outcome of a test under plain Python: `passed`, `failed`, `raised` or `stuck`, and the exception's text.
pub type Told = (String, String);

/// For each family, for each shape: what comes of it with the right answer and with the wrong one.
pub fn ask(lab: &Lab, families: &[Family]) -> Vec<Vec<[Told; 2]>> {
    let given: Vec<String> = families.iter().map(|family| given(family).to_string()).collect();
    let image = super::common::direct::image();
    let run = ["run", "--rm", "--network=none", "--env=PYTHONHASHSEED=0", &image, "python", "-c"];
    let args: Vec<&str> = run.into_iter().chain([ORACLE]).chain(given.iter().map(String::as_str)).collect();
    serde_json::from_str(&lab.ask(&args)).expect("a list by family")
}

/// A family as the oracle takes it.
fn given(family: &Family) -> Value {
    let shapes: Vec<_> = family.shapes.iter().map(|shape| [&shape.setup, &shape.test]).collect();
    json!({"agents": family.agents, "shapes": shapes})
}
