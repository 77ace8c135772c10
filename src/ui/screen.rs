//! A bar on a terminal, lines elsewhere.

use std::env;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Event;
use super::pace::Pace;
use crate::trace;

/// How often the bar is drawn anew.
const TICK: Duration = Duration::from_millis(200);

/// How often a line tells of the progress where there is no bar.
const LINE: Duration = Duration::from_secs(30);

/// How much is told.
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
    /// What the flags ask for.
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
pub struct Display(JoinHandle<()>);

impl Display {
    /// Waits until all senders are gone and everything is shown.
    pub fn join(self) {
        let _ = self.0.join();
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
    }))
}

struct Screen {
    talk: Talk,
    bar: ProgressBar,
    pace: Pace,
    ticked: Instant,
}

impl Screen {
    fn new(talk: Talk) -> Self {
        let live = talk != Talk::Quiet && has_place_for_bars();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{bar:16} {pos}/{len} agents, {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { talk, bar, pace: Pace::default(), ticked: Instant::now() }
    }

    fn show(&mut self, event: Event, now: Instant) {
        match event {
            Event::Warning(text) => self.line(&mut stderr(), &format!("agentmill: {text}")),
            Event::Image(text) | Event::Note(text) => self.progress(&text),
            Event::Due { agents } => {
                self.bar.inc_length(agents as u64);
                if self.bar.is_hidden() {
                    self.progress(&format!(
                        "evaluating {agents} agent{}",
                        if agents == 1 { "" } else { "s" }
                    ));
                    self.ticked = now;
                }
            }
            Event::Runs { miner, task } => self.pace.begins(miner, task, now),
            Event::Ran { miner, .. } => self.pace.ended(&miner, now),
            Event::Finished { miner } => {
                self.pace.left(&miner);
                self.bar.inc(1);
            }
            Event::Ranking(text) if self.talk == Talk::All => self.line(&mut stdout(), text.trim_end()),
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

    /// A line that a bar does not tear. That nobody reads it is no error.
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
