//! Conditions in CEL, compiled once and bounded.
//!
//! What bounds an evaluation: the text has [`compile::SOURCE_MAX`] bytes at most and nests
//! [`compile::DEPTH_MAX`] deep; a document has at most [`super::value::VALUES_MAX`] values; comprehensions nest
//! [`compile::LOOPS_MAX`] deep and go over [`super::functions::STEPS_MAX`] items at most, counted before each is
//! entered; patterns are literals, compiled once, and matched in linear time. A bound that is passed is an error,
//! and an error blocks.
//!
//! A condition is a function of what it reads. Where it held, that is remembered, and the same input is not
//! evaluated again: the tenants of a fleet are alike in most of what is judged.

mod compile;
mod kept;

use std::sync::{Arc, LazyLock, OnceLock};

use cel::common::ast::IdedExpr;
use cel::common::types::{CelBool, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, Value};
use serde_json::Value as Json;

pub(super) use self::compile::unknown_setting;
use self::compile::{DIRECTORY, EDGE, METER, OF_SELF, PATTERN, Reads};
use self::kept::Kept;
use super::functions::{self, Meter, Names, OfSelf, Pattern};
use super::input::{Input, Seen, Source};

/// A compiled condition or message.
#[derive(Debug)]
pub struct Condition {
    /// As it stands in the pack.
    pub source: String,
    expression: IdedExpr,
    patterns: Vec<Pattern>,
    /// Calls that are answered from the node itself.
    of_self: Vec<OfSelf>,
    reads: Reads,
    kept: Kept,
}

/// What the names in a condition stand for.
pub(super) struct Variables<'a> {
    /// The node that is judged.
    pub(super) node: &'a Json,
    /// The tenant's settings.
    pub(super) tenant: &'a dyn Seen,
    /// The stack or change set around the node.
    pub(super) stack: &'a dyn Seen,
    /// The policy's params.
    pub(super) params: &'a dyn Seen,
    /// All tenants.
    pub(super) names: &'a Names,
    /// Whether the resource belongs to a function at the edge.
    pub(super) is_edge: bool,
}

static YES: LazyLock<CelBool> = LazyLock::new(|| CelBool::from(true));
static NO: LazyLock<CelBool> = LazyLock::new(|| CelBool::from(false));

struct Scope<'a> {
    condition: &'a Condition,
    variables: &'a Variables<'a>,
    node: &'a dyn Seen,
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
            "tenant" => self.value(self.variables.tenant)?,
            "stack" => self.value(self.variables.stack)?,
            "params" => self.value(self.variables.params)?,
            METER => &self.meter,
            EDGE if self.variables.is_edge => &*YES,
            EDGE => &*NO,
            DIRECTORY => self.variables.names,
            other => {
                if let Some(index) = other.strip_prefix(OF_SELF) {
                    let call = self.condition.of_self.get(index.parse::<usize>().ok()?)?;
                    return Some(call.answer(self.variables.node, self.variables.names));
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
            of_self: compiled.of_self,
            reads: compiled.reads,
            kept: Kept::default(),
        })
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    /// What cannot be evaluated: a missing key, another type, a bound that is passed.
    pub(super) fn holds(&self, variables: &Variables<'_>) -> Result<bool, String> {
        let key = self.kept.key(&self.reads, variables);
        if key.is_some_and(|key| self.kept.contains(key)) {
            return Ok(true);
        }
        let holds = self
            .evaluate(variables, |value| value.downcast_ref::<CelBool>().map(|value| *value.inner()))?
            .ok_or_else(|| "the condition yields no boolean".to_string())?;
        if let Some(key) = key.filter(|_| holds) {
            self.kept.insert(key);
        }
        Ok(holds)
    }

    /// The text that the condition yields.
    ///
    /// # Errors
    /// As of [`Condition::holds`].
    pub(super) fn text(&self, variables: &Variables<'_>) -> Result<String, String> {
        self.evaluate(variables, |value| {
            value.downcast_ref::<CelString>().map(|text| text.inner().to_string())
        })?
        .ok_or_else(|| "the message yields no text".to_string())
    }

    fn evaluate<T>(
        &self,
        variables: &Variables<'_>,
        read: impl FnOnce(&dyn Val) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let env: Arc<Env> = functions::environment().ok_or("the condition language cannot be set up")?;
        let node = Input::new(Source::Json(variables.node));
        let scope = Scope {
            condition: self,
            variables,
            node: &node,
            meter: Meter::default(),
            problem: OnceLock::new(),
        };
        let mut context = Context::with_env(env);
        context.set_variable_resolver(&scope);
        let result = Value::resolve_val(&self.expression, &context);
        match (scope.problem.get(), result) {
            (Some(problem), _) => Err(problem.clone()),
            (None, Ok(value)) => Ok(read(&*value)),
            (None, Err(error)) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
