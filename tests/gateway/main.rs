//! Agents that ask a model: real cells, a real HTTP server as the provider, and the real program between them.

mod asking;
mod budgets;
mod clocks;
mod examples;
mod faces;
mod faults;
mod hostile;
mod judging;
mod provider;
mod recordings;
mod support;
mod tricks;
