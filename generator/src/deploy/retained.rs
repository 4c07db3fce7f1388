//! What outlives a tenant's stacks: the bucket and the user pool on purpose, the edge function because
//! CloudFront keeps replicas of it for hours.

use super::Context;
use super::destroy::{Destroyed, Kept, Remaining, Retained, RetainedKind, Thing};
use super::error::{DeployError, Doing};
use crate::aws::lambda::is_replicated;
use crate::aws::{AwsError, AwsErrorKind, Peers};
use crate::report::Event;

/// How often a bucket is listed while emptying it. Each time removes up to a thousand versions.
const LISTINGS: usize = 100_000;

/// What has become of one retained resource.
pub(super) async fn retire(
    peers: &dyn Peers,
    tenant: &str,
    retained: &Retained,
    delete: bool,
) -> Result<Option<Destroyed>, DeployError> {
    match retained.kind {
        RetainedKind::Function => function(peers, tenant, retained).await,
        RetainedKind::Bucket => bucket(peers, tenant, retained, delete).await,
        RetainedKind::UserPool => user_pool(peers, tenant, retained, delete).await,
    }
}

async fn function(
    peers: &dyn Peers,
    tenant: &str,
    retained: &Retained,
) -> Result<Option<Destroyed>, DeployError> {
    let functions = peers.functions(&retained.region);
    let name = retained.name.as_str();
    let exists = functions.exists(name).await.doing(|| format!("looking for function `{name}`"))?;
    if !exists {
        return Ok(None);
    }
    let thing = retained.thing(name);
    match functions.delete(name).await {
        Ok(()) => Ok(Some(Destroyed::Removed(thing))),
        Err(error) if error.kind == AwsErrorKind::NotFound => Ok(Some(Destroyed::Removed(thing))),
        Err(error) if is_replicated(&error) => Ok(Some(Destroyed::Remaining(Remaining {
            thing,
            reason: "CloudFront still has replicas of it, which go by themselves within some hours".into(),
            help: format!(
                "run `generator resume` with the name of this run later, or `generator destroy --tenant {tenant}` again"
            ),
        }))),
        Err(error) => Ok(Some(remaining(thing, tenant, &error))),
    }
}

async fn bucket(
    peers: &dyn Peers,
    tenant: &str,
    retained: &Retained,
    delete: bool,
) -> Result<Option<Destroyed>, DeployError> {
    let objects = peers.objects(&retained.region);
    let name = retained.name.as_str();
    let exists = objects.bucket_exists(name, None).await;
    if !exists.doing(|| format!("looking for bucket `{name}`"))? {
        return Ok(None);
    }
    let thing = retained.thing(name);
    if !delete {
        return Ok(Some(Destroyed::Kept(kept(thing, tenant, retained))));
    }
    let emptied = async {
        for _ in 0..LISTINGS {
            let versions = objects.some_versions(name).await?;
            if versions.is_empty() {
                break;
            }
            objects.delete_versions(name, versions).await?;
        }
        objects.delete_bucket(name).await
    };
    match emptied.await {
        Ok(()) => Ok(Some(Destroyed::Removed(thing))),
        Err(error) => Ok(Some(remaining(thing, tenant, &error))),
    }
}

async fn user_pool(
    peers: &dyn Peers,
    tenant: &str,
    retained: &Retained,
    delete: bool,
) -> Result<Option<Destroyed>, DeployError> {
    let pools = peers.user_pools(&retained.region);
    let name = retained.name.as_str();
    // Pools are found by id where the stack still told it, else by their name.
    let ids = if name.starts_with(&format!("{}_", retained.region)) {
        vec![name.to_owned()]
    } else {
        pools.named(name).await.doing(|| format!("looking for user pool `{name}`"))?
    };
    let id = match ids.as_slice() {
        [] => return Ok(None),
        [id] => id,
        several => {
            let reason = format!("several user pools have this name: `{}`", several.join("`, `"));
            let help = "delete the right one in Cognito by its id".into();
            let thing = retained.thing(name);
            return Ok(Some(Destroyed::Remaining(Remaining { thing, reason, help })));
        }
    };
    let pool = pools.pool(id).await.doing(|| format!("looking for user pool `{id}`"))?;
    let Some(pool) = pool else { return Ok(None) };
    let thing = retained.thing(id);
    if !delete {
        return Ok(Some(Destroyed::Kept(kept(thing, tenant, retained))));
    }
    let deleted = async {
        if pool.protected {
            pools.unprotect(id).await?;
        }
        pools.delete(id).await
    };
    match deleted.await {
        Ok(()) => Ok(Some(Destroyed::Removed(thing))),
        Err(error) => Ok(Some(remaining(thing, tenant, &error))),
    }
}

fn kept(thing: Thing, tenant: &str, retained: &Retained) -> Kept {
    let help = format!(
        "to delete it with all it holds, run `generator destroy --tenant {tenant} --delete-data {}`",
        retained.logical_id
    );
    Kept { thing, help }
}

pub(super) fn remaining(thing: Thing, tenant: &str, error: &AwsError) -> Destroyed {
    Destroyed::Remaining(Remaining {
        thing,
        reason: error.to_string(),
        help: format!("mend the cause, then run `generator destroy --tenant {tenant}` again"),
    })
}

/// Tells what has become of something.
pub(super) fn tell(context: &Context, tenant: &str, end: &Destroyed) {
    let tenant = tenant.to_owned();
    let event = match end {
        Destroyed::Removed(thing) => {
            Event::ResourceRemoved { tenant, kind: thing.kind.clone(), name: thing.name.clone() }
        }
        Destroyed::Kept(kept) => Event::ResourceKept {
            tenant,
            kind: kept.thing.kind.clone(),
            name: kept.thing.name.clone(),
            help: kept.help.clone(),
        },
        Destroyed::Remaining(left) => Event::ResourceRemaining {
            tenant,
            kind: left.thing.kind.clone(),
            name: left.thing.name.clone(),
            reason: left.reason.clone(),
            help: left.help.clone(),
        },
    };
    context.emit(&event);
}
