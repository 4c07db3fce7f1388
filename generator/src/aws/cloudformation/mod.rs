//! CloudFormation: what deploying asks of it, as a trait, and the adapter that asks the service.

mod client;
mod drift;
mod inspect;
mod poller;
mod read;
#[cfg(test)]
mod tests;
mod types;

pub use client::CloudFormationClient;
pub use drift::{Detection, Drifts, PropertyDrift, ResourceDrift};
pub(super) use poller::Poller;
pub use types::{
    ChangeDetail, ChangeSet, ChangeSetId, ChangeSetKind, ChangeSetSummary, ImportedResource, NewChangeSet,
    RawChange, RollbackContinuation, Room, Stack, StackDeletion, StackEvent, StackResource, Template,
    Validation,
};

use std::collections::HashSet;

use super::{AwsError, Boxed};

/// What deploying needs of CloudFormation in one region. Every list is complete: all pages are read.
pub trait CloudFormation: Send + Sync {
    /// The stack of this name or id, or `None` where there is none. A deleted stack has only its id.
    fn stack<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Option<Stack>, AwsError>>;
    /// The same by the stack's name, for one who reads many at once: they are asked for together.
    fn among_many<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<Option<Stack>, AwsError>> {
        self.stack(name)
    }
    /// The same, as of now or of a moment ago: who watches many stacks asks for all of them together.
    fn watched<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Option<Stack>, AwsError>> {
        self.stack(stack)
    }
    /// The template as it was given to CloudFormation, or `None` where the stack has none.
    fn template<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Option<String>, AwsError>>;
    /// The resources of a stack.
    fn resources<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Vec<StackResource>, AwsError>>;
    /// Events of a stack, oldest first, from `since` on (milliseconds since the epoch, by the service's
    /// clock). What comes before one of `known`, by its id, is not read.
    fn events<'a>(
        &'a self,
        stack: &'a str,
        since: Option<i64>,
        known: &'a HashSet<String>,
    ) -> Boxed<'a, Result<Vec<StackEvent>, AwsError>>;
    /// Has CloudFormation work out a change set. Repeating the same request makes no second one.
    fn create_change_set<'a>(&'a self, request: &'a NewChangeSet)
    -> Boxed<'a, Result<ChangeSetId, AwsError>>;
    /// A change set with all its changes. `change_set` is its name or ARN.
    fn change_set<'a>(
        &'a self,
        stack: &'a str,
        change_set: &'a str,
    ) -> Boxed<'a, Result<ChangeSet, AwsError>>;
    /// The change sets of a stack.
    fn change_sets<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Vec<ChangeSetSummary>, AwsError>>;
    /// Deletes a change set. One that is gone is no failure.
    fn delete_change_set<'a>(
        &'a self,
        stack: &'a str,
        change_set: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>>;
    /// Executes a change set. The same `token` executes it once only.
    fn execute_change_set<'a>(
        &'a self,
        stack: &'a str,
        change_set: &'a str,
        token: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>>;
    /// The same for a change set that takes resources in: whatever fails, none of them is deleted.
    fn execute_import<'a>(
        &'a self,
        stack: &'a str,
        change_set: &'a str,
        token: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>> {
        self.execute_change_set(stack, change_set, token)
    }
    /// What the service's early validation says of a change set; `None` where the peer has none.
    fn validations<'a>(
        &'a self,
        _stack: &'a str,
        _change_set: &'a str,
    ) -> Boxed<'a, Result<Option<Vec<Validation>>, AwsError>> {
        Box::pin(async { Ok(None) })
    }
    /// How many stacks there are and may be; `None` where the peer does not tell.
    fn room(&self) -> Boxed<'_, Result<Option<Room>, AwsError>> {
        Box::pin(async { Ok(None) })
    }
    /// Starts deleting a stack. The same token starts it once only.
    fn delete_stack<'a>(&'a self, request: &'a StackDeletion) -> Boxed<'a, Result<(), AwsError>>;
    /// Goes on with an update rollback that has failed. The same token starts it once only.
    fn continue_rollback<'a>(&'a self, request: &'a RollbackContinuation) -> Boxed<'a, Result<(), AwsError>>;
    /// Waits for the turn of an operation that will change a distribution: CloudFront allows fewer changes than
    /// CloudFormation makes.
    fn turn_for_distribution(&self) -> Boxed<'_, ()> {
        Box::pin(async {})
    }
}
