//! The runtime zips: built here, and laid where each account's stacks take them from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::support::{account, as_tenant, build_progress, engine, kept_zips, package_options};
use crate::aws::Cloud;
use crate::cli::args::ExecutionArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::deploy::artifacts::{ArtifactBucket, ArtifactError, ArtifactFile, Consent};
use crate::deploy::{self, ArtifactFacts, ArtifactLocations};
use crate::package::{self, PackedArtifact};
use crate::render::RenderedTenant;

/// Where a tenant is deployed, and with what.
#[derive(Clone)]
pub(super) struct Place {
    pub cloud: Cloud,
    pub account: String,
    pub engine: deploy::Context,
    pub locations: ArtifactLocations,
    pub bucket: ArtifactBucket,
}

/// How places are prepared.
#[derive(Clone, Copy)]
pub(super) struct Laying<'a> {
    /// What a deployment may do, and how.
    pub execution: &'a ExecutionArgs,
    /// Whether the zips are put into the bucket. A plan writes nothing.
    pub zips: bool,
}

/// Builds the zips, or finds that they are up to date.
pub(super) async fn pack(context: &Context) -> Result<Vec<PackedArtifact>, Failure> {
    let settings = &context.settings;
    let mut progress = build_progress(context);
    Ok(package::package(&settings.root, &kept_zips(settings), &package_options(settings), &mut progress)
        .await?)
}

/// Connects for each tenant, and makes sure that its account has the zips, where they are to be laid.
pub(super) async fn places(
    context: &Context,
    laying: Laying<'_>,
    cloud: &Cloud,
    rendered: &[RenderedTenant],
    packed: &[PackedArtifact],
) -> Result<Vec<Place>, Failure> {
    let mut known: BTreeMap<String, Place> = BTreeMap::new();
    let mut places = Vec::with_capacity(rendered.len());
    for tenant in rendered {
        let role = tenant.role_arn.clone().unwrap_or_default();
        let place = match known.get(&role) {
            Some(place) => place.clone(),
            None => {
                let place = one(context, laying, as_tenant(cloud, tenant).await, packed).await?;
                known.insert(role, place.clone());
                place
            }
        };
        if let Some(expected) = tenant.account.as_ref().filter(|expected| **expected != place.account) {
            let message = format!(
                "tenant `{}` belongs to account `{expected}`, but the credentials are for `{}`",
                tenant.tenant, place.account
            );
            let help = "choose another profile or role, or change `account` in the tenant's file";
            return Err(Failure::new(Exit::Access, message).help(help));
        }
        places.push(place);
    }
    Ok(places)
}

async fn one(
    context: &Context,
    laying: Laying<'_>,
    cloud: Cloud,
    packed: &[PackedArtifact],
) -> Result<Place, Failure> {
    let account = account(&cloud).await?;
    let execution = laying.execution;
    let mut engine = engine(context, execution.change.service_role_arn.clone());
    engine.settings.refuse_busy = execution.refuse_busy;
    engine.settings.continue_rollback = execution.continue_rollback.then(|| execution.skip_resource.clone());
    context.interrupts.clean_up_after(engine.work.unused.clone(), cloud.clone());
    let endpoint = cloud.config(contract::EDGE_REGION).endpoint_url().map(str::to_string);
    let bucket = ArtifactBucket::new(&cloud, &context.settings.organisation, &account, endpoint);
    let locations = packed
        .iter()
        .map(|artifact| {
            let facts = ArtifactFacts {
                bucket: bucket.name().to_string(),
                key: artifact.key.clone(),
                code_sha256: artifact.code_sha256.clone(),
            };
            (artifact.artifact, facts)
        })
        .collect();
    if laying.zips {
        lay(context, &bucket, &engine, packed).await?;
    }
    engine.templates = Some(Arc::new(bucket.clone()));
    Ok(Place { cloud, account, engine, locations, bucket })
}

/// The zips as they are to lie in the bucket.
pub(super) fn files(packed: &[PackedArtifact]) -> Vec<ArtifactFile> {
    let file = |artifact: &PackedArtifact| ArtifactFile {
        path: artifact.path.clone(),
        key: artifact.key.clone(),
        size: artifact.bytes,
        sha256: artifact.code_sha256.clone(),
    };
    packed.iter().map(file).collect()
}

/// Puts the zips into the bucket, which is created after asking where it is missing.
async fn lay(
    context: &Context,
    bucket: &ArtifactBucket,
    engine: &deploy::Context,
    packed: &[PackedArtifact],
) -> Result<(), Failure> {
    let files = files(packed);
    match bucket.place(engine, &files, Consent::NotAsked).await {
        Err(ArtifactError::NoBucket { bucket: name, account }) => {
            context
                .confirm(&format!("Create the bucket `{name}` in account {account} for the runtime zips?"))?;
            Ok(bucket.place(engine, &files, Consent::Granted).await?)
        }
        other => Ok(other?),
    }
}
