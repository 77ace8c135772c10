//! Near copies beside their originals: the submissions that they were found to be copies of, and the lines that match.

use std::collections::{HashMap, HashSet};

use crate::model::first_sights::{FirstSights, NearCopy};
use crate::model::miner_id::Miner;
use crate::model::near_pair::NearPair;
use crate::pipeline::near_copies::{NearCopies, regions};
use crate::pipeline::report_summary::ReportSummary;

/// Pairs that are looked at: of more, those that are most alike.
const MOST: usize = 30;

impl NearCopies<'_> {
    /// The pairs behind what [`among`](Self::among) found, most alike first. Sources are looked at where they are others than the
    /// last time.
    pub fn pairs(
        &mut self,
        agents: &[&ReportSummary],
        sights: &FirstSights,
        near: &HashMap<Miner, NearCopy>,
    ) -> &[NearPair] {
        let found = agents.iter().filter_map(|agent| Some((*agent, near.get(&agent.miner)?)));
        let mut found: Vec<(&ReportSummary, &NearCopy)> = found.collect();
        found.sort_by(|a, b| (b.1.percent, &a.0.miner).cmp(&(a.1.percent, &b.0.miner)));
        // Of two that came at once each is one of the other: they stand beside each other once.
        let mut told = HashSet::new();
        found.retain(|(agent, near)| {
            let (one, other) = (&agent.miner, &near.similar_to);
            told.insert((one.min(other), one.max(other)))
        });
        found.truncate(MOST);
        let told = |(agent, near): &(&ReportSummary, &NearCopy)| {
            (agent.sha256.clone(), near.similar_to.clone(), near.percent)
        };
        let told: Vec<_> = found.iter().map(told).collect();
        if self.pairs.0 != told {
            let pairs = found.into_iter().filter_map(|(agent, near)| self.pair(agent, near, sights));
            self.pairs = (told, pairs.collect());
        }
        &self.pairs.1
    }

    /// None where the archive has lost one of the sources.
    fn pair(&self, agent: &ReportSummary, near: &NearCopy, sights: &FirstSights) -> Option<NearPair> {
        let place = sights.document(&agent.sha256, &agent.miner)?;
        let (_, original) = self.found.get(&place)?.as_ref()?;
        let original = sights.documents().get((*original)?)?;
        let [source, beside] = [&agent.sha256, &original.sha256].map(|sha256| (self.source)(sha256));
        let (regions, more) = regions::between(&source?, &beside?, &self.given);
        Some(NearPair {
            miner: agent.miner.clone(),
            sha256: agent.sha256.clone(),
            original: near.similar_to.clone(),
            original_sha256: original.sha256.clone(),
            percent: near.percent,
            regions,
            more,
        })
    }
}
