//! The program behind every tenant.

use super::components::{
    ContentBucket, Distribution, IdentityPool, Signer, SignerConfig, SigningKeyring, UserPool,
};
use super::deployment::Deployment;
use super::stack::{ProgramError, Stack};
use crate::tenant::Tenant;

/// Private media behind CloudFront, opened by a Cognito login.
///
/// # Errors
/// [`ProgramError`], which is a bug of the program and never the fault of a tenant file.
pub fn media_cdn(tenant: &Tenant) -> Result<Deployment, ProgramError> {
    let mut regional = Stack::regional(tenant);
    let mut edge = Stack::edge(tenant); // always us-east-1

    let pool = UserPool::new(tenant).add_to(&mut regional)?;
    let bucket = ContentBucket::new(tenant).add_to(&mut regional)?;
    IdentityPool::new(tenant, &pool, &bucket).add_to(&mut regional)?;

    let keys = SigningKeyring::new(tenant).add_to(&mut edge)?;
    let signer = Signer::new(tenant, &keys).add_to(&mut edge)?;
    let cdn = Distribution::new(tenant, &pool, &bucket, &keys, &signer).add_to(&mut edge)?;
    SignerConfig::new(tenant, &pool, &keys, &cdn).add_to(&mut edge)?; // pool is in the other stack

    bucket.allow_read(&cdn, &mut regional)?; // closes the loop
    Deployment::of(regional, edge)
}
