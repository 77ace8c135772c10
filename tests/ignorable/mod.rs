//! Tests that say when they can't run here: they count as ignored, and their line gives the reason.
//!
//! Where everything should be installed, as in `.ci/run`, `AGENTMILL_TESTS_MUST_RUN=1` makes such a test fail instead.
//! Test files that use this have `harness = false` in Cargo.toml and list their tests in `main`.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// The end of a test that did not fail: it ran, or lacked something.
pub type Tested = Result<(), Missing>;

/// The reason why a test can't run on this machine, and how to change that.
#[derive(Debug)]
pub struct Missing(pub String);

impl From<String> for Missing {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

/// Lists tests by their functions' names.
#[allow(unused_macros, reason = "some list none that run unasked")]
macro_rules! tests {
    ($($test:path),+ $(,)?) => { vec![$($crate::ignorable::test(stringify!($test), $test)),+] };
}
#[allow(unused_imports, reason = "as above")]
pub(crate) use tests;

/// Lists tests that lack nothing, by their functions' names.
#[allow(unused_macros, reason = "some list none")]
macro_rules! plain {
    ($($test:path),+ $(,)?) => { vec![$($crate::ignorable::always(stringify!($test), $test)),+] };
}
#[allow(unused_imports, reason = "as above")]
pub(crate) use plain;

/// Lists tests of what only Docker is or has, or that look at containers by its client.
#[allow(unused_macros, reason = "some list none")]
macro_rules! with_docker {
    ($($test:path),+ $(,)?) => { vec![$($crate::ignorable::if_docker_is_there(stringify!($test), $test)),+] };
}
#[allow(unused_imports, reason = "as above")]
pub(crate) use with_docker;

/// A test that may turn out to lack something.
pub fn test(name: &str, run: fn() -> Tested) -> Trial {
    Trial::ignorable_test(name, move || match run() {
        Ok(()) => Ok(Completion::Completed),
        Err(Missing(reason)) if must_run() => Err(Failed::from(format!("it could not run: {reason}"))),
        Err(Missing(reason)) => Ok(Completion::ignored_with(reason)),
    })
}

/// A test that lacks nothing.
pub fn always(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// A test of what only Docker is or has, or that looks at containers by its client.
pub fn if_docker_is_there(name: &str, run: fn()) -> Trial {
    if std::process::Command::new("docker").arg("--version").output().is_ok() {
        return always(name, run);
    }
    Trial::ignorable_test(name, move || match must_run() {
        true => Err(Failed::from("it could not run: docker is not installed")),
        false => Ok(Completion::ignored_with("docker is not installed")),
    })
}

/// A test that runs with `--ignored` or `--include-ignored` only; otherwise its line says why.
pub fn on_request(why: &'static str, name: &str, run: fn() -> Tested) -> Trial {
    if std::env::args().any(|word| word == "--ignored" || word == "--include-ignored") {
        return test(name, run).with_ignored_flag(true);
    }
    Trial::ignorable_test(name, move || Ok(Completion::ignored_with(why)))
}

/// Runs what the command line asks for, and prints as `cargo test` does.
pub fn main(tests: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

/// [`main`] for tests that wait more than they work: four at a time, unless the command line says otherwise.
pub fn main_of_waiting(tests: Vec<Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, tests).exit_code()
}

/// [`main`] for tests of several kinds.
pub fn main_of<const N: usize>(lists: [Vec<Trial>; N]) -> ExitCode {
    main(lists.into_iter().flatten().collect())
}

fn must_run() -> bool {
    std::env::var_os("AGENTMILL_TESTS_MUST_RUN").is_some_and(|value| !value.is_empty())
}
