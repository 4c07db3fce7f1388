//! Which resources of a template make up the functions that a distribution runs at the edge.

use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::referred;

/// Logical ids of the functions that distributions are associated with, of their versions and of their roles.
pub(super) fn associated(template: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Some(resources) = template.get("Resources").and_then(Value::as_object) else { return found };
    for resource in resources.values().filter(|resource| kind(resource) == "AWS::CloudFront::Distribution") {
        each_association(resource, &mut |target| follow(template, target, &mut found));
    }
    found
}

fn kind(resource: &Value) -> &str {
    resource.get("Type").and_then(Value::as_str).unwrap_or_default()
}

fn each_association(value: &Value, f: &mut dyn FnMut(&Value)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if key == "LambdaFunctionARN" { f(value) } else { each_association(value, f) }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_association(item, f)),
        _ => {}
    }
}

/// Takes in what a reference names, and what that refers to: version or alias, function, role.
fn follow(template: &Value, reference: &Value, found: &mut BTreeSet<String>) {
    let Some((name, resource)) =
        referred(reference).and_then(|name| Some((name, template["Resources"].get(name)?)))
    else {
        return;
    };
    if !found.insert(name.to_string()) {
        return;
    }
    let properties = &resource["Properties"];
    match kind(resource) {
        "AWS::Lambda::Version" | "AWS::Lambda::Alias" => follow(template, &properties["FunctionName"], found),
        "AWS::Lambda::Function" => follow(template, &properties["Role"], found),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_a_distribution_runs_is_at_the_edge() {
        let template = json!({ "Resources": {
            "Cdn": { "Type": "AWS::CloudFront::Distribution", "Properties": { "DistributionConfig": {
                "CacheBehaviors": [{ "LambdaFunctionAssociations": [{ "LambdaFunctionARN": { "Ref": "V" } }] }],
            } } },
            "V": { "Type": "AWS::Lambda::Version", "Properties": { "FunctionName": { "Ref": "F" } } },
            "F": { "Type": "AWS::Lambda::Function", "Properties": { "Role": { "Fn::GetAtt": ["R", "Arn"] } } },
            "R": { "Type": "AWS::IAM::Role" },
            "Other": { "Type": "AWS::Lambda::Function" },
        } });
        assert_eq!(associated(&template).into_iter().collect::<Vec<_>>(), ["F", "R", "V"]);
    }
}
