//! What every operation on a tenant is given: the clock, the sink, the deadlines.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::record::Record;
use super::rooms::Rooms;
use super::unused::Unused;
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
    /// Room for new stacks in the account.
    pub rooms: Arc<Rooms>,
    /// What this piece of work leaves and costs.
    pub work: Work,
}

/// One piece of work, such as one tenant of a run.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// Stands in the names of its change sets, so that they are known again; letters and digits.
    pub mark: String,
    /// Whether an earlier process may have been cut off within: then change sets of this mark are cleared away.
    pub again: bool,
    /// Change sets that exist and are not executed.
    pub unused: Arc<Unused>,
    /// What an earlier deployment of the tenant has recorded.
    pub recorded: Option<Arc<Record>>,
    /// Milliseconds slept between two looks.
    waited: Arc<AtomicU64>,
}

impl Work {
    /// Another piece, whose change sets are cleaned up together with this one's.
    #[must_use]
    pub fn beside(&self, mark: String, again: bool) -> Self {
        Self { mark, again, unused: Arc::clone(&self.unused), ..Self::default() }
    }

    /// Time spent waiting for the cloud so far.
    #[must_use]
    pub fn waited(&self) -> Duration {
        Duration::from_millis(self.waited.load(Ordering::Relaxed))
    }
}

impl Context {
    /// The same for another piece of work.
    #[must_use]
    pub fn with(&self, work: Work) -> Self {
        Self { work, ..self.clone() }
    }

    /// Sleeps between two looks.
    pub(super) async fn wait(&self, time: Duration) {
        self.clock.sleep(time).await;
        self.work.waited.fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

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
    /// The project's root, which the folders of pages are found from.
    pub root: PathBuf,
    /// Whether the peer is a local cloud: polled more often, and its account is nobody's.
    pub local: bool,
    /// Role that CloudFormation acts with; `None`: the caller's own rights.
    pub service_role_arn: Option<String>,
    /// How long to wait for what.
    pub deadlines: Deadlines,
    /// Whether to end where somebody else works on a stack, rather than to wait.
    pub refuse_busy: bool,
    /// Whether to go on with update rollbacks that have failed, and which resources these skip, by logical id.
    pub continue_rollback: Option<Vec<String>>,
}

impl Settings {
    /// Settings for AWS, or for a local cloud.
    #[must_use]
    pub fn new(local: bool) -> Self {
        let deadlines = Deadlines::default();
        let (root, service_role_arn) = (PathBuf::new(), None);
        Self { root, local, service_role_arn, deadlines, refuse_busy: false, continue_rollback: None }
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
