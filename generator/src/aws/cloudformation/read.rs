//! The SDK's answers -> our plain data.

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{self as sdk, ResourceChange, ResourceChangeDetail};
use aws_smithy_types::DateTime;

use super::{ChangeDetail, ChangeSet, RawChange, Stack, StackEvent, StackResource};
use crate::aws::AwsError;

pub(super) const SERVICE: &str = "cloudformation";

pub(super) fn stack(found: &sdk::Stack) -> Result<Stack, AwsError> {
    let missing = |field| AwsError::incomplete(SERVICE, "DescribeStacks", field);
    let pair = |key: Option<&str>, value: Option<&str>| Some((key?.to_owned(), value?.to_owned()));
    Ok(Stack {
        id: found.stack_id().ok_or_else(|| missing("StackId"))?.to_owned(),
        name: found.stack_name().ok_or_else(|| missing("StackName"))?.to_owned(),
        status: found.stack_status().ok_or_else(|| missing("StackStatus"))?.as_str().to_owned(),
        status_reason: text(found.stack_status_reason()),
        parameters: found
            .parameters()
            .iter()
            // An empty value is left out of the answer by some peers.
            .filter_map(|p| pair(p.parameter_key(), Some(p.parameter_value().unwrap_or_default())))
            .collect(),
        tags: found.tags().iter().filter_map(|tag| pair(tag.key(), tag.value())).collect(),
        outputs: found.outputs().iter().filter_map(|o| pair(o.output_key(), o.output_value())).collect(),
        created: found.creation_time().and_then(millis),
        updated: found.last_updated_time().and_then(millis),
    })
}

pub(super) fn resource(found: &sdk::StackResourceSummary) -> StackResource {
    StackResource {
        logical_id: found.logical_resource_id().unwrap_or_default().to_owned(),
        physical_id: text(found.physical_resource_id()),
        kind: found.resource_type().unwrap_or_default().to_owned(),
        status: found.resource_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
    }
}

pub(super) fn event(found: &sdk::StackEvent) -> StackEvent {
    StackEvent {
        id: found.event_id().unwrap_or_default().to_owned(),
        logical_id: found.logical_resource_id().unwrap_or_default().to_owned(),
        physical_id: text(found.physical_resource_id()),
        kind: found.resource_type().unwrap_or_default().to_owned(),
        status: found.resource_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: text(found.resource_status_reason()),
        time: found.timestamp().and_then(millis).unwrap_or_default(),
        token: text(found.client_request_token()),
    }
}

pub(super) fn change_set(page: &DescribeChangeSetOutput) -> Result<ChangeSet, AwsError> {
    let missing = |field| AwsError::incomplete(SERVICE, "DescribeChangeSet", field);
    Ok(ChangeSet {
        id: page.change_set_id().ok_or_else(|| missing("ChangeSetId"))?.to_owned(),
        name: page.change_set_name().unwrap_or_default().to_owned(),
        stack_id: page.stack_id().ok_or_else(|| missing("StackId"))?.to_owned(),
        status: page.status().ok_or_else(|| missing("Status"))?.as_str().to_owned(),
        status_reason: text(page.status_reason()),
        execution: page.execution_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        created: page.creation_time().and_then(millis),
        changes: page.changes().iter().filter_map(|entry| entry.resource_change()).map(change).collect(),
    })
}

fn change(found: &ResourceChange) -> RawChange {
    RawChange {
        logical_id: found.logical_resource_id().unwrap_or_default().to_owned(),
        physical_id: text(found.physical_resource_id()),
        kind: found.resource_type().unwrap_or_default().to_owned(),
        action: found.action().map(|action| action.as_str().to_owned()).unwrap_or_default(),
        replacement: found.replacement().map(|replacement| replacement.as_str().to_owned()),
        policy_action: found.policy_action().map(|action| action.as_str().to_owned()),
        scope: found.scope().iter().map(|attribute| attribute.as_str().to_owned()).collect(),
        details: found.details().iter().map(detail).collect(),
    }
}

fn detail(found: &ResourceChangeDetail) -> ChangeDetail {
    let target = found.target();
    ChangeDetail {
        attribute: target.and_then(|t| t.attribute()).map(|attribute| attribute.as_str().to_owned()),
        path: text(target.and_then(|t| t.path())).or_else(|| text(target.and_then(|t| t.name()))),
        recreation: target.and_then(|t| t.requires_recreation()).map(|r| r.as_str().to_owned()),
        before: text(target.and_then(|t| t.before_value())),
        after: text(target.and_then(|t| t.after_value())),
        source: found.change_source().map(|source| source.as_str().to_owned()),
        cause: text(found.causing_entity()),
    }
}

/// Absent and empty are the same here: emulators write empty elements where AWS writes none.
fn text(value: Option<&str>) -> Option<String> {
    value.filter(|value| !value.is_empty()).map(str::to_owned)
}

fn millis(time: &DateTime) -> Option<i64> {
    time.to_millis().ok()
}
