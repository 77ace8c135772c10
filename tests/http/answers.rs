//! Answers of endpoints, in `tests/replies/answers.yaml`: code, or the true reason why there is none.

use serde::Deserialize;

use crate::support::Line::Fails;
use crate::support::{Folder, Model, said};

/// Answers, and what comes of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "ok")]
    status: u16,
    answers: Vec<String>,
    code: i32,
    #[serde(default = "one")]
    requests: usize,
    #[serde(default)]
    says: Vec<String>,
}

const fn ok() -> u16 {
    200
}

const fn one() -> usize {
    1
}

impl Case {
    fn fault(&self) -> Option<String> {
        let model = Model::new(self.answers.iter().map(|body| Fails(self.status, "", body.clone())));
        let folder = Folder::new(&model.pipeline());
        let out = folder.path().join("agent.py");
        let mut command = folder.command(&["generate", "strings/reverse", "--out", out.to_str().unwrap()]);
        // Without an engine, replies are only looked at: what is in question here is what they are.
        let output = command
            .env("TEST_KEY", "none")
            .env("DOCKER_HOST", "unix:///nowhere")
            .env("AGENTMILL_ENGINE", "docker")
            .output()
            .unwrap();
        let (text, requests) = (said(&output), model.requests().len());
        let told = self.says.iter().all(|words| text.contains(words.as_str()));
        let right = output.status.code() == Some(self.code)
            && requests == self.requests
            && told
            && out.exists() == (self.code == 0);
        (!right).then(|| format!("{}: {:?}, {requests} requests:\n{text}", self.name, output.status.code()))
    }
}

#[test]
fn every_answer_is_used_or_told_as_what_it_is() {
    let cases: Vec<Case> = serde_yaml::from_str(include_str!("../replies/answers.yaml")).unwrap();
    assert!(cases.len() >= 22, "some are lost: {}", cases.len());
    let faults: Vec<String> = cases.iter().filter_map(Case::fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
