//! What differs between two documents, as structures: text that was only moved is no difference.
//!
//! Lists are compared in their order, but where a template or a policy means a set. JSON within a text is
//! compared as JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One place at which two documents differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Keys from the root of the document; an item of a list is `[index]` or `[name]`.
    pub path: Vec<String>,
    /// What stood there; `None` where nothing did.
    pub before: Option<Value>,
    /// What stands there; `None` where nothing does.
    pub after: Option<Value>,
}

impl Difference {
    /// The path as people write it: `Statement[Read].Action`.
    #[must_use]
    pub fn shown_path(&self) -> String {
        let mut text = String::new();
        for part in &self.path {
            if !text.is_empty() && !part.starts_with('[') {
                text.push('.');
            }
            text.push_str(part);
        }
        text
    }
}

/// How values are read below some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// A template: `'5'` and `5` are the same, lists have an order unless [`SETS`] names them.
    Template,
    /// A policy document: every list is a set, and one item is the same as a list of it.
    Policy,
    /// JSON within a text: every word counts.
    Exact,
}

/// Properties whose lists have no order, in all resource types that have them.
const SETS: [&str; 26] = [
    "Aliases",
    "AllowedHeaders",
    "AllowedMethods",
    "AllowedOAuthFlows",
    "AllowedOAuthScopes",
    "AllowedOrigins",
    "Architectures",
    "AutoVerifiedAttributes",
    "CachedMethods",
    "CallbackURLs",
    "CognitoIdentityProviders",
    "DependsOn",
    "ExplicitAuthFlows",
    "ExposedHeaders",
    "IdentityPoolTags",
    "Items",
    "LogoutURLs",
    "ManagedPolicyArns",
    "Origins",
    "Policies",
    "Scopes",
    "SupportedIdentityProviders",
    "Tags",
    "TrustedKeyGroups",
    "UsernameAttributes",
    "WhitelistedNames",
];

/// Keys that name an item of a list, the likeliest first.
const NAMES: [&str; 8] = ["Sid", "PathPattern", "PolicyName", "Key", "Id", "ErrorCode", "ScopeName", "Name"];

/// Every place at which two values differ.
#[must_use]
pub fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<Difference> {
    let mut walk = Walk { path: Vec::new(), found: Vec::new() };
    walk.pair(before, after, Reading::Template, "");
    walk.found
}

fn same(before: &Value, after: &Value, reading: Reading, key: &str) -> bool {
    let mut walk = Walk { path: Vec::new(), found: Vec::new() };
    walk.pair(Some(before), Some(after), reading, key);
    walk.found.is_empty()
}

struct Walk {
    path: Vec<String>,
    found: Vec<Difference>,
}

impl Walk {
    fn pair(&mut self, before: Option<&Value>, after: Option<&Value>, reading: Reading, key: &str) {
        let (before, after) = match (before, after) {
            (None, None) => return,
            (Some(before), Some(after)) => (plain(before), plain(after)),
            (before, after) => return self.report(before, after),
        };
        if before == after {
            return;
        }
        if reading != Reading::Exact
            && let (Some(one), Some(other)) = (embedded(&before), embedded(&after))
        {
            return self.pair(Some(&one), Some(&other), Reading::Exact, "");
        }
        match (&before, &after) {
            (Value::Object(one), Value::Object(other)) if !is_function(one) && !is_function(other) => {
                self.objects(one, other, reading);
            }
            (Value::Array(one), Value::Array(other)) => self.lists(one, other, reading, key),
            (Value::Array(one), other) if reading == Reading::Policy => {
                self.lists(one, std::slice::from_ref(other), reading, key);
            }
            (one, Value::Array(other)) if reading == Reading::Policy => {
                self.lists(std::slice::from_ref(one), other, reading, key);
            }
            (one, other) if reading != Reading::Exact && word(one).is_some() && word(one) == word(other) => {}
            (one, other) => self.report(Some(one), Some(other)),
        }
    }

    fn objects(&mut self, before: &Map<String, Value>, after: &Map<String, Value>, reading: Reading) {
        let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
        for key in keys {
            let below = match reading {
                Reading::Template if key.ends_with("PolicyDocument") => Reading::Policy,
                other => other,
            };
            self.path.push(key.clone());
            self.pair(before.get(key), after.get(key), below, key);
            self.path.pop();
        }
    }

    fn lists(&mut self, before: &[Value], after: &[Value], reading: Reading, key: &str) {
        let unordered = match reading {
            Reading::Template => SETS.contains(&key),
            Reading::Policy => true,
            Reading::Exact => false,
        };
        if let Some(name) = naming(before, after) {
            return self.named(before, after, reading, name, unordered);
        }
        if unordered {
            return self.sets(before, after, reading, key);
        }
        let equal = |(one, other): &(&Value, &Value)| same(one, other, reading, "");
        let head = before.iter().zip(after).take_while(equal).count();
        let (before, after) = (&before[head..], &after[head..]);
        let tail = before.iter().rev().zip(after.iter().rev()).take_while(equal).count();
        let (before, after) = (&before[..before.len() - tail], &after[..after.len() - tail]);
        for index in 0..before.len().max(after.len()) {
            self.at(format!("[{}]", head + index), |walk| {
                walk.pair(before.get(index), after.get(index), reading, "");
            });
        }
    }

    /// Items that are found by their name on both sides.
    fn named(&mut self, before: &[Value], after: &[Value], reading: Reading, name: &str, unordered: bool) {
        let find = |items: &[Value], wanted: &str| {
            items.iter().find(|item| word(&item[name]).as_deref() == Some(wanted)).cloned()
        };
        let names = |items: &[Value]| items.iter().filter_map(|item| word(&item[name])).collect::<Vec<_>>();
        let (had, has) = (names(before), names(after));
        for item in had.iter().chain(has.iter().filter(|item| !had.contains(item))) {
            self.at(format!("[{item}]"), |walk| {
                walk.pair(find(before, item).as_ref(), find(after, item).as_ref(), reading, "");
            });
        }
        let common = |mine: &[String], others: &[String]| {
            mine.iter().filter(|item| others.contains(item)).cloned().collect::<Vec<_>>()
        };
        if !unordered && common(&had, &has) != common(&has, &had) {
            let order = |names: &[String]| Value::from(names.to_vec());
            self.at("[order]".into(), |walk| walk.report(Some(&order(&had)), Some(&order(&has))));
        }
    }

    fn sets(&mut self, before: &[Value], after: &[Value], reading: Reading, key: &str) {
        let mut left: Vec<&Value> = after.iter().collect();
        let mut gone = Vec::new();
        for item in before {
            match left.iter().position(|other| same(item, other, reading, key)) {
                Some(index) => drop(left.remove(index)),
                None => gone.push(item),
            }
        }
        for item in gone {
            self.at("[]".into(), |walk| walk.report(Some(item), None));
        }
        for item in left {
            self.at("[]".into(), |walk| walk.report(None, Some(item)));
        }
    }

    fn at(&mut self, part: String, work: impl FnOnce(&mut Self)) {
        self.path.push(part);
        work(self);
        self.path.pop();
    }

    fn report(&mut self, before: Option<&Value>, after: Option<&Value>) {
        let (before, after) = (before.map(plain), after.map(plain));
        self.found.push(Difference { path: self.path.clone(), before, after });
    }
}

/// The key that names each item of both lists, where one does and no name is there twice.
fn naming(before: &[Value], after: &[Value]) -> Option<&'static str> {
    if before.is_empty() && after.is_empty() {
        return None;
    }
    NAMES.into_iter().find(|name| {
        [before, after].iter().all(|items| {
            let mut seen = BTreeSet::new();
            items.iter().all(|item| word(&item[*name]).is_some_and(|word| seen.insert(word)))
        })
    })
}

/// A scalar as CloudFormation hands it to a service.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_function(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.keys().all(|key| key == "Ref" || key == "Condition" || key.starts_with("Fn::"))
}

/// The same value in one spelling: functions that say nothing more than another one are that other one.
fn plain(value: &Value) -> Value {
    let Value::Object(map) = value else { return value.clone() };
    if let Some(Value::String(text)) = map.get("Fn::Sub").filter(|_| map.len() == 1) {
        let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        return match inner.filter(|name| !name.contains("${") && !name.starts_with('!')) {
            Some(name) => match name.split_once('.') {
                Some((resource, attribute)) => serde_json::json!({ "Fn::GetAtt": [resource, attribute] }),
                None => serde_json::json!({ "Ref": name }),
            },
            None if !text.contains("${") => Value::String(text.clone()),
            None => value.clone(),
        };
    }
    if let Some(Value::String(path)) = map.get("Fn::GetAtt").filter(|_| map.len() == 1)
        && let Some((resource, attribute)) = path.split_once('.')
    {
        return serde_json::json!({ "Fn::GetAtt": [resource, attribute] });
    }
    value.clone()
}

/// The JSON object or list that a text holds, where it does.
fn embedded(value: &Value) -> Option<Value> {
    let text = value.as_str().or_else(|| value.get("Fn::Sub").and_then(Value::as_str))?;
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok().filter(|inner: &Value| inner.is_object() || inner.is_array())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(before: &Value, after: &Value) -> Vec<String> {
        differences(Some(before), Some(after)).iter().map(Difference::shown_path).collect()
    }

    #[test]
    fn text_that_was_only_moved_is_no_difference() {
        for (before, after) in [
            (json!({"A": 1, "B": {"C": true}}), json!({"B": {"C": "true"}, "A": "1"})),
            (json!({"AllowedMethods": ["GET", "HEAD"]}), json!({"AllowedMethods": ["HEAD", "GET"]})),
            (json!({"V": {"Fn::Sub": "${A.Arn}"}}), json!({"V": {"Fn::GetAtt": ["A", "Arn"]}})),
            (json!({"V": {"Fn::GetAtt": "A.Arn"}}), json!({"V": {"Fn::GetAtt": ["A", "Arn"]}})),
            (json!({"V": {"Fn::Sub": "plain"}}), json!({"V": "plain"})),
            (
                json!({"Value": {"Fn::Sub": "{\"a\": 1, \"h\": [\"${D}\"]}"}}),
                json!({"Value": {"Fn::Sub": "{ \"h\":[\"${D}\"],\"a\":1}"}}),
            ),
            (
                json!({"PolicyDocument": {"Statement": [
                    {"Sid": "A", "Action": "s3:Get", "Resource": ["x", "y"]}, {"Sid": "B"}]}}),
                json!({"PolicyDocument": {"Statement": [
                    {"Sid": "B"}, {"Sid": "A", "Action": ["s3:Get"], "Resource": ["y", "x"]}]}}),
            ),
            (
                json!({"AssumeRolePolicyDocument": {"Statement": {"Effect": "Allow", "Action": "a"}}}),
                json!({"AssumeRolePolicyDocument": {"Statement": [{"Action": ["a"], "Effect": "Allow"}]}}),
            ),
        ] {
            assert_eq!(paths(&before, &after), Vec::<String>::new(), "{before} {after}");
        }
    }

    #[test]
    fn a_difference_names_the_place_and_both_values() {
        let before = json!({"PolicyDocument": {"Statement": [{"Sid": "A", "Action": ["a", "b"]}]}});
        let after = json!({"PolicyDocument": {"Statement": [{"Sid": "A", "Action": ["b", "c"]}]}});
        let found = differences(Some(&before), Some(&after));
        assert_eq!(paths(&before, &after), vec!["PolicyDocument.Statement[A].Action[]"; 2]);
        assert_eq!((&found[0].before, &found[0].after), (&Some(json!("a")), &None));
        assert_eq!((&found[1].before, &found[1].after), (&None, &Some(json!("c"))));
    }

    #[test]
    fn json_within_a_text_is_compared_word_by_word() {
        let side = |minutes: Value| json!({"Value": {"Fn::Sub": json!({"cookie": {"minutes": minutes}}).to_string()}});
        assert_eq!(paths(&side(json!(60)), &side(json!(90))), ["Value.cookie.minutes"]);
        assert_eq!(paths(&side(json!(60)), &side(json!("60"))), ["Value.cookie.minutes"]);
        let list = |items: Value| json!({"Value": items.to_string()});
        assert_eq!(paths(&list(json!(["a", "b"])), &list(json!(["b", "a"]))), ["Value[0]", "Value[1]"]);
    }

    #[test]
    fn the_order_of_behaviours_counts_and_that_of_tags_does_not() {
        let side = |paths: &[&str]| {
            let items: Vec<Value> = paths.iter().map(|path| json!({"PathPattern": path})).collect();
            json!({"CacheBehaviors": items})
        };
        assert_eq!(paths(&side(&["/a", "/b"]), &side(&["/b", "/a"])), ["CacheBehaviors[order]"]);
        assert_eq!(paths(&side(&["/a", "/b"]), &side(&["/a", "/c", "/b"])), ["CacheBehaviors[/c]"]);
        let tags = |keys: &[&str]| {
            let items: Vec<Value> = keys.iter().map(|key| json!({"Key": key, "Value": "v"})).collect();
            json!({"Tags": items})
        };
        assert_eq!(paths(&tags(&["a", "b"]), &tags(&["b", "a"])), Vec::<String>::new());
    }

    #[test]
    fn items_without_names_are_compared_in_their_order() {
        let before = json!({"L": ["a", "b", "c"]});
        assert_eq!(paths(&before, &json!({"L": ["a", "x", "b", "c"]})), ["L[1]"]);
        assert_eq!(paths(&before, &json!({"L": ["a", "c"]})), ["L[1]"]);
        assert_eq!(paths(&before, &json!({"L": ["a", "x", "c"]})), ["L[1]"]);
    }
}
