//! What conditions ask of a document as it stands, without turning it into values of the language.
//!
//! Most questions have the same answer everywhere: no text looks like a secret, no name is another tenant's. So all
//! texts of a document are looked through once, together, and one node is only looked at where something was found.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hasher;
use std::sync::{Mutex, OnceLock, PoisonError};

use cel::common::types::{CelBool, CelList, CelString};
use cel::common::value::{CowVal, Val};
use regex::Regex;
use serde_json::Value as Json;

use super::edge;
use super::functions::Names;
use super::input::{at, hash_text};

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// Whether a match depends on nothing around it: what matches a text then matches every text that holds it.
    is_local: bool,
}

impl Pattern {
    /// A pattern with its expression.
    pub(super) fn new(regex: Regex) -> Self {
        let parsed = regex_syntax::parse(regex.as_str());
        let is_local = parsed.is_ok_and(|parsed| parsed.properties().look_set().is_empty());
        Self { regex, is_local }
    }
}

/// What is asked.
#[derive(Debug)]
pub(super) enum Ask {
    /// `is_edge()`
    IsEdge,
    /// `referred_by('AWS::…', 'Property')`
    ReferredBy { kind: String, property: String },
    /// `texts(self)`
    Texts,
    /// `keys(self)`
    Keys,
    /// `foreign(self)`
    Foreign,
    /// `matching(self, '…')`
    Matching(Pattern),
    /// `resource_type(self)`
    ResourceType,
}

/// A call in a condition that is answered from the document.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) ask: Ask,
    /// Keys from the judged node to what is asked about.
    pub(super) path: Vec<String>,
}

/// What a question yields.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Holds(bool),
    Text(String),
    Texts(Vec<String>),
}

impl Answer {
    /// Adds the answer to a digest.
    pub(super) fn hash(&self, into: &mut dyn Hasher) {
        match self {
            Self::Holds(holds) => into.write_u8(u8::from(*holds)),
            Self::Text(text) => hash_text(text, into),
            Self::Texts(texts) => {
                into.write_usize(texts.len());
                texts.iter().for_each(|text| hash_text(text, into));
            }
        }
    }

    /// The answer as a value of the language.
    pub(super) fn value<'b, 'v>(self) -> CowVal<'b, 'v> {
        match self {
            Self::Holds(holds) => CowVal::owned(CelBool::from(holds)),
            Self::Text(text) => CowVal::owned(CelString::from(text)),
            Self::Texts(texts) => {
                let boxed = |text| Box::new(CelString::from(text)) as Box<dyn Val + 'v>;
                CowVal::owned(CelList::from(texts.into_iter().map(boxed).collect::<Vec<_>>()))
            }
        }
    }
}

/// Room for the texts of a usual template, in bytes.
const TEXTS: usize = 1 << 14;

/// A document, with what has been found out about it.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// The document, as paths go into it.
    pub(super) body: &'a Json,
    /// All tenants, and the one that is judged.
    pub(super) names: Names,
    /// Resources of functions at the edge.
    edge: OnceLock<BTreeSet<String>>,
    /// All texts, one a line.
    texts: OnceLock<String>,
    /// Whether no name in it is another tenant's.
    is_free_of_foreign: OnceLock<bool>,
    /// Whether a pattern, by its address, matches none of the texts.
    is_without: Mutex<HashMap<usize, bool>>,
}

impl<'a> Facts<'a> {
    /// A document of which nothing is known yet.
    pub(super) fn new(body: &'a Json, names: Names) -> Self {
        Self {
            body,
            names,
            edge: OnceLock::new(),
            texts: OnceLock::new(),
            is_free_of_foreign: OnceLock::new(),
            is_without: Mutex::new(HashMap::new()),
        }
    }

    /// The answer to a question about a node, which is or belongs to `resource`; `None` where the path of the
    /// question leads nowhere, or to something that cannot be asked about.
    pub(super) fn answer(&self, question: &Question, node: &Json, resource: Option<&str>) -> Option<Answer> {
        let node = at(node, &question.path)?;
        Some(match &question.ask {
            Ask::IsEdge => {
                let edge = self.edge.get_or_init(|| edge::associated(self.body));
                Answer::Holds(resource.is_some_and(|id| edge.contains(id)))
            }
            Ask::ReferredBy { kind, property } => {
                Answer::Holds(resource.is_some_and(|id| self.is_referred_by(id, kind, property)))
            }
            Ask::Texts => {
                let mut found = Vec::new();
                each_text(node, &mut |text| found.push(text.to_string()));
                Answer::Texts(found)
            }
            Ask::Keys => {
                let mut keys: Vec<String> = node.as_object()?.keys().cloned().collect();
                keys.sort_unstable();
                Answer::Texts(keys)
            }
            Ask::Foreign => Answer::Texts(self.foreign(node)),
            Ask::Matching(pattern) => Answer::Texts(self.matching(node, pattern)),
            Ask::ResourceType => Answer::Text(self.resource_type(node).unwrap_or_default().to_string()),
        })
    }

    fn texts(&self) -> &str {
        self.texts.get_or_init(|| {
            let mut all = String::with_capacity(TEXTS);
            each_text(self.body, &mut |text| {
                all.push_str(text);
                all.push('\n');
            });
            all
        })
    }

    fn foreign(&self, node: &Json) -> Vec<String> {
        let mut found = Vec::new();
        let Names { directory, tenant } = &self.names;
        // A line ends a name, so that all texts together hold those that each of them holds.
        let is_free = self.is_free_of_foreign.get_or_init(|| {
            directory.foreign(tenant, self.texts(), &mut found);
            found.is_empty()
        });
        if *is_free {
            return Vec::new();
        }
        found.clear();
        each_text(node, &mut |text| directory.foreign(tenant, text, &mut found));
        found.sort_unstable();
        found.dedup();
        found
    }

    fn matching(&self, node: &Json, pattern: &Pattern) -> Vec<String> {
        let mut found = Vec::new();
        if self.is_without(pattern) {
            return found;
        }
        each_text(node, &mut |text| {
            if pattern.regex.is_match(text) {
                found.push(text.to_string());
            }
        });
        found
    }

    /// Whether a pattern is known to match no text of the document.
    fn is_without(&self, pattern: &Pattern) -> bool {
        if !pattern.is_local {
            return false;
        }
        let mut known = self.is_without.lock().unwrap_or_else(PoisonError::into_inner);
        let address = std::ptr::from_ref(pattern).addr();
        *known.entry(address).or_insert_with(|| !pattern.regex.is_match(self.texts()))
    }

    /// Whether a resource of a type refers with one of its properties to the resource of this logical id.
    fn is_referred_by(&self, id: &str, kind: &str, property: &str) -> bool {
        let resources = self.body.get("Resources").and_then(Json::as_object);
        resources.into_iter().flatten().any(|(_, resource)| {
            resource.get("Type").and_then(Json::as_str) == Some(kind)
                && resource.get("Properties").and_then(|all| all.get(property)).and_then(referred) == Some(id)
        })
    }

    /// The type of the resource of the same template that a reference leads to.
    fn resource_type(&self, reference: &Json) -> Option<&str> {
        self.body.get("Resources")?.get(referred(reference)?)?.get("Type")?.as_str()
    }
}

/// The logical id that a `Ref` or `Fn::GetAtt` names.
pub(super) fn referred(reference: &Json) -> Option<&str> {
    reference["Ref"].as_str().or_else(|| match &reference["Fn::GetAtt"] {
        Json::String(path) => path.split('.').next(),
        path => path[0].as_str(),
    })
}

pub(super) fn each_text(value: &Json, f: &mut dyn FnMut(&str)) {
    match value {
        Json::String(text) => f(text),
        Json::Array(items) => items.iter().for_each(|item| each_text(item, f)),
        Json::Object(map) => map.values().for_each(|item| each_text(item, f)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::directory::Directory;
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(Regex::new(text).expect("a pattern"))
    }

    fn asked(body: &Json, node: &Json, ask: Ask, resource: &str) -> Answer {
        let directory = Directory::new("example", ["acme", "demo"].map(str::to_string));
        let facts = Facts::new(body, Names { directory: Arc::new(directory), tenant: "demo".into() });
        facts.answer(&Question { ask, path: Vec::new() }, node, Some(resource)).expect("an answer")
    }

    fn texts(all: &[&str]) -> Answer {
        Answer::Texts(all.iter().map(|text| (*text).to_string()).collect())
    }

    #[test]
    fn a_pattern_that_looks_around_is_told_from_one_that_does_not() {
        for (text, is_local) in [
            ("a[^^$]", true),
            ("(?i:x)|-+", true),
            ("^a", false),
            ("a$", false),
            (r"\ba", false),
            (r"a\z", false),
        ] {
            assert_eq!(pattern(text).is_local, is_local, "{text}");
        }
    }

    #[test]
    fn what_one_text_does_not_hold_is_not_found_in_two_together() {
        // Together the texts match; none of them does.
        let body = json!({ "A": ["one", "two"], "B": "three" });
        assert_eq!(asked(&body, &body["A"], Ask::Matching(pattern(r"one\stwo")), "A"), texts(&[]));
        assert_eq!(asked(&body, &body["A"], Ask::Matching(pattern("^t")), "A"), texts(&["two"]));
        assert_eq!(asked(&body, &body["B"], Ask::Matching(pattern("t.")), "B"), texts(&["three"]));
        assert_eq!(asked(&body, &body["A"], Ask::Matching(pattern("thr")), "A"), texts(&[]));
    }

    #[test]
    fn names_of_others_are_those_of_the_node() {
        let body = json!({ "A": "example-demo-x", "B": ["example-acme-x", "example-acme-x"] });
        assert_eq!(asked(&body, &body["A"], Ask::Foreign, "A"), texts(&[]));
        assert_eq!(asked(&body, &body["B"], Ask::Foreign, "B"), texts(&["example-acme-x"]));
    }

    #[test]
    fn references_are_followed_in_all_their_forms() {
        let body = json!({ "Resources": {
            "Key": { "Type": "AWS::SecretsManager::Secret" },
            "KeyRing": { "Type": "AWS::SecretsManager::Secret" },
            "Schedule": { "Type": "T::T", "Properties": { "SecretId": { "Fn::GetAtt": ["KeyRing", "Id"] } } },
        } });
        let by = || Ask::ReferredBy { kind: "T::T".into(), property: "SecretId".into() };
        assert_eq!(asked(&body, &body, by(), "KeyRing"), Answer::Holds(true));
        assert_eq!(
            asked(&body, &body, by(), "Key"),
            Answer::Holds(false),
            "a name that begins alike is another"
        );
        for (reference, kind) in [
            (json!({ "Ref": "Key" }), "AWS::SecretsManager::Secret"),
            (json!({ "Fn::GetAtt": "Schedule.Arn" }), "T::T"),
            (json!({ "Ref": "Nothing" }), ""),
            (json!("arn"), ""),
        ] {
            assert_eq!(asked(&body, &reference, Ask::ResourceType, "Key"), Answer::Text(kind.into()));
        }
    }

    #[test]
    fn keys_are_those_of_a_map() {
        let body = json!({ "b": 1, "a": { "c": 2 } });
        assert_eq!(asked(&body, &body, Ask::Keys, ""), texts(&["a", "b"]));
    }
}
