//! Atom feed of the ranking: an entry for each time somebody's score or submission changed, as `history.csv` tells it.

use std::io;

use csv::Reader;
use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde::{Deserialize, Serialize};

use crate::model::miner_id::Miner;
use crate::pipeline::publish::history;
use crate::util::digest;

/// The most entries that are shown, the newest ones.
const ENTRIES: usize = 100;

/// A line of `history.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Point {
    #[serde(skip_serializing)]
    pub(super) at: Timestamp,
    miner: Miner,
    /// None if it is unscored.
    score: Option<f64>,
    rank: Option<u32>,
    /// All causes, in words; None in the files of an older agentmill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// The part of the history that a reader may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    /// One miner's lines only.
    pub(super) own: Option<Miner>,
    /// False if ranks and scores are not shown: then nothing is told but the feed's title.
    pub(super) shows_ranking: bool,
}

impl View {
    /// Lines that are shown, oldest first.
    pub(super) fn shown<'a>(&self, points: &'a [Point]) -> Vec<&'a Point> {
        points.iter().filter(|point| self.shows(point)).collect()
    }

    fn shows(&self, point: &Point) -> bool {
        self.shows_ranking && self.own.as_ref().is_none_or(|own| point.miner == *own)
    }
}

/// Takes in the bytes of `history.csv`.
pub(super) fn read(bytes: &[u8]) -> io::Result<Vec<Point>> {
    Reader::from_reader(bytes).into_deserialize().map(|line| line.map_err(io::Error::other)).collect()
}

/// Lines of the same time, the newest ones first.
pub(super) fn changes<'a>(shown: &'a [&'a Point]) -> impl Iterator<Item = &'a [&'a Point]> {
    shown.chunk_by(|a, b| a.at == b.at).rev().take(ENTRIES)
}

/// The feed, newest entry first.
pub(super) fn atom(title: Option<&str>, points: &[Point], view: &View) -> io::Result<Vec<u8>> {
    let title = title.unwrap_or("agentmill");
    let shown = view.shown(points);
    let changes: Vec<&[&Point]> = changes(&shown).collect();
    let id = format!("urn:agentmill:{}", &digest::sha256(title.as_bytes())[..16]);
    let updated = changes.first().map_or(Timestamp::UNIX_EPOCH, |change| change[0].at);
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 1);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let feed = xml.create_element("feed").with_attribute(("xmlns", "http://www.w3.org/2005/Atom"));
    feed.write_inner_content(|xml| {
        head(xml, &id, &format!("{title}: ranking"), updated)?;
        xml.create_element("author").write_inner_content(|xml| text(xml, "name", "agentmill"))?;
        let link = xml.create_element("link").with_attribute(("rel", "self"));
        link.with_attribute(("href", "/feed.atom")).write_empty()?;
        changes.iter().try_for_each(|change| entry(xml, &id, change))
    })?;
    Ok(xml.into_inner())
}

fn entry(xml: &mut Writer<Vec<u8>>, feed: &str, change: &[&Point]) -> io::Result<()> {
    let (at, miners) = (change[0].at, change.iter().map(|point| point.miner.as_str()));
    let title = miners.collect::<Vec<_>>().join(", ");
    let lines: Vec<String> = change.iter().map(|point| line(point)).collect();
    xml.create_element("entry").write_inner_content(|xml| {
        head(xml, &format!("{feed}:{at}"), &title, at)?;
        text(xml, "content", &lines.join("\n"))
    })?;
    Ok(())
}

fn line(point: &Point) -> String {
    let miner = &point.miner;
    match (point.rank, point.score) {
        (Some(rank), Some(score)) => format!("{rank}. {miner}: {score}"),
        _ if history::tells_of_leaving(point.cause.as_deref()) => format!("{miner} has left"),
        _ => format!("-. {miner}: unscored"),
    }
}

fn head(xml: &mut Writer<Vec<u8>>, id: &str, title: &str, at: Timestamp) -> io::Result<()> {
    text(xml, "id", id)?;
    text(xml, "title", title)?;
    text(xml, "updated", &at.to_string())
}

fn text(xml: &mut Writer<Vec<u8>>, name: &str, text: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(text)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HISTORY: &str = "at,miner,score,rank,sha256\n\
        2027-03-01T10:00:00Z,ann,50,1,aa\n2027-03-01T10:00:00Z,bo,25.5,2,bb\n2027-03-02T10:00:00Z,bo,,,cc\n";

    fn feed(view: &View) -> String {
        String::from_utf8(atom(Some("C & A"), &read(HISTORY.as_bytes()).unwrap(), view).unwrap()).unwrap()
    }

    fn everything() -> View {
        View { shows_ranking: true, ..View::default() }
    }

    #[test]
    fn changes_of_one_time_are_one_entry_and_the_newest_is_first() {
        let feed = feed(&everything());
        assert_eq!(feed.matches("<entry>").count(), 2);
        let (newest, older) = feed.split_once("</entry>").unwrap();
        assert!(newest.contains("<content>-. bo: unscored</content>"), "{feed}");
        assert!(
            older.contains("<title>ann, bo</title>") && older.contains("1. ann: 50\n2. bo: 25.5"),
            "{feed}"
        );
        assert!(feed.contains("<title>C &amp; A: ranking</title>"));
        assert!(newest.contains("<updated>2027-03-02T10:00:00Z</updated>"));
        let left =
            read(b"at,miner,score,rank,sha256,cause\n2027-03-02T10:00:00Z,bo,,,cc,withdrawal\n").unwrap();
        assert_eq!(line(&left[0]), "bo has left");
    }

    #[test]
    fn nobody_is_told_more_than_they_may_see() {
        let own = View { own: Some("ann".parse().unwrap()), ..everything() };
        assert!(feed(&own).contains("ann: 50") && !feed(&own).contains("bo"));
        let nothing = feed(&View::default());
        assert!(!nothing.contains("<entry>") && nothing.contains("<updated>1970-01-01T00:00:00Z</updated>"));
    }
}
