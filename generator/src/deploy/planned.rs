//! Executing a plan that was kept: its change sets by their ARN and nothing else, or refusing because the world
//! has moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::changes;
use super::error::{DeployError, Doing};
use super::page::Page;
use super::reading::{Reading, read_all};
use super::stack::{StackDeployer, StackOutcome};
use super::tenant::{request, resolve};
use super::unused::Leftover;
use super::watch::{Before, settled};
use super::{
    ArtifactLocations, Context, Gate, Refusal, StackPreview, StackStatus, TenantOutcome, account,
    deploy_tenant,
};
use crate::aws::cloudformation::{ChangeSet, ChangeSetKind, Stack};
use crate::aws::{AwsErrorKind, Boxed, Peers};
use crate::plan::{
    SavedStack, SavedStep, SavedTenant, Side, Sides, StackChange, Standing, digest_of, request_digest, words,
};
use crate::render::{RenderedStack, RenderedTenant, StackId};

/// Outputs of each stack.
type Outputs = BTreeMap<StackId, BTreeMap<String, String>>;

/// What a preview of a stack is in a file; `None` where nothing can be done to the stack as it stands.
#[must_use]
pub fn saved(preview: &StackPreview) -> Option<SavedStack> {
    use super::Preview;
    let request = &preview.request;
    let next = match &preview.next {
        Preview::Unchanged => SavedStep::Unchanged,
        Preview::Changes(change, set) => SavedStep::ChangeSet {
            arn: set.id.clone(),
            stack_id: set.stack_id.clone(),
            creates: change.creates,
        },
        Preview::Expected(change) | Preview::Remake(change) => {
            SavedStep::Deferred { resources: words(change) }
        }
        Preview::Blocked(_) => return None,
    };
    let makes = matches!(next, SavedStep::ChangeSet { creates: true, .. });
    Some(SavedStack {
        stack: preview.id.as_str().to_owned(),
        name: request.stack.clone(),
        region: request.region.clone(),
        template: digest_of([request.template.as_bytes()]),
        request: request_digest(&request.template, &request.parameters, &request.tags),
        // The shell of a new stack is the change set's own.
        stands: preview.stack.as_ref().filter(|_| !makes).map(standing),
        next,
        later: preview.later.clone(),
    })
}

fn standing(stack: &Stack) -> Standing {
    Standing { id: stack.id.clone(), status: stack.status.clone(), changed: stack.updated.or(stack.created) }
}

fn moved(what: String) -> DeployError {
    DeployError::Moved { what }
}

/// Whether everything still is as it was when the plan was made. Reads only.
///
/// # Errors
/// [`DeployError::Moved`] names what is not; others where a call fails.
pub async fn check(
    context: &Context,
    peers: &dyn Peers,
    tenant: &RenderedTenant,
    artifacts: &ArtifactLocations,
    plan: &SavedTenant,
) -> Result<(), DeployError> {
    let pairs = pairs(tenant, plan)?;
    let page = Page::read(context, tenant)?.map(|page| page.digest());
    if page != plan.page {
        return Err(moved("the files of the page are others".into()));
    }
    let names: Vec<_> = pairs.iter().map(|(stack, _)| (stack.name.as_str(), stack.region.as_str())).collect();
    let ((), readings) = tokio::try_join!(
        account::check(context, peers, &plan.tenant, Some(&plan.account)),
        read_all(peers, &names),
    )?;
    let outputs = outputs(&pairs, &readings);
    for ((stack, saved), reading) in pairs.iter().zip(&readings) {
        unmoved(stack, saved, reading)?;
        if let SavedStep::ChangeSet { arn, .. } = &saved.next {
            let parameters = resolve(stack, &outputs, artifacts)?;
            if request_digest(&stack.template, &parameters, &stack.tags) != saved.request {
                return Err(moved(format!("a parameter or tag of stack `{}` has another value", stack.name)));
            }
            ready(peers, saved, arn).await?;
        }
    }
    Ok(())
}

/// Executes the plan of one tenant. What was deferred is deployed when the stacks before it stand, as far as
/// the plan names it. Where an earlier process may have been cut off within, what it has started is waited for, and
/// what it has done is left alone.
///
/// # Errors
/// Where a stack does not get there, or a change would go beyond the plan.
pub async fn execute(
    context: &Context,
    peers: &dyn Peers,
    tenant: &RenderedTenant,
    artifacts: &ArtifactLocations,
    gates: &[Arc<dyn Gate>],
    plan: &SavedTenant,
) -> Result<TenantOutcome, DeployError> {
    let pairs = pairs(tenant, plan)?;
    let mut executed = Vec::new();
    for (place, (stack, saved)) in pairs.iter().enumerate() {
        let SavedStep::ChangeSet { arn, creates, .. } = &saved.next else { continue };
        let cloudformation = peers.cloudformation(&stack.region);
        if context.work.again {
            // An earlier process may have started it.
            settled(context, &*cloudformation, &stack.name).await?;
        }
        // What ran before may have given outputs that the plan did not know.
        let names: Vec<_> = pairs.iter().map(|(s, _)| (s.name.as_str(), s.region.as_str())).collect();
        let readings = read_all(peers, &names).await?;
        let reading = &readings[place];
        if context.work.again && is_executed(saved, reading) {
            context.work.unused.forget(arn);
            continue;
        }
        let request = request(tenant, stack, resolve(stack, &outputs(&pairs, &readings), artifacts)?);
        if request_digest(&request.template, &request.parameters, &request.tags) != saved.request {
            return Err(moved(format!("a stack before `{}` has given it another parameter", stack.name)));
        }
        unmoved(stack, saved, reading)?;
        // Known by the ARN that it is held under.
        let set = ChangeSet { name: arn.clone(), ..ready(peers, saved, arn).await? };
        let change = StackChange::read(&stack.name, &stack.region, *creates, &set)
            .map_err(|source| DeployError::UnknownChange { stack: stack.name.clone(), source })?;
        let nothing = BTreeMap::new();
        let sides = Sides {
            before: (!creates).then(|| Side {
                template: reading.template.as_deref().unwrap_or_default(),
                parameters: reading.stack.as_ref().map_or(&nothing, |stack| &stack.parameters),
            }),
            after: Side { template: &request.template, parameters: &request.parameters },
        };
        for gate in gates {
            gate.pass(&tenant.tenant, &change, &sides)
                .await
                .map_err(|source| DeployError::Gate { stack: stack.name.clone(), source })?;
        }
        let deployer = StackDeployer::new(context, &*cloudformation, gates);
        let start = context.clock.elapsed();
        let before = Before::of(*creates, reading.stack.as_ref());
        executed.push((stack.id, deployer.execute(&request, change, &set, before, start).await?));
    }
    // What the plan does not name stops here; a stack that was executed is as it should be by now.
    let mut within: Vec<Arc<dyn Gate>> = vec![Arc::new(WithinPlan::of(plan))];
    within.extend(gates.iter().cloned());
    let rest = deploy_tenant(context, peers, tenant, artifacts, &within).await?;
    let seen: BTreeSet<StackId> = executed.iter().map(|(id, _): &(StackId, StackOutcome)| *id).collect();
    let mut stacks = executed;
    stacks.extend(rest.stacks.into_iter().filter(|(id, outcome)| outcome.is_changed() || !seen.contains(id)));
    Ok(TenantOutcome { stacks, outputs: rest.outputs, page: rest.page })
}

/// Deletes the change sets of a plan that were not executed, and the empty stacks that they have made.
///
/// # Errors
/// Where a call fails.
pub async fn discard(peers: &dyn Peers, plan: &SavedTenant) -> Result<(), DeployError> {
    for saved in &plan.stacks {
        let SavedStep::ChangeSet { arn, stack_id, creates } = &saved.next else { continue };
        let cloudformation = peers.cloudformation(&saved.region);
        changes::discard_unexecuted(&*cloudformation, &saved.name, arn, stack_id, kind(*creates)).await?;
    }
    Ok(())
}

fn kind(creates: bool) -> ChangeSetKind {
    if creates { ChangeSetKind::Create } else { ChangeSetKind::Update }
}

/// From now on the change sets of a plan are deleted where they are not executed, however the process ends.
pub fn hold(context: &Context, plan: &SavedTenant) {
    for saved in &plan.stacks {
        let SavedStep::ChangeSet { arn, creates, .. } = &saved.next else { continue };
        let (region, stack) = (saved.region.clone(), saved.name.clone());
        context.work.unused.note(arn, Leftover { region, stack, kind: kind(*creates) });
    }
}

/// Each stack of the tenant with what the plan says of it.
fn pairs<'a>(
    tenant: &'a RenderedTenant,
    plan: &'a SavedTenant,
) -> Result<Vec<(&'a RenderedStack, &'a SavedStack)>, DeployError> {
    let of = |stack: &'a RenderedStack| {
        let found = plan.stacks.iter().find(|saved| saved.name == stack.name && saved.region == stack.region);
        found
            .filter(|saved| saved.template == digest_of([stack.template.as_bytes()]))
            .map(|saved| (stack, saved))
            .ok_or_else(|| moved(format!("the rendered template of stack `{}` is another", stack.name)))
    };
    tenant.stacks.iter().map(of).collect()
}

/// Whether a stack has come to what was planned since the plan was made. Its parameters may be newer by then, where a
/// later stack has given it an output.
fn is_executed(saved: &SavedStack, reading: &Reading) -> bool {
    let (Some(stack), Some(template)) = (&reading.stack, &reading.template) else { return false };
    stack.status.parse().is_ok_and(StackStatus::is_success)
        && saved.template == digest_of([template.as_bytes()])
        && saved.stands.as_ref() != Some(&standing(stack))
}

fn outputs(pairs: &[(&RenderedStack, &SavedStack)], readings: &[Reading]) -> Outputs {
    let known = pairs.iter().zip(readings);
    known
        .filter_map(|((stack, _), reading)| Some((stack.id, reading.stack.as_ref()?.outputs.clone())))
        .collect()
}

fn unmoved(stack: &RenderedStack, saved: &SavedStack, reading: &Reading) -> Result<(), DeployError> {
    let stands = reading.stack.as_ref().map(standing);
    let name = &stack.name;
    match (&saved.stands, &saved.next, stands) {
        (None, SavedStep::ChangeSet { stack_id, creates: true, .. }, Some(stands)) => {
            if stands.id == *stack_id && stands.status == "REVIEW_IN_PROGRESS" {
                return Ok(());
            }
            Err(moved(format!("stack `{name}` was made meanwhile")))
        }
        (None, _, None) => Ok(()),
        (Some(then), _, Some(now)) if *then == now => Ok(()),
        (None, _, Some(_)) => Err(moved(format!("stack `{name}` was made meanwhile"))),
        (Some(_), _, None) => Err(moved(format!("stack `{name}` is gone"))),
        (Some(_), _, Some(now)) => {
            Err(moved(format!("stack `{name}` was changed meanwhile, and is in `{}`", now.status)))
        }
    }
}

/// The change set, where it can be executed.
async fn ready(peers: &dyn Peers, saved: &SavedStack, arn: &str) -> Result<ChangeSet, DeployError> {
    let cloudformation = peers.cloudformation(&saved.region);
    let name = &saved.name;
    match cloudformation.change_set(name, arn).await {
        Ok(set) if set.status == "CREATE_COMPLETE" && set.execution == "AVAILABLE" => Ok(set),
        Ok(set) => Err(moved(format!(
            "the change set of stack `{name}` cannot be executed any more: `{}`, `{}`",
            set.status, set.execution
        ))),
        Err(error) if error.kind == AwsErrorKind::NotFound => {
            Err(moved(format!("the change set of stack `{name}` is gone")))
        }
        Err(error) => Err(error).doing(|| format!("reading the change set of stack `{name}`")),
    }
}

/// Lets pass what a plan names, and nothing else.
struct WithinPlan(BTreeMap<String, BTreeMap<String, Option<String>>>);

impl WithinPlan {
    fn of(plan: &SavedTenant) -> Self {
        let resources = |saved: &SavedStack| {
            let mut named: BTreeMap<String, Option<String>> =
                saved.later.iter().map(|name| (name.clone(), None)).collect();
            if let SavedStep::Deferred { resources } = &saved.next {
                named.extend(resources.iter().map(|(name, word)| (name.clone(), Some(word.clone()))));
            }
            named
        };
        Self(plan.stacks.iter().map(|saved| (saved.name.clone(), resources(saved))).collect())
    }
}

/// Whether this is a change of what is there. Where the service decides only while executing whether it replaces
/// something, what holds data has a guard of its own.
fn is_a_change(word: &str) -> bool {
    matches!(word, "modify" | "may-replace")
}

impl Gate for WithinPlan {
    fn pass<'a>(
        &'a self,
        _: &'a str,
        change: &'a StackChange,
        _: &'a Sides<'a>,
    ) -> Boxed<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let named = self.0.get(&change.stack);
            for resource in &change.resources {
                let word = resource.verb();
                let is_named = match named.and_then(|named| named.get(&resource.logical_id)) {
                    // What is made by a deferred step may be changed once more by a later one.
                    Some(Some(planned)) => planned == word || (planned == "add" && is_a_change(word)),
                    Some(None) => is_a_change(word),
                    None => false,
                };
                if !is_named {
                    let reason = format!(
                        "`{}` of stack `{}` ({word}) is not in the plan",
                        resource.logical_id, change.stack
                    );
                    let help = Some("look at a new plan: `generator plan --out FILE`".into());
                    return Err(Refusal { reason, help, cancelled: false });
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cloudformation::RawChange;

    fn plan(next: SavedStep, later: &[&str]) -> SavedTenant {
        let later = later.iter().map(|name| (*name).to_string()).collect();
        let text = String::new;
        let (stack, name, region) = ("edge".to_string(), "s".to_string(), "r".to_string());
        let saved =
            SavedStack { stack, name, region, template: text(), request: text(), stands: None, next, later };
        SavedTenant {
            tenant: "demo".into(),
            account: "1".into(),
            role_arn: None,
            files: text(),
            stacks: vec![saved],
            page: None,
        }
    }

    async fn passes(plan: &SavedTenant, action: &str, replacement: Option<&str>) -> bool {
        let raw = RawChange {
            logical_id: "R".into(),
            action: action.into(),
            replacement: replacement.map(str::to_string),
            ..RawChange::default()
        };
        let set = ChangeSet { changes: vec![raw], ..ChangeSet::default() };
        let change = StackChange::read("s", "r", false, &set).expect("a change");
        let none = BTreeMap::new();
        let sides = Sides { before: None, after: Side { template: "", parameters: &none } };
        WithinPlan::of(plan).pass("demo", &change, &sides).await.is_ok()
    }

    #[tokio::test]
    async fn only_what_a_plan_names_goes_on() {
        let resources = BTreeMap::from([("R".to_string(), "add".to_string())]);
        let deferred = plan(SavedStep::Deferred { resources }, &[]);
        assert!(passes(&deferred, "Add", None).await);
        assert!(passes(&deferred, "Modify", None).await);
        assert!(passes(&deferred, "Modify", Some("Conditional")).await);
        assert!(!passes(&deferred, "Modify", Some("True")).await);
        assert!(!passes(&deferred, "Remove", None).await);
        let later = plan(SavedStep::Unchanged, &["R"]);
        assert!(passes(&later, "Modify", None).await);
        assert!(passes(&later, "Modify", Some("Conditional")).await);
        assert!(!passes(&later, "Modify", Some("True")).await);
        assert!(!passes(&later, "Add", None).await);
        assert!(!passes(&plan(SavedStep::Unchanged, &[]), "Modify", None).await);
    }

    #[test]
    fn what_an_earlier_process_has_executed_is_known_by_the_stack() {
        let made = |status: &str, updated| Stack { status: status.into(), updated, ..Stack::default() };
        let reading = |stack: &Stack, template: &str| Reading {
            stack: Some(stack.clone()),
            template: Some(template.to_owned()),
        };
        let before = made("UPDATE_COMPLETE", Some(1));
        let saved = &SavedStack {
            template: digest_of([&b"T"[..]]),
            stands: Some(standing(&before)),
            ..plan(SavedStep::Unchanged, &[]).stacks.remove(0)
        };
        let after = made("UPDATE_COMPLETE", Some(2));
        assert!(is_executed(saved, &reading(&after, "T")));
        assert!(!is_executed(saved, &reading(&after, "somebody else's")));
        assert!(!is_executed(saved, &reading(&before, "T")), "nothing has begun");
        assert!(!is_executed(saved, &reading(&made("UPDATE_ROLLBACK_COMPLETE", Some(2)), "T")));
        assert!(!is_executed(saved, &Reading::default()));
    }
}
