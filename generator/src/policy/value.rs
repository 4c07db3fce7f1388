//! JSON as values of the condition language. Texts are borrowed, whole numbers become `int`.

use std::collections::HashMap;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::Val;
use serde_json::Value as Json;

/// Most values of one document that is judged. The largest template that CloudFormation takes has 1 MB.
pub(super) const VALUES_MAX: usize = 200_000;

/// A document ready for conditions.
pub(super) struct Converted<'a>(Box<dyn Val + 'a>);

/// A document has more values than are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the document has more than the {VALUES_MAX} values that are judged")]
pub(super) struct TooLarge;

impl<'a> Converted<'a> {
    /// Converts a document once, for every condition that is evaluated on it.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub(super) fn new(json: &'a Json) -> Result<Self, TooLarge> {
        let mut left = VALUES_MAX;
        Ok(Self(convert(json, &mut left)?))
    }

    /// A map of documents that were converted already.
    #[must_use]
    pub(super) fn map(entries: Vec<(&'a str, Box<dyn Val + 'a>)>) -> Self {
        let entries =
            entries.into_iter().map(|(key, value)| (CelMapKey::String(CelString::from(key)), value));
        Self(Box::new(CelMap::from(entries.collect::<HashMap<_, _>>())))
    }

    /// The value.
    #[must_use]
    pub(super) fn value(&self) -> &(dyn Val + 'a) {
        &*self.0
    }

    /// The value, owned.
    #[must_use]
    pub(super) fn into_value(self) -> Box<dyn Val + 'a> {
        self.0
    }
}

fn convert<'a>(json: &'a Json, left: &mut usize) -> Result<Box<dyn Val + 'a>, TooLarge> {
    *left = left.checked_sub(1).ok_or(TooLarge)?;
    Ok(match json {
        Json::Null => Box::new(CelNull),
        Json::Bool(value) => Box::new(CelBool::from(*value)),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Box::new(CelInt::from(whole)),
            None => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Json::String(text) => Box::new(CelString::from(text.as_str())),
        Json::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| convert(item, left)).collect();
            Box::new(CelList::from(items?))
        }
        Json::Object(map) => {
            let mut entries = HashMap::with_capacity(map.len());
            for (key, value) in map {
                entries.insert(CelMapKey::String(CelString::from(key.as_str())), convert(value, left)?);
            }
            Box::new(CelMap::from(entries))
        }
    })
}

/// A value back as JSON, for findings.
#[must_use]
pub(super) fn to_json(value: &dyn Val) -> Json {
    if let Some(value) = value.downcast_ref::<CelBool>() {
        Json::Bool(*value.inner())
    } else if let Some(value) = value.downcast_ref::<CelInt>() {
        Json::from(*value.inner())
    } else if let Some(value) = value.downcast_ref::<CelDouble>() {
        Json::from(*value.inner())
    } else if let Some(value) = value.downcast_ref::<CelString>() {
        Json::from(value.inner())
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        Json::Array(list.inner().iter().map(|item| to_json(&**item)).collect())
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        let mut keys: Vec<&str> = map.inner().keys().filter_map(super::path::key_text).collect();
        keys.sort_unstable();
        let entry = |key: &str| Some((key.to_string(), to_json(super::path::get(map, key)?)));
        Json::Object(keys.into_iter().filter_map(entry).collect())
    } else {
        Json::Null
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_comes_back_as_it_was() {
        let json = json!({ "a": [1, -2, 1.5, true, null, "text"], "b": { "c": {} } });
        assert_eq!(to_json(Converted::new(&json).expect("small").value()), json);
    }

    #[test]
    fn a_document_over_the_bound_is_refused() {
        let json = Json::Array(vec![Json::Null; VALUES_MAX]);
        assert_eq!(Converted::new(&json).err(), Some(TooLarge));
    }
}
