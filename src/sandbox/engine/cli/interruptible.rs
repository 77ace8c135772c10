//! Interruptible commands: the long ones on the way to an image, which another thread can end.

use parking_lot::{Condvar, Mutex};
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use wait_timeout::ChildExt;

/// How long a command may take to end in good order.
const GRACE: Duration = Duration::from_secs(3);

/// Place of at most one command at a time.
#[derive(Debug, Default)]
pub struct Interruptible {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The process group of the command at work.
    group: Option<Pid>,
    /// True once nothing is to be started any more.
    stopped: bool,
}

/// Reason for which a command came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfinished {
    /// Somebody stopped it.
    Stopped,
    /// The command failed, or took too long; the last that it printed, or the reason.
    Failed(String),
}

impl Interruptible {
    /// Runs a command in a process group of its own, so that a Ctrl-C meant for us does not reach it; `told` gets each
    /// line that it prints.
    ///
    /// # Errors
    /// It can't be started, fails, takes longer than `patience`, or is stopped.
    pub fn run(
        &self,
        argv: &[&str],
        patience: Duration,
        told: impl Fn(&str) + Send,
    ) -> Result<(), Unfinished> {
        let (mut child, output) = self.spawn(argv)?;
        let done = std::thread::scope(|scope| {
            let last = scope.spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                lines.inspect(|line| told(line)).last().unwrap_or_default()
            });
            let status = child.wait_timeout(patience);
            if !matches!(status, Ok(Some(_))) {
                self.end(Signal::KILL);
                let _ = child.wait();
            }
            // What it left behind in its group must not keep its output open.
            self.end(Signal::KILL);
            self.state.lock().group = None;
            self.ended.notify_all();
            (status, last.join().unwrap_or_default())
        });
        match done {
            _ if self.state.lock().stopped => Err(Unfinished::Stopped),
            (Ok(Some(status)), _) if status.success() => Ok(()),
            (Ok(Some(_)), last) => Err(Unfinished::Failed(last)),
            (Ok(None), _) => Err(Unfinished::Failed(format!("no answer within {} s", patience.as_secs()))),
            (Err(error), _) => Err(Unfinished::Failed(error.to_string())),
        }
    }

    fn spawn(&self, argv: &[&str]) -> Result<(Child, io::PipeReader), Unfinished> {
        let mut state = self.state.lock();
        if state.stopped {
            return Err(Unfinished::Stopped);
        }
        let spawn = || -> io::Result<_> {
            let (output, printed) = io::pipe()?;
            let mut command = Command::new(argv[0]);
            command.args(&argv[1..]).stdin(Stdio::null()).process_group(0);
            let child = command.stdout(printed.try_clone()?).stderr(printed).spawn()?;
            Ok((child, output))
        };
        let (child, output) =
            spawn().map_err(|error| Unfinished::Failed(format!("{} can't be started: {error}", argv[0])))?;
        state.group = Some(Pid::from_child(&child));
        Ok((child, output))
    }

    /// Tells whether nothing is to be started any more.
    pub fn are_stopped(&self) -> bool {
        self.state.lock().stopped
    }

    /// Ends the command at work, and lets no other begin. It gets a moment to clean up.
    pub fn stop(&self) {
        self.state.lock().stopped = true;
        self.end(Signal::TERM);
        let mut state = self.state.lock();
        let still_there = |state: &mut State| state.group.is_some();
        let waited = self.ended.wait_while_for(&mut state, still_there, GRACE);
        drop(state);
        if waited.timed_out() {
            self.end(Signal::KILL);
        }
    }

    fn end(&self, signal: Signal) {
        if let Some(group) = self.state.lock().group {
            let _ = kill_process_group(group, signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use std::thread;
    use std::time::Instant;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn failed(words: &str) -> Result<(), Unfinished> {
        Err(Unfinished::Failed(words.to_owned()))
    }

    #[test]
    fn each_line_is_told_and_the_last_one_says_why_it_failed() {
        let (interruptible, told) = (Interruptible::default(), Mutex::new(Vec::new()));
        let tell = |line: &str| told.lock().push(line.to_owned());
        assert_eq!(interruptible.run(&["sh", "-c", "echo a; echo b >&2"], LONG, tell), Ok(()));
        assert_eq!(*told.lock(), ["a", "b"]);
        assert_eq!(interruptible.run(&["sh", "-c", "echo why; exit 3"], LONG, |_| {}), failed("why"));
        let late = interruptible.run(&["sleep", "60"], Duration::from_millis(10), |_| {});
        assert_eq!(late, failed("no answer within 0 s"));
        assert!(matches!(interruptible.run(&["/nowhere"], LONG, |_| {}), Err(Unfinished::Failed(_))));
    }

    #[test]
    fn a_command_that_is_stopped_ends_with_all_that_it_started() {
        let (interruptible, began) = (&Interruptible::default(), Instant::now());
        thread::scope(|scope| {
            let words = ["sh", "-c", "sleep 60 & echo begun; wait"];
            let (told, begun) = std::sync::mpsc::channel();
            let errand =
                scope.spawn(move || interruptible.run(&words, LONG, move |_| told.send(()).unwrap()));
            begun.recv().unwrap();
            interruptible.stop();
            assert_eq!(errand.join().unwrap(), Err(Unfinished::Stopped));
        });
        assert!(began.elapsed() < Duration::from_secs(30));
        assert_eq!(interruptible.run(&["true"], LONG, |_| {}), Err(Unfinished::Stopped));
    }
}
