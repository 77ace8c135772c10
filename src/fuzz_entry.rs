//! Fuzz entries: every function that takes bytes of others, with the promises that it keeps for any bytes. Property
//! tests here and the fuzz targets of `fuzz/` hold them to these.

use std::io;
use std::path::{Component, Path};
use std::sync::LazyLock;

use regex::Regex;

use crate::config::{self, Validate};
use crate::model::joined;
use crate::model::python::Library;
use crate::pipeline::validate;
use crate::proof::walk::walk;
use crate::task;
use crate::yaml::Problems;

pub use crate::gateway::fuzz_entry::requests;
pub use crate::sandbox::fuzz_entry::{attached, cell_frames, judge_frames};

/// Longest reason that a miner is given, in characters.
const LONGEST_REASON: usize = 600;

static FORBIDDEN: LazyLock<[Regex; 1]> = LazyLock::new(|| [Regex::new(r"\beval\(").expect("a constant")]);

/// A pipeline.yaml is read, or refused with places in it.
pub fn pipeline(bytes: &[u8]) {
    expect_places(bytes, config::parse(Path::new("nowhere/pipeline.yaml"), bytes).map(drop));
}

/// A task is read, and then its code stands where it says, or refused with places in it.
pub fn task(bytes: &[u8]) {
    let task = task::parse(Path::new("nowhere/t.yaml"), bytes);
    if let Ok(task) = &task {
        assert!(!task.tests.is_empty());
        let code = task.tests.iter().map(|test| &test.assertion).chain(&task.setup);
        code.for_each(|code| assert!((1..=lines(bytes)).contains(&code.line)));
    }
    expect_places(bytes, task.map(drop));
}

/// A bundle is walked through, or refused; what it would unpack lies below the place that it is unpacked to.
pub fn bundle(mut bytes: &[u8]) {
    let walked = walk(&mut bytes, |name| {
        let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        assert!(plain && !name.is_empty(), "{name:?}");
        Ok(io::sink())
    });
    if let Ok(walked) = walked {
        walked.faults.iter().for_each(|fault| assert!(!fault.to_string().contains(char::is_control)));
    }
}

fn expect_places(bytes: &[u8], result: Result<(), Problems>) {
    let Err(Problems(problems)) = result else { return };
    assert!(!problems.is_empty());
    for problem in problems {
        assert!((1..=lines(bytes)).contains(&problem.line) && problem.column > 0, "{problem}");
        assert!(!problem.to_string().contains(char::is_control), "{problem:?}");
    }
}

/// A submission is taken, or refused in one line that can be shown to anybody.
pub fn agent(bytes: &[u8]) {
    let rules = Validate { files: joined::MOST, ..validate::rules(&*FORBIDDEN) };
    if let Ok(parts) = joined::parts(bytes) {
        assert_eq!(joined::join(parts.iter().map(|part| (part.path, part.content))), bytes);
    }
    let Err(finding) = validate::check(bytes, &rules, &Library::default()) else { return };
    assert!(finding.line.is_none_or(|line| (1..=lines(bytes)).contains(&(line as usize))), "{finding:?}");
    let reason = finding.reason;
    assert!(reason.chars().count() < LONGEST_REASON && !reason.contains(char::is_control), "{reason:?}");
}

/// Lines as Python and YAML count them.
fn lines(bytes: &[u8]) -> usize {
    let count = |byte| bytes.iter().filter(|found| **found == byte).count();
    let pairs = bytes.windows(2).filter(|pair| *pair == b"\r\n").count();
    count(b'\n') + count(b'\r') - pairs + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that YAML, Python and our frames are made of, so that random texts get somewhere.
    const PIECES: &[&str] = &[
        "prompt: p\n",
        "tests:\n",
        "  - ",
        "assert x",
        "assert: ",
        "- name: a\n",
        "sandbox:\n",
        "  timeout: ",
        "1s",
        "stages: ",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "\n",
        "\r\n",
        "\r",
        "|\n  ",
        "'",
        "\"",
        "\"\"\"",
        "#",
        "\\",
        "&a ",
        "*a",
        "!!x ",
        "import ",
        "==> 1 files <==\n",
        "==> 2 files <==\n==> agent.py: 2 bytes <==\nx\n\n==> ",
        ": 3 bytes <==\n",
        "from . ",
        "os",
        "numpy",
        ";",
        ",",
        "(",
        ")",
        "\t",
        "# coding: latin-1\n",
        "eval(",
        "\u{feff}",
        "é",
        "\0",
        "\u{85}",
    ];

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            9 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 1..4),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    fn frames() -> impl Strategy<Value = Vec<u8>> {
        let payload = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20),
            r#"\{"(test|code|line|cpu_ms|waited_ms)":-?[0-9]{1,20},"(verdict|message|stderr|oom_kills)":("passed"|"ended"|"\\\\n\\PC{0,9}"|[0-9]{1,20})(,"message":(null|"\PC{0,9}"))?\}"#
                .prop_map(String::into_bytes),
        ];
        let frame = (prop::sample::select(&b"vsoxwklecpdr?"[..]), payload).prop_map(|(kind, payload)| {
            [&u32::try_from(payload.len()).expect("small").to_be_bytes()[..], &[kind], &payload].concat()
        });
        prop::collection::vec(frame, 0..6).prop_map(|frames| frames.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn texts_of_others_keep_the_promises(bytes in text()) {
            pipeline(&bytes);
            task(&bytes);
            agent(&bytes);
            bundle(&bytes);
        }

        #[test]
        fn frames_of_others_keep_the_promises(bytes in frames()) {
            cell_frames(&bytes);
            judge_frames(&bytes);
            attached(&bytes);
        }
    }
}
