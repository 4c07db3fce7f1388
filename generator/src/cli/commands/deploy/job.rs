//! Deploying a tenant, as a job of a run.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::artifacts::Place;
use super::super::fleet::{kind_of, no_file};
use super::super::policy::Judged;
use super::super::recording;
use super::super::verify::{self, SignIn};
use crate::aws::Boxed;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::deploy::record::{Record, Recorded};
use crate::deploy::{Gate, StackOutcome, TenantOutcome, deploy_tenant, planned};
use crate::fleet::{Attempt, Job, JobEnd, Outcome};
use crate::plan::SavedTenant;
use crate::render::RenderedTenant;
use crate::verify::Verification;

/// Deploying, as a job of a run.
pub(super) struct DeployJob {
    pub(super) context: Context,
    pub(super) tenants: HashMap<String, Target>,
    pub(super) gates: Arc<[Arc<dyn Gate>]>,
    /// Whether each tenant is verified after it.
    pub(super) verifies: bool,
}

/// A tenant, and where it goes.
pub(super) struct Target {
    pub(super) rendered: RenderedTenant,
    /// All layers of its settings together.
    pub(super) settings: Value,
    pub(super) place: Place,
    /// What is planned for it, where nothing else may be done.
    pub(super) plan: Option<SavedTenant>,
}

impl From<(&Judged, Place)> for Target {
    fn from((judged, place): (&Judged, Place)) -> Self {
        let (rendered, settings) = (judged.rendered.clone(), judged.subject.settings().clone());
        Self { rendered, settings, place, plan: None }
    }
}

impl Job for DeployJob {
    fn run<'a>(&'a self, tenant: &'a str, attempt: Attempt<'a>) -> Boxed<'a, JobEnd> {
        Box::pin(async move {
            let Some(Target { rendered, settings, place, plan }) = self.tenants.get(tenant) else {
                return no_file(tenant);
            };
            let found = recording::found(place, tenant).await;
            let mut work = place.engine.work.beside(mark(attempt.run), attempt.number > 1);
            work.recorded = found.as_ref().and_then(|found| match &found.recorded {
                Recorded::Known(record) => Some(Arc::clone(record)),
                Recorded::Nothing | Recorded::Unreadable(_) => None,
            });
            let engine = place.engine.with(work.clone());
            let (cloud, locations) = (&place.cloud, &place.locations);
            let ended = match plan {
                Some(plan) => planned::execute(&engine, cloud, rendered, locations, &self.gates, plan).await,
                None => deploy_tenant(&engine, cloud, rendered, locations, &self.gates).await,
            };
            let (outcome, detail) = match ended {
                Ok(outcome) => {
                    let record = Record::of(rendered, settings, &outcome);
                    recording::record(&self.context, place, &record, found).await;
                    self.finish(rendered, place, &outcome).await
                }
                Err(error) => (failed(error.into()), json!({ "account": place.account })),
            };
            JobEnd { outcome, detail, waiting: work.waited() }
        })
    }
}

impl DeployJob {
    async fn finish(
        &self,
        rendered: &RenderedTenant,
        place: &Place,
        outcome: &TenantOutcome,
    ) -> (Outcome, Value) {
        let outputs: BTreeMap<String, String> = outcome.outputs.values().flat_map(Clone::clone).collect();
        let mut detail = json!({
            "account": place.account,
            "changed": outcome.is_changed(),
            "stacks": stacks(rendered, outcome),
            "outputs": outputs,
        });
        if let Some(page) = &outcome.page {
            detail["page"] = json!(page);
        }
        if self.verifies {
            let verified =
                verify::one(&self.context, &place.cloud, rendered, &outputs, &SignIn::TestUser).await;
            let verification = match verified {
                Ok(verification) => verification,
                Err(failure) => return (failed(failure), detail),
            };
            detail["verification"] = json!(verification);
            if let Some(failure) = refused(&verification) {
                return (failed(failure), detail);
            }
        }
        (Outcome::Done { summary: summary(outcome) }, detail)
    }
}

fn failed(failure: Failure) -> Outcome {
    Outcome::Failed { kind: kind_of(failure.exit), message: failure.message, help: failure.help }
}

/// The failure of a tenant that was deployed and does not behave as it should.
fn refused(verification: &Verification) -> Option<Failure> {
    if verification.passed() {
        return None;
    }
    let wrong = verification.checks.iter().filter(|check| !check.passed);
    let details: Vec<_> = wrong.map(|check| format!("\n  FAILED  {}", check.detail)).collect();
    let message = format!("it is deployed, but does not behave as it should:{}", details.concat());
    Some(Failure::new(Exit::Failure, message).help("look at the function's log, then run `generator verify`"))
}

fn stacks(rendered: &RenderedTenant, outcome: &TenantOutcome) -> Value {
    let row = |(id, outcome): &(_, StackOutcome)| {
        let stack = rendered.stack(*id)?;
        let (what, resources) = match outcome {
            StackOutcome::Unchanged(_) => ("unchanged", 0),
            StackOutcome::Created(done) => ("created", done.change.resources.len()),
            StackOutcome::Updated(done) => ("updated", done.change.resources.len()),
        };
        Some(json!({ "stack": stack.name, "region": stack.region, "what": what, "resources": resources }))
    };
    outcome.stacks.iter().filter_map(row).collect()
}

fn summary(outcome: &TenantOutcome) -> String {
    let count = |which: fn(&StackOutcome) -> bool| {
        outcome.stacks.iter().filter(|(_, outcome)| which(outcome)).count()
    };
    let created = count(|outcome| matches!(outcome, StackOutcome::Created(_)));
    let updated = count(|outcome| matches!(outcome, StackOutcome::Updated(_)));
    let stacks = |count: usize, done: &str| match count {
        1 => format!("1 stack {done}"),
        count => format!("{count} stacks {done}"),
    };
    let page = outcome.page.as_ref().filter(|page| page.is_change());
    let page = page.map(|page| format!("{} of the page", page.words()));
    match (created, updated) {
        (0, 0) if page.is_some() => page.unwrap_or_default(),
        (0, 0) => "no changes".to_owned(),
        (0, updated) => stacks(updated, "updated"),
        (created, 0) => stacks(created, "created"),
        (created, updated) => format!("{}, {updated} updated", stacks(created, "created")),
    }
}

/// Short name of a run, for the names of its change sets.
fn mark(run: &str) -> String {
    hex::encode(&Sha256::digest(run)[..4])
}
