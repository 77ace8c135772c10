//! Memory of a benchmark: every reply and every score, in a file for each model, by whole lines.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::client::generate::answer::Usage;
use crate::config::Price;
use crate::util::{digest, line_file, private};

/// The folder below the results.
pub const FOLDER: &str = "models";

/// One sample's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The task's id.
    pub task: String,
    /// 1-based number among the task's samples.
    pub sample: u32,
    /// Hex sha256 of the prompt and of the settings that it was sent with; of a program from a file, that of all the file's.
    pub asked: String,
    /// When it was answered.
    pub at: Timestamp,
    /// How long that took.
    pub seconds: f64,
    /// Tokens of the prompt, if the endpoint tells.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the reply, if the endpoint tells.
    pub completion_tokens: Option<u64>,
    /// Money, as the endpoint told or by the price when it was answered; None if neither was known.
    pub cost: Option<f64>,
    /// True if the endpoint told the cost, which no price changes then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cost_told: bool,
    /// The answer.
    pub answer: Answer,
}

impl Sample {
    /// True if its reply ends where the model had used up its tokens.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        matches!(self.answer, Answer::Text { cut_off: true, .. } | Answer::CutOff(_))
    }

    /// Money, by this price unless the endpoint told it; that which was kept where there is no price.
    #[must_use]
    pub fn cost_by(&self, price: Option<&Price>) -> Option<f64> {
        let (prompt_tokens, completion_tokens) = (self.prompt_tokens, self.completion_tokens);
        let usage = Usage { prompt_tokens, completion_tokens, cost: self.cost.filter(|_| self.is_cost_told) };
        usage.cost(price).or(self.cost)
    }

    fn key(&self) -> Key {
        (self.task.clone(), self.asked.clone(), self.sample)
    }
}

/// Task, digest of what was asked, and number of a sample.
type Key = (String, String, u32);

/// A model's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A reply.
    Text {
        /// As it came.
        text: String,
        /// True if it ends where the model had used up its tokens.
        cut_off: bool,
    },
    /// There is none, by the model's own doing; the reason.
    Declined(String),
    /// There is none, as the model had used up its tokens before it began; the same in words.
    CutOff(String),
    /// A whole program, which stood in a file of samples.
    Program(String),
}

/// Result of one source on one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Key of the run, by which it is known again.
    pub key: String,
    /// The verdict's name, or `refused`.
    pub verdict: String,
    /// 0 to 100.
    pub score: f64,
    /// The task that it was first run on; None in lines of an older agentmill, as of what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Number of the sample that it first came in. Others with the same code share this line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<u32>,
    /// Why it did not pass: the first failing test, and its message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    /// The first line.
    Model {
        model: String,
    },
    Sample(Sample),
    Judged(Judged),
}

/// All that is known of one model.
#[derive(Debug)]
pub struct Memory {
    /// The model's name.
    pub model: String,
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    samples: BTreeMap<Key, Sample>,
    /// Digest of the file that the last program is of.
    file: Option<String>,
    judged: HashMap<String, Judged>,
}

impl Known {
    /// A later line of the same sample takes the place of an earlier one.
    fn add(&mut self, sample: Sample) {
        if matches!(sample.answer, Answer::Program(_)) {
            self.file = Some(sample.asked.clone());
        }
        self.samples.insert(sample.key(), sample);
    }
}

/// Keeps other benchmarks out of the folder, which it makes if need be, closed to other users as messages of hidden tests are
/// kept there. Dropping the lock gives it back.
///
/// # Errors
/// Another one works there, or it can't be written.
pub fn lock(folder: &Path) -> anyhow::Result<File> {
    private::closed(folder).with_context(|| format!("can't create {}", folder.display()))?;
    match private::lock(&folder.join(".lock"), Duration::ZERO) {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            bail!("another bench-model works in {}", folder.display())
        }
        other => other.with_context(|| format!("can't lock {}", folder.display())),
    }
}

impl Memory {
    /// The memory of a model, which is made if there is none.
    ///
    /// # Errors
    /// It can't be read or written.
    pub fn open(folder: &Path, model: &str) -> anyhow::Result<Self> {
        let path = folder.join(file_name(model));
        // A crash may leave a file without a first line.
        if path.try_exists()?
            && let Some(memory) = Self::read(&path)?
        {
            return Ok(memory);
        }
        let memory = Self { model: model.to_owned(), path, known: Mutex::default() };
        memory.append(&Line::Model { model: model.to_owned() })?;
        Ok(memory)
    }

    /// The memories of all models, by file name.
    ///
    /// # Errors
    /// One can't be read.
    pub fn all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let mut paths =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
        paths.sort();
        let memories = paths.iter().map(|path| Self::read(path)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(memories.into_iter().flatten().collect())
    }

    /// None if the file has no first line, as after a crash.
    fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let context = || format!("can't read {}", path.display());
        let text = fs::read_to_string(path).with_context(context)?;
        let (mut model, mut known) = (None, Known::default());
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            match serde_json::from_str(line.trim_end()) {
                Ok(Line::Model { model: name }) => model = Some(name),
                Ok(Line::Sample(sample)) => known.add(sample),
                Ok(Line::Judged(judged)) => drop(known.judged.insert(judged.key.clone(), judged)),
                // A crash leaves half a line, which later ones go behind.
                Err(error) if error.is_eof() => {}
                Err(error) => bail!("{}:{number}: {error}; mend the line or remove it", path.display()),
            }
        }
        if model.is_none() && !(known.samples.is_empty() && known.judged.is_empty()) {
            bail!(
                "{}:1: the first line, with the model's name, is missing, and replies follow; put in a line such as \
                 {{\"kind\":\"model\",\"model\":\"gpt-4o\"}}, or move the file away to ask for all of them again",
                path.display()
            );
        }
        Ok(model.map(|model| Self { model, path: path.to_owned(), known: Mutex::new(known) }))
    }

    /// The samples so far, each once, by task and number.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.known.lock().samples.values().cloned().collect()
    }

    /// Digest of the file that its programs are of: the last that was remembered. None for a model that was asked.
    #[must_use]
    pub fn file(&self) -> Option<String> {
        self.known.lock().file.clone()
    }

    /// The result of a run, if it was made.
    #[must_use]
    pub fn judged(&self, key: &str) -> Option<Judged> {
        self.known.lock().judged.get(key).cloned()
    }

    /// Remembers a sample.
    ///
    /// # Errors
    /// It can't be written.
    pub fn add_sample(&self, sample: Sample) -> anyhow::Result<()> {
        self.add_samples(vec![sample])
    }

    /// Remembers samples, by one write.
    ///
    /// # Errors
    /// They can't be written.
    pub fn add_samples(&self, samples: Vec<Sample>) -> anyhow::Result<()> {
        let lines: Vec<String> =
            samples.iter().map(|sample| line(&Line::Sample(sample.clone()))).collect::<Result<_, _>>()?;
        append(&self.path, lines.concat().as_bytes())?;
        let mut known = self.known.lock();
        samples.into_iter().for_each(|sample| known.add(sample));
        Ok(())
    }

    /// Remembers a result.
    ///
    /// # Errors
    /// It can't be written.
    pub fn add_judged(&self, judged: Judged) -> anyhow::Result<()> {
        self.append(&Line::Judged(judged.clone()))?;
        self.known.lock().judged.insert(judged.key.clone(), judged);
        Ok(())
    }

    fn append(&self, line: &Line) -> anyhow::Result<()> {
        append(&self.path, self::line(line)?.as_bytes())
    }
}

fn line(line: &Line) -> serde_json::Result<String> {
    serde_json::to_string(line).map(|line| line + "\n")
}

fn append(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let file = File::options().append(true).read(true).create(true).open(path);
    let written = file.and_then(|file| line_file::append(&file, bytes).map(drop));
    written.with_context(|| format!("can't write {}", path.display()))
}

/// The model's name as far as a file's may be so, and a digest where it may not.
fn file_name(model: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let safe: String = model.chars().take(80).map(|c| if plain(c) { c } else { '-' }).collect();
    match safe == model && !model.is_empty() && !model.starts_with('.') {
        true => format!("{model}.jsonl"),
        false => format!("{}-{}.jsonl", safe.replace('.', "-"), &digest::sha256(model.as_bytes())[..8]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(number: u32) -> Sample {
        Sample {
            task: "t".to_owned(),
            sample: number,
            asked: "a".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            seconds: 0.5,
            prompt_tokens: Some(3),
            completion_tokens: None,
            cost: Some(0.25),
            is_cost_told: false,
            answer: Answer::Declined("no".to_owned()),
        }
    }

    #[test]
    fn a_price_counts_for_replies_of_before_unless_the_endpoint_told_their_cost() {
        let kept = Sample { completion_tokens: Some(4), ..sample(1) };
        let price = Price { prompt: 1e6, reply: 2e6 };
        assert_eq!((kept.cost_by(Some(&price)), kept.cost_by(None)), (Some(11.0), Some(0.25)));
        assert_eq!(sample(1).cost_by(Some(&price)), Some(0.25), "not all tokens are known");
        assert_eq!(Sample { is_cost_told: true, ..kept }.cost_by(Some(&price)), Some(0.25));
    }

    #[test]
    fn what_was_remembered_is_known_again_even_behind_half_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::open(folder.path(), "meta/llama 3").unwrap();
        memory.add_sample(sample(1)).unwrap();
        append(&memory.path, b"{\"kind\":\"sample\",\"ta").unwrap();
        let memory = Memory::open(folder.path(), "meta/llama 3").unwrap();
        let line = r#"{"key": "k", "verdict": "passed", "score": 100}"#;
        let judged: Judged = serde_json::from_str(line).unwrap();
        memory.add_judged(judged.clone()).unwrap();
        memory.add_sample(sample(2)).unwrap();
        let all = Memory::all(folder.path()).unwrap();
        assert_eq!((all.len(), all[0].model.as_str()), (1, "meta/llama 3"));
        assert_eq!(all[0].samples(), [sample(1), sample(2)]);
        assert_eq!(all[0].judged("k"), Some(judged));
        append(&memory.path, b"{\"kind\":\"other\"}\n").unwrap();
        let error = Memory::all(folder.path()).unwrap_err().to_string();
        assert!(error.contains(":6:") && error.contains("mend the line"), "{error}");
    }

    #[test]
    fn a_file_that_a_crash_left_without_a_first_line_is_begun_anew() {
        for left in ["", "{\"kind\":\"mo"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("m.jsonl"), left).unwrap();
            assert_eq!(Memory::all(folder.path()).unwrap().len(), 0);
            Memory::open(folder.path(), "m").unwrap().add_sample(sample(1)).unwrap();
            assert_eq!(Memory::open(folder.path(), "m").unwrap().samples(), [sample(1)]);
        }
    }

    /// They were paid for.
    #[test]
    fn replies_behind_a_lost_first_line_are_not_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::open(folder.path(), "m").unwrap();
        memory.add_sample(sample(1)).unwrap();
        let text = fs::read_to_string(&memory.path).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        for left in [rest.to_owned(), format!("{}\n{rest}", &first[..9])] {
            fs::write(&memory.path, left).unwrap();
            let error = Memory::open(folder.path(), "m").unwrap_err().to_string();
            assert!(
                error.contains("m.jsonl:1: the first line") && error.contains("\"kind\":\"model\""),
                "{error}"
            );
        }
        fs::write(&memory.path, text).unwrap();
        assert_eq!(Memory::open(folder.path(), "m").unwrap().samples(), [sample(1)]);
    }

    #[test]
    fn names_of_files_stay_in_the_folder() {
        for (model, name) in [("gpt-4o", "gpt-4o.jsonl"), ("a.b_c", "a.b_c.jsonl")] {
            assert_eq!(file_name(model), name);
        }
        for model in ["../x", "a/b", ".hidden", "ü", ""] {
            let name = file_name(model);
            assert!(!name.contains('/') && !name.starts_with('.') && name != file_name("a-b"), "{name}");
        }
    }

    #[test]
    fn one_benchmark_works_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        assert!(lock(folder.path()).unwrap_err().to_string().contains("another bench-model"));
        drop(held);
        lock(folder.path()).unwrap();
    }
}
