//! Values of a rendered template, as they stand once its stack is deployed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What is known of a deployed stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackValues {
    /// Values of its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
}

/// A template with the values of its stack. A function is known by its parameter, or by the output that has the
/// same function; a reference to a resource of the template that no output tells stands for the resource's name.
pub(super) struct Resolver<'a> {
    template: &'a Value,
    values: &'a StackValues,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(template: &'a Value, values: &'a StackValues) -> Self {
        Self { template, values }
    }

    /// Properties of a resource, with every function in them resolved; `Null` where there is no such resource.
    pub(super) fn properties(&self, resource: &str) -> Value {
        self.resolve(&self.template["Resources"][resource]["Properties"])
    }

    fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => Value::Array(items.iter().map(|item| self.resolve(item)).collect()),
            Value::Object(map) => match self.function(value) {
                Some(text) => Value::String(text),
                None => {
                    Value::Object(map.iter().map(|(key, item)| (key.clone(), self.resolve(item))).collect())
                }
            },
            scalar => scalar.clone(),
        }
    }

    fn function(&self, value: &Value) -> Option<String> {
        if let Some(text) = value.get("Fn::Sub").and_then(Value::as_str) {
            return Some(self.put_together(text));
        }
        let reference = value.get("Ref").and_then(Value::as_str);
        let attribute = value.get("Fn::GetAtt").and_then(|path| path.get(0)).and_then(Value::as_str);
        let name = reference.or(attribute)?;
        if let Some(found) = self.values.parameters.get(name) {
            return Some(found.clone());
        }
        let outputs = self.template["Outputs"].as_object().into_iter().flatten();
        let told = outputs.filter(|(_, output)| output["Value"] == *value);
        let told = told.filter_map(|(output, _)| self.values.outputs.get(output)).next();
        Some(told.map_or_else(|| name.to_owned(), Clone::clone))
    }

    /// A text with `${Name}` and `${Name.Attribute}` in it.
    fn put_together(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once("${") {
            let (name, after) = tail.split_once('}').unwrap_or((tail, ""));
            out.push_str(before);
            let value = match (name.strip_prefix('!'), name.split_once('.')) {
                (Some(literal), _) => Some(format!("${{{literal}}}")),
                (None, Some(path)) => self.function(&json!({ "Fn::GetAtt": [path.0, path.1] })),
                (None, None) => self.function(&json!({ "Ref": name })),
            };
            out.push_str(&value.unwrap_or_default());
            rest = after;
        }
        out + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_become_what_the_stack_has_told() {
        let template = json!({
            "Resources": { "D": { "Properties": {
                "Origin": { "Ref": "Bucket" },
                "Keys": [{ "Fn::GetAtt": ["Keyring", "Id"] }],
                "Headers": { "Ref": "Headers" },
                "Text": { "Fn::Sub": "https://${Bucket}/${Keyring.Id}/${!literal}" },
                "Plain": 1,
            } } },
            "Outputs": { "KeyGroup": { "Value": { "Fn::GetAtt": ["Keyring", "Id"] } } },
        });
        let values = StackValues {
            parameters: BTreeMap::from([("Bucket".into(), "b.s3.eu-north-1.amazonaws.com".into())]),
            outputs: BTreeMap::from([("KeyGroup".into(), "K1".into())]),
        };
        assert_eq!(
            Resolver::new(&template, &values).properties("D"),
            json!({
                "Origin": "b.s3.eu-north-1.amazonaws.com", "Keys": ["K1"], "Headers": "Headers", "Plain": 1,
                "Text": "https://b.s3.eu-north-1.amazonaws.com/K1/${literal}",
            })
        );
        assert_eq!(Resolver::new(&template, &values).properties("E"), Value::Null);
    }
}
