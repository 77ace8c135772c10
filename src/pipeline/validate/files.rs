//! Files of a submission that has several: each is checked, and may import the others.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::config::Validate;
use crate::model::collected;
use crate::model::joined::{self, AGENT, Part};
use crate::model::miner_id::printable;
use crate::model::python::Library;
use crate::pipeline::validate::{Finding, check_file, text};

/// All that a file may import beside what the pipeline allows.
pub(super) struct Surroundings<'a> {
    /// The modules of the image.
    pub library: &'a Library,
    /// First names of the submission's own modules; None if it is one file.
    pub own: Option<BTreeSet<&'a str>>,
    /// True of the file that tasks ask, where none beside it holds anything: another one may hold no code.
    pub is_agent: bool,
    /// True if the file lies in a package, to which relative imports refer.
    pub in_package: bool,
}

impl<'a> Surroundings<'a> {
    /// Those of an agent that is one file.
    pub(super) fn alone(library: &'a Library) -> Self {
        Self { library, own: None, is_agent: true, in_package: false }
    }
}

/// Checks all files of a joined source.
pub(super) fn check(source: &[u8], rules: &Validate, library: &Library) -> Result<(), Finding> {
    let refuse = |reason: String| Finding::new(None, reason);
    if rules.files < 2 {
        return Err(refuse("is several files in one; this pipeline takes one (validate.files)".to_owned()));
    }
    let parts = joined::parts(source).map_err(refuse)?;
    if parts.len() > rules.files {
        let (found, most) = (parts.len(), rules.files);
        return Err(refuse(format!(
            "has {found} files; this pipeline takes at most {most} (validate.files)"
        )));
    }
    parts.iter().try_for_each(|part| check_name(part, library))?;
    let own = Some(parts.iter().map(Part::module).collect());
    let mut around = Surroundings { own, ..Surroundings::alone(library) };
    // The programs of tasks may be all that there is.
    let is_alone = parts.iter().all(|part| part.path == AGENT || part.content.is_empty());
    parts.iter().try_for_each(|part| {
        around.is_agent = is_alone && part.path == AGENT;
        around.in_package = part.path.contains('/');
        // A package's `__init__.py` mostly is empty.
        match part.content {
            [] if !around.is_agent => Ok(()),
            content => check_file(content, rules, &around).map_err(|finding| finding.of(part.path)),
        }
    })
}

/// Refuses a module that would stand in the place of another.
fn check_name(part: &Part<'_>, library: &Library) -> Result<(), Finding> {
    let (module, path) = (part.module(), printable(part.path.as_bytes()));
    let python = &library.python;
    let reason = match module {
        "agent" if part.path != AGENT => format!("holds {path}, but agent is the name of {AGENT}"),
        // The folder of a task lies there.
        "files" if part.path.contains('/') => format!("holds {path}; a folder of it may not be called files"),
        _ if library.standard.contains(module) => {
            format!("holds {path}, but {module} is a module of Python {python}'s standard library; rename it")
        }
        _ => return Ok(()),
    };
    Err(Finding::new(None, reason))
}

impl Finding {
    /// The finding on one of several files. Lines are the agent's own, so that of another one stands in the reason.
    fn of(mut self, path: &str) -> Self {
        if path != AGENT {
            let line = self.line.take().map_or_else(String::new, |line| format!(", line {line}"));
            self.reason = format!("{}{line}: {}", printable(path.as_bytes()), self.reason);
        }
        self
    }
}

/// Stands between two texts, and in none of Python's.
pub(super) const BORDER: &str = "\0";

/// The text of a source, or the texts of all its files, or those that agentmill has collected in it, one behind the other.
pub(super) fn text_of_all(source: &[u8]) -> Option<Cow<'_, str>> {
    match texts(source)? {
        Texts::One(text) => Some(text),
        Texts::Several(texts) => Some(Cow::Owned(
            texts.into_iter().flat_map(|(_, text)| [text, BORDER.into(), "\n".into()]).collect(),
        )),
    }
}

/// Where each line of [`text_of_all`] stands: its number, behind its file or task where there are several.
pub(super) fn places_of_all(source: &[u8]) -> Vec<String> {
    let places = |(name, text): (Cow<'_, str>, Cow<'_, str>)| {
        let lines = 1..=text.matches('\n').count() + 1;
        lines.map(|line| format!("{name}:{line}")).collect::<Vec<_>>()
    };
    match texts(source) {
        None => Vec::new(),
        Some(Texts::One(text)) => (1..=text.lines().count()).map(|line| line.to_string()).collect(),
        Some(Texts::Several(texts)) => texts.into_iter().flat_map(places).collect(),
    }
}

/// One text or several, as a source has them.
enum Texts<'a> {
    One(Cow<'a, str>),
    /// Each with its file or its task.
    Several(Vec<(Cow<'a, str>, Cow<'a, str>)>),
}

/// None if it is no text.
fn texts(source: &[u8]) -> Option<Texts<'_>> {
    if joined::is_joined(source) {
        let parts = joined::parts(source).ok()?.into_iter();
        let texts = parts.filter_map(|part| Some((part.path.into(), text::decode(part.content).ok()?)));
        return Some(Texts::Several(texts.collect()));
    }
    let text = text::decode(source).ok()?;
    let owned = |(task, text): (String, String)| (task.into(), text.into());
    Some(match collected::sources(&text) {
        Some(sources) => Texts::Several(sources.into_iter().map(owned).collect()),
        None => Texts::One(text),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::model::sampled::{self, TaskSample};
    use crate::pipeline::validate::{self, fingerprints, packed};

    fn joined(files: &[(&str, &str)]) -> Vec<u8> {
        joined::join(files.iter().map(|(path, text)| (*path, text.as_bytes())))
    }

    fn found(files: &[(&str, &str)], rules: &str) -> Option<(Option<u32>, String)> {
        let rules =
            config::parse(Path::new("p"), format!("validate: {{{rules}}}").as_bytes()).unwrap().validate;
        let found = validate::check(&joined(files), &rules, &Library::default()).err()?;
        Some((found.line, found.reason))
    }

    #[test]
    fn files_may_import_each_other_and_hold_nothing() {
        let agent = "import helpers, json\nfrom parts.tree import Tree\nfrom bare import x\n";
        let files = [
            ("agent.py", agent),
            ("helpers.py", "from agent import solve\nfrom parts import tree as t\n"),
            ("parts/__init__.py", ""),
            ("parts/doc.py", "\"Says what they are.\"\n"),
            ("parts/json.py", "from . import tree\nfrom .. import nothing\nimport bare\n"),
            ("parts/tree.py", "from .json import x\n"),
            ("bare/x.py", "# nothing yet\n"),
        ];
        assert_eq!(found(&files, "files: 7"), None);
        assert_eq!(
            found(&files, "files: 6").unwrap().1,
            "has 7 files; this pipeline takes at most 6 (validate.files)"
        );
        let alone = found(&files, "forbid: []").unwrap();
        assert_eq!(
            alone,
            (None, "is several files in one; this pipeline takes one (validate.files)".to_owned())
        );
    }

    #[test]
    fn what_is_wrong_with_one_of_them_is_told_with_its_name() {
        let (plain, rules) = ("x = 1\n", "files: 9, forbid: ['\\beval\\(']");
        for (agent, path, text, line, reason) in [
            ("import helpers\nimport other\n", "helpers.py", "", Some(2), "imports other; only"),
            ("from . import helpers\n", "helpers.py", "", Some(1), "imported by its name alone"),
            ("# nothing\n", "helpers.py", "", None, "contains no code"),
            ("", "helpers.py", "", None, "is empty"),
            (plain, "helpers.py", "x = 1\nimport numpy\n", None, "helpers.py, line 2: imports numpy; only"),
            (plain, "helpers.py", "from .x import y\n", None, "helpers.py, line 1: relative imports"),
            (plain, "parts/tree.py", "x = 1\neval (x)\n", None, "parts/tree.py, line 2: contains what"),
            (plain, "helpers.py", "\u{0}", None, "helpers.py, line 1: contains a NUL"),
            (plain, "json.py", "x = 1\n", None, "holds json.py, but json is a module of Python 3.11's"),
            (plain, "json/x.py", "x = 1\n", None, "holds json/x.py, but json is a module"),
            (plain, "agent/x.py", "x = 1\n", None, "holds agent/x.py, but agent is the name of agent.py"),
            (plain, "files/x.py", "x = 1\n", None, "may not be called files"),
            (plain, "../x.py", "x = 1\n", None, "can't be imported"),
        ] {
            let (at, why) = found(&[("agent.py", agent), (path, text)], rules).unwrap();
            assert!(why.contains(reason), "{why:?} lacks {reason:?}");
            assert_eq!(at, line, "{why}");
        }
        assert_eq!(found(&[("agent.py", plain), ("helpers.py", ""), ("files.py", "x = 1\n")], rules), None);
        assert_eq!(found(&[("agent.py", ""), ("sum.py", "print(5)\n")], rules), None);
    }

    #[test]
    fn fingerprints_and_packing_are_of_all_files() {
        let body = "def f(n):\n    total = 0\n    for i in range(n):\n        if i % 3 and i % 5:\n            total += i * i\n    return total\n";
        // Two small programs beside each other are no more than each of them.
        let [sum, max] =
            ["print(sum(map(int, input().split())))\n", "print(max(map(int, input().split())))\n"];
        let both = fingerprints::all(&joined(&[("agent.py", ""), ("max.py", max), ("sum.py", sum)]));
        assert_eq!(both, [max, sum].map(|text| fingerprints::all(text.as_bytes())).concat());
        let one = fingerprints::of(body.as_bytes());
        let moved =
            fingerprints::of(&joined(&[("agent.py", "from helpers import f\n"), ("helpers.py", body)]));
        assert!(!one.is_empty() && one.iter().all(|print| moved.contains(print)));
        let packed =
            [("agent.py", "import helpers\n"), ("helpers.py", "import zlib\nexec(zlib.decompress(b''))\n")];
        assert!(packed::is_packed(&joined(&packed)));
    }

    #[test]
    fn fingerprints_and_packing_are_of_the_sources_that_agentmill_has_collected() {
        let body = "def f(n):\n    total = 0\n    for i in range(n):\n        if i % 3 and i % 5:\n            total += i * i\n    return total\n".to_owned();
        let agent = |sources: [&str; 2]| {
            let samples = sources.map(|source| TaskSample::new("t", source, source));
            sampled::agent(1, &samples)
        };
        let plain = agent([&body, &body.replace("f(n)", "g(n)")]);
        let one = fingerprints::of(body.as_bytes());
        let moved = fingerprints::of(plain.as_bytes());
        assert!(!one.is_empty() && one.iter().all(|print| moved.contains(print)));
        assert!(!packed::is_packed(plain.as_bytes()));
        let more = agent([&body.repeat(5), &body]) + "exec(SAMPLES['x'])\n";
        assert!(packed::is_packed(more.as_bytes()), "it runs other texts, too");
        let within = agent([&body, "import zlib\nexec(zlib.decompress(b''))\n"]);
        assert!(packed::is_packed(within.as_bytes()), "one of its sources is packed");
        assert_eq!(places_of_all(within.as_bytes())[5], "t:6");
    }
}
