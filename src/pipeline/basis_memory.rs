//! Memory of bases, `results/.basis`: what the published scores rest on, miner by miner, as a change of tasks reaches
//! them one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::miner_id::Miner;
use crate::pipeline::basis::Basis;
use crate::util::{atomic_file, json, regular};

/// Name of the file.
pub const FILE: &str = ".basis";

/// Bases of what was published. By default, before anything was, none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasisMemory {
    /// The one of the last publication comes last; older ones stay as long as somebody's score rests on them.
    bases: Vec<Basis>,
    /// Places among them.
    of: BTreeMap<Miner, usize>,
}

impl BasisMemory {
    /// Reads the memory of a results folder. One that can't be read remembers nothing.
    pub fn read(results: &Path) -> Self {
        let bytes = regular::read(results.join(FILE)).unwrap_or_default();
        let memory: Self = serde_json::from_slice(&bytes).unwrap_or_default();
        let is_whole = memory.of.values().all(|at| *at < memory.bases.len());
        if is_whole { memory } else { Self::default() }
    }

    /// The basis of the last publication.
    pub fn published(&self) -> Option<&Basis> {
        self.bases.last()
    }

    /// The basis of a miner's published score.
    pub fn of(&self, miner: &Miner) -> Option<&Basis> {
        self.of.get(miner).map(|at| &self.bases[*at])
    }

    /// Notes that these miners' scores rest on this basis now, and those of others on what they did.
    ///
    /// # Errors
    /// The file can't be written; the message names it.
    pub fn note(
        &mut self,
        results: &Path,
        basis: &Basis,
        miners: impl Iterator<Item = Miner>,
    ) -> io::Result<()> {
        let before = self.clone();
        if self.published() != Some(basis) {
            self.bases.push(basis.clone());
        }
        let newest = self.bases.len() - 1;
        self.of.extend(miners.map(|miner| (miner, newest)));
        self.forget_unused();
        if *self == before {
            return Ok(());
        }
        atomic_file::replace(&results.join(FILE), &json::bytes(self)?).map(drop)
    }

    fn forget_unused(&mut self) {
        let newest = self.bases.len() - 1;
        let used: BTreeSet<usize> = self.of.values().copied().chain([newest]).collect();
        let places: BTreeMap<usize, usize> = used.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        let mut at = 0..;
        self.bases.retain(|_| at.next().is_some_and(|at| used.contains(&at)));
        self.of.values_mut().for_each(|at| *at = places[at]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_the_basis_that_was_noted_last_and_unused_ones_go() {
        let results = tempfile::tempdir().unwrap();
        let miner = |name: &str| name.parse::<Miner>().unwrap();
        let basis = |image: &str| Basis::default().under(image);
        let note = |image: &str, miners: &[&str]| {
            let mut memory = BasisMemory::read(results.path());
            memory.note(results.path(), &basis(image), miners.iter().map(|name| miner(name))).unwrap();
            assert_eq!(memory, BasisMemory::read(results.path()));
            memory
        };
        assert_eq!(BasisMemory::read(results.path()).published(), None);
        note("a", &["ann", "ben"]);
        let memory = note("b", &["ann"]);
        assert_eq!(
            [memory.of(&miner("ann")), memory.of(&miner("ben"))],
            [Some(&basis("b")), Some(&basis("a"))]
        );
        let memory = note("c", &[]);
        assert_eq!((memory.published(), memory.bases.len()), (Some(&basis("c")), 3));
        let memory = note("c", &["ann", "ben"]);
        assert_eq!((memory.bases.len(), memory.of(&miner("cid"))), (1, None));
        std::fs::write(results.path().join(FILE), r#"{"bases":[],"of":{"ann":3}}"#).unwrap();
        assert_eq!(BasisMemory::read(results.path()), BasisMemory::default(), "edited by hand");
    }
}
