//! What a setting may be, read from the schema of tenant files.

use serde_json::Value;

/// The schema of the setting at a path; `None` where there is no such setting. A key that people choose and
/// an item of a list of maps stand for themselves.
pub(super) fn find<'s>(schema: &'s Value, path: &[&str]) -> Option<&'s Value> {
    let Some((first, rest)) = path.split_first() else { return Some(schema) };
    let inner = match schema.get("properties") {
        Some(properties) => properties.get(first),
        None => schema.get("additionalProperties").filter(|inner| inner.is_object()).or_else(|| {
            let item = schema.get("items").filter(|item| item.get("properties").is_some());
            item.filter(|_| first.parse::<usize>().is_ok())
        }),
    };
    inner.and_then(|inner| find(inner, rest))
}

/// The keys that may stand at a path, for the nearest one.
pub(super) fn keys<'s>(schema: &'s Value, path: &[&str]) -> Vec<&'s str> {
    let at = find(schema, path).and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    at.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// Whether a schema is that of a section: a map with keys of its own.
pub(super) fn is_section(schema: &Value) -> bool {
    schema.get("properties").is_some()
}

/// What a value may be, in words.
pub(super) fn words(schema: &Value) -> String {
    let number = |key: &str| schema.get(key).and_then(Value::as_i64);
    if let Some(Value::Array(choices)) = schema.get("enum") {
        let choices: Vec<_> = choices.iter().map(bare).collect();
        return format!("one of {}", choices.join(", "));
    }
    let bounds = |least: Option<i64>, most: Option<i64>| match (least, most) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" of at least {least}"),
        (None, Some(most)) => format!(" of at most {most}"),
        (None, None) => String::new(),
    };
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let in_words = |kind: &&str| match *kind {
        "boolean" => "true or false".to_string(),
        "integer" => format!("a whole number{}", bounds(number("minimum"), number("maximum"))),
        "array" => {
            let items = schema.get("items").map(words).unwrap_or_default();
            format!(
                "a list{}, each {items}",
                bounds(number("minItems"), number("maxItems")).replace("from", "of")
            )
        }
        "object" => "a map".to_string(),
        "null" => "nothing (`null`)".to_string(),
        _ => "a text".to_string(),
    };
    match kinds.iter().map(in_words).collect::<Vec<_>>() {
        kinds if kinds.is_empty() => "any of its documented forms".to_string(),
        kinds => kinds.join(", or "),
    }
}

fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_setting_is_described_in_words() {
        assert_eq!(words(&json!({ "enum": ["a", "b", null] })), "one of a, b, null");
        assert_eq!(
            words(&json!({ "type": ["integer", "null"], "minimum": 1, "maximum": 9 })),
            "a whole number from 1 to 9, or nothing (`null`)"
        );
        assert_eq!(
            words(&json!({ "type": "array", "minItems": 0, "maxItems": 5, "items": { "type": "string" } })),
            "a list of 0 to 5, each a text"
        );
    }

    #[test]
    fn a_key_that_people_choose_is_found() {
        let schema = json!({ "properties": { "labels": { "additionalProperties": { "type": "string" } } } });
        assert_eq!(find(&schema, &["labels", "tier"]), Some(&json!({ "type": "string" })));
        assert_eq!(find(&schema, &["label"]), None);
        assert_eq!(keys(&schema, &[]), ["labels"]);
    }
}
