//! Cell stock: the warm pool's state, and every decision on it. Nothing here starts a cell or waits for one.

use std::collections::VecDeque;

use crate::config::Limits;
use crate::sandbox::{Fault, same_cell};

/// Cells that are ready, and those that are still to be started; `C` is a cell.
#[derive(Debug)]
pub struct CellStock<C> {
    /// The limits that cells are started with; None until something is expected.
    limits: Option<Limits>,
    /// All with these limits.
    ready: VecDeque<Result<C, Fault>>,
    /// The limits of the cells that are being started.
    starting: Vec<Limits>,
    /// Agents that are still to come for a cell.
    expected: usize,
    /// Cells that are ready at the same time, at most.
    room: usize,
    closed: bool,
}

/// Answer to somebody who wants a cell.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer<C> {
    /// This one, or why it could not be started.
    Ready(Result<C, Fault>),
    /// One is on its way, or will be.
    Wait,
    /// None with these limits is there, nor will be.
    Nothing,
}

/// The next step of a starter.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Start a cell with these limits.
    Start(Limits),
    /// Nothing to start at this time.
    Wait,
    /// No more cells are wanted.
    Leave,
}

impl<C> CellStock<C> {
    /// An empty stock with room for so many cells that wait.
    pub fn new(room: usize) -> Self {
        Self { limits: None, ready: VecDeque::new(), starting: Vec::new(), expected: 0, room, closed: false }
    }

    /// Notes that so many more agents will come for cells with these limits; gives the cells that are no longer of use.
    pub fn expect(&mut self, agents: usize, limits: &Limits) -> Vec<C> {
        let mut useless = Vec::new();
        if !self.holds(limits) {
            self.expected = 0;
            useless = self.empty();
        }
        self.limits = Some(*limits);
        self.expected += agents;
        useless
    }

    /// Offers a cell with these limits, which are asked for anew by whoever has waited: meanwhile others may be wanted.
    pub fn take(&mut self, limits: &Limits) -> Offer<C> {
        if !self.holds(limits) {
            return Offer::Nothing;
        }
        match self.ready.pop_front() {
            Some(cell) => Offer::Ready(cell),
            None if self.coming() == 0 && (self.expected == 0 || self.closed) => Offer::Nothing,
            None => Offer::Wait,
        }
    }

    /// Notes that an agent has got a cell that works.
    pub fn taken(&mut self) {
        self.expected = self.expected.saturating_sub(1);
    }

    /// Decides what a starter does next.
    pub fn next(&mut self) -> Step {
        if self.closed {
            return Step::Leave;
        }
        let wanted = self.expected.min(self.room);
        match self.limits.filter(|_| self.ready.len() + self.coming() < wanted) {
            Some(limits) => {
                self.starting.push(limits);
                Step::Start(limits)
            }
            None => Step::Wait,
        }
    }

    /// Takes in what a starter was to start with these limits; gives it back if it is no longer of use.
    pub fn started(&mut self, limits: &Limits, cell: Result<C, Fault>) -> Option<C> {
        if let Some(place) = self.starting.iter().position(|started| started == limits) {
            self.starting.swap_remove(place);
        }
        if self.holds(limits) {
            self.ready.push_back(cell);
            return None;
        }
        cell.ok()
    }

    /// Lets no more cells be started.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Gives all cells that are ready.
    pub fn empty(&mut self) -> Vec<C> {
        self.ready.drain(..).flatten().collect()
    }

    /// Cells on their way that are of use.
    fn coming(&self) -> usize {
        self.starting.iter().filter(|limits| self.holds(limits)).count()
    }

    fn holds(&self, limits: &Limits) -> bool {
        self.limits.as_ref().is_some_and(|known| same_cell(known, limits))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SMALL: Limits = Limits {
        timeout: Duration::from_secs(1),
        memory: 1,
        cpus: 1.0,
        pids: 1,
        output: 1,
        tmp: 1,
        entries: 0,
        value: 1,
    };
    const LARGE: Limits = Limits { memory: 2, ..SMALL };

    #[test]
    fn who_has_waited_gets_no_cell_of_other_limits() {
        let mut stock = CellStock::new(4);
        assert!(stock.expect(1, &SMALL).is_empty());
        assert_eq!(stock.next(), Step::Start(SMALL));
        assert_eq!(stock.take(&SMALL), Offer::Wait);
        // The next stage begins while it waits.
        assert!(stock.expect(1, &LARGE).is_empty());
        assert_eq!(stock.next(), Step::Start(LARGE));
        assert_eq!(stock.started(&LARGE, Ok("large")), None);
        assert_eq!(stock.take(&SMALL), Offer::Nothing);
        assert_eq!(stock.started(&SMALL, Ok("small")), Some("small"), "nobody wants it any more");
        assert_eq!(stock.take(&LARGE), Offer::Ready(Ok("large")));
    }

    #[test]
    fn limits_that_are_not_the_cells_share_it() {
        let mut stock = CellStock::new(1);
        stock.expect(2, &SMALL);
        assert_eq!(stock.next(), Step::Start(SMALL));
        assert_eq!(stock.next(), Step::Wait, "there is room for one");
        stock.started(&SMALL, Ok("cell"));
        let longer = Limits { timeout: Duration::from_secs(9), ..SMALL };
        assert_eq!(stock.take(&longer), Offer::Ready(Ok("cell")));
        stock.taken();
        assert_eq!(stock.take(&longer), Offer::Wait, "another agent is expected");
        stock.close();
        assert_eq!((stock.take(&longer), stock.next()), (Offer::Nothing, Step::Leave));
    }

    #[test]
    fn cells_of_other_limits_are_given_back() {
        let mut stock = CellStock::new(2);
        stock.expect(2, &SMALL);
        stock.next();
        stock.started(&SMALL, Ok("small"));
        assert_eq!(stock.expect(1, &LARGE), ["small"]);
        assert_eq!(stock.empty(), Vec::<&str>::new());
    }
}
