//! Loader and JSON Schema must give the same verdict on the structure of any file.

use std::io::Write;

use generator::tenant::schema;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::{files, read, structure};
use crate::support::root;

/// Says something on the terminal, past what a test runner keeps to itself.
fn tell(what: &str) {
    writeln!(std::io::stderr(), "{what}").expect("the terminal takes it");
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema::document()).expect("a schema of draft 2020-12")
}

#[test]
fn schema_and_loader_agree_on_the_corpus() {
    let validator = validator();
    let folder = root().join("tests/fixtures/corpus");
    let (mut judged, mut agreed) = (0, 0);
    for (verdict, good) in [("good", true), ("bad", false)] {
        for (name, text) in files(&folder.join(verdict)) {
            let node = read(&text).unwrap_or_else(|error| panic!("{verdict}/{name}: {error}"));
            let by_schema = validator.is_valid(&node.to_json());
            let problems = structure(node);
            assert_eq!(problems.is_empty(), good, "the loader on {verdict}/{name}: {problems:?}");
            assert_eq!(by_schema, good, "the schema on {verdict}/{name}");
            judged += 1;
            agreed += usize::from(by_schema == problems.is_empty());
        }
    }
    tell(&format!("schema and loader agree on {agreed} of the {judged} files of the corpus"));
    // Wrong only between settings, which no schema is asked to say.
    let rules = files(&folder.join("rules"));
    for (name, text) in &rules {
        let node = read(text).unwrap_or_else(|error| panic!("rules/{name}: {error}"));
        assert!(validator.is_valid(&node.to_json()), "the schema on rules/{name}");
    }
    assert!(
        judged >= 60,
        "{judged} files are judged, {} set aside as wrong only between settings",
        rules.len()
    );
}

/// The broken files whose YAML can be read are part of the corpus too.
#[test]
fn schema_and_loader_agree_on_the_broken_files() {
    let validator = validator();
    let (mut judged, mut agreed) = (0, 0);
    for (name, text) in broken_texts() {
        let Ok(node) = read(&text) else { continue };
        let by_schema = validator.is_valid(&node.to_json());
        let problems = structure(node);
        // A key that no layer sets is not wrong in any one file.
        let by_loader =
            problems.iter().all(|problem| problem.contains("client") && problem.ends_with("is not set"));
        assert_eq!(by_schema, by_loader, "{name}: {problems:?}");
        judged += 1;
        agreed += usize::from(by_schema == by_loader);
    }
    tell(&format!("schema and loader agree on {agreed} of the {judged} broken files that are YAML"));
}

fn broken_texts() -> Vec<(String, String)> {
    let folder = root().join("tests/fixtures/broken");
    let names = generator::tenant::list(&folder).expect("the broken files");
    let text = |name: &String| std::fs::read_to_string(folder.join(format!("{name}.yaml"))).ok();
    names.iter().filter_map(|name| Some((name.clone(), text(name)?))).collect()
}

/// Every setting with every odd value: of the wrong kind, at and beyond its bounds, from its own examples.
#[test]
fn schema_and_loader_agree_on_every_setting_with_odd_values() {
    let schema = schema::document();
    let validator = validator();
    let odd = odd_values();
    let (mut judged, mut good) = (0, 0);
    for path in schema::paths(&schema) {
        let own = at(&schema, &path);
        for value in odd.iter().cloned().chain(own_values(own)) {
            let document = document(&path, value);
            let node = read(&as_yaml(&document)).unwrap_or_else(|error| panic!("{document}: {error}"));
            let problems = structure(node);
            assert_eq!(validator.is_valid(&document), problems.is_empty(), "{document}: {problems:?}");
            judged += 1;
            good += usize::from(problems.is_empty());
        }
    }
    tell(&format!("schema and loader agree on {judged} documents with odd values, {good} of them good"));
    assert!(judged > 3000 && good > 200, "{judged} documents, {good} of them good");
}

/// JSON as YAML takes it: with the characters escaped that may not stand in a YAML file.
fn as_yaml(document: &Value) -> String {
    let escape = |c: char| match c {
        '\u{7f}'..='\u{9f}' | '\u{feff}' => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    };
    document.to_string().chars().map(escape).collect()
}

fn odd_values() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1),
        json!(2.5),
        json!(60.0),
        json!(1e3),
        json!(1e300),
        json!(i64::MAX),
        json!(u64::MAX),
        json!([]),
        json!({}),
        json!([null]),
        json!([1]),
        json!(["a", "a"]),
        json!(["a"]),
        json!([[]]),
        json!([{}]),
        json!({ "a": 1 }),
        json!({ "a": "b" }),
        json!({ "": "b" }),
        json!({ "x-y": "z" }),
    ];
    let texts = [
        "",
        " ",
        "a",
        "A",
        "a b",
        "true",
        "null",
        "60",
        "-",
        "*",
        "/",
        "/*",
        "/a",
        "/a/*",
        "/cookie",
        "/cookie/x",
        "/cookies",
        "a.b",
        "a.b.c",
        ".a",
        "a.",
        "a-",
        "-a",
        "NO",
        "no",
        "SE",
        "é",
        "日本",
        "a\u{7f}",
        "a\u{85}b",
        "a\nb",
        "a\n",
        "\u{feff}a",
        "aws",
        "xawsx",
        "generator",
        "off",
        "on",
        "https://a.b",
        "https://a.b/",
        "https://a.b/#x",
        "https://a.b:0",
        "https://a.b:65535",
        "https://a.b:65536",
        "http://a.b",
        "http://localhost",
        "http://localhost:8080/x?y",
        "http://x.localhost",
        "http://127.0.0.1:1/",
        "https://a..b",
        "https://",
        "https://user@a.b/",
        "111122223333",
        "١١١١٢٢٢٢٣٣٣٣",
        "#0b5fff",
        "#0b5ff",
        "rate(1 day)",
        "rate(1 days)",
        "rate(0 days)",
        "rate(366 days)",
        "rate(365 days)",
        "cron(0 4 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(1 4 * * ? *)",
        "cron(0 4 1 * MON *)",
        "a@b",
        "A <a@b>",
        "media/view",
        "a/b/c",
        "x--ol-s3",
        "xn--a",
        "abc",
        "eu-north-1",
        "eu-north-1_a",
        "{{x}}",
        "${x}",
        "{{resolve:ssm:x}}",
    ];
    values.extend(texts.iter().map(|text| json!(text)));
    values.extend(texts.iter().map(|text| json!([text])));
    values.extend([1, 25, 30, 31, 63, 64, 128, 200, 201, 1000, 2000].map(|length| json!("a".repeat(length))));
    values
}

/// The values that a schema speaks of, and those beside its bounds.
fn own_values(schema: &Value) -> Vec<Value> {
    let mut values = Vec::new();
    for key in ["examples", "enum"] {
        values.extend(schema[key].as_array().into_iter().flatten().cloned());
    }
    for bound in ["minimum", "maximum"] {
        let near = |bound: i64| [bound - 1, bound, bound + 1].map(|value| json!(value));
        values.extend(schema[bound].as_i64().map(near).into_iter().flatten());
    }
    if schema["items"].is_object() {
        let items = own_values(&schema["items"]);
        values.extend(items.iter().map(|item| json!([item])));
        values.extend(items.iter().map(|item| json!([item, item])));
        values.push(json!(items));
    }
    values
}

/// The schema of the setting at a path.
fn at<'a>(schema: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(schema, |schema, key| match key {
        "*" if schema["items"].is_object() => &schema["items"],
        "*" => &schema["additionalProperties"],
        key => &schema["properties"][key],
    })
}

/// A document that sets one setting, and beside it what its map cannot be without.
fn document(path: &str, value: Value) -> Value {
    let nest = |value: Value, key: &str| match key {
        "*" if path.starts_with("edge.error_pages") => json!([value]),
        "*" => json!({ "abc": value }),
        key => json!({ key: value }),
    };
    let mut document = path.split('.').rev().fold(value, nest);
    if let Some(Value::Object(client)) = document.pointer_mut("/sign_in/clients/abc") {
        client.entry("callback_urls").or_insert(json!(["https://app.example.com/"]));
    }
    document
}
