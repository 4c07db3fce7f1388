//! From a setting to everything that it reaches.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::{ExplainError, Explainer, LayerValue, allowed, shown};
use crate::render::Source;
use crate::tenant::decode::nearest;

/// A setting: its value, who says so, and what comes of it.
#[derive(Debug, Clone, Serialize)]
pub struct SettingReport {
    /// Dotted path.
    pub setting: String,
    /// The value that counts; `null` where no layer sets one.
    pub value: Value,
    /// What it means, with its unit.
    pub description: String,
    /// What it may be.
    pub allowed: String,
    /// The layer that set it.
    pub set_by: Option<LayerValue>,
    /// What lower layers say, from the highest to the lowest.
    pub overrides: Vec<LayerValue>,
    /// Properties whose value it is, or is a part of.
    pub reaches: Vec<Reach>,
    /// Properties that stand in the document, or have another form, because of it.
    pub decides: Vec<Reach>,
}

/// A property of a rendered template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reach {
    /// `stack/Resource.Property`, as `explain` takes it.
    pub property: String,
    /// `file:line` of the template; `None` for what generator adds to every resource.
    pub template: Option<String>,
}

impl Explainer {
    /// Explains a setting by its dotted path.
    ///
    /// # Errors
    /// [`ExplainError::Unknown`] with the nearest known key.
    pub fn setting(&self, path: &str) -> Result<SettingReport, ExplainError> {
        let segments: Vec<&str> = path.split('.').collect();
        let Some(schema) = allowed::find(&self.schema, &segments) else {
            return Err(self.unknown(path, &segments));
        };
        if allowed::is_section(schema) {
            let keys = allowed::keys(&self.schema, &segments);
            let keys: Vec<_> = keys.iter().map(|key| format!("`{path}.{key}`")).collect();
            return Err(ExplainError::Unknown {
                message: format!("`{path}` is a section, not a setting"),
                help: format!("its settings are {}", keys.join(", ")),
            });
        }
        let mut said = self.said(&segments).into_iter();
        let set_by = said.next();
        let (reaches, decides) = self.reached(path);
        Ok(SettingReport {
            setting: path.to_string(),
            value: set_by.as_ref().map_or(Value::Null, |said| said.value.clone()),
            description: schema.get("description").and_then(Value::as_str).unwrap_or_default().to_string(),
            allowed: allowed::words(schema),
            set_by,
            overrides: said.collect(),
            reaches,
            decides,
        })
    }

    /// What a setting is the value of, and what it only decides about.
    fn reached(&self, path: &str) -> (Vec<Reach>, Vec<Reach>) {
        let (mut reaches, mut decides) = (BTreeSet::new(), BTreeSet::new());
        for trace in &self.traces {
            for (at, origin) in &trace.origins {
                let template = origin.template.as_ref().map(|at| format!("{}:{}", at.file, at.line));
                let stack = trace.stack.as_str();
                if origin.sources.iter().any(|source| is_setting(source, path)) {
                    reaches.insert(Reach { property: format!("{stack}/{}", shown(at)), template });
                } else if origin.conditions.iter().any(|source| is_setting(source, path)) {
                    // A block that depends on a setting often holds a whole resource: its parts add nothing.
                    let whole: Vec<_> = shown(at).split('.').take(2).map(str::to_string).collect();
                    decides
                        .insert(Reach { property: format!("{stack}/{}", whole.join(".")), template: None });
                }
            }
        }
        (reaches.into_iter().collect(), decides.into_iter().collect())
    }

    fn unknown(&self, path: &str, segments: &[&str]) -> ExplainError {
        let known = (0..segments.len()).rev().find(|length| {
            allowed::find(&self.schema, &segments[..*length]).is_some_and(allowed::is_section)
        });
        let (before, key) = segments.split_at(known.unwrap_or_default());
        let prefix = before.iter().map(|segment| format!("{segment}.")).collect::<String>();
        let keys: Vec<String> =
            allowed::keys(&self.schema, before).iter().map(|key| format!("{prefix}{key}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let wanted = format!("{prefix}{}", key.first().copied().unwrap_or_default());
        ExplainError::Unknown {
            message: format!("there is no setting `{path}`"),
            help: nearest(&wanted, &keys).replace("known keys here", "settings"),
        }
    }
}

/// Whether a source is this setting, a part of it, or a list or map around it.
fn is_setting(source: &Source, path: &str) -> bool {
    let Source::Setting(setting) = source else { return false };
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    within(setting, path) || within(path, setting)
}
