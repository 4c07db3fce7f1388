//! From the text of a condition to an expression that is safe to evaluate, and what it reads.

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;

use crate::policy::functions::{
    self, CHARGE, FOREIGN, FOREIGN_IN, LIST, MATCHES, MATCHES_IN, MATCHING, MATCHING_IN, OfSelf, Pattern,
    TEXT, TEXTS,
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
const FUNCTIONS: [&str; 19] = [
    "bool",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "hasValue",
    "int",
    LIST,
    "matches",
    MATCHING,
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
pub(super) const METER: &str = "@meter";
pub(super) const EDGE: &str = "@edge";
pub(super) const DIRECTORY: &str = "@directory";
pub(super) const PATTERN: &str = "@pattern";
/// What stands for a call of one of our functions with `self`.
pub(super) const OF_SELF: &str = "@of_self";

/// What a condition looks at beside its node and its params.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Paths into the settings; an empty one is all of them.
    pub(super) tenant: BTreeSet<Vec<String>>,
    /// Paths into the stack.
    pub(super) stack: BTreeSet<Vec<String>>,
    /// Whether the resource belongs to a function at the edge.
    pub(super) is_edge: bool,
    /// The names of all tenants.
    pub(super) directory: bool,
}

/// A compiled text.
pub(super) struct Compiled {
    pub(super) expression: IdedExpr,
    pub(super) patterns: Vec<Pattern>,
    pub(super) of_self: Vec<OfSelf>,
    pub(super) reads: Reads,
}

/// Compiles a condition. `settings` is the JSON Schema of tenant files.
///
/// # Errors
/// What is wrong with it.
pub(super) fn compile(source: &str, settings: &Json) -> Result<Compiled, String> {
    if source.len() > SOURCE_MAX {
        return Err(format!("it has {} bytes, more than {SOURCE_MAX}", source.len()));
    }
    if nesting(source) > DEPTH_MAX {
        return Err(format!("brackets and choices stand more than {DEPTH_MAX} deep in each other"));
    }
    let env = functions::environment().ok_or("the condition language cannot be set up")?;
    let parsed = env.parser().parse(source);
    let mut expression = parsed.map_err(|errors| {
        let all: Vec<String> =
            errors.errors.iter().map(|e| format!("{} (at {}:{})", e.msg.trim(), e.pos.0, e.pos.1)).collect();
        all.join("; ")
    })?;
    let mut compiler = Compiler {
        settings,
        bound: Vec::new(),
        loops: 0,
        patterns: Vec::new(),
        of_self: Vec::new(),
        reads: Reads::default(),
        problem: None,
    };
    compiler.rewrite(&mut expression);
    let Compiler { patterns, of_self, reads, problem, .. } = compiler;
    match problem {
        Some(problem) => Err(problem),
        None => Ok(Compiled { expression, patterns, of_self, reads }),
    }
}

/// Holds names to those that exist, and puts meter, directory and compiled patterns in.
struct Compiler<'a> {
    settings: &'a Json,
    bound: Vec<String>,
    loops: usize,
    patterns: Vec<Pattern>,
    of_self: Vec<OfSelf>,
    reads: Reads,
    problem: Option<String>,
}

impl Compiler<'_> {
    fn refuse(&mut self, problem: impl Into<String>) {
        self.problem.get_or_insert(problem.into());
    }

    fn rewrite(&mut self, expression: &mut IdedExpr) {
        if let Some(path) = segments(&expression.expr) {
            let path: Vec<String> = path.into_iter().map(str::to_owned).collect();
            return self.path(&path);
        }
        if matches!(&expression.expr, Expr::Call(call) if call.func_name == IS_EDGE && call.args.is_empty()) {
            self.reads.is_edge = true;
            *expression = named(EDGE);
            return;
        }
        if let Some(call) = self.of_self(&expression.expr) {
            self.reads.directory |= matches!(call, OfSelf::Foreign);
            *expression = named(&format!("{OF_SELF}{}", self.of_self.len()));
            self.of_self.push(call);
            return;
        }
        match &mut expression.expr {
            Expr::Unspecified => self.refuse("it is empty"),
            Expr::Literal(_) => {}
            // Names and paths were dealt with above.
            Expr::Ident(_) => {}
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
            self.reads.directory = true;
            call.func_name = FOREIGN_IN.into();
            call.args.push(named(DIRECTORY));
        } else if name == MATCHES || name == MATCHING {
            let mut operands: Vec<IdedExpr> = call.target.take().map(|target| *target).into_iter().collect();
            operands.append(&mut call.args);
            if let Some(pattern) = self.pattern(operands.get(1)) {
                operands[1] = named(&format!("{PATTERN}{}", self.patterns.len()));
                self.patterns.push(Pattern(pattern));
                let func_name = if name == MATCHES { MATCHES_IN } else { MATCHING_IN };
                *call = CallExpr { func_name: func_name.into(), target: None, args: operands };
            }
        }
    }

    /// A call of one of our functions with `self`: it is answered from the document itself.
    fn of_self(&mut self, expression: &Expr) -> Option<OfSelf> {
        let Expr::Call(call) = expression else { return None };
        let arguments: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        let is_self = |argument: &IdedExpr| matches!(&argument.expr, Expr::Ident(name) if name == "self");
        if !arguments.first().is_some_and(|first| is_self(first))
            || self.bound.iter().any(|name| name == "self")
        {
            return None;
        }
        match (call.func_name.as_str(), arguments.len()) {
            (TEXTS, 1) => Some(OfSelf::Texts),
            (FOREIGN, 1) => Some(OfSelf::Foreign),
            (MATCHING, 2) => self.pattern(arguments.get(1).copied()).map(OfSelf::Matching),
            _ => None,
        }
    }

    /// Compiles a pattern that stands as a literal.
    fn pattern(&mut self, operand: Option<&IdedExpr>) -> Option<Regex> {
        let pattern = match operand.map(|operand| &operand.expr) {
            Some(Expr::Literal(LiteralValue::String(text))) => text.inner().to_string(),
            _ => {
                self.refuse("a pattern is a literal text");
                return None;
            }
        };
        match RegexBuilder::new(&pattern).size_limit(PATTERN_MAX).build() {
            Ok(compiled) => Some(compiled),
            Err(error) => {
                self.refuse(format!("the pattern `{pattern}` is wrong: {error}"));
                None
            }
        }
    }

    /// Holds a name, or a path that begins with one, to what there is, and notes what is read.
    fn path(&mut self, path: &[String]) {
        let Some((first, keys)) = path.split_first() else { return };
        if self.bound.contains(first) {
            return;
        }
        match first.as_str() {
            "tenant" => {
                let names: Vec<&str> = keys.iter().map(String::as_str).collect();
                if let Some(problem) = unknown_setting(self.settings, &names) {
                    self.refuse(problem);
                }
                self.reads.tenant.insert(keys.to_vec());
            }
            "stack" => {
                self.reads.stack.insert(keys.to_vec());
            }
            name if VARIABLES.contains(&name) || TYPES.contains(&name) => {}
            name => {
                self.refuse(format!("unknown name `{name}`: names are `self`, `tenant`, `stack`, `params`"));
            }
        }
    }
}

/// Settings that are no keys of a tenant file but known of every tenant.
const ALWAYS: [&str; 2] = ["name", "organisation"];

/// Why a path is no setting, by the JSON Schema of tenant files.
#[must_use]
pub(in crate::policy) fn unknown_setting(schema: &Json, keys: &[&str]) -> Option<String> {
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
