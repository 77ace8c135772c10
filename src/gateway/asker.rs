//! Asker: all that the agent, or the judge, of one run needs to ask models, attempt after attempt.

use std::io;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::config::grant::Grant;
use crate::gateway::budget::{Budget, Prices};
use crate::gateway::recording::Recording;
use crate::gateway::session::{Session, Source, Tempo};

/// One asker.
#[derive(Debug)]
pub struct Asker {
    /// The provider.
    pub source: Arc<Source>,
    /// Budget of each attempt.
    pub grant: Grant,
    /// Prices of the models.
    pub prices: Prices,
    /// Tokens of an answer where a question does not say.
    pub longest: Option<u32>,
    /// Questions and answers so far.
    pub recording: Arc<Recording>,
    /// Threads to ask on.
    pub runtime: Handle,
}

impl Asker {
    /// An attempt, which begins with the whole budget; what an earlier one asked is recorded.
    ///
    /// # Errors
    /// The kernel gives no descriptor.
    pub fn session(&self, tempo: Tempo) -> io::Result<Session> {
        self.recording.rewind();
        let budget = Budget::new(self.grant.clone(), self.prices.clone(), self.longest);
        Session::new(Arc::clone(&self.source), budget, Arc::clone(&self.recording), tempo)
    }
}
