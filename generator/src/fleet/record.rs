//! The lines of a journal.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MaxFailures, Outcome, Plan, StopReason};

/// Format of the journal that this code reads and writes.
pub(super) const VERSION: u32 = 1;

/// Something that a run must not forget. One JSON object a line; times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The run: always the first line, and only there.
    Run(Box<Header>),
    /// A process takes the run up, the first one included.
    TakenUp {
        /// When.
        at: u64,
        /// Number of the process. With the time it tells apart two that take a run up at once.
        process: u32,
    },
    /// A tenant's job is about to begin.
    Began {
        /// When.
        at: u64,
        /// Tenant.
        tenant: String,
    },
    /// A tenant's job has ended.
    Ended {
        /// When.
        at: u64,
        /// Tenant.
        tenant: String,
        /// How.
        #[serde(flatten)]
        outcome: Outcome,
        /// How long it took, in milliseconds.
        milliseconds: u64,
        /// How much of that was waiting for somebody else.
        waiting_milliseconds: u64,
        /// What only the job knows.
        detail: Value,
    },
    /// The pause after a wave is over.
    Baked {
        /// When.
        at: u64,
        /// Number of the wave, from 0.
        wave: usize,
    },
    /// The process begins nothing more.
    Stopped {
        /// When.
        at: u64,
        /// Why.
        reason: StopReason,
    },
    /// Every tenant's job has ended.
    Finished {
        /// When.
        at: u64,
    },
}

/// What a run is: everything that another process must know to go on with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the journal's format.
    pub version: u32,
    /// Name of the run.
    pub run: String,
    /// Name of the job: `rotate`.
    pub job: String,
    /// When it was started, in milliseconds since the epoch.
    pub started: u64,
    /// What the job itself must know.
    pub arguments: Value,
    /// How the run goes about it.
    pub settings: Settings,
    /// Who comes when.
    pub waves: Plan,
}

impl Header {
    /// The header of a new run.
    #[must_use]
    pub fn new(
        run: String,
        job: &str,
        started: u64,
        arguments: Value,
        settings: Settings,
        waves: Plan,
    ) -> Self {
        Self { version: VERSION, run, job: job.to_owned(), started, arguments, settings, waves }
    }
}

/// How a run goes about its tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Tenants in flight at a time.
    pub concurrency: usize,
    /// Pause between two waves, in seconds.
    pub bake_seconds: u64,
    /// How many tenants may fail before the rest is left alone.
    pub max_failures: MaxFailures,
}
