//! The key group: which keys belong into it, and how it is changed while others may change it too.

use contract::keyring::Keyring;

use crate::error::Error;
use crate::lifetime;
use crate::ports::{FaultKind, KeyGroup, Keys};

/// Attempts at a change of the group that others change at the same time.
const ATTEMPTS: u32 = 6;

/// The keys that belong into the group: of every keyring given, its own key and the retired ones that
/// cookies may still need at `now`. In a fixed order, each once.
///
/// Given one keyring or more it is never empty. For a pending keyring and the current one it is at most
/// [`lifetime::GROUP_MAX`], because the pending one is only made where there is room.
#[must_use]
pub fn members<'a>(keyrings: impl IntoIterator<Item = &'a Keyring>, now: u64) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for keyring in keyrings {
        let retired = lifetime::needed(keyring, now).map(|key| &key.key_id);
        for key in std::iter::once(&keyring.key_id).chain(retired) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    keys
}

/// Finds a key group by its name, over all pages.
///
/// # Errors
/// A call failed.
pub async fn find(world: &impl Keys, name: &str) -> Result<Option<KeyGroup>, Error> {
    let mut marker: Option<String> = None;
    loop {
        let page = world.key_groups(marker.as_deref()).await?;
        if let Some(listed) = page.items.iter().find(|group| group.name == name) {
            return Ok(world.key_group(&listed.id).await?);
        }
        match page.next {
            Some(next) => marker = Some(next),
            None => return Ok(None),
        }
    }
}

/// Makes what `keys` answers the content of the group called `name`. Repeating it changes nothing.
///
/// `keys` is asked *after* the group was read and before it is written. So what it reads is at least as new
/// as the group, and where somebody writes the group meanwhile, this write is refused and all is read again:
/// no run can take out a key that another has put in for a keyring it did not know of.
///
/// # Errors
/// The group does not exist, others change it at every attempt, or a call failed.
pub async fn set(
    world: &impl Keys,
    name: &str,
    keys: impl AsyncFn() -> Result<Vec<String>, Error>,
) -> Result<(), Error> {
    write(world, name, Write::IfDifferent, keys).await
}

/// As [`set`], but writes the group also where it holds these keys already. Every write that others have
/// prepared from what they read before is refused by it, so nothing older comes back.
///
/// # Errors
/// As [`set`].
pub async fn overwrite(
    world: &impl Keys,
    name: &str,
    keys: impl AsyncFn() -> Result<Vec<String>, Error>,
) -> Result<(), Error> {
    write(world, name, Write::Always, keys).await
}

/// When to write a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    IfDifferent,
    Always,
}

async fn write(
    world: &impl Keys,
    name: &str,
    when: Write,
    keys: impl AsyncFn() -> Result<Vec<String>, Error>,
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let group = find(world, name).await?.ok_or_else(|| Error::NoGroup(name.to_owned()))?;
        let keys = keys().await?;
        if when == Write::IfDifferent && same(&group.keys, &keys) {
            return Ok(());
        }
        match world.update_key_group(&group, &keys).await {
            Err(fault) if fault.kind == FaultKind::Stale => {}
            other => return Ok(other?),
        }
    }
    Err(Error::GroupContended(name.to_owned()))
}

/// Makes sure that a group called `name` exists and holds the first of what `keys` answers; where it must be
/// written it gets all of them. Answers its id.
///
/// `keys` is asked after the group was read, as in [`set`].
///
/// # Errors
/// Others change the group at every attempt, or a call failed.
pub async fn establish(
    world: &impl Keys,
    name: &str,
    keys: impl AsyncFn() -> Result<Vec<String>, Error>,
) -> Result<String, Error> {
    for _ in 0..ATTEMPTS {
        let group = find(world, name).await?;
        let keys = keys().await?;
        let written = match group {
            Some(group) if keys.first().is_some_and(|key| group.keys.contains(key)) => return Ok(group.id),
            Some(group) => world.update_key_group(&group, &keys).await.map(|()| group.id),
            None => world.create_key_group(name, &keys).await,
        };
        match written {
            Err(fault) if matches!(fault.kind, FaultKind::Stale | FaultKind::AlreadyExists) => {}
            other => return Ok(other?),
        }
    }
    Err(Error::GroupContended(name.to_owned()))
}

/// Deletes the group called `name`. One that does not exist is deleted already.
///
/// # Errors
/// A distribution trusts the group, others change it at every attempt, or a call failed.
pub async fn delete(world: &impl Keys, name: &str) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let Some(group) = find(world, name).await? else { return Ok(()) };
        match world.delete_key_group(&group.id, &group.etag).await {
            Err(fault) if fault.kind == FaultKind::InUse => {
                return Err(Error::GroupInUse(name.to_owned()));
            }
            Err(fault) if matches!(fault.kind, FaultKind::Stale | FaultKind::NotFound) => {}
            other => return Ok(other?),
        }
    }
    Err(Error::GroupContended(name.to_owned()))
}

/// Whether two groups hold the same keys, in whatever order.
fn same(held: &[String], wanted: &[String]) -> bool {
    held.len() == wanted.len() && wanted.iter().all(|key| held.contains(key))
}
