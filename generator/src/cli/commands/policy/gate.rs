//! Judges a pending change set, right before it would run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::judging::{Trial, locate_one};
use crate::aws::Boxed;
use crate::cli::context::Context;
use crate::deploy::{Gate, Refusal};
use crate::explain::Explainer;
use crate::plan::{Allowed, Side, Sides, StackChange, change_document};
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

    fn judge(&self, tenant: &str, change: &StackChange, sides: &Sides<'_>) -> Result<(), Refusal> {
        let refuse = |reason: String, help| Refusal { reason, help, cancelled: false };
        let Some((tenant, subject)) = self.tenants.get(tenant) else {
            return Err(refuse(format!("tenant `{tenant}` was not judged before"), None));
        };
        let body = change_document(change, sides, &self.allowed);
        let stack = self.stacks.get(&change.stack).copied();
        let document = Document { stack, name: &change.stack, region: &change.region, body: &body };
        let mut findings = judge(&self.rules, Stage::Change, &document, subject, self.today).findings;
        if findings.is_empty() {
            return Ok(());
        }
        // Without the lines behind them findings are still findings.
        let templates = Templates::load(&self.templates_folder).ok();
        let explainer = templates.and_then(|all| Explainer::new(&self.tenants_folder, tenant, &all).ok());
        if let Some(explainer) = &explainer {
            findings.iter_mut().for_each(|finding| locate_one(explainer, finding));
        }
        let (blocking, rest): (Vec<Finding>, Vec<Finding>) = findings.into_iter().partition(Finding::blocks);
        for finding in &rest {
            self.sink.emit(&Event::Note { tenant: None, message: policy::excerpt(finding) });
        }
        if blocking.is_empty() {
            return Ok(());
        }
        let help = format!("an exemption for this very change set names `digest: {}`", policy::digest(&body));
        Err(refuse(policy::human(&blocking), Some(help)))
    }
}

impl Gate for PolicyGate {
    fn pass<'a>(&'a self, tenant: &'a str, change: &'a StackChange) -> Boxed<'a, Result<(), Refusal>> {
        Box::pin(async move {
            // Without the templates nothing is known of permissions, and what is not known blocks.
            let parameters = BTreeMap::new();
            let after = Side { template: "", parameters: &parameters };
            self.judge(tenant, change, &Sides { before: None, after })
        })
    }

    fn pass_between<'a>(
        &'a self,
        tenant: &'a str,
        change: &'a StackChange,
        sides: &'a Sides<'a>,
    ) -> Boxed<'a, Result<(), Refusal>> {
        Box::pin(async move { self.judge(tenant, change, sides) })
    }
}
