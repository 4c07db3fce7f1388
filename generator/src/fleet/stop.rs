//! Asking a run to come to an end, and why it came to one.

use std::fmt;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Asks a run to begin nothing more. Clones ask the same run.
#[derive(Debug, Clone)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Asks. What is in flight goes on to its end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends once somebody has asked.
    pub async fn asked(&self) {
        let mut asked = self.0.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = asked.wait_for(|asked| *asked).await;
    }
}

impl Default for Stopper {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a run ended before all of its tenants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum StopReason {
    /// A person, or the machine on its way down, asked for it.
    Asked,
    /// More tenants failed than may fail.
    TooManyFailures {
        /// How many failed.
        failed: usize,
        /// How many may.
        allowed: usize,
    },
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("it was asked to stop"),
            Self::TooManyFailures { failed, allowed } => {
                let tenants = if *failed == 1 { "tenant" } else { "tenants" };
                write!(f, "{failed} {tenants} failed, and {allowed} may")
            }
        }
    }
}
