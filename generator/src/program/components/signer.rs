//! The Lambda@Edge function that issues cookies.

use serde::Serialize;

use super::signing_keyring::SigningKeyringOutputs;
use crate::program::output::{ArtifactValue, Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::program::{Artifact, ArtifactFact};
use crate::tenant::Tenant;

/// Function, role and published version.
#[derive(Debug, Serialize)]
pub struct Signer<'a> {
    function: String,
    tenant: &'a str,
    config_parameter: String,
    secret: &'a Output<kind::SecretArn>,
    code_bucket: ArtifactValue,
    code_key: ArtifactValue,
    code_sha256: ArtifactValue,
}

/// What others need of the signer.
#[derive(Debug)]
pub struct SignerOutputs {
    /// The published version: CloudFront takes neither `$LATEST` nor an alias.
    pub version: Output<kind::FunctionVersionArn>,
}

impl<'a> Signer<'a> {
    /// The signer of a tenant.
    #[must_use]
    pub fn new(tenant: &'a Tenant, keys: &'a SigningKeyringOutputs) -> Self {
        Self {
            function: tenant.names.signer_function(),
            tenant: &tenant.name,
            config_parameter: tenant.names.config_parameter(),
            secret: &keys.secret,
            code_bucket: ArtifactValue(Artifact::Signer, ArtifactFact::Bucket),
            code_key: ArtifactValue(Artifact::Signer, ArtifactFact::Key),
            code_sha256: ArtifactValue(Artifact::Signer, ArtifactFact::CodeSha256),
        }
    }

    /// Adds it to a stack.
    ///
    /// # Errors
    /// See [`Stack::add`].
    pub fn add_to(&self, stack: &mut Stack) -> Result<SignerOutputs, ProgramError> {
        stack.add("signer", self)?;
        Ok(SignerOutputs { version: Output::reference(stack.id, "SignerVersion") })
    }
}
