//! Screen: a bar on a terminal, lines elsewhere.

use std::env;
use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::term::{self, Unprinted};
use crate::trace;
use crate::ui::event::Event;
use crate::ui::pace::Pace;
use crate::util::plural::counted;

/// Time between two drawings of the bar.
const TICK: Duration = Duration::from_millis(200);

/// Time between two lines of progress where there is no bar.
const LINE: Duration = Duration::from_secs(30);

/// Amount of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Progress on stderr, the ranking on stdout.
    All,
    /// Progress only; stdout is for something else.
    Progress,
    /// Warnings only.
    Quiet,
}

impl Talk {
    /// The amount that the flags ask for.
    pub fn of(quiet: bool, json: bool) -> Self {
        match (quiet, json) {
            (true, _) => Self::Quiet,
            (false, true) => Self::Progress,
            (false, false) => Self::All,
        }
    }
}

/// Shows events on a thread of its own.
#[derive(Debug)]
pub struct Display(JoinHandle<Result<(), Unprinted>>);

impl Display {
    /// Waits until all senders are gone and everything is shown.
    pub fn join(self) {
        let _ = self.finish();
    }

    /// The same, for who must know that the ranking was printed.
    ///
    /// # Errors
    /// It could not be, as stdout can't be written. That its reader has left, as `head` does, is no error.
    pub fn finish(self) -> Result<(), Unprinted> {
        self.0.join().unwrap_or(Ok(()))
    }
}

/// Starts to show `events`.
pub fn display(events: Receiver<Event>, talk: Talk) -> Display {
    Display(thread::spawn(move || {
        let mut screen = Screen::new(talk);
        loop {
            match events.recv_timeout(TICK) {
                Ok(event) => screen.show(event, Instant::now()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            screen.tick(Instant::now());
        }
        screen.bar.finish_and_clear();
        screen.printed
    }))
}

struct Screen {
    talk: Talk,
    bar: ProgressBar,
    pace: Pace,
    ticked: Instant,
    /// The first failure to print the ranking.
    printed: Result<(), Unprinted>,
}

impl Screen {
    fn new(talk: Talk) -> Self {
        let live = talk != Talk::Quiet && has_place_for_bars();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{bar:16} {pos}/{len} agents, {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { talk, bar, pace: Pace::default(), ticked: Instant::now(), printed: Ok(()) }
    }

    fn show(&mut self, event: Event, now: Instant) {
        match event {
            Event::Warning(text) => self.line(&mut stderr(), &format!("agentmill: {text}")),
            Event::Image(text) | Event::Note(text) => self.progress(&text),
            Event::Due { agents } => {
                let is_first = self.bar.position() == self.bar.length().unwrap_or(0);
                if is_first {
                    // All before are done: a daemon counts anew.
                    self.bar.set_length(0);
                    self.bar.set_position(0);
                    self.pace = Pace::default();
                }
                self.bar.inc_length(agents as u64);
                if self.bar.is_hidden() {
                    let what = if is_first { "agent" } else { "more agent" };
                    self.progress(&format!("evaluating {}", counted(agents, what)));
                    self.ticked = now;
                }
            }
            Event::Runs { miner, task } => self.pace.begins(miner, task, now),
            Event::Ran { miner, .. } => self.pace.ended(&miner, now),
            Event::Finished { miner } => {
                self.pace.left(&miner);
                self.bar.inc(1);
            }
            Event::Ranking(text) if self.talk == Talk::All => self.print(text.trim_end()),
            Event::Ranking(_) => {}
        }
    }

    /// Draws the bar, or writes a line now and then while something runs.
    fn tick(&mut self, now: Instant) {
        let every = if self.bar.is_hidden() { LINE } else { TICK };
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        if now - self.ticked < every || all == 0 {
            return;
        }
        self.ticked = now;
        let told = self.pace.told(done, all, now);
        if !self.bar.is_hidden() {
            self.bar.set_message(told);
            self.bar.tick();
        } else if !self.pace.is_idle() {
            self.progress(&format!("{done}/{all} agents, {told}"));
        }
    }

    fn progress(&self, text: &str) {
        if self.talk != Talk::Quiet {
            self.line(&mut stderr(), text);
        }
    }

    fn print(&mut self, text: &str) {
        let printed = self.bar.suspend(|| term::print(&format!("{text}\n")));
        self.printed = std::mem::replace(&mut self.printed, Ok(())).and(printed);
    }

    /// Writes a line that a bar does not tear. A reader that has left is no error.
    fn line(&self, stream: &mut impl Write, text: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(stream, "{text}");
        });
    }
}

/// Diagnostics and bars would tear each other; CI's terminals keep every line.
fn has_place_for_bars() -> bool {
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    stderr().is_terminal() && env::var_os("CI").is_none() && !dumb && !trace::wanted()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_counted_from_the_last_time_that_nothing_was_left() {
        let mut screen = Screen::new(Talk::Quiet);
        let now = Instant::now();
        let miner = || "ann".parse().unwrap();
        let count = |screen: &Screen| (screen.bar.position(), screen.bar.length());
        screen.show(Event::Due { agents: 2 }, now);
        screen.show(Event::Finished { miner: miner() }, now);
        screen.show(Event::Due { agents: 1 }, now);
        assert_eq!(count(&screen), (1, Some(3)), "one of the first is left");
        (0..2).for_each(|_| screen.show(Event::Finished { miner: miner() }, now));
        screen.show(Event::Due { agents: 1 }, now);
        assert_eq!(count(&screen), (0, Some(1)));
    }
}
