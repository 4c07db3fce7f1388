//! Watching an operation on a stack to its end: events are passed on, the end is a final status.

use std::collections::HashSet;
use std::time::Duration;

use super::error::DeployError;
use super::failure::STACK;
use super::poll::{Look, Wait};
use super::{Context, StackStatus};
use crate::aws::AwsError;
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
    /// What tells the operation's own end from the one before.
    pub(super) before_it: Before,
    /// What is waited for, and how long.
    pub(super) what: String,
    pub(super) limit: Duration,
}

/// What was before an operation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Before {
    /// No stack: any end is this operation's.
    Nothing,
    /// A stack that was last changed then, by the service's clock: a later change is this operation's.
    Changed(i64),
    /// A stack of which that is not known: its events tell.
    Unknown,
}

impl Before {
    /// What was before an operation that `creates` a stack, or changes this one.
    pub(super) fn of(creates: bool, stack: Option<&Stack>) -> Self {
        match stack {
            Some(stack) if !creates => {
                stack.updated.or(stack.created).map_or(Before::Unknown, Before::Changed)
            }
            _ => Before::Nothing,
        }
    }
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
    /// A final status counts only once the stack's time of change, or the operation's own event, tells that it is
    /// the end of this operation: right after its start the service may still show the one before. All stacks of
    /// a region are looked at together; events, a call for each stack, are read half as often, and once more where
    /// the end is a bad one or is not yet known to be ours.
    pub(super) async fn until_end(mut self) -> Result<Ended, DeployError> {
        let mut wait = Wait::new(self.context, self.what.clone(), self.limit).under_way();
        wait.a_moment().await;
        let mut seen = std::mem::take(&mut self.before);
        let mut events: Vec<StackEvent> = Vec::new();
        let mut looks = 0_usize;
        loop {
            looks += 1;
            let look = match self.cloudformation.watched(self.id).await {
                Err(error) => Err(error),
                Ok(stack) => {
                    let good = self.is_good_end(stack.as_ref());
                    let busy = self.is_busy(stack.as_ref());
                    let read = if good || (looks.is_multiple_of(2) && busy) {
                        Ok(())
                    } else {
                        self.read_events(!busy, &mut seen, &mut events).await
                    };
                    match read {
                        Err(error) => Err(error),
                        Ok(()) if good => Ok(self.end(stack)?),
                        Ok(()) => Ok(self.judge(stack, &events)?),
                    }
                }
            };
            if let Some(stack) = wait.take(look).await? {
                return Ok(Ended { stack, events });
            }
        }
    }

    /// Reads what has happened since the last time. While the operation goes on, the first event already known
    /// ends that; its end is judged by the `whole`, as events may come late and in the wrong order.
    async fn read_events(
        &self,
        whole: bool,
        seen: &mut HashSet<String>,
        events: &mut Vec<StackEvent>,
    ) -> Result<(), AwsError> {
        let since = events
            .last()
            .map_or(self.since, |last| Some((last.time - LATE).max(self.since.unwrap_or(i64::MIN))));
        let nothing = HashSet::new();
        let known = if whole { &nothing } else { &*seen };
        for event in self.cloudformation.events(self.id, since, known).await? {
            if seen.insert(event.id.clone()) {
                self.tell(&event);
                events.push(event);
            }
        }
        events.sort_by_key(|event| event.time);
        Ok(())
    }

    fn is_busy(&self, stack: Option<&Stack>) -> bool {
        stack.and_then(|stack| stack.status.parse().ok()).is_some_and(StackStatus::is_busy)
    }

    /// Whether the stack alone tells that this operation has ended well.
    fn is_good_end(&self, stack: Option<&Stack>) -> bool {
        let Some(stack) = stack else { return false };
        let ours = match self.before_it {
            Before::Nothing => true,
            Before::Changed(before) => stack.updated.is_some_and(|now| now > before),
            Before::Unknown => false,
        };
        ours && stack.status.parse().is_ok_and(StackStatus::is_success)
    }

    fn end(&self, stack: Option<Stack>) -> Result<Look<Option<(Stack, StackStatus)>>, DeployError> {
        let Some(stack) = stack else { return Ok(Look::Done(None)) };
        let status = self.status(&stack)?;
        Ok(Look::Done(Some((stack, status))))
    }

    fn status(&self, stack: &Stack) -> Result<StackStatus, DeployError> {
        let unknown = |source| DeployError::UnknownStatus { stack: self.name.to_owned(), source };
        stack.status.parse().map_err(unknown)
    }

    fn judge(
        &self,
        stack: Option<Stack>,
        events: &[StackEvent],
    ) -> Result<Look<Option<(Stack, StackStatus)>>, DeployError> {
        let Some(stack) = stack else { return Ok(Look::Done(None)) };
        let status = self.status(&stack)?;
        let own = |event: &StackEvent| event.kind == STACK && event.physical_id.as_deref() == Some(self.id);
        // A deleted stack was not deleted before: it was there when this began.
        let told = status == StackStatus::DeleteComplete
            || matches!(self.before_it, Before::Nothing)
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
        let look = match cloudformation.watched(name).await {
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
