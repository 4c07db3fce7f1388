//! What the signer must know, in the parameter that it reads. Its shape is
//! [`contract::edge_config::EdgeConfig`], which a test holds it to.

use serde::Serialize;
use serde_json::{Value, json};

use super::distribution::DistributionOutputs;
use super::signing_keyring::SigningKeyringOutputs;
use super::user_pool::UserPoolOutputs;
use crate::program::output::{Around, JsonText};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;

/// Configuration parameter of the signer.
#[derive(Debug, Serialize)]
pub struct SignerConfig {
    parameter: String,
    tenant: String,
    config: JsonText<Value>,
}

impl SignerConfig {
    /// The configuration of a tenant's signer.
    #[must_use]
    pub fn new(
        tenant: &Tenant,
        pool: &UserPoolOutputs,
        keys: &SigningKeyringOutputs,
        cdn: &DistributionOutputs,
    ) -> Self {
        let settings = &tenant.settings;
        let mut hosts = vec![json!(cdn.domain_name)];
        hosts.extend(settings.edge.aliases.iter().map(|alias| json!(alias)));
        let config = json!({
            "hosts": hosts,
            "keyring_secret": keys.secret,
            "issuer": Around { before: "https://", output: pool.provider.clone() },
            "clients": [pool.client],
            "origins": settings.cors.origins,
            "cookie": {
                "minutes": settings.cookies.minutes,
                "same_site": settings.cookies.same_site,
                "hash": settings.cookies.hash,
            },
        });
        Self {
            parameter: tenant.names.config_parameter(),
            tenant: tenant.name.clone(),
            config: JsonText(config),
        }
    }

    /// Adds it to a stack.
    ///
    /// # Errors
    /// See [`Stack::add`].
    pub fn add_to(&self, stack: &mut Stack) -> Result<(), ProgramError> {
        stack.add("signer_config", self)
    }
}
