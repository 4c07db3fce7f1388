//! What the signer must know, in the parameter that it reads. Its shape is
//! [`contract::edge_config::EdgeConfig`], which a test holds it to.

use serde::Serialize;
use serde_json::{Value, json};

use super::distribution::DistributionOutputs;
use super::given::Given;
use super::signing_keyring::SigningKeyringOutputs;
use super::user_pool::UserPoolOutputs;
use crate::program::output::{Around, JsonText, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::settings::Keep;

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
        let aliases = &settings.edge.aliases;
        hosts.extend(aliases.iter().map(|alias| json!(aliases.derive(|_| alias.to_string()))));
        let config = json!({
            "hosts": hosts,
            "keyring_secret": keys.secret,
            "issuer": issuer(&pool.provider),
            "clients": pool.clients,
            "origins": settings.cors.origins,
            "cookie": {
                "minutes": settings.cookies.minutes,
                "same_site": settings.cookies.same_site,
                "hash": settings.cookies.hash,
                "slot_seconds": settings.cookies.slot_seconds,
                "bind_address": settings.cookies.bind_address,
                "persistent": settings.cookies.keep.derive(|keep| *keep == Keep::Lasting),
            },
            "token": {
                "scopes": settings.token.scopes,
                "groups": settings.token.groups,
                "leeway_seconds": settings.token.leeway_seconds,
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

/// `iss` of the tokens of a user pool.
fn issuer(provider: &Given<kind::UserPoolProvider>) -> Value {
    const SCHEME: &str = "https://";
    match provider {
        Given::Made(output) => json!(Around { before: SCHEME, output: output.clone() }),
        Given::Brought(setting) => json!(setting.derive(|host| format!("{SCHEME}{host}"))),
    }
}
