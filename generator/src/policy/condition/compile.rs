//! From the text of a condition to an expression that is safe to evaluate, and what it reads.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use regex::RegexBuilder;
use serde_json::Value as Json;

use super::part::{Part, Step};
use crate::policy::facts::{Ask, Pattern, Question};
use crate::policy::functions::{
    self, CHARGE, CHOICES, FOREIGN, FOREIGN_IN, IS_EDGE, KEYS, LIST, MATCHES, MATCHES_IN, MATCHING,
    MATCHING_IN, REFERRED_BY, RESOURCE_TYPE, TEXT, TEXTS,
};

/// Longest condition, in bytes.
pub(super) const SOURCE_MAX: usize = 2_000;
/// Deepest that brackets and choices stand in each other. The parser goes down by recursion.
pub(super) const DEPTH_MAX: usize = 16;
/// Deepest nesting of comprehensions.
pub(super) const LOOPS_MAX: usize = 3;
/// Largest compiled pattern, in bytes.
const PATTERN_MAX: usize = 1 << 20;

const TYPES: [&str; 7] = ["bool", "double", "int", "list", "map", "null_type", "string"];
const FUNCTIONS: [&str; 23] = [
    "bool",
    CHOICES,
    "contains",
    "double",
    "dyn",
    "endsWith",
    "hasValue",
    "int",
    KEYS,
    LIST,
    "matches",
    MATCHING,
    OR_VALUE,
    REFERRED_BY,
    RESOURCE_TYPE,
    "size",
    "startsWith",
    "string",
    TEXT,
    TEXTS,
    "type",
    FOREIGN,
    IS_EDGE,
];
const OR_VALUE: &str = "orValue";
/// What only the document answers.
const ASKED: [&str; 4] = [IS_EDGE, KEYS, REFERRED_BY, RESOURCE_TYPE];
pub(super) const METER: &str = "@meter";
pub(super) const DIRECTORY: &str = "@directory";
pub(super) const PATTERN: &str = "@pattern";
/// What stands for a call that is answered from the document.
pub(super) const QUESTION: &str = "@question";

/// What a condition looks at.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Of the judged node.
    pub(super) node: Part,
    /// Of the settings.
    pub(super) tenant: Part,
    /// Of the stack.
    pub(super) stack: Part,
    /// Of the params.
    pub(super) params: Part,
    /// The names of all tenants.
    pub(super) directory: bool,
}

impl Reads {
    fn of(&mut self, root: Root) -> &mut Part {
        match root {
            Root::Node => &mut self.node,
            Root::Tenant => &mut self.tenant,
            Root::Stack => &mut self.stack,
            Root::Params => &mut self.params,
        }
    }
}

/// What a path begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Node,
    Tenant,
    Stack,
    Params,
}

impl Root {
    fn named(name: &str) -> Option<Self> {
        match name {
            "self" => Some(Self::Node),
            "tenant" => Some(Self::Tenant),
            "stack" => Some(Self::Stack),
            "params" => Some(Self::Params),
            _ => None,
        }
    }
}

/// Where a value stands.
#[derive(Debug, Clone)]
struct Place {
    root: Root,
    steps: Vec<Step>,
}

/// A name that a comprehension binds; `None` where its values are no nodes of a document.
type Bound = (String, Option<Place>);

/// A compiled text.
pub(super) struct Compiled {
    pub(super) expression: IdedExpr,
    pub(super) patterns: Vec<Pattern>,
    pub(super) questions: Vec<Question>,
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
        questions: Vec::new(),
        reads: Reads::default(),
        problem: None,
    };
    compiler.rewrite(&mut expression);
    let Compiler { patterns, questions, reads, problem, .. } = compiler;
    match problem {
        Some(problem) => Err(problem),
        None => Ok(Compiled { expression, patterns, questions, reads }),
    }
}

/// Holds names to those that exist, and puts meter, directory and compiled patterns in.
struct Compiler<'a> {
    settings: &'a Json,
    bound: Vec<Bound>,
    loops: usize,
    patterns: Vec<Pattern>,
    questions: Vec<Question>,
    reads: Reads,
    problem: Option<String>,
}

impl Compiler<'_> {
    fn refuse(&mut self, problem: impl Into<String>) {
        self.problem.get_or_insert(problem.into());
    }

    fn rewrite(&mut self, expression: &mut IdedExpr) {
        if let Some(path) = segments(&expression.expr) {
            let is_test = matches!(&expression.expr, Expr::Select(select) if select.test);
            if let Some(place) = self.place(&path) {
                let part = self.reads.of(place.root).at(&place.steps);
                // Whether a key is there is all that `has` looks at.
                if !is_test {
                    part.read_whole();
                }
            }
            return;
        }
        if let Some(question) = self.question(&expression.expr) {
            *expression = named(&format!("{QUESTION}{}", self.questions.len()));
            self.questions.push(question);
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
                let range = match comprehension.iter_var2 {
                    None => range(&comprehension.iter_range.expr).and_then(|path| self.place(&path)),
                    Some(_) => None,
                };
                let item = match range {
                    Some(mut place) => {
                        self.reads.of(place.root).at(&place.steps).go_over();
                        place.steps.push(Step::Every);
                        Some(place)
                    }
                    None => {
                        self.rewrite(&mut comprehension.iter_range);
                        None
                    }
                };
                let range = std::mem::take(&mut comprehension.iter_range);
                comprehension.iter_range = called(CHARGE, vec![range, named(METER)]);
                self.loops += 1;
                if self.loops > LOOPS_MAX {
                    self.refuse(format!("comprehensions stand more than {LOOPS_MAX} deep in each other"));
                }
                let before = self.bound.len();
                self.bound.push((comprehension.iter_var.clone(), item));
                self.bound.push((comprehension.accu_var.clone(), None));
                self.bound.extend(comprehension.iter_var2.clone().map(|name| (name, None)));
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
        if ASKED.contains(&name.as_str()) {
            self.refuse(match name.as_str() {
                IS_EDGE => format!("`{name}` takes nothing"),
                REFERRED_BY => format!("`{name}` takes a type and a property, both as literal texts"),
                _ => format!("`{name}` takes `self`, or a path that begins with it"),
            });
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
                self.patterns.push(pattern);
                let func_name = if name == MATCHES { MATCHES_IN } else { MATCHING_IN };
                *call = CallExpr { func_name: func_name.into(), target: None, args: operands };
            }
        }
    }

    /// A call of one of our functions that the document itself answers.
    fn question(&mut self, expression: &Expr) -> Option<Question> {
        let Expr::Call(call) = expression else { return None };
        let arguments: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        let (ask, path) = match (call.func_name.as_str(), arguments.as_slice()) {
            (IS_EDGE, []) => (Ask::IsEdge, Vec::new()),
            (REFERRED_BY, [kind, property]) => {
                let (kind, property) = (literal(kind)?, literal(property)?);
                (Ask::ReferredBy { kind, property }, Vec::new())
            }
            (TEXTS, [node]) => (Ask::Texts, self.of_self(node)?),
            (KEYS, [node]) => (Ask::Keys, self.of_self(node)?),
            (FOREIGN, [node]) => (Ask::Foreign, self.of_self(node)?),
            (RESOURCE_TYPE, [node]) => (Ask::ResourceType, self.of_self(node)?),
            (MATCHING, [node, pattern]) => {
                let path = self.of_self(node)?;
                (Ask::Matching(self.pattern(Some(pattern))?), path)
            }
            _ => return None,
        };
        Some(Question { ask, path })
    }

    /// The keys of a path that begins with `self` and must be there.
    fn of_self(&self, expression: &IdedExpr) -> Option<Vec<String>> {
        let path = plain(&expression.expr)?;
        let (first, keys) = path.split_first()?;
        let is_self = *first == "self" && self.bound.iter().all(|(name, _)| name != "self");
        is_self.then(|| keys.iter().map(|key| (*key).to_string()).collect())
    }

    /// Compiles a pattern that stands as a literal.
    fn pattern(&mut self, operand: Option<&IdedExpr>) -> Option<Pattern> {
        let Some(pattern) = operand.and_then(literal) else {
            self.refuse("a pattern is a literal text");
            return None;
        };
        match RegexBuilder::new(&pattern).size_limit(PATTERN_MAX).build() {
            Ok(compiled) => Some(Pattern::new(compiled)),
            Err(error) => {
                self.refuse(format!("the pattern `{pattern}` is wrong: {error}"));
                None
            }
        }
    }

    /// Holds a name, or a path that begins with one, to what there is; where its value stands in a document.
    fn place(&mut self, path: &[&str]) -> Option<Place> {
        let (first, keys) = path.split_first()?;
        let keys = keys.iter().map(|key| Step::Key((*key).to_string()));
        if let Some((_, bound)) = self.bound.iter().rev().find(|(name, _)| name == first) {
            let mut place = bound.clone()?;
            place.steps.extend(keys);
            return Some(place);
        }
        if *first == "tenant"
            && let Some(problem) = unknown_setting(self.settings, &path[1..])
        {
            self.refuse(problem);
        }
        let root = Root::named(first);
        if root.is_none() && !TYPES.contains(first) {
            self.refuse(format!("unknown name `{first}`: names are `self`, `tenant`, `stack`, `params`"));
        }
        Some(Place { root: root?, steps: keys.collect() })
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

/// `a.b.c` as its names: each must be there.
fn plain(expression: &Expr) -> Option<Vec<&str>> {
    match expression {
        Expr::Ident(name) => Some(vec![name]),
        Expr::Select(select) if !select.test => {
            let mut path = plain(&select.operand.expr)?;
            path.push(&select.field);
            Some(path)
        }
        _ => None,
    }
}

/// The path whose items a comprehension goes over: `a.b`, also as a list, or where it is missing as an empty one.
fn range(expression: &Expr) -> Option<Vec<&str>> {
    match expression {
        Expr::Call(call) => match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
            (LIST | CHOICES, None, [inner]) => range(&inner.expr),
            (OR_VALUE, Some(inner), [IdedExpr { expr: Expr::List(list), .. }])
                if list.elements.is_empty() =>
            {
                range(&inner.expr)
            }
            _ => segments(expression),
        },
        _ => segments(expression),
    }
}

/// The text of a literal.
fn literal(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_string()),
        _ => None,
    }
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
