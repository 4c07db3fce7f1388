//! Templates: Handlebars for shape, never for text.
//!
//! No value is ever printed into a template. A print such as `{{name}}` writes a *token* that says which
//! argument stands there; the text is then read as YAML, and only in the finished tree are the tokens
//! replaced by the typed values. So no string of a tenant can change the structure of a document, whatever
//! it contains. See `docs/decisions/0002-values-enter-the-tree-not-the-text.md`.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, Output, Path as JsonPath, RenderContext, RenderErrorReason,
};
use serde_json::Value;
use serde_yaml::Value as Yaml;

use super::error::RenderError;
use super::lines::{self, Filled};

/// Characters around a token. They are private-use: YAML reads them as any letter, and a template that
/// contains them is refused.
const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';
/// Between the segments of an argument's path.
const SEPARATOR: char = '\u{1F}';
const SUFFIX: &str = ".yaml.hbs";
const PRINT: &str = "print";
/// Most trees that are kept: some hundred bytes for each line of a template.
const TREES_MAX: usize = 500;

/// All templates of a folder, compiled.
#[derive(Debug)]
pub struct Templates {
    registry: Handlebars<'static>,
    paths: BTreeMap<String, String>,
    /// The templates as they were read, for tracing.
    texts: BTreeMap<String, String>,
    /// Trees of filled texts. Hardly a value stands in such a text, so tenants of the same shape share it, and
    /// what takes longest is done once for all of them.
    trees: Mutex<HashMap<String, Arc<Yaml>>>,
}

/// A token in a rendered text: what stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// The argument of this path.
    Argument(Vec<String>),
    /// This text itself: the key of an `{{#each}}`.
    Literal(String),
}

/// A stretch of a rendered scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Token(Token),
}

impl Templates {
    /// Reads and compiles every `*.yaml.hbs` of a folder.
    ///
    /// # Errors
    /// [`RenderError::Read`] and [`RenderError::Template`].
    pub fn load(folder: &Path) -> Result<Self, RenderError> {
        let unreadable = |path: &Path, source| RenderError::Read { path: path.display().to_string(), source };
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_helper(PRINT, Box::new(Print));
        let (mut paths, mut texts) = (BTreeMap::new(), BTreeMap::new());
        for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
            let path = entry.map_err(|source| unreadable(folder, source))?.path();
            let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_string();
            let Some(name) = file.strip_suffix(SUFFIX) else { continue };
            let text = fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
            let shown = path.display().to_string();
            let refuse = |line: usize, message: String| RenderError::Template {
                template: shown.clone(),
                line,
                message,
            };
            if let Some(at) = text.find([OPEN, CLOSE, SEPARATOR, lines::OPEN, lines::CLOSE]) {
                let line = text[..at].matches('\n').count() + 1;
                return Err(refuse(line, "a character that the engine uses for itself".into()));
            }
            let mut template = Template::compile(&text).map_err(|error| {
                let line = error.pos().map_or(0, |(line, _)| line);
                refuse(line, error.reason().to_string())
            })?;
            template.name = Some(name.to_string());
            route_prints(&mut template).map_err(|(line, message)| refuse(line, message))?;
            registry.register_template(name, template);
            paths.insert(name.to_string(), shown);
            texts.insert(name.to_string(), text);
        }
        Ok(Self { registry, paths, texts, trees: Mutex::default() })
    }

    /// Fills a template: the text that comes out holds tokens where values belong.
    pub(super) fn fill(&self, component: &str, arguments: &Value) -> Result<String, RenderError> {
        if !self.paths.contains_key(component) {
            return Err(RenderError::Missing { component: component.to_string() });
        }
        self.registry.render(component, arguments).map_err(|error| RenderError::Template {
            template: self.path(component),
            line: error.line_no.unwrap_or_default(),
            message: error.reason().to_string(),
        })
    }

    /// The tree of a filled text.
    pub(super) fn tree(&self, text: String) -> Result<Arc<Yaml>, serde_yaml::Error> {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = trees.get(&text) {
            return Ok(known.clone());
        }
        if trees.len() >= TREES_MAX {
            trees.clear();
        }
        let tree = Arc::new(serde_yaml::from_str(&text)?);
        trees.insert(text, Arc::clone(&tree));
        Ok(tree)
    }

    /// Fills a template, and finds the line of each scalar. Slower than [`Templates::fill`], as it compiles.
    pub(super) fn fill_traced(&self, component: &str, arguments: &Value) -> Result<Filled, RenderError> {
        let refuse = |line, message| RenderError::Template { template: self.path(component), line, message };
        let Some(text) = self.texts.get(component) else {
            return Err(RenderError::Missing { component: component.to_string() });
        };
        let mut template = Template::compile(&lines::marked(text))
            .map_err(|error| refuse(error.pos().map_or(0, |(line, _)| line), error.reason().to_string()))?;
        template.name = Some(component.to_string());
        route_prints(&mut template).map_err(|(line, message)| refuse(line, message))?;
        let mut registry = self.registry.clone();
        registry.register_template(component, template);
        let filled = registry
            .render(component, arguments)
            .map_err(|error| refuse(error.line_no.unwrap_or_default(), error.reason().to_string()))?;
        lines::read(text, &filled).map_err(|message| refuse(0, message))
    }

    /// File of a component's template.
    pub(super) fn path(&self, component: &str) -> String {
        self.paths.get(component).cloned().unwrap_or_else(|| component.to_string())
    }
}

/// Turns every print into a call of the helper that writes tokens, and refuses what could print around it.
fn route_prints(template: &mut Template) -> Result<(), (usize, String)> {
    let lines: Vec<usize> = template.mapping.iter().map(|mapping| mapping.0).collect();
    for (index, element) in template.elements.iter_mut().enumerate() {
        let line = lines.get(index).copied().unwrap_or_default();
        match element {
            TemplateElement::Expression(call) => route(call, line)?,
            TemplateElement::HelperBlock(block) => {
                for inner in [&mut block.template, &mut block.inverse].into_iter().flatten() {
                    route_prints(inner)?;
                }
            }
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            _ => {
                return Err((
                    line,
                    "only `{{value}}`, `{{#if}}`, `{{#each}}` and comments may be used".into(),
                ));
            }
        }
    }
    Ok(())
}

fn route(call: &mut HelperTemplate, line: usize) -> Result<(), (usize, String)> {
    if !call.params.is_empty() || !call.hash.is_empty() {
        return Err((line, "a print takes one value and no helper".into()));
    }
    let path = match &call.name {
        Parameter::Name(name) => {
            Parameter::Path(JsonPath::parse(name).map_err(|error| (line, error.reason().to_string()))?)
        }
        other => other.clone(),
    };
    call.name = Parameter::Name(PRINT.to_string());
    call.params = vec![path];
    Ok(())
}

/// Writes the token of the value that it is called with.
struct Print;

impl HelperDef for Print {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> Result<(), handlebars::RenderError> {
        let Some(value) = helper.param(0).filter(|value| !value.is_value_missing()) else {
            let name = helper.param(0).and_then(|value| value.relative_path().cloned());
            let message = format!("the component has no argument `{}`", name.unwrap_or_default());
            return Err(RenderErrorReason::Other(message).into());
        };
        let token = match (value.context_path(), value.value()) {
            (Some(path), _) => format!("a{}", hex::encode(path.join(&SEPARATOR.to_string()))),
            (None, Value::String(text)) => format!("l{}", hex::encode(text)),
            (None, _) => return Err(RenderErrorReason::Other("this value has no path".into()).into()),
        };
        out.write(&format!("{OPEN}{token}{CLOSE}"))?;
        Ok(())
    }
}

/// Splits a rendered scalar into its texts and tokens.
pub(super) fn pieces(scalar: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = scalar;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((token, after)) = after.split_once(CLOSE) else { break };
        if !before.is_empty() {
            found.push(Piece::Text(before));
        }
        let decoded = hex::decode(&token[1..]).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.unwrap_or_default();
        found.push(Piece::Token(if token.starts_with('a') {
            Token::Argument(decoded.split(SEPARATOR).map(str::to_string).collect())
        } else {
            Token::Literal(decoded)
        }));
        rest = after;
    }
    if !rest.is_empty() || found.is_empty() {
        found.push(Piece::Text(rest));
    }
    found
}
