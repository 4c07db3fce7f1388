//! The order of operations of the published walkthrough: to show that the model finds what is wrong there.
//!
//! Every call, whichever step it is for, keeps the current public key, takes the others out of the group and
//! deletes them, and only then makes a new one, puts it in and replaces the private key.

use contract::keyring::Keyring;
use rotator::error::Error;
use rotator::group;
use rotator::ports::{NewVersion, Version, World, label};
use rotator::public_keys;
use rotator::tenant::Tenant;

pub(crate) async fn rotate(
    world: &impl World,
    tenant: &Tenant,
    secret: &str,
    token: &str,
) -> Result<(), Error> {
    let name = tenant.names.key_group();
    let current = world.keyring(secret, Version::Current).await?;
    let current = current.ok_or_else(|| Error::NoValue(token.to_owned()))?;
    let pair = world.generate(tenant.algorithm).await?;
    group::set(world, &name, async || Ok(vec![current.key_id.clone()])).await?;
    for key in public_keys::owned(world, tenant).await? {
        if key.id != current.key_id {
            public_keys::remove(world, &key.id).await?;
        }
    }
    let key_id = world.create_public_key(&tenant.names.public_key(token), token, &pair.public).await?;
    group::set(world, &name, async || Ok(vec![current.key_id.clone(), key_id.clone()])).await?;
    let keyring = Keyring {
        key_id,
        private_key: pair.private,
        algorithm: tenant.algorithm,
        created: world.now(),
        retired: Vec::new(),
    };
    let version = NewVersion { token, rotation_token: None, label: label::CURRENT };
    world.put_keyring(secret, version, &keyring).await?;
    world.put_parameter(&tenant.names.key_id_parameter(), &keyring.key_id).await?;
    Ok(())
}
