//! Why an operation on a stack failed: the resource that failed first, in its own words.

use std::fmt;

use super::StackStatus;
use crate::aws::cloudformation::{Stack, StackEvent};

/// Type of the events about a stack itself.
pub(super) const STACK: &str = "AWS::CloudFormation::Stack";

/// An operation on a stack that ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackFailure {
    /// Tenant.
    pub tenant: String,
    /// Stack.
    pub stack: String,
    /// Status that it ended in.
    pub status: StackStatus,
    /// What CloudFormation says of the stack.
    pub status_reason: Option<String>,
    /// The resource that failed first; `None` where no event names one.
    pub root: Option<FailedResource>,
    /// What stands now.
    pub stands: &'static str,
    /// What to do next.
    pub help: String,
}

/// A resource that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedResource {
    /// Name in the template.
    pub logical_id: String,
    /// Type.
    pub kind: String,
    /// Status in CloudFormation's words.
    pub status: String,
    /// Its own reason.
    pub reason: String,
}

impl fmt::Display for StackFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stack `{}` ended in `{}`", self.stack, self.status)?;
        if let Some(root) = &self.root {
            write!(f, ": `{}` ({}) failed first: {}", root.logical_id, root.kind, root.reason)?;
        } else if let Some(reason) = &self.status_reason {
            write!(f, ": {reason}")?;
        }
        write!(f, "; {}", self.stands)
    }
}

impl std::error::Error for StackFailure {}

impl StackFailure {
    /// Reads a failure from the stack's end and the events of the operation, oldest first.
    pub(super) fn read(tenant: &str, stack: &Stack, status: StackStatus, events: &[StackEvent]) -> Self {
        Self {
            tenant: tenant.to_owned(),
            stack: stack.name.clone(),
            status,
            status_reason: stack.status_reason.clone(),
            root: root(events),
            stands: stands(status),
            help: help(tenant, status),
        }
    }
}

/// The earliest failure of a resource that was not merely cancelled because another had failed.
fn root(events: &[StackEvent]) -> Option<FailedResource> {
    let mut failed: Vec<_> = events
        .iter()
        .filter(|event| event.status.ends_with("_FAILED") && event.kind != STACK)
        .filter(|event| !event.reason.as_deref().is_some_and(is_cancelled))
        .collect();
    failed.sort_by_key(|event| event.time);
    failed.first().map(|event| FailedResource {
        logical_id: event.logical_id.clone(),
        kind: event.kind.clone(),
        status: event.status.clone(),
        reason: event.reason.clone().unwrap_or_else(|| "CloudFormation gave no reason".into()),
    })
}

/// CloudFormation has no code for this, only `Resource creation cancelled` and its like.
fn is_cancelled(reason: &str) -> bool {
    reason.starts_with("Resource ") && reason.trim_end_matches('.').ends_with("cancelled")
}

fn stands(status: StackStatus) -> &'static str {
    match status {
        StackStatus::RollbackComplete => "nothing of the stack stands: what was made is removed again",
        StackStatus::UpdateRollbackComplete | StackStatus::ImportRollbackComplete => {
            "the stack is as it was before"
        }
        StackStatus::RollbackFailed => "part of what was made could not be removed again",
        StackStatus::UpdateRollbackFailed | StackStatus::ImportRollbackFailed => {
            "the stack is part new and part as before"
        }
        StackStatus::CreateFailed | StackStatus::UpdateFailed => {
            "the stack was left as it was at the failure"
        }
        StackStatus::DeleteFailed => "part of the stack could not be deleted",
        _ => "the stack stands",
    }
}

fn help(tenant: &str, status: StackStatus) -> String {
    match status {
        StackStatus::RollbackFailed | StackStatus::CreateFailed => {
            format!("mend the cause, then run `generator destroy --tenant {tenant}` and deploy again")
        }
        StackStatus::UpdateRollbackFailed | StackStatus::ImportRollbackFailed | StackStatus::UpdateFailed => {
            status.help_for(tenant)
        }
        StackStatus::DeleteFailed => {
            format!(
                "mend the cause, then run `generator destroy --tenant {tenant}` again: it goes on from there"
            )
        }
        StackStatus::ImportRollbackComplete => {
            format!("mend the cause, then run `generator import --tenant {tenant}` again")
        }
        _ => format!("mend the cause, then run `generator deploy --tenant {tenant}` again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, status: &str, reason: &str, time: i64) -> StackEvent {
        StackEvent {
            id: format!("{logical_id}-{time}"),
            logical_id: logical_id.into(),
            physical_id: None,
            kind: "AWS::Lambda::Function".into(),
            status: status.into(),
            reason: Some(reason.into()),
            time,
            token: None,
        }
    }

    #[test]
    fn the_first_own_failure_is_the_cause_and_cancelled_ones_are_not() {
        let mut stack = event("demo", "ROLLBACK_IN_PROGRESS", "The following failed: [Signer]", 5);
        stack.kind = STACK.into();
        let events = [
            event("Other", "CREATE_FAILED", "Resource creation cancelled", 2),
            event("Late", "DELETE_FAILED", "still in use", 9),
            event("Signer", "CREATE_FAILED", "the role may not be assumed", 3),
            stack,
        ];
        let root = root(&events).expect("a cause");
        assert_eq!(
            (root.logical_id.as_str(), root.reason.as_str()),
            ("Signer", "the role may not be assumed")
        );
    }

    #[test]
    fn without_a_failing_resource_the_reason_of_the_stack_is_told() {
        let stack =
            Stack { name: "s".into(), status_reason: Some("User Initiated".into()), ..Stack::default() };
        let failure = StackFailure::read("demo", &stack, StackStatus::UpdateRollbackComplete, &[]);
        assert_eq!(
            failure.to_string(),
            "stack `s` ended in `UPDATE_ROLLBACK_COMPLETE`: User Initiated; the stack is as it was before"
        );
        assert_eq!(failure.help, "mend the cause, then run `generator deploy --tenant demo` again");
    }
}
