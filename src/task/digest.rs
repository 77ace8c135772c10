//! Task digests: over all that decides a run or a score, without comments and places.

use serde_json::{Value, json};

use crate::task::{Form, Task, Test};
use crate::util::digest::{Writer, hex};

impl Task {
    /// SHA-256 of all that decides an agent's score on it: what decides a run, its bounds and its weight.
    pub fn whole_digest(&self) -> String {
        // Field by field, so that a new one can't be forgotten.
        let Self {
            known_digest: _,
            id,
            path: _,
            prompt: _,
            setup: _,
            tests: _,
            weight,
            timeout,
            memory,
            output,
            value: _,
            may_exit: _,
            solution: _,
            files: _,
        } = self;
        let rest = format!("{weight} {timeout:?} {memory:?} {output:?}");
        hex([id.as_bytes(), self.digest().as_bytes(), rest.as_bytes()])
    }

    /// SHA-256 of what decides a run within given bounds: all that the file says but comments and places.
    pub fn digest(&self) -> String {
        self.known_digest.get_or_init(|| self.made_digest()).clone()
    }

    fn made_digest(&self) -> String {
        // Whatever decides a verdict belongs here: a run is made again only if this changes.
        let mut digest = Writer::default();
        let setup = self.setup.as_ref().map(|code| &code.text);
        // A part at a time: all cases together may be a long text.
        let files = self.files.iter().map(|folder| json!({ "files": folder.sha256 }));
        let head = std::iter::once(json!([self.prompt, setup, self.value])).chain(files);
        // Programs are told the id of their task.
        let head = head.chain(self.has_cases().then(|| json!({ "id": self.id })));
        let head = head.chain((!self.may_exit).then(|| json!({ "may_exit": false })));
        let parts = head.chain(self.tests.iter().map(test));
        parts.for_each(|part| serde_json::to_writer(&mut digest, &part).expect("a digest takes it"));
        digest.hex()
    }
}

fn test(test: &Test) -> Value {
    let Test { name, assertion, form, weight, public, timeout, place: _ } = test;
    json!([
        name,
        assertion.text,
        self::form(form),
        weight,
        public,
        timeout.map(|time| time.as_nanos() as u64)
    ])
}

fn form(form: &Form) -> Value {
    match form {
        Form::Statement => json!("statement"),
        Form::AssertField => json!("assert_field"),
        Form::Score => json!("score"),
        Form::Case(case) => case.key(),
    }
}
