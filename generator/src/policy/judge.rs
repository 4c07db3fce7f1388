//! The one function that judges, at every stage alike.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cel::common::types::{CelMap, CelNull, CelString};
use cel::common::value::Val;
use serde_json::{Map, Value};
use time::Date;

use super::condition::Variables;
use super::directory::Directory;
use super::edge;
use super::exemption::{self, Exemption};
use super::finding::{Finding, Judgement, Remediation};
use super::functions::Names;
use super::model::{Level, Missing, Override, Policy, Stage, Target};
use super::path::{get, key_text};
use super::scope::Subject;
use super::value::{Converted, to_json};

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
    let judged: Vec<(&Policy, Level)> = concerned
        .map(|policy| (&**policy, rules.level(policy, tenant)))
        .filter(|(_, level)| *level != Level::Disabled)
        .collect();
    match Judge::new(rules, stage, document, tenant) {
        Ok(judge) => judge.all(&judged, &mut judgement),
        Err(reason) => {
            for (policy, level) in &judged {
                let mut finding = finding(policy, *level, stage, document, tenant, Vec::new());
                finding.message = reason.clone();
                finding.is_error = true;
                judgement.findings.push(finding);
            }
        }
    }
    exemption::apply(&rules.exemptions, &mut judgement.findings, document, today);
    judgement
}

struct Judge<'a> {
    rules: &'a Rules,
    stage: Stage,
    document: &'a Document<'a>,
    tenant: &'a Subject,
    /// What `stack` stands for.
    stack: Box<dyn Val + 'a>,
    settings: Box<dyn Val + 'a>,
    names: Names,
    /// Resources of functions at the edge.
    edge: BTreeSet<String>,
}

impl<'a> Judge<'a> {
    fn new(
        rules: &'a Rules,
        stage: Stage,
        document: &'a Document<'a>,
        tenant: &'a Subject,
    ) -> Result<Self, String> {
        let convert =
            |json: &'a Value| Converted::new(json).map(Converted::into_value).map_err(|e| e.to_string());
        let settings = convert(tenant.settings())?;
        let text = |text: &'a str| Box::new(CelString::from(text)) as Box<dyn Val + 'a>;
        let stack = match stage {
            Stage::Tenant => Box::new(CelNull) as Box<dyn Val + 'a>,
            Stage::Stack | Stage::Change => Converted::map(vec![
                ("id", text(document.stack.unwrap_or_default())),
                ("name", text(document.name)),
                ("region", text(document.region)),
                (if stage == Stage::Stack { "template" } else { "change" }, convert(document.body)?),
            ])
            .into_value(),
        };
        let names = Names { directory: rules.directory.clone(), tenant: tenant.name().to_string() };
        let edge = if stage == Stage::Stack { edge::associated(document.body) } else { BTreeSet::new() };
        Ok(Self { rules, stage, document, tenant, stack, settings, names, edge })
    }

    /// The document, as paths go into it.
    fn body(&self) -> Option<&(dyn Val + '_)> {
        match self.stage {
            Stage::Tenant => Some(&*self.settings),
            Stage::Stack => self.stack.downcast_ref::<CelMap>().and_then(|stack| get(stack, "template")),
            Stage::Change => self.stack.downcast_ref::<CelMap>().and_then(|stack| get(stack, "change")),
        }
    }

    fn all(&self, policies: &[(&Policy, Level)], judgement: &mut Judgement) {
        let Some(body) = self.body() else { return };
        let mut of_type: HashMap<&str, Vec<(&str, &(dyn Val + '_))>> = HashMap::new();
        if let Some(resources) = member(body, "Resources").and_then(|all| all.downcast_ref::<CelMap>()) {
            let mut ids: Vec<&str> = resources.inner().keys().filter_map(key_text).collect();
            ids.sort_unstable();
            for id in ids {
                let Some(resource) = get(resources, id) else { continue };
                let kind = member(resource, "Type").and_then(|kind| kind.downcast_ref::<CelString>());
                of_type.entry(kind.map_or("", |kind| kind.inner())).or_default().push((id, resource));
            }
        }
        for (policy, level) in policies {
            let params = Value::Object(self.rules.params(policy, self.tenant).into_owned());
            let Ok(params) = Converted::new(&params) else { continue };
            let one = One { judge: self, policy, level: *level, params: params.value() };
            match &policy.on {
                Target::Tenant | Target::Stack => one.node(body, &[], judgement),
                Target::Resources(types) => {
                    for (id, resource) in types.iter().filter_map(|kind| of_type.get(kind.as_str())).flatten()
                    {
                        one.node(*resource, &["Resources", id], judgement);
                    }
                }
                Target::Change => {
                    let entries = member(body, "changes")
                        .and_then(|all| all.downcast_ref::<cel::common::types::CelList>());
                    for (index, entry) in entries.into_iter().flat_map(|list| list.inner().iter().enumerate())
                    {
                        one.node(&**entry, &["changes", &index.to_string()], judgement);
                    }
                }
            }
        }
    }
}

/// One policy on one document.
struct One<'a> {
    judge: &'a Judge<'a>,
    policy: &'a Policy,
    level: Level,
    params: &'a (dyn Val + 'a),
}

impl One<'_> {
    fn node(&self, root: &(dyn Val + '_), before: &[&str], judgement: &mut Judgement) {
        let policy = self.policy;
        let nodes = policy.at.find(root);
        let mut evaluated = 0;
        for found in nodes {
            let path: Vec<String> = before.iter().map(|part| (*part).to_string()).chain(found.path).collect();
            let Some(node) = found.value else {
                if policy.missing == Missing::Finding {
                    evaluated += 1;
                    let mut finding = self.finding(path, root);
                    finding.message = format!("`{}` is missing", finding.property());
                    judgement.findings.push(finding);
                }
                continue;
            };
            evaluated += 1;
            let variables = Variables {
                node,
                tenant: &*self.judge.settings,
                stack: &*self.judge.stack,
                params: self.params,
                names: &self.judge.names,
                is_edge: before.get(1).is_some_and(|id| self.judge.edge.contains(*id)),
            };
            let problem = match policy.assert.holds(&variables) {
                Ok(true) => continue,
                Ok(false) => None,
                Err(reason) => Some(reason),
            };
            let mut finding = self.finding(path, root);
            match problem {
                Some(reason) => {
                    finding.is_error = true;
                    finding.message = format!("the condition cannot be evaluated: {reason}");
                }
                None => match policy.message.text(&variables) {
                    Ok(message) => finding.message = message,
                    Err(reason) => {
                        finding.message = format!("{} (its message fails: {reason})", policy.title)
                    }
                },
            }
            if let (Level::Remediate, Some(new)) = (self.level, &policy.set) {
                finding.remediation =
                    Some(Remediation { old: to_json(node), new: new.clone(), is_applied: false });
            }
            judgement.findings.push(finding);
        }
        if evaluated > 0 {
            *judgement.evaluated.entry(policy.id.clone()).or_default() += evaluated;
        }
    }

    fn finding(&self, path: Vec<String>, root: &(dyn Val + '_)) -> Finding {
        let judge = self.judge;
        let mut finding = finding(self.policy, self.level, judge.stage, judge.document, judge.tenant, path);
        if judge.stage == Stage::Change {
            let id = member(root, "logical_id").and_then(|id| id.downcast_ref::<CelString>());
            finding.resource = id.map(|id| id.inner().to_string());
        }
        finding
    }
}

fn member<'a>(value: &'a (dyn Val + 'a), key: &str) -> Option<&'a (dyn Val + 'a)> {
    value.downcast_ref::<CelMap>().and_then(|map| get(map, key))
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
