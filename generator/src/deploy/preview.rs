//! What deploying a tenant would do, asked of the service: change sets are made, read, and deleted again
//! unless they are to be kept. Nothing is executed, and no stack is waited for or cleared away.

use std::collections::BTreeMap;

use super::changes::{self, Asked};
use super::error::DeployError;
use super::page::Page;
use super::reading::{Reading, read_all};
use super::stack::{StackRequest, is_as_requested};
use super::tenant::{request, resolve};
use super::{ArtifactLocations, Check, Context, NextStep, StackStatus, account, preflight};
use crate::aws::Peers;
use crate::aws::cloudformation::{ChangeSet, ChangeSetKind, CloudFormation, Stack};
use crate::plan::{PageChange, Side, Sides, StackChange, expected_change, waiting_for};
use crate::render::{ParameterSource, RenderedStack, RenderedTenant, StackId};

/// What deploying a tenant would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantPreview {
    /// Each of its stacks, in the order of deployment.
    pub stacks: Vec<StackPreview>,
    /// What was looked at before the first write.
    pub checks: Vec<Check>,
    /// What would be done to the page's files, where there is one.
    pub page: Option<PageChange>,
}

/// What deploying one stack would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackPreview {
    /// Which of the tenant's stacks.
    pub id: StackId,
    /// The stack as it should be. Parameters that are not known yet have their name in `${…}`.
    pub request: StackRequest,
    /// The stack as it stands.
    pub stack: Option<Stack>,
    /// Its template as it stands.
    pub template: Option<String>,
    /// What would be done.
    pub next: Preview,
    /// Resources that change once more when a later stack stands.
    pub later: Vec<String>,
    /// What the answer rests on.
    pub notes: Vec<String>,
}

/// What would be done to a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// Nothing.
    Unchanged,
    /// This, says the service. The change set is there still where it was to be kept.
    Changes(StackChange, ChangeSet),
    /// This, as far as the templates tell: the service cannot be asked yet.
    Expected(StackChange),
    /// The stack is deleted, as its first creation failed, and made.
    Remake(StackChange),
    /// Nothing can be done as it stands.
    Blocked(String),
}

impl StackPreview {
    /// Whether the stack would be made.
    #[must_use]
    pub fn creates(&self) -> bool {
        match &self.next {
            Preview::Changes(change, _) | Preview::Expected(change) => change.creates,
            Preview::Remake(_) => true,
            Preview::Unchanged | Preview::Blocked(_) => false,
        }
    }

    /// Both templates with their parameters.
    #[must_use]
    pub fn sides<'a>(&'a self, nothing: &'a BTreeMap<String, String>) -> Sides<'a> {
        let creates = self.creates();
        let standing = self.template.as_deref().filter(|_| !creates);
        Sides {
            before: standing.map(|template| Side {
                template,
                parameters: self.stack.as_ref().map_or(nothing, |stack| &stack.parameters),
            }),
            after: Side { template: &self.request.template, parameters: &self.request.parameters },
        }
    }
}

/// What deploying all stacks of a tenant would do. `peers` must already act as the tenant's role. With `keep`
/// the change sets stay, for [`super::planned`]; the caller sees to it that they go one day.
///
/// # Errors
/// Where a call fails, or the service cannot work a change out.
pub async fn preview_tenant(
    context: &Context,
    peers: &dyn Peers,
    tenant: &RenderedTenant,
    artifacts: &ArtifactLocations,
    keep: bool,
) -> Result<TenantPreview, DeployError> {
    let own_page = Page::read(context, tenant)?;
    let names: Vec<_> =
        tenant.stacks.iter().map(|stack| (stack.name.as_str(), stack.region.as_str())).collect();
    let ((), readings) = tokio::try_join!(
        account::check(context, peers, &tenant.tenant, tenant.account.as_deref()),
        read_all(peers, &names),
    )?;
    let mut checks = preflight::checks(context, peers, tenant, &readings).await;
    let outputs: BTreeMap<StackId, BTreeMap<String, String>> = tenant
        .stacks
        .iter()
        .zip(&readings)
        .filter_map(|(stack, reading)| Some((stack.id, reading.stack.as_ref()?.outputs.clone())))
        .collect();
    let page = match &own_page {
        Some(page) => {
            let (change, check) = page.preview(peers, &outputs).await?;
            checks.extend(check);
            Some(change)
        }
        None => None,
    };
    let mut previews: Vec<StackPreview> = Vec::with_capacity(tenant.stacks.len());
    for (stack, reading) in tenant.stacks.iter().zip(readings) {
        let one = Asking { context, peers, tenant, stack, artifacts, outputs: &outputs, keep };
        match one.preview(reading, &previews).await {
            Ok((preview, validated)) => {
                previews.push(preview);
                checks.extend(validated);
            }
            Err(error) => {
                // What cannot be planned as a whole leaves nothing behind.
                if keep {
                    discard_all(peers, &previews).await?;
                }
                return Err(error);
            }
        }
    }
    Ok(TenantPreview { stacks: previews, checks, page })
}

/// Deletes the change sets of previews that were to be kept, and the empty stacks that they have made.
async fn discard_all(peers: &dyn Peers, previews: &[StackPreview]) -> Result<(), DeployError> {
    for preview in previews {
        if let Preview::Changes(change, set) = &preview.next {
            let kind = if change.creates { ChangeSetKind::Create } else { ChangeSetKind::Update };
            let cloudformation = peers.cloudformation(&preview.request.region);
            changes::discard_named(&*cloudformation, &preview.request.stack, &set.id, &set.stack_id, kind)
                .await?;
        }
    }
    Ok(())
}

struct Asking<'a> {
    context: &'a Context,
    peers: &'a dyn Peers,
    tenant: &'a RenderedTenant,
    stack: &'a RenderedStack,
    artifacts: &'a ArtifactLocations,
    outputs: &'a BTreeMap<StackId, BTreeMap<String, String>>,
    keep: bool,
}

impl Asking<'_> {
    async fn preview(
        &self,
        reading: Reading,
        before: &[StackPreview],
    ) -> Result<(StackPreview, Vec<Check>), DeployError> {
        let (parameters, missing) = self.parameters()?;
        let mut preview = StackPreview {
            id: self.stack.id,
            request: request(self.tenant, self.stack, parameters),
            stack: reading.stack,
            template: reading.template,
            next: Preview::Unchanged,
            later: self.later(),
            notes: self.assumptions(before),
        };
        let mut checks = Vec::new();
        preview.next = self.next(&preview, &missing, &mut checks).await?;
        if matches!(preview.next, Preview::Unchanged) {
            preview.notes.clear();
        }
        Ok((preview, checks))
    }

    async fn next(
        &self,
        preview: &StackPreview,
        missing: &[String],
        checks: &mut Vec<Check>,
    ) -> Result<Preview, DeployError> {
        let request = &preview.request;
        let cloudformation = self.peers.cloudformation(&request.region);
        let Some(stack) = &preview.stack else {
            return self.create(&*cloudformation, preview, None, missing, checks).await;
        };
        let status: StackStatus = match stack.status.parse() {
            Ok(status) => status,
            Err(source) => return Err(DeployError::UnknownStatus { stack: request.stack.clone(), source }),
        };
        match status.next_step() {
            NextStep::Create => self.create(&*cloudformation, preview, None, missing, checks).await,
            NextStep::ReuseShell => {
                self.create(&*cloudformation, preview, Some(stack), missing, checks).await
            }
            NextStep::Compare if is_as_requested(request, stack, preview.template.as_deref()) => {
                Ok(Preview::Unchanged)
            }
            NextStep::Compare | NextStep::Update => {
                if missing.is_empty() {
                    return self.ask(&*cloudformation, preview, Asked::Update(stack), checks).await;
                }
                self.expect(preview).map(Preview::Expected)
            }
            NextStep::DeleteAndCreate => {
                let remade = StackPreview { stack: None, template: None, ..preview.clone() };
                self.expect(&remade).map(Preview::Remake)
            }
            NextStep::Wait => Ok(Preview::Blocked(format!("somebody works on it: `{status}`"))),
            NextStep::Refuse | NextStep::ContinueRollback => {
                let help = status.help_for(&self.tenant.tenant);
                Ok(Preview::Blocked(format!("it is in `{status}`: {}; {help}", status.meaning())))
            }
        }
    }

    async fn create(
        &self,
        cloudformation: &dyn CloudFormation,
        preview: &StackPreview,
        shell: Option<&Stack>,
        missing: &[String],
        checks: &mut Vec<Check>,
    ) -> Result<Preview, DeployError> {
        if missing.is_empty() {
            return self.ask(cloudformation, preview, Asked::Create(shell), checks).await;
        }
        let new = StackPreview { stack: None, template: None, ..preview.clone() };
        self.expect(&new).map(Preview::Expected)
    }

    async fn ask(
        &self,
        cloudformation: &dyn CloudFormation,
        preview: &StackPreview,
        asked: Asked<'_>,
        checks: &mut Vec<Check>,
    ) -> Result<Preview, DeployError> {
        let (request, kind) = (&preview.request, asked.kind());
        let set = changes::work_out(self.context, cloudformation, request, asked).await?;
        let Some(set) = set else { return Ok(Preview::Unchanged) };
        checks.extend(preflight::validated(cloudformation, &request.stack, &set.id).await);
        let creates = kind == ChangeSetKind::Create;
        let read = StackChange::read(&request.stack, &request.region, creates, &set);
        if !self.keep || read.is_err() {
            changes::discard(self.context, cloudformation, request, &set, kind).await?;
        }
        match read {
            Ok(change) => Ok(Preview::Changes(change, set)),
            Err(source) => Err(DeployError::UnknownChange { stack: request.stack.clone(), source }),
        }
    }

    fn expect(&self, preview: &StackPreview) -> Result<StackChange, DeployError> {
        let nothing = BTreeMap::new();
        let request = &preview.request;
        expected_change(&request.stack, &request.region, &preview.sides(&nothing))
            .map_err(|reason| DeployError::Unreadable { stack: request.stack.clone(), reason })
    }

    /// The parameters, and the names of those that only a stack before this one can tell once it stands.
    fn parameters(&self) -> Result<(BTreeMap<String, String>, Vec<String>), DeployError> {
        let mut missing = Vec::new();
        let mut known = self.outputs.clone();
        for parameter in &self.stack.parameters {
            if let ParameterSource::Output { stack, output } = &parameter.source
                && known.get(stack).is_none_or(|outputs| !outputs.contains_key(output))
            {
                missing.push(parameter.name.clone());
                known.entry(*stack).or_default().insert(output.clone(), format!("${{{output}}}"));
            }
        }
        Ok((resolve(self.stack, &known, self.artifacts)?, missing))
    }

    /// What changes once more when a later stack has given its outputs for the first time.
    fn later(&self) -> Vec<String> {
        let mut all = Vec::new();
        for parameter in &self.stack.parameters {
            if let ParameterSource::LaterOutput { stack, output } = &parameter.source
                && self.outputs.get(stack).is_none_or(|outputs| !outputs.contains_key(output))
            {
                all.extend(waiting_for(&self.stack.template, &parameter.name));
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What this stack takes from stacks before it that would change.
    fn assumptions(&self, before: &[StackPreview]) -> Vec<String> {
        let takes = |id: StackId| {
            self.stack.parameters.iter().any(
                |parameter| matches!(&parameter.source, ParameterSource::Output { stack, .. } if *stack == id),
            )
        };
        before
            .iter()
            .filter(|earlier| takes(earlier.id) && !matches!(earlier.next, Preview::Unchanged))
            .map(|earlier| match earlier.stack {
                Some(_) => {
                    format!("as long as the outputs of the {} stack stay as they are", earlier.id.as_str())
                }
                None => {
                    format!("from the templates, as the {} stack does not stand yet", earlier.id.as_str())
                }
            })
            .collect()
    }
}
