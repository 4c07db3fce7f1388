//! The one form in which a document is written, so that equal documents are equal bytes.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

/// Keys of templates, resources and policy statements that stand first, in this order; all other keys
/// follow in alphabetic order.
const FIRST: [&str; 21] = [
    "AWSTemplateFormatVersion",
    "Version",
    "Description",
    "Type",
    "Default",
    "DependsOn",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Sid",
    "Effect",
    "Principal",
    "Action",
    "Resource",
    "Condition",
    "Key",
    "Value",
    "Parameters",
    "Conditions",
    "Resources",
    "Properties",
    "Outputs",
];

/// Functions with a short tag in YAML. `Fn::Transform` and loops are not used by any template.
const SHORT: [(&str, &str); 12] = [
    ("Ref", "Ref"),
    ("Fn::GetAtt", "GetAtt"),
    ("Fn::Sub", "Sub"),
    ("Fn::If", "If"),
    ("Fn::Not", "Not"),
    ("Fn::And", "And"),
    ("Fn::Or", "Or"),
    ("Fn::Equals", "Equals"),
    ("Fn::Join", "Join"),
    ("Fn::Select", "Select"),
    ("Fn::Split", "Split"),
    ("Fn::FindInMap", "FindInMap"),
];

/// Writes a document as canonical YAML.
pub(super) fn to_yaml(document: &Value) -> Result<String, serde_yaml::Error> {
    serde_yaml::to_string(&Canonical(document))
}

struct Canonical<'a>(&'a Value);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => match function(map) {
                Some((tag, argument)) => short(serializer, tag, argument),
                None => sorted(serializer, map),
            },
            Value::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&Canonical(item))?;
                }
                seq.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

/// The short tag of a map that is a function call. A call whose argument is itself a call keeps the long
/// form: two tags cannot stand on one node.
fn function(map: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    let (_, tag) = SHORT.iter().find(|(long, _)| long == name)?;
    let nested = matches!(argument, Value::Object(inner) if function(inner).is_some());
    (!nested).then_some((*tag, argument))
}

fn short<S: Serializer>(serializer: S, tag: &'static str, argument: &Value) -> Result<S::Ok, S::Error> {
    if let ("GetAtt", Value::Array(parts)) = (tag, argument) {
        let parts: Vec<_> = parts.iter().filter_map(Value::as_str).collect();
        return serializer.serialize_newtype_variant("Fn", 0, tag, &parts.join("."));
    }
    serializer.serialize_newtype_variant("Fn", 0, tag, &Canonical(argument))
}

fn sorted<S: Serializer>(serializer: S, map: &Map<String, Value>) -> Result<S::Ok, S::Error> {
    let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    let mut out = serializer.serialize_map(Some(entries.len()))?;
    for (key, value) in entries {
        out.serialize_entry(key, &Canonical(value))?;
    }
    out.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_in_a_template_does_not_matter() {
        let one =
            json!({ "Resources": { "B": { "Properties": {}, "Type": "T" }, "A": 1 }, "Description": "d" });
        let other =
            json!({ "Description": "d", "Resources": { "A": 1, "B": { "Type": "T", "Properties": {} } } });
        assert_eq!(to_yaml(&one).unwrap(), to_yaml(&other).unwrap());
    }

    #[test]
    fn functions_take_their_short_tags() {
        let yaml = to_yaml(&json!({
            "a": { "Ref": "X" },
            "b": { "Fn::GetAtt": ["X", "Arn"] },
            "c": { "Fn::Not": [{ "Fn::Equals": [{ "Ref": "P" }, ""] }] },
        }))
        .unwrap();
        assert_eq!(yaml, "a: !Ref X\nb: !GetAtt X.Arn\nc: !Not\n- !Equals\n  - !Ref P\n  - ''\n");
    }

    #[test]
    fn words_that_old_yaml_reads_as_something_else_are_quoted() {
        let yaml = to_yaml(&json!(["yes", "off", "012", "1e3", "null", "~", "y"])).unwrap();
        for line in yaml.lines() {
            assert!(line.contains('\''), "{line}");
        }
    }
}
