//! What each layer says of one setting.

use super::{Explainer, LayerValue, layer_name};
use crate::tenant::node::{Node, Value};

/// What a layer says at a path.
enum Said<'a> {
    /// Nothing.
    Nothing,
    /// This.
    Value(&'a Node),
    /// Something else around it, which takes everything below away.
    Around(&'a Node),
}

impl Explainer {
    /// The layers that say something of a setting, highest first. The first one counts.
    pub(super) fn said(&self, path: &[&str]) -> Vec<LayerValue> {
        let mut found = Vec::new();
        let mut hidden = false;
        for layer in self.layers.iter().rev() {
            let node = match said(&layer.node, path) {
                Said::Nothing => continue,
                Said::Value(node) | Said::Around(node) => node,
            };
            found.push(LayerValue {
                layer: layer_name(&layer.kind),
                place: self.located(node.place),
                value: node.to_json(),
            });
            // Below a list that stands around the setting, nothing is merged.
            hidden |= path.iter().any(|segment| segment.parse::<usize>().is_ok());
            if hidden {
                break;
            }
        }
        found
    }
}

fn said<'a>(node: &'a Node, path: &[&str]) -> Said<'a> {
    let Some((first, rest)) = path.split_first() else { return Said::Value(node) };
    match &node.value {
        Value::Map(_) => node.get(first).map_or(Said::Nothing, |inner| said(inner, rest)),
        Value::List(items) => {
            let item = first.parse::<usize>().ok().and_then(|index| items.get(index));
            item.map_or(Said::Around(node), |item| said(item, rest))
        }
        _ => Said::Around(node),
    }
}
