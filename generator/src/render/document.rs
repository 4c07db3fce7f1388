//! From filled templates to a tree: YAML is read, tokens become values, short tags become long functions.

use serde_json::{Map, Value, json};
use serde_yaml::Value as Yaml;

use super::engine::{Piece, Templates, Token, pieces};
use super::error::RenderError;
use super::values::{Arguments, Shown, Wiring, into_value, literal, show};
use crate::program::StackId;
use crate::program::stack::Component;

/// What CloudFormation would resolve wherever it stands in a property.
const DYNAMIC_REFERENCE: &str = "{{resolve:";

/// Reads one component's part of a document.
pub(super) fn fragment(
    templates: &Templates,
    component: &Component,
    stack: StackId,
    wiring: &mut Wiring,
) -> Result<Map<String, Value>, RenderError> {
    let arguments = Arguments::new(&component.arguments);
    let text = templates.fill(component.name, &arguments.plain)?;
    let refuse =
        |line, message| RenderError::Template { template: templates.path(component.name), line, message };
    let yaml: Yaml = serde_yaml::from_str(&text).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        refuse(line, format!("what it renders is not YAML: {error}"))
    })?;
    let mut reader = Reader { arguments: &arguments, stack, wiring };
    match reader.value(yaml, false)? {
        Value::Object(map) => Ok(map),
        _ => Err(refuse(0, "it must render a map with `Resources`".into())),
    }
}

struct Reader<'a> {
    arguments: &'a Arguments,
    stack: StackId,
    wiring: &'a mut Wiring,
}

impl Reader<'_> {
    /// `in_sub`: the value is the text of an `Fn::Sub`, where `${` has a meaning.
    fn value(&mut self, yaml: Yaml, in_sub: bool) -> Result<Value, RenderError> {
        Ok(match yaml {
            Yaml::Null => Value::Null,
            Yaml::Bool(value) => Value::Bool(value),
            Yaml::Number(number) => serde_json::to_value(number).unwrap_or(Value::Null),
            Yaml::String(text) => self.scalar(&text, in_sub)?,
            Yaml::Sequence(items) => {
                // `Fn::Sub` with variables of its own: only its first item is a text with `${}`.
                let mut out = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    out.push(self.value(item, in_sub && index == 0)?);
                }
                Value::Array(out)
            }
            Yaml::Mapping(mapping) => {
                let mut out = Map::new();
                for (key, value) in mapping {
                    let key = match self.value(key, false)? {
                        Value::String(key) => key,
                        other => other.to_string(),
                    };
                    let in_sub = key == "Fn::Sub";
                    out.insert(key, self.value(value, in_sub)?);
                }
                Value::Object(out)
            }
            Yaml::Tagged(tagged) => {
                let tag = tagged.tag.to_string();
                let tag = tag.trim_start_matches('!');
                let value = self.value(tagged.value, tag == "Sub")?;
                match (tag, value) {
                    ("Ref" | "Condition", value) => json!({ tag: value }),
                    ("GetAtt", Value::String(path)) => {
                        let (id, attribute) = path.split_once('.').unwrap_or((&path, ""));
                        json!({ "Fn::GetAtt": [id, attribute] })
                    }
                    (tag, value) => json!({ format!("Fn::{tag}"): value }),
                }
            }
        })
    }

    fn scalar(&mut self, text: &str, in_sub: bool) -> Result<Value, RenderError> {
        let parts = pieces(text);
        if let ([Piece::Token(token)], false) = (parts.as_slice(), in_sub) {
            let shown = self.show(token)?;
            return Ok(into_value(shown));
        }
        if !parts.iter().any(|part| matches!(part, Piece::Token(_))) {
            return Ok(Value::String(text.to_string()));
        }
        self.text(&parts, in_sub)
    }

    /// A text that is put together. It becomes an `Fn::Sub` where a part is known only at run time.
    fn text(&mut self, parts: &[Piece<'_>], in_sub: bool) -> Result<Value, RenderError> {
        let (mut plain, mut sub, mut at_run_time) = (String::new(), String::new(), false);
        for part in parts {
            match part {
                Piece::Text(text) => {
                    plain.push_str(text);
                    sub.push_str(&if in_sub { (*text).to_string() } else { literal(text) });
                }
                Piece::Token(token) => match self.show(token)? {
                    Shown::Runtime { variable, .. } => {
                        sub.push_str(&format!("${{{variable}}}"));
                        at_run_time = true;
                    }
                    Shown::Sub(text) => {
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
                        sub.push_str(&literal(&text));
                    }
                },
            }
        }
        if plain.contains(DYNAMIC_REFERENCE) {
            let setting = parts.iter().find_map(|part| match part {
                Piece::Token(Token::Argument(path)) => Some(self.arguments.setting(path)),
                _ => None,
            });
            return Err(RenderError::DynamicReference { setting: setting.unwrap_or_default() });
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
        let value = self.arguments.get(path).cloned().unwrap_or(Value::Null);
        if holds_dynamic_reference(&value) {
            return Err(RenderError::DynamicReference { setting: self.arguments.setting(path) });
        }
        Ok(show(&value, self.stack, self.wiring))
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

fn holds_dynamic_reference(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(DYNAMIC_REFERENCE),
        Value::Array(items) => items.iter().any(holds_dynamic_reference),
        Value::Object(map) => {
            map.iter().any(|(key, value)| key.contains(DYNAMIC_REFERENCE) || holds_dynamic_reference(value))
        }
        _ => false,
    }
}
