//! One tenant: its stacks in their order, and once more over those that needed a later one's output.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reading::{self, Reading, read_tenant};
use super::stack::{StackDeployer, StackOutcome, StackRequest};
use super::{Context, DeployError, Gate, account, page, preflight};
use crate::aws::Peers;
use crate::plan::PageChange;
use crate::render::{
    Artifact, ArtifactFact, ParameterSource, RenderedStack, RenderedTenant, StackId, StackParameter,
};
use crate::report::Event;

/// Passes over the stacks before giving up. The design needs two; a third absorbs an output that changes
/// once more.
const PASSES: usize = 3;

/// What templates need to know of one artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactFacts {
    /// Bucket that holds it.
    pub bucket: String,
    /// Key within the bucket.
    pub key: String,
    /// SHA-256 of the zip in base64.
    pub code_sha256: String,
}

/// Where each artifact is.
pub type ArtifactLocations = BTreeMap<Artifact, ArtifactFacts>;

/// What deploying a tenant has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantOutcome {
    /// Each stack that was gone over, in order; one that was gone over twice is here twice.
    pub stacks: Vec<(StackId, StackOutcome)>,
    /// Outputs of each stack.
    pub outputs: BTreeMap<StackId, BTreeMap<String, String>>,
    /// What was done to the page's files, where there is one.
    pub page: Option<PageChange>,
}

impl TenantOutcome {
    /// Whether anything was executed, or a file of the page written.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.stacks.iter().any(|(_, outcome)| outcome.is_changed())
            || self.page.as_ref().is_some_and(PageChange::is_change)
    }
}

/// Brings all stacks of a tenant, and the files of its page, to what was rendered. `peers` must already act as the tenant's role.
///
/// # Errors
/// Where a stack does not get there. Stacks that come before it in the order stand as rendered.
pub async fn deploy_tenant(
    context: &Context,
    peers: &dyn Peers,
    tenant: &RenderedTenant,
    artifacts: &ArtifactLocations,
    gates: &[Arc<dyn Gate>],
) -> Result<TenantOutcome, DeployError> {
    let start = context.clock.elapsed();
    let own_page = page::Page::read(context, tenant)?;
    let ((), readings) = tokio::try_join!(
        account::check(context, peers, &tenant.tenant, tenant.account.as_deref()),
        read_tenant(peers, tenant, context.work.recorded.as_deref()),
    )?;
    let mut outputs: BTreeMap<StackId, BTreeMap<String, String>> = BTreeMap::new();
    for (stack, reading) in tenant.stacks.iter().zip(&readings) {
        if let Some(found) = &reading.stack {
            outputs.insert(stack.id, found.outputs.clone());
        }
    }
    preflight::pass(context, peers, tenant, own_page.as_ref(), &readings, &outputs).await?;
    let before = page::standing(&outputs);
    let mut readings: BTreeMap<_, _> = tenant.stacks.iter().map(|stack| stack.id).zip(readings).collect();
    let mut used: BTreeMap<StackId, BTreeMap<String, String>> = BTreeMap::new();
    let mut gone_over = Vec::new();
    let mut changed = false;
    for pass in 0..=PASSES {
        let mut rest = true;
        for stack in &tenant.stacks {
            let parameters = resolve(stack, &outputs, artifacts)?;
            if used.get(&stack.id) == Some(&parameters) {
                continue;
            }
            if pass == PASSES {
                let (tenant, stack) = (tenant.tenant.clone(), stack.id);
                return Err(DeployError::Unsettled { tenant, stack, passes: PASSES });
            }
            rest = false;
            let request = request(tenant, stack, parameters);
            let cloudformation = peers.cloudformation(&stack.region);
            let known = readings.remove(&stack.id).unwrap_or_default();
            // Executing a stack may take half an hour: what was read before it is old by now. That a stack is not
            // there may be old, as the service refuses to make it a second time.
            let reading = if changed && known.stack.is_some() {
                reading::read_again(&*cloudformation, &stack.name, &stack.region, known).await?
            } else {
                known
            };
            let deployer = StackDeployer::new(context, &*cloudformation, gates);
            let outcome = deployer.deploy_from(&request, reading).await?;
            changed |= outcome.is_changed();
            let now = outcome.stack().clone();
            outputs.insert(stack.id, now.outputs.clone());
            // What was found unchanged may be another text that says the same.
            let template = outcome.is_changed().then(|| request.template.clone());
            readings.insert(stack.id, Reading { stack: Some(now), template });
            used.insert(stack.id, request.parameters);
            gone_over.push((stack.id, outcome));
        }
        if rest {
            break;
        }
    }
    let page = page::settle(context, peers, tenant, own_page.as_ref(), before, &outputs).await?;
    let outcome = TenantOutcome { stacks: gone_over, outputs, page };
    let (changed, milliseconds) = (outcome.is_changed(), context.milliseconds_since(start));
    context.emit(&Event::TenantDone { tenant: tenant.tenant.clone(), changed, milliseconds });
    Ok(outcome)
}

pub(super) fn request(
    tenant: &RenderedTenant,
    stack: &RenderedStack,
    parameters: BTreeMap<String, String>,
) -> StackRequest {
    StackRequest {
        tenant: tenant.tenant.clone(),
        stack: stack.name.clone(),
        region: stack.region.clone(),
        template: stack.template.clone(),
        parameters,
        tags: stack.tags.clone(),
    }
}

/// The values of a stack's parameters, as far as they are known now.
pub(super) fn resolve(
    stack: &RenderedStack,
    outputs: &BTreeMap<StackId, BTreeMap<String, String>>,
    artifacts: &ArtifactLocations,
) -> Result<BTreeMap<String, String>, DeployError> {
    let value = |parameter: &StackParameter| match &parameter.source {
        ParameterSource::Output { stack: from, output } => {
            outputs.get(from).and_then(|known| known.get(output)).cloned().ok_or_else(|| {
                DeployError::MissingOutput {
                    stack: stack.name.clone(),
                    parameter: parameter.name.clone(),
                    output: output.clone(),
                    from: from.as_str(),
                }
            })
        }
        ParameterSource::LaterOutput { stack: from, output } => {
            Ok(outputs.get(from).and_then(|known| known.get(output)).cloned().unwrap_or_default())
        }
        ParameterSource::Artifact { artifact, fact } => {
            let facts = artifacts.get(artifact).ok_or_else(|| DeployError::MissingArtifact {
                stack: stack.name.clone(),
                parameter: parameter.name.clone(),
                artifact: match artifact {
                    Artifact::Signer => "signer",
                    Artifact::Rotator => "rotator",
                },
            })?;
            Ok(match fact {
                ArtifactFact::Bucket => facts.bucket.clone(),
                ArtifactFact::Key => facts.key.clone(),
                ArtifactFact::CodeSha256 => facts.code_sha256.clone(),
            })
        }
    };
    stack.parameters.iter().map(|parameter| Ok((parameter.name.clone(), value(parameter)?))).collect()
}
