//! Revoking: the answer to a leaked key. All older keys leave at once, and every cookie of theirs dies.
//!
//! A new key is made and stored, the group gets it and nothing else, the secret moves to it, the older
//! public keys are deleted. No proof is waited for: until the edges know the new key, nobody is let in.
//!
//! Rotations and stack updates may run beside it. What they put back of the older keys before the secret
//! moved is taken out again after it, by a write that makes every older one fail; after it, a rotation that was made to follow an older key is cancelled
//! by its own next step.

use contract::keyring::Keyring;

use crate::error::Error;
use crate::group;
use crate::mint::{Minted, mint};
use crate::ports::{NewVersion, SecretState, Version, World, label};
use crate::steps;
use crate::tenant::Tenant;

/// Attempts at moving the label while rotations move it too.
const ATTEMPTS: u32 = 6;

/// Replaces all keys of the tenant by a new one and answers its id. `token` names the revocation: repeated
/// with the same one, it goes on where it was broken off and makes no second key.
///
/// # Errors
/// A call failed, `token` belongs to an older version, or others change the same things at every attempt.
pub async fn revoke(world: &impl World, tenant: &Tenant, secret: &str, token: &str) -> Result<String, Error> {
    let state = world.secret_state(secret).await?;
    if state.has(token, label::PREVIOUS) {
        return Err(Error::Superseded(token.to_owned()));
    }
    if !state.has(token, label::CURRENT) {
        let replacement = replacement(world, tenant, secret, token).await?;
        let only = [replacement.key_id];
        group::set(world, &tenant.names.key_group(), async || Ok(only.to_vec())).await?;
        make_current(world, secret, token).await?;
    }
    group::overwrite(world, &tenant.names.key_group(), async || steps::needed(world, secret).await).await?;
    let current = steps::tidy_up(world, tenant, secret).await?;
    if world.secret_state(secret).await?.has(token, label::REPLACEMENT) {
        world.drop_label(secret, token, label::REPLACEMENT).await?;
    }
    Ok(current.key_id)
}

/// The keyring of the version `token`, made where it is not made yet.
async fn replacement(
    world: &impl World,
    tenant: &Tenant,
    secret: &str,
    token: &str,
) -> Result<Keyring, Error> {
    if let Some(made) = world.keyring(secret, Version::Replacement(token)).await? {
        return match world.public_key(&made.key_id).await? {
            Some(_) => Ok(made),
            None => Err(Error::ReplacementGone(made.key_id)),
        };
    }
    let version = NewVersion { token, rotation_token: None, label: label::REPLACEMENT };
    if let Minted::Written(keyring) = mint(world, tenant, secret, version, Vec::new()).await? {
        return Ok(keyring);
    }
    let made = world.keyring(secret, Version::Replacement(token)).await?;
    made.ok_or_else(|| Error::Superseded(token.to_owned()))
}

/// Moves the current label to the version `token`, from wherever a rotation has put it meanwhile.
async fn make_current(world: &impl World, secret: &str, token: &str) -> Result<(), Error> {
    let mut holder: Option<String> = None;
    for _ in 0..ATTEMPTS {
        let state: SecretState = world.secret_state(secret).await?;
        let from = state.holder(label::CURRENT);
        if from == Some(token) {
            return Ok(());
        }
        match world.move_current(secret, token, from).await {
            Ok(()) => return Ok(()),
            // Refused although nobody has moved it: trying again would not help.
            Err(fault) if holder.as_deref() == from => return Err(fault.into()),
            Err(_) => holder = from.map(str::to_owned),
        }
    }
    Err(Error::SecretContended(secret.to_owned()))
}
