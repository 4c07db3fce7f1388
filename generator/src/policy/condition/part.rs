//! The part of a document that a condition reads: worked out from its text, so that what is remembered goes by
//! nothing else, and nothing else is turned into values of the language.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hasher;

use cel::common::types::{CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::Val;
use serde_json::{Map, Value as Json};

use crate::policy::input::{get, hash, hash_map};
use crate::policy::path::is_choice;
use crate::policy::value::{Budget, TooLarge, of_json, of_map};

/// A step of a path that a condition goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The value of a key.
    Key(String),
    /// Every item, one after the other.
    Every,
}

/// What is read of a value. Of one with the default, no more than that it is there.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// All of it.
    is_whole: bool,
    /// These keys.
    keys: BTreeMap<String, Part>,
    /// How many items it has, and this of each.
    items: Option<Box<Part>>,
}

impl Part {
    /// Notes that a path is gone; what stands at its end.
    pub(super) fn at(&mut self, steps: &[Step]) -> &mut Self {
        match steps.split_first() {
            None => self,
            Some((Step::Key(key), rest)) => self.keys.entry(key.clone()).or_default().at(rest),
            Some((Step::Every, rest)) => self.items.get_or_insert_default().at(rest),
        }
    }

    /// Notes that all of it is read.
    pub(super) fn read_whole(&mut self) {
        self.is_whole = true;
    }

    /// Notes that it is gone over.
    pub(super) fn go_over(&mut self) {
        self.items.get_or_insert_default();
    }

    /// Whether nothing of it is read.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_whole && self.keys.is_empty() && self.items.is_none()
    }

    /// How a value that is no whole is read; `None` where all of it counts, be it that the value has another
    /// form than the path takes it for, or that CloudFormation puts another in its place.
    fn form<'p, 'j>(&'p self, value: &'j Json) -> Option<Form<'p, 'j>> {
        match (value, &self.items) {
            _ if self.is_whole || is_choice(value) => None,
            _ if self.is_empty() => Some(Form::There),
            (Json::Object(map), None) => Some(Form::Keys(map)),
            (Json::Array(items), Some(part)) if self.keys.is_empty() => Some(Form::Items(part, items)),
            _ => None,
        }
    }

    /// Adds what is read of a value to a digest.
    pub(super) fn hash(&self, value: &Json, into: &mut dyn Hasher) {
        match self.form(value) {
            None => hash(value, into),
            Some(Form::There) => into.write_u8(b'+'),
            Some(Form::Keys(map)) => {
                into.write_u8(b'}');
                self.hash_keys(|key| get(map, key), into);
            }
            Some(Form::Items(part, items)) => {
                into.write_u8(b']');
                into.write_usize(items.len());
                items.iter().for_each(|item| part.hash(item, into));
            }
        }
    }

    /// Adds the keys that are read of a map.
    pub(super) fn hash_map(&self, map: &Map<String, Json>, into: &mut dyn Hasher) {
        if self.is_whole || self.items.is_some() {
            hash_map(map, into);
        } else {
            self.hash_keys(|key| get(map, key), into);
        }
    }

    fn hash_keys<'j>(&self, get: impl Fn(&str) -> Option<&'j Json>, into: &mut dyn Hasher) {
        for (key, part) in &self.keys {
            match get(key) {
                Some(value) => part.hash(value, into),
                None => into.write_u8(b'-'),
            }
        }
    }

    /// What is read of a value, as a value of the language.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub(super) fn convert<'a>(
        &'a self,
        value: &'a Json,
        left: &mut Budget,
    ) -> Result<Box<dyn Val + 'a>, TooLarge> {
        match self.form(value) {
            None => of_json(value, left),
            Some(Form::There) => {
                left.take()?;
                Ok(Box::new(CelNull))
            }
            Some(Form::Keys(map)) => self.convert_keys(|key| get(map, key), left),
            Some(Form::Items(part, items)) => {
                left.take()?;
                let items: Result<Vec<_>, _> = items.iter().map(|item| part.convert(item, left)).collect();
                Ok(Box::new(CelList::from(items?)))
            }
        }
    }

    /// The keys that are read of a map, as a value of the language.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub(super) fn convert_map<'a>(
        &'a self,
        map: &'a Map<String, Json>,
        left: &mut Budget,
    ) -> Result<Box<dyn Val + 'a>, TooLarge> {
        if self.is_whole || self.items.is_some() {
            return of_map(map, left);
        }
        self.convert_keys(|key| get(map, key), left)
    }

    fn convert_keys<'a>(
        &'a self,
        get: impl Fn(&str) -> Option<&'a Json>,
        left: &mut Budget,
    ) -> Result<Box<dyn Val + 'a>, TooLarge> {
        left.take()?;
        let mut entries = HashMap::with_capacity(self.keys.len());
        for (key, part) in &self.keys {
            if let Some(value) = get(key) {
                entries.insert(CelMapKey::String(CelString::from(key.as_str())), part.convert(value, left)?);
            }
        }
        Ok(Box::new(CelMap::from(entries)))
    }

    /// What is read of the value of a key, where the map is no document.
    pub(super) fn of_key(&self, key: &str) -> Option<&Self> {
        static WHOLE: Part = Part { is_whole: true, keys: BTreeMap::new(), items: None };
        if self.is_whole || self.items.is_some() { Some(&WHOLE) } else { self.keys.get(key) }
    }
}

/// How a value is read.
enum Form<'p, 'j> {
    /// It is there.
    There,
    /// Some of its keys.
    Keys(&'j Map<String, Json>),
    /// The same of each item.
    Items(&'p Part, &'j Vec<Json>),
}
