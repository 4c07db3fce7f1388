//! Watching an operation on a stack to its end: events are passed on, the end is a final status.

use std::collections::HashSet;
use std::time::Duration;

use super::error::DeployError;
use super::failure::STACK;
use super::poll::{Look, Wait};
use super::{Context, StackStatus};
use crate::aws::cloudformation::{CloudFormation, Stack, StackEvent};
use crate::report::Event;

/// How far back events are read again, in milliseconds: they may come late and out of order.
const LATE: i64 = 60_000;

/// An operation to watch.
pub(super) struct Watch<'a> {
    pub(super) context: &'a Context,
    pub(super) cloudformation: &'a dyn CloudFormation,
    pub(super) tenant: &'a str,
    /// Name, for people.
    pub(super) name: &'a str,
    /// ARN, so that a stack that is deleted meanwhile is still found.
    pub(super) id: &'a str,
    /// When the operation began, by the service's clock; older events are of others.
    pub(super) since: Option<i64>,
    /// Ids of events that were there before.
    pub(super) before: HashSet<String>,
    /// What is waited for, and how long.
    pub(super) what: String,
    pub(super) limit: Duration,
}

/// How an operation ended.
pub(super) struct Ended {
    /// `None` where the peer forgets deleted stacks.
    pub(super) stack: Option<(Stack, StackStatus)>,
    /// Its events, oldest first.
    pub(super) events: Vec<StackEvent>,
}

impl Watch<'_> {
    /// Waits for the end, whichever it is.
    ///
    /// A final status counts only once the operation's own event about it is there: right after its start
    /// the service may still show the end of the operation before.
    pub(super) async fn until_end(mut self) -> Result<Ended, DeployError> {
        let mut wait = Wait::new(self.context, self.what.clone(), self.limit);
        let mut seen = std::mem::take(&mut self.before);
        let mut events: Vec<StackEvent> = Vec::new();
        loop {
            let since = events
                .last()
                .map_or(self.since, |last| Some((last.time - LATE).max(self.since.unwrap_or(i64::MIN))));
            let look = tokio::try_join!(
                self.cloudformation.stack(self.id),
                self.cloudformation.events(self.id, since)
            );
            let look = match look {
                Err(error) => Err(error),
                Ok((stack, page)) => {
                    for event in page {
                        if seen.insert(event.id.clone()) {
                            self.tell(&event);
                            events.push(event);
                        }
                    }
                    events.sort_by_key(|event| event.time);
                    Ok(self.judge(stack, &events)?)
                }
            };
            if let Some(stack) = wait.take(look).await? {
                return Ok(Ended { stack, events });
            }
        }
    }

    fn judge(
        &self,
        stack: Option<Stack>,
        events: &[StackEvent],
    ) -> Result<Look<Option<(Stack, StackStatus)>>, DeployError> {
        let Some(stack) = stack else { return Ok(Look::Done(None)) };
        let status: StackStatus = stack
            .status
            .parse()
            .map_err(|source| DeployError::UnknownStatus { stack: self.name.to_owned(), source })?;
        let own = |event: &StackEvent| event.kind == STACK && event.physical_id.as_deref() == Some(self.id);
        // A deleted stack was not deleted before: it was there when this began.
        let told = status == StackStatus::DeleteComplete
            || events.iter().any(|event| own(event) && event.status == stack.status);
        if status.is_busy() || status == StackStatus::ReviewInProgress || !told {
            return Ok(Look::NotYet(format!("status `{status}`")));
        }
        Ok(Look::Done(Some((stack, status))))
    }

    fn tell(&self, event: &StackEvent) {
        if event.kind == STACK && event.physical_id.as_deref() == Some(self.id) {
            return;
        }
        self.context.emit(&Event::ResourceProgress {
            tenant: self.tenant.to_owned(),
            stack: self.name.to_owned(),
            resource: event.logical_id.clone(),
            kind: event.kind.clone(),
            status: event.status.clone(),
            reason: event.reason.clone(),
        });
    }
}

/// Waits until nobody works on a stack any more; `None` where it is gone by then.
pub(super) async fn settled(
    context: &Context,
    cloudformation: &dyn CloudFormation,
    name: &str,
) -> Result<Option<Stack>, DeployError> {
    let what = format!("another operation on stack `{name}`");
    let mut wait = Wait::new(context, what, context.settings.deadlines.others);
    loop {
        let look = match cloudformation.stack(name).await {
            Err(error) => Err(error),
            Ok(None) => Ok(Look::Done(None)),
            Ok(Some(stack)) => {
                let status: StackStatus = stack
                    .status
                    .parse()
                    .map_err(|source| DeployError::UnknownStatus { stack: name.to_owned(), source })?;
                Ok(if status.is_busy() {
                    Look::NotYet(format!("status `{status}`"))
                } else {
                    Look::Done(Some(stack))
                })
            }
        };
        if let Some(stack) = wait.take(look).await? {
            return Ok(stack);
        }
    }
}
