//! The HTTP API from outside: a real server, a scripted model, and the binary itself.

mod answers;
mod attacks;
mod bench;
mod bench_parts;
mod board;
mod drafts;
mod end_to_end;
mod endpoints;
mod events;
mod example;
mod feed;
mod feedback;
mod generate;
mod guard;
mod many;
mod metrics;
mod openapi;
mod pipes;
mod readings;
mod reload;
mod slow;
mod stops;
mod submissions;
mod support;
mod tls;
mod upload;
