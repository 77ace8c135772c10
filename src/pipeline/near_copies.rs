//! Near copies: an agent is one if another miner was seen with most of its fingerprints first.
//!
//! Every fingerprint belongs to the miner that was seen with it before everybody else. One that a task holds, or that
//! many miners share, is no evidence. The time grows like the number of fingerprints, never like pairs of agents.

use std::collections::{BTreeSet, HashMap, HashSet};

use rayon::slice::ParallelSliceMut;

use crate::config::{OnSimilar, Similarity};
use crate::model::first_sights::{Document, FirstSights, NearCopy};
use crate::model::miner_id::Miner;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::validate::fingerprints;
use crate::task::Task;

/// Fewer fingerprints tell nothing: short functions are alike by chance.
const FEWEST: u32 = 16;

/// Miners that may share a fingerprint before it counts as common knowledge.
const MANY: usize = 10;

/// Near copies among all documents so far.
pub struct NearCopies<'a> {
    rules: &'a Similarity,
    /// Fingerprints that tasks and what everybody may use hold.
    given: HashSet<u32>,
    /// One for each document.
    found: Vec<Option<NearCopy>>,
}

impl<'a> NearCopies<'a> {
    /// None yet; what the prompts and solutions of these tasks hold is nobody's, nor is what everybody may use.
    pub fn new(rules: &'a Similarity, tasks: &[Task]) -> Self {
        let solution = |task: &Task| task.solution.as_ref().and_then(|path| std::fs::read(path).ok());
        let of_task = |task: &Task| {
            let solution = solution(task).unwrap_or_default();
            [fingerprints::all(task.prompt.as_bytes()), fingerprints::all(&solution)].concat()
        };
        let base = rules.base.iter().flat_map(|base| fingerprints::all(&base.source));
        Self { rules, given: tasks.iter().flat_map(of_task).chain(base).collect(), found: Vec::new() }
    }

    /// The near copies among these agents.
    pub fn among(&mut self, agents: &[&ReportSummary], sights: &FirstSights) -> HashMap<Miner, NearCopy> {
        if self.found.len() != sights.documents().len() {
            self.found = self.find(sights.documents());
        }
        let near = |agent: &&ReportSummary| {
            let near = self.found.get(sights.document(&agent.sha256, &agent.miner)?)?.clone()?;
            Some((agent.miner.clone(), near))
        };
        agents.iter().filter_map(near).collect()
    }

    fn find(&self, documents: &[Document]) -> Vec<Option<NearCopy>> {
        let mut prints: Vec<(u32, usize)> = Vec::new();
        for (at, document) in documents.iter().enumerate() {
            prints.extend(document.prints.iter().map(|print| (*print, at)));
        }
        prints.par_sort_unstable();
        let mut counted = vec![0; documents.len()];
        let mut shared: HashMap<(usize, &Miner), u32> = HashMap::new();
        for group in prints.chunk_by(|a, b| a.0 == b.0).filter(|group| !self.given.contains(&group[0].0)) {
            let miners: BTreeSet<&Miner> = group.iter().map(|(_, at)| &documents[*at].miner).collect();
            if miners.len() > MANY {
                continue;
            }
            let owner = &documents[group[0].1].miner;
            for &(_, at) in group {
                counted[at] += 1;
                if documents[at].miner != *owner {
                    *shared.entry((at, owner)).or_default() += 1;
                }
            }
        }
        let mut found = vec![None; documents.len()];
        for ((at, owner), count) in shared {
            let near = self.judge(owner, count, counted[at]);
            found[at] = found[at].take().max(near);
        }
        found
    }

    fn judge(&self, owner: &Miner, shared: u32, all: u32) -> Option<NearCopy> {
        let percent = shared * 100 / all.max(1);
        let near = all >= FEWEST && f64::from(shared) >= self.rules.threshold * f64::from(all);
        let withheld = self.rules.action == OnSimilar::Withhold;
        near.then(|| NearCopy { percent, similar_to: owner.clone(), withheld })
    }
}

#[cfg(test)]
mod tests;
