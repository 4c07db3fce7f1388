//! From a tree with places to typed settings, collecting every problem instead of stopping at the first.

use std::ops::Deref;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::node::{Entry, Node, Value};
use super::problem::Problem;
use super::source::Place;

/// Key that marks a serialised [`Setting`], so that a renderer can tell which setting a value came from.
/// The private-use character cannot be typed into a key by accident.
pub const SETTING_MARK: &str = "\u{E010}setting";

/// A value that a person set, with its key path and its place.
#[derive(Debug, Clone)]
pub struct Setting<T> {
    value: T,
    /// Dotted path of the key, such as `cookies.minutes`.
    pub path: String,
    /// Where the value stands; for a setting that is left out, the map it would stand in.
    pub place: Place,
    /// Whether some file says it, if only to take a default away.
    pub is_written: bool,
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Setting<T> {
    /// A value that stands in a file.
    pub(super) fn new(value: T, path: String, place: Place) -> Self {
        Self { value, path, place, is_written: true }
    }

    /// A value worked out from this setting: it stays traceable to it.
    pub fn derive<U>(&self, f: impl FnOnce(&T) -> U) -> Setting<U> {
        Setting {
            value: f(&self.value),
            path: self.path.clone(),
            place: self.place,
            is_written: self.is_written,
        }
    }
}

impl<T: Serialize> Serialize for Setting<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut marked = serializer.serialize_struct("Setting", 2)?;
        marked.serialize_field(SETTING_MARK, &self.path)?;
        marked.serialize_field("value", &self.value)?;
        marked.end()
    }
}

/// Where the decoder stands, and what it has found wrong.
#[derive(Debug, Default)]
pub struct Decoder {
    path: Vec<String>,
    is_partial: bool,
    /// Everything found so far.
    pub problems: Vec<Problem>,
}

impl Decoder {
    /// A decoder of a tree from which something is missing: it tells of no key that is not set.
    #[must_use]
    pub fn partial() -> Self {
        Self { is_partial: true, ..Self::default() }
    }

    /// Dotted path of the value being decoded.
    #[must_use]
    pub fn path(&self) -> String {
        self.path.join(".")
    }

    /// Notes a problem at `place`.
    pub fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The entries of a map, after refusing every key that is not among `known`.
    pub fn map<'n>(&mut self, node: &'n Node, known: &[&str]) -> Option<&'n [Entry]> {
        let Value::Map(entries) = &node.value else {
            self.wrong_kind(node, "a map");
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let prefix = if self.path.is_empty() { String::new() } else { format!("{}.", self.path()) };
            let problem = Problem::new(entry.key_place, format!("unknown key `{prefix}{}`", entry.key));
            self.refuse(problem.help(nearest(&entry.key, known)));
        }
        Some(entries)
    }

    /// Works one key further down.
    pub fn within<T>(&mut self, key: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(key.to_string());
        let done = work(self);
        self.path.pop();
        done
    }

    /// One field of a map that [`Decoder::map`] returned.
    pub fn field<T: Decode>(&mut self, entries: &[Entry], map: Place, name: &str) -> Option<T> {
        self.within(name, |decoder| match entries.iter().find(|entry| entry.key == name) {
            Some(entry) => T::decode(&entry.node, decoder),
            None => T::absent(map, decoder),
        })
    }

    /// Notes that a key is missing in every layer.
    fn not_set<T>(&mut self, map: Place) -> Option<T> {
        if self.is_partial {
            return None;
        }
        let message = format!("`{}` is not set", self.path());
        let help = "set it in the tenant's file, in its tier's, or for all tenants in `_defaults.yaml`";
        self.refuse(Problem::new(map, message).help(help));
        None
    }

    /// Notes that a value of another kind stands where `wanted` should.
    pub fn wrong_kind(&mut self, node: &Node, wanted: &str) {
        self.wrong_kind_help(node, wanted, None);
    }

    /// The same, with what to do about it.
    pub fn wrong_kind_help(&mut self, node: &Node, wanted: &str, help: Option<&str>) {
        let found = match &node.value {
            Value::Null | Value::List(_) | Value::Map(_) => node.value.kind().to_string(),
            value => format!("{} `{}`", value.kind(), shortened(&value.to_string())),
        };
        let message = format!("`{}` must be {wanted}, not {found}", self.path());
        let problem = Problem::new(node.place, message);
        self.refuse(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }
}

/// A type that a tenant file can hold.
pub trait Decode: Sized {
    /// Reads the value, or notes why it cannot be read.
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self>;

    /// What a missing key means; a problem unless the type says otherwise.
    fn absent(map: Place, decoder: &mut Decoder) -> Option<Self> {
        decoder.not_set(map)
    }
}

/// A value that one node holds: what a [`Setting`] wraps.
pub trait Scalar: Sized {
    /// Reads the value, or notes why it cannot be read.
    fn scalar(node: &Node, decoder: &mut Decoder) -> Option<Self>;

    /// What a missing key stands for; `None` where the key is required.
    fn when_absent() -> Option<Self> {
        None
    }
}

impl<T: Scalar> Decode for Setting<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let value = match (&node.value, T::when_absent()) {
            (Value::Null, Some(absent)) => absent,
            _ => T::scalar(node, decoder)?,
        };
        Some(Self { value, path: decoder.path(), place: node.place, is_written: true })
    }

    fn absent(map: Place, decoder: &mut Decoder) -> Option<Self> {
        match T::when_absent() {
            Some(value) => Some(Self { value, path: decoder.path(), place: map, is_written: false }),
            None => decoder.not_set(map),
        }
    }
}

impl<T: Scalar> Scalar for Option<T> {
    fn scalar(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        T::scalar(node, decoder).map(Some)
    }

    fn when_absent() -> Option<Self> {
        Some(None)
    }
}

impl Scalar for bool {
    fn scalar(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Value::Bool(value) = node.value else {
            decoder.wrong_kind(node, "`true` or `false`");
            return None;
        };
        Some(value)
    }
}

/// A value as a message shows it: control characters escaped, and no longer than a line.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    let escaped: String = text
        .chars()
        .take(SHOWN)
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect();
    if text.chars().nth(SHOWN).is_some() { format!("{escaped}…") } else { escaped }
}

/// The hint for an unknown key: the nearest known one, or all of them.
#[must_use]
pub fn nearest(unknown: &str, known: &[&str]) -> String {
    let close = known.iter().map(|key| (distance(unknown, key), *key)).min();
    match close {
        Some((distance, key)) if distance <= 1 + key.len() / 4 => format!("did you mean `{key}`?"),
        _ => {
            let mut all: Vec<_> = known.iter().map(|key| format!("`{key}`")).collect();
            all.sort();
            format!("known keys here are {}", all.join(", "))
        }
    }
}

/// Levenshtein distance in characters, of texts cut to what a key can be.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 64;
    let a: String = a.chars().take(LONGEST).collect();
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_answered_with_the_nearest_key() {
        let known = ["minutes", "same_site", "hash"];
        assert_eq!(nearest("minuets", &known), "did you mean `minutes`?");
        assert_eq!(nearest("colour", &known), "known keys here are `hash`, `minutes`, `same_site`");
    }
}
