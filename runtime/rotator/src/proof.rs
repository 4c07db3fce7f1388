//! The proof that viewers with cookies of the new key are let in.
//!
//! What an edge answers to a refused cookie is no documented text, and a tenant may have laid an error page
//! over it. So nothing is compared with a text: three visits to the same path tell. One with a key id that
//! no group has, which must be refused; one with the current key, which must be let in; and one with the
//! new key, which must be answered as the current one is. Where the first two are answered alike (a page
//! over the refusal, a country or an address that is blocked, a path that is public) the edge says nothing
//! of cookies, and only the time that the key has been in the group speaks for it.
//!
//! One visit sees one edge. So [`SETTLE`] is waited for whatever it shows, counted from CloudFront's own
//! record of the last change of the group: an attempt that was broken off does not begin to wait anew.

use contract::edge_config::EdgeConfig;
use contract::keyring::Keyring;

use crate::error::Error;
use crate::lifetime::SETTLE;
use crate::ports::{Fault, FaultKind, KeyGroup, Sighting, World};
use crate::steps::Outcome;
use crate::tenant::Tenant;

/// A key id of the right form that CloudFront gives to nobody.
const STRANGER: &str = "K0000000000000";

/// Pause between two rounds of visits, in seconds.
const PAUSE: u64 = 20;

/// Fails unless every edge has had the time to learn of `group` as it is.
///
/// # Errors
/// It has not; the error says when it will have.
pub fn settled(world: &impl World, group: &KeyGroup) -> Result<(), Error> {
    let from = group.modified + SETTLE;
    if world.has_edges() && world.now() < from {
        return Err(Error::Settling { group: group.name.clone(), from });
    }
    Ok(())
}

/// Waits until every edge has had the time to learn of `group`, but not past `deadline`.
///
/// # Errors
/// As [`settled`].
pub async fn settle(world: &impl World, group: &KeyGroup, deadline: u64) -> Result<(), Error> {
    let until = (group.modified + SETTLE).min(deadline);
    let left = until.saturating_sub(world.now());
    if world.has_edges() && left > 0 {
        world.sleep(left).await;
    }
    settled(world, group)
}

/// Visits the tenant's host until cookies of `pending` are let in as those of `current` are, but not past
/// `deadline`.
///
/// # Errors
/// They were refused, or nobody answered, until then.
pub async fn seen(
    world: &impl World,
    tenant: &Tenant,
    current: &Keyring,
    pending: &Keyring,
    deadline: u64,
) -> Result<Outcome, Error> {
    // Without a distribution there are no viewers yet.
    let Some(host) = host(world, tenant).await? else { return Ok(Outcome::Unseen) };
    loop {
        let why = match visits(world, &host, current, pending).await {
            Ok([stranger, old, _]) if stranger == old => return Ok(Outcome::Unseen),
            Ok([_, old, new]) if new == old => return Ok(Outcome::Done),
            Ok([_, old, new]) => {
                format!("it is answered `{}`, one of the current key `{}`", new.0, old.0)
            }
            Err(fault) => fault.to_string(),
        };
        if world.now() + PAUSE > deadline {
            return Err(Error::NotSeen { key_id: pending.key_id.clone(), host, why });
        }
        world.sleep(PAUSE).await;
    }
}

/// Answers to a stranger, to the current key and to the new key.
async fn visits(
    world: &impl World,
    host: &str,
    current: &Keyring,
    pending: &Keyring,
) -> Result<[Sighting; 3], Fault> {
    Ok([
        world.visit(host, STRANGER, &pending.private_key).await?,
        world.visit(host, &current.key_id, &current.private_key).await?,
        world.visit(host, &pending.key_id, &pending.private_key).await?,
    ])
}

/// The first host that the tenant's signer issues cookies for: the distribution's own name.
async fn host(world: &impl World, tenant: &Tenant) -> Result<Option<String>, Error> {
    let name = tenant.names.config_parameter();
    let Some(text) = world.parameter(&name).await? else { return Ok(None) };
    let config: EdgeConfig = serde_json::from_str(&text).map_err(|cause| Fault {
        call: "GetParameter",
        kind: FaultKind::Other,
        code: "Malformed".to_owned(),
        message: format!("parameter `{name}` is no configuration of a signer: {cause}"),
    })?;
    Ok(config.hosts.into_iter().next())
}
