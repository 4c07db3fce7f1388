//! Taking a tenant down: the edge stack, the regional stack, then what outlives them.
//!
//! Every run goes on from what stands, so a run that was stopped, or had to leave something, is simply
//! repeated. Nothing is called done while something remains.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::names::Names;

use super::error::{DeployError, Doing};
use super::remove::delete_stack;
use super::watch::settled;
use super::{Context, StackStatus, account, detach, leavings, page, retained};
use crate::aws::Peers;
use crate::report::Event;

/// What is to be taken down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestroyRequest {
    /// Tenant.
    pub tenant: String,
    /// The only account that the tenant may be in, where its file names one.
    pub account: Option<String>,
    /// `(name, region)` of its stacks in the order of deletion: the edge first, since it uses the other.
    pub stacks: Vec<(String, String)>,
    /// What its templates retain.
    pub retained: Vec<Retained>,
    /// Logical ids of the retained resources that may be deleted with all they hold.
    pub delete_data: Vec<String>,
    /// The tenant's page, where its file has one; the stacks' own word, while there is one, goes before.
    pub page: Option<PagePlace>,
    /// Names of the public keys that the rotator has made: whatever of them the stack leaves is deleted.
    pub keys: Option<Names>,
    /// `(name, region)` of log groups that functions make by themselves, and no stack has.
    pub log_groups: Vec<(String, String)>,
    /// How long to keep asking for what goes by itself.
    pub patience: Duration,
}

/// Where the files of a page lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagePlace {
    /// Path that everybody may read; begins and ends with `/`.
    pub path: String,
    /// Bucket.
    pub bucket: String,
}

/// Pause between two times that a function is asked to go.
const AGAIN: Duration = Duration::from_secs(300);

/// A resource that its template retains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// Name in the template.
    pub logical_id: String,
    /// What it is.
    pub kind: RetainedKind,
    /// Its fixed name. The stack's own word for it, while there is one, goes before.
    pub name: String,
    /// Region.
    pub region: String,
}

/// Kinds of resources that templates retain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetainedKind {
    /// Holds files: deleted only with consent.
    Bucket,
    /// Holds users: deleted only with consent.
    UserPool,
    /// The edge function: holds nothing, deleted as soon as AWS allows.
    Function,
}

impl RetainedKind {
    /// CloudFormation's type.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "AWS::S3::Bucket",
            Self::UserPool => "AWS::Cognito::UserPool",
            Self::Function => "AWS::Lambda::Function",
        }
    }
}

/// Something that a tenant has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// CloudFormation's type.
    pub kind: String,
    /// Name or id.
    pub name: String,
    /// Region.
    pub region: String,
}

/// Something that stays on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What.
    pub thing: Thing,
    /// How it would be removed.
    pub help: String,
}

/// Something that should be gone and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remaining {
    /// What.
    pub thing: Thing,
    /// Why.
    pub reason: String,
    /// What to do.
    pub help: String,
}

/// What has become of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destroyed {
    Removed(Thing),
    Kept(Kept),
    Remaining(Remaining),
}

/// How taking a tenant down has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestroyOutcome {
    /// What this run has removed.
    pub removed: Vec<Thing>,
    /// What stays on purpose.
    pub kept: Vec<Kept>,
    /// What should be gone and is not. While this has entries the work is not done.
    pub remaining: Vec<Remaining>,
}

impl DestroyOutcome {
    /// Whether everything is gone but what stays on purpose.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.remaining.is_empty()
    }

    fn add(&mut self, end: Destroyed) {
        match end {
            Destroyed::Removed(thing) => self.removed.push(thing),
            Destroyed::Kept(kept) => self.kept.push(kept),
            Destroyed::Remaining(left) => self.remaining.push(left),
        }
    }
}

impl Retained {
    pub(super) fn thing(&self, name: &str) -> Thing {
        Thing { kind: self.kind.as_str().into(), name: name.into(), region: self.region.clone() }
    }
}

/// Takes a tenant down as far as it goes.
///
/// # Errors
/// Where a call fails, a wait ends, or CloudFormation shows something unknown. A stack that cannot be
/// deleted is no error but remains in the outcome, and so does what depends on it.
pub async fn destroy(
    context: &Context,
    peers: &dyn Peers,
    request: &DestroyRequest,
) -> Result<DestroyOutcome, DeployError> {
    account::check(context, peers, &request.tenant, request.account.as_deref()).await?;
    let mut outcome = DestroyOutcome::default();
    let mut retained = request.retained.clone();
    let mut outputs = BTreeMap::new();
    for (place, (name, region)) in request.stacks.iter().enumerate() {
        let end = take_down(context, peers, request, name, region, &mut retained, &mut outputs).await?;
        let stuck = matches!(end, Some(Destroyed::Remaining(_)));
        if let Some(end) = end {
            outcome.add(end);
        }
        if stuck {
            for (name, region) in &request.stacks[place + 1..] {
                if let Some(left) = untouched(peers, &request.tenant, name, region).await? {
                    let left = Destroyed::Remaining(left);
                    retained::tell(context, &request.tenant, &left);
                    outcome.add(left);
                }
            }
            // What the stacks retain is still part of them.
            return Ok(outcome);
        }
    }
    // While its edge stands the page is still open, so its files go after it, and before the bucket.
    let bucket = retained.iter().find(|resource| resource.kind == RetainedKind::Bucket);
    let goes = |name: &str| {
        bucket.is_some_and(|own| own.name == name && request.delete_data.contains(&own.logical_id))
    };
    let page = page::leftover(&outputs, request.page.as_ref()).filter(|page| !goes(&page.bucket));
    if let (Some(bucket), Some(page)) = (bucket, page)
        && let Some(end) = page::retire(peers, &request.tenant, &bucket.region, &page).await
    {
        retained::tell(context, &request.tenant, &end);
        outcome.add(end);
    }
    for resource in &retained {
        let delete = request.delete_data.contains(&resource.logical_id);
        let end = retire(context, peers, request, resource, delete).await?;
        if let Some(end) = end {
            retained::tell(context, &request.tenant, &end);
            outcome.add(end);
        }
    }
    // Replicas that are left still write, and would make their groups again.
    let functions_left =
        outcome.remaining.iter().any(|left| left.thing.kind == RetainedKind::Function.as_str());
    for end in leavings::remove(peers, request, !functions_left).await? {
        retained::tell(context, &request.tenant, &end);
        outcome.add(end);
    }
    Ok(outcome)
}

/// What has become of one retained resource. A function with replicas is asked again as long as there is patience.
async fn retire(
    context: &Context,
    peers: &dyn Peers,
    request: &DestroyRequest,
    resource: &Retained,
    delete: bool,
) -> Result<Option<Destroyed>, DeployError> {
    let start = context.clock.elapsed();
    loop {
        let end = retained::retire(peers, &request.tenant, resource, delete).await?;
        let waits = resource.kind == RetainedKind::Function && matches!(end, Some(Destroyed::Remaining(_)));
        let left = request.patience.saturating_sub(context.clock.elapsed().saturating_sub(start));
        if !waits || left.is_zero() {
            return Ok(end);
        }
        context.wait(AGAIN.min(left)).await;
    }
}

/// Deletes one stack, having noted what it calls the retained resources; `None`: there is none.
async fn take_down(
    context: &Context,
    peers: &dyn Peers,
    request: &DestroyRequest,
    name: &str,
    region: &str,
    retained: &mut [Retained],
    outputs: &mut BTreeMap<String, String>,
) -> Result<Option<Destroyed>, DeployError> {
    let cloudformation = peers.cloudformation(region);
    let doing = || format!("reading stack `{name}` in `{region}`");
    let Some(mut stack) = cloudformation.stack(name).await.doing(doing)? else { return Ok(None) };
    let status = |word: &str| {
        word.parse::<StackStatus>()
            .map_err(|source| DeployError::UnknownStatus { stack: name.to_owned(), source })
    };
    if status(&stack.status)?.is_busy() {
        let (tenant, busy) = (request.tenant.clone(), name.to_owned());
        context.emit(&Event::StackBusy { tenant, stack: busy, status: stack.status.clone() });
        match settled(context, &*cloudformation, name).await? {
            None => return Ok(None),
            Some(found) => stack = found,
        }
    }
    if status(&stack.status)? == StackStatus::DeleteComplete {
        return Ok(None);
    }
    outputs.extend(stack.outputs.clone());
    let resources = cloudformation
        .resources(&stack.id)
        .await
        .doing(|| format!("listing the resources of stack `{name}`"))?;
    for resource in retained.iter_mut().filter(|resource| resource.region == region) {
        let same = resources
            .iter()
            .find(|found| found.logical_id == resource.logical_id && found.kind == resource.kind.as_str());
        if let Some(id) = same.and_then(|found| found.physical_id.as_ref()) {
            resource.name.clone_from(id);
        }
    }
    let distribution = resources.iter().find(|found| found.kind == detach::DISTRIBUTION);
    if let Some(id) = distribution.and_then(|found| found.physical_id.as_deref()) {
        detach::detach(context, peers, &request.tenant, id).await?;
    }
    let thing = stack_thing(name, region);
    match delete_stack(context, &*cloudformation, &request.tenant, region, &stack).await {
        Ok(_) => Ok(Some(Destroyed::Removed(thing))),
        Err(DeployError::Failed(failure)) => {
            let left = Remaining { thing, reason: failure.to_string(), help: failure.help.clone() };
            let left = Destroyed::Remaining(left);
            retained::tell(context, &request.tenant, &left);
            Ok(Some(left))
        }
        Err(error) => Err(error),
    }
}

async fn untouched(
    peers: &dyn Peers,
    tenant: &str,
    name: &str,
    region: &str,
) -> Result<Option<Remaining>, DeployError> {
    let found = peers.cloudformation(region).stack(name).await;
    Ok(found.doing(|| format!("reading stack `{name}` in `{region}`"))?.map(|_| Remaining {
        thing: stack_thing(name, region),
        reason: "the stack before it could not be deleted".into(),
        help: format!("run `generator destroy --tenant {tenant}` again once that one is gone"),
    }))
}

fn stack_thing(name: &str, region: &str) -> Thing {
    Thing { kind: super::failure::STACK.into(), name: name.into(), region: region.into() }
}
