//! Layers of settings: built-in defaults, the organisation's defaults, the tier's file, the tenant's own.
//!
//! Maps merge key by key; a list or a scalar of an upper layer replaces what stands below it.

use super::node::{Node, Value};

/// Where a layer of a tenant's settings comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerKind {
    /// The defaults of the tool.
    Builtin,
    /// `_defaults.yaml`.
    Defaults,
    /// A file of `_tiers`, by its name without `.yaml`.
    Tier(String),
    /// The tenant's own file.
    Tenant,
}

/// One layer of a tenant's settings.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Where it comes from.
    pub kind: LayerKind,
    /// What it says, a map.
    pub node: Node,
}

/// Lays `upper` over `lower`.
#[must_use]
pub fn merge(lower: Node, upper: Node) -> Node {
    match (lower.value, upper.value) {
        (Value::Map(mut entries), Value::Map(over)) => {
            for entry in over {
                match entries.iter_mut().find(|below| below.key == entry.key) {
                    Some(below) => {
                        below.key_place = entry.key_place;
                        let lower = std::mem::replace(
                            &mut below.node,
                            Node { value: Value::Null, place: entry.key_place },
                        );
                        below.node = merge(lower, entry.node);
                    }
                    None => entries.push(entry),
                }
            }
            Node { value: Value::Map(entries), place: upper.place }
        }
        (_, value) => Node { value, place: upper.place },
    }
}

#[cfg(test)]
mod tests {
    use super::super::reading::parse;
    use super::super::source::Sources;
    use super::*;

    fn layer(text: &str) -> Node {
        let mut sources = Sources::default();
        let id = sources.add("t.yaml".into(), text.into());
        parse(id, text).unwrap()
    }

    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Map(entries) => {
                let all: Vec<_> = entries.iter().map(|e| format!("{}:{}", e.key, shown(&e.node))).collect();
                format!("{{{}}}", all.join(","))
            }
            Value::List(items) => {
                let all: Vec<_> = items.iter().map(shown).collect();
                format!("[{}]", all.join(","))
            }
            other => other.to_string(),
        }
    }

    #[test]
    fn maps_merge_and_lists_replace() {
        let merged = merge(layer("a: {x: 1, y: 2}\nl: [1, 2]\n"), layer("a: {y: 3, z: 4}\nl: [9]\n"));
        assert_eq!(shown(&merged), "{a:{x:1,y:3,z:4},l:[9]}");
    }

    #[test]
    fn null_takes_a_default_away() {
        assert_eq!(shown(&merge(layer("a: 1\n"), layer("a: null\n"))), "{a:null}");
    }
}
