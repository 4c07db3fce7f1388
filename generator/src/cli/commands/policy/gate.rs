//! Judges a pending change set, right before it would run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::judging::{Trial, locate_one};
use crate::aws::Boxed;
use crate::cli::context::Context;
use crate::deploy::{Gate, Refusal};
use crate::explain::Explainer;
use crate::plan::{Allowed, Sides, StackChange, change_document};
use crate::policy::{self, Date, Document, Finding, Rules, Stage, Subject, judge};
use crate::render::Templates;
use crate::report::{Event, Sink};
use crate::tenant::Tenant;

/// The rules for changes.
pub(in crate::cli::commands) struct PolicyGate {
    rules: Arc<Rules>,
    tenants: BTreeMap<String, (Tenant, Subject)>,
    /// Word of each stack by its name.
    stacks: BTreeMap<String, &'static str>,
    allowed: Allowed,
    today: Date,
    sink: Arc<dyn Sink>,
    tenants_folder: PathBuf,
    templates_folder: PathBuf,
}

impl PolicyGate {
    /// The gate for tenants that were judged before they were rendered.
    pub(in crate::cli::commands) fn new(context: &Context, trial: &Trial, allowed: Allowed) -> Self {
        let stacks = trial.tenants.iter().flat_map(|judged| &judged.rendered.stacks);
        let tenants = trial.tenants.iter();
        Self {
            rules: trial.rules.clone(),
            stacks: stacks.map(|stack| (stack.name.clone(), stack.id.as_str())).collect(),
            tenants: tenants
                .map(|judged| (judged.tenant.name.clone(), (judged.tenant.clone(), judged.subject.clone())))
                .collect(),
            allowed,
            today: trial.today,
            sink: context.sink.clone(),
            tenants_folder: context.settings.tenants.clone(),
            templates_folder: context.settings.templates.clone(),
        }
    }

    /// What the rules say of a change, each finding with the lines behind it, and the document judged.
    pub(in crate::cli::commands) fn findings(
        &self,
        tenant: &str,
        change: &StackChange,
        sides: &Sides<'_>,
    ) -> Result<(Vec<Finding>, Value), Refusal> {
        let Some((tenant, subject)) = self.tenants.get(tenant) else {
            let reason = format!("tenant `{tenant}` was not judged before");
            return Err(Refusal { reason, help: None, cancelled: false });
        };
        let body = change_document(change, sides, &self.allowed);
        let stack = self.stacks.get(&change.stack).copied();
        let document = Document { stack, name: &change.stack, region: &change.region, body: &body };
        let mut findings = judge(&self.rules, Stage::Change, &document, subject, self.today).findings;
        if findings.is_empty() {
            return Ok((findings, body));
        }
        // Without the lines behind them findings are still findings.
        let templates = Templates::load(&self.templates_folder).ok();
        let explainer = templates.and_then(|all| Explainer::new(&self.tenants_folder, tenant, &all).ok());
        if let Some(explainer) = &explainer {
            for finding in &mut findings {
                locate_one(explainer, finding, &changed(finding, &body));
            }
        }
        Ok((findings, body))
    }

    fn judge(&self, tenant: &str, change: &StackChange, sides: &Sides<'_>) -> Result<(), Refusal> {
        let (findings, body) = self.findings(tenant, change, sides)?;
        let (blocking, rest): (Vec<Finding>, Vec<Finding>) = findings.into_iter().partition(Finding::blocks);
        for finding in &rest {
            self.sink.emit(&Event::Note { tenant: None, message: policy::excerpt(finding) });
        }
        if blocking.is_empty() {
            return Ok(());
        }
        let help = format!("an exemption for this very change set names `digest: {}`", policy::digest(&body));
        Err(Refusal { reason: policy::human(&blocking), help: Some(help), cancelled: false })
    }
}

/// The keys of the first property that the entry behind a finding changes.
fn changed(finding: &Finding, body: &Value) -> Vec<String> {
    let index = finding.path.get(1).and_then(|index| index.parse::<usize>().ok());
    let name = index.and_then(|index| body["changes"][index]["properties"][0]["name"].as_str());
    name.map(|name| name.split('.').map(str::to_string).collect()).unwrap_or_default()
}

impl Gate for PolicyGate {
    fn pass<'a>(
        &'a self,
        tenant: &'a str,
        change: &'a StackChange,
        sides: &'a Sides<'a>,
    ) -> Boxed<'a, Result<(), Refusal>> {
        Box::pin(async move { self.judge(tenant, change, sides) })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::plan::{Action, Replacement, ResourceChange, Side};
    use crate::policy::{load, survey};
    use crate::report::NoSink;
    use crate::tenant;

    const BEFORE: &str = "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      Policies:\n      - PolicyDocument:\n          \
                          Statement:\n          - { Effect: Allow, Action: 's3:GetObject', Resource: 'arn:b/*' }\n";

    fn gate(allowed: Allowed) -> PolicyGate {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project").to_path_buf();
        let names = tenant::list(&root.join("tenants")).expect("tenants");
        let tenants = tenant::load(&root.join("tenants"), "example", &names).expect("tenants");
        let subjects: Vec<Subject> = tenants.iter().map(Subject::of).collect();
        let today = time::macros::date!(2026 - 11 - 22);
        let known = survey("example", &names, &subjects);
        let rules = load(&root.join("policies"), &known, today).unwrap_or_else(|error| panic!("{error}"));
        PolicyGate {
            rules: Arc::new(rules),
            tenants: tenants.into_iter().zip(subjects).map(|(t, s)| (t.name.clone(), (t, s))).collect(),
            stacks: BTreeMap::from([("example-demo-regional".to_string(), "regional")]),
            allowed,
            today,
            sink: Arc::new(NoSink),
            tenants_folder: root.join("tenants"),
            templates_folder: root.join("templates"),
        }
    }

    fn change(kind: &str, action: Action) -> StackChange {
        StackChange {
            stack: "example-demo-regional".into(),
            region: "eu-north-1".into(),
            change_set: "arn:c".into(),
            creates: false,
            resources: vec![ResourceChange {
                logical_id: "Role".into(),
                physical_id: None,
                kind: kind.into(),
                action,
                replacement: Replacement::Never,
                retained: false,
                scope: vec![],
                properties: vec![],
                causes: vec![],
            }],
        }
    }

    async fn passed(gate: &PolicyGate, change: &StackChange, after: &str) -> Result<(), Refusal> {
        let parameters = BTreeMap::new();
        let side = |template| Side { template, parameters: &parameters };
        let sides = Sides { before: Some(side(BEFORE)), after: side(after) };
        gate.pass("demo", change, &sides).await
    }

    #[tokio::test]
    async fn a_wider_role_needs_consent_and_a_narrower_one_none() {
        let wider = BEFORE.replace("'s3:GetObject'", "['s3:GetObject', 's3:PutObject']");
        let modify = change("AWS::IAM::Role", Action::Modify);
        let refusal = passed(&gate(Allowed::default()), &modify, &wider).await.expect_err("wider");
        assert!(
            refusal.reason.contains("CHG005") && refusal.reason.contains("s3:PutObject on arn:b/*"),
            "{refusal}"
        );
        assert!(refusal.help.is_some_and(|help| help.contains("`digest: sha256:")) && !refusal.cancelled);
        let allowed = Allowed { broadening: true, ..Allowed::default() };
        assert_eq!(passed(&gate(allowed), &modify, &wider).await, Ok(()));
        let narrower = BEFORE.replace("arn:b/*", "arn:b/x/*");
        assert_eq!(passed(&gate(Allowed::default()), &modify, &narrower).await, Ok(()));
    }

    #[tokio::test]
    async fn losing_a_secret_needs_its_name() {
        let remove = change("AWS::SecretsManager::Secret", Action::Remove);
        let refusal = passed(&gate(Allowed::default()), &remove, BEFORE).await.expect_err("a loss");
        assert!(refusal.reason.contains("CHG001"), "{refusal}");
        let allowed = Allowed { replace: vec!["Role".into()], ..Allowed::default() };
        assert_eq!(passed(&gate(allowed), &remove, BEFORE).await, Ok(()));
    }

    #[tokio::test]
    async fn without_templates_nothing_is_known_and_nothing_passes() {
        let modify = change("AWS::IAM::Role", Action::Modify);
        let parameters = BTreeMap::new();
        let nothing = Sides { before: None, after: Side { template: "", parameters: &parameters } };
        let refusal = gate(Allowed::default()).pass("demo", &modify, &nothing).await.expect_err("unknown");
        assert!(refusal.reason.contains("cannot be worked out"), "{refusal}");
        let stranger = gate(Allowed::default()).pass("nobody", &modify, &nothing).await.expect_err("unknown");
        assert!(stranger.reason.contains("was not judged"), "{stranger}");
    }
}
