//! A change of the key algorithm: a rotation, so that keys of both kinds are good meanwhile.

use contract::keyring::Keyring;

use crate::error::Error;
use crate::lifetime;
use crate::ports::{FaultKind, Version, World, label};
use crate::tenant::Tenant;
use crate::versions;

/// Pause between two looks at the rotation, in seconds.
const PAUSE: u64 = 5;

/// Makes the current key one of the tenant's algorithm, by a rotation that the service drives, and waits for
/// its end until `deadline`. `token` names that rotation. A key of that algorithm, or a secret that is not
/// rotated at all, needs nothing.
///
/// The end is waited for because the stack may go on to change the rotation's schedule, which the service
/// refuses while a rotation is under way.
///
/// # Errors
/// The group has no room for one more key yet, the rotation did not end in time, or a call failed.
pub async fn change(
    world: &impl World,
    tenant: &Tenant,
    secret: &str,
    token: &str,
    deadline: u64,
) -> Result<(), Error> {
    let current = current(world, secret).await?;
    if current.algorithm == tenant.algorithm || !world.secret_state(secret).await?.rotation_enabled {
        return Ok(());
    }
    if !under_way(world, tenant, secret).await? {
        if let Some(from) = lifetime::blocked_until(&current, world.now()) {
            return Err(Error::GroupFull { group: tenant.names.key_group(), from });
        }
        match world.rotate(secret, token).await {
            // A schedule has begun one at this moment; its key is of the new algorithm as well.
            Err(fault) if fault.kind == FaultKind::InUse => {}
            other => other?,
        }
    }
    while self::current(world, secret).await?.algorithm != tenant.algorithm {
        if world.now() + PAUSE > deadline {
            return Err(Error::AlgorithmPending(tenant.algorithm));
        }
        world.sleep(PAUSE).await;
    }
    Ok(())
}

/// Whether a rotation that brings the tenant's algorithm is under way. One that was begun for another
/// algorithm is cancelled: it would end with the wrong kind of key.
async fn under_way(world: &impl World, tenant: &Tenant, secret: &str) -> Result<bool, Error> {
    let mut found = false;
    for (version, keyring) in versions::read(world, secret).await?.pending {
        match keyring {
            Some(keyring) if keyring.algorithm != tenant.algorithm => {
                world.drop_label(secret, &version, label::PENDING).await?;
            }
            _ => found = true,
        }
    }
    Ok(found)
}

async fn current(world: &impl World, secret: &str) -> Result<Keyring, Error> {
    let keyring = world.keyring(secret, Version::Current).await?;
    keyring.ok_or_else(|| Error::NoValue(label::CURRENT.to_owned()))
}
