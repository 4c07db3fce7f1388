//! A new version of the keyring, with a key of its own: one for each token, however often it is tried.

use contract::keyring::{Keyring, RetiredKey};

use crate::error::Error;
use crate::group;
use crate::ports::{FaultKind, KeyPair, Keys, NewVersion, World};
use crate::public_keys;
use crate::tenant::Tenant;

/// Public keys tried for one token. All but the last belong to attempts that were cut off before they could
/// store their private key; each of those is removed by the first attempt that succeeds.
const KEYS_PER_TOKEN: usize = 6;

/// What came of writing a version.
pub enum Minted {
    /// It was written.
    Written(Keyring),
    /// Another run wrote it first. The key made here is gone again.
    WrittenBefore,
}

/// Makes a key pair, its public key and the `version` of `secret` that holds both.
///
/// An earlier attempt may have left a public key whose private key is lost. It is in the way by its name, so
/// another is made beside it, and the lost one is removed only after the version was written. Removing it
/// first would take away the key of a run that is under way at this moment.
///
/// # Errors
/// A call failed.
pub async fn mint(
    world: &impl World,
    tenant: &Tenant,
    secret: &str,
    version: NewVersion<'_>,
    retired: Vec<RetiredKey>,
) -> Result<Minted, Error> {
    let created = world.now();
    let pair = world.generate(tenant.algorithm).await?;
    let (key_id, lost) = public_key(world, tenant, version.token, &pair).await?;
    let algorithm = tenant.algorithm;
    let keyring = Keyring { key_id, private_key: pair.private, algorithm, created, retired };
    match world.put_keyring(secret, version, &keyring).await {
        Ok(()) => {
            if lost {
                remove_lost(world, tenant, version.token, &keyring.key_id).await?;
            }
            Ok(Minted::Written(keyring))
        }
        Err(fault) if fault.kind == FaultKind::AlreadyExists => {
            public_keys::remove(world, &keyring.key_id).await?;
            Ok(Minted::WrittenBefore)
        }
        // A request that comes after the secret was deleted: no later one would find the key and remove it.
        Err(fault) if fault.kind == FaultKind::NotFound => {
            public_keys::remove(world, &keyring.key_id).await?;
            Err(fault.into())
        }
        Err(fault) => Err(fault.into()),
    }
}

/// Names that public keys made for `token` can have, in the order in which they are tried.
pub fn key_names(tenant: &Tenant, token: &str) -> impl Iterator<Item = String> {
    (0..KEYS_PER_TOKEN).map(move |number| key_name(tenant, token, number))
}

/// Name of the public key that is tried after `number` others.
fn key_name(tenant: &Tenant, token: &str, number: usize) -> String {
    match number {
        0 => tenant.names.public_key(token),
        // In front, because a name has only the beginning of what it is made from.
        _ => tenant.names.public_key(&format!("{number}{token}")),
    }
}

/// Makes the public key. Answers its id and whether there are others for the same token.
async fn public_key(
    world: &impl Keys,
    tenant: &Tenant,
    token: &str,
    pair: &KeyPair,
) -> Result<(String, bool), Error> {
    let mut number = 0;
    loop {
        let name = key_name(tenant, token, number);
        // Whether a caller reference can be used again when its key is deleted is not documented.
        let reference = if number == 0 { token.to_owned() } else { format!("{token}-{number}") };
        match world.create_public_key(&name, &reference, &pair.public).await {
            Ok(id) => return Ok((id, number > 0)),
            Err(fault) if fault.kind == FaultKind::AlreadyExists && number + 1 < KEYS_PER_TOKEN => {
                number += 1;
            }
            Err(fault) => return Err(fault.into()),
        }
    }
}

/// Removes the public keys of `token` other than `kept`, unless they are in the tenant's group.
async fn remove_lost(world: &impl Keys, tenant: &Tenant, token: &str, kept: &str) -> Result<(), Error> {
    let names: Vec<String> = key_names(tenant, token).collect();
    let owned = public_keys::owned(world, tenant).await?;
    let group = group::find(world, &tenant.names.key_group()).await?;
    for key in owned {
        let held = group.as_ref().is_some_and(|group| group.keys.contains(&key.id));
        if names.contains(&key.name) && key.id != kept && !held {
            public_keys::remove(world, &key.id).await?;
        }
    }
    Ok(())
}
