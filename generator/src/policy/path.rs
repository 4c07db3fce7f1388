//! Paths into documents: `Properties.Rules[*].Id`. Where CloudFormation chooses between values with `Fn::If`,
//! a path goes into both.

use std::fmt;

use serde_json::{Value, json};

use super::input::get;

/// Chooses between two values.
pub(super) const IF: &str = "Fn::If";
/// What a `Ref` names where there is to be no value.
pub(super) const NO_VALUE: &str = "AWS::NoValue";

/// A path; empty for the document itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    /// Every item of a list or map; of anything else, the value itself.
    Every,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("[*]") {
                steps.push(Step::Every);
                rest = after.strip_prefix('.').unwrap_or(after);
                continue;
            }
            let (key, after) = match rest.strip_prefix("['") {
                Some(quoted) => quoted.split_once("']").ok_or("`['` has no `']`")?,
                None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
            };
            if key.is_empty() || key.contains('*') {
                return Err("write it as `Properties.Rules[*].Id`".into());
            }
            steps.push(Step::Key(key.to_string()));
            rest = match after.strip_prefix('.') {
                Some("") => return Err("it ends with a dot".into()),
                Some(after) => after,
                None => after,
            };
        }
        Ok(Self { steps })
    }

    /// The keys, where the path fans out nowhere.
    #[must_use]
    pub(super) fn keys(&self) -> Option<Vec<&str>> {
        let key = |step: &'_ Step| match step {
            Step::Key(_) => true,
            Step::Every => false,
        };
        self.steps.iter().all(key).then(|| self.leading_keys())
    }

    /// The keys before the first fan-out.
    #[must_use]
    pub(super) fn leading_keys(&self) -> Vec<&str> {
        let keys = self.steps.iter().map_while(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Every => None,
        });
        keys.collect()
    }

    /// A document that has this node where the path leads; each fan-out is a list of one.
    pub(super) fn around(&self, node: Value) -> Value {
        self.steps.iter().rev().fold(node, |inner, step| match step {
            Step::Key(key) => json!({ key: inner }),
            Step::Every => json!([inner]),
        })
    }

    /// Tells `each` of every node that the path leads to in a document, and of every place where it misses one.
    pub(super) fn find<'a>(&'a self, document: &'a Value, each: &mut Each<'_, 'a>) {
        walk(document, &self.steps, &mut Vec::new(), each);
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Every => f.write_str("[*]")?,
                Step::Key(key) if key.contains(['.', '[']) => write!(f, "['{key}']")?,
                Step::Key(key) => write!(f, "{}{key}", if index > 0 { "." } else { "" })?,
            }
        }
        Ok(())
    }
}

/// A step that was taken: a key, or the index of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key<'a> {
    Name(&'a str),
    Index(usize),
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Name(name) => f.write_str(name),
            Key::Index(index) => write!(f, "{index}"),
        }
    }
}

/// Is told of a node, with the steps to it; of `None` where the last step misses.
type Each<'e, 'a> = dyn FnMut(&[Key<'a>], Option<&'a Value>) + 'e;

fn walk<'a>(value: &'a Value, steps: &'a [Step], path: &mut Vec<Key<'a>>, each: &mut Each<'_, 'a>) {
    if let Some(branches) = branches(value) {
        for (index, branch) in branches {
            path.extend([Key::Name(IF), Key::Index(index)]);
            walk(branch, steps, path, each);
            path.truncate(path.len() - 2);
        }
        return;
    }
    let Some((step, rest)) = steps.split_first() else { return each(path, Some(value)) };
    let mut go = |key: Key<'a>, value: &'a Value| {
        path.push(key);
        walk(value, rest, path, each);
        path.pop();
    };
    match (step, value) {
        (Step::Every, Value::Array(items)) => {
            items.iter().enumerate().for_each(|(index, item)| go(Key::Index(index), item));
        }
        (Step::Every, Value::Object(map)) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            entries.into_iter().for_each(|(key, item)| go(Key::Name(key), item));
        }
        (Step::Every, scalar) => walk(scalar, rest, path, each),
        (Step::Key(key), value) => {
            let inner = match value {
                Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
                Value::Object(map) => get(map, key),
                _ => None,
            };
            match inner {
                Some(inner) => go(Key::Name(key), inner),
                None => {
                    path.push(Key::Name(key));
                    each(path, None);
                    path.pop();
                }
            }
        }
    }
}

/// The values between which an `Fn::If` chooses, but for `AWS::NoValue`, each with its index.
fn branches(value: &Value) -> Option<impl Iterator<Item = (usize, &Value)>> {
    let list = value.as_object().filter(|map| map.len() == 1)?.get(IF)?.as_array()?;
    Some(list.iter().enumerate().skip(1).filter(|(_, item)| !is_no_value(item)))
}

fn is_no_value(value: &Value) -> bool {
    value.get("Ref").and_then(Value::as_str) == Some(NO_VALUE)
}

/// Whether other values, or none, may stand in place of this one: `Fn::If`, and what `Ref` makes of `AWS::NoValue`.
pub(super) fn is_choice(value: &Value) -> bool {
    let is_function = value.as_object().is_some_and(|map| map.len() == 1);
    is_function && (value.get(IF).is_some() || is_no_value(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(document: &Value, path: &str) -> Vec<(String, bool)> {
        let path = Path::parse(path).expect("a path");
        let mut found = Vec::new();
        path.find(document, &mut |keys, value| {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            found.push((keys.join("/"), value.is_some()));
        });
        found
    }

    fn owned(expected: &[(&str, bool)]) -> Vec<(String, bool)> {
        expected.iter().map(|(path, is)| ((*path).to_string(), *is)).collect()
    }

    #[test]
    fn fans_out_over_lists_maps_and_single_values() {
        let document = json!({ "L": [{ "a": 1 }, { "b": 2 }], "M": { "y": 1, "x": 2 }, "S": "one" });
        assert_eq!(found(&document, "L[*].a"), owned(&[("L/0/a", true), ("L/1/a", false)]));
        assert_eq!(found(&document, "M[*]"), owned(&[("M/x", true), ("M/y", true)]));
        assert_eq!(found(&document, "S[*]"), owned(&[("S", true)]));
        assert_eq!(found(&document, "N[*].a"), owned(&[("N", false)]));
        assert_eq!(found(&document, ""), owned(&[("", true)]));
    }

    #[test]
    fn both_branches_of_a_choice_are_judged() {
        let document =
            json!({ "L": [{ "Fn::If": ["C", { "a": 1 }, { "Ref": "AWS::NoValue" }] }, { "a": 2 }] });
        assert_eq!(found(&document, "L[*].a"), owned(&[("L/0/Fn::If/1/a", true), ("L/1/a", true)]));
    }

    #[test]
    fn keys_with_dots_are_quoted() {
        let path = Path::parse("a['b.c'][*].d").expect("a path");
        assert_eq!(path.to_string(), "a['b.c'][*].d");
        for wrong in ["a.", "a..b", "a[0", "*", "a['b"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }
}
