//! Shapes of tests: everything that authors write in plain Python about an agent's module, beside plain Python itself.
//!
//! A family is a file `tests/shapes/<family>.yaml`: groups of shapes about one agent module.
//!
//! ```yaml
//! - agent: |                       # the right answer
//!     def double(n):
//!         return 2 * n
//!   wrong: {"2 * n": "n + 2"}      # optional: replaced in it, a wrong answer, which no shape of the group may let pass
//!   shapes:
//!     - name: a function
//!       setup: ""                  # optional, as in a task
//!       test: |                    # as in a task
//!         assert double(4) == 8
//!       says: ["8", "6"]           # optional: parts of the message that the wrong answer gets
//!       edge: why                  # optional: where agentmill is documented not to do as Python does
//! ```
//!
//! The image's own Python says what must come of each: an assertion that holds is `passed`, one that does not is
//! `failed`, any other exception `failed` or `error`. Where a shape is an edge, it must not pass, and `says` is about the
//! right answer's message. `AGENTMILL_SHAPE=text` takes only the shapes whose `family/name` contains the text.

#[path = "../common/mod.rs"]
mod common;
mod compare;
mod family;
#[path = "../ignorable/mod.rs"]
mod ignorable;
mod oracle;
mod play;

use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use common::Lab;
use family::Family;
use ignorable::with_docker;

fn main() -> ExitCode {
    ignorable::main(with_docker![every_shape_comes_to_what_plain_python_makes_of_it])
}

/// The least number of shapes that the table holds.
const LEAST: usize = 800;

/// The families with the shapes that are asked for.
fn families() -> Vec<Family> {
    let only = std::env::var("AGENTMILL_SHAPE").unwrap_or_default();
    let mut families = family::all();
    let count: usize = families.iter().map(|family| family.shapes.len()).sum();
    assert!(count >= LEAST, "{count} shapes");
    for family in &mut families {
        let name = family.name.clone();
        family.shapes.retain(|shape| format!("{name}/{}", shape.name).contains(&only));
    }
    families.retain(|family| !family.shapes.is_empty());
    families
}

fn every_shape_comes_to_what_plain_python_makes_of_it() {
    let (lab, families, start) = (Lab::new(), families(), Instant::now());
    let (wanted, got) = thread::scope(|scope| {
        let wanted = scope.spawn(|| oracle::ask(&lab, &families));
        let got = play::all(&lab, &families);
        (wanted.join().expect("plain Python tells of each shape"), got)
    });
    let unsound = compare::unsound(&families, &wanted);
    assert!(unsound.is_empty(), "mistakes in the table:\n{}", unsound.join("\n"));
    let faults = compare::faults(&families, &wanted, &got);
    let count: usize = families.iter().map(|family| family.shapes.len()).sum();
    println!("{} of {count} shapes differ, in {:.0?}", faults.len(), start.elapsed());
    let left = lab.close();
    assert!(faults.is_empty(), "{} of {count} shapes differ:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(left, Vec::<String>::new());
}
