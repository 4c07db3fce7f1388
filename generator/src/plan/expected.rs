//! What the service would most likely change, worked out here from the two templates.
//!
//! For plans without an account, and for stacks that cannot be asked yet. Where the service answers, its
//! answer counts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::compare::differences;
use super::create_only::replacement;
use super::permissions::{Side, Sides, resolved};
use super::{Action, PropertyChange, Replacement, ResourceChange, StackChange};
use crate::render::read_template;

/// The change between two templates. Resources that refer to a replaced one change with it.
///
/// # Errors
/// Says which template cannot be read, and why.
pub fn expected_change(stack: &str, region: &str, sides: &Sides<'_>) -> Result<StackChange, String> {
    let before = match sides.before {
        Some(side) => resources(&side).map_err(|reason| format!("the template that stands: {reason}"))?,
        None => Map::new(),
    };
    let after = resources(&sides.after).map_err(|reason| format!("the rendered template: {reason}"))?;
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let mut changes: BTreeMap<&String, ResourceChange> =
        names.filter_map(|name| Some((name, change(name, before.get(name), after.get(name))?))).collect();
    follow(&mut changes, &after);
    Ok(StackChange {
        stack: stack.to_owned(),
        region: region.to_owned(),
        change_set: String::new(),
        creates: sides.before.is_none(),
        resources: changes.into_values().collect(),
    })
}

/// The resources that would be made, whatever stands, and those that only come or change once a parameter
/// has a value that is empty now.
#[must_use]
pub fn waiting_for(template: &str, parameter: &str) -> Vec<String> {
    let Ok(document) = read_template(template) else { return Vec::new() };
    let mut conditions: BTreeSet<String> = BTreeSet::new();
    for (name, condition) in document["Conditions"].as_object().into_iter().flatten() {
        if mentions(condition, &|word| word == parameter) {
            conditions.insert(name.clone());
        }
    }
    let concerned =
        |resource: &Value| mentions(resource, &|word| word == parameter || conditions.contains(word));
    let all = document["Resources"].as_object().into_iter().flatten();
    all.filter(|(_, resource)| concerned(resource)).map(|(name, _)| name.clone()).collect()
}

/// The parameters that a template declares, each with its own name in `${…}` as its value: for comparing
/// templates whose values nobody knows. None of them is empty, as in a stack that stands as a whole.
#[must_use]
pub fn symbols(template: &str) -> BTreeMap<String, String> {
    let Ok(document) = read_template(template) else { return BTreeMap::new() };
    let names = document.get("Parameters").and_then(Value::as_object).into_iter().flatten();
    names.map(|(name, _)| (name.clone(), format!("${{{name}}}"))).collect()
}

fn resources(side: &Side<'_>) -> Result<Map<String, Value>, String> {
    let document = read_template(side.template)?;
    match resolved(&document, side.parameters) {
        Some(resources) => Ok(conditioned(&document, side, resources)),
        None => Err("a condition in it cannot be worked out".into()),
    }
}

/// Without the resources whose condition does not hold.
fn conditioned(document: &Value, side: &Side<'_>, resources: Map<String, Value>) -> Map<String, Value> {
    let kept = |resource: &Value| match resource.get("Condition").and_then(Value::as_str) {
        Some(name) => super::permissions::holds(document, side.parameters, name) != Some(false),
        None => true,
    };
    resources.into_iter().filter(|(_, resource)| kept(resource)).collect()
}

fn change(name: &str, before: Option<&Value>, after: Option<&Value>) -> Option<ResourceChange> {
    let some = after.or(before)?;
    let kind = some["Type"].as_str().unwrap_or_default().to_owned();
    let policy = |resource: &Value, key: &str| {
        matches!(resource[key].as_str(), Some("Retain" | "RetainExceptOnCreate"))
    };
    let mut change = ResourceChange {
        logical_id: name.to_owned(),
        physical_id: None,
        kind: kind.clone(),
        action: Action::Add,
        replacement: Replacement::Never,
        retained: false,
        scope: Vec::new(),
        properties: Vec::new(),
        causes: Vec::new(),
    };
    match (before, after) {
        (Some(before), Some(after)) => {
            let found = differences(Some(before), Some(after));
            if found.is_empty() {
                return None;
            }
            change.action = Action::Modify;
            change.retained = policy(before, "UpdateReplacePolicy");
            if before["Type"] != after["Type"] {
                change.replacement = Replacement::Always;
            }
            let mut tops: Vec<(&str, Option<&str>)> = Vec::new();
            for difference in &found {
                let mut keys = difference.path.iter().map(String::as_str);
                let top = (keys.next().unwrap_or_default(), keys.next());
                if !tops.contains(&top) {
                    tops.push(top);
                }
            }
            for (attribute, property) in tops {
                change.add(attribute, property, &kind);
            }
        }
        (Some(before), None) => {
            change.action = Action::Remove;
            change.retained = policy(before, "DeletionPolicy");
        }
        (None, _) => {}
    }
    Some(change)
}

impl ResourceChange {
    fn add(&mut self, attribute: &str, property: Option<&str>, kind: &str) {
        let forces = match property {
            Some(property) if attribute == "Properties" => replacement(kind, property),
            _ => Replacement::Never,
        };
        if forces == Replacement::Always {
            self.replacement = Replacement::Always;
        }
        let path = property.map(|property| format!("/{attribute}/{property}"));
        if self.properties.iter().any(|known| known.attribute == attribute && known.path == path) {
            return;
        }
        let (attribute, replacement) = (attribute.to_owned(), forces);
        self.properties.push(PropertyChange { attribute, path, replacement, before: None, after: None });
    }
}

/// Changes what refers to a resource that is replaced, and what refers to that, where it is replaced too.
fn follow<'a>(changes: &mut BTreeMap<&'a String, ResourceChange>, after: &'a Map<String, Value>) {
    let mut done: BTreeSet<String> = BTreeSet::new();
    loop {
        let replaced = changes.values().find(|change| {
            change.action == Action::Modify
                && change.replacement != Replacement::Never
                && !done.contains(&change.logical_id)
        });
        let Some(replaced) = replaced.map(|change| change.logical_id.clone()) else { return };
        done.insert(replaced.clone());
        for (name, resource) in after {
            let properties = resource["Properties"].as_object().into_iter().flatten();
            for (property, _) in properties.filter(|(_, value)| refers(value, &replaced)) {
                let kind = resource["Type"].as_str().unwrap_or_default();
                let entry = changes.entry(name).or_insert_with(|| ResourceChange {
                    action: Action::Modify,
                    ..blank(name, kind, resource)
                });
                if entry.action == Action::Modify {
                    entry.add("Properties", Some(property), kind);
                    if !entry.causes.contains(&replaced) {
                        entry.causes.push(replaced.clone());
                    }
                }
            }
        }
    }
}

fn blank(name: &str, kind: &str, resource: &Value) -> ResourceChange {
    ResourceChange {
        logical_id: name.to_owned(),
        physical_id: None,
        kind: kind.to_owned(),
        action: Action::Modify,
        replacement: Replacement::Never,
        retained: matches!(resource["UpdateReplacePolicy"].as_str(), Some("Retain")),
        scope: Vec::new(),
        properties: Vec::new(),
        causes: Vec::new(),
    }
}

fn refers(value: &Value, resource: &str) -> bool {
    mentions(value, &|word| word.split('.').next() == Some(resource))
}

/// Whether a value refers to a name that is wanted: by `Ref`, `GetAtt`, `Sub`, `If` or a condition.
fn mentions(value: &Value, wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, inner)| match (key.as_str(), inner) {
            ("Ref" | "Condition", Value::String(name)) => wanted(name),
            ("Fn::GetAtt", Value::String(path)) => wanted(path),
            ("Fn::GetAtt" | "Fn::If", Value::Array(parts)) => {
                parts.first().and_then(Value::as_str).is_some_and(wanted)
                    || parts.iter().any(|part| mentions(part, wanted))
            }
            ("Fn::Sub", Value::String(text)) => {
                text.split("${").skip(1).filter_map(|rest| rest.split('}').next()).any(wanted)
            }
            (_, inner) => mentions(inner, wanted),
        }),
        Value::Array(items) => items.iter().any(|item| mentions(item, wanted)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "Parameters: { Id: { Type: String } }\n\
        Conditions: { Known: !Not [!Equals [!Ref Id, '']] }\nResources:\n  \
        B: { Type: 'AWS::S3::Bucket', UpdateReplacePolicy: Retain, Properties: { BucketName: a } }\n  \
        P: { Type: 'AWS::S3::BucketPolicy', Properties: { Bucket: !Ref B, PolicyDocument: { Statement: [ !If [Known, \
        { Sid: R, Effect: Allow }, !Ref 'AWS::NoValue'] ] } } }\n  \
        R: { Type: 'AWS::IAM::Role', Properties: { Description: !Sub '${B.Arn}/*' } }\n";

    fn parameters(id: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("Id".to_string(), id.to_string())])
    }

    fn between(before: Option<&str>, after: &str) -> StackChange {
        let values = parameters("E1");
        let side = |template| Side { template, parameters: &values };
        let sides = Sides { before: before.map(side), after: side(after) };
        expected_change("s", "r", &sides).expect("two templates")
    }

    #[test]
    fn a_replaced_resource_takes_what_refers_to_it_along() {
        let change = between(Some(TEMPLATE), &TEMPLATE.replace("BucketName: a", "BucketName: b"));
        let told: Vec<_> = change
            .resources
            .iter()
            .map(|r| (r.logical_id.as_str(), r.replacement, r.retained, r.causes.len()))
            .collect();
        assert_eq!(
            told,
            [
                ("B", Replacement::Always, true, 0),
                ("P", Replacement::Always, false, 1),
                ("R", Replacement::Never, false, 1),
            ]
        );
        assert_eq!(change.resources[0].properties[0].path.as_deref(), Some("/Properties/BucketName"));
    }

    #[test]
    fn nothing_changes_between_two_spellings_of_one_template() {
        let spelled = TEMPLATE.replace("!Ref B", "{ Ref: B }").replace("BucketName: a", "BucketName: 'a'");
        assert_eq!(between(Some(TEMPLATE), &spelled).resources, []);
    }

    #[test]
    fn a_new_stack_is_made_of_additions_and_a_resource_that_left_is_removed() {
        let new = between(None, TEMPLATE);
        assert!(new.creates && new.resources.iter().all(|r| r.action == Action::Add));
        let less = TEMPLATE.lines().filter(|line| !line.starts_with("  R:")).collect::<Vec<_>>().join("\n");
        let change = between(Some(TEMPLATE), &less);
        assert_eq!((change.resources.len(), change.resources[0].action), (1, Action::Remove));
    }

    #[test]
    fn what_waits_for_a_parameter_is_known_through_conditions() {
        assert_eq!(waiting_for(TEMPLATE, "Id"), ["P"]);
    }
}
