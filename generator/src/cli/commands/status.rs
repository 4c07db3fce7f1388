//! `generator status`: the stacks and the keys of tenants as they stand.

use std::sync::Arc;
use std::time::SystemTime;

use aws_smithy_types::date_time::{DateTime, Format};
use contract::EDGE_REGION;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::support::{as_tenant, connect, render_all, table};
use crate::aws::Cloud;
use crate::cli::args::StatusArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{StackReport, describe};
use crate::render::{RenderedTenant, StackId};
use crate::rotate::{KeyPlaces, KeyState, key_state};
use crate::tenant::Tenant;

/// Tenants looked at at a time.
const AT_ONCE: usize = 8;

/// One tenant as it stands.
struct Status {
    tenant: String,
    stacks: Vec<StackReport>,
    keys: Option<KeyState>,
}

pub(super) async fn run(context: &Context, args: &StatusArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let rendered = render_all(context, &tenants)?;
    let cloud = connect(context).await?;
    let now = context.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let mut all = look_at_all(&cloud, &tenants, rendered, now).await?;
    let late = |status: &Status| status.keys.as_ref().is_some_and(|keys| keys.late.is_some());
    if args.overdue {
        all.retain(late);
    }
    let (mut stacks, mut keys, mut json) = (Vec::new(), Vec::new(), Vec::new());
    for status in &all {
        stacks.extend(status.stacks.iter().map(|report| stack_row(&status.tenant, report)));
        keys.extend(status.keys.as_ref().map(|state| key_row(&status.tenant, state)));
        json.push(json!({
            "tenant": status.tenant,
            "stacks": status.stacks.iter().map(stack_json).collect::<Vec<_>>(),
            "keys": status.keys,
        }));
    }
    let mut human = String::new();
    if !args.overdue {
        human.push_str(&format!("stacks\n{}", table(&stacks)));
    }
    if !keys.is_empty() {
        let head = ["tenant", "age", "key", "algorithm", "next rotation", "in group", "late"];
        keys.insert(0, head.map(str::to_string));
        human.push_str(&format!("keys\n{}", table(&keys)));
    }
    for status in &all {
        for line in status.keys.iter().flat_map(troubles) {
            human.push_str(&format!("  {}: {line}\n", status.tenant));
        }
    }
    if args.overdue && all.is_empty() {
        human.push_str("no rotation is late\n");
    }
    let exit = if args.overdue && !all.is_empty() { Exit::Changes } else { Exit::Ok };
    Ok(Answer::new(human, Value::Array(json)).exit(exit))
}

/// Looks at several tenants at a time; in the order of the tenants.
async fn look_at_all(
    cloud: &Cloud,
    tenants: &[Tenant],
    rendered: Vec<RenderedTenant>,
    now: i64,
) -> Result<Vec<Status>, Failure> {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut looking = JoinSet::new();
    for (index, (tenant, rendered)) in tenants.iter().zip(rendered).enumerate() {
        let (permits, cloud, places) = (Arc::clone(&permits), cloud.clone(), places(tenant));
        looking.spawn(async move {
            let _permit = permits.acquire().await;
            (index, look_at(&cloud, rendered, places, now).await)
        });
    }
    let mut found = Vec::with_capacity(tenants.len());
    while let Some(joined) = looking.join_next().await {
        let (index, status) = joined.map_err(|error| Failure::new(Exit::Bug, error.to_string()))?;
        found.push((index, status?));
    }
    found.sort_by_key(|(index, _)| *index);
    Ok(found.into_iter().map(|(_, status)| status).collect())
}

fn places(tenant: &Tenant) -> KeyPlaces {
    let schedule = tenant.settings.keys.rotation.as_str();
    // A cron expression has no longest gap that is worth working out: the service tells the next time.
    let every_days = schedule.starts_with("rate(").then(|| tenant.settings.keys.rotation.least_days());
    KeyPlaces {
        secret: tenant.names.keyring_secret(),
        function: tenant.names.rotator_function(),
        key_id_parameter: tenant.names.key_id_parameter(),
        key_group: None,
        every_days,
    }
}

async fn look_at(
    cloud: &Cloud,
    rendered: RenderedTenant,
    mut places: KeyPlaces,
    now: i64,
) -> Result<Status, Failure> {
    let cloud = as_tenant(cloud, &rendered).await;
    let status = describe(&cloud, &rendered).await?;
    places.key_group = status.output(StackId::Edge, "KeyGroupId").map(str::to_owned);
    let (peers, cloudfront) = (cloud.key_peers(EDGE_REGION), cloud.cloudfront());
    let keys = key_state(&peers, &cloudfront, &cloud.ssm(EDGE_REGION), &places, now).await?;
    Ok(Status { tenant: status.tenant, stacks: status.stacks, keys })
}

fn stack_row(tenant: &str, report: &StackReport) -> [String; 5] {
    [
        tenant.to_string(),
        report.id.as_str().to_string(),
        report.region.clone(),
        word(report).to_string(),
        template(report).to_string(),
    ]
}

fn stack_json(report: &StackReport) -> Value {
    json!({
        "stack": report.name,
        "region": report.region,
        "status": report.stack.as_ref().map(|stack| &stack.status),
        "template_as_rendered": report.as_rendered,
    })
}

fn key_row(tenant: &str, keys: &KeyState) -> [String; 7] {
    let unknown = || "unknown".to_string();
    [
        tenant.to_string(),
        keys.age_seconds.map_or_else(unknown, age),
        keys.key_id.clone().unwrap_or_else(unknown),
        keys.algorithm.map_or_else(unknown, str::to_string),
        keys.next_rotation.map_or_else(unknown, date),
        keys.keys_in_group.map_or_else(unknown, |count| count.to_string()),
        if keys.late.is_some() { "yes" } else { "no" }.to_string(),
    ]
}

/// What must be looked at, as half sentences.
fn troubles(keys: &KeyState) -> Vec<String> {
    let late = keys.late.as_ref().map(ToString::to_string);
    let unfinished =
        keys.unfinished.as_ref().map(|version| format!("a rotation is unfinished (version {version})"));
    let failure = keys
        .last_failure
        .as_ref()
        .map(|failure| format!("the last rotation failed on {}: {}", date(failure.at), failure.reason));
    [late, unfinished, failure].into_iter().flatten().collect()
}

fn age(seconds: i64) -> String {
    match seconds {
        0..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn date(seconds: i64) -> String {
    DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default()
}

fn word(report: &StackReport) -> &str {
    report.stack.as_ref().map_or("not deployed", |stack| stack.status.as_str())
}

fn template(report: &StackReport) -> &'static str {
    match (&report.stack, report.as_rendered) {
        (None, _) => "",
        (Some(_), true) => "template as rendered",
        (Some(_), false) => "template differs",
    }
}
