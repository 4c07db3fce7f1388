//! `generator status`: the stacks and the keys of tenants as they stand.

use std::time::SystemTime;

use aws_smithy_types::date_time::{DateTime, Format};
use contract::EDGE_REGION;
use serde_json::{Value, json};

use super::support::{as_tenant, connect, render_all, table};
use super::survey::survey;
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

/// One tenant as it stands.
struct Status {
    stacks: Vec<StackReport>,
    keys: Option<KeyState>,
}

pub(super) async fn run(context: &Context, args: &StatusArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let rendered = render_all(context, &tenants)?;
    let cloud = connect(context).await?;
    let now = context.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let given = tenants
        .iter()
        .zip(rendered)
        .map(|(tenant, rendered)| (tenant.name.clone(), (cloud.clone(), rendered, places(tenant))));
    let look = |(cloud, rendered, places)| look_at(cloud, rendered, places, now);
    let survey = survey(context, "looking at stacks and keys", given, look).await?;
    let late = |status: &Status| status.keys.as_ref().is_some_and(|keys| keys.late.is_some());
    let all: Vec<_> = survey.seen().filter(|(_, status)| !args.overdue || late(status)).collect();
    let (mut stacks, mut keys) = (Vec::new(), Vec::new());
    for (tenant, status) in &all {
        stacks.extend(status.stacks.iter().map(|report| stack_row(tenant, report)));
        keys.extend(status.keys.as_ref().map(|state| key_row(tenant, state)));
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
    for (tenant, status) in &all {
        for line in status.keys.iter().flat_map(troubles) {
            human.push_str(&format!("  {tenant}: {line}\n"));
        }
    }
    if args.overdue && all.is_empty() && survey.is_whole() {
        human.push_str("no rotation is late\n");
    }
    let exit = match survey.exit(|_| Exit::Ok) {
        Exit::Ok if args.overdue && !all.is_empty() => Exit::Changes,
        exit => exit,
    };
    let mut json = survey.json(|tenant, status| {
        json!({
            "tenant": tenant,
            "stacks": status.stacks.iter().map(stack_json).collect::<Vec<_>>(),
            "keys": status.keys,
        })
    });
    if args.overdue {
        json.retain(|entry| entry.get("error").is_some() || !entry["keys"]["late"].is_null());
    }
    Ok(Answer::new(human, Value::Array(json)).exit(exit))
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
    cloud: Cloud,
    rendered: RenderedTenant,
    mut places: KeyPlaces,
    now: i64,
) -> Result<Status, Failure> {
    let cloud = as_tenant(&cloud, &rendered).await;
    let status = describe(&cloud, &rendered).await?;
    places.key_group = status.output(StackId::Edge, "KeyGroupId").map(str::to_owned);
    let (peers, cloudfront) = (cloud.key_peers(EDGE_REGION), cloud.cloudfront());
    let keys = key_state(&peers, &cloudfront, &cloud.ssm(EDGE_REGION), &places, now).await?;
    Ok(Status { stacks: status.stacks, keys })
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
