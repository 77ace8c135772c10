//! A command as the model: the prompt goes to its stdin, the reply is what it prints.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use wait_timeout::ChildExt;

use crate::pipeline::intake::printable;

/// Longest reply, and the most that is kept of what it says on stderr, in bytes.
const REPLY: u64 = 4 << 20;
const COMPLAINT: u64 = 64 << 10;

/// Runs the command once.
pub(super) fn ask(command: &[String], prompt: &str, patience: Duration) -> anyhow::Result<String> {
    let name = &command[0];
    let mut child = Command::new(name)
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't run {name}, the llm.command"))?;
    let deadline = Instant::now() + patience;
    let (mut stdin, prompt) = (child.stdin.take(), prompt.to_owned());
    // It may well end without reading all of it.
    thread::spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(prompt.as_bytes())));
    let stdout = drain(child.stdout.take(), REPLY);
    let stderr = drain(child.stderr.take(), COMPLAINT);
    let reply = stdout.recv_timeout(patience);
    let Some(status) = child.wait_timeout(deadline.saturating_duration_since(Instant::now()))? else {
        child.kill()?;
        child.wait()?;
        bail!("{name} did not reply within {} s", patience.as_secs_f64());
    };
    if !status.success() {
        let complaint = stderr.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
        let complaint = String::from_utf8_lossy(&complaint);
        let last = complaint.trim_end().lines().last().unwrap_or_default();
        bail!("{name} failed ({status}): {}", printable(last.as_bytes()));
    }
    let reply = reply.with_context(|| format!("{name} did not reply within {} s", patience.as_secs_f64()))?;
    ensure!((reply.len() as u64) < REPLY, "the reply of {name} is too long");
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// Reads on a thread of its own: a grandchild can hold a pipe open long after the command ended.
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

    fn sh(script: &str, prompt: &str, patience: u64) -> anyhow::Result<String> {
        let command = ["sh", "-c", script].map(String::from);
        ask(&command, prompt, Duration::from_millis(patience))
    }

    #[test]
    fn what_it_prints_is_the_reply() {
        let long = "x".repeat(1 << 20);
        assert_eq!(sh("cat", &long, 60_000).unwrap(), long);
        assert_eq!(sh("echo hi; exec <&-", &long, 60_000).unwrap(), "hi\n");
    }

    #[test]
    fn its_failure_is_told_with_its_last_words() {
        let error =
            sh("echo one >&2; echo 'no such \x1b model' >&2; exit 3", "", 60_000).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("no such \\u{1b} model"), "{error}");
        assert!(ask(&["/nowhere/llm".to_owned()], "", Duration::from_secs(1)).is_err());
    }

    #[test]
    fn it_may_not_take_for_ever() {
        let error = sh("exec sleep 600", "", 100).unwrap_err().to_string();
        assert!(error.contains("did not reply within 0.1 s"), "{error}");
    }
}
