//! Cases: what each policy must let pass and what it must find, as data beside the packs.

use std::path::Path as FilePath;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};
use time::Date;

use super::directory::Directory;
use super::fields::Fields;
use super::judge::{Document, Rules, judge};
use super::load::{files, read};
use super::model::{Level, Override, Policy, Target};
use super::scope::{Scope, Subject};
use crate::tenant::LoadError;
use crate::tenant::decode::{Decoder, nearest};
use crate::tenant::node::{Node, Value as NodeValue};
use crate::tenant::problem::{Problem, Problems};
use crate::tenant::source::Sources;

/// Logical id of what a case judges.
const SUBJECT: &str = "Subject";

/// One case.
#[derive(Debug, Clone)]
struct Case {
    passes: bool,
    fields: Map<String, Value>,
    place: String,
}

/// How a case went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// The policy.
    pub policy: String,
    /// `file:line:column` of the case; of the policy itself where it lacks cases.
    pub place: String,
    /// Why it failed; `None` where it went as it should.
    pub failure: Option<String>,
}

/// Runs the cases of a folder. A policy without a case that passes and one that it finds fails.
///
/// # Errors
/// Files that cannot be read or that are wrong.
pub fn run_cases(folder: &FilePath, rules: &Rules, today: Date) -> Result<Vec<CaseResult>, LoadError> {
    let (mut sources, mut decoder) = (Sources::default(), Decoder::default());
    let mut cases: Vec<(String, Vec<Case>)> = Vec::new();
    for (path, _) in files(folder)? {
        let Some(node) = read(&path, &mut sources, &mut decoder)? else { continue };
        let NodeValue::Map(entries) = &node.value else {
            decoder.wrong_kind(&node, "a map from policies to their cases");
            continue;
        };
        for entry in entries {
            if rules.policy(&entry.key).is_none() {
                let known: Vec<&str> = rules.policies.iter().map(|policy| policy.id.as_str()).collect();
                let problem = Problem::new(entry.key_place, format!("there is no policy `{}`", entry.key));
                let help = nearest(&entry.key, &known).replace("known keys here", "policies");
                decoder.refuse(problem.help(help));
            }
            cases.push((entry.key.clone(), decoded(&entry.node, &sources, &mut decoder)));
        }
    }
    if !decoder.problems.is_empty() {
        return Err(Box::new(Problems::new(sources, decoder.problems)).into());
    }
    let mut results = Vec::new();
    for policy in &rules.policies {
        let own: Vec<&Case> =
            cases.iter().filter(|(id, _)| *id == policy.id).flat_map(|(_, all)| all).collect();
        for (passes, what) in [(true, "lets pass"), (false, "finds")] {
            if !own.iter().any(|case| case.passes == passes) {
                let failure = Some(format!("it has no case that it {what}"));
                results.push(CaseResult { policy: policy.id.clone(), place: policy.pack.clone(), failure });
            }
        }
        for case in own {
            let failure = run(case, policy, today).err();
            results.push(CaseResult { policy: policy.id.clone(), place: case.place.clone(), failure });
        }
    }
    Ok(results)
}

fn decoded(node: &Node, sources: &Sources, decoder: &mut Decoder) -> Vec<Case> {
    let Some(fields) = Fields::of(node, decoder, &["passes", "fails"]) else { return Vec::new() };
    let mut found = Vec::new();
    for (key, passes) in [("passes", true), ("fails", false)] {
        for item in fields.items(key, decoder) {
            let known = ["self", "root", "tenant", "resources", "region", "edge", "changes", "params"];
            let Some(case) = Fields::of(item, decoder, &known) else { continue };
            if case.get("self").is_some() == case.get("root").is_some() {
                decoder.refuse(Problem::new(item.place, "a case has either `self` or `root`"));
            }
            let fields = match item.to_json() {
                Value::Object(map) => map,
                _ => Map::new(),
            };
            found.push(Case { passes, fields, place: sources.locate(item.place).to_string() });
        }
    }
    found
}

fn run(case: &Case, policy: &Arc<Policy>, today: Date) -> Result<(), String> {
    let mut settings = json!({ "region": "eu-north-1", "edge": { "paths": { "public": [] } } });
    if let Some(over) = case.fields.get("tenant") {
        merge(&mut settings, over);
    }
    let root = case.root(policy);
    if policy.on == Target::Tenant {
        merge(&mut settings, &root);
    }
    let tenant = Subject::new("example", "demo", settings);
    let body = case.document(policy, &root);
    let region = case.fields.get("region").and_then(Value::as_str).unwrap_or("us-east-1");
    let document = match policy.on {
        Target::Tenant => Document::settings(&tenant),
        _ => Document { stack: Some("edge"), name: "example-demo-edge", region, body: &body },
    };
    let params = match case.fields.get("params") {
        Some(Value::Object(map)) => map.clone(),
        _ => Map::new(),
    };
    let isolated = only(policy, params);
    let judgement = judge(&isolated, policy.on.stage(), &document, &tenant, today);
    if let Some(error) = judgement.findings.iter().find(|finding| finding.is_error) {
        return Err(error.message.clone());
    }
    if !judgement.evaluated.has(&policy.id) {
        return Err("the policy was not evaluated".into());
    }
    match (case.passes, judgement.findings.first()) {
        (true, Some(finding)) => Err(format!("it should pass, but: {}", finding.message)),
        (false, None) => Err("it should be found, but passes".into()),
        _ => Ok(()),
    }
}

impl Case {
    /// What the policy is evaluated on: `root` as it is, `self` at the place where the policy looks for it.
    fn root(&self, policy: &Policy) -> Value {
        match (self.fields.get("root"), self.fields.get("self")) {
            (Some(root), _) => root.clone(),
            (None, Some(node)) => policy.at.around(node.clone()),
            (None, None) => Value::Null,
        }
    }

    /// The document around the root.
    fn document(&self, policy: &Policy, root: &Value) -> Value {
        let list = |key: &str| self.fields.get(key).cloned().unwrap_or(Value::Null);
        match &policy.on {
            Target::Tenant => Value::Null,
            Target::Stack => root.clone(),
            Target::Change => {
                let mut changes = vec![entry(root)];
                changes.extend(list("changes").as_array().into_iter().flatten().map(entry));
                json!({ "creates": false, "changes": changes })
            }
            Target::Resources(types) => {
                let mut resource = root.clone();
                resource["Type"] = types.first().map_or(Value::Null, |kind| json!(kind));
                let mut resources = match list("resources") {
                    Value::Object(map) => map,
                    _ => Map::new(),
                };
                resources.insert(SUBJECT.into(), resource);
                if self.fields.get("edge") == Some(&Value::Bool(true)) {
                    put_at_the_edge(&mut resources);
                }
                json!({ "Resources": resources })
            }
        }
    }
}

/// Lets a distribution run the subject: itself, or through a version and a function that have it as their role.
fn put_at_the_edge(resources: &mut Map<String, Value>) {
    let is_role = resources[SUBJECT]["Type"] == "AWS::IAM::Role";
    let run = if is_role { "EdgeFunction" } else { SUBJECT };
    if is_role {
        let role = json!({ "Fn::GetAtt": [SUBJECT, "Arn"] });
        resources
            .insert(run.into(), json!({ "Type": "AWS::Lambda::Function", "Properties": { "Role": role } }));
    }
    let behaviour = json!({ "LambdaFunctionAssociations": [{ "LambdaFunctionARN": { "Ref": run } }] });
    let config = json!({ "DistributionConfig": { "CacheBehaviors": [behaviour] } });
    resources.insert("Cdn".into(), json!({ "Type": "AWS::CloudFront::Distribution", "Properties": config }));
}

/// An entry of a change set that changes nothing, under what the case says.
fn entry(over: &Value) -> Value {
    let mut entry = json!({
        "logical_id": SUBJECT, "physical_id": null, "type": "AWS::SSM::Parameter", "action": "modify",
        "replacement": "never", "retained": false, "loss": "none", "properties": [], "causes": [],
        "grants": [], "grants_known": true, "attributes": [], "attributes_known": true, "allowed": [],
    });
    merge(&mut entry, over);
    entry
}

fn merge(below: &mut Value, over: &Value) {
    match (below, over) {
        (Value::Object(below), Value::Object(over)) => {
            for (key, value) in over {
                merge(below.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (below, over) => *below = over.clone(),
    }
}

/// Rules with one policy, at a level at which it is evaluated: cases depend on no exemption, no override and
/// no tenant of the organisation.
fn only(policy: &Arc<Policy>, params: Map<String, Value>) -> Rules {
    let level = (policy.level == Level::Disabled).then_some(Level::Mandatory);
    let change = Override {
        policy: policy.id.clone(),
        scope: Scope::default(),
        level,
        params,
        reason: String::new(),
        place: policy.place,
    };
    Rules {
        policies: vec![policy.clone()],
        overrides: vec![change],
        exemptions: Vec::new(),
        directory: Arc::new(Directory::new("example", ["acme", "demo"].map(str::to_string))),
    }
}
