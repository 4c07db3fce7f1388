//! What a template allows, statement by statement, and what a change of templates allows more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use wildmatch::WildMatch;

/// One side of a change: a template with the values of its parameters.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The template.
    pub template: &'a str,
    /// All parameters with their values.
    pub parameters: &'a BTreeMap<String, String>,
}

/// Both sides of a change.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// What stands; `None` where the stack is new.
    pub before: Option<Side<'a>>,
    /// What is asked for.
    pub after: Side<'a>,
}

/// Something that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// Who, as `Kind:name`; empty for the role or policy's own bearer.
    pub principal: String,
    /// What.
    pub action: String,
    /// On what.
    pub resource: String,
    /// Under which condition, as JSON; empty for none.
    pub condition: String,
}

/// What a resource allows after the change and did not before; `None` where that cannot be worked out.
pub(super) fn new_grants(before: Option<&Value>, after: Option<&Value>) -> Option<Vec<Grant>> {
    let (mut had, mut denied) = (BTreeSet::new(), BTreeSet::new());
    if let Some(before) = before {
        collect(before, &mut had, &mut denied)?;
    }
    let (mut has, mut denies) = (BTreeSet::new(), BTreeSet::new());
    if let Some(after) = after {
        collect(after, &mut has, &mut denies)?;
    }
    let mut found: Vec<Grant> =
        has.into_iter().filter(|grant| !had.iter().any(|old| old.covers(grant))).collect();
    if after.is_some() {
        let lifted = denied.into_iter().filter(|old| !denies.iter().any(|new| new.covers(old)));
        found.extend(lifted.map(|old| Grant { action: format!("{} (no longer denied)", old.action), ..old }));
    }
    Some(found)
}

impl Grant {
    fn covers(&self, other: &Self) -> bool {
        let matches = |pattern: &str, text: &str| pattern == text || WildMatch::new(pattern).matches(text);
        matches(&self.principal, &other.principal)
            && matches(&self.action, &other.action)
            && matches(&self.resource, &other.resource)
            && (self.condition.is_empty() || self.condition == other.condition)
    }
}

/// Everything that a resource allows and denies.
fn collect(resource: &Value, allows: &mut BTreeSet<Grant>, denies: &mut BTreeSet<Grant>) -> Option<()> {
    let properties = &resource["Properties"];
    let mut documents: Vec<&Value> =
        vec![&properties["PolicyDocument"], &properties["AssumeRolePolicyDocument"]];
    for policy in properties["Policies"].as_array().into_iter().flatten() {
        documents.push(policy.get("PolicyDocument")?);
    }
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        for statement in list(document.get("Statement")?) {
            let into = match statement.get("Effect")?.as_str()? {
                "Allow" => &mut *allows,
                "Deny" => &mut *denies,
                _ => return None,
            };
            into.extend(statement_grants(statement));
        }
    }
    for arn in properties["ManagedPolicyArns"].as_array().into_iter().flatten() {
        allows.insert(grant("", &format!("what {} allows", shown(arn)), "*"));
    }
    match resource["Type"].as_str()? {
        "AWS::Lambda::Permission" => {
            let source = ["SourceArn", "SourceAccount"].map(|key| shown(&properties[key])).join(" ");
            let (who, action) = (shown(&properties["Principal"]), shown(&properties["Action"]));
            allows.insert(Grant {
                condition: source,
                ..grant(&who, &action, &shown(&properties["FunctionName"]))
            });
        }
        "AWS::S3::Bucket" => {
            for way in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
                if properties["PublicAccessBlockConfiguration"][way] != Value::Bool(true) {
                    allows.insert(grant("*", &format!("public access, as {way} is off"), "*"));
                }
            }
        }
        _ => {}
    }
    Some(())
}

fn grant(principal: &str, action: &str, resource: &str) -> Grant {
    let text = str::to_string;
    Grant {
        principal: text(principal),
        action: text(action),
        resource: text(resource),
        condition: String::new(),
    }
}

fn statement_grants(statement: &Value) -> Vec<Grant> {
    let condition = statement.get("Condition").map(Value::to_string).unwrap_or_default();
    let part = |key: &str| -> Vec<String> {
        if let Some(value) = statement.get(key) {
            return list(value).into_iter().map(shown).collect();
        }
        match statement.get(format!("Not{key}")) {
            Some(value) => vec![format!("everything but {}", shown(value))],
            None => vec![String::new()],
        }
    };
    let principals = match statement.get("Principal") {
        Some(Value::Object(map)) => map
            .iter()
            .flat_map(|(kind, names)| {
                list(names).into_iter().map(move |name| format!("{kind}:{}", shown(name)))
            })
            .collect(),
        _ => part("Principal"),
    };
    let mut grants = Vec::new();
    for principal in &principals {
        for action in part("Action") {
            for resource in part("Resource") {
                grants.push(Grant { condition: condition.clone(), ..grant(principal, &action, &resource) });
            }
        }
    }
    grants
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// The resources of a side with its parameters put in and its choices made; `None` where a condition cannot
/// be worked out or there is no template to read.
pub(super) fn resolved(
    document: &Value,
    parameters: &BTreeMap<String, String>,
) -> Option<Map<String, Value>> {
    let scope = Scope { conditions: document.get("Conditions"), parameters };
    match scope.value(document.get("Resources")?)?? {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

/// Whether a condition of the document holds; `None` where that cannot be worked out.
pub(super) fn holds(document: &Value, parameters: &BTreeMap<String, String>, name: &str) -> Option<bool> {
    Scope { conditions: document.get("Conditions"), parameters }.condition(name)
}

struct Scope<'a> {
    conditions: Option<&'a Value>,
    parameters: &'a BTreeMap<String, String>,
}

impl Scope<'_> {
    /// The value; inner `None` for `AWS::NoValue`.
    fn value(&self, value: &Value) -> Option<Option<Value>> {
        Some(Some(match value {
            Value::Object(map) if map.len() == 1 => {
                if let Some(name) = map.get("Ref").and_then(Value::as_str) {
                    if name == "AWS::NoValue" {
                        return Some(None);
                    }
                    return Some(Some(
                        self.parameters.get(name).map_or_else(|| value.clone(), |v| Value::from(v.as_str())),
                    ));
                }
                if let Some(parts) = map.get("Fn::If").and_then(Value::as_array) {
                    let holds = self.condition(parts.first()?.as_str()?)?;
                    return self.value(parts.get(if holds { 1 } else { 2 })?);
                }
                if let Some(text) = map.get("Fn::Sub").and_then(Value::as_str) {
                    let mut text = text.to_string();
                    for (name, value) in self.parameters {
                        text = text.replace(&format!("${{{name}}}"), value);
                    }
                    return Some(Some(serde_json::json!({ "Fn::Sub": text })));
                }
                Value::Object(self.map(map)?)
            }
            Value::Object(map) => Value::Object(self.map(map)?),
            Value::Array(items) => {
                let all: Option<Vec<_>> = items.iter().map(|item| self.value(item)).collect();
                Value::Array(all?.into_iter().flatten().collect())
            }
            scalar => scalar.clone(),
        }))
    }

    fn map(&self, map: &Map<String, Value>) -> Option<Map<String, Value>> {
        let mut out = Map::new();
        for (key, value) in map {
            if let Some(value) = self.value(value)? {
                out.insert(key.clone(), value);
            }
        }
        Some(out)
    }

    fn condition(&self, name: &str) -> Option<bool> {
        self.holds(self.conditions?.get(name)?, 0)
    }

    fn holds(&self, expression: &Value, depth: usize) -> Option<bool> {
        let (function, argument) = expression.as_object()?.iter().next()?;
        if depth > 16 {
            return None;
        }
        let all = || argument.as_array().map(|items| items.iter().map(|item| self.holds(item, depth + 1)));
        match function.as_str() {
            "Fn::Not" => all()?.next()?.map(|holds| !holds),
            "Fn::And" => all()?.collect::<Option<Vec<_>>>().map(|all| all.into_iter().all(|holds| holds)),
            "Fn::Or" => all()?.collect::<Option<Vec<_>>>().map(|all| all.into_iter().any(|holds| holds)),
            "Fn::Equals" => {
                let sides = argument.as_array()?;
                let known = |index: usize| self.value(sides.get(index)?).flatten().filter(|v| v.is_string());
                Some(known(0)? == known(1)?)
            }
            "Condition" => self.holds(self.conditions?.get(argument.as_str()?)?, depth + 1),
            _ => None,
        }
    }
}
