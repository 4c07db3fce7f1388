//! What no stack deletes: public keys that the rotator could not remove, and log groups that functions have made.

use super::destroy::{DestroyRequest, Destroyed, Remaining, Thing};
use super::error::{DeployError, Doing};
use super::retained::remaining;
use crate::aws::Peers;

const KEY: &str = "AWS::CloudFront::PublicKey";
const LOG_GROUP: &str = "AWS::Logs::LogGroup";

/// Removes them; log groups only where nobody writes any more.
pub(super) async fn remove(
    peers: &dyn Peers,
    request: &DestroyRequest,
    log_groups: bool,
) -> Result<Vec<Destroyed>, DeployError> {
    let mut ends = keys(peers, request).await?;
    if log_groups {
        for (name, region) in &request.log_groups {
            let thing = Thing { kind: LOG_GROUP.into(), name: name.clone(), region: region.clone() };
            match peers.log_groups(region).delete(name).await {
                Ok(true) => ends.push(Destroyed::Removed(thing)),
                Ok(false) => {}
                Err(error) => ends.push(remaining(thing, &request.tenant, &error)),
            }
        }
    } else if let Some((name, region)) = request.log_groups.first() {
        ends.push(Destroyed::Remaining(Remaining {
            thing: Thing { kind: LOG_GROUP.into(), name: name.clone(), region: region.clone() },
            reason: "replicas of the function may still write to it, and to its like in other regions".into(),
            help: "it goes with the function".into(),
        }));
    }
    Ok(ends)
}

async fn keys(peers: &dyn Peers, request: &DestroyRequest) -> Result<Vec<Destroyed>, DeployError> {
    let Some(names) = &request.keys else { return Ok(Vec::new()) };
    let edges = peers.edges();
    let all = edges.public_keys().await.doing(|| "listing the public keys of the account".into())?;
    let mut ends = Vec::new();
    for (id, name) in all.into_iter().filter(|(_, name)| names.owns_public_key(name)) {
        let thing = Thing { kind: KEY.into(), name: format!("{name} ({id})"), region: "us-east-1".into() };
        ends.push(match edges.delete_public_key(&id).await {
            Ok(()) => Destroyed::Removed(thing),
            Err(error) => remaining(thing, &request.tenant, &error),
        });
    }
    Ok(ends)
}
