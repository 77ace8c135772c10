//! Budget: what a run may still ask, with what is open counted as if it came to its most.
//!
//! How many tokens a question has is known once it is answered; before, its bytes are an upper bound. A question is let in
//! beside others only if all of them fit even so, and else waits until it is alone. So a budget is passed by one question
//! at most, however many are asked at the same time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};

use crate::config::grant::Grant;
use crate::gateway::question::{Kind, Question, tokens_of};
use crate::gateway::refusal::Refusal;
use crate::model::model_use::{ModelUse, Money};
use crate::model::over_budget::Bound;

/// Bytes of a question that may be nothing but its frame, and no tokens.
const FRAME: u64 = 256;

/// Bytes of requests that may be refused. To read them is work of the host's, which nobody is billed for.
const MOST_IN_VAIN: u64 = 16 << 20;

/// The price of one token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Price {
    /// Of a question.
    pub input: Money,
    /// Of an answer.
    pub output: Money,
}

/// Prices by the models' names.
pub type Prices = HashMap<String, Price>;

/// The budget of one run.
#[derive(Debug)]
pub struct Budget {
    grant: Grant,
    prices: Prices,
    /// Tokens of an answer where a question does not say.
    longest: Option<u64>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Of all questions; their tokens and cost once they are answered.
    used: ModelUse,
    /// The most that open questions can come to.
    open_tokens: u64,
    open_cost: Money,
    open: usize,
    /// Questions that a provider is at, and since when.
    asking: usize,
    since: Option<Instant>,
    waited: Duration,
    /// Bytes of requests that were read and refused.
    in_vain: u64,
    closed: bool,
}

/// A question that was let in. It is open until it is settled; dropped without that, it has no tokens.
#[derive(Debug)]
pub struct Admitted<'a> {
    /// The longest answer that it may get, in tokens; each, if it asks for several.
    pub longest: u64,
    most: Most,
    budget: &'a Budget,
}

/// The most that a question can come to.
#[derive(Debug, Clone, Copy)]
struct Most {
    tokens: u64,
    cost: Money,
}

impl Admitted<'_> {
    /// Notes what came of the question: tokens of it and of its answer. Gives their price; None if the model has none.
    pub fn settle(self, question: &Question, tokens: [u64; 2]) -> Option<Money> {
        let price = self.budget.prices.get(question.model());
        let cost = price.map(|price| price.input.times(tokens[0]) + price.output.times(tokens[1]));
        let used = ModelUse {
            tokens_in: tokens[0],
            tokens_out: tokens[1],
            cost: cost.unwrap_or_default(),
            unpriced: u64::from(cost.is_none()),
            ..ModelUse::default()
        };
        self.budget.state.lock().used += used;
        cost
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.state.lock();
        state.open -= 1;
        state.open_tokens -= self.most.tokens;
        state.open_cost = state.open_cost.less(self.most.cost);
        self.budget.changed.notify_all();
    }
}

impl Budget {
    /// A budget of which nothing is used.
    pub fn new(grant: Grant, prices: Prices, longest: Option<u32>) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self { grant, prices, longest: longest.map(u64::from), state, changed }
    }

    /// The grant that it is of.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Lets a question in, at once or when others are answered.
    ///
    /// # Errors
    /// The model is not allowed, or the budget is used up.
    pub fn admit(&self, question: &Question) -> Result<Admitted<'_>, Refusal> {
        if !self.grant.allow.iter().any(|model| model == question.model()) {
            self.note_in_vain(question.size());
            return Err(self.deny(Refusal::not_allowed(question.model(), &self.grant.allow)));
        }
        let mut state = self.state.lock();
        loop {
            let refused = self.used_up(&state).or_else(|| self.too_large(question, &state));
            if let Some((bound, refusal)) = refused {
                if !state.closed {
                    state.used.refused += 1;
                    bound.into_iter().for_each(|bound| state.used.over.note(bound));
                }
                state.in_vain = state.in_vain.saturating_add(question.size());
                return Err(refusal);
            }
            let (longest, most) = self.cut(question, &state);
            if state.open == 0 || self.fits(most, &state) {
                state.open += 1;
                state.used.requests += 1;
                state.open_tokens += most.tokens;
                state.open_cost += most.cost;
                return Ok(Admitted { longest, most, budget: self });
            }
            self.changed.wait(&mut state);
        }
    }

    /// Counts a request whose bytes were read, and that is refused.
    pub fn note_in_vain(&self, bytes: u64) {
        let mut state = self.state.lock();
        state.in_vain = state.in_vain.saturating_add(bytes);
    }

    /// Lets a request be read, unless too much was read and refused.
    ///
    /// # Errors
    /// It was.
    pub fn listen(&self) -> Result<(), Refusal> {
        let state = self.state.lock();
        match state.in_vain > MOST_IN_VAIN {
            true => Err(Refusal::used_up("bytes that are read and refused", self.told_of(&state))),
            false => Ok(()),
        }
    }

    /// Counts a question that is refused for what it is, and gives the refusal back.
    pub fn deny(&self, refusal: Refusal) -> Refusal {
        let mut state = self.state.lock();
        state.used.denied += u32::from(!state.closed);
        refusal
    }

    /// Does what waits for a provider: the time is not the agent's.
    pub fn waiting<T>(&self, ask: impl FnOnce() -> T) -> T {
        {
            let mut state = self.state.lock();
            state.asking += 1;
            state.since.get_or_insert_with(Instant::now);
        }
        let answer = ask();
        let mut state = self.state.lock();
        state.asking -= 1;
        if state.asking == 0 {
            state.waited = state.waited();
            state.since = None;
        }
        answer
    }

    /// Notes that answers had taken so much in all when what is recorded was asked: whatever was refused for it is refused again.
    pub fn note_waited(&self, recorded: Duration) {
        let mut state = self.state.lock();
        state.waited = state.waited.max(recorded);
    }

    /// Time that answers have taken so far, those to several questions at once counted once.
    pub fn waited(&self) -> Duration {
        self.state.lock().waited()
    }

    /// Tells whether nothing more is let in.
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Time that answers may still take.
    pub fn patience(&self) -> Duration {
        self.grant.wait.saturating_sub(self.waited())
    }

    /// Lets nothing more in, and waits up to `patience` for what is open. Gives what was used.
    pub fn close(&self, patience: Duration) -> ModelUse {
        let deadline = Instant::now() + patience;
        let mut state = self.state.lock();
        state.closed = true;
        self.changed.notify_all();
        while state.open > 0 && !self.changed.wait_until(&mut state, deadline).timed_out() {}
        state.used
    }

    /// Questions so far, and what they took.
    pub fn used(&self) -> ModelUse {
        self.state.lock().used
    }

    /// The budget as agents see it: granted, used and left.
    pub fn told(&self) -> Value {
        self.told_of(&self.state.lock())
    }

    fn told_of(&self, state: &State) -> Value {
        let (grant, used) = (&self.grant, &state.used);
        let left = json!({
            "requests": grant.requests.saturating_sub(used.requests),
            "tokens": grant.tokens.saturating_sub(used.tokens()),
            "cost": grant.cost.map(|cost| cost.less(used.cost)),
        });
        json!({ "granted": granted(grant), "used": used, "left": left })
    }

    /// Refuses a question where a bound is reached, which stands beside the refusal; none does where the run is over.
    fn used_up(&self, state: &State) -> Option<(Option<Bound>, Refusal)> {
        let (grant, used) = (&self.grant, &state.used);
        let over = [
            (Bound::Requests, used.requests >= grant.requests),
            (Bound::Tokens, used.tokens() >= grant.tokens),
            (Bound::Cost, grant.cost.is_some_and(|cost| used.cost >= cost)),
            (Bound::Waiting, state.waited() >= grant.wait),
        ];
        let bound = over.into_iter().find(|(_, over)| *over).map(|(bound, _)| bound);
        let what = bound.map(Bound::name).or(state.closed.then_some("time"))?;
        Some((bound, Refusal::used_up(what, self.told_of(state))))
    }

    /// Refuses a question that is alone more than what is left, by a guess of its tokens and the shortest answers.
    fn too_large(&self, question: &Question, state: &State) -> Option<(Option<Bound>, Refusal)> {
        let (grant, used) = (&self.grant, &state.used);
        let (guess, shortest) = (tokens_of(question.size().saturating_sub(FRAME)), question.shortest());
        let price = self.price(question);
        let cost = price.input.times(guess) + price.output.times(shortest);
        let over = [
            (Bound::Tokens, guess.saturating_add(shortest) > grant.tokens.saturating_sub(used.tokens())),
            (Bound::Cost, grant.cost.is_some_and(|granted| cost > granted.less(used.cost))),
        ];
        let (bound, _) = over.into_iter().find(|(_, over)| *over)?;
        Some((Some(bound), Refusal::over_budget(bound.name(), self.told_of(state))))
    }

    /// The longest answer that a question may get, cut to what is left, and the most that both come to.
    fn cut(&self, question: &Question, state: &State) -> (u64, Most) {
        let (price, size, choices) = (self.price(question), question.size(), question.choices());
        let guess = tokens_of(size);
        let tokens = self.grant.tokens.saturating_sub(state.used.tokens().saturating_add(guess));
        let money = self
            .grant
            .cost
            .map_or(Money(u64::MAX), |cost| cost.less(state.used.cost).less(price.input.times(guess)));
        let affordable = money.0.checked_div(price.output.0).unwrap_or(u64::MAX);
        let wanted = question.longest().or(self.longest).unwrap_or(u64::MAX);
        let longest = match question.kind {
            Kind::Embedding => 0,
            _ => wanted.min(tokens.min(affordable) / choices).max(1),
        };
        let output = longest.saturating_mul(choices);
        let cost = price.input.times(size) + price.output.times(output);
        (longest, Most { tokens: size.saturating_add(output), cost })
    }

    /// Tells whether it fits beside what is open.
    fn fits(&self, most: Most, state: &State) -> bool {
        let tokens = [state.used.tokens(), state.open_tokens, most.tokens];
        let tokens = tokens.into_iter().fold(0, u64::saturating_add);
        let cost = state.used.cost + state.open_cost + most.cost;
        tokens <= self.grant.tokens && self.grant.cost.is_none_or(|granted| cost <= granted)
    }

    fn price(&self, question: &Question) -> Price {
        self.prices.get(question.model()).copied().unwrap_or_default()
    }
}

impl State {
    fn waited(&self) -> Duration {
        self.waited + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// A grant as agents see it.
pub fn granted(grant: &Grant) -> Value {
    json!({
        "models": grant.allow,
        "requests": grant.requests,
        "tokens": grant.tokens,
        "cost": grant.cost,
        "wait_s": grant.wait.as_secs_f64(),
        "at_once": grant.at_once,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    fn grant(requests: u64, tokens: u64) -> Grant {
        Grant { requests, tokens, at_once: 64, ..Grant::sample() }
    }

    fn budget(grant: Grant) -> Budget {
        let price = Price { input: Money(1_000), output: Money(10_000) };
        Budget::new(grant, Prices::from([("m".to_owned(), price)]), Some(100))
    }

    fn ask(model: &str, longest: u64) -> Question {
        let body = json!({ "model": model, "max_tokens": longest, "messages": [{ "role": "user", "content": "hi" }] });
        Question::read(Kind::Chat, body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_model_that_is_not_allowed_is_refused_and_costs_nothing() {
        let budget = budget(grant(1, 100));
        assert_eq!(budget.admit(&ask("other", 1)).unwrap_err().status, 403);
        assert_eq!((budget.used().denied, budget.used().requests), (1, 0));
        assert!(budget.admit(&ask("m", 1)).is_ok());
    }

    #[test]
    fn answers_are_cut_to_what_is_left_and_then_refused() {
        let budget = budget(grant(10, 100));
        let question = ask("m", 5000);
        let admitted = budget.admit(&question).unwrap();
        assert_eq!(admitted.longest, 100 - tokens_of(question.size()));
        admitted.settle(&question, [20, 80]);
        let refusal = budget.admit(&question).unwrap_err();
        assert_eq!(
            (refusal.status, refusal.message.as_str()),
            (429, "this run's budget of tokens is used up")
        );
        let told = refusal.budget.unwrap();
        assert_eq!((&told["used"]["tokens_out"], &told["left"]["tokens"]), (&json!(80), &json!(0)));
        assert_eq!(budget.used().refused, 1);
        assert_eq!(budget.used().over.to_string(), " of tokens");
        budget.close(Duration::ZERO);
        assert!(budget.admit(&question).is_err());
        assert_eq!(budget.used().refused, 1, "what comes after the run says nothing of its budget");
    }

    #[test]
    fn a_question_that_is_more_than_what_is_left_is_not_asked() {
        let long =
            json!({ "model": "m", "messages": [{ "role": "user", "content": "x".repeat(1_000_000) }] });
        let long = Question::read(Kind::Chat, long.to_string().as_bytes()).unwrap();
        let refusal = budget(grant(10, 1000)).admit(&long).unwrap_err();
        let message = "this question is larger than what is left of the run's budget of tokens";
        assert_eq!((refusal.status, refusal.message.as_str()), (429, message));
        let cents = Grant { cost: Some(Money(100_000)), ..grant(10, 1_000_000) };
        let refusal = budget(cents).admit(&long).unwrap_err();
        assert!(refusal.message.ends_with("budget of cost"), "{}", refusal.message);
    }

    #[test]
    fn a_question_that_came_to_nothing_is_open_no_more() {
        let budget = budget(grant(10, 100));
        drop(budget.admit(&ask("m", 100)).unwrap());
        let used = budget.close(Duration::from_secs(60));
        assert_eq!((used.requests, used.tokens()), (1, 0));
    }

    #[test]
    fn money_bounds_answers_too() {
        let budget = budget(Grant { cost: Some(Money(100_000)), ..grant(10, 100_000) });
        let question = ask("m", 5000);
        let admitted = budget.admit(&question).unwrap();
        assert_eq!(admitted.longest, (100_000 - tokens_of(question.size()) * 1_000) / 10_000);
        let cost = admitted.settle(&question, [20, 8]);
        assert_eq!(cost, Some(Money(100_000)));
        assert_eq!(budget.admit(&question).unwrap_err().message, "this run's budget of cost is used up");
    }

    #[test]
    fn a_race_of_many_threads_passes_a_budget_by_one_question_at_most() {
        let budget = budget(grant(1000, 3_000));
        let (open, answered) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    let question = ask("m", 100);
                    while let Ok(admitted) = budget.admit(&question) {
                        open.fetch_add(1, Ordering::SeqCst);
                        thread::yield_now();
                        open.fetch_sub(1, Ordering::SeqCst);
                        let longest = admitted.longest;
                        admitted.settle(&question, [question.size(), longest]);
                        answered.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        let (used, one) = (budget.close(Duration::ZERO), ask("m", 100).size() + 100);
        assert!(used.tokens() >= 3_000 && used.tokens() < 3_000 + one, "{used:?}");
        assert_eq!(used.requests, answered.into_inner());
        assert_eq!(open.into_inner(), 0);
    }

    #[test]
    fn waits_at_the_same_time_count_once() {
        let budget = budget(grant(10, 100));
        let pause = Duration::from_millis(50);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| budget.waiting(|| thread::sleep(pause)));
            }
        });
        assert!(budget.waited() >= pause && budget.waited() < pause * 8, "{:?}", budget.waited());
        assert_eq!(budget.state.lock().asking, 0);
    }
}
