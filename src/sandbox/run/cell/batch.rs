//! Several runs at once, of which is known what each is asked.

use std::time::{Duration, Instant};

use crate::model::claims::Reply;
use crate::model::report::Verdict;
use crate::sandbox::Fault;
use crate::sandbox::channel::Received;
use crate::sandbox::containers::death_log::DeathLog;
use crate::sandbox::guest::frames::ToCell;
use crate::sandbox::run::cell::{LiveCell, State};
use crate::sandbox::run::cell_messages::{Answers, BatchedRun, Spending, orders};

/// How long runs are made ahead in one go: a stop or a kill loses no more than that. Where they are slow, another cell after it
/// costs a fiftieth.
const ENOUGH: Duration = Duration::from_secs(10);

/// Result of several runs.
#[derive(Debug)]
pub struct Played {
    /// Of the first ones, as far as they went.
    pub answers: Vec<Answers>,
    /// The one after these was begun, in vain: it must be made call by call, and in another cell.
    pub broke_off: bool,
}

impl LiveCell {
    /// Makes whole runs, one after the other, without a word in between: what each is asked is known. Each gets its own
    /// time, as it would call by call. Ends early where all replies together pass `room` bytes, where the cell
    /// is not fit for another run, and after [`ENOUGH`]: then it is not fit any more, as a run is under way.
    ///
    /// # Errors
    /// The engine failed.
    pub fn play(&mut self, runs: &[BatchedRun<'_>], room: usize, deaths: &DeathLog) -> Result<Played, Fault> {
        self.container.channel.send(ToCell::Batch, &orders(self.run.wrapping_add(1), runs));
        let (mut answers, mut left) = (Vec::with_capacity(runs.len()), room);
        let began = Instant::now();
        for run in runs {
            if began.elapsed() > ENOUGH {
                self.state = State::Spent;
                break;
            }
            self.begin_clock(&run.limits);
            let Some((made, dropped)) = self.answers(run, &mut left, deaths)? else {
                return Ok(Played { answers, broke_off: true });
            };
            answers.push(made);
            if dropped || !self.is_fit() {
                break;
            }
        }
        Ok(Played { answers, broke_off: false })
    }

    /// The replies of one run, and whether the supervisor has dropped what comes after it; None for want of room, and where
    /// the supervisor was killed for want of memory: it may have held replies to earlier requests, which are the run's.
    fn answers(
        &mut self,
        run: &BatchedRun<'_>,
        left: &mut usize,
        deaths: &DeathLog,
    ) -> Result<Option<(Answers, bool)>, Fault> {
        let mut replies = Vec::with_capacity(run.requests.len());
        let mut ended = None;
        for request in run.requests {
            self.turn_to(request.kind);
            let reply = match self.ended_before() {
                Some(reply) => reply,
                None => self.batched_reply(&mut ended, deaths)?,
            };
            *left = left.saturating_sub(reply.size());
            if *left == 0 {
                self.end_run(ToCell::Kill, &self.run.to_be_bytes());
                self.state = State::Spent;
                return Ok(None);
            }
            replies.push(reply);
        }
        if self.state == State::Lost(Verdict::OutOfMemory) {
            return Ok(None);
        }
        let (spending, dropped) = match ended {
            Some(ended) => ended,
            None if self.is_lost() => (Spending::default(), true),
            None => self.await_end(),
        };
        let usage = self.usage(&spending);
        Ok(Some((Answers { replies, usage, stderr: spending.stderr }, dropped)))
    }

    /// The next reply; if it is that the time is used up, how the run `ended`.
    fn batched_reply(
        &mut self,
        ended: &mut Option<(Spending, bool)>,
        deaths: &DeathLog,
    ) -> Result<Reply, Fault> {
        match self.receive() {
            Received::Late => {
                *ended = Some(self.abandon(deaths)?);
                Ok(self.timed_out())
            }
            received => self.read_reply(received, deaths),
        }
    }
}
