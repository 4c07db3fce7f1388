//! Values that are never shown: those of `NoEcho` parameters, and what is secret by its name or its form.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::render::read_template;

/// What stands for a value that is not shown. CloudFormation answers the same for `NoEcho`.
pub const MASK: &str = "****";

/// Ends of the names, in lower case, under which secrets stand.
const SECRET_NAMES: [&str; 11] = [
    "password",
    "passphrase",
    "secretstring",
    "clientsecret",
    "client_secret",
    "privatekey",
    "private_key",
    "secretaccesskey",
    "authtoken",
    "accesstoken",
    "apikey",
];

/// The names of a template's `NoEcho` parameters; a template that cannot be read has none that are known.
#[must_use]
pub fn unechoed(template: &str) -> BTreeSet<String> {
    let Ok(document) = read_template(template) else { return BTreeSet::new() };
    let parameters = document.get("Parameters").and_then(Value::as_object);
    parameters
        .into_iter()
        .flatten()
        .filter(|(_, parameter)| match &parameter["NoEcho"] {
            Value::Bool(hidden) => *hidden,
            Value::String(word) => word.eq_ignore_ascii_case("true"),
            _ => false,
        })
        .map(|(name, _)| name.clone())
        .collect()
}

/// Parameters with the values of the named ones masked.
#[must_use]
pub fn without(parameters: &BTreeMap<String, String>, hidden: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mask =
        |name: &String, value: &String| if hidden.contains(name) { MASK.into() } else { value.clone() };
    parameters.iter().map(|(name, value)| (name.clone(), mask(name, value))).collect()
}

/// A value with every secret in it masked. `path` is where it stands.
pub(super) fn masked(path: &[String], value: &Value) -> Value {
    let name = path.iter().rev().find(|part| !part.starts_with('[')).map_or("", String::as_str);
    mask(name, value)
}

fn mask(name: &str, value: &Value) -> Value {
    let lower = name.to_lowercase();
    let secret = SECRET_NAMES.iter().any(|end| lower.ends_with(end));
    match value {
        Value::String(text) if secret || text.contains("PRIVATE KEY") => {
            // A reference to a secret is no secret.
            if text.starts_with("{{resolve:") { value.clone() } else { MASK.into() }
        }
        Value::Number(_) if secret => MASK.into(),
        Value::Array(items) => items.iter().map(|item| mask(name, item)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, inner)| (key.clone(), mask(key, inner))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_by_name_and_by_form() {
        let value = json!({
            "SecretString": "s", "Nested": [{"MasterUserPassword": "p"}], "Text": "-----BEGIN PRIVATE KEY-----",
            "PasswordPolicy": {"MinimumLength": 8}, "Referred": {"Password": "{{resolve:secretsmanager:a}}"},
        });
        assert_eq!(
            masked(&[], &value),
            json!({
                "SecretString": MASK, "Nested": [{"MasterUserPassword": MASK}], "Text": MASK,
                "PasswordPolicy": {"MinimumLength": 8}, "Referred": {"Password": "{{resolve:secretsmanager:a}}"},
            })
        );
        assert_eq!(masked(&["ClientSecret".into(), "[0]".into()], &json!("x")), json!(MASK));
    }

    #[test]
    fn parameters_that_are_not_echoed_are_known_by_the_template() {
        let template = "Parameters:\n  A: {Type: String, NoEcho: true}\n  B: {Type: String}\n  C: {Type: String, NoEcho: 'true'}\n";
        let hidden = unechoed(template);
        assert_eq!(hidden, BTreeSet::from(["A".to_string(), "C".to_string()]));
        let values = BTreeMap::from([("A".to_string(), "x".to_string()), ("B".to_string(), "y".to_string())]);
        let shown = without(&values, &hidden);
        assert_eq!((shown["A"].as_str(), shown["B"].as_str()), (MASK, "y"));
    }
}
