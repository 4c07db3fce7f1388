//! The signing keys: secret, key group, and the function that owns both.

use contract::keyring_resource::{KEY_GROUP_ID, TYPE};
use serde::Serialize;

use crate::program::output::{ArtifactValue, Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::program::{Artifact, ArtifactFact};
use crate::tenant::Tenant;
use crate::tenant::decode::Setting;
use crate::tenant::settings::KeyAlgorithm;
use crate::tenant::values::Schedule;

const KEYRING: &str = "SigningKeyring";
const SECRET: &str = "KeyringSecret";

/// Secret, rotator and key group.
#[derive(Debug, Serialize)]
pub struct SigningKeyring<'a> {
    organisation: &'a str,
    tenant: &'a str,
    resource_type: &'static str,
    secret: String,
    rotator: String,
    config_parameter: String,
    key_id_parameter: String,
    code_bucket: ArtifactValue,
    code_key: ArtifactValue,
    algorithm: &'a Setting<KeyAlgorithm>,
    /// A text: the rotator reads it from its environment.
    cookie_minutes: Setting<String>,
    schedule: &'a Setting<Schedule>,
}

/// What others need of the keyring.
#[derive(Debug)]
pub struct SigningKeyringOutputs {
    /// Secret that holds the private key.
    pub secret: Output<kind::SecretArn>,
    /// Key group with the public keys.
    pub key_group: Output<kind::KeyGroupId>,
}

impl<'a> SigningKeyring<'a> {
    /// The keyring of a tenant.
    #[must_use]
    pub fn new(tenant: &'a Tenant) -> Self {
        let keys = &tenant.settings.keys;
        Self {
            organisation: &tenant.organisation,
            tenant: &tenant.name,
            resource_type: TYPE,
            secret: tenant.names.keyring_secret(),
            rotator: tenant.names.rotator_function(),
            config_parameter: tenant.names.config_parameter(),
            key_id_parameter: tenant.names.key_id_parameter(),
            code_bucket: ArtifactValue(Artifact::Rotator, ArtifactFact::Bucket),
            code_key: ArtifactValue(Artifact::Rotator, ArtifactFact::Key),
            algorithm: &keys.algorithm,
            cookie_minutes: tenant.settings.cookies.minutes.derive(|minutes| minutes.get().to_string()),
            schedule: &keys.rotation,
        }
    }

    /// Adds it to a stack.
    ///
    /// # Errors
    /// See [`Stack::add`].
    pub fn add_to(&self, stack: &mut Stack) -> Result<SigningKeyringOutputs, ProgramError> {
        stack.add("signing_keyring", self)?;
        Ok(SigningKeyringOutputs {
            // `Ref` of a secret is its ARN on AWS and its name on emulators; `Id` is the ARN on both.
            secret: Output::attribute(stack.id, SECRET, "Id"),
            key_group: Output::attribute(stack.id, KEYRING, KEY_GROUP_ID),
        })
    }
}
