//! Labels: free words by which tenants are selected.

use std::collections::BTreeMap;

use super::decode::{Decode, Decoder, Scalar, Setting};
use super::node::{Node, Value};
use super::problem::Problem;
use super::source::Place;
use super::values::Label;

/// Prefixes that AWS or this tool keep for tags of their own.
const RESERVED: [&str; 2] = ["aws", "generator"];

/// The labels of a tenant, by key.
#[derive(Debug, Clone, Default)]
pub struct Labels(pub BTreeMap<String, Setting<Label>>);

impl Decode for Labels {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            decoder.wrong_kind(node, "a map");
            return None;
        };
        let mut labels = BTreeMap::new();
        for entry in entries {
            let key = Node { value: Value::Text(entry.key.clone()), place: entry.key_place };
            let good_key = Label::scalar(&key, decoder).is_some();
            if RESERVED.iter().any(|word| entry.key.to_lowercase().starts_with(word)) {
                let message = format!("the label `{}` begins with a reserved word", entry.key);
                let help = format!("labels become tags, where {} are taken", RESERVED.join(" and "));
                decoder.refuse(Problem::new(entry.key_place, message).help(help));
            } else if let Some(value) = decoder.field(entries, node.place, &entry.key).filter(|_| good_key) {
                labels.insert(entry.key.clone(), value);
            }
        }
        Some(Self(labels))
    }

    fn absent(_: Place, _: &mut Decoder) -> Option<Self> {
        Some(Self::default())
    }
}
