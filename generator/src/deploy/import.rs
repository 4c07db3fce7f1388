//! Taking a bucket or user pool that is there into a tenant's stack, without touching it: kept by an earlier
//! destruction, or made by hand.
//!
//! CloudFormation takes resources in by a change set of its own kind, which may change nothing else. So what is
//! imported is the deployed template with these resources and no other; the next deployment does the rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::changes::{self, Asked};
use super::error::{DeployError, Doing};
use super::reading::{self, Reading};
use super::stack::{StackDeployer, StackOutcome, StackRequest};
use super::watch::Before;
use super::{Context, Gate, account};
use crate::aws::Peers;
use crate::aws::cloudformation::{ChangeSetKind, ImportedResource};
use crate::plan::StackChange;
use crate::render::{RenderedStack, RenderedTenant, read_template};

/// A resource that can be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Importable {
    /// Name in the template.
    pub logical_id: String,
    /// Type.
    pub kind: String,
    /// Name of a bucket, id of a user pool.
    pub id: String,
    /// The stack that takes it in.
    pub stack: String,
    /// Region of the stack.
    pub region: String,
}

/// Types that are taken in, with the property that identifies one and the one that fixes its name.
const KINDS: [(&str, &str, &str); 2] = [
    ("AWS::S3::Bucket", "BucketName", "BucketName"),
    ("AWS::Cognito::UserPool", "UserPoolId", "UserPoolName"),
];

/// What could be taken in: resources of the rendered templates that exist under their names, in stacks that do
/// not have them.
///
/// # Errors
/// Where a call fails, or several user pools have the name.
pub async fn importable(
    context: &Context,
    peers: &dyn Peers,
    tenant: &RenderedTenant,
) -> Result<Vec<Importable>, DeployError> {
    account::check(context, peers, &tenant.tenant, tenant.account.as_deref()).await?;
    let account = peers.identity().account().await.doing(|| "asking whose credentials these are".into())?;
    let mut found = Vec::new();
    for stack in &tenant.stacks {
        let cloudformation = peers.cloudformation(&stack.region);
        let reading = reading::read(&*cloudformation, &stack.name, &stack.region).await?;
        let has = resources_of(reading.template.as_deref());
        for (logical_id, resource) in resources_of(Some(&stack.template)) {
            let kind = resource["Type"].as_str().unwrap_or_default();
            let Some((_, _, named)) = KINDS.iter().find(|(known, ..)| *known == kind) else { continue };
            if is_standing(&reading) && has.contains_key(&logical_id) {
                continue;
            }
            let Some(name) = super::preflight::fixed(&resource["Properties"][*named], Some(&account)) else {
                continue;
            };
            let Some(id) = look(peers, stack, kind, &name).await? else { continue };
            let (stack, region) = (stack.name.clone(), stack.region.clone());
            found.push(Importable { logical_id, kind: kind.to_owned(), id, stack, region });
        }
    }
    Ok(found)
}

async fn look(
    peers: &dyn Peers,
    stack: &RenderedStack,
    kind: &str,
    name: &str,
) -> Result<Option<String>, DeployError> {
    let doing = || format!("looking for `{name}` ({kind})");
    if kind == "AWS::S3::Bucket" {
        let exists = peers.objects(&stack.region).bucket_exists(name, None).await.doing(doing)?;
        return Ok(exists.then(|| name.to_owned()));
    }
    let mut pools = peers.user_pools(&stack.region).named(name).await.doing(doing)?;
    if pools.len() > 1 {
        return Err(DeployError::Ambiguous { name: name.to_owned(), ids: pools });
    }
    Ok(pools.pop())
}

/// Takes resources into their stack, which is made where it is not there. Nothing of them is changed.
///
/// # Errors
/// Where the service refuses, or a gate does.
pub async fn import(
    context: &Context,
    peers: &dyn Peers,
    tenant: &RenderedTenant,
    resources: &[Importable],
    gates: &[Arc<dyn Gate>],
) -> Result<Vec<StackOutcome>, DeployError> {
    let mut outcomes = Vec::new();
    for stack in &tenant.stacks {
        let taken: Vec<&Importable> = resources.iter().filter(|one| one.stack == stack.name).collect();
        if taken.is_empty() {
            continue;
        }
        let start = context.clock.elapsed();
        let cloudformation = peers.cloudformation(&stack.region);
        let reading = reading::read(&*cloudformation, &stack.name, &stack.region).await?;
        let request = request(tenant, stack, &reading, &taken)?;
        let imports: Vec<ImportedResource> = taken.iter().map(|one| imported(one)).collect();
        let set = changes::work_out(context, &*cloudformation, &request, Asked::Import(imports)).await?;
        let set = set.ok_or_else(|| DeployError::ChangeSetFailed {
            stack: request.stack.clone(),
            status: "without changes".into(),
            reason: "the service finds nothing to take in".into(),
        })?;
        let creates = !is_standing(&reading);
        let change = match StackChange::read(&request.stack, &request.region, creates, &set) {
            Ok(change) => change,
            Err(source) => {
                changes::discard(context, &*cloudformation, &request, &set, ChangeSetKind::Import).await?;
                return Err(DeployError::UnknownChange { stack: request.stack.clone(), source });
            }
        };
        let deployer = StackDeployer::new(context, &*cloudformation, gates);
        deployer.admit(&request, &change, &set, &reading).await?;
        let before = Before::of(creates, reading.stack.as_ref());
        outcomes.push(deployer.execute(&request, change, &set, before, start).await?);
    }
    Ok(outcomes)
}

fn is_standing(reading: &Reading) -> bool {
    reading.stack.as_ref().is_some_and(|stack| stack.status != "REVIEW_IN_PROGRESS")
}

fn imported(one: &Importable) -> ImportedResource {
    let key = KINDS.iter().find(|(kind, ..)| *kind == one.kind).map_or("", |(_, key, _)| key);
    ImportedResource {
        kind: one.kind.clone(),
        logical_id: one.logical_id.clone(),
        identifier: BTreeMap::from([(key.to_owned(), one.id.clone())]),
    }
}

/// The deployed template, or none, with the resources that are taken in, and parameters and tags as they are:
/// an import may change nothing else.
fn request(
    tenant: &RenderedTenant,
    stack: &RenderedStack,
    reading: &Reading,
    taken: &[&Importable],
) -> Result<StackRequest, DeployError> {
    let unreadable = |reason| DeployError::Unreadable { stack: stack.name.clone(), reason };
    let rendered = read_template(&stack.template).map_err(unreadable)?;
    let mut template = match reading.template.as_deref().filter(|_| is_standing(reading)) {
        Some(text) => read_template(text).map_err(unreadable)?,
        None => serde_json::json!({ "AWSTemplateFormatVersion": "2010-09-09", "Resources": {} }),
    };
    for one in taken {
        template["Resources"][&one.logical_id] = rendered["Resources"][&one.logical_id].clone();
    }
    let standing = reading.stack.as_ref().filter(|_| is_standing(reading));
    Ok(StackRequest {
        tenant: tenant.tenant.clone(),
        stack: stack.name.clone(),
        region: stack.region.clone(),
        template: template.to_string(),
        parameters: standing.map(|stack| stack.parameters.clone()).unwrap_or_default(),
        tags: standing.map(|stack| stack.tags.clone()).unwrap_or_default(),
    })
}

fn resources_of(template: Option<&str>) -> Map<String, Value> {
    let document = template.and_then(|text| read_template(text).ok());
    document.and_then(|document| document["Resources"].as_object().cloned()).unwrap_or_default()
}
