//! `generator serve`: the edge of tenants on this machine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};
use serde_json::json;
use tokio::sync::Notify;

use super::outputs;
use super::support::{as_tenant, connect, render_all};
use crate::aws::Cloud;
use crate::cli::args::ServeArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::interrupt::Said;
use crate::cli::select;
use crate::deploy::describe;
use crate::local;
use crate::render::{RenderedTenant, StackId, read_template};
use crate::report::Event;
use crate::serve::{Edge, Options, Overlay, ServeError, StackValues, TenantSite};
use crate::verify::{Target, TestUser, Unready};

/// Pause between two looks at the deployed stacks.
const LOOK: Duration = Duration::from_secs(5);
/// An editor writes a file in several steps: this long after the first, all have been made.
const SETTLED: Duration = Duration::from_millis(200);

pub(super) async fn run(context: &Context, args: &ServeArgs) -> Result<Answer, Failure> {
    if !context.settings.local {
        let message = "`serve` shows what stands in the local cloud, and `--local` is not set";
        return Err(Failure::new(Exit::Usage, message).help("pass `--local`"));
    }
    let stopper = context.interrupts.graceful(Said::of_a_write("run the same command again to serve again"));
    let cloud = connect(context).await?;
    let tenants = sites(context, &cloud, args).await?;
    let overlay = overlay(context, args)?;
    let options = Options {
        cloud: cloud.clone(),
        endpoint: cloud.config(contract::EDGE_REGION).endpoint_url().unwrap_or_default().to_owned(),
        clock: context.clock.clone(),
        node: node(context).await?,
        folder: context.settings.cache.root().join("serve"),
        port: args.port,
        overlay,
        instance_life: args.instance_seconds.map(Duration::from_secs),
    };
    let mut edge = Edge::start(options, &tenants).await?;
    let users = if args.no_user { Vec::new() } else { users(context, &cloud, &tenants).await? };
    tell(context, &edge, &tenants, &users);
    if args.watch {
        let reload = watch(context, &cloud, args, &mut edge, tenants);
        tokio::select! {
            () = stopper.asked() => {}
            failure = reload => return Err(failure),
        }
    } else {
        stopper.asked().await;
    }
    for (_, user, _) in users {
        let name = user.name.clone();
        if let Err(error) = cloud.cognito(&user.region).delete_user(&user.pool, &user.name).await {
            context.note(format!("the user `{name}` remains: {error}"));
        }
    }
    drop(edge);
    Ok(Answer::new("stopped serving", json!({ "served": true })))
}

/// Folder of the gallery, in a checkout.
const GALLERY: &str = "examples/gallery";

/// What is laid over tenants.
fn overlay(context: &Context, args: &ServeArgs) -> Result<Option<Overlay>, Failure> {
    let asked = args.page.is_some();
    let given = args.page.as_deref().unwrap_or_else(|| Path::new(GALLERY));
    let folder = context.settings.here.join(given);
    if folder.is_dir() {
        return Ok(Some(Overlay { folder, over_all: asked }));
    }
    if asked {
        return Err(Failure::new(Exit::NotFound, format!("there is no folder `{}`", folder.display()))
            .help("name the folder of a page with `--page`, or leave it out"));
    }
    Ok(None)
}

/// The selected tenants as they are rendered now, with what stands of them.
async fn sites(context: &Context, cloud: &Cloud, args: &ServeArgs) -> Result<Vec<TenantSite>, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let mut sites = Vec::new();
    for rendered in render_all(context, &tenants)? {
        let status = describe(&as_tenant(cloud, &rendered).await, &rendered).await?;
        let all = outputs::of(&status);
        let edge = status.stacks.iter().find(|report| report.id == StackId::Edge);
        let parameters = edge.and_then(|report| report.stack.as_ref()).map(|stack| stack.parameters.clone());
        let Some(parameters) = parameters else {
            let (tenant, output) = (rendered.tenant, "DistributionId");
            return Err(ServeError::from(Unready::NotDeployed { tenant, output }).into());
        };
        let mut site = site(&rendered, StackValues { parameters, outputs: all })?;
        let own = tenants.iter().find(|tenant| tenant.name == site.tenant);
        let groups = own.map(|tenant| &tenant.settings.token.groups);
        site.group = groups.and_then(|groups| groups.first()).map(ToString::to_string);
        sites.push(site);
    }
    Ok(sites)
}

fn site(rendered: &RenderedTenant, values: StackValues) -> Result<TenantSite, Failure> {
    let template = rendered.stack(StackId::Edge).map_or("", |stack| stack.template.as_str());
    let template = read_template(template).map_err(|error| Failure::new(Exit::Bug, error))?;
    let region =
        rendered.stack(StackId::Regional).map_or(contract::EDGE_REGION, |stack| stack.region.as_str());
    let (tenant, region) = (rendered.tenant.clone(), region.to_owned());
    Ok(TenantSite { tenant, region, template, values, group: None })
}

async fn node(context: &Context) -> Result<std::path::PathBuf, Failure> {
    let cache = context.settings.cache.clone();
    let found = tokio::task::spawn_blocking(move || local::node(&cache, &|_| {})).await;
    Ok(found.map_err(|error| Failure::new(Exit::Bug, error.to_string()))??.program())
}

/// A user to try the sign-in with, for as long as it is served.
struct TryOut {
    region: String,
    pool: String,
    name: String,
}

async fn users(
    context: &Context,
    cloud: &Cloud,
    tenants: &[TenantSite],
) -> Result<Vec<(String, TryOut, String)>, Failure> {
    let mut users = Vec::new();
    for tenant in tenants {
        let target = Target::of(&tenant.tenant, &tenant.region, &tenant.values.outputs)?;
        let cognito = cloud.cognito(&tenant.region);
        match TestUser::keep(&cognito, &target, tenant.group.as_deref()).await {
            Ok((name, password)) => {
                let user = TryOut { region: tenant.region.clone(), pool: target.user_pool.clone(), name };
                users.push((tenant.tenant.clone(), user, password));
            }
            Err(error) => context.sink.emit(&Event::Warning {
                tenant: Some(tenant.tenant.clone()),
                message: error.to_string(),
                help: Some("sign in as a user of your own".into()),
            }),
        }
    }
    Ok(users)
}

fn tell(context: &Context, edge: &Edge, tenants: &[TenantSite], users: &[(String, TryOut, String)]) {
    let port = edge.port();
    for tenant in tenants {
        let path = edge.page_of(tenant).unwrap_or("/");
        context.note(format!("{} at https://{}:{port}{path}", tenant.tenant, tenant.local_host()));
        if let Some((_, user, password)) = users.iter().find(|(name, ..)| *name == tenant.tenant) {
            context.note(format!("  sign in as {} with {password}", user.name));
        }
    }
    context.note(format!("trust {} in the browser; Ctrl-C ends it", edge.authority().display()));
}

/// Reads everything anew where something has changed. Ends only where nothing can be watched.
async fn watch(
    context: &Context,
    cloud: &Cloud,
    args: &ServeArgs,
    edge: &mut Edge,
    mut served: Vec<TenantSite>,
) -> Failure {
    let changed = Arc::new(Notify::new());
    let told = Arc::clone(&changed);
    let watcher = notify::recommended_watcher(move |_| told.notify_one());
    let settings = &context.settings;
    let folders = [&settings.tenants, &settings.templates].map(|folder| settings.here.join(folder));
    let watcher = watcher.and_then(|mut watcher| {
        folders.iter().try_for_each(|folder: &std::path::PathBuf| {
            watcher.watch(Path::new(folder), RecursiveMode::Recursive)
        })?;
        Ok(watcher)
    });
    let _watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => return Failure::new(Exit::Failure, format!("cannot watch the tenant files: {error}")),
    };
    let mut told = None;
    loop {
        let _ = tokio::time::timeout(LOOK, changed.notified()).await;
        context.clock.sleep(SETTLED).await;
        let failure = match sites(context, cloud, args).await {
            Ok(now) if now == served => None,
            Ok(now) => match edge.reload(&now).await {
                Ok(()) => {
                    context.note("read anew; what was kept is forgotten");
                    served = now;
                    None
                }
                Err(error) => Some(error.into()),
            },
            Err(failure) => Some(failure),
        };
        // Said once, not every few seconds.
        let message = failure.as_ref().map(|failure: &Failure| failure.message.clone());
        if let Some(failure) = failure.filter(|_| message != told) {
            warn(context, &failure);
        }
        told = message;
    }
}

fn warn(context: &Context, failure: &Failure) {
    let help = Some("what was served before goes on".into());
    context.sink.emit(&Event::Warning { tenant: None, message: failure.message.clone(), help });
}
