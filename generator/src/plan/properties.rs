//! The changed properties of one resource: what the service says, and what the templates show.

use serde_json::Value;

use super::change::{PropertyChange, ResourceChange};
use super::compare::{Difference, differences};
use super::preview::{Shown, shown};
use super::{Replacement, document};

/// A property as both sides name it: the attribute, and the first key below it.
type Top = (String, String);

/// Every changed property once. The service's values count; where it gives none, those of the templates do.
/// What neither the templates nor a cause explain is text that was only moved, and left out.
pub(super) fn shown_properties(resource: &ResourceChange, own: Option<&[Difference]>) -> Vec<Shown> {
    let mut tops: Vec<Top> = Vec::new();
    let mut know = |top: Top| {
        if !tops.contains(&top) {
            tops.push(top);
        }
    };
    own.into_iter().flatten().for_each(|difference| know(top_of_difference(difference)));
    resource.properties.iter().for_each(|property| know(top_of_property(property)));

    let mut all = Vec::new();
    for top in tops {
        let listed: Vec<&PropertyChange> =
            resource.properties.iter().filter(|property| top_of_property(property) == top).collect();
        let word = document::replacement(strictest(&listed));
        let of_templates: Vec<&Difference> =
            own.into_iter().flatten().filter(|difference| top_of_difference(difference) == top).collect();
        let explained = own.is_none() || !of_templates.is_empty() || !resource.causes.is_empty();
        let with_values: Vec<&&PropertyChange> =
            listed.iter().filter(|property| property.before.is_some() || property.after.is_some()).collect();
        if !explained {
            continue;
        }
        if !with_values.is_empty() {
            all.extend(with_values.into_iter().flat_map(|property| of_service(property, word)));
        } else if !of_templates.is_empty() {
            all.extend(of_templates.into_iter().map(|difference| shown(difference, &[], word)));
        } else {
            all.extend(listed.first().map(|property| {
                let path = steps(property);
                shown(&Difference { path, before: None, after: None }, &[], word)
            }));
        }
    }
    all
}

/// What differs between what a template says and what is there, as the service told it: JSON is compared as
/// JSON, and what is the same in another spelling is left out.
#[must_use]
pub fn drift_properties(path: &str, expected: Option<&str>, actual: Option<&str>) -> Vec<Shown> {
    let property = PropertyChange {
        attribute: "Properties".into(),
        path: Some(path.to_owned()),
        replacement: Replacement::Never,
        before: expected.map(str::to_owned),
        after: actual.map(str::to_owned),
    };
    of_service(&property, document::replacement(Replacement::Never))
}

/// What the service says of one property; JSON on both sides is compared as JSON.
fn of_service(property: &PropertyChange, word: &str) -> Vec<Shown> {
    let path = steps(property);
    let read = |text: &Option<String>| {
        text.as_ref().map(|text| match serde_json::from_str::<Value>(text) {
            Ok(inner) if inner.is_object() || inner.is_array() => inner,
            _ => Value::from(text.as_str()),
        })
    };
    let (before, after) = (read(&property.before), read(&property.after));
    let structured = |value: &Option<Value>| value.as_ref().is_some_and(|v| v.is_object() || v.is_array());
    if structured(&before) && structured(&after) {
        // Under its own key, as that decides whether a list has an order.
        let key = path.last().cloned().unwrap_or_default();
        let under = |value: Option<Value>| {
            Value::Object([(key.clone(), value.unwrap_or_default())].into_iter().collect())
        };
        let found = differences(Some(&under(before)), Some(&under(after)));
        let prefix = &path[..path.len().saturating_sub(1)];
        return found.iter().map(|difference| shown(difference, prefix, word)).collect();
    }
    vec![shown(&Difference { path, before, after }, &[], word)]
}

fn strictest(listed: &[&PropertyChange]) -> Replacement {
    let has = |wanted| listed.iter().any(|property| property.replacement == wanted);
    if has(Replacement::Always) {
        Replacement::Always
    } else if has(Replacement::Conditional) {
        Replacement::Conditional
    } else {
        Replacement::Never
    }
}

/// The keys of a property: the service gives `/Properties/Tags/0/Value`, other peers only `Tags`.
fn steps(property: &PropertyChange) -> Vec<String> {
    let path = property.path.as_deref().unwrap_or_default();
    let mut steps: Vec<String> = path
        .split('/')
        .filter(|step| !step.is_empty())
        .map(|step| match step.parse::<usize>() {
            Ok(index) => format!("[{index}]"),
            Err(_) => step.replace("~1", "/").replace("~0", "~"),
        })
        .collect();
    if steps.first() != Some(&property.attribute) {
        steps.insert(0, property.attribute.clone());
    }
    steps
}

fn top_of_property(property: &PropertyChange) -> Top {
    top(&steps(property))
}

fn top_of_difference(difference: &Difference) -> Top {
    top(&difference.path)
}

fn top(path: &[String]) -> Top {
    let step = |index: usize| path.get(index).cloned().unwrap_or_default();
    (step(0), if step(0) == "Properties" { step(1) } else { String::new() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Action;

    fn resource(properties: Vec<PropertyChange>, causes: &[&str]) -> ResourceChange {
        ResourceChange {
            logical_id: "R".into(),
            physical_id: None,
            kind: "AWS::IAM::Role".into(),
            action: Action::Modify,
            replacement: Replacement::Never,
            retained: false,
            scope: vec![],
            properties,
            causes: causes.iter().map(|cause| (*cause).to_string()).collect(),
        }
    }

    fn listed(path: &str, values: Option<(&str, &str)>) -> PropertyChange {
        PropertyChange {
            attribute: "Properties".into(),
            path: Some(path.into()),
            replacement: Replacement::Never,
            before: values.map(|(before, _)| before.to_string()),
            after: values.map(|(_, after)| after.to_string()),
        }
    }

    fn own(before: &Value, after: &Value) -> Vec<Difference> {
        differences(Some(&json!({ "Properties": before })), Some(&json!({ "Properties": after })))
    }

    #[test]
    fn the_services_values_count_and_json_in_them_is_compared_as_json() {
        let policy = |action: &str| json!({"Statement": [{"Sid": "A", "Action": ["x", action]}]}).to_string();
        let property = listed("/Properties/Policies/0/PolicyDocument", Some((&policy("y"), &policy("z"))));
        let shown = shown_properties(&resource(vec![property], &[]), None);
        let paths: Vec<_> = shown.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, vec!["Policies[0].PolicyDocument.Statement[A].Action[]"; 2]);
    }

    #[test]
    fn without_values_of_the_service_the_templates_tell_them() {
        let found = own(&json!({"Description": "a"}), &json!({"Description": "b"}));
        let shown = shown_properties(&resource(vec![listed("Description", None)], &[]), Some(&found));
        assert_eq!((&shown[0].before, &shown[0].after), (&Some(json!("a")), &Some(json!("b"))));
        assert_eq!(shown.len(), 1);
    }

    #[test]
    fn what_only_the_service_lists_is_shown_where_something_caused_it() {
        let of = |causes| shown_properties(&resource(vec![listed("Code", None)], causes), Some(&[]));
        assert_eq!(of(&["SignerKey"]).len(), 1);
        assert_eq!(of(&[]), []);
    }
}
