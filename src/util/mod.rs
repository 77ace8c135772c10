//! Helpers that know nothing of agentmill.

pub mod atomic_file;
pub mod command;
pub mod digest;
pub mod first_few;
pub mod http_client;
pub mod json;
pub mod line_file;
pub mod name_lookup;
pub mod natural;
pub mod panics;
pub mod pass_at;
pub mod plural;
pub mod private;
pub mod program;
pub mod regular;
pub mod similar;
pub mod text;
pub mod units;
pub mod user_cache;
pub mod watch_folder;
