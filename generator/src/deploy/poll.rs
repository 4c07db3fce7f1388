//! Waiting: ask, wait a little longer each time, give up at a deadline and say what was waited for.

use std::time::Duration;

use super::{Context, DeployError};
use crate::aws::AwsError;

/// What one look has shown.
pub(super) enum Look<T> {
    /// It is there.
    Done(T),
    /// Not yet; what was seen instead.
    NotYet(String),
}

/// A wait with a deadline.
pub(super) struct Wait<'a> {
    context: &'a Context,
    what: String,
    limit: Duration,
    start: Duration,
    interval: Duration,
    longest: Duration,
    last: String,
    /// Whether what is waited for goes on without us.
    goes_on: bool,
}

impl<'a> Wait<'a> {
    /// Waits at most `limit` for `what`.
    pub(super) fn new(context: &'a Context, what: String, limit: Duration) -> Self {
        let (interval, longest) = context.settings.poll_intervals();
        let start = context.clock.elapsed();
        Self { context, what, limit, start, interval, longest, last: "nothing yet".into(), goes_on: false }
    }

    /// What is waited for is under way in the cloud: losing sight of it is not its failure.
    pub(super) fn under_way(mut self) -> Self {
        self.goes_on = true;
        self
    }

    /// Lets a moment pass before the first look, which would cost a call and show nothing.
    pub(super) async fn a_moment(&mut self) {
        self.context.wait(self.interval.min(self.limit)).await;
        self.interval = (self.interval * 2).min(self.longest);
    }

    /// Takes in one look: its result where it is done; otherwise sleeps, or gives up at the deadline.
    ///
    /// A look that failed in passing (throttled, cut off, unanswered) is no verdict on what is waited for.
    pub(super) async fn take<T>(
        &mut self,
        look: Result<Look<T>, AwsError>,
    ) -> Result<Option<T>, DeployError> {
        match look {
            Ok(Look::Done(found)) => return Ok(Some(found)),
            Ok(Look::NotYet(seen)) => self.last = seen,
            Err(error) if error.is_passing() => {
                self.last = error.to_string();
                self.interval = self.longest;
            }
            Err(source) if self.goes_on => {
                return Err(DeployError::LostSight { what: std::mem::take(&mut self.what), source });
            }
            Err(source) => {
                return Err(DeployError::Aws { doing: format!("waiting for {}", self.what), source });
            }
        }
        let waited = self.context.clock.elapsed().saturating_sub(self.start);
        if waited >= self.limit {
            return Err(DeployError::Deadline {
                what: std::mem::take(&mut self.what),
                after: self.limit,
                last: std::mem::take(&mut self.last),
            });
        }
        self.context.wait(self.interval.min(self.limit - waited)).await;
        self.interval = (self.interval * 2).min(self.longest);
        Ok(None)
    }
}
