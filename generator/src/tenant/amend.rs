//! A tenant with some settings set otherwise than its files say.

use std::path::Path;

use serde_json::Value as Json;

use super::decode::{Decode, Decoder};
use super::layers::merge;
use super::load::{LoadError, layers};
use super::node::{Entry, Node, Value};
use super::problem::Problems;
use super::source::Place;
use super::{Settings, Tenant, rules};

/// A setting by its keys, and what it becomes.
pub type Amendment = (Vec<String>, Json);

/// The tenant as its files say, but for these settings.
///
/// # Errors
/// As of loading: files that cannot be read, and values that no setting takes.
pub fn amended(folder: &Path, tenant: &Tenant, changes: &[Amendment]) -> Result<Tenant, LoadError> {
    let (sources, layers) = layers(folder, &tenant.name)?;
    let mut decoder = Decoder::default();
    let merged = layers.into_iter().map(|layer| layer.node).reduce(merge);
    let settings = merged.and_then(|mut node| {
        for (path, value) in changes {
            put(&mut node, path, value);
        }
        Settings::decode(&node, &mut decoder)
    });
    if let Some(settings) = &settings {
        decoder.problems.extend(rules::check(&tenant.name, settings));
    }
    match settings {
        Some(settings) if decoder.problems.is_empty() => {
            Ok(Tenant::new(&tenant.organisation, &tenant.name, settings))
        }
        _ => Err(Box::new(Problems::new(sources, decoder.problems)).into()),
    }
}

fn put(node: &mut Node, path: &[String], json: &Json) {
    let Some((first, rest)) = path.split_first() else {
        *node = of_json(json, node.place);
        return;
    };
    let place = node.place;
    match &mut node.value {
        Value::List(items) => {
            if let Some(item) = first.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                put(item, rest, json);
            }
        }
        Value::Map(entries) => match entries.iter_mut().find(|entry| entry.key == *first) {
            Some(entry) => put(&mut entry.node, rest, json),
            None => {
                let mut inner = Node::empty_map(place);
                put(&mut inner, rest, json);
                entries.push(Entry { key: first.clone(), key_place: place, node: inner });
            }
        },
        _ => {
            *node = Node::empty_map(place);
            put(node, path, json);
        }
    }
}

fn of_json(json: &Json, place: Place) -> Node {
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::NAN)), Value::Int)
        }
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(|item| of_json(item, place)).collect()),
        Json::Object(map) => {
            let entry = |(key, value): (&String, &Json)| Entry {
                key: key.clone(),
                key_place: place,
                node: of_json(value, place),
            };
            Value::Map(map.iter().map(entry).collect())
        }
    };
    Node { value, place }
}
