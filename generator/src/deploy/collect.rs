//! What no stack uses any more: artifacts, versions of functions, change sets that nobody executed.
//!
//! Every stack of the account and region counts as a user, not only those of known tenants.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::changes::{PREFIX, discard_named};
use super::error::{DeployError, Doing};
use super::{Context, artifacts, record};
use crate::aws::cloudformation::{ChangeSetKind, CloudFormation, Stack};
use crate::aws::lambda::is_replicated;
use crate::aws::s3::{ObjectStore, StoredVersion};
use crate::aws::{AwsErrorKind, Cloud};
use crate::render::StackId;

/// What may be collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectRequest {
    /// First part of every name.
    pub organisation: String,
    /// Account, whose name is in that of the bucket.
    pub account: String,
    /// Regions in which stacks are looked for besides that of the edge.
    pub regions: BTreeSet<String>,
    /// What is younger stays, in seconds.
    pub minimum_age: i64,
    /// Whether to delete.
    pub delete: bool,
}

/// Something that no stack uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// `artifact`, `function-version`, `change-set` or `empty-stack`.
    pub kind: &'static str,
    /// Name.
    pub name: String,
    /// Its age in seconds.
    pub age: i64,
    /// Its size in bytes, where it has one.
    pub bytes: u64,
    /// Why it is still there although it was to go.
    pub left: Option<String>,
}

/// Finds what no stack uses, and deletes it where that was asked.
///
/// # Errors
/// Where a call fails. What was deleted until then stays deleted.
pub async fn collect(
    context: &Context,
    cloud: &Cloud,
    request: &CollectRequest,
) -> Result<Vec<Leftover>, DeployError> {
    let now = context.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let edge = artifacts::REGION;
    let stacks = cloud.stacks(edge).every().await.doing(|| format!("listing the stacks of `{edge}`"))?;
    let mut found = Vec::new();
    found.extend(zips(cloud, request, &stacks, now).await?);
    found.extend(versions(cloud, request, &stacks, now).await?);
    let regions: BTreeSet<&str> =
        request.regions.iter().map(String::as_str).chain(std::iter::once(edge)).collect();
    for region in regions {
        found.extend(change_sets(cloud, request, region, now).await?);
    }
    Ok(found)
}

/// Objects of the artifacts bucket that no parameter of any stack names.
async fn zips(
    cloud: &Cloud,
    request: &CollectRequest,
    stacks: &[Stack],
    now: i64,
) -> Result<Vec<Leftover>, DeployError> {
    let bucket = format!("{}-artifacts-{}", request.organisation, request.account);
    let store = cloud.s3(artifacts::REGION);
    let stored = store.stored(&bucket).await.doing(|| format!("listing `{bucket}`"))?;
    let records = records(stacks, &request.organisation);
    let unused = unused_objects(stored, stacks, &records, now, request.minimum_age);
    if request.delete {
        for some in unused.chunks(DELETED_AT_ONCE) {
            let objects = some.iter().map(|stored| stored.object.clone()).collect();
            store.delete_versions(&bucket, objects).await.doing(|| format!("deleting from `{bucket}`"))?;
        }
    }
    let told = |stored: StoredVersion| Leftover {
        kind: "artifact",
        name: format!("s3://{bucket}/{}", stored.object.key),
        age: now - stored.written,
        bytes: stored.bytes,
        left: None,
    };
    Ok(unused.into_iter().map(told).collect())
}

/// Objects that S3 deletes with one call.
const DELETED_AT_ONCE: usize = 1_000;

/// Keys of the records that speak of tenants with a stack at the edge, which is the last one to be made and the
/// first to go.
fn records(stacks: &[Stack], organisation: &str) -> BTreeSet<String> {
    let tenant = |stack: &Stack| {
        let rest = stack.name.strip_prefix(organisation)?.strip_prefix('-')?;
        Some(record::key(rest.strip_suffix(StackId::Edge.as_str())?.strip_suffix('-')?))
    };
    stacks.iter().filter_map(tenant).collect()
}

fn unused_objects(
    stored: Vec<StoredVersion>,
    stacks: &[Stack],
    records: &BTreeSet<String>,
    now: i64,
    minimum: i64,
) -> Vec<StoredVersion> {
    let used: BTreeSet<&String> = stacks.iter().flat_map(|stack| stack.parameters.values()).collect();
    // Of a record that is in use the versions before the last one are not.
    let mut latest: BTreeMap<&String, i64> = BTreeMap::new();
    for version in stored.iter().filter(|version| records.contains(&version.object.key)) {
        let written = latest.entry(&version.object.key).or_insert(version.written);
        *written = version.written.max(*written);
    }
    let is_used = |version: &StoredVersion| {
        used.contains(&version.object.key) || latest.get(&version.object.key) == Some(&version.written)
    };
    let unused: Vec<bool> =
        stored.iter().map(|version| !is_used(version) && now - version.written >= minimum).collect();
    stored.into_iter().zip(unused).filter(|(_, unused)| *unused).map(|(version, _)| version).collect()
}

/// Published versions of the functions of our edge stacks that the stack does not have any more.
async fn versions(
    cloud: &Cloud,
    request: &CollectRequest,
    stacks: &[Stack],
    now: i64,
) -> Result<Vec<Leftover>, DeployError> {
    let (region, prefix) = (artifacts::REGION, format!("{}-", request.organisation));
    let (stacks_of_region, lambda) = (cloud.stacks(region), cloud.lambda(region));
    let mut found = Vec::new();
    for stack in stacks.iter().filter(|stack| stack.name.starts_with(&prefix)) {
        // What is being changed may use more than it tells.
        if stack.status.ends_with("_IN_PROGRESS") {
            continue;
        }
        let resources = stacks_of_region.resources(&stack.id).await;
        let resources = resources.doing(|| format!("listing the resources of `{}`", stack.name))?;
        let of = |kind: &str| -> Vec<String> {
            let all = resources.iter().filter(|resource| resource.kind == kind);
            all.filter_map(|resource| resource.physical_id.clone()).collect()
        };
        let used = of("AWS::Lambda::Version");
        if used.is_empty() {
            continue;
        }
        for function in of("AWS::Lambda::Function") {
            let published = lambda.versions(&function).await;
            for version in published.doing(|| format!("listing the versions of `{function}`"))? {
                let age = now - version.published.as_deref().and_then(seconds).unwrap_or(now);
                if used.contains(&version.arn) || age < request.minimum_age {
                    continue;
                }
                let mut left = None;
                if request.delete {
                    left = match lambda.delete_version(&function, &version.version).await {
                        Ok(()) => None,
                        Err(error) if error.kind == AwsErrorKind::NotFound => None,
                        Err(error) if is_replicated(&error) => Some(
                            "CloudFront still has replicas of it, which go by themselves within hours".into(),
                        ),
                        Err(error) => Some(error.to_string()),
                    };
                }
                found.push(Leftover { kind: "function-version", name: version.arn, age, bytes: 0, left });
            }
        }
    }
    Ok(found)
}

/// Change sets of this tool that were never executed, and stacks that were never made.
async fn change_sets(
    cloud: &Cloud,
    request: &CollectRequest,
    region: &str,
    now: i64,
) -> Result<Vec<Leftover>, DeployError> {
    let cloudformation = cloud.stacks(region);
    let prefix = format!("{}-", request.organisation);
    let all = cloudformation.every().await.doing(|| format!("listing the stacks of `{region}`"))?;
    let mut found = Vec::new();
    for stack in all.iter().filter(|stack| stack.name.starts_with(&prefix)) {
        let sets = cloudformation.change_sets(&stack.name).await;
        let sets = sets.doing(|| format!("listing the change sets of `{}`", stack.name))?;
        let is_shell = stack.status == "REVIEW_IN_PROGRESS";
        for set in sets.into_iter().filter(|set| set.name.starts_with(PREFIX)) {
            let described = match cloudformation.change_set(&stack.name, &set.id).await {
                Ok(described) => described,
                Err(error) if error.kind == AwsErrorKind::NotFound => continue,
                Err(error) => {
                    return Err(error).doing(|| format!("reading a change set of `{}`", stack.name));
                }
            };
            // Without its time of making nobody knows that it is old.
            let age = now - described.created.map_or(now, |created| created / 1_000);
            if age < request.minimum_age || described.execution.starts_with("EXECUTE_") {
                continue;
            }
            if request.delete {
                let kind = if is_shell { ChangeSetKind::Create } else { ChangeSetKind::Update };
                discard_named(&*cloudformation, &stack.name, &set.id, &stack.id, kind).await?;
            }
            let kind = if is_shell { "empty-stack" } else { "change-set" };
            let name = format!("{} of {}", set.name, stack.name);
            found.push(Leftover { kind, name, age, bytes: 0, left: None });
        }
    }
    Ok(found)
}

/// A time as Lambda writes it, without fractions and zone: `2026-11-22T18:40:11`.
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// Seconds since the epoch of such a time, which is always in UTC.
fn seconds(text: &str) -> Option<i64> {
    let time = PrimitiveDateTime::parse(text.get(..19)?, TIME).ok()?;
    Some(time.assume_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::s3::ObjectVersion;

    #[test]
    fn times_of_lambda_are_read() {
        assert_eq!(seconds("1970-01-01T00:00:00.000+0000"), Some(0));
        assert_eq!(seconds("2026-11-22T18:40:11.000+0000"), Some(1_795_372_811));
        assert_eq!(seconds("2024-02-29T00:00:00.000+0000"), Some(1_709_164_800));
        assert_eq!(seconds("yesterday"), None);
    }

    #[test]
    fn what_a_stack_names_and_what_is_young_stays() {
        let stored = |key: &str, written| StoredVersion {
            object: ObjectVersion { key: key.into(), version: "1".into() },
            written,
            bytes: 1,
        };
        let mut stack = Stack::default();
        stack.parameters.insert("SignerKey".into(), "signer/a.zip".into());
        let all = vec![stored("signer/a.zip", 0), stored("signer/b.zip", 0), stored("signer/c.zip", 95)];
        let unused = unused_objects(all, &[stack], &BTreeSet::new(), 100, 10);
        assert_eq!(unused, [stored("signer/b.zip", 0)]);
    }

    #[test]
    fn of_records_the_last_of_each_tenant_that_stands_stays() {
        let stored = |key: &str, version: &str, written| StoredVersion {
            object: ObjectVersion { key: key.into(), version: version.into() },
            written,
            bytes: 1,
        };
        let names = ["example-demo-edge", "example-gone-regional", "other-acme-edge"];
        let stacks = names.map(|name| Stack { name: name.into(), ..Stack::default() });
        let records = records(&stacks, "example");
        assert_eq!(records, BTreeSet::from(["settings/demo.json".to_string()]));
        let (old, gone) = (stored("settings/demo.json", "1", 1), stored("settings/gone.json", "1", 1));
        let all = vec![old.clone(), stored("settings/demo.json", "2", 2), gone.clone()];
        assert_eq!(unused_objects(all, &stacks, &records, 100, 10), [old, gone]);
    }
}
