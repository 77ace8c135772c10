//! Samples that a model has written elsewhere: a file of them stands for the model, and is remembered as replies are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use jiff::Timestamp;

use crate::client::bench::memory::{Answer, Memory, Sample};
use crate::import::{self, Note, Programs};
use crate::task::Task;
use crate::util::digest;

/// A file of samples.
#[derive(Debug)]
pub struct Published {
    /// The model's name: that of the file without its ending.
    pub model: String,
    /// The file.
    pub path: PathBuf,
    programs: Programs,
    /// Ids of the tasks, by the places that programs have.
    tasks: Vec<String>,
}

impl Published {
    /// Reads a file of samples for these tasks.
    ///
    /// # Errors
    /// It can't be read, or has no sample for any of them.
    pub fn read(path: &Path, tasks: &[Task]) -> anyhow::Result<Self> {
        let programs = import::programs(path, tasks)?;
        let first = programs.refused.first();
        ensure!(
            !programs.by_task.is_empty(),
            "{}: no sample can be taken{}",
            path.display(),
            first.map_or_else(String::new, |note| format!("; {}: {}", note.place, note.text))
        );
        let tasks = tasks.iter().map(|task| task.id.clone()).collect();
        Ok(Self { model: model(path)?, path: path.to_owned(), programs, tasks })
    }

    /// Lines that can't be taken.
    #[must_use]
    pub fn refused(&self) -> &[Note] {
        &self.programs.refused
    }

    /// A warning of code between fences, if there is any.
    #[must_use]
    pub fn fenced(&self) -> Option<&str> {
        self.programs.fenced.as_deref()
    }

    /// The most samples that it has of a task.
    #[must_use]
    pub fn most(&self) -> u32 {
        let most = self.programs.by_task.values().map(Vec::len).max();
        most.and_then(|most| u32::try_from(most).ok()).unwrap_or(u32::MAX)
    }

    /// The fewest samples that it has of a task of which it has any.
    #[must_use]
    pub fn least(&self) -> u32 {
        let least = self.programs.by_task.values().map(Vec::len).min();
        least.and_then(|least| u32::try_from(least).ok()).unwrap_or(1)
    }

    /// Remembers what is not remembered; of an older file of that name nothing counts any more, until it is back.
    ///
    /// # Errors
    /// A model of that name was asked, or it can't be written.
    pub fn remember(&self, memory: &Memory) -> anyhow::Result<()> {
        let before = memory.samples();
        let is_file = |sample: &Sample| matches!(sample.answer, Answer::Program(_));
        let path = self.path.display();
        ensure!(
            before.iter().all(is_file),
            "{path}: {} is a model that was asked; rename the file",
            self.model
        );
        let digest = self.digest()?;
        let own = before.iter().filter(|sample| sample.asked == digest);
        let known: HashSet<_> = own.map(|sample| (sample.task.as_str(), sample.sample)).collect();
        let mut samples: Vec<Sample> = self.samples(&digest).collect();
        // The file of the last line counts, so that one which is back is told by one of its lines again.
        let last = samples.first().filter(|_| memory.file().as_ref() != Some(&digest)).cloned();
        samples.retain(|sample| !known.contains(&(sample.task.as_str(), sample.sample)));
        memory.add_samples(if samples.is_empty() { last.into_iter().collect() } else { samples })
    }

    /// Digest of all samples as they are run: it changes with what is taken of a line, such as a prompt's beginning.
    fn digest(&self) -> anyhow::Result<String> {
        let programs = self.programs.by_task.iter().map(|(at, programs)| (&self.tasks[*at], programs));
        Ok(digest::sha256(&serde_json::to_vec(&programs.collect::<Vec<_>>())?))
    }

    fn samples<'a>(&'a self, digest: &'a str) -> impl Iterator<Item = Sample> + 'a {
        let each = move |(at, programs): (&usize, &'a Vec<String>)| {
            let task = self.tasks[*at].clone();
            programs.iter().zip(1..).map(move |(source, number)| Sample {
                task: task.clone(),
                sample: number,
                asked: digest.to_owned(),
                at: Timestamp::now(),
                seconds: 0.0,
                prompt_tokens: None,
                completion_tokens: None,
                cost: None,
                is_cost_told: false,
                answer: Answer::Program(source.clone()),
            })
        };
        self.programs.by_task.iter().flat_map(each)
    }
}

/// `gpt-4` of `gpt-4.jsonl.gz`.
fn model(path: &Path) -> anyhow::Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{}: the name is no text", path.display()))?;
    let name = [".gz", ".jsonl", ".json"].iter().fold(name, |name, ending| name.trim_end_matches(ending));
    ensure!(!name.is_empty(), "{}: the name names no model", path.display());
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(by_task: &[&[&str]]) -> Published {
        let programs = by_task.iter().map(|programs| programs.iter().map(ToString::to_string).collect());
        Published {
            model: "m".to_owned(),
            path: PathBuf::from("m.jsonl"),
            programs: Programs { by_task: (0..).zip(programs).collect(), ..Programs::default() },
            tasks: vec!["a".to_owned(), "b".to_owned()],
        }
    }

    /// The samples that count, as a later benchmark reads them.
    fn counting(folder: &Path) -> Vec<(String, u32, Answer)> {
        let memory = Memory::open(folder, "m").unwrap();
        let file = memory.file();
        let own = memory.samples().into_iter().filter(|sample| Some(&sample.asked) == file.as_ref());
        own.map(|sample| (sample.task, sample.sample, sample.answer)).collect()
    }

    #[test]
    fn the_samples_of_a_file_are_those_of_today_in_any_order_of_changes() {
        let folder = tempfile::tempdir().unwrap();
        let lines = || std::fs::read_to_string(folder.path().join("m.jsonl")).unwrap().lines().count();
        let (one, other, fewer) = (["1", "2"], ["3", "4"], ["5"]);
        let files = [&[&one[..], &one][..], &[&other, &other], &[&fewer]].map(published);
        let mut seen = Vec::new();
        for at in [0, 1, 0, 2, 1, 1, 0, 2, 0] {
            files[at].remember(&Memory::open(folder.path(), "m").unwrap()).unwrap();
            let digest = files[at].digest().unwrap();
            let all = files[at].samples(&digest).map(|sample| (sample.task, sample.sample, sample.answer));
            assert_eq!(counting(folder.path()), all.collect::<Vec<_>>(), "{at} after {seen:?}");
            seen.push(at);
        }
        assert_eq!(lines(), 1 + 4 + 4 + 1 + 1 + 1 + 1 + 1 + 1, "what is back takes a line, what stays none");
    }

    #[test]
    fn a_file_that_a_crash_left_in_part_is_completed() {
        let folder = tempfile::tempdir().unwrap();
        let file = published(&[&["1", "2"], &["3"]]);
        let memory = || Memory::open(folder.path(), "m").unwrap();
        let digest = file.digest().unwrap();
        memory().add_samples(file.samples(&digest).take(1).collect()).unwrap();
        file.remember(&memory()).unwrap();
        file.remember(&memory()).unwrap();
        assert_eq!((counting(folder.path()).len(), memory().samples().len()), (3, 3));
    }

    #[test]
    fn a_file_names_its_model() {
        for (path, name) in [("a/gpt-4.jsonl.gz", "gpt-4"), ("x.json", "x"), ("Llama 3.1", "Llama 3.1")] {
            assert_eq!(model(Path::new(path)).unwrap(), name);
        }
        assert!(model(Path::new("/")).is_err() && model(Path::new(".jsonl")).is_err());
    }
}
