//! A job for each of many tenants: in waves, a few at a time, with a journal from which a run that was cut off
//! goes on. What the job does is none of this module's business.
//!
//! A [`Plan`] says who comes when. [`run`](run()) goes through it and writes down in a [`Journal`] that a tenant
//! begins *before* it begins, and how it ended before anything else is done about it. What stands in the journal
//! is the [`History`] of the run: the same code reads it back in another process, so going on with a run is
//! running it.

mod engine;
mod failures;
mod file;
mod history;
mod journal;
mod object;
mod plan;
mod record;
mod stop;
mod store;
mod summary;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::Boxed;

pub use engine::{Ended, Fleet, run};
pub use failures::MaxFailures;
pub use file::FileStore;
pub use history::{History, TenantState};
pub use journal::Journal;
pub use object::ObjectStore;
pub use plan::{Member, Plan, PlanError, Wave, WaveRule, WaveRules};
pub use record::{Header, Record, Settings};
pub use stop::{StopReason, Stopper};
pub use store::{JournalError, Store};

/// What is done for one tenant.
pub trait Job: Send + Sync + 'static {
    /// Does it. Where `attempt` is not the first, an earlier process may have been cut off anywhere within, so
    /// the job finds out first how far it came.
    fn run<'a>(&'a self, tenant: &'a str, attempt: Attempt<'a>) -> Boxed<'a, JobEnd>;
}

/// Which try of a tenant's job this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// The run. With the tenant it names the job for ever, so idempotency tokens are derived from both.
    pub run: &'a str,
    /// 1 for the first.
    pub number: u32,
    /// How many tries before this one have ended with a failure. The others were cut off.
    pub failures: u32,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEnd {
    /// What came of it.
    pub outcome: Outcome,
    /// What only the job knows: kept in the journal and told in the report, not read here.
    pub detail: Value,
    /// Time spent waiting for somebody else, of the time that the job took.
    pub waiting: Duration,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is done.
    Done {
        /// What is so now, as half a sentence for people.
        summary: String,
    },
    /// It failed.
    Failed {
        /// Of which kind the failure is.
        kind: FailureKind,
        /// What failed, with its causes.
        message: String,
        /// What to do.
        help: Option<String>,
    },
}

/// Kinds of failures that scripts tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Credentials, permissions, or the wrong account.
    Access,
    /// There is nothing to work on.
    NotFound,
    /// A wait ended without what was waited for.
    Timeout,
    /// A policy or a guard refused.
    Refused,
    /// A deployment failed.
    Deployment,
    /// What it rests on is not so any more.
    Moved,
    /// Anything else.
    Other,
}
