//! Arguments: what a component gave, and what each becomes in a document.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::rendered::ParameterSource;
use crate::program::output::{AROUND_MARK, ARTIFACT_MARK, JSON_MARK, OUTPUT_MARK};
use crate::program::{Artifact, ArtifactFact, StackId};
use crate::tenant::decode::SETTING_MARK;

/// A component's arguments, with the marks of settings taken off and remembered.
#[derive(Debug)]
pub(super) struct Arguments {
    /// What the template sees.
    pub plain: Value,
    /// Which setting an argument came from, by the argument's dotted path.
    pub settings: BTreeMap<String, String>,
}

impl Arguments {
    pub(super) fn new(marked: &Value) -> Self {
        let mut settings = BTreeMap::new();
        let plain = strip(marked, &mut String::new(), &mut settings);
        Self { plain, settings }
    }

    /// The argument at a path that a token names.
    pub(super) fn get(&self, path: &[String]) -> Option<&Value> {
        path.iter().try_fold(&self.plain, |value, segment| match value {
            Value::Object(map) => map.get(segment),
            Value::Array(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The setting that an argument, or the nearest thing around it, came from.
    pub(super) fn setting_of(&self, path: &[String]) -> Option<&String> {
        (1..=path.len()).rev().find_map(|length| self.settings.get(&path[..length].join(".")))
    }

    /// What to call an argument in a message: its setting where it has one.
    pub(super) fn setting(&self, path: &[String]) -> String {
        self.setting_of(path).cloned().unwrap_or_else(|| path.join("."))
    }
}

fn strip(marked: &Value, path: &mut String, settings: &mut BTreeMap<String, String>) -> Value {
    match marked {
        Value::Object(map) => {
            if let (Some(Value::String(setting)), Some(value)) = (map.get(SETTING_MARK), map.get("value")) {
                settings.insert(path.clone(), setting.clone());
                return strip(value, path, settings);
            }
            let inner = |(key, value): (&String, &Value)| {
                (key.clone(), within(path, key, |path| strip(value, path, settings)))
            };
            Value::Object(map.iter().map(inner).collect())
        }
        Value::Array(items) => {
            let inner = |(index, value): (usize, &Value)| {
                within(path, &index.to_string(), |path| strip(value, path, settings))
            };
            Value::Array(items.iter().enumerate().map(inner).collect())
        }
        other => other.clone(),
    }
}

fn within<T>(path: &mut String, segment: &str, f: impl FnOnce(&mut String) -> T) -> T {
    let length = path.len();
    if length > 0 {
        path.push('.');
    }
    path.push_str(segment);
    let result = f(path);
    path.truncate(length);
    result
}

/// What a stack takes from outside: its parameters by name, and which outputs other stacks must give.
#[derive(Debug, Default)]
pub(super) struct Wiring {
    /// Parameters of this stack.
    pub parameters: BTreeMap<String, ParameterSource>,
    /// Outputs that other stacks must have, by stack and name, with the intrinsic that yields them.
    pub exports: BTreeMap<(StackId, String), Value>,
}

/// How an argument appears in a document.
#[derive(Debug)]
pub(super) enum Shown {
    /// As this value.
    Value(Value),
    /// As something that CloudFormation knows when it runs: the name within `${}` of an `Fn::Sub`.
    Runtime { intrinsic: Value, variable: String },
    /// As a text that CloudFormation puts together: the argument of an `Fn::Sub`.
    Sub(String),
}

/// Resolves an argument of a component in `stack`.
pub(super) fn show(value: &Value, stack: StackId, wiring: &mut Wiring) -> Shown {
    let Value::Object(map) = value else { return nested(value, stack, wiring) };
    if let Some(Value::String(logical_id)) = map.get(OUTPUT_MARK) {
        return output(logical_id, map, stack, wiring);
    }
    if let Some(Value::String(word)) = map.get(ARTIFACT_MARK) {
        return artifact(word, map.get("fact").and_then(Value::as_str).unwrap_or_default(), wiring);
    }
    if let Some(output) = map.get(AROUND_MARK) {
        let before = map.get("before").and_then(Value::as_str).unwrap_or_default();
        return match show(output, stack, wiring) {
            Shown::Runtime { variable, .. } => Shown::Sub(format!("{}${{{variable}}}", literal(before))),
            other => other,
        };
    }
    if let Some(document) = map.get(JSON_MARK) {
        return Shown::Sub(json_text(document, stack, wiring));
    }
    nested(value, stack, wiring)
}

/// A plain value; outputs within it become intrinsics where they stand.
fn nested(value: &Value, stack: StackId, wiring: &mut Wiring) -> Shown {
    let mut inner = |value: &Value| into_value(show(value, stack, wiring));
    Shown::Value(match value {
        Value::Array(items) => Value::Array(items.iter().map(inner).collect()),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), inner(value))).collect())
        }
        other => other.clone(),
    })
}

/// The value that a whole scalar becomes.
pub(super) fn into_value(shown: Shown) -> Value {
    match shown {
        Shown::Value(value) | Shown::Runtime { intrinsic: value, .. } => value,
        Shown::Sub(text) if text.contains("${") => json!({ "Fn::Sub": text }),
        Shown::Sub(text) => Value::String(text),
    }
}

fn output(logical_id: &str, map: &Map<String, Value>, stack: StackId, wiring: &mut Wiring) -> Shown {
    let attribute = map.get("attribute").and_then(Value::as_str);
    let home = map.get("stack").and_then(Value::as_str).and_then(StackId::from_word).unwrap_or(stack);
    let (intrinsic, variable) = match attribute {
        None => (json!({ "Ref": logical_id }), logical_id.to_string()),
        Some(attribute) => {
            (json!({ "Fn::GetAtt": [logical_id, attribute] }), format!("{logical_id}.{attribute}"))
        }
    };
    if home == stack {
        return Shown::Runtime { intrinsic, variable };
    }
    // `Ref` yields the id for every resource that is referred to across stacks.
    let name = format!("{logical_id}{}", attribute.unwrap_or("Id").replace('.', ""));
    wiring.exports.insert((home, name.clone()), intrinsic);
    let source = if map.get("later") == Some(&Value::Bool(true)) {
        ParameterSource::LaterOutput { stack: home, output: name.clone() }
    } else {
        ParameterSource::Output { stack: home, output: name.clone() }
    };
    wiring.parameters.insert(name.clone(), source);
    Shown::Runtime { intrinsic: json!({ "Ref": name }), variable: name }
}

fn artifact(word: &str, fact: &str, wiring: &mut Wiring) -> Shown {
    let artifact = Artifact::ALL.into_iter().find(|artifact| artifact.as_str() == word);
    let fact = [ArtifactFact::Bucket, ArtifactFact::Key, ArtifactFact::CodeSha256]
        .into_iter()
        .find(|known| known.as_str() == fact);
    let (Some(artifact), Some(fact)) = (artifact, fact) else { return Shown::Value(Value::Null) };
    let name = match (artifact, fact) {
        (_, ArtifactFact::Bucket) => "ArtifactsBucket".to_string(),
        (Artifact::Signer, ArtifactFact::Key) => "SignerKey".to_string(),
        (Artifact::Signer, ArtifactFact::CodeSha256) => "SignerCodeSha256".to_string(),
        (Artifact::Rotator, ArtifactFact::Key) => "RotatorKey".to_string(),
        (Artifact::Rotator, ArtifactFact::CodeSha256) => "RotatorCodeSha256".to_string(),
    };
    wiring.parameters.insert(name.clone(), ParameterSource::Artifact { artifact, fact });
    Shown::Runtime { intrinsic: json!({ "Ref": name }), variable: name }
}

/// Whether a map stands for something that is not a plain map.
pub(super) fn is_marked(map: &Map<String, Value>) -> bool {
    map.contains_key(JSON_MARK) || MARKS.iter().any(|mark| map.contains_key(*mark))
}

/// Marks of values that only CloudFormation knows.
const MARKS: [&str; 3] = [OUTPUT_MARK, ARTIFACT_MARK, AROUND_MARK];

/// A JSON document as the text of an `Fn::Sub`: outputs become variables, everything else is literal.
fn json_text(document: &Value, stack: StackId, wiring: &mut Wiring) -> String {
    match document {
        Value::Object(map) if MARKS.iter().any(|mark| map.contains_key(*mark)) => {
            match show(document, stack, wiring) {
                Shown::Runtime { variable, .. } => format!("\"${{{variable}}}\""),
                Shown::Sub(text) => format!("\"{text}\""),
                Shown::Value(value) => literal(&value.to_string()),
            }
        }
        Value::Object(map) => {
            let fields: Vec<_> = map
                .iter()
                .map(|(key, value)| {
                    let key = literal(&Value::String(key.clone()).to_string());
                    format!("{key}:{}", json_text(value, stack, wiring))
                })
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| json_text(item, stack, wiring)).collect();
            format!("[{}]", items.join(","))
        }
        scalar => literal(&scalar.to_string()),
    }
}

/// A text that `Fn::Sub` leaves as it is: `${a}` is written `${!a}`.
pub(super) fn literal(text: &str) -> String {
    text.replace("${", "${!")
}

/// Whether a text holds a `${` that meets no `}` before its end or before another `${`: where CloudFormation
/// would look for the end of such a literal is not documented, and what follows could be swallowed.
pub(super) fn is_open(text: &str) -> bool {
    text.split("${").skip(1).any(|rest| !rest.contains('}'))
}
