//! Why a tenant's keys were not rotated.

use std::time::Duration;

use crate::aws::AwsError;

/// Why a tenant's keys were not rotated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotateError {
    /// The tenant has no keyring.
    #[error("tenant `{tenant}` has no secret `{secret}`")]
    NotDeployed {
        /// Tenant.
        tenant: String,
        /// Name of the secret.
        secret: String,
    },
    /// A call failed.
    #[error("cannot {doing}")]
    Aws {
        /// What was about to be done.
        doing: String,
        /// Why it failed.
        #[source]
        source: AwsError,
    },
    /// The rotation function failed.
    #[error("the rotation of `{secret}` failed: {reason}")]
    Failed {
        /// Name of the secret.
        secret: String,
        /// The function's own words.
        reason: String,
        /// Name of the function.
        function: String,
    },
    /// The version that was being rotated in has lost its label, and the function has not said why.
    #[error(
        "the rotation of `{secret}` was given up: version `{version}` is pending no more, and not current"
    )]
    GivenUp {
        /// Name of the secret.
        secret: String,
        /// The version.
        version: String,
        /// Name of the function.
        function: String,
    },
    /// It took too long.
    #[error("the rotation of `{secret}` is not done after {} s", .after.as_secs())]
    Deadline {
        /// Name of the secret.
        secret: String,
        /// How long was waited.
        after: Duration,
        /// Name of the function.
        function: String,
    },
}

impl RotateError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotDeployed { tenant, .. } => Some(format!("run `generator deploy --tenant {tenant}`")),
            Self::Aws { .. } => None,
            Self::Failed { function, .. }
            | Self::GivenUp { function, .. }
            | Self::Deadline { function, .. } => Some(format!(
                "the key before it goes on signing; the whole story is in the log group `{}`",
                super::log::group(function)
            )),
        }
    }
}
