//! Paging: a part of a list, by `?limit=&offset=`, with links to the other parts.

use axum::extract::Query;
use axum::http::{HeaderValue, Uri};
use serde::Deserialize;

use crate::serve::answer::Failure;

/// The most of a list that a part holds.
const MOST: usize = 1000;

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    limit: usize,
    offset: usize,
}

#[derive(Deserialize)]
struct Wanted {
    limit: Option<u32>,
    offset: Option<u32>,
}

impl Page {
    /// The part that a request asks for; None if it asks for all.
    pub(super) fn of(uri: &Uri) -> Result<Option<Self>, Failure> {
        let wrong = || Failure::bad(format!("expected ?limit=1 to {MOST} and &offset=0 or more"));
        let Query(Wanted { limit, offset }) = Query::try_from_uri(uri).map_err(|_| wrong())?;
        if limit.is_none() && offset.is_none() {
            return Ok(None);
        }
        let limit = limit.map_or(MOST, |limit| limit as usize);
        let page = Self { limit, offset: offset.unwrap_or(0) as usize };
        if (1..=MOST).contains(&limit) { Ok(Some(page)) } else { Err(wrong()) }
    }

    /// Leaves nothing but this part in the list.
    pub(super) fn cut<T>(self, list: &mut Vec<T>) {
        list.drain(..self.offset.min(list.len()));
        list.truncate(self.limit);
    }

    /// Links to the other parts of a list of so many, which begins at its start.
    pub(super) fn links(self, path: &str, total: usize) -> HeaderValue {
        let Self { limit, offset } = self;
        // Where this part begins between those that are counted from 0, so does the last.
        let odd = offset % limit;
        let last = total.saturating_sub(odd + 1) / limit * limit + odd.min(total.saturating_sub(1));
        let before = offset.min(total).saturating_sub(limit);
        let parts = [
            Some(("first", 0)),
            (offset > 0).then_some(("prev", before)),
            (offset + limit < total).then_some(("next", offset + limit)),
            Some(("last", last)),
        ];
        let link = |(name, offset)| format!("<{path}?limit={limit}&offset={offset}>; rel=\"{name}\"");
        let links: Vec<String> = parts.into_iter().flatten().map(link).collect();
        HeaderValue::try_from(links.join(", ")).expect("a path of ours and numbers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Result<Option<Page>, Failure> {
        Page::of(&format!("/rankings{query}").parse().unwrap())
    }

    fn cut(query: &str) -> (Vec<u32>, String) {
        let (page, mut list) = (page(query).unwrap().unwrap(), (0..25).collect());
        page.cut(&mut list);
        (list, page.links("/x", 25).to_str().unwrap().to_owned())
    }

    #[test]
    fn a_list_in_parts() {
        assert_eq!(page("").unwrap(), None);
        assert_eq!(page("?miner=alice").unwrap(), None);
        let (list, links) = cut("?limit=10");
        assert_eq!(list, (0..10).collect::<Vec<_>>());
        assert_eq!(
            links,
            r#"</x?limit=10&offset=0>; rel="first", </x?limit=10&offset=10>; rel="next", </x?limit=10&offset=20>; rel="last""#
        );
        let (list, links) = cut("?offset=20&limit=10");
        assert_eq!(list, (20..25).collect::<Vec<_>>());
        assert!(links.contains(r#"offset=10>; rel="prev""#) && !links.contains("next"), "{links}");
        let (_, links) = cut("?offset=3&limit=10");
        assert!(
            links.contains(r#"offset=13>; rel="next""#) && links.contains(r#"offset=23>; rel="last""#),
            "{links}"
        );
        let (list, links) = cut("?offset=4000000000");
        assert!(list.is_empty() && links.contains(r#"limit=1000&offset=0>; rel="prev""#), "{links}");
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for query in [
            "?limit=0",
            "?limit=1001",
            "?limit=",
            "?limit=-1",
            "?offset=x",
            "?limit=1&limit=2",
            "?offset=9e9",
        ] {
            assert!(page(query).is_err(), "{query}");
        }
    }
}
