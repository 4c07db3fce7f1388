//! What the names of the language stand for: documents as JSON, and their digests.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use serde_json::{Map, Value};
use siphasher::sip128::SipHasher13;

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

/// A hasher under a key that nobody outside this process knows: 128 bits, so that two inputs are taken for one
/// another never in practice, and by nobody's design.
pub(super) fn hasher() -> SipHasher13 {
    static KEYS: LazyLock<(u64, u64)> = LazyLock::new(|| {
        let random = || RandomState::new().hash_one(0_u8);
        (random(), random())
    });
    SipHasher13::new_with_keys(KEYS.0, KEYS.1)
}

/// Most entries of a map that are gone through for a key. Up to here that takes less time than its hash.
const FEW: usize = 12;

/// The value of a key.
pub(super) fn get<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    if map.len() > FEW {
        return map.get(key);
    }
    map.iter().find(|(other, _)| *other == key).map(|(_, value)| value)
}

/// What stands at a path of keys.
pub(super) fn at<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| get(value.as_object()?, key))
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

/// Adds the entries of a map.
pub(super) fn hash_map(map: &Map<String, Value>, into: &mut dyn Hasher) {
    into.write_usize(map.len());
    for (key, value) in map {
        hash_text(key, into);
        hash(value, into);
    }
}

/// Adds a text.
pub(super) fn hash_text(text: &str, into: &mut dyn Hasher) {
    into.write_usize(text.len());
    into.write(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_found_in_maps_of_every_size() {
        for size in [0, 1, FEW, FEW + 1, 100] {
            let map: Map<String, Value> = (0..size).map(|at| (format!("k{at}"), at.into())).collect();
            for key in map.keys() {
                assert_eq!(get(&map, key), map.get(key));
            }
            assert_eq!(get(&map, "k"), None);
        }
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
        let digest = |json: &Value| {
            let mut hasher = DefaultHasher::new();
            hash(json, &mut hasher);
            hasher.finish()
        };
        let mut seen: Vec<u64> = documents.iter().map(digest).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), documents.len());
    }
}
