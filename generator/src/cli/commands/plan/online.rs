//! Against what stands: the service works the changes out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::file;
use super::judged::{blank, of_change};
use crate::cli::args::{ExecutionArgs, PlanArgs};
use crate::cli::commands::artifacts::{self, Laying, Place, places};
use crate::cli::commands::policy::{PolicyGate, Trial};
use crate::cli::commands::support::connect;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, chain};
use crate::cli::interrupt::Said;
use crate::deploy::{Check, DeployError, Preview, StackPreview, TenantPreview, key_room, preview_tenant};
use crate::fleet::Stopper;
use crate::package::PackedArtifact;
use crate::plan::{Material, Outcome, Source, StackChange, StackPlan, TenantPlan};
use crate::render::{RenderedTenant, StackId};
use crate::report::Event;

/// Tenants asked about at a time.
const AT_ONCE: usize = 8;

pub(super) async fn plans(
    context: &Context,
    args: &PlanArgs,
    trial: &Trial,
    policies: &PolicyGate,
) -> Result<Vec<TenantPlan>, Failure> {
    let rendered = trial.rendered();
    if rendered.is_empty() {
        return Ok(Vec::new());
    }
    let packed = context.step("packing the runtimes", artifacts::pack(context)).await?;
    let cloud = connect(context).await?;
    let execution = ExecutionArgs { change: args.change.clone(), ..ExecutionArgs::default() };
    let laying = Laying { execution: &execution, zips: false };
    let places = places(context, laying, &cloud, &rendered, &packed).await?;
    let stopper = context.interrupts.graceful(Said::of_a_look());
    let keep = args.out.is_some();
    let asked = all(&rendered, &places, keep, &stopper);
    let previews = context.step("working out the changes", asked).await?;
    if stopper.is_asked() {
        context.interrupts.clean_up(&*context.sink).await;
        return Err(Failure::new(Exit::Cancelled, "stopped; nothing was changed and no change set is left"));
    }
    if let Some(path) = &args.out {
        let written = file::saved(context, &rendered, &places, &previews)
            .and_then(|plan| file::write(&context.settings.here.join(path), &plan));
        // Whoever ends with a failure leaves no change set.
        written?;
    }
    let (mut looked, mut warned) = (BTreeMap::new(), BTreeSet::new());
    let mut plans = Vec::with_capacity(rendered.len());
    for ((judged, place), preview) in trial.tenants.iter().zip(&places).zip(&previews) {
        let mut plan = blank(judged);
        plan.account = Some(place.account.clone());
        let new = new_edges(&places, &previews, &place.account);
        let place_checks = place_checks(&mut looked, place, &packed, new).await;
        match preview {
            Some(Ok(preview)) => {
                for stack in &preview.stacks {
                    plan.stacks.push(one(policies, &plan.tenant, stack, keep)?);
                }
                plan.page.clone_from(&preview.page);
                take_in(&mut plan, preview.checks.iter().chain(&place_checks));
                let warnings = preview.checks.iter().chain(&place_checks).filter_map(Check::warning);
                // What is said of an account is said once.
                for message in warnings.map(str::to_owned).filter(|message| warned.insert(message.clone())) {
                    let tenant = Some(plan.tenant.clone());
                    context.sink.emit(&Event::Warning { tenant, message, help: None });
                }
            }
            Some(Err(error)) => plan.error = Some(chain(error)),
            None => plan.error = Some("it was not asked about".into()),
        }
        plans.push(plan);
    }
    Ok(plans)
}

/// What was looked at in an account, once for all of its tenants.
async fn place_checks(
    looked: &mut BTreeMap<String, Vec<Check>>,
    place: &Place,
    packed: &[PackedArtifact],
    new: usize,
) -> Vec<Check> {
    if let Some(known) = looked.get(&place.account) {
        return known.clone();
    }
    let mut found = place.bucket.checks(&artifacts::files(packed)).await;
    let counts = place.cloud.cloudfront().key_counts().await;
    found.push(key_room(&place.account, counts, new));
    looked.insert(place.account.clone(), found.clone());
    found
}

/// Number of edge stacks that an account would get anew: each brings a key group of its own.
fn new_edges(places: &[Place], previews: &Previews, account: &str) -> usize {
    let here = places.iter().zip(previews).filter(|(place, _)| place.account == account);
    let stacks = here.filter_map(|(_, preview)| preview.as_ref()?.as_ref().ok()).flat_map(|one| &one.stacks);
    stacks.filter(|stack| stack.id == StackId::Edge && stack.creates()).count()
}

fn take_in<'a>(plan: &mut TenantPlan, checks: impl Iterator<Item = &'a Check>) {
    for check in checks {
        plan.checks.push(json!(check));
        if let Some((reason, help)) = check.failure() {
            plan.hindrances.push(format!("{reason}; {help}"));
        }
    }
}

/// What became of each tenant; `None` where the run was stopped before it.
type Previews = Vec<Option<Result<TenantPreview, DeployError>>>;

async fn all(
    rendered: &[RenderedTenant],
    places: &[Place],
    keep: bool,
    stopper: &Stopper,
) -> Result<Previews, Failure> {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (index, (tenant, place)) in rendered.iter().cloned().zip(places.iter().cloned()).enumerate() {
        let (permits, stopper) = (permits.clone(), stopper.clone());
        running.spawn(async move {
            let _permit = permits.acquire().await;
            if stopper.is_asked() {
                return (index, None);
            }
            let asked = preview_tenant(&place.engine, &place.cloud, &tenant, &place.locations, keep).await;
            (index, Some(asked))
        });
    }
    let mut ended: BTreeMap<usize, _> = BTreeMap::new();
    while let Some(joined) = running.join_next().await {
        let (index, result) = joined.map_err(|error| Failure::new(Exit::Bug, error.to_string()))?;
        ended.insert(index, result);
    }
    Ok(ended.into_values().collect())
}

fn one(
    policies: &PolicyGate,
    tenant: &str,
    preview: &StackPreview,
    keep: bool,
) -> Result<StackPlan, Failure> {
    let (id, request) = (preview.id.as_str(), &preview.request);
    let bare = |outcome| StackPlan::bare(id, &request.stack, &request.region, outcome);
    let (change, source): (&StackChange, _) = match &preview.next {
        Preview::Unchanged => return Ok(bare(Outcome::Unchanged)),
        Preview::Blocked(reason) => {
            let mut plan = bare(Outcome::Blocked);
            plan.notes.push(format!("stack `{}`: {reason}", request.stack));
            return Ok(plan);
        }
        Preview::Changes(change, _) => (change, Source::Service),
        Preview::Expected(change) | Preview::Remake(change) => (change, Source::Templates),
    };
    let nothing = BTreeMap::new();
    let sides = preview.sides(&nothing);
    let tags = preview.stack.as_ref().filter(|_| !change.creates).map(|stack| (&stack.tags, &request.tags));
    let mut plan = StackPlan::of(&Material { stack: id, change, sides, tags, source, values_known: true });
    if matches!(preview.next, Preview::Remake(_)) {
        plan.outcome = Outcome::Remake;
    }
    plan.findings = of_change(policies, tenant, change, &sides)
        .map_err(|refusal| Failure::new(Exit::Policy, refusal.reason))?;
    plan.later.clone_from(&preview.later);
    plan.notes.extend(preview.notes.iter().cloned());
    if let (Preview::Changes(_, set), true) = (&preview.next, keep) {
        plan.change_set = Some(set.id.clone());
    }
    Ok(plan)
}
