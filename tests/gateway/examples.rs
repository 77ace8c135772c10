//! The examples that are shipped, as their READMEs run them; this test answers in the place of `examples/mock.py`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::provider::{Provider, Says};

/// A copy of an example, and the provider that answers by its file.
struct Example {
    folder: tempfile::TempDir,
    provider: Provider,
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in
        fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "results")
    {
        let target = to.join(entry.file_name());
        match entry.path() {
            folder if folder.is_dir() => copy(&folder, &target),
            file => drop(fs::copy(file, target).unwrap()),
        }
    }
}

impl Example {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&shipped(name), folder.path());
        let answers = fs::read(folder.path().join("answers.json")).unwrap();
        let answers: BTreeMap<String, String> = serde_json::from_slice(&answers).unwrap();
        let provider = Provider::new(move |asked| {
            let answer = answers.iter().find(|(words, _)| asked.text().contains(*words));
            Says::Text(answer.map_or("yes".into(), |(_, answer)| answer.clone()), Duration::ZERO)
        });
        let pipeline = folder.path().join("pipeline.yaml");
        let text = fs::read_to_string(&pipeline).unwrap();
        let moved = text.replace("127.0.0.1:8400", &provider.address.to_string());
        assert_ne!(moved, text);
        fs::write(pipeline, moved).unwrap();
        Self { folder, provider }
    }

    fn agentmill(&self, args: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentmill"));
        let output = command.arg("-C").arg(self.folder.path()).args(args).env("CI", "1").output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    }

    /// Scores by miner.
    fn scores(&self) -> BTreeMap<String, f64> {
        let rankings = fs::read(self.folder.path().join("results/rankings.json")).unwrap();
        let rankings: Value = serde_json::from_slice(&rankings).unwrap();
        let rows = rankings["rankings"].as_array().unwrap();
        rows.iter()
            .map(|row| (row["miner"].as_str().unwrap().into(), row["score"].as_f64().unwrap()))
            .collect()
    }

    /// Checks, runs, and runs again without a new question. Each miner has the score that the README tells.
    fn runs_as_its_readme_says(&self, name: &str) {
        self.agentmill(&["check"]);
        self.agentmill(&["run"]);
        let scores = self.scores();
        let readme = fs::read_to_string(shipped(name).join("README.md")).unwrap();
        for (miner, score) in &scores {
            let line = readme.lines().find(|line| line.contains(&format!("`inbox/{miner}.py`"))).unwrap();
            let told = line.rsplit('|').nth(1).unwrap().split_whitespace().next().unwrap();
            let told: f64 = told.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!((told - score).abs() < 0.005, "{miner}: {score}, and the README says {told}");
        }
        assert_eq!(scores.len(), 3);
        let asked = self.provider.asked().len();
        self.agentmill(&["run", "--force"]);
        assert_eq!((self.scores(), self.provider.asked().len()), (scores, asked));
    }
}

#[test]
fn the_audit() {
    let example = Example::new("audit");
    example.runs_as_its_readme_says("audit");
    assert_eq!(example.provider.asked().len(), 15, "5 of who asks, and 10 of who asks for everything");
}

#[test]
fn the_patch() {
    let example = Example::new("patch");
    let task = fs::read_to_string(shipped("patch/tasks/patch.yaml")).unwrap();
    let source = fs::read_to_string(shipped("patch/tasks/repository/intervals.py")).unwrap();
    let indented =
        source.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("  {line}\n") });
    assert!(task.contains(&indented.collect::<String>()), "the judge's copy of the file is another one");
    example.runs_as_its_readme_says("patch");
    assert_eq!(example.provider.asked().len(), 1);
}
