//! Tags on every resource that takes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// How a resource type takes tags.
enum Shape {
    /// A list of `Key` and `Value`.
    List(&'static str),
    /// A map.
    Map(&'static str),
}

/// The taggable types that templates use.
const TAGGABLE: [(&str, Shape); 10] = [
    ("AWS::CloudFront::Distribution", Shape::List("Tags")),
    ("AWS::Cognito::IdentityPool", Shape::List("IdentityPoolTags")),
    ("AWS::Cognito::UserPool", Shape::Map("UserPoolTags")),
    ("AWS::IAM::Role", Shape::List("Tags")),
    ("AWS::Lambda::Function", Shape::List("Tags")),
    ("AWS::Logs::LogGroup", Shape::List("Tags")),
    ("AWS::S3::Bucket", Shape::List("Tags")),
    ("AWS::SSM::Parameter", Shape::Map("Tags")),
    ("AWS::SecretsManager::Secret", Shape::List("Tags")),
    ("AWS::StepFunctions::StateMachine", Shape::List("Tags")),
];

/// Adds `tags` to every resource of a document that takes them and has none of its own. Tells `added` the
/// resource, its property and what was put there.
pub(super) fn add(
    resources: &mut Map<String, Value>,
    tags: &BTreeMap<String, String>,
    added: &mut dyn FnMut(&str, &str, &Value),
) {
    for (id, resource) in resources {
        let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        let Some((_, shape)) = TAGGABLE.iter().find(|(name, _)| *name == kind) else { continue };
        let (property, value): (&str, Value) = match shape {
            Shape::List(property) => {
                let list = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
                (*property, Value::Array(list))
            }
            Shape::Map(property) => (*property, json!(tags)),
        };
        if let Some(Value::Object(properties)) = resource.get_mut("Properties")
            && !properties.contains_key(property)
        {
            added(id, property, &value);
            properties.insert(property.to_string(), value);
        }
    }
}
