//! What is asked before the first write: the service's early validation, and room for new stacks.

use aws_sdk_cloudformation::types::{EventFilter, HookFailureMode};

use super::read::SERVICE;
use super::{CloudFormationClient, Room, Validation};
use crate::aws::{ApiGroup, AwsError};

impl CloudFormationClient {
    /// What early validation says of a change set. The local cloud records nothing of change sets.
    pub(super) async fn read_validations(
        &self,
        stack: &str,
        change_set: &str,
    ) -> Result<Option<Vec<Validation>>, AwsError> {
        if !self.tells_values() {
            return Ok(None);
        }
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let call = self
                .client
                .describe_events()
                .stack_name(stack)
                .change_set_name(change_set)
                .filters(EventFilter::builder().failed_events(true).build())
                .set_next_token(next);
            let page = self
                .budgeted
                .call(ApiGroup::Describes, || async {
                    let page = call.clone().send().await;
                    page.map_err(|error| AwsError::of(SERVICE, "DescribeEvents", &error))
                })
                .await?;
            for event in page.operation_events() {
                let Some(reason) = event.validation_status_reason() else { continue };
                found.push(Validation {
                    logical_id: event.logical_resource_id().map(str::to_owned),
                    path: event.validation_path().map(str::to_owned),
                    reason: reason.to_owned(),
                    blocks: event.validation_failure_mode() != Some(&HookFailureMode::Warn),
                });
            }
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(Some(found));
            }
        }
    }

    /// The number of stacks and their limit.
    pub(super) async fn read_room(&self) -> Result<Option<Room>, AwsError> {
        if !self.tells_values() {
            return Ok(None);
        }
        let limits = self
            .budgeted
            .call(ApiGroup::Describes, || async {
                let limits = self.client.describe_account_limits().send().await;
                limits.map_err(|error| AwsError::of(SERVICE, "DescribeAccountLimits", &error))
            })
            .await?;
        let limit = limits.account_limits().iter().find(|limit| limit.name() == Some("StackLimit"));
        let Some(limit) = limit.and_then(|limit| limit.value()).and_then(|value| usize::try_from(value).ok())
        else {
            return Ok(None);
        };
        Ok(Some(Room { used: self.every().await?.len(), limit }))
    }
}
