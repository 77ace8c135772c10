//! A command as the model: the prompt goes to its stdin, the reply is what it prints.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::client::generate::answer::{Reply, Unanswered};
use crate::model::miner_id::printable;

/// Longest reply, and the most that is kept of what it says on stderr, in bytes.
const REPLY: u64 = 4 << 20;
const COMPLAINT: u64 = 64 << 10;

/// How long the rest of its output is waited for once it has ended.
const REST: Duration = Duration::from_secs(1);

/// Commands at work, each with all that it has started, in a process group of its own.
#[derive(Debug, Clone, Default)]
pub struct Children(Arc<Mutex<HashSet<Pid>>>);

impl Children {
    /// Ends them all.
    pub fn end(&self) {
        for group in self.0.lock().iter() {
            let _ = kill_process_group(*group, Signal::KILL);
        }
    }

    fn start(&self, command: &[String]) -> std::io::Result<Group> {
        // Under the lock, so that none starts unseen while they are ended.
        let mut known = self.0.lock();
        let child = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let id = Pid::from_child(&child);
        known.insert(id);
        Ok(Group { child, id, children: self.clone() })
    }
}

/// A command's process and its children; ended when dropped.
struct Group {
    child: Child,
    id: Pid,
    children: Children,
}

impl Group {
    /// Waits for the command's own end; None if that takes longer than `patience`. Its children end with it.
    fn end(mut self, patience: Duration) -> std::io::Result<Option<ExitStatus>> {
        let process = pidfd_open(self.id, PidfdFlags::empty())?;
        let timeout = Timespec::try_from(patience).ok();
        let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], timeout.as_ref())? > 0;
        // As long as it is not waited for, its number is nobody else's.
        let _ = kill_process_group(self.id, Signal::KILL);
        let status = self.child.wait()?;
        Ok(ended.then_some(status))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.children.0.lock().remove(&self.id);
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process_group(self.id, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Runs the command once. What it has started ends with it.
pub(super) fn ask(
    command: &[String],
    prompt: &str,
    patience: Duration,
    children: &Children,
) -> Result<Reply, Unanswered> {
    let name = &command[0];
    let mut group = children
        .start(command)
        .map_err(|error| Unanswered::Hopeless(format!("can't run {name}, the llm.command: {error}")))?;
    let (mut stdin, prompt) = (group.child.stdin.take(), prompt.to_owned());
    // It may well end without reading all of it.
    thread::spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(prompt.as_bytes())));
    let stdout = drain(group.child.stdout.take(), REPLY);
    let stderr = drain(group.child.stderr.take(), COMPLAINT);
    let late = || Unanswered::Failed(format!("{name} did not reply within {} s", patience.as_secs_f64()));
    let status = group.end(patience).map_err(|error| Unanswered::Failed(format!("{name}: {error}")))?;
    let status = status.ok_or_else(late)?;
    let reply = stdout.recv_timeout(REST).map_err(|_| late())?;
    match status.success() {
        false => Err(failed(name, status, &stderr.recv_timeout(REST).unwrap_or_default())),
        true if reply.len() as u64 >= REPLY => {
            Err(Unanswered::Failed(format!("the reply of {name} is too long")))
        }
        true => replied(&reply),
    }
}

fn replied(reply: &[u8]) -> Result<Reply, Unanswered> {
    let text = String::from_utf8_lossy(reply).into_owned();
    match text.trim().is_empty() {
        true => Err(Unanswered::Declined("the model's reply is empty".to_owned())),
        false => Ok(Reply { text, ..Reply::default() }),
    }
}

fn failed(name: &str, status: ExitStatus, complaint: &[u8]) -> Unanswered {
    let complaint = String::from_utf8_lossy(complaint);
    let last = complaint.trim_end().lines().last().unwrap_or_default();
    Unanswered::Failed(format!("{name} failed ({status}): {}", printable(last.as_bytes())))
}

/// Reads on a thread of its own: a full pipe must not hold the command up.
fn drain(pipe: Option<impl Read + Send + 'static>, limit: u64) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = (&mut pipe).take(limit).read_to_end(&mut bytes);
            let _ = sender.send(bytes);
            // So that it need not stop at a full pipe.
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
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
        let asked = thread::spawn(move || ask(&words, "", Duration::from_secs(600), &shared));
        // Opens as soon as the grandchild has it, and ends as soon as that is gone.
        let mut held = std::fs::File::open(&fifo).unwrap();
        children.end();
        assert_eq!(held.read(&mut [0]).unwrap(), 0);
        assert!(asked.join().unwrap().is_err());
        assert!(children.0.lock().is_empty());
    }
}
