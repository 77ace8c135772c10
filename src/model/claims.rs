//! Claims: all that an agent answered in a run, kept so that the run can be judged anew without it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::report::Verdict;
use crate::util::digest;

/// Bytes of one run's answers up to which they are kept.
pub const MOST_OF_RUN: usize = 1 << 20;

/// Bytes of all answers of one agent up to which they are kept.
pub const MOST_OF_AGENT: usize = 8 << 20;

/// The claims of one run: a line of a file of claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The run's key, as its report has it.
    pub key: String,
    /// Questions and answers, in their order.
    pub exchanges: Vec<Exchange>,
}

/// A question of a judge, and the agent's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The question, by [`question`].
    pub asked: String,
    /// The answer.
    pub reply: Reply,
}

/// An agent's reply to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Its claim of a value or an exception; unread.
    #[serde(with = "bytes")]
    Claim(Vec<u8>),
    /// The end of a script, written by the supervisor.
    #[serde(with = "bytes")]
    ProgramOutput(Vec<u8>),
    /// A line of a dialogue, or its end.
    #[serde(with = "bytes")]
    Line(Vec<u8>),
    /// None: how the agent ended instead, and the same in words.
    Ended(Verdict, String),
}

impl Reply {
    /// Bytes that it holds.
    pub fn size(&self) -> usize {
        match self {
            Self::Claim(bytes) | Self::ProgramOutput(bytes) | Self::Line(bytes) => bytes.len(),
            Self::Ended(_, how) => how.len(),
        }
    }
}

/// A question in 16 digits: enough to tell that another one is asked.
pub fn question(kind: u8, payload: &[u8]) -> String {
    let mut digits = digest::hex([&[kind][..], payload]);
    digits.truncate(16);
    digits
}

/// The exchanges of a run as they come; given up where they are more than [`MOST_OF_RUN`].
#[derive(Debug, Default)]
pub struct Exchanges {
    kept: Vec<Exchange>,
    size: usize,
}

impl Exchanges {
    /// Adds one. Of a reply that there is no room for nothing is copied.
    pub fn add(&mut self, asked: String, reply: &Reply) {
        self.size = self.size.saturating_add(asked.len() + reply.size());
        if self.size <= MOST_OF_RUN {
            self.kept.push(Exchange { asked, reply: reply.clone() });
        }
    }

    /// Keeps none of this run.
    pub fn give_up(&mut self) {
        (self.kept, self.size) = (Vec::new(), usize::MAX);
    }

    /// All of them, if there was room.
    pub fn whole(self) -> Option<Vec<Exchange>> {
        (self.size <= MOST_OF_RUN).then_some(self.kept)
    }
}

/// Claims of one agent's runs as they come, as many as there is room for.
#[derive(Debug, Default)]
pub struct Collected {
    kept: Vec<Claims>,
    size: usize,
}

impl Collected {
    /// Adds those of a run, unless there is no room for them.
    pub fn add(&mut self, claims: Claims) {
        let size: usize = claims.exchanges.iter().map(|exchange| exchange.reply.size()).sum();
        if self.size + size <= MOST_OF_AGENT {
            self.size += size;
            self.kept.push(claims);
        }
    }

    /// Those that were kept so far.
    pub fn so_far(&self) -> &[Claims] {
        &self.kept
    }

    /// All that were kept.
    pub fn all(self) -> Vec<Claims> {
        self.kept
    }
}

/// Bytes as text where they are UTF-8, as nearly all are; else as base64.
mod bytes {
    use super::{Deserialize, Deserializer, Engine, STANDARD, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Form<Text> {
        Text(Text),
        Base64 { base64: String },
    }

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Form::Text(text).serialize(to),
            Err(_) => Form::<&str>::Base64 { base64: STANDARD.encode(bytes) }.serialize(to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        match Form::<String>::deserialize(from)? {
            Form::Text(text) => Ok(text.into_bytes()),
            Form::Base64 { base64 } => STANDARD.decode(base64).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_come_back_as_they_were_text_or_not() {
        let replies = [
            Reply::Claim(br#"{"value":"h\u00e9"}"#.to_vec()),
            Reply::ProgramOutput(vec![0, 0, 0, 255, b'\n']),
            Reply::Line(Vec::new()),
            Reply::Ended(Verdict::Timeout, "it took too long".into()),
        ];
        let exchanges = replies.map(|reply| Exchange { asked: question(b'C', b"f"), reply });
        let claims = Claims { key: "k".into(), exchanges: exchanges.into() };
        let line = serde_json::to_string(&claims).unwrap();
        assert!(!line.contains('\n'), "{line}");
        assert_eq!(serde_json::from_str::<Claims>(&line).unwrap(), claims);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut exchanges = Exchanges::default();
        let reply = Reply::Claim(vec![b'x'; MOST_OF_RUN / 2]);
        exchanges.add(question(b'C', b"f"), &reply);
        exchanges.add(question(b'C', b"f"), &reply);
        exchanges.add(question(b'C', b"f"), &Reply::Claim(Vec::new()));
        assert_eq!(exchanges.kept.len(), 1, "and the rest was not copied");
        assert_eq!(exchanges.whole(), None);
    }

    #[test]
    fn an_agent_that_talks_too_much_is_kept_in_part() {
        let claims = |size| {
            let exchanges = vec![Exchange { asked: String::new(), reply: Reply::Claim(vec![0; size]) }];
            Claims { key: size.to_string(), exchanges }
        };
        let mut collected = Collected::default();
        [MOST_OF_AGENT - 1, 2, 1].map(claims).into_iter().for_each(|one| collected.add(one));
        assert_eq!(collected.all().len(), 2);
    }

    #[test]
    fn a_question_is_its_kind_and_all_its_bytes() {
        assert_eq!(question(b'C', b"f").len(), 16);
        assert_ne!(question(b'C', b"f"), question(b'S', b"f"));
        assert_ne!(question(b'C', b"f"), question(b'C', b"g"));
    }
}
