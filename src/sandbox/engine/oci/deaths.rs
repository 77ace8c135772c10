//! Deaths of our own containers, told in the words in which an engine tells of its: lines of JSON.

use std::io::{self, PipeReader, PipeWriter, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;

/// Deaths that have been told, and the one to whom they are told now.
#[derive(Debug, Default)]
pub struct Deaths(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// Lines for whoever begins to follow.
    kept: Vec<u8>,
    follower: Option<PipeWriter>,
}

/// Somebody follows the deaths until this is dropped.
#[derive(Debug)]
pub struct Following(Arc<Deaths>);

/// The end of a container's first process, by the kernel's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// The exit code; 128 and the signal's number if one ended it.
    pub code: i32,
    /// Processes of the container that the kernel has killed for want of memory.
    pub oom_kills: u64,
    /// Somebody has told us to end it.
    pub ordered: bool,
}

impl Death {
    /// The code of a process that SIGKILL has ended.
    const KILLED: i32 = 128 + 9;

    /// The lines that tell of it.
    fn lines(self, name: &str) -> Vec<u8> {
        // Nothing in a container can send its first process this signal: it is the kernel's, for want of memory, or comes
        // from outside.
        let from_outside = self.ordered || self.code == Self::KILLED && self.oom_kills == 0;
        let actions = [(self.oom_kills > 0, "oom"), (from_outside, "kill"), (true, "died")];
        let told = actions.iter().filter(|(happened, _)| *happened).map(|(_, action)| {
            format!("{}\n", json!({ "Action": action, "Name": name, "ContainerExitCode": self.code }))
        });
        told.collect::<String>().into_bytes()
    }
}

impl Deaths {
    /// Tells of a container's death.
    pub fn tell(&self, name: &str, death: Death) {
        let mut told = self.0.lock();
        let lines = death.lines(name);
        match &mut told.follower {
            Some(follower) => drop(follower.write_all(&lines)),
            None => told.kept.extend(lines),
        }
    }

    /// The deaths so far and those to come. One follows at a time.
    ///
    /// # Errors
    /// There is no pipe to be had.
    pub fn follow(self: &Arc<Self>) -> io::Result<(Following, PipeReader)> {
        let (reader, mut writer) = io::pipe()?;
        let mut told = self.0.lock();
        let kept = std::mem::take(&mut told.kept);
        writer.write_all(&kept)?;
        told.follower = Some(writer);
        Ok((Following(Arc::clone(self)), reader))
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.0.lock().follower = None;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn actions(death: Death) -> Vec<String> {
        let text = String::from_utf8(death.lines("a")).unwrap();
        let action = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["Action"].as_str().unwrap().to_owned()
        };
        text.lines().map(action).collect()
    }

    #[test]
    fn a_kill_that_the_kernel_does_not_account_for_came_from_outside() {
        let death = Death { code: 137, oom_kills: 0, ordered: false };
        assert_eq!(actions(death), ["kill", "died"]);
        assert_eq!(actions(Death { oom_kills: 1, ..death }), ["oom", "died"]);
        assert_eq!(actions(Death { code: 1, ..death }), ["died"]);
        assert_eq!(actions(Death { code: 1, ordered: true, ..death }), ["kill", "died"]);
    }

    #[test]
    fn who_follows_later_hears_what_was_before() {
        let deaths = Arc::new(Deaths::default());
        deaths.tell("first", Death { code: 0, oom_kills: 0, ordered: false });
        let (following, mut reader) = deaths.follow().unwrap();
        deaths.tell("second", Death { code: 0, oom_kills: 0, ordered: false });
        drop(following);
        let mut told = String::new();
        reader.read_to_string(&mut told).unwrap();
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(told.contains("first") && told.contains("second"), "{told}");
    }
}
