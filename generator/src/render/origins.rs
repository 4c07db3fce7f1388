//! Origins of what no template says: tags, parameters, outputs for the other stack, the document's head.

use std::collections::BTreeMap;

use serde_json::Value;

use super::rendered::{ParameterSource, StackParameter};
use super::trace::{DocumentPath, Origin, Source, leaves};
use crate::program::StackId;
use crate::tenant::Tenant;

/// The origins found so far of one document.
#[derive(Debug, Default)]
pub(super) struct Origins(pub(super) BTreeMap<DocumentPath, Origin>);

impl Origins {
    /// Notes one source for every scalar of a value that stands at a path.
    fn note(&mut self, path: &[&str], value: &Value, source: &Source) {
        let mut path = path.iter().map(|segment| (*segment).to_string()).collect();
        leaves(value, &mut path, &mut |path, _| {
            let origin = Origin { sources: vec![source.clone()], ..Origin::default() };
            self.0.entry(path.to_vec()).or_insert(origin);
        });
    }

    /// Tags that were added to a resource: labels of the tenant, and generator's own.
    pub(super) fn tags(&mut self, tenant: &Tenant, resource: &str, property: &str, value: &Value) {
        let at = ["Resources", resource, "Properties", property];
        let source = |key: &str| match tenant.settings.labels.0.get(key) {
            Some(label) => Source::Setting(label.path.clone()),
            None => Source::Generator("tags of every resource"),
        };
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.note(&[&at[..], &[key]].concat(), value, &source(key));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let key = item.get("Key").and_then(Value::as_str).unwrap_or_default();
                    self.note(&[&at[..], &[&index.to_string()]].concat(), item, &source(key));
                }
            }
            _ => {}
        }
    }

    /// An output that the other stack needs.
    pub(super) fn output(&mut self, stack: StackId, name: &str, output: &Value) {
        let intrinsic = &output["Value"];
        let get = |index: usize| intrinsic["Fn::GetAtt"][index].as_str();
        let resource = intrinsic["Ref"].as_str().or_else(|| get(0)).unwrap_or_default().to_string();
        let source = Source::Output { stack, resource, attribute: get(1).map(str::to_string) };
        self.note(&["Outputs", name], output, &source);
    }

    /// Head and parameters of a finished document.
    pub(super) fn frame(&mut self, document: &serde_json::Map<String, Value>, parameters: &[StackParameter]) {
        for section in ["AWSTemplateFormatVersion", "Description"] {
            if let Some(value) = document.get(section) {
                self.note(&[section], value, &Source::Generator("head of every document"));
            }
        }
        for parameter in parameters {
            let source = match &parameter.source {
                ParameterSource::Output { stack, output }
                | ParameterSource::LaterOutput { stack, output } => {
                    Source::Output { stack: *stack, resource: output.clone(), attribute: None }
                }
                ParameterSource::Artifact { artifact, fact } => {
                    Source::Artifact { artifact: *artifact, fact: *fact }
                }
            };
            if let Some(declared) = document.get("Parameters").and_then(|all| all.get(&parameter.name)) {
                self.note(&["Parameters", &parameter.name], declared, &source);
            }
        }
    }
}
