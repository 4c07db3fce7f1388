//! The Lambda function that owns a tenant's signing keys: key group and public keys in CloudFront, the
//! keyring in Secrets Manager, the published key id in Parameter Store.
//!
//! It serves three callers. CloudFormation makes and removes the keyring as a custom resource
//! ([`custom_resource`]); Secrets Manager rotates the key in four steps ([`steps`]); a person revokes leaked
//! keys ([`revocation`]). All of it is written against the traits in [`ports`], so that they run unchanged against [`aws`], against a world in
//! memory, and in a model.

pub mod algorithm;
pub mod aws;
pub mod custom_resource;
pub mod error;
pub mod event;
#[cfg(feature = "lambda")]
mod function;
pub mod group;
pub mod keypair;
pub mod lifetime;
#[cfg(feature = "lambda")]
mod log;
pub mod mint;
pub mod ports;
pub mod proof;
pub mod public_keys;
pub mod response;
pub mod revocation;
pub mod steps;
pub mod tenant;
pub mod versions;

#[cfg(feature = "lambda")]
pub use function::Function;

/// Chooses the TLS implementation of the process: the one that the AWS SDK has brought anyway.
pub fn use_crypto_provider() {
    // The first choice stands where one was made already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
