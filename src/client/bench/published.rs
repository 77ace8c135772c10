//! Samples that a model has written elsewhere: a file of them stands for the model, and is remembered as replies are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use jiff::Timestamp;

use crate::client::bench::memory::{Answer, Memory, Sample};
use crate::import::{self, Note, Programs};
use crate::task::Task;

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

    /// Remembers what is not remembered; of an older file of that name nothing counts any more.
    ///
    /// # Errors
    /// A model of that name was asked, or it can't be written.
    pub fn remember(&self, memory: &Memory) -> anyhow::Result<()> {
        let samples = memory.samples();
        let is_file = |sample: &Sample| matches!(sample.answer, Answer::Program(_));
        let path = self.path.display();
        ensure!(
            samples.iter().all(is_file),
            "{path}: {} is a model that was asked; rename the file",
            self.model
        );
        let is_last = memory.file().is_some_and(|file| file.sha256 == self.programs.sha256);
        let mut known = HashSet::new();
        if is_last {
            let own = samples.iter().filter(|sample| sample.asked == self.programs.sha256);
            known.extend(own.map(|sample| (sample.task.as_str(), sample.sample)));
        }
        let is_new = |sample: &Sample| !known.contains(&(sample.task.as_str(), sample.sample));
        memory.add_samples(self.samples().filter(is_new).collect())
    }

    fn samples(&self) -> impl Iterator<Item = Sample> {
        let each = move |(at, programs): (&usize, &Vec<String>)| {
            let task = self.tasks[*at].clone();
            let numbered = programs.clone().into_iter().zip(1..);
            numbered.map(move |(source, number)| Sample {
                task: task.clone(),
                sample: number,
                asked: self.programs.sha256.clone(),
                at: Timestamp::now(),
                seconds: 0.0,
                prompt_tokens: None,
                completion_tokens: None,
                cost: None,
                answer: Answer::Program(source),
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

    #[test]
    fn a_file_names_its_model() {
        for (path, name) in [("a/gpt-4.jsonl.gz", "gpt-4"), ("x.json", "x"), ("Llama 3.1", "Llama 3.1")] {
            assert_eq!(model(Path::new(path)).unwrap(), name);
        }
        assert!(model(Path::new("/")).is_err() && model(Path::new(".jsonl")).is_err());
    }
}
