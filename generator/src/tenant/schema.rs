//! JSON Schema (draft 2020-12) of tenant files, from the same declarations that the loader is made of.

use serde_json::{Map, Value, json};

use super::decode::{Scalar, Setting};
use super::reading;
use super::settings::Settings;

/// The dialect that the schema is written in.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A type whose values a tenant file can hold, described for editors.
pub trait Schema {
    /// The JSON Schema of a value.
    fn schema() -> Value;

    /// Whether a key of this type must be set in some layer.
    #[must_use]
    fn is_required() -> bool {
        false
    }
}

impl<T: Scalar + Schema> Schema for Setting<T> {
    fn schema() -> Value {
        T::schema()
    }

    fn is_required() -> bool {
        T::when_absent().is_none()
    }
}

impl Schema for bool {
    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

/// What may also be `null`, which takes the value of a lower layer away.
impl<T: Schema> Schema for Option<T> {
    fn schema() -> Value {
        let mut schema = T::schema();
        if let Some(kind) = schema.get_mut("type") {
            *kind = json!([kind.take(), "null"]);
        }
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.push(Value::Null);
        }
        schema
    }
}

/// The schema of a tenant file. A file is one layer of several, so no key is required in it.
#[must_use]
pub fn document() -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!(DIALECT));
    schema.insert("title".into(), json!("Tenant file of generator"));
    if let Value::Object(settings) = Settings::schema() {
        schema.extend(settings);
    }
    let mut schema = Value::Object(schema);
    if let Ok(defaults) = reading::parse_builtin() {
        add_defaults(&mut schema, &defaults.to_json());
    }
    schema
}

/// Notes the built-in default of every key that has one.
fn add_defaults(schema: &mut Value, default: &Value) {
    match (schema.get_mut("properties"), default) {
        (Some(Value::Object(properties)), Value::Object(defaults)) => {
            for (key, property) in properties {
                if let Some(default) = defaults.get(key) {
                    add_defaults(property, default);
                }
            }
        }
        _ => {
            if let Value::Object(schema) = schema {
                schema.insert("default".into(), default.clone());
            }
        }
    }
}

/// Joins the lines of a doc comment, and what a type says of its values.
#[must_use]
pub fn describe(doc: &[&str], mut schema: Value) -> Value {
    let doc = doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    if let Value::Object(map) = &mut schema {
        let text = match map.remove("description") {
            Some(Value::String(own)) => format!("{doc} Value: {own}."),
            _ => doc,
        };
        // The description stands first, where a reader looks for it.
        let rest = std::mem::take(map);
        map.insert("description".into(), json!(text));
        map.extend(rest);
    }
    schema
}

/// The dotted paths of every setting that a schema describes: `*` stands for a key that people choose, and
/// for an item of a list of maps.
#[must_use]
pub fn paths(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(schema, "", &mut found);
    found
}

fn collect(schema: &Value, path: &str, found: &mut Vec<String>) {
    let below = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
    let is_map = |value: &&Value| value.get("properties").is_some();
    if let Some(Value::Object(properties)) = schema.get("properties") {
        for (key, property) in properties {
            collect(property, &below(key), found);
        }
    } else if let Some(value) = schema.get("additionalProperties").filter(|value| value.is_object()) {
        collect(value, &below("*"), found);
    } else if let Some(item) = schema.get("items").filter(is_map) {
        collect(item, &below("*"), found);
    } else {
        found.push(path.to_string());
    }
}
