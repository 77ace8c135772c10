//! A command as the model: the prompt goes to its stdin, the reply is what it prints.

use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::client::generate::answer::{Reply, Unanswered};
use crate::model::miner_id::printable;
pub use crate::util::program::Children;
use crate::util::program::{Failure, STDOUT};

/// Runs the command once. What it has started ends with it.
pub(super) fn ask(
    command: &[String],
    prompt: &str,
    patience: Duration,
    children: &Children,
) -> Result<Reply, Unanswered> {
    let name = &command[0];
    let late = || Unanswered::Failed(format!("{name} did not reply within {} s", patience.as_secs_f64()));
    let mut program = Command::new(name);
    program.args(&command[1..]);
    let ran = children.run(&mut program, prompt.as_bytes().to_vec(), patience);
    let output = ran.map_err(|failure| match failure {
        Failure::Start(error) => Unanswered::Hopeless(format!("can't run {name}, the llm.command: {error}")),
        Failure::Late(_) => late(),
        Failure::System(error) => Unanswered::Failed(format!("{name}: {error}")),
    })?;
    let reply = output.stdout.as_ref().ok_or_else(late)?;
    match output.status.success() {
        false => Err(failed(name, output.status, &output.last_words())),
        true if reply.len() as u64 >= STDOUT => {
            Err(Unanswered::Failed(format!("the reply of {name} is too long")))
        }
        true => replied(reply),
    }
}

fn replied(reply: &[u8]) -> Result<Reply, Unanswered> {
    let text = String::from_utf8_lossy(reply).into_owned();
    match text.trim().is_empty() {
        true => Err(Unanswered::declined("the model's reply is empty")),
        false => Ok(Reply { text, ..Reply::default() }),
    }
}

fn failed(name: &str, status: ExitStatus, last_words: &str) -> Unanswered {
    let words = match last_words.trim() {
        "" => ", and said nothing on stderr".to_owned(),
        words => format!(": {}", printable(words.as_bytes())),
    };
    Unanswered::Failed(format!("{name} failed ({status}){words}"))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::thread;

    use super::*;

    fn sh(script: &str, prompt: &str, patience: u64) -> Result<String, String> {
        let command = ["sh", "-c", script].map(String::from);
        let reply = ask(&command, prompt, Duration::from_millis(patience), &Children::default());
        reply.map(|reply| reply.text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_it_prints_is_the_reply() {
        let long = "x".repeat(1 << 20);
        assert_eq!(sh("cat", &long, 60_000).unwrap(), long);
        assert_eq!(sh("echo hi; exec <&-", &long, 60_000).unwrap(), "hi\n");
        assert_eq!(sh("echo hi; sleep 600 &", "", 60_000).unwrap(), "hi\n", "a child holds the pipe");
    }

    #[test]
    fn its_failure_is_told_with_its_last_words() {
        let error = sh("echo one >&2; echo 'no such \x1b model' >&2; exit 3", "", 60_000).unwrap_err();
        assert!(error.contains("exit status: 3") && error.ends_with("no such \\u{1b} model"), "{error}");
        let silent = sh("echo reply; exit 3", "", 60_000).unwrap_err();
        assert!(silent.ends_with("sh failed (exit status: 3), and said nothing on stderr"), "{silent}");
        let nowhere = ask(&["/nowhere/llm".to_owned()], "", Duration::from_secs(1), &Children::default());
        assert!(matches!(nowhere, Err(Unanswered::Hopeless(_))));
    }

    #[test]
    fn it_may_not_take_for_ever() {
        let error = sh("sleep 600; :", "", 100).unwrap_err();
        assert!(error.contains("did not reply within 0.1 s"), "{error}");
    }

    /// Of a pipe the other end is held by the command's child alone: it ends when the child does.
    #[test]
    fn what_it_started_ends_with_it() {
        let children = Children::default();
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        let script = format!("(exec sleep 600 > '{}') & sleep 600", fifo.display());
        let words = ["sh".to_owned(), "-c".to_owned(), script];
        let shared = children.clone();
        let later = ["echo".to_owned(), "hi".to_owned()];
        let asked = thread::spawn(move || ask(&words, "", Duration::from_secs(600), &shared));
        // Opens as soon as the grandchild has it, and ends as soon as that is gone.
        let mut held = std::fs::File::open(&fifo).unwrap();
        children.end();
        assert_eq!(held.read(&mut [0]).unwrap(), 0);
        assert!(asked.join().unwrap().is_err());
        assert!(children.is_empty());
        assert!(ask(&later, "", Duration::from_secs(60), &children).is_err(), "none starts behind the end");
    }
}
