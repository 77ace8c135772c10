//! A running container that said *ready*, and the way to it.

use std::sync::Arc;

use crate::sandbox::channel::Channel;
use crate::sandbox::containers::death_log::DeathLog;

/// A running container that said *ready*, and the way to it.
#[derive(Debug)]
pub struct RunningContainer {
    /// The channel to its program.
    pub channel: Channel,
    /// The container's name.
    pub name: String,
    /// The log of its death, if it runs on another machine.
    pub carried: Option<Arc<DeathLog>>,
}

impl RunningContainer {
    /// Why it ended, as far as it was said, and where it was.
    pub fn last_words(&mut self) -> String {
        let Some(deaths) = &self.carried else { return self.channel.last_words() };
        format!("on {}: {}", deaths.node().unwrap_or_default(), deaths.words())
    }
}
