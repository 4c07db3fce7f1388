//! Conditions in CEL, compiled once and bounded.
//!
//! What bounds an evaluation: the text has [`SOURCE_MAX`] bytes at most and nests [`DEPTH_MAX`] deep; a
//! document has at most [`super::value::VALUES_MAX`] values; comprehensions nest [`LOOPS_MAX`] deep and go
//! over [`super::functions::STEPS_MAX`] items at most, counted before each is entered; patterns are literals,
//! compiled once, and matched in linear time. A bound that is passed is an error, and an error blocks.

use std::sync::{Arc, LazyLock};

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use cel::common::types::{CelBool, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, Value};
use regex::RegexBuilder;
use serde_json::Value as Json;

use super::functions::{
    self, CHARGE, FOREIGN, FOREIGN_IN, LIST, MATCHES, Meter, Names, Pattern, TEXT, TEXTS,
};

/// Longest condition, in bytes.
pub(super) const SOURCE_MAX: usize = 2_000;
/// Deepest that brackets and choices stand in each other. The parser goes down by recursion.
pub(super) const DEPTH_MAX: usize = 16;
/// Deepest nesting of comprehensions.
pub(super) const LOOPS_MAX: usize = 3;
/// Largest compiled pattern, in bytes.
const PATTERN_MAX: usize = 1 << 20;

const VARIABLES: [&str; 4] = ["self", "tenant", "stack", "params"];
const TYPES: [&str; 7] = ["bool", "double", "int", "list", "map", "null_type", "string"];
const FUNCTIONS: [&str; 18] = [
    "bool",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "hasValue",
    "int",
    LIST,
    "matches",
    "orValue",
    "size",
    "startsWith",
    "string",
    TEXT,
    TEXTS,
    "type",
    FOREIGN,
    IS_EDGE,
];
/// `is_edge()`: whether the resource belongs to a function that a distribution of the stack runs.
const IS_EDGE: &str = "is_edge";
const METER: &str = "@meter";
const EDGE: &str = "@edge";
const DIRECTORY: &str = "@directory";
const PATTERN: &str = "@pattern";

/// A compiled condition or message.
#[derive(Debug)]
pub struct Condition {
    /// As it stands in the pack.
    pub source: String,
    expression: IdedExpr,
    patterns: Vec<Pattern>,
}

/// What the names in a condition stand for.
pub(super) struct Variables<'a> {
    /// The node that is judged.
    pub(super) node: &'a (dyn Val + 'a),
    /// The tenant's settings.
    pub(super) tenant: &'a (dyn Val + 'a),
    /// The stack or change set around the node.
    pub(super) stack: &'a (dyn Val + 'a),
    /// The policy's params.
    pub(super) params: &'a (dyn Val + 'a),
    /// All tenants.
    pub(super) names: &'a Names,
    /// Whether the resource belongs to a function at the edge.
    pub(super) is_edge: bool,
}

static YES: LazyLock<CelBool> = LazyLock::new(|| CelBool::from(true));
static NO: LazyLock<CelBool> = LazyLock::new(|| CelBool::from(false));

struct Scope<'a> {
    variables: &'a Variables<'a>,
    patterns: &'a [Pattern],
    meter: Meter,
}

impl VariableResolver for Scope<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let value: &'b (dyn Val + 'b) = match variable {
            "self" => self.variables.node,
            "tenant" => self.variables.tenant,
            "stack" => self.variables.stack,
            "params" => self.variables.params,
            METER => &self.meter,
            EDGE if self.variables.is_edge => &*YES,
            EDGE => &*NO,
            DIRECTORY => self.variables.names,
            other => {
                let index: usize = other.strip_prefix(PATTERN)?.parse().ok()?;
                self.patterns.get(index)?
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
        if source.len() > SOURCE_MAX {
            return Err(format!("it has {} bytes, more than {SOURCE_MAX}", source.len()));
        }
        if nesting(source) > DEPTH_MAX {
            return Err(format!("brackets and choices stand more than {DEPTH_MAX} deep in each other"));
        }
        let env = functions::environment().ok_or("the condition language cannot be set up")?;
        let parsed = env.parser().parse(source);
        let mut expression = parsed.map_err(|errors| {
            let all: Vec<String> = errors
                .errors
                .iter()
                .map(|e| format!("{} (at {}:{})", e.msg.trim(), e.pos.0, e.pos.1))
                .collect();
            all.join("; ")
        })?;
        let mut compiler =
            Compiler { settings, bound: Vec::new(), loops: 0, patterns: Vec::new(), problem: None };
        compiler.rewrite(&mut expression);
        match compiler.problem {
            Some(problem) => Err(problem),
            None => Ok(Self { source: source.to_string(), expression, patterns: compiler.patterns }),
        }
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    /// What cannot be evaluated: a missing key, another type, a bound that is passed.
    pub(super) fn holds(&self, variables: &Variables<'_>) -> Result<bool, String> {
        self.evaluate(variables, |value| value.downcast_ref::<CelBool>().map(|value| *value.inner()))?
            .ok_or_else(|| "the condition yields no boolean".to_string())
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
        let scope = Scope { variables, patterns: &self.patterns, meter: Meter::default() };
        let mut context = Context::with_env(env);
        context.set_variable_resolver(&scope);
        match Value::resolve_val(&self.expression, &context) {
            Ok(value) => Ok(read(&*value)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Holds names to those that exist, and puts meter, directory and compiled patterns in.
struct Compiler<'a> {
    settings: &'a Json,
    bound: Vec<String>,
    loops: usize,
    patterns: Vec<Pattern>,
    problem: Option<String>,
}

impl Compiler<'_> {
    fn refuse(&mut self, problem: impl Into<String>) {
        self.problem.get_or_insert(problem.into());
    }

    fn rewrite(&mut self, expression: &mut IdedExpr) {
        if let Some(path) = segments(&expression.expr) {
            self.check_setting(&path);
        }
        if matches!(&expression.expr, Expr::Call(call) if call.func_name == IS_EDGE && call.args.is_empty()) {
            *expression = named(EDGE);
            return;
        }
        match &mut expression.expr {
            Expr::Unspecified => self.refuse("it is empty"),
            Expr::Literal(_) => {}
            Expr::Ident(name) => {
                let name = name.clone();
                let known = VARIABLES.contains(&name.as_str()) || TYPES.contains(&name.as_str());
                if !known && !self.bound.contains(&name) {
                    self.refuse(format!(
                        "unknown name `{name}`: names are `self`, `tenant`, `stack`, `params`"
                    ));
                }
            }
            Expr::Select(select) => self.rewrite(&mut select.operand),
            Expr::List(list) => list.elements.iter_mut().for_each(|element| self.rewrite(element)),
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.rewrite(&mut entry.key);
                        self.rewrite(&mut entry.value);
                    }
                }
            }
            Expr::Struct(made) => {
                let name = made.type_name.clone();
                self.refuse(format!("unknown type `{name}`"));
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(comprehension) => {
                self.rewrite(&mut comprehension.iter_range);
                let range = std::mem::take(&mut comprehension.iter_range);
                comprehension.iter_range = called(CHARGE, vec![range, named(METER)]);
                self.loops += 1;
                if self.loops > LOOPS_MAX {
                    self.refuse(format!("comprehensions stand more than {LOOPS_MAX} deep in each other"));
                }
                let before = self.bound.len();
                self.bound.push(comprehension.iter_var.clone());
                self.bound.push(comprehension.accu_var.clone());
                self.bound.extend(comprehension.iter_var2.clone());
                for part in [
                    &mut comprehension.accu_init,
                    &mut comprehension.loop_cond,
                    &mut comprehension.loop_step,
                    &mut comprehension.result,
                ] {
                    self.rewrite(part);
                }
                self.bound.truncate(before);
                self.loops -= 1;
            }
        }
    }

    fn call(&mut self, call: &mut CallExpr) {
        let name = call.func_name.clone();
        let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_word && !FUNCTIONS.contains(&name.as_str()) {
            self.refuse(format!("unknown function `{name}`: functions are {}", FUNCTIONS.join(", ")));
        }
        if let Some(target) = &mut call.target {
            self.rewrite(target);
        }
        call.args.iter_mut().for_each(|argument| self.rewrite(argument));
        if name == FOREIGN {
            call.func_name = FOREIGN_IN.into();
            call.args.push(named(DIRECTORY));
        } else if name == "matches" {
            let mut operands: Vec<IdedExpr> = call.target.take().map(|target| *target).into_iter().collect();
            operands.append(&mut call.args);
            let pattern = match operands.get(1).map(|operand| &operand.expr) {
                Some(Expr::Literal(LiteralValue::String(text))) => text.inner().to_string(),
                _ => return self.refuse("a pattern is a literal text"),
            };
            match RegexBuilder::new(&pattern).size_limit(PATTERN_MAX).build() {
                Ok(compiled) => {
                    operands[1] = named(&format!("{PATTERN}{}", self.patterns.len()));
                    self.patterns.push(Pattern(compiled));
                    *call = CallExpr { func_name: MATCHES.into(), target: None, args: operands };
                }
                Err(error) => self.refuse(format!("the pattern `{pattern}` is wrong: {error}")),
            }
        }
    }

    /// Refuses `tenant.…` that no tenant file can say.
    fn check_setting(&mut self, path: &[&str]) {
        let Some(("tenant", keys)) = path.split_first().map(|(first, rest)| (*first, rest)) else { return };
        if self.bound.iter().any(|name| name == "tenant") {
            return;
        }
        if let Some(problem) = unknown_setting(self.settings, keys) {
            self.refuse(problem);
        }
    }
}

/// Settings that are no keys of a tenant file but known of every tenant.
const ALWAYS: [&str; 2] = ["name", "organisation"];

/// Why a path is no setting, by the JSON Schema of tenant files.
#[must_use]
pub(super) fn unknown_setting(schema: &Json, keys: &[&str]) -> Option<String> {
    if keys.first().is_some_and(|first| ALWAYS.contains(first)) {
        return None;
    }
    let mut at = schema;
    for (index, key) in keys.iter().enumerate() {
        // What has no keys of its own, such as a list, is not held to any.
        let properties = at.get("properties").and_then(Json::as_object)?;
        match properties.get(*key) {
            Some(inner) => at = inner,
            None if at.get("additionalProperties").is_some_and(|more| *more != Json::Bool(false)) => {
                return None;
            }
            None => {
                let known: Vec<&str> = properties.keys().map(String::as_str).collect();
                let nearest = crate::tenant::decode::nearest(key, &known);
                return Some(format!("there is no setting `{}`; {nearest}", keys[..=index].join(".")));
            }
        }
    }
    None
}

/// `a.b.?c` as its names.
fn segments(expression: &Expr) -> Option<Vec<&str>> {
    let (operand, field) = match expression {
        Expr::Ident(name) => return Some(vec![name]),
        Expr::Select(select) => (&select.operand.expr, select.field.as_str()),
        Expr::Call(call) if call.func_name == "_?._" => match call.args.as_slice() {
            [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }] => {
                (&operand.expr, field.inner())
            }
            _ => return None,
        },
        _ => return None,
    };
    let mut path = segments(operand)?;
    path.push(field);
    Some(path)
}

/// A bound on how deep an expression nests: open brackets, and every choice.
fn nesting(source: &str) -> usize {
    let (mut open, mut deepest, mut choices) = (0_usize, 0, 0);
    let (mut quote, mut escaped) = (None, false);
    for c in source.chars() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(mark), _) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => {
                open += 1;
                deepest = deepest.max(open);
            }
            (None, ')' | ']' | '}') => open = open.saturating_sub(1),
            (None, ':') => choices += 1,
            _ => {}
        }
    }
    deepest + choices
}

fn named(name: &str) -> IdedExpr {
    IdedExpr { id: 0, expr: Expr::Ident(name.into()) }
}

fn called(function: &str, args: Vec<IdedExpr>) -> IdedExpr {
    IdedExpr { id: 0, expr: Expr::Call(CallExpr { func_name: function.into(), target: None, args }) }
}

#[cfg(test)]
mod tests;
