//! The four steps of a rotation, as Secrets Manager calls them.
//!
//! Each may be repeated, cut off between any two calls, or come late. What makes that harmless: the key is
//! made once for each request token, the group is written as a whole from the two keyrings that matter, and
//! the label moves only when the group holds both keys and every edge has had the time to learn of it.

use contract::keyring::Keyring;

use crate::error::Error;
use crate::group;
use crate::lifetime;
use crate::mint::{Minted, mint};
use crate::ports::{KeyGroup, NewVersion, RotationToken, SecretState, Version, World, label};
use crate::proof;
use crate::public_keys;
use crate::tenant::Tenant;
use crate::versions;

/// One of the four steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Make the key and the pending version.
    Create,
    /// Put the key into the group.
    Set,
    /// Prove that key pair and group are what they should be, and that the edge lets the new key in.
    Test,
    /// Make the pending version current and remove what nothing needs.
    Finish,
}

/// What a step is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The step.
    pub step: Step,
    /// ARN of the secret.
    pub secret: String,
    /// The rotation: id of the version that is rotated in.
    pub token: String,
    /// Proof by which the pending version may be written. Older rotations have none.
    pub rotation_token: Option<RotationToken>,
    /// When to give up waiting, in seconds since the epoch. The service repeats the step later.
    pub deadline: u64,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its effect stands now.
    Done,
    /// Its effect stood before.
    AlreadyDone,
    /// There was nothing to test: Secrets Manager tries a rotation out with an empty version when a schedule
    /// is set without rotating at once.
    NothingPending,
    /// Its effect stands, but there was no edge to see it at: none exists, no distribution stands, or the
    /// nearest edge answers alike whatever cookies it is shown.
    Unseen,
}

/// Runs one step.
///
/// # Errors
/// The request does not fit the state of the secret, the step must not be done now, or a call failed. The
/// caller may always repeat it.
pub async fn run(world: &impl World, tenant: &Tenant, request: &Request) -> Result<Outcome, Error> {
    let state = world.secret_state(&request.secret).await?;
    let standing = standing(&state, request)?;
    match (request.step, standing) {
        (Step::Finish, Standing::Current) => {
            tidy_up(world, tenant, &request.secret).await?;
            Ok(Outcome::Done)
        }
        (_, Standing::Current) => Ok(Outcome::AlreadyDone),
        (Step::Create, Standing::Pending) => create(world, tenant, request).await,
        (Step::Set, Standing::Pending) => set(world, tenant, request).await,
        (Step::Test, Standing::Pending) => test(world, tenant, request).await,
        (Step::Finish, Standing::Pending) => finish(world, tenant, request, &state).await,
    }
}

/// Where the requested version stands.
enum Standing {
    Pending,
    Current,
}

fn standing(state: &SecretState, request: &Request) -> Result<Standing, Error> {
    let token = &request.token;
    if !state.rotation_enabled {
        return Err(Error::RotationOff(request.secret.clone()));
    }
    if !state.stages.contains_key(token) {
        return Err(Error::UnknownVersion(token.clone()));
    }
    if state.has(token, label::CURRENT) {
        return Ok(Standing::Current);
    }
    if state.has(token, label::PREVIOUS) {
        return Err(Error::Superseded(token.clone()));
    }
    if state.has(token, label::PENDING) {
        return Ok(Standing::Pending);
    }
    Err(Error::NotPending(token.clone()))
}

/// Makes the key pair, its public key and the pending version, once for each token.
async fn create(world: &impl World, tenant: &Tenant, request: &Request) -> Result<Outcome, Error> {
    if let Some(pending) = pending(world, request).await? {
        return match world.public_key(&pending.key_id).await? {
            Some(_) => Ok(Outcome::AlreadyDone),
            // A version cannot be written twice, so this rotation can never succeed.
            None => cancel(world, request, Error::PendingKeyGone(pending.key_id)).await,
        };
    }
    let current = world.keyring(&request.secret, Version::Current).await?;
    let now = world.now();
    if let Some(from) = current.as_ref().and_then(|current| lifetime::blocked_until(current, now)) {
        return Err(Error::GroupFull { group: tenant.names.key_group(), from });
    }
    let retired = current
        .map(|current| lifetime::retired_by_next(&current, now, tenant.cookie_minutes))
        .unwrap_or_default();
    let version = NewVersion {
        token: &request.token,
        rotation_token: request.rotation_token.as_ref(),
        label: label::PENDING,
    };
    Ok(match mint(world, tenant, &request.secret, version, retired).await? {
        Minted::Written(_) => Outcome::Done,
        Minted::WrittenBefore => Outcome::AlreadyDone,
    })
}

/// Puts the pending key into the group, beside the current one and those that live cookies need.
async fn set(world: &impl World, tenant: &Tenant, request: &Request) -> Result<Outcome, Error> {
    let keys = async || {
        let pending = written(world, request).await?;
        let current = world.keyring(&request.secret, Version::Current).await?;
        // Made to follow another key, it would bring back keys that were revoked since.
        if let Some(current) = &current
            && !versions::follows(&pending, current)
        {
            return Err(Error::CurrentChanged(current.key_id.clone()));
        }
        Ok(group::members(std::iter::once(&pending).chain(&current), world.now()))
    };
    match group::set(world, &tenant.names.key_group(), keys).await {
        Ok(()) => Ok(Outcome::Done),
        Err(changed @ Error::CurrentChanged(_)) => cancel(world, request, changed).await,
        Err(error) => Err(error),
    }
}

/// Proves that CloudFront holds the public half of the pending key, that the group holds that, and that an
/// edge lets in who has a cookie of it.
async fn test(world: &impl World, tenant: &Tenant, request: &Request) -> Result<Outcome, Error> {
    let Some(pending) = pending(world, request).await? else { return Ok(Outcome::NothingPending) };
    let Some(public) = world.public_key(&pending.key_id).await? else {
        return cancel(world, request, Error::PendingKeyGone(pending.key_id)).await;
    };
    if !world.proves(&pending, &public.pem).await? {
        return Err(Error::WrongKey(pending.key_id));
    }
    let group = require_in_group(world, tenant, [&pending.key_id]).await?;
    if !world.has_edges() {
        return Ok(Outcome::Unseen);
    }
    proof::settle(world, &group, request.deadline).await?;
    match world.keyring(&request.secret, Version::Current).await? {
        Some(current) => proof::seen(world, tenant, &current, &pending, request.deadline).await,
        None => Ok(Outcome::Unseen),
    }
}

/// Makes the pending version current, then tidies up.
async fn finish(
    world: &impl World,
    tenant: &Tenant,
    request: &Request,
    state: &SecretState,
) -> Result<Outcome, Error> {
    let pending = written(world, request).await?;
    let current = world.keyring(&request.secret, Version::Current).await?;
    if let Some(current) = &current {
        // Signers may have the current keyring for some time yet. The pending one says for how long its
        // key stays, but only if it was made to follow that keyring and the time has not passed.
        match pending.retired.iter().find(|retired| retired.key_id == current.key_id) {
            None => return cancel(world, request, Error::CurrentChanged(current.key_id.clone())).await,
            Some(retired) if world.now() > retired.retired => {
                return cancel(world, request, Error::TooLate).await;
            }
            Some(_) => {}
        }
    }
    let both = std::iter::once(&pending).chain(&current).map(|keyring| &keyring.key_id);
    let group = require_in_group(world, tenant, both).await?;
    // Steps may come in another order than they were asked in, so the test is not relied on for the wait.
    proof::settled(world, &group)?;
    let from = state.holder(label::CURRENT);
    world.move_current(&request.secret, &request.token, from).await?;
    tidy_up(world, tenant, &request.secret).await?;
    Ok(Outcome::Done)
}

/// What follows the move of the label: publishes the key id, takes the keys that no cookie needs out of the
/// group and deletes those that are in none. Runs again where an earlier one was cut off. Answers the
/// current keyring.
///
/// # Errors
/// The secret has no current value, or a call failed.
pub async fn tidy_up(world: &impl World, tenant: &Tenant, secret: &str) -> Result<Keyring, Error> {
    let current = world.keyring(secret, Version::Current).await?;
    let current = current.ok_or_else(|| Error::NoValue(label::CURRENT.to_owned()))?;
    world.put_parameter(&tenant.names.key_id_parameter(), &current.key_id).await?;
    group::set(world, &tenant.names.key_group(), async || needed(world, secret).await).await?;
    public_keys::sweep(world, tenant, secret).await?;
    Ok(current)
}

/// The keys that belong into the group by what the secret says now. The next rotation may have begun: what it
/// has put in stays.
///
/// # Errors
/// The secret has no current value, or a call failed.
pub async fn needed(world: &impl World, secret: &str) -> Result<Vec<String>, Error> {
    let versions = versions::read(world, secret).await?;
    let current = versions.current.ok_or_else(|| Error::NoValue(label::CURRENT.to_owned()))?;
    let pending = versions.pending.iter().filter_map(|(_, keyring)| keyring.as_ref());
    Ok(group::members(std::iter::once(&current).chain(pending), world.now()))
}

/// The pending keyring; none where the version has no value.
async fn pending(world: &impl World, request: &Request) -> Result<Option<Keyring>, Error> {
    Ok(world.keyring(&request.secret, Version::Pending(&request.token)).await?)
}

/// The pending keyring, which an earlier step must have written.
async fn written(world: &impl World, request: &Request) -> Result<Keyring, Error> {
    pending(world, request).await?.ok_or_else(|| Error::NoValue(request.token.clone()))
}

/// The tenant's group. Fails unless it holds all of `keys`.
async fn require_in_group<'a>(
    world: &impl World,
    tenant: &Tenant,
    keys: impl IntoIterator<Item = &'a String>,
) -> Result<KeyGroup, Error> {
    let name = tenant.names.key_group();
    let group = group::find(world, &name).await?.ok_or_else(|| Error::NoGroup(name.clone()))?;
    match keys.into_iter().find(|key| !group.keys.contains(key)) {
        Some(key) => Err(Error::NotInGroup { key_id: key.clone(), group: name }),
        None => Ok(group),
    }
}

/// Gives a rotation up that cannot succeed any more: without its label the next one can begin. Its key has
/// signed nothing and is removed by the next rotation.
async fn cancel(world: &impl World, request: &Request, why: Error) -> Result<Outcome, Error> {
    world.drop_label(&request.secret, &request.token, label::PENDING).await?;
    Err(why)
}
