//! Writing a setting into a tenant file: what else stands there, comments and layout included, stays.

use serde_json::Value as Json;

use crate::tenant::node::{Entry, Node, Value};
use crate::tenant::reading::parse;
use crate::tenant::source::Sources;

/// The text with the setting at `path` as `value`.
///
/// # Errors
/// Why it must be written by hand: the text is no tenant file, or its layout allows no edit that changes this
/// setting and nothing else.
pub fn set(text: &str, path: &[String], value: &Json) -> Result<String, String> {
    let old = read(text)?;
    let edited = edit(text, &old, path, value)?;
    let mut expected = old.to_json();
    put(&mut expected, path, value);
    match read(&edited) {
        Ok(new) if new.to_json() == expected => Ok(edited),
        _ => Err(format!("`{}` cannot be set without touching other lines", path.join("."))),
    }
}

fn read(text: &str) -> Result<Node, String> {
    let mut sources = Sources::default();
    let id = sources.add(String::new(), text.to_string());
    parse(id, text).map_err(|problems| problems.into_iter().next().map(|one| one.message).unwrap_or_default())
}

fn put(json: &mut Json, path: &[String], value: &Json) {
    match path.split_first() {
        None => *json = value.clone(),
        Some((first, rest)) => {
            if let (Json::Array(items), Ok(index)) = (&mut *json, first.parse::<usize>()) {
                if let Some(item) = items.get_mut(index) {
                    put(item, rest, value);
                }
                return;
            }
            if !json.is_object() {
                *json = Json::Object(serde_json::Map::new());
            }
            if let Json::Object(map) = json {
                put(map.entry(first.clone()).or_insert(Json::Null), rest, value);
            }
        }
    }
}

fn edit(text: &str, root: &Node, path: &[String], value: &Json) -> Result<String, String> {
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (mut node, mut key, mut depth): (&Node, Option<&Entry>, usize) = (root, None, 0);
    for segment in path {
        let inner = match &node.value {
            Value::Map(entries) => {
                entries.iter().find(|entry| entry.key == *segment).map(|entry| (&entry.node, Some(entry)))
            }
            Value::List(items) => {
                segment.parse::<usize>().ok().and_then(|index| items.get(index)).map(|item| (item, None))
            }
            _ => None,
        };
        let Some((inner, entry)) = inner else { break };
        (node, key, depth) = (inner, entry, depth + 1);
    }
    let rest = &path[depth..];
    let start = node.place.start as usize;
    let is_flow = text[start..].starts_with(['[', '{']);
    match (&node.value, rest) {
        (Value::Map(_) | Value::List(_), []) if !is_flow => {
            let entry = key.ok_or("it stands in a list without a key")?;
            Ok(replace_block(text, entry, &format!(" {}", flow(value)), ending))
        }
        (Value::Null, []) => {
            let entry = key.ok_or("it stands in a list without a key")?;
            Ok(replace_block(text, entry, &format!(" {}", flow(value)), ending))
        }
        (_, []) => {
            let end = if is_flow {
                flow_end(text, start).ok_or("it is not closed")?
            } else {
                node.place.end as usize
            };
            Ok(format!("{}{}{}", &text[..start], flow(value), &text[end..]))
        }
        (Value::Map(_), [first, nested @ ..]) if is_flow => {
            let inner = nested.iter().rev().fold(flow(value), |inner, key| format!("{{ {key}: {inner} }}"));
            let body = text[start + 1..].trim_start();
            let comma = if body.starts_with('}') { " " } else { "," };
            Ok(format!("{}{{ {first}: {inner}{comma}{}", &text[..start], &text[start + 1..]))
        }
        (Value::Map(entries), rest) => {
            let Some(last) = entries.last() else { return Ok(appended(text, 0, rest, value, ending)) };
            let indent = (last.key_place.column as usize).saturating_sub(1);
            let at = block_end(text, last);
            let (before, after) = text.split_at(at);
            let before = appended(before, indent, rest, value, ending);
            Ok(format!("{before}{after}"))
        }
        (Value::Null, rest) => {
            let entry = key.ok_or("it stands in a list without a key")?;
            let indent = (entry.key_place.column as usize) + 1;
            let lines = appended("", indent, rest, value, ending);
            Ok(replace_block(text, entry, &format!("{ending}{}", lines.trim_end()), ending))
        }
        _ => Err("something else stands around it".into()),
    }
}

/// The text with a key and its value at its end, each further key a level deeper.
fn appended(text: &str, indent: usize, path: &[String], value: &Json, ending: &str) -> String {
    let mut out = text.to_string();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push_str(ending);
    }
    for (depth, key) in path.iter().enumerate() {
        let space = " ".repeat(indent + 2 * depth);
        let own = if depth + 1 == path.len() { format!(" {}", flow(value)) } else { String::new() };
        out.push_str(&format!("{space}{key}:{own}{ending}"));
    }
    out
}

/// The byte after the last line of an entry's block.
fn block_end(text: &str, entry: &Entry) -> usize {
    let start = entry.key_place.start as usize;
    let indent = (entry.key_place.column as usize).saturating_sub(1);
    let mut end = start;
    let mut seen = start;
    for (index, line) in text[start..].split_inclusive('\n').enumerate() {
        let content = line.trim_start_matches(' ');
        let own = line.len() - content.len();
        let is_blank = content.trim().is_empty();
        let belongs = index == 0 || own > indent || (own == indent && content.starts_with("- "));
        if !belongs && !is_blank {
            break;
        }
        seen += line.len();
        // Blank lines and comments behind the block belong to what follows.
        let is_note = index > 0 && content.starts_with('#') && own <= indent;
        if !is_blank && !is_note {
            end = seen;
        }
    }
    end
}

/// The text with what stands behind an entry's colon replaced; a comment on the line of the key stays.
fn replace_block(text: &str, entry: &Entry, with: &str, ending: &str) -> String {
    let start = entry.key_place.start as usize;
    let colon = text[start..].find(':').map_or(start, |at| start + at + 1);
    let line_end = text[colon..].find('\n').map_or(text.len(), |at| colon + at);
    let comment = text[colon..line_end].find(" #").map_or("", |at| text[colon + at..line_end].trim_end());
    let end = block_end(text, entry);
    format!("{}{with}{comment}{ending}{}", &text[..colon], &text[end..])
}

/// The byte after a flow collection that begins at `start`.
fn flow_end(text: &str, start: usize) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text[start..].char_indices() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => {
                depth -= 1;
                if depth == 0 {
                    return Some(start + at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// A value on one line; JSON is YAML.
fn flow(value: &Json) -> String {
    match value {
        Json::String(text) => {
            let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
                && text.starts_with(|c: char| c.is_ascii_alphabetic())
                && !["true", "false", "null", "yes", "no", "on", "off"]
                    .contains(&text.to_lowercase().as_str());
            if plain { text.clone() } else { value.to_string() }
        }
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = "# a tenant\n\nregion: eu-north-1 # home\nsign_in:\n  # callbacks\n  callback_urls: [https://a.example/x] # one\n  \
                        password: { minimum_length: 8 }\ncors:\n  origins:\n    - https://a.example # first\n    - https://b.example\n\n\
                        # the end\ncookies:\n";

    fn edited(path: &str, value: Json) -> String {
        let path: Vec<String> = path.split('.').map(str::to_string).collect();
        set(FILE, &path, &value).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        assert_eq!(edited("region", json!("eu-west-1")), FILE.replace("eu-north-1 #", "eu-west-1 #"));
        assert_eq!(edited("sign_in.callback_urls", json!([])), FILE.replace("[https://a.example/x]", "[]"));
        assert_eq!(
            edited("cors.origins.1", json!("https://c.example")),
            FILE.replace("https://b.example", "\"https://c.example\"")
        );
    }

    #[test]
    fn a_value_that_is_not_there_is_added_to_its_section() {
        assert_eq!(
            edited("sign_in.password.temporary_days", json!(7)),
            FILE.replace("{ minimum_length: 8 }", "{ temporary_days: 7, minimum_length: 8 }")
        );
        assert_eq!(
            edited("sign_in.mfa.mode", json!("required")),
            FILE.replace("8 }\n", "8 }\n  mfa:\n    mode: required\n")
        );
        assert_eq!(
            edited("cors.max_age_seconds", json!(5)),
            FILE.replace("b.example\n", "b.example\n  max_age_seconds: 5\n")
        );
        assert_eq!(
            edited("cookies.minutes", json!(5)),
            FILE.replace("cookies:\n", "cookies:\n  minutes: 5\n")
        );
        assert_eq!(
            edited("keys.rotation", json!("rate(30 days)")),
            format!("{FILE}keys:\n  rotation: \"rate(30 days)\"\n")
        );
    }

    #[test]
    fn a_block_becomes_one_line() {
        assert_eq!(
            edited("cors.origins", json!(["https://c.example"])),
            FILE.replace(
                "  origins:\n    - https://a.example # first\n    - https://b.example\n",
                "  origins: [\"https://c.example\"]\n"
            )
        );
    }

    #[test]
    fn what_would_change_more_is_refused() {
        assert!(set("a: &x { b: 5 }\nc: *x\n", &["a".to_string(), "b".to_string()], &json!(6)).is_err());
        assert!(set("- a\n- b\n", &["c".to_string()], &json!(1)).is_err());
    }
}
