//! Near copies: an agent is one if another miner was seen with most of its tokens first.
//!
//! Every fingerprint belongs to the miner that was seen with it before everybody else. One that a task holds, or that
//! many miners share, is no evidence. Of an agent that shares enough of them with one other miner, the tokens are counted that
//! they cover in its source: lines put in between break many sequences, and cover few tokens. The time grows like the number
//! of fingerprints, never like pairs of agents.

mod pairs;
mod regions;

use std::collections::{BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use crate::config::{OnSimilar, Similarity};
use crate::model::first_sights::{Document, FirstSights, NearCopy};
use crate::model::miner_id::Miner;
use crate::model::near_pair::NearPair;
use crate::pipeline::report_summary::ReportSummary;
use crate::pipeline::validate::fingerprints::{self, Covered};
use crate::task::Task;

/// Fewer fingerprints tell nothing: short functions are alike by chance.
const FEWEST: u32 = 16;

/// Miners that may share a fingerprint before it counts as common knowledge.
const MANY: usize = 10;

/// Percent of an agent's fingerprints that belong to one other miner, from which on its source is looked at.
const SUSPICIOUS: u32 = 20;

/// Bytes of a submission by their digest, if they are still there.
type Source<'a> = Box<dyn Fn(&str) -> Option<Vec<u8>> + Sync + 'a>;

/// A near copy, with the place of the document that it is one of, as long as its source is there.
type Finding = (NearCopy, Option<usize>);

/// Near copies among all documents so far.
pub struct NearCopies<'a> {
    rules: &'a Similarity,
    source: Source<'a>,
    /// Fingerprints of archived sources.
    made: HashMap<String, Box<[u32]>>,
    /// Hashes of all sequences of documents that were looked at, in their order; of those alone that were asked about last, as
    /// nobody is to fill the memory by submitting one after the other.
    looked_at: HashMap<String, Vec<u32>>,
    /// Fingerprints that tasks and what everybody may use hold.
    given: HashSet<u32>,
    /// Revision of the documents at the last search for near copies.
    known: usize,
    /// Finding of each document that was asked about then.
    found: HashMap<usize, Option<Finding>>,
    /// The last pairs, and what they are of: digest, other miner, percent.
    pairs: (Vec<(String, Miner, u32)>, Vec<NearPair>),
}

impl<'a> NearCopies<'a> {
    /// None yet; what the prompts and solutions of these tasks hold is nobody's, nor is what everybody may use.
    pub fn new(
        rules: &'a Similarity,
        tasks: &[Task],
        source: impl Fn(&str) -> Option<Vec<u8>> + Sync + 'a,
    ) -> Self {
        let solution = |task: &Task| task.solution.as_ref().and_then(|path| std::fs::read(path).ok());
        let of_task = |task: &Task| {
            let solution = solution(task).unwrap_or_default();
            [fingerprints::all(task.prompt.as_bytes()), fingerprints::all(&solution)].concat()
        };
        let base = rules.base.iter().flat_map(|base| fingerprints::all(&base.source));
        Self {
            rules,
            source: Box::new(source),
            made: HashMap::new(),
            looked_at: HashMap::new(),
            given: tasks.iter().flat_map(of_task).chain(base).collect(),
            known: 0,
            found: HashMap::new(),
            pairs: Default::default(),
        }
    }

    /// The near copies among these agents, but those that are originals by the organiser's word.
    pub fn among(&mut self, agents: &[&ReportSummary], sights: &FirstSights) -> HashMap<Miner, NearCopy> {
        let documents = sights.documents();
        let place = |agent: &&ReportSummary| sights.document(&agent.sha256, &agent.miner);
        let asked: BTreeSet<usize> = agents.iter().filter_map(place).collect();
        // What was refused at first may have been taken since.
        let is_new = |at: &usize| !self.found.contains_key(at) || self.is_unmade(&documents[*at]);
        if self.known != sights.revision() || asked.iter().any(is_new) {
            self.make_prints(documents);
            let asked_digests: HashSet<&str> =
                asked.iter().map(|at| documents[*at].sha256.as_str()).collect();
            self.looked_at.retain(|sha256, _| asked_digests.contains(sha256.as_str()));
            (self.known, self.found) = (sights.revision(), self.find(&asked, documents));
        }
        let near = |agent: &&ReportSummary| {
            let (near, _) = self.found.get(&place(agent)?)?.clone()?;
            Some((agent.miner.clone(), near))
        };
        let open = agents.iter().filter(|agent| !sights.is_vouched_for(&agent.sha256, &agent.miner));
        open.filter_map(near).collect()
    }

    /// Makes the fingerprints that are not known yet. What the archive has lost has none.
    fn make_prints(&mut self, documents: &[Document]) {
        let due: Vec<&Document> = documents.iter().filter(|document| self.is_unmade(document)).collect();
        let source = &self.source;
        let of = |document: &&Document| {
            let prints = fingerprints::of(&source(&document.sha256)?);
            Some((document.sha256.clone(), prints.into()))
        };
        self.made.extend(due.par_iter().filter_map(of).collect::<Vec<_>>());
    }

    fn is_unmade(&self, document: &Document) -> bool {
        !self.made.contains_key(&document.sha256)
    }

    fn prints<'d>(&'d self, document: &'d Document) -> &'d [u32] {
        // Those of an older ledger were made by other rules, and are all that is left of a source that is lost.
        self.made.get(&document.sha256).map_or(&document.prints, |made| made)
    }

    /// Looks for near copies among the documents at these places, of all that there are.
    fn find(&mut self, asked: &BTreeSet<usize>, documents: &[Document]) -> HashMap<usize, Option<Finding>> {
        let mut prints: Vec<(u32, usize)> = Vec::new();
        for (at, document) in documents.iter().enumerate() {
            prints.extend(self.prints(document).iter().map(|print| (*print, at)));
        }
        prints.par_sort_unstable();
        let mut counted: HashMap<usize, u32> = asked.iter().map(|at| (*at, 0)).collect();
        let mut shared: HashMap<(usize, &Miner), u32> = HashMap::new();
        for group in prints.chunk_by(|a, b| a.0 == b.0) {
            let Some(owner) = self.owner(group, documents) else { continue };
            for &(_, at) in group {
                let Some(count) = counted.get_mut(&at) else { continue };
                *count += 1;
                if documents[at].miner != *owner {
                    *shared.entry((at, owner)).or_default() += 1;
                }
            }
        }
        let mut found: HashMap<usize, _> = asked.iter().map(|at| (*at, None)).collect();
        for ((at, owner), count) in shared {
            let all = counted[&at];
            if all >= FEWEST && count * 100 >= all * SUSPICIOUS {
                let (covered, original) = match self.covered((at, owner), documents, &prints) {
                    Some((covered, original)) => (covered, Some(original)),
                    None => ((count, all), None),
                };
                let near = self.judge(owner, covered).map(|near| (near, original));
                found.entry(at).and_modify(|best| *best = best.take().max(near));
            }
        }
        self.tell_both(&mut found, documents, &prints);
        found
    }

    /// The miner that a fingerprint belongs to, given all documents that hold it, oldest first; None if it is no evidence.
    fn owner<'d>(&self, group: &[(u32, usize)], documents: &'d [Document]) -> Option<&'d Miner> {
        let (print, first) = group.first()?;
        let miners: BTreeSet<&Miner> = group.iter().map(|(_, at)| &documents[*at].miner).collect();
        let is_evidence = miners.len() <= MANY && !self.given.contains(print);
        is_evidence.then_some(&documents[*first].miner)
    }

    /// Tokens of a document that fingerprints of one owner cover, as far as they come from one of its documents, and that those of
    /// all cover; and the place of that document. None if the source is not there any more. Who submits many ways to write something
    /// has nobody's work by that.
    fn covered(
        &mut self,
        (at, suspect): (usize, &Miner),
        documents: &[Document],
        prints: &[(u32, usize)],
    ) -> Option<((u32, u32), usize)> {
        self.look_at(at, documents)?;
        let owners = self.owners(at, documents, prints);
        let is_earlier = |other: &usize| *other < at && documents[*other].miner == *suspect;
        let mut shared: HashMap<usize, u32> = HashMap::new();
        for (print, _) in owners.iter().filter(|(_, owner)| **owner == suspect) {
            let holders = group(prints, *print).iter().map(|(_, other)| *other).filter(is_earlier);
            holders.for_each(|other| *shared.entry(other).or_default() += 1);
        }
        let (original, _) = shared.into_iter().max_by_key(|(other, count)| (*count, *other))?;
        Some((self.tokens((at, original), suspect, &owners, (documents, prints)), original))
    }

    /// Has the hashes of a document's source at hand; None if it is not there any more.
    fn look_at(&mut self, at: usize, documents: &[Document]) -> Option<()> {
        let sha256 = &documents[at].sha256;
        if !self.looked_at.contains_key(sha256) {
            let source = (self.source)(sha256)?;
            self.looked_at.insert(sha256.clone(), fingerprints::all(&source));
        }
        Some(())
    }

    /// The miners that a document's fingerprints belong to, of those that are evidence.
    fn owners<'d>(
        &self,
        at: usize,
        documents: &'d [Document],
        prints: &[(u32, usize)],
    ) -> HashMap<u32, &'d Miner> {
        let owner_of = |print: &u32| self.owner(group(prints, *print), documents);
        self.prints(&documents[at]).iter().filter_map(|print| Some((*print, owner_of(print)?))).collect()
    }

    /// Tokens of a document that those fingerprints of an owner's cover which another document holds, too; and that all cover.
    fn tokens(
        &self,
        (at, other): (usize, usize),
        owner: &Miner,
        owners: &HashMap<u32, &Miner>,
        (documents, prints): (&[Document], &[(u32, usize)]),
    ) -> (u32, u32) {
        let holds = |hash: u32| group(prints, hash).binary_search(&(hash, other)).is_ok();
        let (mut theirs, mut all) = (Covered::default(), Covered::default());
        for (place, hash) in self.looked_at[&documents[at].sha256].iter().enumerate() {
            let Some(of) = owners.get(hash) else { continue };
            all.add(place);
            if *of == owner && holds(*hash) {
                theirs.add(place);
            }
        }
        (theirs.tokens(), all.tokens())
    }

    /// Of two that came at once nobody can tell who was first: the original is a near copy of the other, too, if it would be one had
    /// it come later.
    fn tell_both(
        &mut self,
        found: &mut HashMap<usize, Option<Finding>>,
        documents: &[Document],
        prints: &[(u32, usize)],
    ) {
        let of_original = |(at, one): (&usize, &Option<Finding>)| {
            let original = one.as_ref()?.1?;
            documents[original].is_undecided(&documents[*at]).then_some((original, *at))
        };
        for (original, at) in found.iter().filter_map(of_original).collect::<Vec<_>>() {
            let Some(best) = found.get_mut(&original) else { continue };
            if self.look_at(original, documents).is_some() {
                let owners = self.owners(original, documents, prints);
                let covered =
                    self.tokens((original, at), &documents[original].miner, &owners, (documents, prints));
                let near = self.judge(&documents[at].miner, covered).map(|near| (near, Some(at)));
                *best = best.take().max(near);
            }
        }
    }

    fn judge(&self, owner: &Miner, (shared, all): (u32, u32)) -> Option<NearCopy> {
        let percent = shared * 100 / all.max(1);
        let near = f64::from(shared) >= self.rules.threshold * f64::from(all);
        let withheld = self.rules.action == OnSimilar::Withhold;
        near.then(|| NearCopy { percent, similar_to: owner.clone(), withheld })
    }
}

/// Documents that hold a fingerprint, oldest first, of all that there are.
fn group(prints: &[(u32, usize)], print: u32) -> &[(u32, usize)] {
    let rest = &prints[prints.partition_point(|(other, _)| *other < print)..];
    &rest[..rest.partition_point(|(other, _)| *other == print)]
}

#[cfg(test)]
mod tests;
