//! Parser: text becomes a tree of nodes that know their place.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use serde_yaml::Value;

use crate::yaml::file;
use crate::yaml::problem::{Log, Position};
use crate::yaml::surrogates;
use crate::yaml::text::{describe, excerpt};

/// Deeper nesting than any sensible file has.
const MAX_DEPTH: usize = 32;

const TAG: &str = "tags (!name) are not supported; text that starts with ! must be quoted";
const ANCHOR: &str = "anchors (&name) are not supported; text that starts with & must be quoted";
const ALIAS: &str = "aliases (*name) are not supported; text that starts with * must be quoted";

const TAB: &str = "not valid YAML: this line is indented by a tab; use spaces";

const SHORT: &str = "not valid YAML: a test with fields below it begins with `- assert: `, with a colon";

const BELOW: &str = "not valid YAML: fields stand below one that has a value; indent them as it is, remove one or the other, or put a text below a |";
const COLON: &str = "not valid YAML: there is no colon behind the field's name; write name: value";

const COMMA: &str = "a comma ends a value in {...}: put the whole text in quotes, or a list in [...]";

const BRACKET: &str = "not valid YAML: text that begins with [ or { and goes on behind ] or } must be quoted or stand below a |";

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Position of its first character.
    pub at: Position,
    /// The line of the text's first line, which in the block scalars `|` and `>` may be blank.
    pub text_line: usize,
    /// The value itself.
    pub kind: Kind,
    /// The characters of an unquoted word that is no text, such as `01`: its value is 1, its name is not.
    pub word: Option<Box<str>>,
}

/// Contents of a node.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Null, a boolean, a number or text; nothing else.
    Scalar(Value),
    /// A list.
    Sequence(Vec<Node>),
    /// Fields in file order; every key once.
    Mapping(Vec<Field>),
    /// Complained about already.
    Bad,
}

/// A field of a mapping.
#[derive(Debug, Clone)]
pub struct Field {
    /// The field's name.
    pub key: String,
    /// Position of the name.
    pub at: Position,
    /// The field's value.
    pub value: Node,
    /// True of a name without a value behind a comma of `{...}`, as what a comma cuts off a text looks like.
    pub is_bare: bool,
}

/// The one document in `bytes`; an empty file is a null node.
///
/// Names given twice, keys that are no text, tags, aliases and further documents are problems in `log`; `None` means
/// that the file could not be read to its end.
pub fn parse(log: &Log, bytes: &[u8]) -> Option<Node> {
    let text = file::text(log, bytes)?;
    let end = file::end_of(text.trim_end());
    let text = &*surrogates::mended(text);
    let characters = OnceCell::new();
    let mut builder =
        Builder { log, text, characters, stack: Vec::new(), root: None, documents: 0, end, ended: 0 };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| builder.refuse_syntax(text, &error)).ok()?;
        builder.event(event, span)?;
    }
    Some(
        builder.root.unwrap_or_else(|| Node::new(Position { line: 1, column: 1 }, Kind::Scalar(Value::Null))),
    )
}

impl Node {
    const fn new(at: Position, kind: Kind) -> Self {
        Self { at, text_line: at.line, kind, word: None }
    }
}

/// A list or mapping that has not ended yet.
struct Open {
    node: Node,
    /// Characters before it.
    index: usize,
    /// In a mapping: the key whose value comes next.
    key: Option<Key>,
    /// In a mapping: the line of each name.
    lines: HashMap<String, usize>,
}

/// A key that waits for its value.
enum Key {
    Name(String, Position),
    /// Complained about already; its value is dropped.
    Bad,
}

struct Builder<'a> {
    log: &'a Log,
    text: &'a str,
    /// Characters of the text, once they are asked for.
    characters: OnceCell<Vec<char>>,
    stack: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    /// Behind the last text: what is missing is missing here, not lines below.
    end: Position,
    /// Characters up to the end of the last scalar.
    ended: usize,
}

impl Builder<'_> {
    /// Takes the next event; `None` when there is no sense in going on.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let at = position(&span.start).min(self.end);
        match event {
            Event::DocumentStart(_) => self.document(at)?,
            Event::Scalar(text, style, anchor, tag) => match unsupported(anchor, tag.is_some()) {
                Some(message) => self.refuse(at, message),
                None => {
                    self.ended = span.end.index();
                    self.attach(scalar(at, &text, style));
                }
            },
            Event::Alias(_) => self.refuse(at, ALIAS),
            Event::SequenceStart(anchor, tag) => {
                let kind = Kind::Sequence(Vec::new());
                self.open(at, span.start.index(), kind, unsupported(anchor, tag.is_some()))?;
            }
            Event::MappingStart(anchor, tag) => {
                let kind = Kind::Mapping(Vec::new());
                self.open(at, span.start.index(), kind, unsupported(anchor, tag.is_some()))?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.stack.pop()?;
                self.attach(open.node);
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Some(())
    }

    fn document(&mut self, at: Position) -> Option<()> {
        self.documents += 1;
        if self.documents == 1 {
            return Some(());
        }
        self.log.add(at, "", "a second document starts here; a file holds only one");
        None
    }

    fn open(&mut self, at: Position, index: usize, kind: Kind, unsupported: Option<&str>) -> Option<()> {
        if let Some(message) = unsupported {
            self.add(at, message);
        }
        if self.stack.len() >= MAX_DEPTH {
            self.log.add(at, "", format!("nested more than {MAX_DEPTH} levels deep"));
            return None;
        }
        self.stack.push(Open { node: Node::new(at, kind), index, key: None, lines: HashMap::new() });
        Some(())
    }

    /// Complains of what is no YAML. The scanner stumbles behind a tab, a missing colon and a short test: these are told at their places.
    fn refuse_syntax(&self, text: &str, error: &ScanError) {
        let at = position(error.marker()).min(self.end);
        let tab = indenting_tab(text, at.line, error.info()).map(|tab| (tab, TAB));
        let short = short_test(text, at.line, error.info()).map(|at| (at, SHORT));
        let told =
            tab.or(short).or_else(|| fields_below_value(text, at.line, error.info()).map(|at| (at, BELOW)));
        match told.or_else(|| lacking_colon(text, at.line).map(|name| (name, COLON))) {
            Some((place, reason)) => self.log.add(place, "", reason),
            None if goes_on_behind_bracket(text, at) => self.log.add(at, "", BRACKET),
            None => self.log.add(at, "", syntax(error)),
        }
    }

    /// Complains, and goes on with a value that nobody else complains about.
    fn refuse(&mut self, at: Position, message: &str) {
        self.add(at, message);
        self.attach(Node::new(at, Kind::Bad));
    }

    /// Puts a finished node where it belongs.
    fn attach(&mut self, node: Node) {
        let is_null = matches!(node.kind, Kind::Scalar(Value::Null));
        let is_bare = is_null && self.is_cut_off();
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        match (&mut open.node.kind, open.key.take()) {
            (Kind::Sequence(items), _) => items.push(node),
            (Kind::Mapping(fields), Some(Key::Name(key, at))) => {
                fields.push(Field { key, at, value: node, is_bare });
            }
            (Kind::Mapping(_), Some(Key::Bad)) | (Kind::Scalar(_) | Kind::Bad, _) => {}
            (Kind::Mapping(_), None) => {
                let key = self.key(node);
                if let Some(open) = self.stack.last_mut() {
                    open.key = Some(key);
                }
            }
        }
    }

    /// Checks a key of the innermost mapping.
    fn key(&mut self, node: Node) -> Key {
        let name = match node.kind {
            Kind::Scalar(Value::String(name)) => name,
            Kind::Bad => return Key::Bad,
            Kind::Scalar(_) => {
                match self.stack.last().map(|open| &open.node.kind) {
                    Some(Kind::Mapping(fields)) if self.is_cut_off() && !self.has_colon() => {
                        complain_of_comma(self.log, &self.path(), fields);
                    }
                    _ => self.add(node.at, "a field's name must be text: put it in quotes"),
                }
                return Key::Bad;
            }
            _ => {
                self.add(node.at, "a field's name must be text");
                return Key::Bad;
            }
        };
        let Some(line) = self.first_line(&name, node.at.line) else {
            return Key::Name(name, node.at);
        };
        let field = join(&self.path(), &name);
        self.log.add(node.at, &field, format!("given twice; first on line {line}"));
        Key::Bad
    }

    /// True if a colon stands behind the last scalar, which it makes a field's name.
    fn has_colon(&self) -> bool {
        let behind = self.characters().get(self.ended..).unwrap_or_default();
        behind.iter().find(|c| !matches!(c, ' ' | '\t')) == Some(&':')
    }

    /// True if what comes next in the innermost mapping may have been cut off the value before it by a comma of `{...}`.
    fn is_cut_off(&self) -> bool {
        let Some(Open { node: Node { kind: Kind::Mapping(fields), .. }, index, .. }) = self.stack.last()
        else {
            return false;
        };
        fields.iter().any(|field| !field.is_bare) && self.characters().get(*index) == Some(&'{')
    }

    fn characters(&self) -> &[char] {
        self.characters.get_or_init(|| self.text.chars().collect())
    }

    /// The line on which the innermost mapping has had `name` before.
    fn first_line(&mut self, name: &str, line: usize) -> Option<usize> {
        match self.stack.last_mut()?.lines.entry(name.to_owned()) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(vacant) => {
                vacant.insert(line);
                None
            }
        }
    }

    fn add(&self, at: Position, message: &str) {
        self.log.add(at, &self.path(), message);
    }

    /// The path of what is being read, such as `stages[1].sandbox`.
    fn path(&self) -> String {
        self.stack.iter().fold(String::new(), |path, open| match (&open.node.kind, &open.key) {
            (Kind::Sequence(items), _) => format!("{path}[{}]", items.len()),
            (_, Some(Key::Name(key, _))) => join(&path, key),
            _ => path,
        })
    }
}

/// Complains of the comma in the value of the last of these fields that has one; once, however many commas there are.
pub(super) fn complain_of_comma(log: &Log, path: &str, fields: &[Field]) {
    if let Some(field) = fields.iter().rfind(|field| !field.is_bare) {
        log.add(field.value.at, &join(path, &field.key), COMMA);
    }
}

/// `path.name`; a name that could be anything is shortened and quoted.
pub(super) fn join(path: &str, name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name = match name.len() <= 40 && name.chars().all(plain) {
        true => name.to_owned(),
        false => excerpt(name),
    };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// The message for anchors and tags, which make files hard to read and values hard to bound.
fn unsupported(anchor: usize, tagged: bool) -> Option<&'static str> {
    match (anchor, tagged) {
        (0, false) => None,
        (0, true) => Some(TAG),
        _ => Some(ANCHOR),
    }
}

fn position(marker: &Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

fn scalar(at: Position, text: &str, style: ScalarStyle) -> Node {
    let value = match style {
        ScalarStyle::Plain => resolve(text),
        _ => Value::String(text.to_owned()),
    };
    // A block scalar is said to start at its first line with content.
    let blank = match style {
        ScalarStyle::Literal | ScalarStyle::Folded => text.len() - text.trim_start_matches('\n').len(),
        _ => 0,
    };
    let text_line = at.line.saturating_sub(blank).max(1);
    let word = (style == ScalarStyle::Plain && !value.is_string()).then(|| text.into());
    Node { at, text_line, kind: Kind::Scalar(value), word }
}

/// Null, boolean, number or text: what an unquoted word means is for `serde_yaml` to say.
fn resolve(text: &str) -> Value {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_' | '~');
    let marker = text.starts_with("---") || text.starts_with("...");
    let simple = text.len() <= 64 && text.chars().all(word) && !marker;
    match simple.then(|| serde_yaml::from_str(text)) {
        Some(Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_)))) => value,
        _ => Value::String(text.to_owned()),
    }
}

/// The tab in a line's indentation that a scanner stumbled over, which then names this line or the one before.
fn indenting_tab(text: &str, line: usize, info: &str) -> Option<Position> {
    let tab_of = |line: usize| {
        let indented = text.lines().nth(line.checked_sub(1)?)?;
        let tab = indented.find(|c| c != ' ').filter(|at| indented[*at..].starts_with('\t'))?;
        Some(Position { line, column: tab + 1 })
    };
    let next = info.contains(" tab").then_some(line + 1);
    // Of a file that begins with one, the second line is named.
    let first = (line == 2).then_some(1);
    [Some(line), next, first].into_iter().flatten().find_map(tab_of)
}

/// The test in its short form that a field stands below, as a scanner says only of what follows.
fn short_test(text: &str, line: usize, info: &str) -> Option<Position> {
    let is_told =
        ["mapping values are not allowed", "comment intercepting"].iter().any(|part| info.contains(part));
    let line = line.checked_sub(1).filter(|_| is_told)?;
    let is_short = |text: &str| text.trim_start().starts_with("- assert ");
    // Two colons in a test, as of a dict with two keys, are no field below it.
    if info.contains("mapping values") && text.lines().nth(line).is_some_and(is_short) {
        return None;
    }
    // The scanner stands at the field, or still at the comment of the test.
    let lines = text.lines().enumerate().take(line + 1).skip(line.saturating_sub(1));
    let mut short = lines.filter(|(_, text)| is_short(text));
    short.next().map(|(at, text)| Position { line: at + 1, column: text.len() - text.trim_start().len() + 1 })
}

/// The field with a value, as `rewards: none` is, with fields below it. The scanner stands at these, or still at the value's comment.
fn fields_below_value(text: &str, line: usize, info: &str) -> Option<Position> {
    let is_told = |below: usize, above: usize| {
        info.contains("mapping values") && below == line
            || info.contains("comment intercepting") && above == line
    };
    let indent = |text: &str| text.len() - text.trim_start_matches([' ', '-']).len();
    let lines = text.lines().enumerate().map(|(at, text)| (at + 1, text));
    let mut lines = lines.filter(|(_, text)| !text.trim().is_empty() && !text.trim_start().starts_with('#'));
    let mut above = lines.next()?;
    let (above, below) = lines.find_map(|below| {
        let before = std::mem::replace(&mut above, below);
        is_told(below.0, before.0).then_some((before, below.1))
    })?;
    let (field, value) = above.1.split_once(": ")?;
    let has_value = !value.trim().is_empty() && !value.trim_start().starts_with(['|', '>', '#', '&', '!']);
    let is_field = |text: &str| text.split_once(':').is_some_and(|(name, _)| is_name(name.trim_start()));
    let is_told = has_value && is_name(field.trim_start_matches([' ', '-'])) && is_field(below);
    (is_told && indent(below) > indent(above.1))
        .then(|| Position { line: above.0, column: indent(above.1) + 1 })
}

/// True if the scanner stands behind a list or mapping in brackets, as of the test `[1, 2] == f(1)`.
fn goes_on_behind_bracket(text: &str, at: Position) -> bool {
    let before = |line: &str| line.chars().take(at.column - 1).collect::<String>();
    let line = text.lines().nth(at.line - 1);
    line.is_some_and(|line| before(line).trim_end().ends_with([']', '}']))
}

/// Tells whether a text could be the name of a field.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The line without a colon that a scanner stumbled over: this one, or the one before, no deeper than this one.
fn lacking_colon(text: &str, line: usize) -> Option<Position> {
    let lines: Vec<(usize, &str)> = text.lines().enumerate().take(line).collect();
    let mut told = lines.into_iter().rev().filter(|(_, text)| !text.trim().is_empty());
    let indent = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let is_bare =
        |text: &str| text.trim().starts_with(|c: char| c.is_ascii_alphabetic()) && !text.contains(':');
    let (last, before) = (told.next()?, told.next());
    let before = before.filter(|before| indent(before.1) <= indent(last.1));
    let (at, text) = [Some(last), before].into_iter().flatten().find(|(_, text)| is_bare(text))?;
    Some(Position { line: at + 1, column: indent(text) + 1 })
}

/// A scanner's message, with advice where beginners stumble.
fn syntax(error: &ScanError) -> String {
    const OPEN: &str = "; the quote that opens here is never closed";
    const HINTS: [(&str, &str); 13] = [
        ("quoted scalar, found unexpected end", OPEN),
        ("invalid indentation in quoted scalar", OPEN),
        ("unknown escape character", "; in double quotes \\ begins an escape: use single quotes"),
        ("invalid trailing content after", "; text that goes on behind a quote stands below a |"),
        ("expected comment or line break", "; the text begins on the line below the |"),
        ("expected '-' indicator", "; is it indented like the lines above?"),
        ("unknown anchor", "; text that starts with * must be quoted"),
        ("unexpected character", "; text that starts with it must be quoted"),
        ("mapping values are not allowed", "; text that holds \": \" must be quoted or stand below a |"),
        ("did not find expected key", "; is it indented like the lines above?"),
        (
            "did not find expected ',' or '}'",
            "; put a text that holds brackets, quotes or commas in quotes as a whole",
        ),
        ("recursion limit", "; nested too deep"),
        ("comment intercepting", "; a comment ends the text of a line: put it above, or the text below a |"),
    ];
    let info = error.info();
    let hint = HINTS.iter().find(|(part, _)| info.contains(part));
    format!("not valid YAML: {info}{}", hint.map_or("", |(_, hint)| hint))
}

impl Kind {
    /// A few words for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Scalar(value) => describe(value),
            Self::Sequence(_) => "a list".to_owned(),
            Self::Mapping(_) => "a mapping".to_owned(),
            Self::Bad => "something unreadable".to_owned(),
        }
    }
}
