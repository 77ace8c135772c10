//! Several solutions -> one agent.py that serves all their tasks.
//!
//! Every solution keeps a namespace of its own, so that helpers of the same name don't meet: its source stands in the
//! file as text, which the file runs as a module. Its public names become the file's; of two the first counts.

use crate::model::literal::{literal, read};

/// One task's solution, or what the miner had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftPart {
    /// The task's id; empty for a file that was there before.
    pub id: String,
    /// Its prompt, by which `--task` chooses.
    pub prompt: String,
    /// True if it is a program, which may be run without `--task`, too.
    pub program: bool,
    /// The source.
    pub source: String,
}

const HEAD: &str = "\
# One section per task, each a module of its own: helpers of the same name don't meet.
import os
import sys
import types

SECTIONS = [
";

const FOOT: &str = "\
]


def _load(name, source, home):
    module = types.ModuleType(home)
    sys.modules[home] = module
    exec(compile(source, (name or 'before') + '.py', 'exec'), module.__dict__)
    return module


def _is_of(module, name, value):
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return value.__module__ == module.__name__ or value.__name__ != name
    return not isinstance(value, types.ModuleType)


def _modules():
    for number, (name, _prompt, _program, source) in enumerate(SECTIONS):
        try:
            yield _load(name, source, '_section_%d' % number)
        except Exception as error:
            print(name + ':', error, file=sys.stderr)


def _offer(modules):
    names = [(module, *item) for module in modules for item in vars(module).items()]
    for module, key, value in sorted(names, key=lambda name: not callable(name[2])):
        if not key.startswith('_') and _is_of(module, key, value):
            globals().setdefault(key, value)


def _main(argv):
    prompt = argv[argv.index('--task') + 1].strip() if '--task' in argv[:-1] else None
    task = os.environ.get('AGENTMILL_TASK')
    asked = [section for section in SECTIONS if task == section[0] or prompt == section[1].strip()]
    programs = [section for section in SECTIONS if section[2]]
    for name, _prompt, _program, source in asked or programs:
        _load(name, source, '__main__')
        return
    sys.exit('no section answers this task')


if __name__ == '__main__':
    _main(sys.argv)
else:
    _offer(list(_modules()))
";

/// How the line begins and ends that names a part's task.
const NAMED: [&str; 2] = ["# ---- ", " ----"];

/// The file. A single part stays as it is, below a line that names its task.
#[must_use]
pub fn merge(parts: &[DraftPart]) -> String {
    if let [only] = parts {
        let is_named = !only.id.is_empty() && !only.id.contains(char::is_control);
        let head = if is_named { format!("{}\n", NAMED.join(&only.id)) } else { String::new() };
        return head + &only.source;
    }
    let sections: String = parts.iter().map(section).collect();
    format!("{HEAD}{sections}{FOOT}")
}

fn section(part: &DraftPart) -> String {
    let [id, prompt, source] = [&part.id, &part.prompt, &part.source].map(|text| literal(text));
    let program = if part.program { "True" } else { "False" };
    format!("    # ---- {} ----\n    ({id}, {prompt}, {program}, {source}),\n", part.id.escape_default())
}

/// The task that a file of a single part names, and its source.
#[must_use]
pub fn single(file: &str) -> Option<(&str, &str)> {
    let (first, source) = file.split_once('\n')?;
    Some((first.strip_prefix(NAMED[0])?.strip_suffix(NAMED[1])?, source))
}

/// The parts of a merged file; None if the file is no such one.
#[must_use]
pub fn parts(file: &str) -> Option<Vec<DraftPart>> {
    let mut rest = file.strip_prefix(HEAD)?;
    let mut parts = Vec::new();
    while rest != FOOT {
        let (_, section) = rest.strip_prefix("    # ---- ")?.split_once("\n    (")?;
        let (id, section) = read(section)?;
        let (prompt, section) = read(section.strip_prefix(", ")?)?;
        let (program, section) = section.strip_prefix(", ")?.split_once(", ")?;
        let (source, section) = read(section)?;
        parts.push(DraftPart { id, prompt, program: program == "True", source });
        rest = section.strip_prefix("),\n")?;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: &str, source: &str) -> DraftPart {
        let prompt = format!("do {id}\nwell, 'yes'");
        DraftPart { id: id.into(), prompt, program: id == "b/c", source: source.into() }
    }

    #[test]
    fn one_part_is_the_file() {
        let file = merge(&[part("a", "x = 1\n")]);
        assert_eq!((file.as_str(), single(&file)), ("# ---- a ----\nx = 1\n", Some(("a", "x = 1\n"))));
        assert_eq!(merge(&[part("", "x = 1\n")]), "x = 1\n");
        assert_eq!((merge(&[part("a\nb", "x\n")]).as_str(), single("x = 1\n")), ("x\n", None));
    }

    proptest::proptest! {
        #[test]
        fn what_was_merged_is_found_again(sources in proptest::collection::vec("[ -~\n\t'\\\\é]{0,40}", 2..5)) {
            let all: Vec<DraftPart> = sources.iter().map(|source| part("b/c", source)).collect();
            assert_eq!(parts(&merge(&all)), Some(all));
        }
    }

    #[test]
    fn other_files_have_no_parts() {
        let merged = merge(&[part("a", "x\n"), part("b", "y\n")]);
        for other in ["", "x = 1\n", HEAD, &merged[..merged.len() - 1], &merged.replace("True", "1 + ")] {
            let known = if other == merged { Some(2) } else { None };
            assert_eq!(parts(other).map(|parts| parts.len()), known);
        }
    }
}
