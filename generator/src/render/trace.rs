//! Where every scalar of a rendered document comes from.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::engine::Token;
use super::lines::Filled;
use super::values::{Arguments, is_marked};
use crate::program::output::{ARTIFACT_MARK, OUTPUT_MARK};
use crate::program::{Artifact, ArtifactFact, StackId};

/// Keys and indices from the root of a document to a value, functions in their long form.
pub type DocumentPath = Vec<String>;

/// Where one scalar comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Line of the template that it stands on; `None` for what generator itself adds to a document.
    pub template: Option<TemplateLine>,
    /// What it was made from, in the order of its text. Empty where the template says it all.
    pub sources: Vec<Source>,
    /// What decided that it stands there at all.
    pub conditions: Vec<Source>,
}

/// A line of a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateLine {
    /// File of the template.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
}

/// What a scalar, or a part of one, was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A setting of the tenant, by its path.
    Setting(String),
    /// What a resource has once it exists.
    Output {
        /// Stack of the resource.
        stack: StackId,
        /// Its logical id.
        resource: String,
        /// Its attribute; `None` for what `Ref` yields.
        attribute: Option<String>,
    },
    /// A fact of a runtime artifact.
    Artifact {
        /// Which artifact.
        artifact: Artifact,
        /// Which fact of it.
        fact: ArtifactFact,
    },
    /// What the program works out from the names of organisation and tenant, or holds as a constant.
    Program {
        /// The component.
        component: String,
        /// Its argument.
        argument: String,
    },
    /// What generator adds to every document.
    Generator(&'static str),
}

/// The origins of a stack's scalars.
#[derive(Debug, Clone)]
pub struct StackTrace {
    /// Which stack.
    pub stack: StackId,
    /// The finished document, functions in their long form.
    pub document: Value,
    /// Origin of each scalar, by its path in the document.
    pub origins: BTreeMap<DocumentPath, Origin>,
}

impl StackTrace {
    /// The scalars whose origin is not known. There are none; a test counts them.
    #[must_use]
    pub fn untraced(&self) -> Vec<DocumentPath> {
        let mut missing = Vec::new();
        leaves(&self.document, &mut Vec::new(), &mut |path, _| {
            if !self.origins.contains_key(path) {
                missing.push(path.to_vec());
            }
        });
        missing
    }
}

/// Calls `f` with every scalar of a value and its path.
pub fn leaves(value: &Value, path: &mut DocumentPath, f: &mut dyn FnMut(&[String], &Value)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                path.push(key.clone());
                leaves(value, path, f);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                path.push(index.to_string());
                leaves(value, path, f);
                path.pop();
            }
        }
        scalar => f(path, scalar),
    }
}

/// Notes origins while a fragment is read.
pub(super) struct Recorder<'a> {
    component: &'static str,
    file: String,
    arguments: &'a Arguments,
    /// Template line of each scalar that is still to be read, keys included.
    lines: VecDeque<usize>,
    /// Arguments on which the lines of the template depend.
    conditions: BTreeMap<usize, Vec<Vec<String>>>,
    path: DocumentPath,
    pub found: BTreeMap<DocumentPath, Origin>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        component: &'static str,
        file: String,
        arguments: &'a Arguments,
        filled: Filled,
    ) -> Self {
        Self {
            component,
            file,
            arguments,
            lines: filled.scalars.into(),
            conditions: filled.conditions,
            path: Vec::new(),
            found: BTreeMap::new(),
        }
    }

    pub(super) fn enter(&mut self, segment: String) {
        self.path.push(segment);
    }

    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// The line of the scalar that is read next.
    pub(super) fn next_line(&mut self) -> usize {
        self.lines.pop_front().unwrap_or_default()
    }

    /// Notes the next scalar of the text, which holds these tokens and became `output`.
    pub(super) fn scalar(&mut self, tokens: &[&Token], output: &Value) {
        let line = self.next_line();
        if let [Token::Argument(path)] = tokens {
            let arguments = self.arguments;
            if let Some(argument) = arguments.get(path) {
                return self.argument(line, argument, &mut path.clone(), output);
            }
        }
        let mut sources = Vec::new();
        for token in tokens {
            if let Token::Argument(path) = token {
                let argument = self.arguments.get(path).unwrap_or(&Value::Null);
                self.sources(argument, &mut path.clone(), &mut sources);
            }
        }
        self.note(line, &sources, output);
    }

    /// Notes every scalar that one argument became, each with its own part of the argument.
    fn argument(&mut self, line: usize, argument: &Value, at: &mut Vec<String>, output: &Value) {
        match (argument, output) {
            (Value::Array(items), Value::Array(outputs)) => {
                for (index, (item, output)) in items.iter().zip(outputs).enumerate() {
                    let segment = index.to_string();
                    self.enter(segment.clone());
                    at.push(segment);
                    self.argument(line, item, at, output);
                    at.pop();
                    self.leave();
                }
            }
            (Value::Object(map), Value::Object(outputs)) if !is_marked(map) => {
                for (key, output) in outputs {
                    self.enter(key.clone());
                    at.push(key.clone());
                    self.argument(line, map.get(key).unwrap_or(&Value::Null), at, output);
                    at.pop();
                    self.leave();
                }
            }
            _ => {
                let mut sources = Vec::new();
                self.sources(argument, at, &mut sources);
                self.note(line, &sources, output);
            }
        }
    }

    /// Everything that an argument is made from.
    fn sources(&self, argument: &Value, at: &mut Vec<String>, into: &mut Vec<Source>) {
        let mut add = |source| {
            if !into.contains(&source) {
                into.push(source);
            }
        };
        match argument {
            Value::Object(map) if map.contains_key(OUTPUT_MARK) => add(output_source(argument)),
            Value::Object(map) if map.contains_key(ARTIFACT_MARK) => add(artifact_source(argument)),
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    at.push(key.clone());
                    self.sources(value, at, into);
                    at.pop();
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, value) in items.iter().enumerate() {
                    at.push(index.to_string());
                    self.sources(value, at, into);
                    at.pop();
                }
            }
            _ => add(self.named(at)),
        }
    }

    /// A plain argument: the setting that it is, or the program's own.
    fn named(&self, at: &[String]) -> Source {
        match self.arguments.setting_of(at) {
            Some(setting) => Source::Setting(setting.clone()),
            None => Source::Program {
                component: self.component.to_string(),
                argument: at
                    .iter()
                    .filter(|segment| !segment.starts_with('\u{E010}'))
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("."),
            },
        }
    }

    fn note(&mut self, line: usize, sources: &[Source], output: &Value) {
        let mut conditions = Vec::new();
        for path in self.conditions.get(&line).into_iter().flatten() {
            // What belongs to an item of a list has no path of its own here; the list itself stands around it.
            if let Some(argument) = self.arguments.get(path) {
                self.sources(argument, &mut path.clone(), &mut conditions);
            }
        }
        let template = Some(TemplateLine { file: self.file.clone(), line });
        let origin = Origin { template, sources: sources.to_vec(), conditions };
        let found = &mut self.found;
        leaves(output, &mut self.path.clone(), &mut |path, _| {
            found.insert(path.to_vec(), origin.clone());
        });
    }

    /// The text `A.B` that stands here has become a list.
    pub(super) fn split(&mut self, parts: usize) {
        if let Some(origin) = self.found.remove(&self.path) {
            for index in 0..parts {
                let mut path = self.path.clone();
                path.push(index.to_string());
                self.found.insert(path, origin.clone());
            }
        }
    }
}

fn output_source(argument: &Value) -> Source {
    let text = |key: &str| argument.get(key).and_then(Value::as_str);
    Source::Output {
        stack: text("stack").and_then(StackId::from_word).unwrap_or(StackId::Regional),
        resource: text(OUTPUT_MARK).unwrap_or_default().to_string(),
        attribute: text("attribute").map(str::to_string),
    }
}

fn artifact_source(argument: &Value) -> Source {
    let text = |key: &str| argument.get(key).and_then(Value::as_str).unwrap_or_default();
    let artifact = Artifact::ALL.into_iter().find(|known| known.as_str() == text(ARTIFACT_MARK));
    let fact = [ArtifactFact::Bucket, ArtifactFact::Key, ArtifactFact::CodeSha256]
        .into_iter()
        .find(|known| known.as_str() == text("fact"));
    match (artifact, fact) {
        (Some(artifact), Some(fact)) => Source::Artifact { artifact, fact },
        _ => Source::Generator("an artifact of no known kind"),
    }
}
