//! What several commands do: render, connect, build, lay out tables.

use super::parallel;
use crate::aws::{Cloud, Peers};
use crate::cli::args::CallArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::settings::Settings;
use crate::deploy;
use crate::local;
use crate::package::{CallerEnvironment, Output, PackageOptions};
use crate::program::media_cdn;
use crate::render::{RenderedTenant, Templates, render};
use crate::report::Event;
use crate::tenant::Tenant;

/// Renders tenants. For the local cloud, which has one account and one identity, account and role of the
/// tenant files do not count.
pub(super) fn render_all(context: &Context, tenants: &[Tenant]) -> Result<Vec<RenderedTenant>, Failure> {
    let templates = Templates::load(&context.settings.templates)?;
    let rendered = parallel::each(tenants.iter().collect(), |tenant: &Tenant| {
        let mut rendered = render(&templates, tenant, &media_cdn(tenant)?)?;
        if context.settings.local {
            rendered.account = None;
            rendered.role_arn = None;
        }
        Ok(rendered)
    });
    rendered.into_iter().collect()
}

/// Connects to AWS, or to the local cloud, which is started where it does not run.
pub(super) async fn connect(context: &Context) -> Result<Cloud, Failure> {
    connect_within(context, CallArgs { calls_per_second: None }).await
}

/// The same, with fewer calls a second than AWS allows.
pub(super) async fn connect_within(context: &Context, calls: CallArgs) -> Result<Cloud, Failure> {
    let mut settings = context.settings.cloud.clone();
    settings.calls_per_second = calls.calls_per_second;
    if context.settings.local {
        let (cache, instance) = (context.settings.cache.clone(), context.settings.instance.clone());
        let sink = context.sink.clone();
        let progress = move |step: &str| {
            sink.emit(&Event::Note { tenant: None, message: step.to_string() });
        };
        let up = tokio::task::spawn_blocking(move || local::up(&cache, &instance, &progress)).await;
        let cloud = up.map_err(|error| Failure::new(Exit::Bug, error.to_string()))??;
        settings.endpoint_url = Some(cloud.endpoint);
        settings.profile = None;
        settings.role_arn = None;
        settings.ca_bundle = None;
    }
    Ok(Cloud::connect(&settings, context.clock.clone()).await?)
}

/// The cloud with the identity that a tenant asks for.
pub(super) async fn as_tenant(cloud: &Cloud, rendered: &RenderedTenant) -> Cloud {
    match &rendered.role_arn {
        Some(role) => cloud.assuming(role).await,
        None => cloud.clone(),
    }
}

/// The caller's account.
pub(super) async fn account(cloud: &Cloud) -> Result<String, Failure> {
    Ok(cloud.identity().account().await?)
}

/// What the deployment engine is given.
pub(super) fn engine(context: &Context, service_role_arn: Option<String>) -> deploy::Context {
    let mut settings = deploy::Settings::new(context.settings.local);
    settings.service_role_arn = service_role_arn;
    settings.root.clone_from(&context.settings.root);
    let work = deploy::Work::default();
    deploy::Context {
        clock: context.clock.clone(),
        sink: context.sink.clone(),
        settings,
        templates: None,
        rooms: std::sync::Arc::default(),
        work,
    }
}

/// Where zips are kept when nobody says otherwise.
pub(super) fn kept_zips(settings: &Settings) -> Output {
    Output::PerInputs(settings.cache.root().join("artifacts"))
}

/// How the runtimes are built.
pub(super) fn package_options(settings: &Settings) -> PackageOptions {
    let environment = CallerEnvironment::new(std::env::vars_os());
    PackageOptions::new(settings.cache.root().join("runtime-target"), environment)
}

/// Crates that are compiled between two lines of progress.
const CRATES_A_LINE: usize = 50;

/// Takes the lines of a build. Cargo's own are told one by one only where that was asked for: some hundred
/// crates would bury everything else.
pub(super) fn build_progress(context: &Context) -> impl FnMut(&str) + Send + '_ {
    let mut compiled = 0;
    move |line: &str| {
        let of_cargo = line.starts_with(' ');
        if !of_cargo || context.settings.verbose {
            context.note(line);
            return;
        }
        if line.trim_start().starts_with("Compiling ") {
            compiled += 1;
            if compiled % CRATES_A_LINE == 0 {
                context.note(format!("{compiled} crates compiled"));
            }
        }
    }
}

/// Rows with columns as wide as their widest cell, indented by two spaces.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
    }
    text
}

/// Runs work for several tenants, a few at a time, and ends with the exit code for all of them.
pub(super) fn combined(exits: &[Exit]) -> Exit {
    let failed: Vec<_> = exits.iter().filter(|exit| **exit != Exit::Ok).collect();
    match (failed.as_slice(), exits.len()) {
        ([], _) => Exit::Ok,
        ([only], 1) => **only,
        (all, total) if all.len() == total && all.iter().all(|exit| *exit == all[0]) => *all[0],
        _ => Exit::Partial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_failed_is_told_from_all_failed() {
        assert_eq!(combined(&[Exit::Ok, Exit::Ok]), Exit::Ok);
        assert_eq!(combined(&[Exit::Policy]), Exit::Policy);
        assert_eq!(combined(&[Exit::Policy, Exit::Policy]), Exit::Policy);
        assert_eq!(combined(&[Exit::Ok, Exit::Policy]), Exit::Partial);
        assert_eq!(combined(&[Exit::Deployment, Exit::Policy]), Exit::Partial);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a".to_string(), "b".into()], ["long".into(), "c".into()]];
        assert_eq!(table(&rows), "  a     b\n  long  c\n");
    }
}
