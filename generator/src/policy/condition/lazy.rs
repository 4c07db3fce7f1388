//! What a name of the language stands for in one evaluation, turned into a value where it is asked for.

use std::hash::Hasher;
use std::sync::OnceLock;

use cel::common::types::{CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::Val;

use super::part::Part;
use crate::policy::input::{Source, hash_text};
use crate::policy::value::{Budget, TooLarge};

/// A value, as evaluations see it.
pub(super) trait Seen: Send + Sync {
    /// The value.
    ///
    /// # Errors
    /// [`TooLarge`].
    fn value(&self) -> Result<&(dyn Val + '_), TooLarge>;
}

/// The part of a document that a condition reads.
pub(super) struct Lazy<'a> {
    source: Source<'a>,
    part: &'a Part,
    value: OnceLock<Result<Box<dyn Val + 'a>, TooLarge>>,
}

impl<'a> Lazy<'a> {
    pub(super) fn new(source: Source<'a>, part: &'a Part) -> Self {
        Self { source, part, value: OnceLock::new() }
    }
}

impl Seen for Lazy<'_> {
    fn value(&self) -> Result<&(dyn Val + '_), TooLarge> {
        let value = self.value.get_or_init(|| convert(self.source, self.part));
        value.as_ref().map(|value| &**value).map_err(|error| *error)
    }
}

fn convert<'a>(source: Source<'a>, part: &'a Part) -> Result<Box<dyn Val + 'a>, TooLarge> {
    let left = &mut Budget::default();
    match source {
        Source::Nothing => Ok(Box::new(CelNull)),
        Source::Json(json) => part.convert(json, left),
        Source::Map(map) => part.convert_map(map, left),
        Source::Stack { id, name, region, what, body } => {
            let text = |text: &'a str| Box::new(CelString::from(text)) as Box<dyn Val + 'a>;
            let mut entries = Vec::with_capacity(4);
            for (key, value) in [("id", id), ("name", name), ("region", region)] {
                entries.extend(part.of_key(key).map(|_| (key, text(value))));
            }
            if let Some(part) = part.of_key(what) {
                entries.push((what, part.convert(body, left)?));
            }
            let entries =
                entries.into_iter().map(|(key, value)| (CelMapKey::String(CelString::from(key)), value));
            Ok(Box::new(CelMap::from(entries.collect::<std::collections::HashMap<_, _>>())))
        }
    }
}

/// Adds what is read of a document to a digest.
pub(super) fn hash(source: Source<'_>, part: &Part, into: &mut dyn Hasher) {
    match source {
        Source::Nothing => {}
        Source::Json(json) => part.hash(json, into),
        Source::Map(map) => part.hash_map(map, into),
        Source::Stack { id, name, region, what, body } => {
            for (key, value) in [("id", id), ("name", name), ("region", region)] {
                if part.of_key(key).is_some() {
                    hash_text(value, into);
                }
            }
            if let Some(part) = part.of_key(what) {
                part.hash(body, into);
            }
        }
    }
}
