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
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Setting<T> {
    /// A value worked out from this setting: it stays traceable to it.
    pub fn derive<U>(&self, f: impl FnOnce(&T) -> U) -> Setting<U> {
        Setting { value: f(&self.value), path: self.path.clone(), place: self.place }
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
    /// Everything found so far.
    pub problems: Vec<Problem>,
}

impl Decoder {
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

    /// One field of a map that [`Decoder::map`] returned.
    pub fn field<T: Decode>(&mut self, entries: &[Entry], map: Place, name: &str) -> Option<T> {
        self.path.push(name.to_string());
        let decoded = match entries.iter().find(|entry| entry.key == name) {
            Some(entry) => T::decode(&entry.node, self),
            None => T::absent(map, self),
        };
        self.path.pop();
        decoded
    }

    /// Notes that a value of another kind stands where `wanted` should.
    pub fn wrong_kind(&mut self, node: &Node, wanted: &str) {
        let found = match &node.value {
            Value::Null | Value::List(_) | Value::Map(_) => node.value.kind().to_string(),
            value => format!("{} `{value}`", value.kind()),
        };
        let message = format!("`{}` must be {wanted}, not {found}", self.path());
        self.refuse(Problem::new(node.place, message));
    }
}

/// A type that a tenant file can hold.
pub trait Decode: Sized {
    /// Reads the value, or notes why it cannot be read.
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self>;

    /// What a missing key means; a problem unless the type says otherwise.
    fn absent(map: Place, decoder: &mut Decoder) -> Option<Self> {
        let message = format!("`{}` is not set", decoder.path());
        let help = "set it in the tenant's file, or for all tenants in `_defaults.yaml`";
        decoder.refuse(Problem::new(map, message).help(help));
        None
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
        Some(Self { value, path: decoder.path(), place: node.place })
    }

    fn absent(map: Place, decoder: &mut Decoder) -> Option<Self> {
        match T::when_absent() {
            Some(value) => Some(Self { value, path: decoder.path(), place: map }),
            None => {
                let message = format!("`{}` is not set", decoder.path());
                let help = "set it in the tenant's file, or for all tenants in `_defaults.yaml`";
                decoder.refuse(Problem::new(map, message).help(help));
                None
            }
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

impl<T: Scalar> Scalar for Vec<T> {
    fn scalar(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Value::List(items) = &node.value else {
            decoder.wrong_kind(node, "a list");
            return None;
        };
        let decoded: Vec<_> = items.iter().map(|item| T::scalar(item, decoder)).collect();
        decoded.into_iter().collect()
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

/// The hint for an unknown key: the nearest known one, or all of them.
fn nearest(unknown: &str, known: &[&str]) -> String {
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

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
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

/// Declares a section of the tenant file: a struct whose fields are its keys.
macro_rules! section {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* pub $field:ident: $type:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $crate::tenant::decode::Decode for $name {
            fn decode(
                node: &$crate::tenant::node::Node,
                decoder: &mut $crate::tenant::decode::Decoder,
            ) -> Option<Self> {
                let entries = decoder.map(node, &[$(stringify!($field)),*])?;
                $( let $field = decoder.field(entries, node.place, stringify!($field)); )*
                Some(Self { $( $field: $field?, )* })
            }
        }
    };
}

/// Declares a setting that takes one of a few words.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $word:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$variant_meta])* $variant, )*
        }

        impl $name {
            /// The word in a tenant file.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::tenant::decode::Scalar for $name {
            fn scalar(
                node: &$crate::tenant::node::Node,
                decoder: &mut $crate::tenant::decode::Decoder,
            ) -> Option<Self> {
                if let $crate::tenant::node::Value::Text(word) = &node.value {
                    match word.as_str() {
                        $( $word => return Some(Self::$variant), )*
                        _ => {}
                    }
                }
                let words: &[&str] = &[$( concat!("`", $word, "`") ),*];
                decoder.wrong_kind(node, &format!("one of {}", words.join(", ")));
                None
            }
        }
    };
}

pub(crate) use {choice, section};

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
