//! From filled templates to a tree: YAML is read, tokens become values, short tags become long functions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use serde_yaml::Value as Yaml;

use super::engine::{Piece, Templates, Token, pieces};
use super::error::RenderError;
use super::trace::{DocumentPath, Origin, Recorder};
use super::values::{Arguments, Shown, Wiring, into_value, is_open, literal, show};
use crate::program::StackId;
use crate::program::output::JSON_MARK;
use crate::program::stack::Component;

/// What CloudFormation would resolve wherever it stands in a property.
const DYNAMIC_REFERENCE: &str = "{{resolve:";

/// Reads one component's part of a document, and notes where it all comes from if `origins` are wanted.
pub(super) fn fragment(
    templates: &Templates,
    component: &Component,
    stack: StackId,
    wiring: &mut Wiring,
    origins: Option<&mut BTreeMap<DocumentPath, Origin>>,
) -> Result<Map<String, Value>, RenderError> {
    let arguments = Arguments::new(&component.arguments);
    let (text, recorder) = match &origins {
        None => (templates.fill(component.name, &arguments.plain)?, None),
        Some(_) => {
            let mut filled = templates.fill_traced(component.name, &arguments.plain)?;
            let text = std::mem::take(&mut filled.text);
            let file = templates.path(component.name);
            (text, Some(Recorder::new(component.name, file, &arguments, filled)))
        }
    };
    let refuse =
        |line, message| RenderError::Template { template: templates.path(component.name), line, message };
    let yaml = templates.tree(text).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        refuse(line, format!("what it renders is not YAML: {error}"))
    })?;
    let mut reader = Reader { arguments: &arguments, stack, wiring, recorder };
    let value = reader.value(&yaml, false)?;
    if let (Some(origins), Some(recorder)) = (origins, reader.recorder) {
        origins.extend(recorder.found);
    }
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(refuse(0, "it must render a map with `Resources`".into())),
    }
}

struct Reader<'a> {
    arguments: &'a Arguments,
    stack: StackId,
    wiring: &'a mut Wiring,
    /// Present where origins are wanted.
    recorder: Option<Recorder<'a>>,
}

impl Reader<'_> {
    /// `in_sub`: the value is the text of an `Fn::Sub`, where `${` has a meaning.
    fn value(&mut self, yaml: &Yaml, in_sub: bool) -> Result<Value, RenderError> {
        Ok(match yaml {
            Yaml::Null => self.literal(Value::Null),
            Yaml::Bool(value) => self.literal(Value::Bool(*value)),
            Yaml::Number(number) => self.literal(serde_json::to_value(number).unwrap_or(Value::Null)),
            Yaml::String(text) => self.scalar(text, in_sub)?,
            Yaml::Sequence(items) => {
                // `Fn::Sub` with variables of its own: only its first item is a text with `${}`.
                let mut out = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    self.enter(|| index.to_string());
                    out.push(self.value(item, in_sub && index == 0)?);
                    self.leave();
                }
                Value::Array(out)
            }
            Yaml::Mapping(mapping) => {
                let mut out = Map::new();
                for (key, value) in mapping {
                    let key = self.key(key)?;
                    self.enter(|| key.clone());
                    let value = self.value(value, key == "Fn::Sub")?;
                    self.leave();
                    out.insert(key, value);
                }
                Value::Object(out)
            }
            Yaml::Tagged(tagged) => {
                let tag = tagged.tag.to_string();
                let tag = tag.trim_start_matches('!');
                let name = match tag {
                    "Ref" | "Condition" => tag.to_string(),
                    tag => format!("Fn::{tag}"),
                };
                self.enter(|| name.clone());
                let mut value = self.value(&tagged.value, tag == "Sub")?;
                if let ("GetAtt", Value::String(path)) = (tag, &value) {
                    let (id, attribute) = path.split_once('.').unwrap_or((path, ""));
                    value = json!([id, attribute]);
                    if let Some(recorder) = &mut self.recorder {
                        recorder.split(2);
                    }
                }
                self.leave();
                Value::Object(Map::from_iter([(name, value)]))
            }
        })
    }

    /// A key. Its origin is that of what stands under it.
    fn key(&mut self, key: &Yaml) -> Result<String, RenderError> {
        if let Some(recorder) = &mut self.recorder {
            recorder.next_line();
        }
        let Yaml::String(text) = key else {
            return Err(RenderError::Document {
                stack: self.stack.as_str().into(),
                message: format!("the key `{key:?}` is no text"),
            });
        };
        match self.compose(&pieces(text), false)? {
            Value::String(key) => Ok(key),
            other => Ok(other.to_string()),
        }
    }

    fn enter(&mut self, segment: impl FnOnce() -> String) {
        if let Some(recorder) = &mut self.recorder {
            recorder.enter(segment());
        }
    }

    fn leave(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.leave();
        }
    }

    /// What the template itself says.
    fn literal(&mut self, value: Value) -> Value {
        self.record(&[], &value);
        value
    }

    fn record(&mut self, parts: &[Piece<'_>], output: &Value) {
        if let Some(recorder) = &mut self.recorder {
            let tokens = parts.iter().filter_map(|part| match part {
                Piece::Token(token) => Some(token),
                Piece::Text(_) => None,
            });
            let tokens: Vec<_> = tokens.collect();
            recorder.scalar(&tokens, output);
        }
    }

    fn scalar(&mut self, text: &str, in_sub: bool) -> Result<Value, RenderError> {
        let parts = pieces(text);
        let value = self.compose(&parts, in_sub)?;
        self.record(&parts, &value);
        Ok(value)
    }

    fn compose(&mut self, parts: &[Piece<'_>], in_sub: bool) -> Result<Value, RenderError> {
        if let ([Piece::Token(token)], false) = (parts, in_sub) {
            let shown = self.show(token)?;
            return Ok(into_value(shown));
        }
        if let [Piece::Text(text)] = parts {
            return Ok(Value::String((*text).to_string()));
        }
        self.text(parts, in_sub)
    }

    /// A text that is put together. It becomes an `Fn::Sub` where a part is known only at run time.
    fn text(&mut self, parts: &[Piece<'_>], in_sub: bool) -> Result<Value, RenderError> {
        let (mut plain, mut sub, mut at_run_time) = (String::new(), String::new(), false);
        // What is literal is marked as such in one piece: `$` may end one part and `{` begin the next.
        let (mut run, mut open) = (String::new(), false);
        let mut flush = |run: &mut String, sub: &mut String| {
            open |= is_open(run);
            sub.push_str(&literal(run));
            run.clear();
        };
        for part in parts {
            match part {
                Piece::Text(text) if in_sub => {
                    flush(&mut run, &mut sub);
                    plain.push_str(text);
                    sub.push_str(text);
                }
                Piece::Text(text) => {
                    plain.push_str(text);
                    run.push_str(text);
                }
                Piece::Token(token) => match self.show(token)? {
                    Shown::Runtime { variable, .. } => {
                        flush(&mut run, &mut sub);
                        sub.push_str(&format!("${{{variable}}}"));
                        at_run_time = true;
                    }
                    Shown::Sub(text) => {
                        flush(&mut run, &mut sub);
                        sub.push_str(&text);
                        at_run_time = true;
                    }
                    Shown::Value(value) => {
                        let text = match value {
                            Value::String(text) => text,
                            Value::Number(number) => number.to_string(),
                            Value::Bool(value) => value.to_string(),
                            other => return Err(self.not_a_text(token, &other)),
                        };
                        plain.push_str(&text);
                        run.push_str(&text);
                    }
                },
            }
        }
        flush(&mut run, &mut sub);
        if plain.contains(DYNAMIC_REFERENCE) {
            return Err(RenderError::DynamicReference { setting: self.names(parts) });
        }
        if open && (in_sub || at_run_time) {
            return Err(RenderError::OpenVariable { setting: self.names(parts) });
        }
        Ok(match (in_sub, at_run_time) {
            (true, _) => Value::String(sub),
            (false, true) => json!({ "Fn::Sub": sub }),
            (false, false) => Value::String(plain),
        })
    }

    fn show(&mut self, token: &Token) -> Result<Shown, RenderError> {
        let path = match token {
            Token::Literal(text) => return Ok(Shown::Value(Value::String(text.clone()))),
            Token::Argument(path) => path,
        };
        let arguments = self.arguments;
        let value = arguments.get(path).unwrap_or(&Value::Null);
        if let Some(inner) = first_text(value, &mut path.clone(), &|text| text.contains(DYNAMIC_REFERENCE)) {
            return Err(RenderError::DynamicReference { setting: arguments.setting(&inner) });
        }
        if let Some(document) = value.get(JSON_MARK)
            && let Some(inner) = first_text(document, &mut inside(path), &is_open)
        {
            return Err(RenderError::OpenVariable { setting: arguments.setting(&inner) });
        }
        Ok(show(value, self.stack, self.wiring))
    }

    /// What to call the plain arguments of a text in a message.
    fn names(&self, parts: &[Piece<'_>]) -> String {
        let plain = |path: &&Vec<String>| self.arguments.get(path).is_some_and(Value::is_string);
        let paths = parts.iter().filter_map(|part| match part {
            Piece::Token(Token::Argument(path)) => Some(path),
            _ => None,
        });
        let mut names: Vec<_> = paths.filter(plain).map(|path| self.arguments.setting(path)).collect();
        names.dedup();
        names.join("` or `")
    }

    fn not_a_text(&self, token: &Token, value: &Value) -> RenderError {
        let name = match token {
            Token::Argument(path) => path.join("."),
            Token::Literal(text) => text.clone(),
        };
        RenderError::Document {
            stack: self.stack.as_str().into(),
            message: format!("`{name}` stands within a text, and `{value}` is none"),
        }
    }
}

/// Path of the document that a text of JSON holds.
fn inside(path: &[String]) -> Vec<String> {
    path.iter().cloned().chain([JSON_MARK.to_string()]).collect()
}

/// Path of the first text within an argument, keys included, of which something holds.
fn first_text(value: &Value, path: &mut Vec<String>, holds: &dyn Fn(&str) -> bool) -> Option<Vec<String>> {
    let mut below = |segment: String, inner: &Value| {
        path.push(segment);
        let found = first_text(inner, path, holds);
        path.pop();
        found
    };
    match value {
        Value::String(text) => holds(text).then(|| path.clone()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| below(index.to_string(), item))
        }
        Value::Object(map) => {
            map.iter().find_map(
                |(key, inner)| {
                    if holds(key) { Some(vec![key.clone()]) } else { below(key.clone(), inner) }
                },
            )
        }
        _ => None,
    }
}
