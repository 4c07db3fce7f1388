//! Stacks that stand in nobody's way by themselves: those left by a failure, and writes whose answer was lost.

use std::collections::HashSet;

use super::error::{DeployError, Doing};
use super::failure::StackFailure;
use super::remove::{delete_stack, token};
use super::stack::{StackDeployer, StackRequest, failed};
use super::watch::{Before, Watch};
use super::{NextStep, StackStatus};
use crate::aws::cloudformation::{
    ChangeSet, CloudFormation, RollbackContinuation, Stack, StackDeletion, StackResource,
};
use crate::aws::{AwsError, AwsErrorKind};
use crate::plan;

/// Times that something is started, where each answer was lost and a look has shown that nothing had begun. All of
/// them carry one client token, so that not even a request that comes late begins a second one.
const TRIES: usize = 3;

/// Whether a lost answer was one to a request that has begun something.
enum Begun {
    Yes,
    No,
    /// Something else has happened instead.
    Overtaken(String),
    /// It cannot be seen.
    Unknown,
}

impl StackDeployer<'_> {
    /// Starts the execution. Where the answer was lost, the change set tells whether it has started.
    pub(super) async fn start(
        &self,
        request: &StackRequest,
        set: &ChangeSet,
        token: &str,
    ) -> Result<(), DeployError> {
        let name = request.stack.as_str();
        let doing = || format!("executing the change set of stack `{name}` in `{}`", request.region);
        let imports = set.changes.iter().any(|change| change.action == "Import");
        for last in (0..TRIES).map(|attempt| attempt + 1 == TRIES) {
            let started = match imports {
                true => self.cloudformation.execute_import(name, &set.id, token).await,
                false => self.cloudformation.execute_change_set(name, &set.id, token).await,
            };
            let error = match started {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let unclear = matches!(error.kind, AwsErrorKind::Conflict | AwsErrorKind::NotFound)
                || (error.is_passing() && error.kind != AwsErrorKind::Throttled);
            if !unclear {
                return Err(error).doing(doing);
            }
            match self.has_begun(name, set).await {
                Begun::Yes => return Ok(()),
                Begun::No if error.is_passing() && !last => {}
                Begun::No => return Err(error).doing(doing),
                Begun::Overtaken(execution) => {
                    self.discard_quietly(request, set).await;
                    return Err(DeployError::Overtaken { stack: name.to_owned(), execution });
                }
                Begun::Unknown => return Err(DeployError::Unknown { doing: doing(), source: error }),
            }
        }
        Ok(())
    }

    async fn has_begun(&self, name: &str, set: &ChangeSet) -> Begun {
        match self.cloudformation.change_set(name, &set.id).await {
            Ok(now) if now.execution.starts_with("EXECUTE_") => Begun::Yes,
            Ok(now) if now.execution == "AVAILABLE" => Begun::No,
            Ok(now) => Begun::Overtaken(now.execution),
            // CloudFormation deletes the change sets of a stack when one of them is executed: ours, or another.
            Err(error) if error.kind == AwsErrorKind::NotFound => {
                Begun::Overtaken("the change set is gone".into())
            }
            Err(_) => Begun::Unknown,
        }
    }

    async fn discard_quietly(&self, request: &StackRequest, set: &ChangeSet) {
        // What cannot be deleted now stays noted, and is told at the end.
        if self.cloudformation.delete_change_set(&request.stack, &set.id).await.is_ok() {
            self.context.work.unused.forget(&set.name);
        }
    }

    /// Deletes a stack whose first making failed and was undone. What its template retains is not touched by
    /// that, so where something of it holds data a person decides.
    pub(super) async fn delete_failed(
        &self,
        request: &StackRequest,
        status: StackStatus,
        stack: &Stack,
    ) -> Result<(), DeployError> {
        let kept: Vec<_> = self.resources(stack).await?.into_iter().filter(is_left).collect();
        let data: Vec<_> = kept.iter().filter(|resource| plan::holds_data(&resource.kind)).collect();
        if !data.is_empty() {
            let tenant = &request.tenant;
            return Err(DeployError::Refused {
                stack: stack.name.clone(),
                status: status.as_str(),
                reason: format!(
                    "its first creation failed, and what it keeps may hold data: {}",
                    listed(data)
                ),
                help: format!(
                    "save the data, then run `generator destroy --tenant {tenant}` with `--delete-data` and deploy again"
                ),
            });
        }
        let kept = if kept.is_empty() { "nothing".to_owned() } else { listed(kept.iter()) };
        let action = format!("its first creation failed: it is deleted and made again; kept: {kept}");
        self.tell_leftover(request, status, action);
        // The only way to a deletion within a deployment, and only from the one status that an update never
        // leads to.
        debug_assert_eq!(status.next_step(), NextStep::DeleteAndCreate);
        delete_stack(self.context, self.cloudformation, &request.tenant, &request.region, stack).await?;
        Ok(())
    }

    /// Goes on with an update rollback that has failed, as was asked for, and waits for its end.
    pub(super) async fn continue_rollback(
        &self,
        request: &StackRequest,
        stack: &Stack,
    ) -> Result<(), DeployError> {
        let name = stack.name.as_str();
        let asked = self.context.settings.continue_rollback.clone().unwrap_or_default();
        let stuck: Vec<_> = self.resources(stack).await?.into_iter().filter(is_stuck).collect();
        let skip: Vec<_> =
            asked.into_iter().filter(|id| stuck.iter().any(|one| one.logical_id == *id)).collect();
        let action = match skip.as_slice() {
            [] => "its update rollback is continued".to_owned(),
            skip => format!("its update rollback is continued without {}", skip.join(", ")),
        };
        self.tell_leftover(request, StackStatus::UpdateRollbackFailed, action);
        let continuation = RollbackContinuation {
            stack: stack.id.clone(),
            skip,
            token: token(self.context, &stack.id),
            role_arn: self.context.settings.service_role_arn.clone(),
        };
        let before = self
            .cloudformation
            .events(&stack.id, stack.updated.or(stack.created), &HashSet::new())
            .await
            .doing(|| format!("reading the events of stack `{name}`"))?;
        let doing = || format!("continuing the update rollback of stack `{name}` in `{}`", request.region);
        if let Err(error) = self.cloudformation.continue_rollback(&continuation).await {
            let now = self.cloudformation.stack(&stack.id).await;
            let begun = now.ok().flatten().is_some_and(|now| now.status != stack.status);
            if !(error.is_passing() && begun) {
                return Err(error).doing(doing);
            }
        }
        let watch = Watch {
            context: self.context,
            cloudformation: self.cloudformation,
            tenant: &request.tenant,
            name,
            id: &stack.id,
            since: before.last().map(|event| event.time),
            before: before.into_iter().map(|event| event.id).collect(),
            before_it: Before::Unknown,
            what: format!("the update rollback of stack `{name}`"),
            limit: self.context.settings.deadlines.stack,
        };
        let ended = watch.until_end().await?;
        match ended.stack {
            Some((_, StackStatus::UpdateRollbackComplete)) => Ok(()),
            Some((stack, status)) => {
                Err(failed(self.context, StackFailure::read(&request.tenant, &stack, status, &ended.events)))
            }
            None => Err(DeployError::Vanished { stack: name.to_owned(), what: "its update rollback".into() }),
        }
    }

    /// Why nothing is done about a stack of this status, and what a person does about it.
    pub(super) async fn refused(&self, request: &StackRequest, status: StackStatus) -> DeployError {
        let tenant = &request.tenant;
        let mut reason = status.meaning().to_owned();
        if status == StackStatus::UpdateRollbackFailed {
            // Without the names the refusal still stands.
            let found = self.cloudformation.resources(&request.stack).await.unwrap_or_default();
            let stuck: Vec<_> = found.into_iter().filter(is_stuck).collect();
            if !stuck.is_empty() {
                reason.push_str(&format!("; what could not be put back: {}", listed(stuck.iter())));
            }
        }
        let help = status.help_for(tenant);
        DeployError::Refused { stack: request.stack.clone(), status: status.as_str(), reason, help }
    }

    async fn resources(&self, stack: &Stack) -> Result<Vec<StackResource>, DeployError> {
        let resources = self.cloudformation.resources(&stack.id).await;
        resources.doing(|| format!("listing the resources of stack `{}`", stack.name))
    }
}

fn is_left(resource: &StackResource) -> bool {
    resource.physical_id.is_some() && resource.status != "DELETE_COMPLETE"
}

fn is_stuck(resource: &StackResource) -> bool {
    resource.status == "UPDATE_FAILED"
}

fn listed<'a>(resources: impl IntoIterator<Item = &'a StackResource>) -> String {
    let one = |resource: &StackResource| {
        let name = resource.physical_id.as_deref().unwrap_or_default();
        format!("`{}` ({} {name})", resource.logical_id, resource.kind)
    };
    resources.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Starts a deletion. Where the answer was lost, the stack tells whether it has started.
pub(super) async fn start_deletion(
    cloudformation: &dyn CloudFormation,
    region: &str,
    stack: &Stack,
    request: &StackDeletion,
) -> Result<(), DeployError> {
    let doing = || format!("deleting stack `{}` in `{region}`", stack.name);
    let mut lost: Option<AwsError> = None;
    for _ in 0..TRIES {
        let error = match cloudformation.delete_stack(request).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_passing() && error.kind != AwsErrorKind::Throttled => error,
            Err(error) => return Err(error).doing(doing),
        };
        match cloudformation.stack(&stack.id).await {
            Ok(None) => return Ok(()),
            Ok(Some(now)) if now.status.starts_with("DELETE_") && now.status != stack.status => return Ok(()),
            Ok(Some(_)) => lost = Some(error),
            Err(_) => return Err(DeployError::Unknown { doing: doing(), source: error }),
        }
    }
    lost.map_or(Ok(()), |error| Err(error).doing(doing))
}
