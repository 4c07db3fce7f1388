//! From a rendered property back to the lines behind it.

use serde::Serialize;
use serde_json::Value;

use super::{ExplainError, Explainer, LayerValue, shown};
use crate::program::StackId;
use crate::render::{DocumentPath, Source, StackTrace, leaves};
use crate::tenant::decode::nearest;

/// Keys of a resource that are not properties.
const ATTRIBUTES: [&str; 7] =
    ["Type", "Properties", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"];
/// Longest list of names that a hint gives.
const LISTED: usize = 40;

/// A property of a rendered template, and where each of its scalars comes from.
#[derive(Debug, Clone, Serialize)]
pub struct PropertyReport {
    /// `stack/Resource.Property`.
    pub property: String,
    /// What stands there, functions in their long form.
    pub value: Value,
    /// Its scalars.
    pub scalars: Vec<ScalarReport>,
}

/// One scalar and where it comes from.
#[derive(Debug, Clone, Serialize)]
pub struct ScalarReport {
    /// Path below the property; empty where the property is the scalar.
    pub path: String,
    /// The scalar.
    pub value: Value,
    /// `file:line` of the template; `None` for what generator adds.
    pub template: Option<String>,
    /// What it was made from. Empty where the template says it all.
    pub sources: Vec<SourceReport>,
    /// What decided that it stands there.
    pub because_of: Vec<SourceReport>,
}

/// What a scalar was made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum SourceReport {
    /// A setting.
    Setting {
        /// Dotted path.
        setting: String,
        /// The layer that set it; `None` where no layer does.
        set_by: Option<LayerValue>,
    },
    /// A resource's value at run time.
    Output {
        /// `stack/Resource.Attribute`.
        output: String,
    },
    /// A runtime artifact.
    Artifact {
        /// Which artifact.
        artifact: String,
        /// Which fact of it.
        fact: String,
    },
    /// The program.
    Program {
        /// The component.
        component: String,
        /// Its argument.
        argument: String,
    },
    /// Generator, for every document alike.
    Generator {
        /// What it is.
        what: &'static str,
    },
}

impl Explainer {
    /// Explains a property of one of the stacks.
    ///
    /// # Errors
    /// [`ExplainError::Unknown`] with the nearest known name.
    pub fn property(&self, stack: &str, path: &str) -> Result<PropertyReport, ExplainError> {
        let trace =
            StackId::from_word(stack).and_then(|id| self.traces.iter().find(|trace| trace.stack == id));
        let Some(trace) = trace else {
            let known: Vec<_> = self.traces.iter().map(|trace| trace.stack.as_str()).collect();
            return Err(ExplainError::Unknown {
                message: format!("there is no stack `{stack}`"),
                help: nearest(stack, &known).replace("known keys here", "stacks"),
            });
        };
        let (at, value) = find(trace, path)?;
        let mut scalars = Vec::new();
        leaves(value, &mut at.clone(), &mut |leaf, value| {
            let origin = trace.origins.get(leaf).cloned().unwrap_or_default();
            scalars.push(ScalarReport {
                path: leaf[at.len()..].join("."),
                value: value.clone(),
                template: origin.template.map(|at| format!("{}:{}", at.file, at.line)),
                sources: origin.sources.iter().map(|source| self.source(source)).collect(),
                because_of: origin.conditions.iter().map(|source| self.source(source)).collect(),
            });
        });
        Ok(PropertyReport { property: format!("{stack}/{}", shown(&at)), value: value.clone(), scalars })
    }

    fn source(&self, source: &Source) -> SourceReport {
        match source {
            Source::Setting(setting) => {
                let segments: Vec<&str> = setting.split('.').collect();
                let set_by = self.said(&segments).into_iter().next();
                SourceReport::Setting { setting: setting.clone(), set_by }
            }
            Source::Output { stack, resource, attribute } => {
                let attribute = attribute.as_ref().map(|name| format!(".{name}")).unwrap_or_default();
                SourceReport::Output { output: format!("{}/{resource}{attribute}", stack.as_str()) }
            }
            Source::Artifact { artifact, fact } => SourceReport::Artifact {
                artifact: artifact.as_str().to_string(),
                fact: fact.as_str().to_string(),
            },
            Source::Program { component, argument } => {
                SourceReport::Program { component: component.clone(), argument: argument.clone() }
            }
            Source::Generator(what) => SourceReport::Generator { what },
        }
    }
}

/// The value at a path as people write it. Keys may hold dots, so the longest key that fits is taken.
fn find<'t>(trace: &'t StackTrace, path: &str) -> Result<(DocumentPath, &'t Value), ExplainError> {
    let (mut at, mut value, mut rest) = (DocumentPath::new(), &trace.document, path);
    let is_section = |key: &str| trace.document.get(key).is_some();
    if !path.split(['.', '[']).next().is_some_and(is_section) {
        at.push("Resources".into());
        value = &value["Resources"];
    }
    while !rest.is_empty() {
        if at.len() == 2 && at[0] == "Resources" && !ATTRIBUTES.contains(&head(rest)) {
            at.push("Properties".into());
            value = &value["Properties"];
        }
        let step = match value {
            Value::Object(map) => map
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), value, after(rest, key)?)))
                .max_by_key(|(key, ..)| key.len()),
            Value::Array(items) => {
                let index = head(rest);
                let item = index.parse::<usize>().ok().and_then(|index| items.get(index));
                item.and_then(|item| Some((index.to_string(), item, after(rest, index)?)))
            }
            _ => None,
        };
        let Some((key, inner, left)) = step else { return Err(unknown(trace, &at, value, rest)) };
        at.push(key);
        value = inner;
        rest = left;
    }
    Ok((at, value))
}

/// The first segment of a path.
fn head(path: &str) -> &str {
    path.split(['.', '[', ']']).next().unwrap_or_default()
}

/// What follows a key at the beginning of a path: `A.b`, `A[0]` and `A.0` all go on after `A`.
fn after<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(key)?;
    let rest = rest.strip_prefix(']').unwrap_or(rest);
    match rest.chars().next() {
        None => Some(rest),
        Some('.' | '[') => Some(&rest[1..]),
        Some(_) => None,
    }
}

fn unknown(trace: &StackTrace, at: &[String], value: &Value, rest: &str) -> ExplainError {
    let stack = trace.stack.as_str();
    let wanted = head(rest);
    let known: Vec<String> = match value {
        Value::Object(map) => map.keys().cloned().collect(),
        Value::Array(items) => (0..items.len()).map(|index| index.to_string()).collect(),
        _ => Vec::new(),
    };
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = match known.as_slice() {
        [] => "nothing stands below it".to_string(),
        known if known.len() > LISTED => format!("{} names stand there", known.len()),
        known => nearest(wanted, known).replace("known keys here", "names there"),
    };
    let below = shown(at);
    let below = if below.is_empty() { String::new() } else { format!("{below}.") };
    ExplainError::Unknown { message: format!("there is no `{below}{wanted}` in stack `{stack}`"), help }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn trace() -> StackTrace {
        let document = json!({ "Resources": { "A": {
            "Type": "T",
            "Properties": { "L": [{ "k.with.dots": 1, "k": { "with": 2 } }] },
        } } });
        StackTrace { stack: StackId::Edge, document, origins: BTreeMap::new() }
    }

    #[test]
    fn paths_are_taken_as_people_write_them() {
        let trace = trace();
        for (path, value) in [
            ("A.Type", json!("T")),
            ("A.L.0.k.with.dots", json!(1)),
            ("A.L[0].k.with", json!(2)),
            ("A.Properties.L", json!([{ "k.with.dots": 1, "k": { "with": 2 } }])),
            ("Resources.A.L.0.k.with", json!(2)),
        ] {
            assert_eq!(find(&trace, path).unwrap().1, &value, "{path}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let trace = trace();
        let ExplainError::Unknown { message, help } = find(&trace, "A.M").unwrap_err() else { panic!() };
        assert_eq!(
            (message.as_str(), help.as_str()),
            ("there is no `A.M` in stack `edge`", "did you mean `L`?")
        );
    }
}
