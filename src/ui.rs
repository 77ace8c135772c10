//! Events -> bars on a terminal, lines elsewhere. Workers never print, they send events.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::pipeline::intake::Miner;
use crate::report::Verdict;

/// Something worth telling the person at the terminal.
#[derive(Debug, Clone)]
pub enum Event {
    /// A step on the way to having the image.
    Image(String),
    /// So many more agents are going to be evaluated.
    Due {
        /// How many.
        agents: usize,
    },
    /// A run was judged; None means unscored.
    Ran {
        /// Whose.
        miner: Miner,
        /// On which task.
        task: String,
        /// What came of it.
        verdict: Option<Verdict>,
    },
    /// An agent's evaluation came to an end.
    Finished {
        /// Whose.
        miner: Miner,
    },
    /// The results are complete for now: the ranking as text, some lines.
    Ranking(String),
    /// Something that the person should look at; nothing stopped.
    Warning(String),
}

/// Where workers send events to.
#[derive(Debug, Clone)]
pub struct Events(mpsc::Sender<Event>);

impl Events {
    /// A sender and what it feeds.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), receiver)
    }

    /// Sends an event; nobody listening is no error.
    pub fn send(&self, event: Event) {
        let _ = self.0.send(event);
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

/// Starts to show `events`; with `quiet` only warnings.
pub fn display(events: mpsc::Receiver<Event>, quiet: bool) -> Display {
    Display(thread::spawn(move || {
        let mut screen = Screen::new(quiet);
        events.into_iter().for_each(|event| screen.show(event));
        screen.bar.finish_and_clear();
    }))
}

struct Screen {
    quiet: bool,
    bar: ProgressBar,
    runs: u64,
}

impl Screen {
    fn new(quiet: bool) -> Self {
        let live = !quiet && stderr().is_terminal() && std::env::var_os("CI").is_none();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} agents, {elapsed}, {eta} left, {msg}");
        let bar = ProgressBar::with_draw_target(Some(0), target);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if live {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { quiet, bar, runs: 0 }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Warning(text) => self.line(&mut stderr(), &format!("agentmill: {text}")),
            _ if self.quiet => {}
            Event::Image(text) => self.line(&mut stderr(), &text),
            Event::Due { agents } => {
                self.bar.inc_length(agents as u64);
                if self.bar.is_hidden() {
                    self.line(&mut stderr(), &format!("evaluating {agents} agents"));
                }
            }
            Event::Ran { miner, task, .. } => {
                self.runs += 1;
                self.bar.set_message(format!("{} runs, last: {miner} on {task}", self.runs));
            }
            Event::Finished { .. } => self.bar.inc(1),
            Event::Ranking(text) => self.line(&mut stdout(), text.trim_end()),
        }
    }

    /// A line that a bar does not tear. That nobody reads it is no error.
    fn line(&self, stream: &mut impl Write, text: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(stream, "{text}");
        });
    }
}
