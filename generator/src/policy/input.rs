//! What conditions look at: documents as JSON, turned into values of the language where one asks for them.

use std::hash::Hasher;
use std::sync::OnceLock;

use cel::common::types::{CelNull, CelString};
use cel::common::value::Val;
use serde_json::{Map, Value};

use super::value::{TooLarge, of_entries, of_json, of_map};

/// A document that a name of the language stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// `null`.
    Nothing,
    /// A document.
    Json(&'a Value),
    /// The entries of a map.
    Map(&'a Map<String, Value>),
    /// A stack, with its template or its change set under the key `what`.
    Stack { id: &'a str, name: &'a str, region: &'a str, what: &'static str, body: &'a Value },
}

/// What a name of the language stands for, as evaluations see it.
pub(super) trait Seen: Send + Sync {
    /// The value.
    ///
    /// # Errors
    /// [`TooLarge`].
    fn value(&self) -> Result<&(dyn Val + '_), TooLarge>;

    /// Adds what stands at a path to a digest; an empty path is the whole document.
    fn hash(&self, path: &[String], into: &mut dyn Hasher);
}

/// A document, turned into a value of the language on first use.
pub(super) struct Input<'a> {
    source: Source<'a>,
    value: OnceLock<Result<Box<dyn Val + 'a>, TooLarge>>,
}

impl<'a> Input<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self { source, value: OnceLock::new() }
    }
}

impl Seen for Input<'_> {
    fn value(&self) -> Result<&(dyn Val + '_), TooLarge> {
        let value = self.value.get_or_init(|| self.source.converted());
        value.as_ref().map(|value| &**value).map_err(|error| *error)
    }

    fn hash(&self, path: &[String], into: &mut dyn Hasher) {
        match (self.source, path) {
            (Source::Nothing, _) => {}
            (Source::Json(json), path) => hash_found(at(Some(json), path), into),
            (Source::Map(map), []) => hash_map(map, into),
            (Source::Map(map), [first, rest @ ..]) => hash_found(at(map.get(first), rest), into),
            (Source::Stack { id, name, region, what, body }, path) => match path.split_first() {
                Some((first, rest)) if first == what => hash_found(at(Some(body), rest), into),
                Some((first, [])) if first == "id" => hash_text(id, into),
                Some((first, [])) if first == "name" => hash_text(name, into),
                Some((first, [])) if first == "region" => hash_text(region, into),
                _ => {
                    [id, name, region].into_iter().for_each(|text| hash_text(text, into));
                    hash(body, into);
                }
            },
        }
    }
}

impl<'a> Source<'a> {
    fn converted(self) -> Result<Box<dyn Val + 'a>, TooLarge> {
        Ok(match self {
            Source::Nothing => Box::new(CelNull),
            Source::Json(json) => of_json(json)?,
            Source::Map(map) => of_map(map)?,
            Source::Stack { id, name, region, what, body } => {
                let text = |text: &'a str| Box::new(CelString::from(text)) as Box<dyn Val + 'a>;
                let body = of_json(body)?;
                let entries =
                    vec![("id", text(id)), ("name", text(name)), ("region", text(region)), (what, body)];
                of_entries(entries)
            }
        })
    }
}

fn at<'a>(value: Option<&'a Value>, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value?, |value, key| value.get(key))
}

fn hash_found(value: Option<&Value>, into: &mut dyn Hasher) {
    match value {
        Some(value) => hash(value, into),
        None => into.write_u8(b'-'),
    }
}

/// Adds a document to a digest. Kinds and lengths stand in front, so that no two documents give the same stream;
/// the order of keys counts, which at worst tells two equal maps apart.
pub(super) fn hash(value: &Value, into: &mut dyn Hasher) {
    match value {
        Value::Null => into.write_u8(b'0'),
        Value::Bool(value) => into.write_u8(if *value { b't' } else { b'f' }),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => {
                into.write_u8(b'i');
                into.write_i64(whole);
            }
            (None, float) => {
                into.write_u8(b'd');
                into.write_u64(float.unwrap_or(f64::NAN).to_bits());
            }
        },
        Value::String(text) => {
            into.write_u8(b's');
            hash_text(text, into);
        }
        Value::Array(items) => {
            into.write_u8(b'[');
            into.write_usize(items.len());
            items.iter().for_each(|item| hash(item, into));
        }
        Value::Object(map) => {
            into.write_u8(b'{');
            hash_map(map, into);
        }
    }
}

fn hash_map(map: &Map<String, Value>, into: &mut dyn Hasher) {
    into.write_usize(map.len());
    for (key, value) in map {
        hash_text(key, into);
        hash(value, into);
    }
}

fn hash_text(text: &str, into: &mut dyn Hasher) {
    into.write_usize(text.len());
    into.write(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use serde_json::json;

    use super::*;

    fn digest(write: impl Fn(&mut DefaultHasher)) -> u64 {
        let mut hasher = DefaultHasher::new();
        write(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn different_documents_have_different_digests() {
        let documents = [
            json!(null),
            json!(false),
            json!(0),
            json!(0.0),
            json!(u64::MAX),
            json!(""),
            json!([]),
            json!({}),
            json!(["ab"]),
            json!(["a", "b"]),
            json!([["a"], "b"]),
            json!({ "a": "b" }),
            json!({ "ab": "" }),
        ];
        let mut seen: Vec<u64> = documents.iter().map(|json| digest(|into| hash(json, into))).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), documents.len());
    }

    #[test]
    fn a_path_is_told_apart_from_its_neighbours() {
        let (one, other) = (json!({ "a": { "b": 1 }, "c": 1 }), json!({ "a": { "b": 1 }, "c": 2 }));
        let at = |json: &Value, path: &[&str]| {
            let path: Vec<String> = path.iter().map(|key| (*key).to_string()).collect();
            digest(|into| Input::new(Source::Json(json)).hash(&path, into))
        };
        assert_eq!(at(&one, &["a", "b"]), at(&other, &["a", "b"]));
        assert_ne!(at(&one, &["c"]), at(&other, &["c"]));
        assert_ne!(at(&one, &["a"]), at(&one, &["missing"]));
        let stack = |region: &'static str, path: &[&str]| {
            let path: Vec<String> = path.iter().map(|key| (*key).to_string()).collect();
            let source = Source::Stack { id: "edge", name: "n", region, what: "template", body: &one };
            digest(|into| Input::new(source).hash(&path, into))
        };
        assert_ne!(stack("a", &["region"]), stack("b", &["region"]));
        assert_ne!(stack("a", &[]), stack("b", &[]));
        assert_eq!(stack("a", &["template", "c"]), stack("b", &["template", "c"]));
    }
}
