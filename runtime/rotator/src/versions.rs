//! The versions of the keyring secret that matter: the current one and those that may follow it.

use contract::keyring::Keyring;

use crate::error::Error;
use crate::ports::{Secrets, Version, label};

/// What the secret holds.
#[derive(Debug)]
pub struct Versions {
    /// Versions that may become current yet, by id, with what they hold; none where nothing is written yet.
    pub pending: Vec<(String, Option<Keyring>)>,
    /// The keyring that a revocation under way is about to make current.
    pub replacement: Option<Keyring>,
    /// The current keyring.
    pub current: Option<Keyring>,
}

/// Reads them, the pending ones first: one that becomes current meanwhile is seen as the one or the other.
///
/// The pending label stays on a version when it becomes current, and on some peers for good. So a version
/// counts as pending only if it was made to follow the current one: no other can be finished.
///
/// # Errors
/// A call failed.
pub async fn read(world: &impl Secrets, secret: &str) -> Result<Versions, Error> {
    let state = world.secret_state(secret).await?;
    let mut pending = Vec::new();
    for version in state.stages.keys() {
        let settled = state.has(version, label::CURRENT) || state.has(version, label::PREVIOUS);
        if state.has(version, label::PENDING) && !settled {
            pending.push((version.clone(), world.keyring(secret, Version::Pending(version)).await?));
        }
    }
    let replacement = match state.holder(label::REPLACEMENT) {
        Some(version) => world.keyring(secret, Version::Replacement(version)).await?,
        None => None,
    };
    let current = world.keyring(secret, Version::Current).await?;
    pending.retain(|(_, keyring)| match (keyring, &current) {
        (Some(keyring), Some(current)) => follows(keyring, current),
        _ => true,
    });
    Ok(Versions { pending, replacement, current })
}

/// Whether `keyring` was made to follow `current`, or is the same.
#[must_use]
pub fn follows(keyring: &Keyring, current: &Keyring) -> bool {
    let mut known = keyring.retired.iter().map(|retired| &retired.key_id).chain([&keyring.key_id]);
    known.any(|key| *key == current.key_id)
}
