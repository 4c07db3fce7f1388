//! What was checked, and what came of it.

use serde::Serialize;

/// One expectation of a deployed tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable name, such as `no-token`.
    pub name: &'static str,
    /// Whether the tenant met it.
    pub passed: bool,
    /// What was seen; never a token, a cookie or a key.
    pub detail: String,
}

/// All checks of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Tenant.
    pub tenant: String,
    /// Host that was asked.
    pub host: String,
    /// In what way it was asked.
    pub through: String,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
}

impl Verification {
    /// Whether every check passed, and there was one at all.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.passed)
    }

    pub(super) fn add(&mut self, name: &'static str, passed: bool, detail: impl Into<String>) {
        self.checks.push(Check { name, passed, detail: detail.into() });
    }
}
