//! The file of a plan, and what of this computer it rests on.

use std::path::{Path, PathBuf};

use crate::cli::commands::artifacts::Place;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::deploy::{DeployError, TenantPreview, planned};
use crate::plan::{SAVED_FORMAT, SavedPlan, SavedTenant, digest_of};
use crate::render::RenderedTenant;

/// The plan of all tenants that have one.
pub(super) fn saved(
    context: &Context,
    tenants: &[RenderedTenant],
    places: &[Place],
    previews: &[Option<Result<TenantPreview, DeployError>>],
) -> Result<SavedPlan, Failure> {
    let mut all = Vec::new();
    for ((tenant, place), preview) in tenants.iter().zip(places).zip(previews) {
        let Some(Ok(preview)) = preview else { continue };
        let stacks: Option<Vec<_>> = preview.stacks.iter().map(planned::saved).collect();
        let Some(stacks) = stacks else { continue };
        all.push(SavedTenant {
            tenant: tenant.tenant.clone(),
            account: place.account.clone(),
            role_arn: tenant.role_arn.clone(),
            files: tenant_files(context, &tenant.tenant)?,
            stacks,
            page: preview.page.as_ref().map(|page| page.digest.clone()),
        });
    }
    Ok(SavedPlan {
        format: SAVED_FORMAT,
        organisation: context.settings.organisation.clone(),
        policies: policies(context)?,
        tenants: all,
    })
}

pub(super) fn write(path: &Path, plan: &SavedPlan) -> Result<(), Failure> {
    let text =
        serde_json::to_string_pretty(plan).map_err(|error| Failure::new(Exit::Bug, error.to_string()))?;
    std::fs::write(path, text + "\n").map_err(|error| {
        Failure::new(Exit::Failure, format!("cannot write the plan to `{}`: {error}", path.display()))
    })
}

pub(in crate::cli::commands) fn read(path: &Path) -> Result<SavedPlan, Failure> {
    let refuse =
        |reason: String| Failure::new(Exit::Usage, format!("`{}` is no plan: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new(Exit::NotFound, format!("there is no file `{}`", path.display()))
        }
        _ => refuse(error.to_string()),
    })?;
    let plan: SavedPlan = serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    if plan.format == SAVED_FORMAT { Ok(plan) } else { Err(refuse(format!("its form is {}", plan.format))) }
}

/// What has moved on this computer since the plan was made, as far as it matters; `None` where nothing has.
pub(in crate::cli::commands) fn moved(
    context: &Context,
    plan: &SavedPlan,
    matters: impl Fn(&SavedTenant) -> bool,
) -> Result<Option<String>, Failure> {
    if plan.organisation != context.settings.organisation {
        return Ok(Some(format!("it is for organisation `{}`", plan.organisation)));
    }
    if plan.policies != policies(context)? {
        return Ok(Some("the policies or exemptions are others".into()));
    }
    for tenant in plan.tenants.iter().filter(|tenant| matters(tenant)) {
        if tenant.files != tenant_files(context, &tenant.tenant)? {
            return Ok(Some(format!("the file of tenant `{}`, or one below it, is another", tenant.tenant)));
        }
    }
    Ok(None)
}

/// Packs, overrides and exemptions; their test cases judge nothing.
fn policies(context: &Context) -> Result<String, Failure> {
    let folder = &context.settings.policies;
    let files = if folder.is_dir() { files(folder, |name| name.ends_with(".yaml"))? } else { Vec::new() };
    digest(&files)
}

/// The tenant's own file and all that can lie below it.
fn tenant_files(context: &Context, tenant: &str) -> Result<String, Failure> {
    let folder = &context.settings.tenants;
    let own = format!("{tenant}.yaml");
    let mut all = files(folder, |name| name == own || (name.starts_with('_') && name.ends_with(".yaml")))?;
    let tiers = folder.join("_tiers");
    if tiers.is_dir() {
        all.extend(files(&tiers, |name| name.ends_with(".yaml"))?);
    }
    digest(&all)
}

fn files(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_file() && wanted(&name) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn digest(files: &[PathBuf]) -> Result<String, Failure> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for path in files {
        parts.push(path.file_name().unwrap_or_default().as_encoded_bytes().to_vec());
        parts.push(std::fs::read(path).map_err(|error| unreadable(path, &error))?);
    }
    Ok(digest_of(parts.iter().map(Vec::as_slice)))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failure, format!("cannot read `{}`: {error}", path.display()))
}
