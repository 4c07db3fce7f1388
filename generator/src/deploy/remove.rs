//! Deleting one stack.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::error::{DeployError, Doing};
use super::failure::StackFailure;
use super::recover;
use super::watch::{Before, Watch};
use super::{Context, StackStatus};
use crate::aws::cloudformation::{CloudFormation, Stack, StackDeletion, StackEvent};
use crate::report::Event;

/// Deletes a stack and waits until it is gone. The answer is what was told about its resources.
pub(super) async fn delete_stack(
    context: &Context,
    cloudformation: &dyn CloudFormation,
    tenant: &str,
    region: &str,
    stack: &Stack,
) -> Result<Vec<StackEvent>, DeployError> {
    let start = context.clock.elapsed();
    let name = stack.name.as_str();
    let told = (tenant.to_owned(), name.to_owned());
    context.emit(&Event::StackDeleting { tenant: told.0, stack: told.1, region: region.to_owned() });
    let before = cloudformation
        .events(&stack.id, stack.updated.or(stack.created), &HashSet::new())
        .await
        .doing(|| format!("reading the events of stack `{name}`"))?;
    let request = StackDeletion {
        stack: stack.id.clone(),
        token: token(context, &stack.id),
        role_arn: context.settings.service_role_arn.clone(),
    };
    recover::start_deletion(cloudformation, region, stack, &request).await?;
    let watch = Watch {
        context,
        cloudformation,
        tenant,
        name,
        id: &stack.id,
        since: before.last().map(|event| event.time),
        before: before.into_iter().map(|event| event.id).collect(),
        before_it: Before::Unknown,
        what: format!("stack `{name}` to be deleted"),
        limit: context.settings.deadlines.deletion,
    };
    let ended = watch.until_end().await?;
    match ended.stack {
        None | Some((_, StackStatus::DeleteComplete)) => {
            let (tenant, stack) = (tenant.to_owned(), name.to_owned());
            let milliseconds = context.milliseconds_since(start);
            context.emit(&Event::StackDeleted { tenant, stack, milliseconds });
            Ok(ended.events)
        }
        Some((stack, status)) => {
            Err(super::stack::failed(context, StackFailure::read(tenant, &stack, status, &ended.events)))
        }
    }
}

/// A token that repeated attempts of this one call share, and no other call does.
pub(super) fn token(context: &Context, about: &str) -> String {
    let now = context.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let mut digest = Sha256::new();
    digest.update(about);
    digest.update(now.as_nanos().to_be_bytes());
    hex::encode(&digest.finalize()[..16])
}
