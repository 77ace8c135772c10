//! `similar/index.html`: near copies beside their originals, with the lines that match. It holds miners' sources, and is for the
//! organiser only: in a folder that nobody else can open, and neither served nor bundled.

use std::io;
use std::path::Path;

use minijinja::{Value, context};

use crate::model::near_pair::{Lines, NearPair};
use crate::pipeline::publish::html;
use crate::util::text::visible;
use crate::util::{atomic_file, private, regular};

/// Folder below the results.
pub const FOLDER: &str = "similar";

const FILE: &str = "index.html";

const TEMPLATE: &str = include_str!("similar.html");
const STYLE: &str = include_str!("similar.css");

/// Most characters of a line.
const LINE: usize = 160;

/// Writes the page, unless it stands so; nothing where there never was a near copy.
///
/// # Errors
/// It can't be written; the message names it.
pub fn write(results: &Path, pairs: &[NearPair], title: Option<&str>) -> io::Result<()> {
    let folder = results.join(FOLDER);
    let path = folder.join(FILE);
    if pairs.is_empty() && !path.exists() {
        return Ok(());
    }
    let page = page(pairs, title)?;
    if regular::read(&path).is_ok_and(|known| known == page.as_bytes()) {
        return Ok(());
    }
    private::closed(&folder).map_err(|error| atomic_file::blame(&folder, &error))?;
    atomic_file::replace(&path, page.as_bytes()).map(drop)
}

fn page(pairs: &[NearPair], title: Option<&str>) -> io::Result<String> {
    let context = context! {
        title => title.map(|title| visible(title, LINE)),
        style => Value::from_safe_string(STYLE.into()),
        style_hash => html::hash(STYLE),
        pairs => pairs.iter().map(pair).collect::<Vec<_>>(),
    };
    html::render(TEMPLATE, context)
}

fn pair(pair: &NearPair) -> Value {
    let regions: Vec<Value> = pair
        .regions
        .iter()
        .map(|region| {
            let rows = region.left.text.len().max(region.right.text.len());
            (0..rows).map(|at| [side(&region.left, at), side(&region.right, at)].concat()).collect()
        })
        .map(|rows: Vec<Vec<String>>| Value::from(rows))
        .collect();
    context! {
        miner => pair.miner.as_str(),
        original => pair.original.as_str(),
        percent => pair.percent,
        sha256 => pair.sha256.as_str(),
        original_sha256 => pair.original_sha256.as_str(),
        regions,
        more => pair.more,
    }
}

/// Place and text of a line; empty where this side has fewer.
fn side(lines: &Lines, at: usize) -> Vec<String> {
    // Indentation by tabs is no danger here.
    let shown = lines.text.get(at).map(|line| visible(&line.replace('\t', "    "), LINE));
    vec![lines.places.get(at).cloned().unwrap_or_default(), shown.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::model::near_pair::Region;

    fn pairs(text: &str) -> Vec<NearPair> {
        let lines = |first: usize| Lines {
            places: vec![first.to_string(), format!("helpers.py:{first}")],
            text: vec![text.to_owned(), "    return x".to_owned()],
        };
        vec![NearPair {
            miner: "bob".parse().unwrap(),
            sha256: "b".repeat(64),
            original: "ann".parse().unwrap(),
            original_sha256: "a".repeat(64),
            percent: 93,
            regions: vec![Region { left: lines(3), right: lines(7) }],
            more: 2,
        }]
    }

    #[test]
    fn sources_are_text_and_nothing_runs() {
        let text =
            page(&pairs("x = '</code><script>alert(1)</script>' \u{202e}\u{1b}"), Some("<b>")).unwrap();
        assert!(!text.contains("<script") && !text.contains("<b>"), "{text}");
        assert!(text.contains("&lt;script&gt;") && !text.contains('\u{202e}') && !text.contains('\u{1b}'));
        assert!(text.contains("default-src 'none'; style-src 'sha256-"), "{text}");
        assert!(text.contains(r#"<td class="n">helpers.py:7</td>"#), "{text}");
        assert!(text.contains("93 %") && text.contains("2 more regions"), "{text}");
    }

    #[test]
    fn it_is_there_where_there_was_a_near_copy_and_for_the_owner_only() {
        let results = tempfile::tempdir().unwrap();
        let path = results.path().join("similar/index.html");
        write(results.path(), &[], None).unwrap();
        assert!(!path.exists());
        write(results.path(), &pairs("def f(x):"), None).unwrap();
        let mode = path.parent().unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        write(results.path(), &[], None).unwrap();
        assert!(
            std::fs::read_to_string(&path).unwrap().contains("No near copies are ranked now"),
            "the last one has left"
        );
    }
}
