//! Files that agentmill has written of several sources, each of which stands in one as a text that it runs.

use crate::model::{merged, sampled};

/// The sources in such a file, each with its task; None if the file is not, byte for byte, what is written of them.
#[must_use]
pub fn sources(file: &str) -> Option<Vec<(String, String)>> {
    let merged = || {
        let parts = merged::parts(file).filter(|parts| merged::merge(parts) == file)?;
        Some(parts.into_iter().map(|part| (part.id, part.source)).collect())
    };
    let sampled = || {
        let (number, samples) = sampled::read(file)?;
        let is_same = sampled::agent(number, &samples) == file;
        is_same.then(|| samples.into_iter().map(|sample| (sample.task, sample.source)).collect())
    };
    merged().or_else(sampled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::merged::DraftPart;
    use crate::model::sampled::TaskSample;

    fn files() -> [String; 2] {
        let part = |id: &str, source: &str| DraftPart {
            id: id.to_owned(),
            prompt: format!("do {id}"),
            program: false,
            source: source.to_owned(),
        };
        let sample = |id: &str, source: &str| TaskSample::new(id, &format!("do {id}"), source);
        let (one, other) = ("def f():\n    return '\\n' # é\n", "x = \"\"\"y\"\"\"\n");
        [
            merged::merge(&[part("a", one), part("b/c", other)]),
            sampled::agent(3, &[sample("a", one), sample("b/c", other)]),
        ]
    }

    #[test]
    fn sources_are_read_as_they_were_written() {
        for file in files() {
            let sources = sources(&file).unwrap();
            assert_eq!(sources.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["a", "b/c"]);
            assert_eq!(sources[0].1, "def f():\n    return '\\n' # é\n");
            assert_eq!(sources[1].1, "x = \"\"\"y\"\"\"\n");
        }
    }

    #[test]
    fn a_file_in_which_anything_else_stands_is_no_such_one() {
        for file in files() {
            for (from, to) in [
                ("import sys\n", "import sys, os\n"),
                ("b/c", "b/c\n    exec(x)\n    #"),
                ("\n]\n", "\n, ('', '', False, exec(x))]\n"),
                ("\n}\n", "\n    \"\": exec(x),\n}\n"),
                ("\": \"", "\": exec(x) or \""),
                ("'agent.py'", "'agent.py' + exec(x)"),
            ] {
                let changed = file.replacen(from, to, 1);
                assert!(changed == file || sources(&changed).is_none(), "{changed}");
            }
            assert!(sources(&(file.clone() + "exec(x)\n")).is_none() && sources(&file[1..]).is_none());
        }
    }
}
