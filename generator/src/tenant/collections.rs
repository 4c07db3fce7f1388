//! Settings that hold several values: lists, lists of maps, and maps with keys that people choose.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::ser::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::decode::{Decode, Decoder, Scalar, Setting};
use super::node::{Node, Value};
use super::problem::Problem;
use super::schema::Schema;
use super::source::Place;

/// A list without repetitions, of `MIN` to `MAX` items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MIN: usize, const MAX: usize>(Vec<T>);

impl<T, const MIN: usize, const MAX: usize> Deref for List<T, MIN, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Serialize, const MIN: usize, const MAX: usize> Serialize for List<T, MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Scalar + PartialEq, const MIN: usize, const MAX: usize> Scalar for List<T, MIN, MAX> {
    fn scalar(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Value::List(items) = &node.value else {
            decoder.wrong_kind(node, "a list");
            return None;
        };
        let mut good = true;
        if !(MIN..=MAX).contains(&items.len()) {
            let path = decoder.path();
            let message = format!("`{path}` must have {MIN} to {MAX} items, not {}", items.len());
            decoder.refuse(Problem::new(node.place, message));
            good = false;
        }
        let mut decoded: Vec<(T, Place)> = Vec::with_capacity(items.len());
        for item in items {
            let Some(value) = T::scalar(item, decoder) else {
                good = false;
                continue;
            };
            if let Some((_, first)) = decoded.iter().find(|(other, _)| *other == value) {
                let message = format!("`{}` has `{}` twice", decoder.path(), item.value);
                decoder.refuse(Problem::new(item.place, message).related(*first, "it stands here already"));
                good = false;
            }
            decoded.push((value, item.place));
        }
        good.then(|| Self(decoded.into_iter().map(|(value, _)| value).collect()))
    }
}

impl<T: Schema, const MIN: usize, const MAX: usize> Schema for List<T, MIN, MAX> {
    fn schema() -> Json {
        json!({
            "type": "array",
            "items": T::schema(),
            "minItems": MIN,
            "maxItems": MAX,
            "uniqueItems": true,
        })
    }
}

/// A section that can stand in a list.
pub trait Row: Decode + Schema {
    /// Keys that each map of the list must have: a list is not put together from layers.
    fn required() -> Vec<&'static str>;
}

/// A list of maps.
#[derive(Debug, Clone)]
pub struct Rows<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Deref for Rows<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Serialize, const MAX: usize> Serialize for Rows<T, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Row, const MAX: usize> Decode for Rows<T, MAX> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Value::List(items) = &node.value else {
            decoder.wrong_kind(node, "a list of maps");
            return None;
        };
        if items.len() > MAX {
            let message = format!("`{}` must have at most {MAX} items, not {}", decoder.path(), items.len());
            decoder.refuse(Problem::new(node.place, message));
            return None;
        }
        let decode = |(index, item): (usize, &Node)| {
            decoder.within(&index.to_string(), |decoder| T::decode(item, decoder))
        };
        let decoded: Vec<_> = items.iter().enumerate().map(decode).collect();
        decoded.into_iter().collect::<Option<_>>().map(Self)
    }

    fn absent(_: Place, _: &mut Decoder) -> Option<Self> {
        Some(Self(Vec::new()))
    }
}

impl<T: Row, const MAX: usize> Schema for Rows<T, MAX> {
    fn schema() -> Json {
        let mut item = T::schema();
        item["required"] = json!(T::required());
        json!({ "type": "array", "items": item, "maxItems": MAX })
    }
}

/// A map whose keys people choose, of a type of their own.
#[derive(Debug, Clone)]
pub struct Keyed<K, V, const MAX: usize> {
    entries: BTreeMap<String, V>,
    names: BTreeMap<String, Setting<String>>,
    kind: PhantomData<K>,
}

impl<K, V, const MAX: usize> Keyed<K, V, MAX> {
    /// The values with their keys as settings, which know their place.
    pub fn named(&self) -> impl Iterator<Item = (&Setting<String>, &V)> {
        self.names.values().zip(self.entries.values())
    }
}

impl<K, V, const MAX: usize> Deref for Keyed<K, V, MAX> {
    type Target = BTreeMap<String, V>;

    fn deref(&self) -> &BTreeMap<String, V> {
        &self.entries
    }
}

impl<K, V: Serialize, const MAX: usize> Serialize for Keyed<K, V, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

impl<K: Scalar, V: Decode, const MAX: usize> Decode for Keyed<K, V, MAX> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            decoder.wrong_kind(node, "a map");
            return None;
        };
        let mut good = true;
        if entries.len() > MAX {
            let message = format!("`{}` must have at most {MAX} keys, not {}", decoder.path(), entries.len());
            decoder.refuse(Problem::new(node.place, message));
            good = false;
        }
        let (mut decoded, mut names) = (BTreeMap::new(), BTreeMap::new());
        for entry in entries {
            let key = Node { value: Value::Text(entry.key.clone()), place: entry.key_place };
            let (name, value) = decoder.within(&entry.key, |decoder| {
                let name = K::scalar(&key, decoder)
                    .map(|_| Setting::new(entry.key.clone(), decoder.path(), entry.key_place));
                (name, V::decode(&entry.node, decoder))
            });
            match (name, value) {
                (Some(name), Some(value)) => {
                    names.insert(entry.key.clone(), name);
                    decoded.insert(entry.key.clone(), value);
                }
                _ => good = false,
            }
        }
        good.then_some(Self { entries: decoded, names, kind: PhantomData })
    }

    fn absent(_: Place, _: &mut Decoder) -> Option<Self> {
        Some(Self { entries: BTreeMap::new(), names: BTreeMap::new(), kind: PhantomData })
    }
}

impl<K: Schema, V: Schema, const MAX: usize> Schema for Keyed<K, V, MAX> {
    fn schema() -> Json {
        json!({
            "type": "object",
            "propertyNames": K::schema(),
            "additionalProperties": V::schema(),
            "maxProperties": MAX,
        })
    }
}
