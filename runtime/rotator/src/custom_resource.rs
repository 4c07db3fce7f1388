//! The custom resource `Custom::SigningKeyring`: first key, key group and first version of the secret.
//!
//! Each request may come twice, or late, or after an attempt that was cut off anywhere.

use contract::keyring::Keyring;
use contract::keyring_resource::KeyringProperties;

use crate::algorithm;
use crate::error::Error;
use crate::group;
use crate::mint::{Minted, mint};
use crate::ports::{FaultKind, NewVersion, Version, World, label};
use crate::public_keys;
use crate::tenant::Tenant;

/// Physical id of a keyring whose properties could not be read: nothing was made for it.
pub const NOTHING_MADE: &str = "signing-keyring-without-properties";

/// Makes what is missing of the keyring, on creation and on update alike, and answers the key group's id.
/// `token` names the request: it becomes the version id of a first keyring, or of one of another algorithm,
/// whose rotation is waited for until `deadline`, in seconds since the epoch.
///
/// The order is key, secret, group, parameter. A private key is stored before anything refers to its
/// public key, so an attempt that dies leaves either a usable keyring, which the next one goes on from, or a
/// public key in no group, which the next one removes.
///
/// # Errors
/// A call failed, others change the group at every attempt, or the algorithm did not change in time.
pub async fn establish(
    world: &impl World,
    tenant: &Tenant,
    secret: &str,
    token: &str,
    deadline: u64,
) -> Result<String, Error> {
    if living(world, secret).await?.is_none() {
        first(world, tenant, secret, token).await?;
    }
    let current = async || {
        let keyring = world.keyring(secret, Version::Current).await?;
        keyring.ok_or_else(|| Error::NoValue(label::CURRENT.to_owned()))
    };
    let name = tenant.names.key_group();
    let keys = async || Ok(group::members([&current().await?], world.now()));
    let group = group::establish(world, &name, keys).await?;
    world.put_parameter(&tenant.names.key_id_parameter(), &current().await?.key_id).await?;
    public_keys::sweep(world, tenant, secret).await?;
    algorithm::change(world, tenant, secret, token, deadline).await?;
    Ok(group)
}

/// The current keyring, if CloudFront has its key. A secret that outlived its keys counts as empty.
async fn living(world: &impl World, secret: &str) -> Result<Option<Keyring>, Error> {
    let Some(keyring) = world.keyring(secret, Version::Current).await? else { return Ok(None) };
    Ok(world.public_key(&keyring.key_id).await?.map(|_| keyring))
}

async fn first(world: &impl World, tenant: &Tenant, secret: &str, token: &str) -> Result<(), Error> {
    let version = NewVersion { token, rotation_token: None, label: label::CURRENT };
    match mint(world, tenant, secret, version, Vec::new()).await? {
        Minted::Written(_) => Ok(()),
        Minted::WrittenBefore if living(world, secret).await?.is_some() => Ok(()),
        Minted::WrittenBefore => Err(Error::NoValue(token.to_owned())),
    }
}

/// Removes key group, public keys and parameter. What is missing is removed already.
///
/// A request for a group that is not the tenant's present one does nothing: CloudFormation sends it to clean
/// up after an update that had to make a new group, which must live on.
///
/// # Errors
/// A distribution trusts the group, a foreign group holds one of the keys, or a call failed.
pub async fn remove(world: &impl World, tenant: &Tenant, physical_id: &str) -> Result<(), Error> {
    let name = tenant.names.key_group();
    let present = group::find(world, &name).await?;
    if present.is_some_and(|group| group.id != physical_id) && !stands_in(tenant, physical_id) {
        return Ok(());
    }
    group::delete(world, &name).await?;
    for key in public_keys::owned(world, tenant).await? {
        public_keys::remove(world, &key.id).await?;
    }
    match world.delete_parameter(&tenant.names.key_id_parameter()).await {
        Err(fault) if fault.kind != FaultKind::NotFound => Err(fault.into()),
        _ => Ok(()),
    }
}

/// Physical id of a keyring that could not be made: its removal removes whatever there is of it.
#[must_use]
pub fn unmade_id(properties: &KeyringProperties) -> String {
    Tenant::of_properties(properties).names.key_group()
}

/// Whether `id` stands in for the id of a group that was perhaps made: [`unmade_id`], or one that
/// CloudFormation made from the stack's name because a creation was never answered.
fn stands_in(tenant: &Tenant, id: &str) -> bool {
    id.starts_with(tenant.names.prefix())
}
