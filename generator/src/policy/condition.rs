//! Conditions in CEL, compiled once and bounded.
//!
//! What bounds an evaluation: the text has [`compile::SOURCE_MAX`] bytes at most and nests
//! [`compile::DEPTH_MAX`] deep; it reads at most [`super::value::VALUES_MAX`] values; comprehensions nest
//! [`compile::LOOPS_MAX`] deep and go over [`super::functions::STEPS_MAX`] items at most, counted before each is
//! entered; patterns are literals, compiled once, and matched in linear time. A bound that is passed is an error,
//! and an error blocks.
//!
//! A condition is a function of what it reads, which is worked out when it is compiled: the paths that it goes, and
//! the answers to what it asks of the document. Whether it held, and what a message said, is remembered, and the same
//! input is not evaluated again: the tenants of a fleet are alike in most of what is judged. Errors are not remembered.

mod compile;
mod kept;
mod lazy;
mod part;

use std::sync::{Arc, OnceLock};

use cel::common::ast::IdedExpr;
use cel::common::types::{CelBool, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, ExecutionError, Value};
use serde_json::{Map, Value as Json};

pub(super) use self::compile::unknown_setting;
use self::compile::{DIRECTORY, METER, PATTERN, QUESTION, Reads};
use self::kept::{Kept, key};
use self::lazy::{Lazy, Seen};
use super::facts::{Answer, Ask, Facts, Pattern, Question};
use super::functions::{self, Meter};
use super::input::Source;

/// A compiled condition or message.
#[derive(Debug)]
pub struct Condition {
    /// As it stands in the pack.
    pub source: String,
    expression: IdedExpr,
    patterns: Vec<Pattern>,
    /// Calls that are answered from the document itself.
    questions: Vec<Question>,
    reads: Reads,
    /// Whether it held.
    held: Kept<bool>,
    /// What it said, as a message.
    said: Kept<String>,
}

/// Longest message that is remembered, in bytes.
const SAID_MAX: usize = 500;

/// What the names in a condition stand for.
#[derive(Clone, Copy)]
pub(super) struct Variables<'a> {
    /// The node that is judged.
    pub(super) node: &'a Json,
    /// Logical id of the resource that it is or belongs to.
    pub(super) resource: Option<&'a str>,
    /// The tenant's settings.
    pub(super) tenant: &'a Json,
    /// The stack or change set around the node.
    pub(super) stack: Source<'a>,
    /// The policy's params.
    pub(super) params: &'a Map<String, Json>,
    /// The document around the node.
    pub(super) facts: &'a Facts<'a>,
}

impl Variables<'_> {
    fn answer(&self, question: &Question) -> Option<Answer> {
        self.facts.answer(question, self.node, self.resource)
    }
}

struct Scope<'a> {
    condition: &'a Condition,
    variables: Variables<'a>,
    node: &'a dyn Seen,
    tenant: &'a dyn Seen,
    stack: &'a dyn Seen,
    params: &'a dyn Seen,
    meter: Meter,
    /// Why a name stands for nothing.
    problem: OnceLock<String>,
}

impl Scope<'_> {
    fn value<'b>(&'b self, input: &'b dyn Seen) -> Option<&'b (dyn Val + 'b)> {
        match input.value() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem.get_or_init(|| error.to_string());
                None
            }
        }
    }
}

impl VariableResolver for Scope<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let value: &'b (dyn Val + 'b) = match variable {
            "self" => self.value(self.node)?,
            "tenant" => self.value(self.tenant)?,
            "stack" => self.value(self.stack)?,
            "params" => self.value(self.params)?,
            METER => &self.meter,
            DIRECTORY => &self.variables.facts.names,
            other => {
                if let Some(question) = self.condition.question(other) {
                    return Some(self.variables.answer(question)?.value());
                }
                let index: usize = other.strip_prefix(PATTERN)?.parse().ok()?;
                self.condition.patterns.get(index)?
            }
        };
        Some(CowVal::Borrowed(value))
    }
}

impl Condition {
    /// Compiles a condition. `settings` is the JSON Schema of tenant files, against which `tenant.…` is held.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn compile(source: &str, settings: &Json) -> Result<Self, String> {
        let compiled = compile::compile(source, settings)?;
        Ok(Self {
            source: source.to_string(),
            expression: compiled.expression,
            patterns: compiled.patterns,
            questions: compiled.questions,
            reads: compiled.reads,
            held: Kept::default(),
            said: Kept::default(),
        })
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    /// What cannot be evaluated: a missing key, another type, a bound that is passed.
    pub(super) fn holds(&self, variables: &Variables<'_>) -> Result<bool, String> {
        let key = key(&self.reads, &self.questions, variables);
        if let Some(holds) = key.and_then(|key| self.held.get(key)) {
            return Ok(holds);
        }
        let holds = self
            .evaluate(variables, |value| value.downcast_ref::<CelBool>().map(|value| *value.inner()))?
            .ok_or_else(|| "the condition yields no boolean".to_string())?;
        if let Some(key) = key {
            self.held.insert(key, holds);
        }
        Ok(holds)
    }

    /// The text that the condition yields.
    ///
    /// # Errors
    /// As of [`Condition::holds`].
    pub(super) fn text(&self, variables: &Variables<'_>) -> Result<String, String> {
        let key = key(&self.reads, &self.questions, variables);
        if let Some(text) = key.and_then(|key| self.said.get(key)) {
            return Ok(text);
        }
        let text = self
            .evaluate(variables, |value| {
                value.downcast_ref::<CelString>().map(|text| text.inner().to_string())
            })?
            .ok_or_else(|| "the message yields no text".to_string())?;
        if let Some(key) = key.filter(|_| text.len() <= SAID_MAX) {
            self.said.insert(key, text.clone());
        }
        Ok(text)
    }

    fn evaluate<T>(
        &self,
        variables: &Variables<'_>,
        read: impl FnOnce(&dyn Val) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let env: Arc<Env> = functions::environment().ok_or("the condition language cannot be set up")?;
        let node = Lazy::new(Source::Json(variables.node), &self.reads.node);
        let tenant = Lazy::new(Source::Json(variables.tenant), &self.reads.tenant);
        let stack = Lazy::new(variables.stack, &self.reads.stack);
        let params = Lazy::new(Source::Map(variables.params), &self.reads.params);
        let scope = Scope {
            condition: self,
            variables: *variables,
            node: &node,
            tenant: &tenant,
            stack: &stack,
            params: &params,
            meter: Meter::default(),
            problem: OnceLock::new(),
        };
        let mut context = Context::with_env(env);
        context.set_variable_resolver(&scope);
        let result = Value::resolve_val(&self.expression, &context);
        match (scope.problem.get(), result) {
            (Some(problem), _) => Err(problem.clone()),
            (None, Ok(value)) => Ok(read(&*value)),
            (None, Err(error)) => Err(self.reason(&error)),
        }
    }

    /// Whether what it says depends on the settings of the tenant.
    pub(super) fn reads_settings(&self) -> bool {
        !self.reads.tenant.is_empty()
    }

    /// The question that a name in the compiled expression stands for.
    fn question(&self, name: &str) -> Option<&Question> {
        self.questions.get(name.strip_prefix(QUESTION)?.parse::<usize>().ok()?)
    }

    /// Why an evaluation failed, in the words of the pack.
    fn reason(&self, error: &ExecutionError) -> String {
        match error {
            ExecutionError::UndeclaredReference(name) => match self.question(name) {
                Some(question) => {
                    let path: Vec<&str> =
                        std::iter::once("self").chain(question.path.iter().map(String::as_str)).collect();
                    let wanted = if matches!(question.ask, Ask::Keys) { "no map" } else { "missing" };
                    format!("`{}` is {wanted}", path.join("."))
                }
                None => error.to_string(),
            },
            _ => error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
