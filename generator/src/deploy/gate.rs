//! What must let a change set pass before it is executed.

use crate::aws::Boxed;
use crate::plan::{self, GuardError, Sides, StackChange};

/// Judges changes that are known but not yet executed: the guard against data loss, a person's consent,
/// policies. Several are asked in turn.
pub trait Gate: Send + Sync {
    /// Lets the changes between two templates pass, or says why not.
    fn pass<'a>(
        &'a self,
        tenant: &'a str,
        change: &'a StackChange,
        sides: &'a Sides<'a>,
    ) -> Boxed<'a, Result<(), Refusal>>;
}

/// Why changes were not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// Why.
    pub reason: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether a person said no, rather than a rule.
    pub cancelled: bool,
}

impl From<GuardError> for Refusal {
    fn from(error: GuardError) -> Self {
        Self { reason: error.to_string(), help: Some(error.help()), cancelled: false }
    }
}

/// Stops changes that lose data, except for the resources named.
#[derive(Debug, Clone, Default)]
pub struct DataLossGate {
    /// Logical ids that may be replaced or removed.
    pub allow_replace: Vec<String>,
}

impl Gate for DataLossGate {
    fn pass<'a>(
        &'a self,
        _: &'a str,
        change: &'a StackChange,
        _: &'a Sides<'a>,
    ) -> Boxed<'a, Result<(), Refusal>> {
        Box::pin(async move { Ok(plan::guard(change, &self.allow_replace)?) })
    }
}
