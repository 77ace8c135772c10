//! Several solutions -> one agent.py that serves all their tasks.
//!
//! Every solution keeps a namespace of its own, so that helpers of the same name don't meet: its source stands in the
//! file as text, which the file runs as a module. Its public functions and classes become the file's.

/// One task's solution.
#[derive(Debug, Clone)]
pub struct Part {
    /// The task's id.
    pub id: String,
    /// Its prompt, by which `--task` chooses.
    pub prompt: String,
    /// The source.
    pub source: String,
}

const HEAD: &str = "\
# One section per task, each a module of its own: helpers of the same name don't meet.
import sys
import types

SECTIONS = [
";

const FOOT: &str = "\
]


def _load(name, source, home):
    module = types.ModuleType(home)
    sys.modules[home] = module
    exec(compile(source, name + '.py', 'exec'), module.__dict__)
    return module


def _offer(number, name, source):
    try:
        module = _load(name, source, '_section_%d' % number)
    except Exception as error:
        print(name + ':', error, file=sys.stderr)
        return
    for key, value in vars(module).items():
        if callable(value) and not key.startswith('_') and getattr(value, '__module__', None) == module.__name__:
            globals().setdefault(key, value)


def _main(argv):
    prompt = argv[argv.index('--task') + 1].strip() if '--task' in argv[:-1] else None
    for name, asked, source in SECTIONS:
        if prompt == asked.strip():
            _load(name, source, '__main__')
            return
    sys.exit('no section answers this task')


if __name__ == '__main__':
    _main(sys.argv)
else:
    for _number, (_name, _asked, _source) in enumerate(SECTIONS):
        _offer(_number, _name, _source)
";

/// The file. A single part stays as it is.
#[must_use]
pub fn merge(parts: &[Part]) -> String {
    if let [only] = parts {
        return only.source.clone();
    }
    let sections: String = parts.iter().map(section).collect();
    format!("{HEAD}{sections}{FOOT}")
}

fn section(part: &Part) -> String {
    let [id, prompt, source] = [&part.id, &part.prompt, &part.source].map(|text| literal(text));
    format!("    # ---- {} ----\n    ({id}, {prompt}, {source}),\n", part.id.escape_default())
}

/// Python's literal for a text: readable where lines and backslashes allow it.
fn literal(text: &str) -> String {
    let plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    if text.contains('\n')
        && text.chars().all(plain)
        && !text.contains("'''")
        && !text.ends_with(['\'', '\\'])
    {
        // Raw: backslashes stay as they are. The first line break is skipped by cutting it off.
        return format!("r'''\n{text}'''[1:]");
    }
    let escaped: String = text.chars().map(escape).collect();
    format!("'{escaped}'")
}

fn escape(c: char) -> String {
    match c {
        '\\' => "\\\\".to_owned(),
        '\'' => "\\'".to_owned(),
        '\n' => "\\n".to_owned(),
        c if c.is_control() => format!("\\x{:02x}", u32::from(c)),
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_is_the_file() {
        let part = Part { id: "a".into(), prompt: "p".into(), source: "x = 1\n".into() };
        assert_eq!(merge(&[part]), "x = 1\n");
    }

    #[test]
    fn literals() {
        assert_eq!(literal("a'b\\"), "'a\\'b\\\\'");
        assert_eq!(literal("x = '\\n'\n"), "r'''\nx = '\\n'\n'''[1:]");
        assert_eq!(literal("'''\n"), "'\\'\\'\\'\\n'");
        assert_eq!(literal("\u{85}\0"), "'\\x85\\x00'");
    }

    #[test]
    fn the_platform_takes_what_is_merged() {
        let part = |id: &str, source: &str| Part {
            id: id.into(),
            prompt: format!("do {id}\nwell"),
            source: source.into(),
        };
        let merged = merge(&[
            part("a", "import os\n\ndef a():\n    '''d'''\n    return 1\n"),
            part("b/c", "def b(): pass\n"),
        ]);
        crate::pipeline::validate::scan(merged.as_bytes(), &[]).unwrap();
        assert!(merged.contains("def b(): pass"));
    }
}
