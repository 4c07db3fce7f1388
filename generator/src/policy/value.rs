//! JSON as values of the condition language. Texts are borrowed, whole numbers become `int`.

use std::collections::HashMap;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::Val;
use serde_json::{Map, Value as Json};

/// Most values that one evaluation reads of a document. The largest template that CloudFormation takes has 1 MB.
pub(super) const VALUES_MAX: usize = 200_000;

/// A document has more values than are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the condition reads more than the {VALUES_MAX} values that are judged")]
pub(super) struct TooLarge;

/// How many values may still be turned into those of the language.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(VALUES_MAX)
    }
}

impl Budget {
    /// Takes one.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub(super) fn take(&mut self) -> Result<(), TooLarge> {
        self.0 = self.0.checked_sub(1).ok_or(TooLarge)?;
        Ok(())
    }
}

/// A document as a value.
///
/// # Errors
/// [`TooLarge`].
pub(super) fn of_json<'a>(json: &'a Json, left: &mut Budget) -> Result<Box<dyn Val + 'a>, TooLarge> {
    left.take()?;
    Ok(match json {
        Json::Null => Box::new(CelNull),
        Json::Bool(value) => Box::new(CelBool::from(*value)),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Box::new(CelInt::from(whole)),
            None => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Json::String(text) => Box::new(CelString::from(text.as_str())),
        Json::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| of_json(item, left)).collect();
            Box::new(CelList::from(items?))
        }
        Json::Object(map) => of_map(map, left)?,
    })
}

/// The entries of a map as a value.
///
/// # Errors
/// [`TooLarge`].
pub(super) fn of_map<'a>(
    map: &'a Map<String, Json>,
    left: &mut Budget,
) -> Result<Box<dyn Val + 'a>, TooLarge> {
    let mut entries = HashMap::with_capacity(map.len());
    for (key, value) in map {
        entries.insert(CelMapKey::String(CelString::from(key.as_str())), of_json(value, left)?);
    }
    Ok(Box::new(CelMap::from(entries)))
}

/// The value of a key.
pub(super) fn get<'a, 'v>(map: &'a CelMap<'v>, key: &str) -> Option<&'a (dyn Val + 'v)> {
    map.inner().get(&CelMapKey::String(CelString::from(key.to_string()))).map(|value| &**value)
}

pub(super) fn key_text<'a>(key: &'a CelMapKey<'_>) -> Option<&'a str> {
    match key {
        CelMapKey::String(text) => Some(text.inner()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_has_its_counterpart() {
        let json = json!({ "a": [1, -2, 1.5, true, null, "text"], "b": { "c": {} } });
        let converted = of_json(&json, &mut Budget::default()).expect("small");
        let source = "v.a == [1, -2, 1.5, true, null, 'text'] && v.b == {'c': {}} && type(v.a[0]) == int";
        let program = cel::Program::compile(source).expect("compiled");
        let mut context = cel::Context::default();
        context.add_variable_as_val("v", converted);
        assert_eq!(program.execute(&context), Ok(cel::Value::Bool(true)));
    }

    #[test]
    fn a_document_over_the_bound_is_refused() {
        let json = Json::Array(vec![Json::Null; VALUES_MAX]);
        assert_eq!(of_json(&json, &mut Budget::default()).err(), Some(TooLarge));
    }
}
