//! Reader of a mapping's fields, by name.

use serde::de::DeserializeOwned;
use serde_yaml::Value;

use crate::util::similar::nearest;
use crate::yaml::document::{Field, Kind, Node, complain_of_comma, join};
use crate::yaml::problem::{Log, Position};
use crate::yaml::text::describe;

/// A node, its path, and the log for what is wrong with it.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// Takes the problems.
    pub log: &'a Log,
    /// The node itself.
    pub node: &'a Node,
    /// Such as `stages[1].sandbox`; empty for the whole file.
    pub path: String,
}

impl<'a> Place<'a> {
    /// The whole file.
    #[must_use]
    pub const fn root(log: &'a Log, node: &'a Node) -> Self {
        Self { log, node, path: String::new() }
    }

    /// Remembers a problem with what stands here.
    pub fn complain(&self, message: impl Into<String>) {
        self.log.add(self.node.at, &self.path, message);
    }

    /// True if there is nothing but a name: `field:` or `field: null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self.node.kind, Kind::Scalar(Value::Null))
    }

    /// Reads one value and checks it; problems go to the log.
    pub fn value<T: DeserializeOwned, U>(&self, check: impl FnOnce(T) -> Result<U, String>) -> Option<U> {
        let value = match &self.node.kind {
            Kind::Scalar(value) => value,
            Kind::Sequence(_) => &Value::Sequence(Vec::new()),
            Kind::Mapping(_) => &Value::Mapping(serde_yaml::Mapping::new()),
            Kind::Bad => return None,
        };
        T::deserialize(value)
            .map_err(|error| reword(&choices::<T>(error.to_string()), value))
            .and_then(check)
            .map_err(|message| self.complain(message))
            .ok()
    }

    /// Reads a name: text, or a number as it is written.
    pub fn name(&self) -> Option<String> {
        match (&self.node.kind, &self.node.word) {
            (Kind::Scalar(Value::Number(_)), Some(word)) => Some(word.to_string()),
            _ => self.value(Ok),
        }
    }

    fn mismatch<T>(&self, expected: &str, found: &Kind) -> Option<T> {
        if !matches!(found, Kind::Bad) {
            self.complain(format!("expected {expected}, found {}", found.describe()));
        }
        None
    }

    /// The members of a list.
    #[must_use]
    pub fn items(&self) -> Option<Vec<Self>> {
        let items = match &self.node.kind {
            Kind::Sequence(items) => items,
            Kind::Mapping(_) | Kind::Scalar(_) if !self.is_null() => {
                let found = self.node.kind.describe();
                self.complain(format!("expected a list, found {found}; write each item behind a \"- \""));
                return None;
            }
            other => return self.mismatch("a list", other),
        };
        let item = |(index, node)| Self { log: self.log, node, path: format!("{}[{index}]", self.path) };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The members of a mapping whose names are not known beforehand; null has none.
    #[must_use]
    pub fn entries(&self) -> Option<Vec<(&'a str, Self)>> {
        let fields = match &self.node.kind {
            Kind::Mapping(fields) => fields.as_slice(),
            Kind::Scalar(Value::Null) => &[],
            other => return self.mismatch("a mapping of fields", other),
        };
        let entry = |field: &'a Field| {
            let path = join(&self.path, &field.key);
            (field.key.as_str(), Self { log: self.log, node: &field.value, path })
        };
        Some(fields.iter().map(entry).collect())
    }

    /// The fields of a mapping; null has none.
    #[must_use]
    pub fn fields(&self) -> Option<Reader<'a>> {
        let fields = match &self.node.kind {
            Kind::Mapping(fields) => fields.as_slice(),
            Kind::Scalar(Value::Null) => &[],
            other => return self.mismatch("a mapping of fields", other),
        };
        Some(Reader { log: self.log, at: self.node.at, path: self.path.clone(), fields, known: Vec::new() })
    }
}

/// The fields of one mapping. Ask for each of them, then [`finish`](Reader::finish).
#[derive(Debug)]
pub struct Reader<'a> {
    log: &'a Log,
    at: Position,
    path: String,
    fields: &'a [Field],
    known: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    /// The field `name`.
    pub fn get(&mut self, name: &'static str) -> Option<Place<'a>> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        let field = self.fields.iter().find(|field| field.key == name)?;
        Some(Place { log: self.log, node: &field.value, path: join(&self.path, name) })
    }

    /// The value of a field, or `default` where it is absent or wrong.
    pub fn field<T: DeserializeOwned>(&mut self, name: &'static str, default: T) -> T {
        self.checked(name, default, Ok)
    }

    /// The value of a field that must satisfy `check`, or `default` where it is absent or wrong.
    pub fn checked<T: DeserializeOwned, U>(
        &mut self,
        name: &'static str,
        default: U,
        check: impl FnOnce(T) -> Result<U, String>,
    ) -> U {
        self.get(name).and_then(|place| place.value(check)).unwrap_or(default)
    }

    /// The value of a field that may also be null.
    pub fn optional<T: DeserializeOwned, U>(
        &mut self,
        name: &'static str,
        check: impl FnOnce(T) -> Result<U, String>,
    ) -> Option<U> {
        self.get(name).filter(|place| !place.is_null())?.value(check)
    }

    /// A field that must be there.
    pub fn required(&mut self, name: &'static str) -> Option<Place<'a>> {
        self.required_such_as(name, "")
    }

    /// The same, with an example for whoever has forgotten it.
    pub fn required_such_as(&mut self, name: &'static str, example: &str) -> Option<Place<'a>> {
        let place = self.get(name);
        if place.is_none() {
            let such_as = if example.is_empty() { "" } else { ", such as " };
            self.complain(name, format!("missing{such_as}{example}"));
        }
        place
    }

    /// The fields of a section; none where it is absent, null or wrong.
    pub fn section(&mut self, name: &'static str) -> Self {
        let nothing =
            Self { log: self.log, at: self.at, path: join(&self.path, name), fields: &[], known: Vec::new() };
        self.get(name).and_then(|place| place.fields()).unwrap_or(nothing)
    }

    /// Remembers a problem with the field `name`, at its place or else at the mapping's.
    pub fn complain(&self, name: &str, message: impl Into<String>) {
        let field = self.fields.iter().find(|field| field.key == name);
        let at = field.map_or(self.at, |field| field.value.at);
        self.log.add(at, &join(&self.path, name), message);
    }

    /// True if the field is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.key == name)
    }

    /// The names that were given, in file order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.fields.iter().map(|field| field.key.as_str())
    }

    /// Complains about fields that nobody asked for.
    pub fn finish(self) {
        self.finish_with(|_| None);
    }

    /// The same, with better advice for some of them.
    pub fn finish_with(self, advice: impl Fn(&str) -> Option<String>) {
        for (at, field) in self.fields.iter().enumerate() {
            // Advice on a name takes a comparison with all that there are.
            if self.log.is_full() {
                return;
            }
            let is_known = self.known.contains(&field.key.as_str());
            if !is_known && field.is_bare {
                complain_of_comma(self.log, &self.path, &self.fields[..at]);
            } else if !is_known {
                let advice = advice(&field.key).unwrap_or_else(|| suggest(&field.key, &self.known));
                let message = format!("unknown field; {advice}");
                self.log.add(field.at, &join(&self.path, &field.key), message);
            }
        }
    }
}

/// Every member of a list read and checked.
pub fn list<T: DeserializeOwned, U>(
    place: Option<Place<'_>>,
    check: impl Fn(T) -> Result<U, String>,
) -> Option<Vec<U>> {
    let items = place?.items()?;
    Some(items.iter().filter_map(|item| item.value(&check)).collect())
}

/// The message that names an enum's variants, in place of one that says that text is expected.
fn choices<T: DeserializeOwned>(message: String) -> String {
    if !message.ends_with("expected a Value::Tagged enum") {
        return message;
    }
    let unknown = T::deserialize(&Value::String("?".to_owned()));
    unknown.err().map_or(message, |error| error.to_string())
}

/// serde's words in a person's.
fn reword(message: &str, found: &Value) -> String {
    const SERDE: [&str; 4] = ["invalid type: ", "invalid value: ", "invalid length: ", "unknown variant "];
    if !SERDE.iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    let expected = message.rsplit_once(", expected ").map_or(message, |(_, expected)| expected);
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "text",
        other => other,
    };
    let quote = matches!((expected, found), ("text", Value::Bool(_) | Value::Number(_)));
    let hint = if quote { "; quote it to make it text" } else { "" };
    format!("expected {expected}, found {}{hint}", describe(found))
}

/// `did you mean "memory"?`, or all that would have been valid.
fn suggest(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(name) => format!("did you mean {name:?}?"),
        None => format!("expected one of {}", known.join(", ")),
    }
}
