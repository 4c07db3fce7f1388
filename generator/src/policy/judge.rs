//! The one function that judges, at every stage alike.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};
use time::Date;

use super::condition::Variables;
use super::directory::Directory;
use super::exemption::{self, Exemption};
use super::facts::Facts;
use super::finding::{Finding, Judgement, Remediation};
use super::functions::Names;
use super::input::{Source, get};
use super::model::{Level, Missing, Override, Policy, Stage, Target};
use super::scope::{Scope, Subject};

/// Every rule of the organisation.
#[derive(Debug, Default)]
pub struct Rules {
    /// In the order of packs and of their files.
    pub policies: Vec<Arc<Policy>>,
    /// Later ones win.
    pub overrides: Vec<Override>,
    /// What is let through for a time.
    pub exemptions: Vec<Exemption>,
    /// All tenants, for what must not be anybody else's.
    pub directory: Arc<Directory>,
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// Word for the stack: `regional` or `edge`; `None` for settings.
    pub stack: Option<&'a str>,
    /// Name of the stack in CloudFormation.
    pub name: &'a str,
    /// Region of the stack.
    pub region: &'a str,
    /// Settings, template in its long form, or change set.
    pub body: &'a Value,
}

impl<'a> Document<'a> {
    /// The settings of a tenant.
    #[must_use]
    pub fn settings(tenant: &'a Subject) -> Self {
        Self { stack: None, name: "", region: "", body: tenant.settings() }
    }
}

impl Rules {
    /// A policy by its id.
    #[must_use]
    pub fn policy(&self, id: &str) -> Option<&Policy> {
        self.policies.iter().map(|policy| &**policy).find(|policy| policy.id == id)
    }

    /// The level at which a policy is judged for a tenant.
    #[must_use]
    pub fn level(&self, policy: &Policy, tenant: &Subject) -> Level {
        let concerned = self.overriding(policy, tenant).filter_map(|change| change.level);
        concerned.last().unwrap_or(policy.level)
    }

    /// The params with which a policy is judged for a tenant.
    fn params<'p>(&self, policy: &'p Policy, tenant: &Subject) -> Cow<'p, Map<String, Value>> {
        let mut params = Cow::Borrowed(&policy.params);
        for change in self.overriding(policy, tenant).filter(|change| !change.params.is_empty()) {
            for (key, value) in &change.params {
                params.to_mut().insert(key.clone(), value.clone());
            }
        }
        params
    }

    /// The rules that say the same of a template whatever its tenant's settings are: those for every tenant
    /// alike that look at no setting.
    #[must_use]
    pub fn without_settings(&self) -> Self {
        let is_free = |policy: &&Arc<Policy>| {
            let mut overrides = self.overrides.iter().filter(|change| change.policy == policy.id);
            policy.on.stage() == Stage::Stack
                && policy.scope == Scope::default()
                && overrides.all(|change| change.scope == Scope::default())
                && !policy.assert.reads_settings()
                && !policy.message.reads_settings()
        };
        Self {
            policies: self.policies.iter().filter(is_free).cloned().collect(),
            overrides: self.overrides.clone(),
            exemptions: self.exemptions.clone(),
            directory: self.directory.clone(),
        }
    }

    fn overriding<'r>(
        &'r self,
        policy: &'r Policy,
        tenant: &'r Subject,
    ) -> impl Iterator<Item = &'r Override> {
        let concerned = move |change: &&Override| change.policy == policy.id && change.scope.concerns(tenant);
        self.overrides.iter().filter(concerned)
    }
}

/// Judges one document of a tenant. Pure: the same arguments yield the same findings.
#[must_use]
pub fn judge(
    rules: &Rules,
    stage: Stage,
    document: &Document<'_>,
    tenant: &Subject,
    today: Date,
) -> Judgement {
    let mut judgement = Judgement::default();
    let concerned =
        rules.policies.iter().filter(|policy| policy.on.stage() == stage && policy.scope.concerns(tenant));
    let judged: Vec<(&Arc<Policy>, Level)> = concerned
        .map(|policy| (policy, rules.level(policy, tenant)))
        .filter(|(_, level)| *level != Level::Disabled)
        .collect();
    Judge::new(rules, stage, document, tenant).all(&judged, &mut judgement);
    exemption::apply(&rules.exemptions, &mut judgement.findings, document, today);
    judgement
}

struct Judge<'a> {
    rules: &'a Rules,
    stage: Stage,
    document: &'a Document<'a>,
    tenant: &'a Subject,
    /// What `stack` stands for.
    stack: Source<'a>,
    facts: Facts<'a>,
}

impl<'a> Judge<'a> {
    fn new(rules: &'a Rules, stage: Stage, document: &'a Document<'a>, tenant: &'a Subject) -> Self {
        let Document { stack, name, region, body } = *document;
        let id = stack.unwrap_or_default();
        let (stack, body) = match stage {
            Stage::Tenant => (Source::Nothing, tenant.settings()),
            Stage::Stack => (Source::Stack { id, name, region, what: "template", body }, body),
            Stage::Change => (Source::Stack { id, name, region, what: "change", body }, body),
        };
        let names = Names { directory: rules.directory.clone(), tenant: tenant.name().to_string() };
        Self { rules, stage, document, tenant, stack, facts: Facts::new(body, names) }
    }

    fn all(&self, policies: &[(&Arc<Policy>, Level)], judgement: &mut Judgement) {
        let body = self.facts.body;
        let resources = resources(body);
        let of_types: Vec<&[Resource]> = resources.chunk_by(|one, next| one.kind == next.kind).collect();
        let of_type = |kind: &String| {
            let is_it = |all: &&&[Resource]| all.first().is_some_and(|one| one.kind == kind);
            of_types.iter().find(is_it).copied()
        };
        for (policy, level) in policies {
            let params = self.rules.params(policy, self.tenant);
            let one = One { judge: self, policy, level: *level, params: &params };
            match &policy.on {
                Target::Tenant | Target::Stack => one.node(body, None, &[], judgement),
                Target::Resources(types) => {
                    for Resource { id, body, .. } in types.iter().filter_map(of_type).flatten() {
                        one.node(body, Some(id), &["Resources", id], judgement);
                    }
                }
                Target::Change => {
                    let entries = body.get("changes").and_then(Value::as_array).into_iter().flatten();
                    for (index, entry) in entries.enumerate() {
                        one.node(entry, None, &["changes", &index.to_string()], judgement);
                    }
                }
            }
        }
    }
}

/// A resource of a template.
struct Resource<'a> {
    kind: &'a str,
    id: &'a str,
    body: &'a Value,
}

/// The resources of a template by type, those of one type by id.
fn resources(template: &Value) -> Vec<Resource<'_>> {
    let all = template.get("Resources").and_then(Value::as_object).into_iter().flatten();
    let mut all: Vec<Resource> = all
        .map(|(id, body)| {
            let kind = body.as_object().and_then(|body| get(body, "Type")).and_then(Value::as_str);
            Resource { kind: kind.unwrap_or_default(), id, body }
        })
        .collect();
    all.sort_unstable_by_key(|resource| (resource.kind, resource.id));
    all
}

/// One policy on one document.
struct One<'j, 'a> {
    judge: &'j Judge<'a>,
    policy: &'j Arc<Policy>,
    level: Level,
    params: &'j Map<String, Value>,
}

impl One<'_, '_> {
    fn node(&self, root: &Value, resource: Option<&str>, before: &[&str], judgement: &mut Judgement) {
        let mut evaluated = 0;
        self.policy.at.find(root, &mut |keys, node| {
            let path = || {
                let before = before.iter().map(|part| (*part).to_string());
                before.chain(keys.iter().map(ToString::to_string)).collect()
            };
            match node {
                Some(node) => {
                    evaluated += 1;
                    judgement.findings.extend(self.evaluate(node, resource, root, &path));
                }
                None if self.policy.missing == Missing::Finding => {
                    evaluated += 1;
                    let mut finding = self.finding(path(), root);
                    finding.message = format!("`{}` is missing", finding.property());
                    judgement.findings.push(finding);
                }
                None => {}
            }
        });
        if evaluated > 0 {
            judgement.evaluated.note(self.policy, evaluated);
        }
    }

    fn evaluate(
        &self,
        node: &Value,
        resource: Option<&str>,
        root: &Value,
        path: &dyn Fn() -> Vec<String>,
    ) -> Option<Finding> {
        let (judge, policy) = (self.judge, self.policy);
        let variables = Variables {
            node,
            resource,
            tenant: judge.tenant.settings(),
            stack: judge.stack,
            params: self.params,
            facts: &judge.facts,
        };
        let problem = match policy.assert.holds(&variables) {
            Ok(true) => return None,
            Ok(false) => None,
            Err(reason) => Some(reason),
        };
        let mut finding = self.finding(path(), root);
        match problem {
            Some(reason) => {
                finding.is_error = true;
                finding.message = format!("the condition cannot be evaluated: {reason}");
            }
            None => match policy.message.text(&variables) {
                Ok(message) => finding.message = message,
                Err(reason) => finding.message = format!("{} (its message fails: {reason})", policy.title),
            },
        }
        if let (Level::Remediate, Some(new)) = (self.level, &policy.set) {
            finding.remediation =
                Some(Remediation { old: node.clone(), new: new.clone(), is_applied: false });
        }
        Some(finding)
    }

    fn finding(&self, path: Vec<String>, root: &Value) -> Finding {
        let judge = self.judge;
        let mut finding = finding(self.policy, self.level, judge.stage, judge.document, judge.tenant, path);
        if judge.stage == Stage::Change {
            finding.resource = root.get("logical_id").and_then(Value::as_str).map(str::to_string);
        }
        finding
    }
}

fn finding(
    policy: &Policy,
    level: Level,
    stage: Stage,
    document: &Document<'_>,
    tenant: &Subject,
    path: Vec<String>,
) -> Finding {
    let resource = match path.as_slice() {
        [first, id, ..] if first == "Resources" => Some(id.clone()),
        _ => None,
    };
    Finding {
        policy: policy.id.clone(),
        title: policy.title.clone(),
        severity: policy.severity,
        level,
        stage,
        tenant: tenant.name().to_string(),
        stack: document.stack.map(str::to_string),
        resource,
        path,
        message: policy.title.clone(),
        fix: policy.fix.clone(),
        is_error: false,
        place: None,
        template: None,
        remediation: None,
        exemption: None,
        expired: None,
    }
}
