//! Paths into documents: `Properties.Rules[*].Id`. Where CloudFormation chooses between values with `Fn::If`,
//! a path goes into both.

use std::fmt;

use cel::common::types::{CelList, CelMap, CelMapKey, CelString};
use cel::common::value::Val;
use serde_json::{Value, json};

const IF: &str = "Fn::If";
const NO_VALUE: &str = "AWS::NoValue";

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

/// A node that a path leads to, or the place where it ends.
pub(super) struct Found<'a> {
    /// Keys and indices from the document.
    pub(super) path: Vec<String>,
    /// The node; `None` where it is missing.
    pub(super) value: Option<&'a (dyn Val + 'a)>,
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

    /// Every node that the path leads to in a document, and every place where it misses one.
    #[must_use]
    pub(super) fn find<'a>(&self, document: &'a (dyn Val + 'a)) -> Vec<Found<'a>> {
        let mut found = Vec::new();
        walk(document, &self.steps, &mut Vec::new(), &mut found);
        found
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

fn walk<'a>(value: &'a (dyn Val + 'a), steps: &[Step], path: &mut Vec<String>, found: &mut Vec<Found<'a>>) {
    if let Some(branches) = branches(value) {
        for (index, branch) in branches {
            path.extend([IF.to_string(), index.to_string()]);
            walk(branch, steps, path, found);
            path.truncate(path.len() - 2);
        }
        return;
    }
    let Some((step, rest)) = steps.split_first() else {
        found.push(Found { path: path.clone(), value: Some(value) });
        return;
    };
    let mut go = |key: String, value: &'a (dyn Val + 'a)| {
        path.push(key);
        walk(value, rest, path, found);
        path.pop();
    };
    match step {
        Step::Every => {
            if let Some(list) = value.downcast_ref::<CelList>() {
                for (index, item) in list.inner().iter().enumerate() {
                    go(index.to_string(), &**item);
                }
            } else if let Some(map) = value.downcast_ref::<CelMap>() {
                let mut keys: Vec<&str> = map.inner().keys().filter_map(key_text).collect();
                keys.sort_unstable();
                for key in keys {
                    if let Some(item) = get(map, key) {
                        go(key.to_string(), item);
                    }
                }
            } else {
                walk(value, rest, path, found);
            }
        }
        Step::Key(key) => {
            let inner = match value.downcast_ref::<CelMap>() {
                Some(map) => get(map, key),
                None => value.downcast_ref::<CelList>().and_then(|list| {
                    key.parse::<usize>().ok().and_then(|index| list.inner().get(index)).map(|item| &**item)
                }),
            };
            match inner {
                Some(inner) => go(key.clone(), inner),
                None => {
                    path.push(key.clone());
                    found.push(Found { path: path.clone(), value: None });
                    path.pop();
                }
            }
        }
    }
}

/// The value of a key.
pub(super) fn get<'a>(map: &'a CelMap<'a>, key: &str) -> Option<&'a (dyn Val + 'a)> {
    map.inner().get(&CelMapKey::String(CelString::from(key.to_string()))).map(|value| &**value)
}

pub(super) fn key_text<'a>(key: &'a CelMapKey<'_>) -> Option<&'a str> {
    match key {
        CelMapKey::String(text) => Some(text.inner()),
        _ => None,
    }
}

/// The values between which an `Fn::If` chooses, but for `AWS::NoValue`, each with its index.
fn branches<'a>(value: &'a (dyn Val + 'a)) -> Option<Vec<(usize, &'a (dyn Val + 'a))>> {
    let map = value.downcast_ref::<CelMap>()?;
    if map.inner().len() != 1 {
        return None;
    }
    let list = get(map, IF)?.downcast_ref::<CelList>()?;
    let is_value = |value: &(dyn Val + 'a)| {
        let reference = value.downcast_ref::<CelMap>().and_then(|map| get(map, "Ref"));
        let name = reference.and_then(|name| name.downcast_ref::<CelString>());
        name.is_none_or(|name| name.inner() != NO_VALUE)
    };
    let chosen = list.inner().iter().enumerate().skip(1).map(|(index, item)| (index, &**item));
    Some(chosen.filter(|(_, item)| is_value(*item)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::value::Converted;
    use super::*;

    fn found(document: &serde_json::Value, path: &str) -> Vec<(String, bool)> {
        let converted = Converted::new(document).expect("small");
        let path = Path::parse(path).expect("a path");
        path.find(converted.value()).iter().map(|f| (f.path.join("/"), f.value.is_some())).collect()
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
