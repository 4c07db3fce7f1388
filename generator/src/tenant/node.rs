//! A YAML document as a tree that remembers where each value stands.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

use super::problem::Problem;
use super::source::{Place, SourceId};

/// Most nodes that a tenant file may have. Far above any real file; it bounds what aliases can unfold to.
const NODES_MAX: usize = 10_000;
/// Deepest that maps and lists may stand in each other. No setting stands deeper than six.
const DEPTH_MAX: usize = 16;
/// Largest tenant file, in bytes.
pub const FILE_MAX: usize = 1 << 20;

/// Largest number up to which every whole one has a float of its own: 2^53.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// The built-in defaults: the lowest layer.
pub const BUILTIN: &str = include_str!("builtin.yaml");
/// What messages call the file of the built-in defaults.
pub const BUILTIN_NAME: &str = "built-in defaults";

/// Reads the built-in defaults.
///
/// # Errors
/// As [`parse`], which a test of the defaults excludes.
pub fn parse_builtin() -> Result<Node, Problem> {
    parse(SourceId::FIRST, BUILTIN)
}

/// A value and its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// What was written.
    pub value: Value,
    /// Where it was written.
    pub place: Place,
}

/// The kinds of value that a tenant file can hold.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing: an empty value, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent, as its text is of no use to any setting.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// A key of a map and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub node: Node,
}

impl Node {
    /// A map without entries, for what a file leaves out.
    #[must_use]
    pub fn empty_map(place: Place) -> Self {
        Self { value: Value::Map(Vec::new()), place }
    }

    /// The value of a key, where this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The same value as JSON, without places.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::from(*value),
            Value::Float(value) => Json::from(*value),
            Value::Text(value) => Json::from(value.as_str()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => {
                Json::Object(entries.iter().map(|e| (e.key.clone(), e.node.to_json())).collect())
            }
        }
    }
}

impl Value {
    /// What messages call this kind of value.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
            Self::List(_) => f.write_str("[…]"),
            Self::Map(_) => f.write_str("{…}"),
        }
    }
}

/// Reads one YAML document.
///
/// # Errors
/// A [`Problem`] with its place: broken YAML, a duplicate key, an unknown tag, several documents, or a
/// document over the bounds above. An empty file is an empty map.
pub fn parse(source: SourceId, text: &str) -> Result<Node, Problem> {
    if text.len() > FILE_MAX {
        return Err(too_large(source, text.len()));
    }
    let options = serde_saphyr::options! {
        strict_booleans: true,
        reject_unsupported_tags: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        budget: serde_saphyr::budget! {
            max_nodes: NODES_MAX,
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
        },
    };
    let read: Result<Option<Spanned<Raw>>, _> = serde_saphyr::from_str_with_options(text, options);
    match read {
        Ok(Some(root)) => {
            let node = placed(source, text, root);
            match duplicate(&node) {
                Some(problem) => Err(problem),
                None => Ok(node),
            }
        }
        Ok(None) => Ok(Node { value: Value::Map(Vec::new()), place: Place::start_of(source) }),
        Err(error) => {
            let place = error.location().map_or(Place::start_of(source), |l| place_of(source, text, l));
            Err(Problem::new(place, told(error.without_snippet())))
        }
    }
}

/// What is told of a file over [`FILE_MAX`].
pub(super) fn too_large(source: SourceId, bytes: usize) -> Problem {
    let message = format!("the file has {bytes} bytes, more than the {FILE_MAX} that are read");
    Problem::new(Place::start_of(source), message)
}

/// What is told of a text that the parser refuses: in our words where its own speak of its options.
fn told(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    match error {
        Error::MultipleDocuments { .. } => "a second document begins; a tenant file is one".into(),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            format!("maps and lists stand deeper in each other than the {DEPTH_MAX} levels that are read")
        }
        other => {
            // Without the position, which the problem carries already.
            let message = other.to_string();
            let line = message.lines().next().unwrap_or_default();
            let line = line.strip_prefix("error: ").unwrap_or(line);
            // Within an alias the parser tells of its bound in a text only.
            if line.starts_with("budget breached: Nodes") {
                return format!("the file unfolds to more than the {NODES_MAX} values that are read");
            }
            line.split(" at line ").next().unwrap_or(line).to_string()
        }
    }
}

/// The first key that stands twice in one map, with both places.
fn duplicate(node: &Node) -> Option<Problem> {
    match &node.value {
        Value::Map(entries) => {
            let mut seen: HashMap<&str, Place> = HashMap::with_capacity(entries.len());
            entries.iter().find_map(|entry| match seen.insert(&entry.key, entry.key_place) {
                Some(first) => Some(
                    Problem::new(entry.key_place, format!("the key `{}` stands twice", entry.key))
                        .related(first, "it stands here already")
                        .help("keep one of them"),
                ),
                None => duplicate(&entry.node),
            })
        }
        Value::List(items) => items.iter().find_map(duplicate),
        _ => None,
    }
}

/// What serde sees, before places are resolved to bytes.
enum Raw {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn placed(source: SourceId, text: &str, raw: Spanned<Raw>) -> Node {
    let place = place_of(source, text, raw.referenced);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Int(value) => Value::Int(value),
        Raw::Float(value) => Value::Float(value),
        Raw::Text(value) => Value::Text(value),
        Raw::List(items) => Value::List(items.into_iter().map(|item| placed(source, text, item)).collect()),
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    key_place: place_of(source, text, key.referenced),
                    key: key.value,
                    node: placed(source, text, value),
                })
                .collect(),
        ),
    };
    Node { value, place }
}

fn place_of(source: SourceId, text: &str, location: Location) -> Place {
    let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let start = location.span().byte_offset().unwrap_or_else(|| offset_of(text, location));
    // The scanner's places may fall within a character of several bytes.
    let start = text.floor_char_boundary(usize::try_from(start).unwrap_or(usize::MAX));
    let length = location.span().byte_len().map_or(0, narrow);
    // A place marks one line at most: the span of a map or a block text would mark half the file.
    let rest = &text[start..];
    let line_left = rest.find('\n').map_or(rest.len(), |end| rest[..end].trim_end().len());
    let length = (length as usize).clamp(1, line_left.max(1));
    Place {
        source,
        start: narrow(start as u64),
        end: narrow(text.ceil_char_boundary(start + length) as u64),
        line: narrow(location.line()).max(1),
        column: narrow(location.column()).max(1),
    }
}

/// The byte at which a line and column stand: the scanner tells of its own mistakes by these only.
fn offset_of(text: &str, location: Location) -> u64 {
    let (line, column) = (location.line().max(1), location.column().max(1));
    let mut offset = 0;
    for (number, content) in (1..).zip(text.split_inclusive('\n')) {
        if number == line {
            let within = content.char_indices().zip(1..).find(|(_, at)| *at == column);
            let within = within.map_or(content.trim_end().len(), |((byte, _), _)| byte);
            return offset + within as u64;
        }
        offset += content.len() as u64;
    }
    text.len() as u64
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        // A number that no setting can take: kept as a float, which every decoder refuses.
        #[expect(clippy::cast_precision_loss, reason = "only shown in the refusal")]
        Ok(i64::try_from(value).map_or(Raw::Float(value as f64), Raw::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        // `60.0` and `6e1` are the whole number 60, as JSON Schema has it.
        #[expect(clippy::cast_possible_truncation, reason = "whole and far within the bounds of i64")]
        Ok(if value.fract() == 0.0 && value.abs() <= WHOLE_MAX {
            Raw::Int(value as i64)
        } else {
            Raw::Float(value)
        })
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_string()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Sources;
    use super::*;

    fn read(text: &str) -> Result<Node, Problem> {
        let mut sources = Sources::default();
        let id = sources.add("t.yaml".into(), text.into());
        parse(id, text)
    }

    #[test]
    fn every_value_knows_its_place() {
        let node = read("a: 1\nb:\n  c: [x, \"y\"]\n").unwrap();
        let Value::Map(root) = node.value else { panic!("not a map") };
        assert_eq!((root[0].key_place.line, root[0].key_place.column), (1, 1));
        assert_eq!((root[0].node.place.line, root[0].node.place.column), (1, 4));
        let Value::Map(inner) = &root[1].node.value else { panic!("not a map") };
        let Value::List(items) = &inner[0].node.value else { panic!("not a list") };
        assert_eq!((items[1].place.line, items[1].place.column), (3, 10));
        assert_eq!((items[1].place.start, items[1].place.end), (17, 20));
    }

    #[test]
    fn a_duplicate_key_is_refused_at_its_second_place() {
        let problem = read("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!(problem.place.line, 3, "{}", problem.message);
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
        for (name, before) in ["b", "c", "d", "e", "f", "g"].iter().zip(["a", "b", "c", "d", "e", "f"]) {
            let list = vec![format!("*{before}"); 10].join(", ");
            text.push_str(&format!("{name}: &{name} [{list}]\n"));
        }
        assert!(read(&text).is_err());
    }

    #[test]
    fn an_empty_file_is_an_empty_map() {
        for text in ["", "# only a comment\n", "---\n"] {
            assert!(matches!(read(text).unwrap().value, Value::Map(entries) if entries.is_empty()));
        }
    }
}
