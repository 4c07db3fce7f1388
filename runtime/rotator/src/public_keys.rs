//! Public keys in CloudFront: all found again, and removed when nothing needs them.

use crate::error::Error;
use crate::group;
use crate::mint;
use crate::ports::{FaultKind, Keys, Listed, World};
use crate::tenant::Tenant;
use crate::versions;

/// Attempts at one change against others that change the same thing.
const ATTEMPTS: u32 = 6;

/// All public keys that the rotator of this tenant made, over all pages.
///
/// # Errors
/// A call failed.
pub async fn owned(world: &impl Keys, tenant: &Tenant) -> Result<Vec<Listed>, Error> {
    let mut keys = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let page = world.public_keys(marker.as_deref()).await?;
        keys.extend(page.items.into_iter().filter(|key| tenant.names.owns_public_key(&key.name)));
        match page.next {
            Some(next) => marker = Some(next),
            None => return Ok(keys),
        }
    }
}

/// Removes a public key. One that does not exist is removed already.
///
/// # Errors
/// A key group holds it, or a call failed.
pub async fn remove(world: &impl Keys, id: &str) -> Result<(), Error> {
    let mut attempt = 0;
    loop {
        let Some(key) = world.public_key(id).await? else { return Ok(()) };
        match world.delete_public_key(id, &key.etag).await {
            Err(fault) if fault.kind == FaultKind::NotFound => return Ok(()),
            Err(fault) if fault.kind == FaultKind::InUse => return Err(Error::KeyInUse(id.to_owned())),
            Err(fault) if fault.kind == FaultKind::Stale && attempt < ATTEMPTS => attempt += 1,
            other => return Ok(other?),
        }
    }
}

/// Removes the tenant's public keys that are in no group and that no version needs: the current one, one that
/// is pending, one that a revocation is about to make current.
///
/// The keys are listed first. A key that a rotation makes after that is not in the list; one that it made
/// before belongs to a version that is pending by now, so the order of the reads is what keeps it.
///
/// # Errors
/// A call failed.
pub async fn sweep(world: &impl World, tenant: &Tenant, secret: &str) -> Result<(), Error> {
    let owned = owned(world, tenant).await?;
    let (mut kept_ids, mut kept_names): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let versions = versions::read(world, secret).await?;
    kept_ids.extend([versions.replacement, versions.current].into_iter().flatten().map(|held| held.key_id));
    for (version, keyring) in versions.pending {
        match keyring {
            Some(keyring) => kept_ids.push(keyring.key_id),
            None => kept_names.extend(mint::key_names(tenant, &version)),
        }
    }
    let group = group::find(world, &tenant.names.key_group()).await?;
    kept_ids.extend(group.into_iter().flat_map(|group| group.keys));
    for key in owned {
        if kept_ids.contains(&key.id) || kept_names.contains(&key.name) {
            continue;
        }
        match remove(world, &key.id).await {
            // A group made by hand may hold it: then it is not an orphan.
            Ok(()) | Err(Error::KeyInUse(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
