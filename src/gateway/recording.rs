//! Recordings: what a run asked and was answered, a line an exchange, so that the same run made again asks nobody.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::gateway::question::Question;
use crate::model::model_use::Money;
use crate::util::atomic_file::blame;
use crate::util::{private, regular};

/// A line of a recording: a question, and what came of it.
#[derive(Debug, Serialize)]
struct Line<'a> {
    key: &'a str,
    /// The time of the answer.
    at: Timestamp,
    /// The path that it was asked at, such as `/chat/completions`.
    path: &'a str,
    model: &'a str,
    request: &'a Map<String, Value>,
    status: u16,
    answer: &'a Value,
    tokens_in: u64,
    tokens_out: u64,
    /// Price of both; null if the model has none.
    cost: Option<Money>,
    took_ms: u64,
    waited_ms: u64,
}

/// An answer that came. The question itself is only in the file: this is found by its digest.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Known {
    /// The question's digest.
    pub key: String,
    /// The status of the answer: 200, or that of the provider's refusal.
    pub status: u16,
    /// The answer.
    pub answer: Value,
    /// Tokens of the question.
    pub tokens_in: u64,
    /// Tokens of the answer.
    pub tokens_out: u64,
    /// Time that the answer took, milliseconds.
    pub took_ms: u64,
    /// Time that answers had taken in all by then, as the budget counts it, milliseconds.
    #[serde(default)]
    pub waited_ms: u64,
}

/// The recording of one run.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    /// The run was made before, whether or not it asked anything.
    is_known: bool,
    lines: Mutex<Lines>,
}

#[derive(Debug)]
struct Lines {
    known: Vec<Known>,
    /// Those that were not recalled since the last [`Recording::rewind`], by the questions' keys.
    ahead: HashMap<String, VecDeque<usize>>,
    /// None until something is added.
    file: Option<File>,
    /// The file there is of another time, and stays until something is added: the provider may be away.
    replaces: bool,
}

impl Recording {
    /// The recording of the run with this key in a folder; an empty one if there is none, or a `fresh` one is wanted.
    ///
    /// # Errors
    /// It can't be read; the message names the file.
    pub fn open(folder: &Path, run_key: &str, fresh: bool) -> io::Result<Self> {
        let path = folder.join(format!("{run_key}.jsonl"));
        let read = if fresh { Ok(Vec::new()) } else { regular::read(&path) };
        let (bytes, is_known) = match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), false),
            read => (read.map_err(|error| blame(&path, &error))?, !fresh),
        };
        // A line that was not written to its end was not delivered either.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            cut(&path, whole).map_err(|error| blame(&path, &error))?;
        }
        let lines = bytes[..whole].split(|byte| *byte == b'\n');
        let known = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let lines = Mutex::new(Lines { known, ahead: HashMap::new(), file: None, replaces: fresh });
        let recording = Self { path, is_known, lines };
        recording.rewind();
        Ok(recording)
    }

    /// Tells whether the run was made before, whether or not it asked anything.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// Keeps in mind that the run was made, also if it asked nothing.
    ///
    /// # Errors
    /// The file can't be written; the message names it.
    pub fn keep(&self) -> io::Result<()> {
        self.lines.lock().append(&self.path, b"").map_err(|error| blame(&self.path, &error))
    }

    /// Begins again at the first exchange.
    pub fn rewind(&self) {
        let mut lines = self.lines.lock();
        let mut ahead: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (at, known) in lines.known.iter().enumerate() {
            ahead.entry(known.key.clone()).or_default().push_back(at);
        }
        lines.ahead = ahead;
    }

    /// The recorded answer to a question. Asked again, the same question has the answer that it had then.
    pub fn recall(&self, question: &Question) -> Option<Known> {
        let mut lines = self.lines.lock();
        let at = lines.ahead.get_mut(&question.key())?.pop_front()?;
        lines.known.get(at).cloned()
    }

    /// Adds a question and its answer, which cost so much, if that is known.
    ///
    /// # Errors
    /// The file can't be written; the message names it.
    pub fn add(&self, question: &Question, known: Known, cost: Option<Money>) -> io::Result<()> {
        let Known { key, status, answer, .. } = &known;
        let Known { tokens_in, tokens_out, took_ms, waited_ms, .. } = known;
        let status = *status;
        let (path, model, request) = (question.kind.path(), question.model(), question.asked());
        let at = Timestamp::now();
        let line = Line {
            key,
            at,
            path,
            model,
            request,
            status,
            answer,
            tokens_in,
            tokens_out,
            cost,
            took_ms,
            waited_ms,
        };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        let mut lines = self.lines.lock();
        let written = lines.append(&self.path, &line);
        written.map_err(|error| blame(&self.path, &error))?;
        lines.known.push(known);
        Ok(())
    }
}

impl Lines {
    fn append(&mut self, path: &Path, line: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            path.parent().map_or(Ok(()), private::closed)?;
            if std::mem::take(&mut self.replaces) && path.try_exists()? {
                fs::remove_file(path)?;
            }
            self.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let before = file.metadata()?.len();
        file.write_all(line).inspect_err(|_| drop(file.set_len(before)))
    }
}

fn cut(path: &Path, length: usize) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_len(length as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::question::Kind;

    fn question(text: &str) -> Question {
        let body = json!({ "model": "m", "prompt": text });
        Question::read(Kind::Completion, body.to_string().as_bytes()).unwrap()
    }

    fn add(recording: &Recording, question: &Question, answer: &str) {
        let (key, answer) = (question.key(), json!(answer));
        let known = Known { key, status: 200, answer, tokens_in: 1, tokens_out: 2, took_ms: 4, waited_ms: 4 };
        recording.add(question, known, Some(Money(3))).unwrap();
    }

    #[test]
    fn the_same_question_again_has_the_answers_that_it_had_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (question("one"), question("two"));
        let recording = Recording::open(&folder.path().join("recordings"), "k", false).unwrap();
        assert!(!recording.is_known() && recording.recall(&one).is_none());
        for (question, answer) in [(&one, "a"), (&two, "b"), (&one, "c")] {
            add(&recording, question, answer);
        }
        assert!(recording.recall(&one).is_none(), "what was added is not recalled in the same run");
        let again = Recording::open(&folder.path().join("recordings"), "k", false).unwrap();
        for _ in 0..2 {
            let recalled = |question| again.recall(question).map(|known| known.answer);
            assert_eq!(recalled(&one), Some(json!("a")));
            assert_eq!(recalled(&one), Some(json!("c")));
            assert_eq!(recalled(&one), None);
            assert_eq!(recalled(&two), Some(json!("b")));
            again.rewind();
        }
    }

    #[test]
    fn half_a_line_is_cut_off_and_a_fresh_recording_takes_the_others_place_by_its_first_answer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k.jsonl");
        add(&Recording::open(folder.path(), "k", false).unwrap(), &question("one"), "a");
        let whole = fs::read_to_string(&path).unwrap();
        assert!(whole.contains(r#""request":{"model":"m","prompt":"one"},"status":200"#), "{whole}");
        fs::write(&path, format!("{whole}{}", &whole[..20])).unwrap();
        let recording = Recording::open(folder.path(), "k", false).unwrap();
        add(&recording, &question("two"), "b");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(&whole) && text.lines().count() == 2, "{text}");
        let fresh = Recording::open(folder.path(), "k", true).unwrap();
        assert!(!fresh.is_known() && fresh.recall(&question("one")).is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "the provider may be away");
        add(&fresh, &question("three"), "c");
        add(&fresh, &question("four"), "d");
        let anew = fs::read_to_string(&path).unwrap();
        assert!(anew.lines().count() == 2 && anew.contains("three") && !anew.contains("\"one\""), "{anew}");
    }
}
