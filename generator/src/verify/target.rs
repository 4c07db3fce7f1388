//! What is verified: the deployed resources of a tenant, found through its stack outputs.

use std::collections::BTreeMap;

use thiserror::Error;

use super::unready::{Unready, output};
use crate::aws::AwsError;

/// The resources of a deployed tenant that verifying needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Tenant.
    pub tenant: String,
    /// Region of the user pool.
    pub region: String,
    /// Host name that viewers use.
    pub host: String,
    /// Version of the signer that CloudFront runs.
    pub signer_version: String,
    /// Key group that guards the media.
    pub key_group: String,
    /// User pool.
    pub user_pool: String,
    /// App client.
    pub client: String,
}

/// Why a tenant could not be verified. A tenant that was verified and failed is no error.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The tenant is not deployed, or a call failed.
    #[error(transparent)]
    Unready(#[from] Unready),
    /// The edge did not answer, or not as an edge.
    #[error("asking `{what}` failed: {reason}")]
    Unreachable {
        /// URL or function.
        what: String,
        /// Why.
        reason: String,
    },
}

impl VerifyError {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unready(unready) => unready.help(),
            Self::Unreachable { .. } => Some("a new distribution takes some minutes until it answers".into()),
        }
    }

    pub(super) fn aws(doing: impl Into<String>) -> impl FnOnce(AwsError) -> Self {
        let doing = Unready::aws(doing);
        move |source| doing(source).into()
    }
}

impl Target {
    /// The target that a tenant's stack outputs describe.
    ///
    /// # Errors
    /// [`Unready::NotDeployed`] with the first output that is missing.
    pub fn of(tenant: &str, region: &str, outputs: &BTreeMap<String, String>) -> Result<Self, VerifyError> {
        let get = |name: &'static str| output(tenant, outputs, name).map(str::to_owned);
        Ok(Self {
            tenant: tenant.to_string(),
            region: region.to_string(),
            host: get("Host")?,
            signer_version: get("SignerVersionArn")?,
            key_group: get("KeyGroupId")?,
            user_pool: get("UserPoolId")?,
            client: get("UserPoolClientId")?,
        })
    }

    /// Issuer of the tokens of the tenant's user pool.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("https://cognito-idp.{}.amazonaws.com/{}", self.region, self.user_pool)
    }
}
