//! The page for everybody, where the board is public: all scores, and no text that a run brought.
//!
//! Messages and stderr are for the agent's miner and the organiser. They are taken out of the page that was written, so that none is
//! shown by one of an older agentmill, of before a freeze, or of before the board was made public.

use std::collections::BTreeMap;
use std::io;

use serde_json::value::RawValue;

/// Where the data begins, and where it ends.
const DATA: &str = "id=\"data\">";
const END: &str = "</script>";

/// The page without any agent's messages and stderr. One without data is left as it is.
///
/// # Errors
/// Its data can't be read.
pub fn for_everybody(page: Vec<u8>) -> io::Result<Vec<u8>> {
    let page = String::from_utf8(page).map_err(io::Error::other)?;
    let Some((before, rest)) = page.split_once(DATA) else { return Ok(page.into_bytes()) };
    let (data, after) = rest.split_once(END).ok_or_else(|| io::Error::other("the page's data has no end"))?;
    let mut data: BTreeMap<&str, &RawValue> = serde_json::from_str(data)?;
    data.insert("texts", serde_json::from_str("[]")?);
    data.insert("withheld", serde_json::from_str("true")?);
    Ok([before, DATA, &serde_json::to_string(&data)?, END, after].concat().into_bytes())
}
