//! Frames between the host and what runs in containers: the one table of their kinds, for Rust and for Python.
//!
//! Python gets its half as classes of the same names, written by [`python`] in front of each program. A payload is JSON
//! unless it says otherwise. The host looks into a payload only where our own code wrote it: an agent's claim passes
//! through as bytes.

use std::fmt::Write;

use crate::gateway::{MOST_LINKS, PORT, WINDOW};

macro_rules! frames {
    ($($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $kind:ident = $byte:literal,)* })*) => {
        $(
            $(#[$about])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            #[repr(u8)]
            pub enum $name {
                $($(#[$doc])* $kind = $byte,)*
            }

            impl $name {
                /// The kind of this byte; None if there is no such kind.
                pub fn of(byte: u8) -> Option<Self> {
                    match byte {
                        $($byte => Some(Self::$kind),)*
                        _ => None,
                    }
                }
            }

            impl From<$name> for u8 {
                fn from(kind: $name) -> u8 {
                    kind as u8
                }
            }
        )*

        /// Every table: its name, and its kinds with their bytes.
        const TABLES: &[(&str, &[(&str, u8)])] = &[$((stringify!($name), &[$((stringify!($kind), $byte)),*])),*];
    };
}

frames! {
    /// To a container that has just started.
    ToBoot {
        /// The program to run, as Python's text.
        Program = b'P',
        /// Code of a program as the interpreter keeps it, from [`FromBoot::Compiled`].
        Code = b'M',
    }
    /// From a container whose program has not begun.
    FromBoot {
        /// The program's code, for other containers of the image.
        Compiled = b'c',
    }
    /// From the survey of an image, which says [`FromCell::Ready`] first.
    FromSurvey {
        /// Its modules.
        Modules = b'm',
    }
    /// From the host to the supervisor of a cell.
    ToCell {
        /// The agent: seconds of CPU that compiling may take as u32, then its source as bytes.
        Load = b'L',
        /// Pieces of files for the working directory: for each the length of its path as u32, the path, the length of its
        /// bytes as u32, the bytes, which go to the file's end. Without any, all are there and nobody may change them.
        Files = b'F',
        /// Begin a run.
        Begin = b'R',
        /// Call a function of the agent.
        Call = b'C',
        /// Run as `python agent.py ...`.
        Script = b'S',
        /// Run as `python agent.py` with these bytes on stdin. A judge names a case's place instead of them.
        Stdin = b'I',
        /// Talk to `python agent.py`: say something and wait for a line of it, or for its end.
        Talk = b'T',
        /// Tell what the run has had of the machine.
        Weigh = b'W',
        /// End the run.
        End = b'E',
        /// End the run of this number, as u32, now, and drop all that waits; nothing if another one is under way.
        Kill = b'K',
        /// Orders to be carried out one by one, as frames.
        Batch = b'B',
        /// Bytes for a connection of the agent's: its number as u32, the bytes. Without any it ends.
        Bytes = b'N',
        /// So many bytes of a connection were taken: its number and their count, both u32.
        Taken = b'A',
    }
    /// From the supervisor of a cell to the host.
    FromCell {
        /// It waits for an agent.
        Ready = b'r',
        /// The agent is compiled, or where it can't be.
        Loaded = b'l',
        /// The pieces of files are in their places; or, as text, why they are not.
        Placed = b'f',
        /// The agent's claim: a value or an exception. Written by the agent.
        Claim = b'v',
        /// A script's end: exit code as i32, length of stdout as u32, stdout, stderr. Bytes of the agent's.
        Output = b's',
        /// A line of a dialogue: true as a byte if the program runs on, else its exit code as i32; then length of stdout as
        /// u32, stdout, stderr. Bytes of the agent's.
        Line = b'd',
        /// CPU time that the run has had, and time that the machine owes it.
        Account = b'w',
        /// The agent's process ended in the middle of a call, or was not to be had.
        Exited = b'x',
        /// More was printed or returned than may be.
        OverLimit = b'o',
        /// The run has ended: length of the account as u32, the account, the end of stderr as bytes.
        Ended = b'e',
        /// The same, after [`ToCell::Kill`].
        Killed = b'k',
        /// Bytes of a connection of the agent's, as [`ToCell::Bytes`].
        Bytes = b'n',
        /// So many bytes of a connection have got to the agent, as [`ToCell::Taken`].
        Taken = b'a',
    }
    /// From the host to a judge. All but `Learn` and `DryRun` begin with the run's number as u32.
    ToJudge {
        /// Learn a task.
        Learn = b'T',
        /// Run a task's tests without an agent: the first one as u32, the task's key.
        DryRun = b'D',
        /// Judge a run on a task: the first test as u32, the task's key.
        Grade = b'G',
        /// The claim of an agent's call.
        Claim = b'v',
        /// A script's end, as [`FromCell::Output`].
        Output = b's',
        /// A line of a dialogue, as [`FromCell::Line`].
        Line = b'd',
        /// The file that was asked for, as bytes.
        File = b'F',
        /// The outcome of a prompt: 1 as a byte and the model's answer as text, or 0 and why there is none.
        ModelAnswer = b'm',
        /// The agent ended instead of answering.
        AgentEnded = b'e',
    }
    /// From a judge to the host.
    FromJudge {
        /// It waits for work.
        Ready = b'r',
        /// The task is learnt: what is wrong with its text, and what its tests can tell beside answers.
        Learnt = b't',
        /// A task as it was compiled, for the judge's supervisor alone: its key and what it imports, a zero byte, its code.
        Compiled = b'b',
        /// The worker's run can have left nothing behind, and it will make others: for the supervisor alone, before the last word.
        Kept = b'k',
        /// The dry run has ended: what an agent will be asked.
        DryRan = b'y',
        /// Something that is wrong with the task, and that no agent can mend. Ends a run.
        Fault = b'f',
        /// The process that worked on it ended: in which test, and of what.
        Died = b'x',
        /// Something asked of the agent: the kind of [`ToCell`], then its payload.
        Question = b'c',
        /// A file of a case that is needed: the test and which of the two.
        Fetch = b'i',
        /// A prompt for the judge's model, as text.
        Consult = b'm',
        /// One test's result.
        Result = b'p',
        /// All tests were judged.
        Done = b'd',
    }
}

/// Bounds that host and containers share.
pub mod bounds {
    /// Payload of a frame with a script's output, bytes.
    pub const MAX_PAYLOAD: usize = 8 << 20;

    /// One encoded value, bytes of JSON, unless the pipeline or the task says otherwise.
    pub const MAX_VALUE: usize = 1 << 20;

    /// The same, whatever they say.
    pub const LARGEST_VALUE: usize = 64 << 20;

    /// Payload of any frame, bytes: a claim of the largest value and of the arguments that were changed.
    pub const MAX_FRAME: usize = 3 * LARGEST_VALUE + MAX_PAYLOAD;

    /// Containers within containers of a value.
    pub const MAX_DEPTH: usize = 100;

    /// A prompt of a test's for a model, bytes.
    pub const MAX_PROMPT: usize = 256 << 10;

    /// Warnings, and records of logs, that a call tells of.
    pub const MAX_OVERHEARD: usize = 1000;

    /// Message of a test, bytes. A judge cuts its own a good deal shorter.
    pub const MAX_MESSAGE: usize = 700;

    /// End of what an agent wrote to stderr that is kept for people to read, bytes.
    pub const STDERR_TAIL: usize = 2000;
}

/// The tables and bounds as Python: a class for each table, a constant for each bound.
pub fn python() -> String {
    let mut text = String::new();
    for (table, kinds) in TABLES {
        writeln!(text, "class {table}:").expect("a string takes it");
        for (kind, byte) in *kinds {
            writeln!(text, "    {kind} = b\"{}\"", char::from(*byte)).expect("a string takes it");
        }
    }
    for (name, bound) in [
        ("MAX_PAYLOAD", bounds::MAX_PAYLOAD),
        ("MAX_VALUE", bounds::MAX_VALUE),
        ("MAX_FRAME", bounds::MAX_FRAME),
        ("MAX_DEPTH", bounds::MAX_DEPTH),
        ("MAX_PROMPT", bounds::MAX_PROMPT),
        ("MAX_OVERHEARD", bounds::MAX_OVERHEARD),
        ("MAX_MESSAGE", bounds::MAX_MESSAGE),
        ("STDERR_TAIL", bounds::STDERR_TAIL),
        ("WINDOW", WINDOW),
        ("MOST_LINKS", MOST_LINKS),
        ("PORT", PORT.into()),
    ] {
        writeln!(text, "{name} = {bound}").expect("a string takes it");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex::Regex;

    use super::*;
    use crate::sandbox::guest;

    /// Kinds that Python's half of a program names, as `Table.Kind`.
    fn named(program: &str) -> BTreeSet<String> {
        let kind = Regex::new(r"\b(?:To|From)(?:Boot|Cell|Judge)\.\w+").unwrap();
        kind.find_iter(program).map(|found| found.as_str().to_owned()).collect()
    }

    fn listed(tables: &[&str]) -> BTreeSet<String> {
        let chosen = TABLES.iter().filter(|(table, _)| tables.contains(table));
        chosen
            .flat_map(|(table, kinds)| kinds.iter().map(move |(kind, _)| format!("{table}.{kind}")))
            .collect()
    }

    #[test]
    fn python_names_only_kinds_that_there_are() {
        let strange = &named(&guest::CELL) - &listed(&["ToCell", "FromCell"]);
        assert!(strange.is_empty(), "{strange:?}");
        let strange = &named(&guest::JUDGE) - &listed(&["ToJudge", "FromJudge", "ToCell"]);
        assert!(strange.is_empty(), "{strange:?}");
    }

    #[test]
    fn every_kind_that_a_container_is_sent_or_sends_is_known_to_it() {
        let forgotten = &listed(&["ToCell", "FromCell"]) - &named(&guest::CELL);
        assert!(forgotten.is_empty(), "{forgotten:?}");
        // A judge takes any frame of the run but `AgentEnded` for the answer to its question.
        let answers =
            ["Claim", "Output", "Line", "File", "ModelAnswer"].map(|kind| format!("ToJudge.{kind}"));
        assert_eq!(&listed(&["ToJudge", "FromJudge"]) - &named(&guest::JUDGE), BTreeSet::from(answers));
    }

    #[test]
    fn no_kind_is_spelt_out_in_python() {
        let literal = Regex::new(r#"\bb"[A-Za-z]""#).unwrap();
        for files in [guest::BOTH, guest::CELL_FILES, guest::CELL_START, guest::JUDGE_FILES] {
            let found: Vec<_> = files.lines().filter(|line| literal.is_match(line)).collect();
            assert!(found.is_empty(), "{found:?}");
        }
    }

    /// Boot has no tables, and spells its kinds out.
    #[test]
    fn the_kinds_that_boot_spells_out_are_those_of_the_table() {
        for kind in [u8::from(ToBoot::Code), FromBoot::Compiled.into()] {
            assert!(guest::BOOT.contains(&format!("b\"{}\"", char::from(kind))), "{}", char::from(kind));
        }
    }

    #[test]
    fn a_byte_names_one_kind_of_its_table() {
        for (table, kinds) in TABLES {
            let bytes: BTreeSet<u8> = kinds.iter().map(|(_, byte)| *byte).collect();
            assert_eq!(bytes.len(), kinds.len(), "{table}");
        }
        assert_eq!(FromCell::of(b'v'), Some(FromCell::Claim));
        assert_eq!(FromCell::of(b'?'), None);
    }
}
