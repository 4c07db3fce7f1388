//! The one form in which a document is written, so that equal documents are equal bytes.

use serde_json::{Map, Value};

use super::scalar;

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
    ("Ref", "!Ref"),
    ("Fn::GetAtt", "!GetAtt"),
    ("Fn::Sub", "!Sub"),
    ("Fn::If", "!If"),
    ("Fn::Not", "!Not"),
    ("Fn::And", "!And"),
    ("Fn::Or", "!Or"),
    ("Fn::Equals", "!Equals"),
    ("Fn::Join", "!Join"),
    ("Fn::Select", "!Select"),
    ("Fn::Split", "!Split"),
    ("Fn::FindInMap", "!FindInMap"),
];

/// Longest key that YAML lets stand before a colon, in bytes as written; libraries stop at 1,024 characters.
const SIMPLE_KEY_MAX: usize = 1000;

/// Writes a document as canonical YAML: block style, two spaces, lists not indented under their key, no
/// line ever folded.
pub(super) fn to_yaml(document: &Map<String, Value>) -> String {
    let mut out = String::with_capacity(32 * 1024);
    map(&mut out, document, 0);
    out
}

/// Where a value is written: what may stand on the line that it begins on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// A key and its colon.
    Key,
    /// The dash of a list.
    Dash,
    /// A tag.
    Tag,
}

/// Writes a value behind a key, a dash or a tag, with the line's end. `indent` is that of the line.
fn value(out: &mut String, value: &Value, indent: usize, after: After) {
    match value {
        Value::Object(entries) => match function(entries) {
            Some((tag, argument)) => {
                out.push(' ');
                out.push_str(tag);
                tagged(out, tag, argument, indent, after);
            }
            None if entries.is_empty() => out.push_str(" {}\n"),
            // A map begins on the line of the dash that it belongs to.
            None if after == After::Dash => {
                out.push(' ');
                map_from_here(out, entries, indent + 2);
            }
            None => {
                out.push('\n');
                map(out, entries, indent + 2);
            }
        },
        Value::Array(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Array(items) if after == After::Dash => {
            out.push(' ');
            list_from_here(out, items, indent + 2);
        }
        Value::Array(items) => {
            out.push('\n');
            list(out, items, indent);
        }
        scalar => {
            out.push(' ');
            plain(out, scalar);
            out.push('\n');
        }
    }
}

fn tagged(out: &mut String, tag: &str, argument: &Value, indent: usize, after: After) {
    if let ("!GetAtt", Value::Array(parts)) = (tag, argument) {
        let parts: Vec<_> = parts.iter().filter_map(Value::as_str).collect();
        out.push(' ');
        scalar::write(out, &parts.join("."));
        out.push('\n');
        return;
    }
    // What follows a tag on lines of its own stands deeper than the dash before the tag.
    let deeper = after == After::Dash && matches!(argument, Value::Array(_));
    value(out, argument, if deeper { indent + 2 } else { indent }, After::Tag);
}

/// The short tag of a map that is a function call. A call whose argument is itself a call keeps the long
/// form: two tags cannot stand on one node.
fn function(map: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    let (_, tag) = SHORT.iter().find(|(long, _)| long == name)?;
    let nested = matches!(argument, Value::Object(inner) if function(inner).is_some());
    (!nested).then_some((*tag, argument))
}

fn map(out: &mut String, entries: &Map<String, Value>, indent: usize) {
    spaces(out, indent);
    map_from_here(out, entries, indent);
}

/// Writes a map whose first key stands where the text ends now.
fn map_from_here(out: &mut String, entries: &Map<String, Value>, indent: usize) {
    let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    let mut sorted: Vec<_> = entries.iter().map(|(key, value)| (rank(key), key, value)).collect();
    sorted.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    for (index, (_, key, entry)) in sorted.into_iter().enumerate() {
        if index > 0 {
            spaces(out, indent);
        }
        let start = out.len();
        scalar::write(out, key);
        if out.len() - start > SIMPLE_KEY_MAX {
            out.insert_str(start, "? ");
            out.push('\n');
            spaces(out, indent);
        }
        out.push(':');
        value(out, entry, indent, After::Key);
    }
}

fn list(out: &mut String, items: &[Value], indent: usize) {
    spaces(out, indent);
    list_from_here(out, items, indent);
}

fn list_from_here(out: &mut String, items: &[Value], indent: usize) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            spaces(out, indent);
        }
        out.push('-');
        value(out, item, indent, After::Dash);
    }
}

fn plain(out: &mut String, scalar: &Value) {
    match scalar {
        Value::String(text) => scalar::write(out, text),
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        other => out.push_str(&other.to_string()),
    }
}

fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn yaml(document: Value) -> String {
        to_yaml(document.as_object().unwrap())
    }

    #[test]
    fn the_order_of_keys_in_a_template_does_not_matter() {
        let one =
            json!({ "Resources": { "B": { "Properties": {}, "Type": "T" }, "A": 1 }, "Description": "d" });
        let other =
            json!({ "Description": "d", "Resources": { "A": 1, "B": { "Type": "T", "Properties": {} } } });
        assert_eq!(yaml(one), yaml(other));
    }

    #[test]
    fn functions_take_their_short_tags() {
        let yaml = yaml(json!({
            "a": { "Ref": "X" },
            "b": { "Fn::GetAtt": ["X", "Arn"] },
            "c": { "Fn::Not": [{ "Fn::Equals": [{ "Ref": "P" }, ""] }] },
        }));
        assert_eq!(yaml, "a: !Ref X\nb: !GetAtt X.Arn\nc: !Not\n- !Equals\n  - !Ref P\n  - ''\n");
    }

    /// Every shape that a value can have, at every place where it can stand.
    #[test]
    fn every_shape_is_read_back_as_it_was() {
        let mut shapes = vec![json!("x"), json!(1), json!(true), json!(null), json!([]), json!({})];
        for _ in 0..3 {
            let inner: Vec<_> = shapes.iter().rev().take(6).cloned().collect();
            shapes.push(json!(inner));
            shapes.extend(inner.iter().map(|value| json!([value, value])));
            shapes.extend(inner.iter().map(|value| json!({ "k": value, "l": value })));
        }
        for shape in shapes {
            let text = yaml(json!({ "a": shape, "b": [shape, [shape]] }));
            let read: Value = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert_eq!(read, json!({ "a": shape, "b": [shape, [shape]] }), "{text}");
        }
    }

    #[test]
    fn a_tag_keeps_its_list_and_its_map_wherever_it_stands() {
        let call = json!({ "Fn::If": ["C", { "a": [1, { "b": 2 }] }, { "Fn::Sub": ["${x}", { "x": 1 }] }] });
        let text = yaml(json!({ "k": call, "l": [call, [call]], "m": { "Fn::Join": { "a": call } } }));
        let read: serde_yaml::Value = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let call = &read["k"];
        assert!(matches!(call, serde_yaml::Value::Tagged(tagged) if tagged.tag == "If"), "{text}");
        assert_eq!((&read["l"][0], &read["l"][1][0], &read["m"]["a"]), (call, call, call), "{text}");
    }

    #[test]
    fn a_key_of_any_length_is_read_back() {
        let key = "k".repeat(3000);
        let text = yaml(json!({ key.clone(): { key.clone(): [1] } }));
        let read: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(read, json!({ key.clone(): { key: [1] } }));
    }
}
