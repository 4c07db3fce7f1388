//! The line of a tenant's files that a setting or a rendered node comes from, for findings.

use super::Explainer;
use crate::policy::Spot;
use crate::render::{Origin, Source, StackTrace};
use crate::tenant::layers::LayerKind;
use crate::tenant::node::{Node, Value};
use crate::tenant::source::Place;

impl Explainer {
    /// Where a setting is set. What no file sets is where the tenant's own file would: at the section that
    /// stands there, or its beginning.
    #[must_use]
    pub fn setting_spot(&self, path: &[&str]) -> Option<Spot> {
        let mut own = None;
        for layer in self.layers.iter().rev() {
            let (depth, place) = deepest(&layer.node, path);
            if layer.kind == LayerKind::Tenant {
                own = Some(if depth == 0 { Place::start_of(place.source) } else { place });
            }
            if depth == path.len() && layer.kind != LayerKind::Builtin {
                return Some(self.spot(place));
            }
        }
        own.map(|place| self.spot(place))
    }

    /// Where a node of a rendered stack comes from: a line of the tenant's files, and `file:line` of the
    /// template. Of several settings behind a node, one that `hint` names comes first.
    #[must_use]
    pub fn document_spot(&self, stack: &str, path: &[String], hint: &str) -> (Option<Spot>, Option<String>) {
        let Some(trace) = self.traces.iter().find(|trace| trace.stack.as_str() == stack) else {
            return (self.setting_spot(&[]), None);
        };
        let own = below(trace, path);
        // What is missing stands nowhere: the nearest thing around it tells the template.
        let around =
            (0..path.len()).rev().map(|length| below(trace, &path[..length])).find(|all| !all.is_empty());
        let near = if own.is_empty() { around.unwrap_or_default() } else { own.clone() };
        let template = near.iter().filter_map(|origin| origin.template.as_ref()).min();
        let template = template.map(|at| format!("{}:{}", at.file, at.line));
        let settings = |of: fn(&Origin) -> &[Source]| -> Vec<String> {
            let all = own.iter().flat_map(|origin| of(origin));
            let named = all.filter_map(|source| match source {
                Source::Setting(path) => Some(path.clone()),
                _ => None,
            });
            named.collect()
        };
        let (direct, deciding) = (settings(|o| &o.sources), settings(|o| &o.conditions));
        // Tags repeat the labels on every resource: what matters of it is seldom they.
        let is_label = |path: &String| path.starts_with("labels.");
        let hinted = |all: &[String]| all.iter().find(|path| hint.contains(&format!("`{path}`"))).cloned();
        let chosen = hinted(&direct)
            .or_else(|| hinted(&deciding))
            .or_else(|| direct.iter().find(|path| !is_label(path)).cloned())
            .or_else(|| deciding.first().cloned())
            .or_else(|| direct.first().filter(|_| path.iter().any(|key| key.ends_with("Tags"))).cloned());
        let segments: Vec<&str> = chosen.as_deref().map(|path| path.split('.').collect()).unwrap_or_default();
        (self.setting_spot(&segments), template)
    }

    fn spot(&self, place: Place) -> Spot {
        let source = self.sources.get(place.source);
        let line = usize::try_from(place.line).unwrap_or(1).saturating_sub(1);
        Spot {
            file: source.path.clone(),
            line: place.line,
            column: place.column,
            length: (place.end.saturating_sub(place.start) as usize).max(1),
            text: source.text.lines().nth(line).unwrap_or_default().to_string(),
        }
    }
}

/// The origins of everything at or below a path.
fn below<'t>(trace: &'t StackTrace, path: &[String]) -> Vec<&'t Origin> {
    let from = trace.origins.range(path.to_vec()..);
    from.take_while(|(at, _)| at.starts_with(path)).map(|(_, origin)| origin).collect()
}

/// How far a layer goes along a path, and where that stands.
fn deepest(node: &Node, path: &[&str]) -> (usize, Place) {
    let (mut node, mut depth, mut place) = (node, 0, node.place);
    for segment in path {
        let inner = match &node.value {
            Value::Map(entries) => {
                entries.iter().find(|entry| entry.key == *segment).map(|entry| (&entry.node, entry.key_place))
            }
            Value::List(items) => segment
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get(index))
                .map(|item| (item, item.place)),
            _ => None,
        };
        let Some((inner, key_place)) = inner else { break };
        (node, depth) = (inner, depth + 1);
        // A section is marked at its key, a value where it stands.
        place = if matches!(inner.value, Value::Map(_) | Value::List(_)) { key_place } else { inner.place };
    }
    (depth, place)
}
