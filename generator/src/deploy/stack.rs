//! One stack: read, compare, work out the changes, have them judged, execute, watch to the end.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::changes::{self, Asked};
use super::error::DeployError;
use super::failure::StackFailure;
use super::reading::{self, Reading};
use super::remove::token;
use super::watch::{Before, Watch, settled};
use super::{Check, Context, Gate, NextStep, StackStatus, preflight};
use crate::aws::cloudformation::{ChangeSet, ChangeSetKind, CloudFormation, Stack};
use crate::plan::{ResourceChange, Side, Sides, StackChange};
use crate::report::{Change, Event};

/// What CloudFront takes few changes of at a time.
const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";
/// Rounds of waiting for others and clearing away before giving up.
const ROUNDS: usize = 5;

/// A stack as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackRequest {
    /// Tenant.
    pub tenant: String,
    /// Name.
    pub stack: String,
    /// Region.
    pub region: String,
    /// Template.
    pub template: String,
    /// All parameters with their values.
    pub parameters: BTreeMap<String, String>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
}

/// What deploying a stack has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackOutcome {
    /// It was as it should be. Nothing was written.
    Unchanged(Stack),
    /// It was made.
    Created(Deployed),
    /// It was changed.
    Updated(Deployed),
}

/// A stack after its changes were executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// The stack as it stands now.
    pub stack: Stack,
    /// What was changed.
    pub change: StackChange,
}

impl StackOutcome {
    /// The stack as it stands now.
    #[must_use]
    pub fn stack(&self) -> &Stack {
        match self {
            Self::Unchanged(stack) => stack,
            Self::Created(deployed) | Self::Updated(deployed) => &deployed.stack,
        }
    }

    /// Whether anything was executed.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !matches!(self, Self::Unchanged(_))
    }
}

/// What deploying a stack would do. Nothing is executed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// Nothing: it is as it should be.
    Unchanged(Stack),
    /// Execute this change set.
    Changes {
        /// What it changes.
        change: StackChange,
        /// The change set itself.
        set: ChangeSet,
    },
}

/// Deploys stacks of one region.
pub struct StackDeployer<'a> {
    pub(super) context: &'a Context,
    pub(super) cloudformation: &'a dyn CloudFormation,
    gates: &'a [Arc<dyn Gate>],
}

impl<'a> StackDeployer<'a> {
    /// A deployer whose changes must pass all `gates`.
    #[must_use]
    pub fn new(
        context: &'a Context,
        cloudformation: &'a dyn CloudFormation,
        gates: &'a [Arc<dyn Gate>],
    ) -> Self {
        Self { context, cloudformation, gates }
    }

    /// Brings a stack to what it should be.
    ///
    /// # Errors
    /// Where it does not get there. The error says what stands.
    pub async fn deploy(&self, request: &StackRequest) -> Result<StackOutcome, DeployError> {
        let reading = reading::read(self.cloudformation, &request.stack, &request.region).await?;
        self.deploy_from(request, reading).await
    }

    pub(super) async fn deploy_from(
        &self,
        request: &StackRequest,
        mut reading: Reading,
    ) -> Result<StackOutcome, DeployError> {
        let start = self.context.clock.elapsed();
        let (change, set) = match self.prepare_from(request, &mut reading).await? {
            Prepared::Unchanged(stack) => return Ok(StackOutcome::Unchanged(stack)),
            Prepared::Changes { change, set } => (change, set),
        };
        self.admit(request, &change, &set, &reading).await?;
        let before = Before::of(change.creates, reading.stack.as_ref());
        self.execute(request, change, &set, before, start).await
    }

    /// Tells what the service has found wrong with a change set, and asks the gates; `reading` is the stack before it.
    /// One that is not to be executed is deleted.
    pub(super) async fn admit(
        &self,
        request: &StackRequest,
        change: &StackChange,
        set: &ChangeSet,
        reading: &Reading,
    ) -> Result<(), DeployError> {
        let Err(refused) = self.judge(request, change, set, reading).await else { return Ok(()) };
        if let Err(error) = self.discard(request, change, set).await {
            let help = Some(format!("delete the change set `{}` by hand", set.id));
            self.warn(request, error.to_string(), help);
        }
        Err(refused)
    }

    async fn judge(
        &self,
        request: &StackRequest,
        change: &StackChange,
        set: &ChangeSet,
        reading: &Reading,
    ) -> Result<(), DeployError> {
        let checks = preflight::validated(self.cloudformation, &request.stack, &set.id).await;
        checks.iter().filter_map(Check::warning).for_each(|reason| {
            self.warn(request, reason.to_owned(), None);
        });
        let blocks: Vec<_> = checks.iter().filter_map(Check::failure).map(|(reason, _)| reason).collect();
        if !blocks.is_empty() {
            let (stack, reason) = (request.stack.clone(), blocks.join("; "));
            return Err(DeployError::ChangeSetFailed { stack, status: set.status.clone(), reason });
        }
        let nothing = BTreeMap::new();
        let sides = Sides {
            before: (!change.creates).then(|| Side {
                template: reading.template.as_deref().unwrap_or_default(),
                parameters: reading.stack.as_ref().map_or(&nothing, |stack| &stack.parameters),
            }),
            after: Side { template: &request.template, parameters: &request.parameters },
        };
        for gate in self.gates {
            let passed = gate.pass(&request.tenant, change, &sides).await;
            passed.map_err(|source| DeployError::Gate { stack: request.stack.clone(), source })?;
        }
        Ok(())
    }

    fn warn(&self, request: &StackRequest, message: String, help: Option<String>) {
        self.context.emit(&Event::Warning { tenant: Some(request.tenant.clone()), message, help });
    }

    /// Works out what deploying would do, and executes nothing. The caller executes what comes back by
    /// deploying, or gives it to [`StackDeployer::discard`].
    ///
    /// # Errors
    /// Where the stack cannot be changed now, or its changes cannot be worked out.
    pub async fn prepare(&self, request: &StackRequest) -> Result<Prepared, DeployError> {
        let mut reading = reading::read(self.cloudformation, &request.stack, &request.region).await?;
        self.prepare_from(request, &mut reading).await
    }

    /// Deletes a change set that is not to be executed.
    ///
    /// # Errors
    /// Where a call fails.
    pub async fn discard(
        &self,
        request: &StackRequest,
        change: &StackChange,
        set: &ChangeSet,
    ) -> Result<(), DeployError> {
        let kind = if change.creates { ChangeSetKind::Create } else { ChangeSetKind::Update };
        changes::discard(self.context, self.cloudformation, request, set, kind).await
    }

    /// Afterwards `reading` is the state that the changes start from.
    async fn prepare_from(
        &self,
        request: &StackRequest,
        reading: &mut Reading,
    ) -> Result<Prepared, DeployError> {
        let name = request.stack.as_str();
        for _ in 0..ROUNDS {
            let Some(stack) = &reading.stack else {
                return self.work_out(request, Asked::Create(None)).await;
            };
            let status: StackStatus = stack
                .status
                .parse()
                .map_err(|source| DeployError::UnknownStatus { stack: name.to_owned(), source })?;
            match status.next_step() {
                NextStep::Compare if is_as_requested(request, stack, reading.template.as_deref()) => {
                    self.tell_unchanged(request);
                    return Ok(Prepared::Unchanged(stack.clone()));
                }
                NextStep::Compare | NextStep::Update => {
                    if self.context.work.again {
                        changes::clear(self.cloudformation, name, &self.context.work.mark).await?;
                    }
                    return self.work_out(request, Asked::Update(stack)).await;
                }
                NextStep::Create => *reading = Reading::default(),
                NextStep::ReuseShell => {
                    self.tell_leftover(request, status, "its change sets are deleted and it is used".into());
                    changes::clear(self.cloudformation, name, "").await?;
                    return self.work_out(request, Asked::Create(Some(stack))).await;
                }
                NextStep::DeleteAndCreate => {
                    self.delete_failed(request, status, stack).await?;
                    *reading = Reading::default();
                }
                NextStep::ContinueRollback if self.context.settings.continue_rollback.is_some() => {
                    self.continue_rollback(request, stack).await?;
                    *reading = reading::read(self.cloudformation, name, &request.region).await?;
                }
                NextStep::Wait if self.context.settings.refuse_busy && !self.context.work.again => {
                    return Err(self.refused(request, status).await);
                }
                NextStep::Wait => {
                    let (tenant, stack) = (request.tenant.clone(), name.to_owned());
                    self.context.emit(&Event::StackBusy { tenant, stack, status: status.to_string() });
                    settled(self.context, self.cloudformation, name).await?;
                    *reading = reading::read(self.cloudformation, name, &request.region).await?;
                }
                NextStep::ContinueRollback | NextStep::Refuse => {
                    return Err(self.refused(request, status).await);
                }
            }
        }
        Err(DeployError::Deadline {
            what: format!("stack `{name}` to be left alone by others"),
            after: self.context.settings.deadlines.others,
            last: reading
                .stack
                .as_ref()
                .map_or_else(|| "no stack".into(), |stack| format!("status `{}`", stack.status)),
        })
    }

    async fn work_out(&self, request: &StackRequest, asked: Asked<'_>) -> Result<Prepared, DeployError> {
        let (kind, existing) = (asked.kind(), asked.existing());
        let set = changes::work_out(self.context, self.cloudformation, request, asked).await?;
        let Some(set) = set else {
            self.tell_unchanged(request);
            return Ok(Prepared::Unchanged(existing.cloned().unwrap_or_default()));
        };
        let creates = kind == ChangeSetKind::Create;
        let change = match StackChange::read(&request.stack, &request.region, creates, &set) {
            Ok(change) => change,
            Err(source) => {
                changes::discard(self.context, self.cloudformation, request, &set, kind).await?;
                return Err(DeployError::UnknownChange { stack: request.stack.clone(), source });
            }
        };
        self.context.emit(&Event::ChangesFound {
            tenant: request.tenant.clone(),
            stack: request.stack.clone(),
            changes: change.resources.iter().map(told).collect(),
        });
        Ok(Prepared::Changes { change, set })
    }

    pub(super) async fn execute(
        &self,
        request: &StackRequest,
        change: StackChange,
        set: &ChangeSet,
        before_it: Before,
        start: Duration,
    ) -> Result<StackOutcome, DeployError> {
        let name = request.stack.as_str();
        self.context.emit(&Event::StackDeploying {
            tenant: request.tenant.clone(),
            stack: name.to_owned(),
            region: request.region.clone(),
            changes: change.resources.len(),
        });
        if change.resources.iter().any(|resource| resource.kind == DISTRIBUTION) {
            self.cloudformation.turn_for_distribution().await;
        }
        let token = token(self.context, &set.id);
        self.start(request, set, &token).await?;
        self.context.work.unused.forget(&set.name);
        let what = format!("stack `{name}` to be deployed");
        let watch = Watch {
            context: self.context,
            cloudformation: self.cloudformation,
            tenant: &request.tenant,
            name,
            id: &set.stack_id,
            since: set.created,
            before: HashSet::new(),
            before_it,
            what: what.clone(),
            limit: self.context.settings.deadlines.stack,
        };
        let ended = watch.until_end().await?;
        let (stack, status) =
            ended.stack.ok_or_else(|| DeployError::Vanished { stack: name.to_owned(), what })?;
        if !status.is_success() {
            let failure = StackFailure::read(&request.tenant, &stack, status, &ended.events);
            return Err(failed(self.context, failure));
        }
        self.context.emit(&Event::StackDeployed {
            tenant: request.tenant.clone(),
            stack: name.to_owned(),
            status: status.to_string(),
            milliseconds: self.context.milliseconds_since(start),
        });
        let creates = change.creates;
        let deployed = Deployed { stack, change };
        Ok(if creates { StackOutcome::Created(deployed) } else { StackOutcome::Updated(deployed) })
    }

    fn tell_unchanged(&self, request: &StackRequest) {
        self.context.emit(&Event::StackUnchanged {
            tenant: request.tenant.clone(),
            stack: request.stack.clone(),
            region: request.region.clone(),
        });
    }

    pub(super) fn tell_leftover(&self, request: &StackRequest, status: StackStatus, action: String) {
        self.context.emit(&Event::StackLeftover {
            tenant: request.tenant.clone(),
            stack: request.stack.clone(),
            status: status.to_string(),
            action,
        });
    }
}

/// Tells of a failure and makes it the error.
pub(super) fn failed(context: &Context, failure: StackFailure) -> DeployError {
    context.emit(&Event::StackFailed {
        tenant: failure.tenant.clone(),
        stack: failure.stack.clone(),
        status: failure.status.to_string(),
        resource: failure.root.as_ref().map(|root| root.logical_id.clone()),
        reason: failure.root.as_ref().map(|root| root.reason.clone()).or(failure.status_reason.clone()),
        stands: failure.stands.to_owned(),
        help: failure.help.clone(),
    });
    DeployError::Failed(Box::new(failure))
}

/// Whether a good stack is what is asked for, to the byte.
pub(super) fn is_as_requested(request: &StackRequest, stack: &Stack, template: Option<&str>) -> bool {
    template == Some(request.template.as_str())
        && stack.parameters == request.parameters
        && stack.tags == request.tags
}

fn told(change: &ResourceChange) -> Change {
    let name = |property: &crate::plan::PropertyChange| {
        property.path.clone().unwrap_or_else(|| property.attribute.clone())
    };
    Change {
        resource: change.logical_id.clone(),
        kind: change.kind.clone(),
        action: change.verb().into(),
        properties: change.properties.iter().map(name).collect(),
    }
}
