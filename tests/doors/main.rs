//! The doors from outside: a real server, a scripted model, and the binary itself.

mod end_to_end;
mod generate;
mod guard;
mod many;
mod slow;
mod support;
mod upload;
