//! `index.html`: one file with everything in it, for eyes.
//!
//! The page is a frame, our style, our script and one block of JSON. What agents and miners wrote
//! stands in that block only; the script puts it on the page as text, and the page's policy lets no
//! other script run and no request leave but the page's question for a newer self.

mod data;
mod for_everybody;
mod refused;
mod stages;
mod texts;

use std::io::{self, Write};
use std::path::Path;

use minijinja::{Value, context};

use crate::pipeline::publish::Published;
use crate::pipeline::publish::history::History;
use crate::pipeline::publish::html::{self, hash};
pub use crate::pipeline::publish::page::for_everybody::for_everybody;
use crate::util::atomic_file::{self, blame};
use crate::util::regular;
use crate::util::text::visible;

/// Name of the page of models, beside this one where models were benchmarked.
pub const MODELS: &str = "models.html";

/// Name of the file.
pub(super) const FILE: &str = "index.html";

/// The field of the page's data that says whether more is to come. No text of others holds it, as a quote in a text has a backslash.
const STILL: &str = ",\"live\":false,";
const LIVE: &str = ",\"live\":true,";

const TEMPLATE: &str = include_str!("page.html");

/// The style of all pages that show figures.
pub const STYLE: &str = concat!(
    include_str!("page.css"),
    include_str!("ranking.css"),
    include_str!("charts.css"),
    include_str!("detail.css")
);

/// One scope for all of them; the last one starts the page.
const SCRIPT: &str = concat!(
    include_str!("core.js"),
    include_str!("roster.js"),
    include_str!("ranking.js"),
    include_str!("map.js"),
    include_str!("charts.js"),
    include_str!("detail.js"),
    include_str!("task.js"),
    include_str!("compare.js"),
    include_str!("main.js")
);

const REWARDS: &str = include_str!("rewards.js");
const NO_REWARDS: &str = include_str!("no_rewards.js");

/// Longest title, in characters.
const LONGEST: usize = 120;

/// Where the data goes: no text that could come up in the frame.
const HERE: &str = "\u{fffc}";

/// Writes the page: the frame up to its data, the data report by report, the frame's end.
pub(super) fn write(
    out: &mut dyn Write,
    results_dir: &Path,
    published: &Published,
    history: &History,
) -> io::Result<()> {
    let script = script(published.token.is_some());
    let context = context! {
        title => published.title.map(|title| visible(title, LONGEST)),
        version => env!("CARGO_PKG_VERSION"),
        style_hash => hash(STYLE),
        script_hash => hash(&script),
        style => Value::from_safe_string(STYLE.into()),
        script => Value::from_safe_string(script.clone()),
        data => Value::from_safe_string(HERE.into()),
    };
    let frame = html::render(TEMPLATE, context)?;
    let (before, after) = frame.split_once(HERE).ok_or_else(|| io::Error::other("the page has no data"))?;
    out.write_all(before.as_bytes())?;
    data::write(out, results_dir, published, history, &hash(&(script + STYLE)))?;
    out.write_all(after.as_bytes())
}

/// Says of a page that more is to come, and changes nothing else of it.
///
/// # Errors
/// It can't be read or written; the message names it.
pub(super) fn enliven(results_dir: &Path) -> io::Result<()> {
    let path = results_dir.join(FILE);
    let page = regular::read_to_string(&path).map_err(|error| blame(&path, &error))?;
    match page.contains(STILL) {
        true => atomic_file::replace(&path, page.replacen(STILL, LIVE, 1).as_bytes()).map(drop),
        false => Ok(()),
    }
}

/// The script of a page that tells of rewards, or of one that says no word of any.
fn script(rewards: bool) -> String {
    ["\"use strict\";\n", if rewards { REWARDS } else { NO_REWARDS }, SCRIPT].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_ours_ends_its_own_element() {
        for text in [STYLE, &script(true), &script(false)] {
            assert!(!text.contains(HERE));
            let lower = text.to_lowercase();
            assert!(!lower.contains("</script") && !lower.contains("</style") && !lower.contains("<!--"));
        }
    }

    #[test]
    fn the_script_makes_no_markup_of_text() {
        for sink in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc"]
        {
            assert!(!script(true).contains(sink), "{sink}");
        }
    }
}
