//! All that runs inside containers, in Python, and the frames by which it is spoken to.
//!
//! `boot.py` reads a program and runs it. One is `survey.py`, which lists an image's modules. Any other is the tables and bounds of [`frames`], what both sides have (`c_library.py`, `seccomp.py`, `codec.py`,
//! `library.py`, `shared.py`, `raised.py`, `operations.py`, `lines.py`, `peer.py`, `pasts.py`, `proxies.py`), and all of `cell/` or all of `judge/`.

pub mod frames;

use std::sync::LazyLock;

use crate::config::Judge;

/// Reads a program from its input and runs it: what every container is started with.
pub const BOOT: &str = include_str!("boot.py");

/// The program of a cell's PID 1.
pub static CELL: LazyLock<String> = LazyLock::new(|| cell(0));

/// Program of a cell with this seed of chance; with 0 it is the text that all have.
pub fn cell(seed: u32) -> String {
    let seed = if seed == 0 { String::new() } else { format!("SEED = {seed}\n") };
    frames::python() + BOTH + CELL_FILES + &seed + CELL_START
}

/// The program of a judge, but for its last line.
pub static JUDGE: LazyLock<String> = LazyLock::new(|| frames::python() + BOTH + JUDGE_FILES);

/// The program that lists the modules of an image.
pub static SURVEY: LazyLock<String> = LazyLock::new(|| frames::python() + include_str!("survey.py"));

/// The program of a judge with these bounds.
pub fn judge(bounds: &Judge) -> String {
    format!("{}\nmain({})\n", *JUDGE, bounds.time.as_secs_f64())
}

/// The texts of files, one behind the other.
macro_rules! files {
    ($($file:literal)*) => {
        concat!($(include_str!($file), "\n"),*)
    };
}

/// Files that both sides have.
const BOTH: &str = files!("c_library.py" "seccomp.py" "codec.py" "library.py" "shared.py" "raised.py" "operations.py" "lines.py" "peer.py" "pasts.py" "proxies.py");

/// Files of a cell alone.
const CELL_FILES: &str = files!(
    "cell/surroundings.py" "cell/guises.py" "cell/agent.py" "cell/script.py" "cell/ahead.py" "cell/source.py" "cell/modules.py" "cell/forker.py" "cell/child_io.py" "cell/dialogue.py"
    "cell/gateway.py" "cell/sockets.py" "cell/account.py" "cell/files.py"
);

/// The last file of a cell, which begins its work.
const CELL_START: &str = files!("cell/supervisor.py");

/// Files of a judge alone.
const JUDGE_FILES: &str = files!(
    "judge/observations.py" "judge/plain.py" "judge/capitals.py" "judge/rewriting.py" "judge/compiler.py" "judge/task.py" "judge/exceptions.py" "judge/programs.py" "judge/cases.py" "judge/scores.py" "judge/surroundings.py"
    "judge/overheard.py" "judge/marks.py" "judge/quiet.py" "judge/library_objects.py" "judge/test_records.py" "judge/test_objects.py"
    "judge/failures.py" "judge/given.py" "judge/library_functions.py" "judge/contents.py" "judge/agent_objects.py" "judge/descent.py" "judge/blocks.py" "judge/effects.py" "judge/texts.py" "judge/special_names.py" "judge/descriptors.py" "judge/module.py" "judge/explain.py" "judge/judge.py" "judge/answers.py" "judge/suspicions.py" "judge/evaluators.py" "judge/measures.py" "judge/own_files.py" "judge/forgotten.py" "judge/remains.py" "judge/dry_run.py" "judge/supervisor.py"
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex::Regex;

    use super::*;

    /// The files of a program share their names: a second thing of a name would take the first one's place.
    #[test]
    fn no_name_of_a_program_stands_for_two_things() {
        let defined = Regex::new(r"(?m)^(?:(?:def|class) (\w+)|(\w+(?:, \w+)*)(?: = \w+)? = )").unwrap();
        let names = |line: &regex::Captures<'_>| -> Vec<String> {
            let told = line.get(1).or(line.get(2)).map_or("", |names| names.as_str());
            told.split(", ").map(str::to_owned).collect()
        };
        for program in [&*CELL, &*JUDGE] {
            let mut seen = BTreeSet::new();
            let all = defined.captures_iter(program).flat_map(|line| names(&line));
            let twice: Vec<_> = all.filter(|name| !seen.insert(name.clone())).collect();
            assert_eq!(twice, Vec::<String>::new());
        }
    }
}
