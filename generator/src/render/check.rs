//! A finished document against CloudFormation's own rules: every reference resolves, every size fits.
//! Limits: AWSCloudFormation/latest/UserGuide/cloudformation-limits.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const RESOURCES_MAX: usize = 500;
const PARAMETERS_MAX: usize = 200;
const OUTPUTS_MAX: usize = 200;
const TEMPLATE_BYTES_MAX: usize = 1_000_000;
const DESCRIPTION_BYTES_MAX: usize = 1024;
const LOGICAL_ID_MAX: usize = 255;

/// The first thing that is wrong with a document, if anything is.
pub(super) fn check(document: &Map<String, Value>) -> Result<(), String> {
    let names = |section: &str| -> BTreeSet<&str> {
        let map = document.get(section).and_then(Value::as_object);
        map.map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default()
    };
    let known = Known {
        resources: names("Resources"),
        parameters: names("Parameters"),
        conditions: names("Conditions"),
    };
    let outputs = names("Outputs");
    for (what, found, most) in [
        ("resources", known.resources.len(), RESOURCES_MAX),
        ("parameters", known.parameters.len(), PARAMETERS_MAX),
        ("outputs", outputs.len(), OUTPUTS_MAX),
    ] {
        if found > most {
            return Err(format!("{found} {what}; CloudFormation takes {most}"));
        }
    }
    for name in known.resources.iter().chain(&known.parameters).chain(&outputs) {
        if name.len() > LOGICAL_ID_MAX || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("`{name}` is no logical id: letters and digits only"));
        }
    }
    let description = document.get("Description").and_then(Value::as_str).unwrap_or_default();
    if description.len() > DESCRIPTION_BYTES_MAX {
        return Err(format!("the description has more than {DESCRIPTION_BYTES_MAX} bytes"));
    }
    for (section, value) in document {
        known.walk(value, section)?;
    }
    let resources = document.get("Resources").and_then(Value::as_object);
    for (id, resource) in resources.into_iter().flatten() {
        known.attributes(id, resource)?;
    }
    Ok(())
}

/// Refuses a text that CloudFormation would not take as a template.
pub(super) fn check_size(text: &str) -> Result<(), String> {
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(format!(
            "the template has {} bytes; CloudFormation takes {TEMPLATE_BYTES_MAX}",
            text.len()
        ));
    }
    Ok(())
}

struct Known<'a> {
    resources: BTreeSet<&'a str>,
    parameters: BTreeSet<&'a str>,
    conditions: BTreeSet<&'a str>,
}

impl Known<'_> {
    fn walk(&self, value: &Value, at: &str) -> Result<(), String> {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let at = format!("{at}.{key}");
                    match (key.as_str(), value) {
                        ("Ref", Value::String(name)) if map.len() == 1 => self.reference(name, &at)?,
                        ("Fn::GetAtt", Value::Array(parts)) => self.attribute(parts, &at)?,
                        ("Fn::Sub", Value::String(text)) => self.variables(text, &[], &at)?,
                        ("Fn::Sub", Value::Array(parts)) => self.sub_with_variables(parts, &at)?,
                        ("Fn::If", Value::Array(parts)) => {
                            let name = parts.first().and_then(Value::as_str).unwrap_or_default();
                            self.condition(name, &at)?;
                        }
                        _ => {}
                    }
                    self.walk(value, &at)?;
                }
                Ok(())
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| self.walk(item, &format!("{at}[{index}]"))),
            _ => Ok(()),
        }
    }

    fn attributes(&self, id: &str, resource: &Value) -> Result<(), String> {
        let at = format!("Resources.{id}");
        if resource.get("Type").and_then(Value::as_str).is_none() {
            return Err(format!("{at} has no `Type`"));
        }
        if let Some(Value::String(condition)) = resource.get("Condition") {
            self.condition(condition, &at)?;
        }
        let dependencies = match resource.get("DependsOn") {
            Some(Value::Array(names)) => names.iter().collect(),
            Some(name) => vec![name],
            None => vec![],
        };
        for name in dependencies.into_iter().filter_map(Value::as_str) {
            if !self.resources.contains(name) {
                return Err(format!("{at} depends on `{name}`, which is no resource"));
            }
        }
        Ok(())
    }

    fn reference(&self, name: &str, at: &str) -> Result<(), String> {
        let known =
            name.starts_with("AWS::") || self.resources.contains(name) || self.parameters.contains(name);
        if known { Ok(()) } else { Err(format!("{at}: `{name}` is neither resource nor parameter")) }
    }

    fn attribute(&self, parts: &[Value], at: &str) -> Result<(), String> {
        let id = parts.first().and_then(Value::as_str).unwrap_or_default();
        let attribute = parts.get(1).is_some_and(|value| value.as_str() != Some(""));
        let known = self.resources.contains(id) && attribute;
        if known { Ok(()) } else { Err(format!("{at}: `{id}` is no resource with an attribute")) }
    }

    fn condition(&self, name: &str, at: &str) -> Result<(), String> {
        let known = self.conditions.contains(name);
        if known { Ok(()) } else { Err(format!("{at}: there is no condition `{name}`")) }
    }

    fn sub_with_variables(&self, parts: &[Value], at: &str) -> Result<(), String> {
        let text = parts.first().and_then(Value::as_str).unwrap_or_default();
        let own: Vec<_> = parts
            .get(1)
            .and_then(Value::as_object)
            .map(|map| map.keys().map(String::as_str).collect())
            .unwrap_or_default();
        self.variables(text, &own, at)
    }

    fn variables(&self, text: &str, own: &[&str], at: &str) -> Result<(), String> {
        for rest in text.split("${").skip(1) {
            let Some((name, _)) = rest.split_once('}') else {
                return Err(format!("{at}: `${{` without an end"));
            };
            if name.starts_with('!') || own.contains(&name) {
                continue;
            }
            match name.split_once('.') {
                Some((id, _)) if self.resources.contains(id) => {}
                Some((id, _)) => return Err(format!("{at}: `{id}` is no resource")),
                None => self.reference(name, at)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn verdict(property: Value) -> Result<(), String> {
        let document = json!({
            "Parameters": { "P": { "Type": "String" } },
            "Conditions": { "C": { "Fn::Equals": [{ "Ref": "P" }, ""] } },
            "Resources": { "R": { "Type": "T", "Properties": { "X": property } } },
        });
        check(document.as_object().unwrap())
    }

    #[test]
    fn references_that_resolve_pass() {
        for good in [
            json!({ "Ref": "P" }),
            json!({ "Ref": "AWS::Region" }),
            json!({ "Fn::GetAtt": ["R", "Arn"] }),
            json!({ "Fn::Sub": "${P} ${R.Arn} ${AWS::AccountId} ${!literal}" }),
            json!({ "Fn::If": ["C", 1, 2] }),
            json!({ "Fn::Sub": ["${own}", { "own": 1 }] }),
        ] {
            assert_eq!(verdict(good.clone()), Ok(()), "{good}");
        }
    }

    #[test]
    fn references_into_nothing_are_refused() {
        for bad in [
            json!({ "Ref": "Q" }),
            json!({ "Fn::GetAtt": ["Q", "Arn"] }),
            json!({ "Fn::GetAtt": ["R", ""] }),
            json!({ "Fn::Sub": "${Q}" }),
            json!({ "Fn::Sub": "${Q.Arn}" }),
            json!({ "Fn::Sub": "${P" }),
            json!({ "Fn::If": ["D", 1, 2] }),
        ] {
            assert!(verdict(bad.clone()).is_err(), "{bad}");
        }
    }
}
