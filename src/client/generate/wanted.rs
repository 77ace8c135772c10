//! Wants of a task: the functions that its public tests call, or a program that prints.

use std::sync::LazyLock;

use regex::Regex;

use crate::client::generate::names::{self, Names};
use crate::import::python::is_builtin;
use crate::task::{Form, Task};

/// Demands that a task makes of an agent, as far as its miner can know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Functions and classes that public tests call.
    pub functions: Names,
    /// Functions that the prompt seems to name, where no public test calls one.
    pub hints: Names,
    /// Those of the hints that the prompt calls methods.
    pub methods: Names,
    /// Words of the prompt in lower case, where it hints.
    pub told: Names,
    /// Functions that tests have of agentmill, as far as public tests call them.
    pub helpers: Names,
    /// True if public tests look at what a program prints, or cases do.
    pub program: bool,
}

/// A function's name in a prompt.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(def|class|function|method|[Ii]mplement|[Ww]rite)\s+`?([A-Za-z_]\w*)\s*\(")
        .expect("a constant")
});

/// A class at the top level.
static CLASS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^class\s+([A-Za-z_]\w*)").expect("a constant"));

/// The function that a test looks at what it prints of.
static PRINTING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\boutput_of\(\s*([A-Za-z_]\w*)\s*[,)]").expect("a constant"));

impl Wanted {
    /// The wants of a task.
    #[must_use]
    pub fn of(task: &Task) -> Self {
        let cases = task.has_cases();
        let tests = task.tests.iter().filter(|test| test.public && !matches!(test.form, Form::Case(_)));
        let tests: Vec<String> = tests.map(|test| names::masked(&test.assertion.text)).collect();
        let setup = task.setup.as_ref().map_or_else(String::new, |setup| names::masked(&setup.text));
        let code = tests.join("\n");
        let ours = names::defined(&setup);
        let mut functions: Names = names::called(&code);
        functions.extend(names::called(&setup));
        functions.extend(PRINTING.captures_iter(&code).map(|found| found[1].to_owned()));
        let bound = [ours, names::bound(&setup), names::bound(&code)];
        functions.retain(|name| !bound.iter().any(|names| names.contains(name)));
        let helpers: Names = functions.iter().filter(|name| is_helper(name, task)).cloned().collect();
        functions.retain(|name| !helpers.contains(name));
        let mentioned = names::mentioned(&code);
        let program = cases || ["output", "agent"].iter().any(|name| mentioned.contains(*name));
        let mut wanted = Self { functions, helpers, program, ..Self::default() };
        if wanted.functions.is_empty() && !program {
            let named = || NAMED.captures_iter(&task.prompt);
            wanted.hints = named().map(|found| found[2].to_owned()).collect();
            wanted.methods = named().filter(|it| &it[1] == "method").map(|it| it[2].to_owned()).collect();
            wanted.told = names::mentioned(&task.prompt.to_lowercase());
        }
        wanted
    }

    /// Names by which a block of code is known to be the asked one.
    pub(super) fn sought(&self) -> &Names {
        if self.functions.is_empty() { &self.hints } else { &self.functions }
    }

    /// The names that the prompt asks for, if a source makes none of them at its top level, or as methods where the prompt tells of
    /// methods or of their class: a guess, for where no public test tells.
    #[must_use]
    pub fn ignored(&self, source: &str) -> Vec<String> {
        let code = names::masked(source);
        let (defined, bound) = (names::defined(&code), names::bound(&code));
        let has_told_class =
            CLASS.captures_iter(&code).any(|found| self.told.contains(&found[1].to_lowercase()));
        let is_method =
            |name: &String| bound.contains(name) && (has_told_class || self.methods.contains(name));
        let is_made =
            self.hints.iter().any(|name| defined.contains(name) || is_method(name) || is_builtin(name));
        if is_made || names::is_dynamic(&code) { Vec::new() } else { self.hints.iter().cloned().collect() }
    }

    /// The called functions that a source does not define.
    #[must_use]
    pub fn lacking(&self, source: &str) -> Vec<String> {
        let code = names::masked(source);
        let defined = names::defined(&code);
        let lacking = self.functions.iter().filter(|name| !defined.contains(*name));
        if names::is_dynamic(&code) { Vec::new() } else { lacking.cloned().collect() }
    }
}

/// Helpers of all tests; `raises` is none that an agent can be asked for.
const HELPERS: [&str; 3] = ["approx", "output_of", "ask_model"];

/// Helpers of tasks with scores.
const HELPERS_OF_SCORES: [&str; 5] = ["same_tokens", "matches", "precision", "recall", "f1"];

/// True if tests have a function of this name, and the prompt does not ask for one.
fn is_helper(name: &str, task: &Task) -> bool {
    let has_scores = task.tests.iter().any(|test| test.form == Form::Score);
    let is_ours = HELPERS.contains(&name) || has_scores && HELPERS_OF_SCORES.contains(&name);
    is_ours && !NAMED.captures_iter(&task.prompt).any(|found| &found[2] == name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn wanted(text: &str) -> Wanted {
        Wanted::of(&crate::task::parse(Path::new("t.yaml"), text.as_bytes()).unwrap())
    }

    #[track_caller]
    fn calls(task: &str, functions: &[&str], program: bool) {
        let wanted = wanted(task);
        assert_eq!(wanted.functions.iter().map(String::as_str).collect::<Vec<_>>(), functions);
        assert_eq!(wanted.program, program);
    }

    #[test]
    fn the_helpers_of_scores_are_those_that_tests_have() {
        let scores = include_str!("../../sandbox/guest/judge/scores.py");
        let (_, all) = scores.split_once("(*map(choosing, (min, max)), approx, ").unwrap();
        let named: Vec<&str> = all.split_once(')').unwrap().0.split(", ").collect();
        assert_eq!(named, HELPERS_OF_SCORES);
    }

    #[test]
    fn public_tests_say_what_is_wanted() {
        calls("prompt: p\ntests: [{score: 'f1(tags(1), [2])', public: true}]", &["tags"], false);
        calls("prompt: p\ntests: [{assert: 'approx(mean([1, 2]), 1.5)', public: true}]", &["mean"], false);
        calls("prompt: p\ntests: [{assert: 'f1(1) == 2', public: true}]", &["f1"], false);
        calls(
            "prompt: 'Write def approx(x).'\ntests: [{assert: 'approx(1) == 2', public: true}]",
            &["approx"],
            false,
        );
        let printed =
            "prompt: p\ntests: [{score: 'float(same_tokens(output_of(say, [1]), \"1\"))', public: true}]";
        calls(printed, &["say"], false);
        calls(
            "prompt: p\ntests: [{assert: 'sorted(f(1)) == [g(x) for x in y]', public: true}]",
            &["f", "g"],
            false,
        );
        calls(
            "prompt: p\ntests: [{assert: 'h(1) == 1'}, {assert: \"'f(1)' in output\", public: true}]",
            &[],
            true,
        );
        calls("prompt: p\ntests: [{assert: 'agent.run(\"1\").stdout == \"2\"', public: true}]", &[], true);
        calls(
            "prompt: p\nsetup: |\n  from math import isclose\n  def ok(x): return isclose(g(x), 1)\n\
             tests: [{assert: 'ok(f(1)) and isclose(f(2), 2)', public: true}]",
            &["f", "g"],
            false,
        );
        calls(
            "prompt: p\ntests: [{assert: \"s = Stack()\\ns.push(1)\\nassert s.pop() == 1\", public: true}]",
            &["Stack"],
            false,
        );
    }

    #[test]
    fn cases_are_for_programs() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sum")).unwrap();
        std::fs::write(folder.path().join("sum/1.in"), "1 2").unwrap();
        std::fs::write(folder.path().join("sum/1.out"), "3").unwrap();
        let yaml = b"prompt: Print the sum (of all)\ncases: sum";
        let task = crate::task::parse(&folder.path().join("t.yaml"), yaml).unwrap();
        let wanted = Wanted::of(&task);
        assert!(wanted.program && wanted.functions.is_empty() && wanted.hints.is_empty());
    }

    #[test]
    fn a_prompt_hints_where_no_test_is_public() {
        let wanted = wanted("prompt: Implement a function f(x), or `class Node(Base)`\ntests: [f(1) == 1]");
        assert_eq!(wanted.hints.iter().map(String::as_str).collect::<Vec<_>>(), ["Node", "f"]);
        assert!(wanted.functions.is_empty() && wanted.lacking("x = 1").is_empty());
    }

    #[test]
    fn a_source_ignores_the_prompt_that_makes_none_of_its_names() {
        let ignored = |prompt: &str, source: &str| {
            let yaml = format!("prompt: {prompt}\ntests: [f(1) == 1]");
            !wanted(&yaml).ignored(source).is_empty()
        };
        let roman = "\"Implement a function roman(n: int) -> str\"";
        assert!(ignored(roman, "def to_roman(n):\n    return 'I'\n"));
        assert!(ignored(roman, "class Solution:\n    def roman(self, n): return 'I'\n"));
        assert!(ignored(roman, "def outer():\n    def roman(n): return 'I'\n"));
        for (prompt, source) in [
            (roman, "def roman(n): pass\n"),
            (roman, "from codes import to_roman as roman\n"),
            (roman, "globals()['roman'] = 1\n"),
            ("A stack with a method push(x)", "class Pile:\n    def push(self, x): pass\n"),
            ("Implement push(x) of the class Stack", "class Stack:\n    def push(self, x): pass\n"),
            ("Write print(1) twice", "print(1)\nprint(1)\n"),
            ("Print the sum", "print(1)\n"),
        ] {
            assert!(!ignored(prompt, source), "{prompt}: {source}");
        }
    }

    #[test]
    fn a_source_lacks_what_it_does_not_define() {
        let wanted = wanted("prompt: p\ntests: [{assert: 'f(1) == g(2)', public: true}]");
        assert_eq!(wanted.lacking("def f(): pass\n"), ["g"]);
        assert_eq!(wanted.lacking("class A:\n    def g(self): pass\ndef f(): pass\n"), ["g"]);
        for whole in ["def f(): pass\ng = f\n", "from math import sin as f, cos as g\n", "exec(CODE)\n"] {
            assert!(wanted.lacking(whole).is_empty(), "{whole}");
        }
    }
}
