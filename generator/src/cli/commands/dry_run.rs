//! `generator deploy --dry-run`: the changes, worked out by the service and not executed.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::artifacts::Place;
use super::policy::PolicyGate;
use super::support::table;
use crate::aws::Boxed;
use crate::cli::args::ExecutionArgs;
use crate::cli::context::Answer;
use crate::cli::failure::Failure;
use crate::deploy::{DeployError, Gate, Refusal, deploy_tenant};
use crate::plan::{self, Action, Replacement, ResourceChange, Sides, StackChange};
use crate::render::RenderedTenant;

/// What would be deployed, and where.
pub(super) struct DryRun {
    rendered: Vec<RenderedTenant>,
    places: Vec<Place>,
    policies: Arc<PolicyGate>,
}

/// Lets nothing pass, and keeps what was about to, with what policies say of it.
struct Keep {
    changes: Mutex<Vec<(StackChange, Option<Refusal>)>>,
    policies: Arc<PolicyGate>,
}

impl Keep {
    fn keep(&self, change: &StackChange, refusal: Option<Refusal>) -> Refusal {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.push((change.clone(), refusal));
        Refusal { reason: "this is a dry run".into(), help: None, cancelled: true }
    }
}

impl Gate for Keep {
    fn pass<'a>(
        &'a self,
        tenant: &'a str,
        change: &'a StackChange,
        sides: &'a Sides<'a>,
    ) -> Boxed<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let refusal = self.policies.pass(tenant, change, sides).await.err();
            Err(self.keep(change, refusal))
        })
    }
}

impl DryRun {
    pub(super) fn new(rendered: Vec<RenderedTenant>, places: Vec<Place>, policies: Arc<PolicyGate>) -> Self {
        Self { rendered, places, policies }
    }

    /// Works out the changes of each tenant up to the first stack that has any: what lies behind it takes
    /// outputs that only exist once that stack is changed.
    pub(super) async fn run(self, args: &ExecutionArgs) -> Result<Answer, Failure> {
        let (mut human, mut json) = (String::new(), Vec::new());
        for (tenant, place) in self.rendered.iter().zip(&self.places) {
            let keep = Arc::new(Keep { changes: Mutex::default(), policies: self.policies.clone() });
            let gates = [keep.clone() as Arc<dyn Gate>];
            let ended = deploy_tenant(&place.engine, &place.cloud, tenant, &place.locations, &gates).await;
            match ended {
                Ok(_) | Err(DeployError::Gate { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            let changes = keep.changes.lock().unwrap_or_else(PoisonError::into_inner).clone();
            human.push_str(&format!("{} in account {}\n", tenant.tenant, place.account));
            match changes.first() {
                None => human.push_str("  no changes\n"),
                Some((change, refusal)) => human.push_str(&shown(change, refusal.as_ref(), args)),
            }
            json.push(json!({
                "tenant": tenant.tenant,
                "account": place.account,
                "changes": changes.iter().map(|(change, refusal)| change_json(change, refusal.as_ref())).collect::<Vec<_>>(),
            }));
        }
        human.push_str("nothing was changed\n");
        Ok(Answer::new(human, Value::Array(json)))
    }
}

fn shown(change: &StackChange, refusal: Option<&Refusal>, args: &ExecutionArgs) -> String {
    let verb = if change.creates { "would be created" } else { "would be changed" };
    let rows: Vec<_> = change
        .resources
        .iter()
        .map(|resource| [action(resource).to_string(), resource.logical_id.clone(), resource.kind.clone()])
        .collect();
    let mut text = format!("  stack {} in {} {verb}\n{}", change.stack, change.region, table(&rows));
    if let Err(refusal) = plan::guard(change, &args.allow_replace) {
        text.push_str(&format!("  refused without consent: {refusal}\n"));
    }
    if let Some(refusal) = refusal {
        text.push_str(&format!("{}\n", refusal.reason));
        text.extend(refusal.help.iter().map(|help| format!("help: {help}\n")));
    }
    text.push_str("  stacks behind it are worked out once it stands\n");
    text
}

fn action(resource: &ResourceChange) -> &'static str {
    match (resource.action, resource.replacement) {
        (Action::Add, _) => "add",
        (Action::Modify, Replacement::Never) => "modify",
        (Action::Modify, Replacement::Conditional) => "modify or replace",
        (Action::Modify, Replacement::Always) => "replace",
        (Action::Remove, _) => "remove",
        (Action::Import, _) => "import",
        (Action::Dynamic, _) => "decided while executing",
        (Action::Sync, _) => "sync",
    }
}

fn change_json(change: &StackChange, refusal: Option<&Refusal>) -> Value {
    let resources: Vec<_> = change
        .resources
        .iter()
        .map(|resource| {
            json!({
                "logical_id": resource.logical_id,
                "type": resource.kind,
                "action": action(resource),
                "causes": resource.causes,
            })
        })
        .collect();
    json!({
        "stack": change.stack,
        "region": change.region,
        "creates": change.creates,
        "resources": resources,
        "policies_refuse": refusal.map(|refusal| &refusal.reason),
    })
}
