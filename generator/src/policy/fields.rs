//! Reading the fields of a policy file, each mistake with its place.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::tenant::decode::{Decoder, nearest};
use crate::tenant::node::{Entry, Node, Value};
use crate::tenant::problem::Problem;
use crate::tenant::source::Place;

/// The fields of one map.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    place: Place,
}

impl<'n> Fields<'n> {
    /// The fields of a node, after refusing those that are not `known`.
    pub(super) fn of(node: &'n Node, decoder: &mut Decoder, known: &[&str]) -> Option<Self> {
        Some(Self { entries: decoder.map(node, known)?, place: node.place })
    }

    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// A field that must be there.
    pub(super) fn required(&self, key: &str, decoder: &mut Decoder) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            decoder.refuse(Problem::new(self.place, format!("`{key}` is missing")));
        }
        found
    }

    /// A text that must be there.
    pub(super) fn text(&self, key: &str, decoder: &mut Decoder) -> Option<String> {
        let node = self.required(key, decoder)?;
        decoder.within(key, |decoder| text(node, decoder))
    }

    /// A text or a list of texts; empty where the field is left out.
    pub(super) fn texts(&self, key: &str, decoder: &mut Decoder) -> Option<Vec<(String, Place)>> {
        match self.get(key) {
            None => Some(Vec::new()),
            Some(node) => decoder.within(key, |decoder| texts(node, decoder)),
        }
    }

    /// One of a few words, or `default` where the field is left out.
    pub(super) fn word<T: Copy>(
        &self,
        key: &str,
        all: &[T],
        as_str: impl Fn(T) -> &'static str,
        default: Option<T>,
        decoder: &mut Decoder,
    ) -> Option<T> {
        let node = match (self.get(key), default) {
            (None, Some(default)) => return Some(default),
            _ => self.required(key, decoder)?,
        };
        let given = decoder.within(key, |decoder| text(node, decoder))?;
        let found = all.iter().copied().find(|one| as_str(*one) == given);
        if found.is_none() {
            let words: Vec<&str> = all.iter().map(|one| as_str(*one)).collect();
            let problem = Problem::new(node.place, format!("`{key}` cannot be `{given}`"));
            decoder.refuse(problem.help(nearest(&given, &words).replace("known keys here", "its words")));
        }
        found
    }

    /// `true` or `false`, or a default.
    pub(super) fn flag(&self, key: &str, default: bool, decoder: &mut Decoder) -> Option<bool> {
        match self.get(key) {
            None => Some(default),
            Some(Node { value: Value::Bool(value), .. }) => Some(*value),
            Some(node) => {
                decoder.within(key, |decoder| decoder.wrong_kind(node, "`true` or `false`"));
                None
            }
        }
    }

    /// A map of any values; empty where the field is left out.
    pub(super) fn values(&self, key: &str, decoder: &mut Decoder) -> Option<Map<String, Json>> {
        match self.get(key).map(|node| (node, node.to_json())) {
            None => Some(Map::new()),
            Some((_, Json::Object(map))) => Some(map),
            Some((node, _)) => {
                decoder.within(key, |decoder| decoder.wrong_kind(node, "a map"));
                None
            }
        }
    }

    /// The items of a list; none where the field is left out.
    pub(super) fn items(&self, key: &str, decoder: &mut Decoder) -> &'n [Node] {
        match self.get(key) {
            None | Some(Node { value: Value::Null, .. }) => &[],
            Some(Node { value: Value::List(items), .. }) => items,
            Some(node) => {
                decoder.within(key, |decoder| decoder.wrong_kind(node, "a list"));
                &[]
            }
        }
    }
}

/// A text that is not empty.
pub(super) fn text(node: &Node, decoder: &mut Decoder) -> Option<String> {
    match &node.value {
        Value::Text(text) if !text.trim().is_empty() => Some(text.trim().to_string()),
        _ => {
            decoder.wrong_kind(node, "a text");
            None
        }
    }
}

/// A text or a list of texts, each with its place.
pub(super) fn texts(node: &Node, decoder: &mut Decoder) -> Option<Vec<(String, Place)>> {
    match &node.value {
        Value::List(items) => items.iter().map(|item| Some((text(item, decoder)?, item.place))).collect(),
        _ => Some(vec![(text(node, decoder)?, node.place)]),
    }
}

/// A map from keys to a text or a list of texts, with the places of the keys.
pub(super) fn text_map(node: &Node, decoder: &mut Decoder) -> Option<BTreeMap<String, (Vec<String>, Place)>> {
    let Value::Map(entries) = &node.value else {
        decoder.wrong_kind(node, "a map");
        return None;
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let values = texts(&entry.node, decoder)?.into_iter().map(|(text, _)| text).collect();
        found.insert(entry.key.clone(), (values, entry.key_place));
    }
    Some(found)
}
