//! What every operation on a tenant is given: the clock, the sink, the deadlines.

use std::sync::Arc;
use std::time::Duration;

use crate::aws::{AwsError, Boxed};
use crate::clock::Clock;
use crate::report::{Event, Sink};

/// Shared by all operations of a process.
#[derive(Clone)]
pub struct Context {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told.
    pub sink: Arc<dyn Sink>,
    /// How to behave.
    pub settings: Settings,
    /// Where templates go that are too large for a request; `None`: they are refused.
    pub templates: Option<Arc<dyn TemplateStore>>,
}

impl Context {
    pub(super) fn emit(&self, event: &Event) {
        self.sink.emit(event);
    }

    /// Milliseconds since `start` on the context's clock.
    pub(super) fn milliseconds_since(&self, start: Duration) -> u64 {
        u64::try_from(self.clock.elapsed().saturating_sub(start).as_millis()).unwrap_or(u64::MAX)
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// How operations behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether the peer is a local cloud: polled more often, and its account is nobody's.
    pub local: bool,
    /// Role that CloudFormation acts with; `None`: the caller's own rights.
    pub service_role_arn: Option<String>,
    /// How long to wait for what.
    pub deadlines: Deadlines,
}

impl Settings {
    /// Settings for AWS, or for a local cloud.
    #[must_use]
    pub fn new(local: bool) -> Self {
        Self { local, service_role_arn: None, deadlines: Deadlines::default() }
    }

    /// The first wait between two polls, and the longest.
    pub(super) fn poll_intervals(&self) -> (Duration, Duration) {
        if self.local {
            (Duration::from_millis(10), Duration::from_millis(100))
        } else {
            (Duration::from_secs(1), Duration::from_secs(5))
        }
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Working out a change set.
    pub change_set: Duration,
    /// Executing a change set. Distributions take up to half an hour, a rollback as long again.
    pub stack: Duration,
    /// Deleting a stack.
    pub deletion: Duration,
    /// Somebody else's operation.
    pub others: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self { change_set: minutes(10), stack: minutes(75), deletion: minutes(75), others: minutes(30) }
    }
}

/// Where a template goes that is too large for a request.
pub trait TemplateStore: Send + Sync {
    /// Stores a template under a name of its content; the answer is the URL that CloudFormation reads.
    fn put<'a>(&'a self, region: &'a str, template: &'a str) -> Boxed<'a, Result<String, AwsError>>;
}
