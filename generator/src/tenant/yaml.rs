//! One YAML document as the parser sees it, turned into a tree with places.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DuplicateKeyPolicy, Error, Location, Spanned};

use super::node::{Entry, Node, Value};
use super::problem::Problem;
use super::source::{Place, SourceId};
use super::syntax;

/// Most nodes that a tenant file may have. Far above any real file; it bounds what aliases can unfold to.
pub(super) const NODES_MAX: usize = 10_000;
/// Deepest that maps and lists may stand in each other. No setting stands deeper than six.
const DEPTH_MAX: usize = 16;
/// Largest number up to which every whole one has a float of its own: 2^53.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Why a document cannot be read as it stands.
pub(super) struct Refusal {
    pub problem: Problem,
    pub reach: Reach,
}

/// How much of a document a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The section around the place, or the one before, which reaches further than it should.
    Section,
    /// The section around the place, whatever stands before it.
    Itself,
    /// The same, but perhaps only because the anchor stands in another section that cannot be read.
    Anchor,
    /// All of it.
    Document,
}

/// Reads one YAML document; keys that stand twice are all in the tree. An empty text is an empty map.
pub(super) fn document(source: SourceId, text: &str) -> Result<Node, Box<Refusal>> {
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
        Ok(Some(root)) => Ok(placed(source, text, root)),
        Ok(None) => Ok(Node::empty_map(Place::start_of(source))),
        Err(error) => {
            let error = error.without_snippet();
            let place = error.location().map_or(Place::start_of(source), |l| place_of(source, text, l));
            let reach = match error {
                Error::MultipleDocuments { .. } => Reach::Document,
                Error::UnknownAnchor { .. } => Reach::Anchor,
                other if is_over_a_bound(other) => Reach::Document,
                other if syntax::is_certain(other) => Reach::Itself,
                _ => Reach::Section,
            };
            Err(Box::new(Refusal { problem: told(error, text, place), reach }))
        }
    }
}

/// What is told of a text that the parser refuses.
fn told(error: &Error, text: &str, place: Place) -> Problem {
    match error {
        Error::MultipleDocuments { .. } => {
            Problem::new(place, "a second document begins; a tenant file is one")
                .help("take the line `---` or `...` out, and what follows it into a file of its own")
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => Problem::new(
            place,
            format!("maps and lists stand deeper in each other than the {DEPTH_MAX} levels that are read"),
        ),
        other if is_over_a_bound(other) => {
            let message = format!("the file unfolds to more than the {NODES_MAX} values that are read");
            Problem::new(place, message)
        }
        other => syntax::told(other, text, place),
    }
}

/// Whether the parser has stopped at one of the bounds above. Within an alias it says so in a text only.
fn is_over_a_bound(error: &Error) -> bool {
    matches!(error, Error::Budget { .. }) || error.to_string().starts_with("budget breached")
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
