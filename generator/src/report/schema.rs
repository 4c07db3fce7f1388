//! The JSON Schema of a line of `generator --output ndjson`.

use serde_json::{Map, Value, json};

use super::codes::Carries::{self, Anything, Changes, Count, Flag, MaybeText, Text};
use super::codes::{Code, EVENTS};

/// The JSON Schema of a line.
#[must_use]
pub fn schema() -> Value {
    let header = json!({
        "title": "the first line",
        "type": "object",
        "properties": { "format": { "const": "generator-events" }, "version": { "const": 1 } },
        "required": ["format", "version"],
        "additionalProperties": false,
    });
    let lines: Vec<Value> = std::iter::once(header).chain(EVENTS.iter().map(line)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of `generator --output ndjson`",
        "oneOf": lines,
        "$defs": { "change": change() },
    })
}

fn line(event: &Code) -> Value {
    let mut properties = Map::new();
    properties.insert("code".into(), json!({ "const": event.code }));
    let mut required = vec![json!("code")];
    for (name, carries) in event.carries {
        properties.insert((*name).into(), of(*carries));
        required.push(json!(name));
    }
    // The answer and the failure are no events of a run, and have no time of their own.
    if !matches!(event.code, "RESULT" | "ERROR") {
        properties.insert("elapsed_ms".into(), of(Count));
        required.push(json!("elapsed_ms"));
    }
    json!({
        "title": event.means,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn of(carries: Carries) -> Value {
    match carries {
        Text => json!({ "type": "string" }),
        MaybeText => json!({ "type": ["string", "null"] }),
        Count => json!({ "type": "integer", "minimum": 0 }),
        Flag => json!({ "type": "boolean" }),
        Changes => json!({ "type": "array", "items": { "$ref": "#/$defs/change" } }),
        Anything => json!({}),
    }
}

fn change() -> Value {
    let actions = ["add", "modify", "replace", "may-replace", "remove", "import", "dynamic", "sync"];
    json!({
        "type": "object",
        "properties": {
            "resource": { "type": "string" },
            "kind": { "type": "string" },
            "action": { "enum": actions },
            "properties": { "type": "array", "items": { "type": "string" } },
        },
        "required": ["resource", "kind", "action", "properties"],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_schema_in_docs_is_that_of_this_code() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let schema_file = std::fs::read_to_string(docs.join("events.schema.json")).expect("the schema");
        assert_eq!(schema_file, format!("{:#}\n", schema()), "run `generator explain event-schema`");
    }
}
