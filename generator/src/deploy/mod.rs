//! The only executor for one tenant: change sets, waiting, recovery, retiring.
//!
//! Prints nothing and decides nothing about safety: a [`Gate`] does, and [`crate::report::Sink`] is told.
//! Everything here can run for many tenants at once: a [`Context`] is shared and holds no state of a run.

mod account;
pub mod artifacts;
mod changes;
mod collect;
mod context;
mod describe;
pub mod destroy;
mod detach;
mod drift;
mod error;
mod failure;
mod gate;
mod import;
mod leavings;
mod page;
pub mod planned;
mod poll;
mod preflight;
mod preview;
mod reading;
pub mod record;
mod recover;
mod remove;
mod retained;
mod rooms;
mod stack;
mod status;
mod tenant;
mod unused;
mod watch;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub use collect::{CollectRequest, Leftover, collect};
pub use context::{Context, Deadlines, Settings, TemplateStore, Work};
pub use describe::{StackReport, TenantStatus, describe};
pub use drift::{Drifted, StackDrift, drift};
pub use error::DeployError;
pub use failure::{FailedResource, StackFailure};
pub use gate::{DataLossGate, Gate, Refusal};
pub use import::{Importable, import, importable};
pub use preflight::{Check, Verdict, key_room};
pub use preview::{Preview, StackPreview, TenantPreview, preview_tenant};
pub use rooms::Rooms;
pub use stack::{Deployed, Prepared, StackDeployer, StackOutcome, StackRequest};
pub use status::{NextStep, StackStatus, UnknownStatus};
pub use tenant::{ArtifactFacts, ArtifactLocations, TenantOutcome, deploy_tenant};
pub use unused::Unused;
