//! `generator destroy`: what was deployed goes; what holds data stays unless it is named.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use contract::EDGE_REGION;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fleet::{self, Onward, Start};
use super::support::{account, as_tenant, connect_within, engine, render_all};
use crate::aws::{Boxed, Cloud};
use crate::cli::args::DestroyArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::destroy::{
    DestroyOutcome, DestroyRequest, Kept, PagePlace, Remaining, Retained, RetainedKind, Thing, destroy,
};
use crate::deploy::{self, describe};
use crate::fleet::{Attempt, FailureKind, History, Job, JobEnd, Outcome};
use crate::render::{RenderedTenant, StackId};
use crate::report::TenantReport;
use crate::tenant::Tenant;

/// Logical ids of the resources that hold data.
const DATA: [&str; 2] = ["ContentBucket", "UserPool"];

/// Name of the job in journals.
pub(super) const JOB: &str = "destroy";

/// What a process must know to go on with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Arguments {
    #[serde(flatten)]
    origin: fleet::Origin,
    delete_data: Vec<String>,
    wait_seconds: u64,
}

pub(super) async fn run(context: &Context, args: &DestroyArgs) -> Result<Answer, Failure> {
    if let Some(unknown) = args.delete_data.iter().find(|id| !DATA.contains(&id.as_str())) {
        return Err(Failure::new(Exit::Usage, format!("`{unknown}` holds no data of a tenant"))
            .help(format!("`--delete-data` takes {}", DATA.join(" or "))));
    }
    let tenants = select::load(context, &args.selection)?;
    allowed(&tenants, &args.delete_data)?;
    let cloud = connect_within(context, args.fleet.calls).await?;
    let targets = targets(context, &cloud, &tenants, &args.delete_data, args.wait).await?;
    if args.dry_run {
        return dry_run(&targets).await;
    }
    ask(context, args, &tenants)?;
    let accounts = targets.iter().map(|target| target.account.clone()).collect();
    let arguments = Arguments {
        origin: fleet::Origin::here(context, accounts),
        delete_data: args.delete_data.clone(),
        wait_seconds: args.wait,
    };
    let plan = fleet::plan(&args.fleet, &tenants);
    let job = job(context, targets);
    let (cloud, args, arguments, onward) = (&cloud, &args.fleet, json!(arguments), Onward::Resume);
    fleet::begin(context, Start { name: JOB, cloud, args, arguments, plan, job, show: shown, onward }).await
}

/// The job of a run that another process has started.
pub(super) async fn again(
    context: &Context,
    cloud: &Cloud,
    history: &History,
) -> Result<Arc<dyn Job>, Failure> {
    let run = &history.header.run;
    let arguments: Arguments = fleet::arguments(history)?;
    arguments.origin.check(context, run)?;
    let tenants = fleet::remaining(context, history)?;
    // The files may have changed since: consent to lose data is theirs.
    allowed(&tenants, &arguments.delete_data)?;
    let targets = targets(context, cloud, &tenants, &arguments.delete_data, arguments.wait_seconds).await?;
    arguments.origin.check_accounts(&targets.iter().map(|target| target.account.clone()).collect(), run)?;
    Ok(job(context, targets))
}

/// One tenant, and where it is.
struct Target {
    rendered: RenderedTenant,
    cloud: Cloud,
    account: String,
    request: DestroyRequest,
}

async fn targets(
    context: &Context,
    cloud: &Cloud,
    tenants: &[Tenant],
    delete_data: &[String],
    wait: u64,
) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::with_capacity(tenants.len());
    let mut identities: BTreeMap<Option<String>, (Cloud, String)> = BTreeMap::new();
    for (tenant, rendered) in tenants.iter().zip(render_all(context, tenants)?) {
        if !identities.contains_key(&rendered.role_arn) {
            let cloud = as_tenant(cloud, &rendered).await;
            let account = account(&cloud).await?;
            identities.insert(rendered.role_arn.clone(), (cloud, account));
        }
        let Some((cloud, account)) = identities.get(&rendered.role_arn) else { continue };
        let mut request = request(context, tenant, &rendered, account, delete_data);
        request.patience = Duration::from_secs(wait);
        targets.push(Target { rendered, cloud: cloud.clone(), account: account.clone(), request });
    }
    Ok(targets)
}

async fn dry_run(targets: &[Target]) -> Result<Answer, Failure> {
    let (mut human, mut json) = (String::new(), Vec::new());
    for Target { rendered, cloud, request, .. } in targets {
        let status = describe(cloud, rendered).await?;
        let stands = status.stacks.iter().filter(|report| report.stack.is_some());
        let stacks: Vec<_> = stands.map(|report| report.name.clone()).collect();
        human.push_str(&format!("{}\n{}", rendered.tenant, planned(&stacks, request)));
        json.push(json!({ "tenant": rendered.tenant, "stacks": stacks, "delete_data": request.delete_data }));
    }
    human.push_str("nothing was changed\n");
    Ok(Answer::new(human, Value::Array(json)))
}

fn job(context: &Context, targets: Vec<Target>) -> Arc<dyn Job> {
    let tenants = targets.into_iter().map(|target| (target.rendered.tenant.clone(), target)).collect();
    Arc::new(DestroyJob { engine: engine(context, None), tenants })
}

/// Taking a tenant down, as a job of a run.
struct DestroyJob {
    engine: deploy::Context,
    tenants: HashMap<String, Target>,
}

impl Job for DestroyJob {
    fn run<'a>(&'a self, tenant: &'a str, _: Attempt<'a>) -> Boxed<'a, JobEnd> {
        Box::pin(async move {
            let Some(Target { cloud, request, .. }) = self.tenants.get(tenant) else {
                return fleet::no_file(tenant);
            };
            let engine = self.engine.with(deploy::Work::default());
            let (outcome, detail) = match destroy(&engine, cloud, request).await {
                Ok(outcome) => (ended(&outcome), outcome_json(&outcome)),
                Err(error) => {
                    let Failure { exit, message, help, .. } = error.into();
                    (Outcome::Failed { kind: fleet::kind_of(exit), message, help }, Value::Null)
                }
            };
            JobEnd { outcome, detail, waiting: engine.work.waited() }
        })
    }
}

/// Done only where nothing is left that should be gone.
fn ended(outcome: &DestroyOutcome) -> Outcome {
    match outcome.remaining.as_slice() {
        [] => {
            let kept = match outcome.kept.len() {
                0 => String::new(),
                1 => ", 1 thing kept".to_owned(),
                count => format!(", {count} things kept"),
            };
            Outcome::Done { summary: format!("gone{kept}") }
        }
        [first, ..] => {
            let one = |left: &Remaining| format!("\n  {}: {}", named(&left.thing), left.reason);
            let all: String = outcome.remaining.iter().map(one).collect();
            Outcome::Failed {
                kind: FailureKind::Other,
                message: format!("{}:{all}", remain(outcome.remaining.len())),
                help: Some(first.help.clone()),
            }
        }
    }
}

fn remain(count: usize) -> String {
    if count == 1 { "1 thing remains".to_owned() } else { format!("{count} things remain") }
}

/// Refuses to delete data that a tenant's file does not let go.
fn allowed(tenants: &[Tenant], delete_data: &[String]) -> Result<(), Failure> {
    for tenant in tenants {
        let may_remove = &tenant.settings.destroy.may_remove;
        let lets_go = |id: &&String| may_remove.iter().any(|thing| thing.logical_id() == id.as_str());
        if let Some(kept) = delete_data.iter().find(|id| !lets_go(id)) {
            let message = format!("tenant `{}` does not let `{kept}` be removed", tenant.name);
            let help = "list it in the tenant's `destroy.may_remove` first";
            return Err(Failure::new(Exit::Policy, message).help(help));
        }
    }
    Ok(())
}

/// Asks once for the stacks, and for data always by the name of the tenant, which `--yes` does not answer:
/// naming the resource in `--delete-data` is the consent.
fn ask(context: &Context, args: &DestroyArgs, tenants: &[Tenant]) -> Result<(), Failure> {
    let names: Vec<_> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    let data = match args.delete_data.as_slice() {
        [] => "data is kept".to_string(),
        ids => format!("{} with ALL DATA", ids.join(" and ")),
    };
    context.confirm(&format!("Destroy {} ({data})?", names.join(", ")))
}

fn request(
    context: &Context,
    tenant: &Tenant,
    rendered: &RenderedTenant,
    account: &str,
    delete_data: &[String],
) -> DestroyRequest {
    let home = tenant.settings.region.to_string();
    let retained = |logical_id: &str, kind, name: String, region: &str| Retained {
        logical_id: logical_id.to_string(),
        kind,
        name,
        region: region.to_string(),
    };
    let bucket = format!("{}-content-{account}", tenant.names.prefix());
    let existing = tenant.settings.bucket.existing_name.as_ref();
    let edge_first = [StackId::Edge, StackId::Regional].into_iter().filter_map(|id| rendered.stack(id));
    DestroyRequest {
        tenant: tenant.name.clone(),
        account: rendered.account.clone(),
        stacks: edge_first.map(|stack| (stack.name.clone(), stack.region.clone())).collect(),
        retained: vec![
            retained("Signer", RetainedKind::Function, tenant.names.signer_function(), EDGE_REGION),
            retained("ContentBucket", RetainedKind::Bucket, bucket.clone(), &home),
            retained("UserPool", RetainedKind::UserPool, tenant.names.prefix().to_string(), &home),
        ],
        delete_data: delete_data.to_vec(),
        page: rendered.page.as_ref().map(|page| PagePlace {
            path: page.path.clone(),
            bucket: existing.map_or_else(|| bucket.clone(), ToString::to_string),
        }),
        keys: Some(tenant.names.clone()),
        log_groups: log_groups(&tenant.names.signer_function(), context.settings.local),
        patience: Duration::ZERO,
    }
}

/// Regions in which CloudFront runs functions, and Lambda writes their logs.
const EDGE_LOG_REGIONS: [&str; 16] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "sa-east-1",
];

/// Log groups that the edge function makes: one at home, and one wherever a replica has run.
fn log_groups(function: &str, local: bool) -> Vec<(String, String)> {
    let home = (format!("/aws/lambda/{function}"), EDGE_REGION.to_owned());
    let replica = |region: &&str| (format!("/aws/lambda/{EDGE_REGION}.{function}"), (*region).to_owned());
    // The local cloud has no replicas.
    let replicas = EDGE_LOG_REGIONS.iter().filter(|_| !local).map(replica);
    std::iter::once(home).chain(replicas).collect()
}

fn planned(stacks: &[String], request: &DestroyRequest) -> String {
    let mut text = String::new();
    for stack in stacks {
        text.push_str(&format!("  would delete stack {stack}\n"));
    }
    if stacks.is_empty() {
        text.push_str("  no stack stands\n");
    }
    for id in DATA {
        let fate = if request.delete_data.iter().any(|named| named == id) { "delete" } else { "keep" };
        text.push_str(&format!("  would {fate} {id}\n"));
    }
    text
}

/// What was removed and what stays of a tenant that is done.
pub(super) fn shown(tenant: &TenantReport, _: bool) -> String {
    let list = |key: &str| tenant.detail[key].as_array().cloned().unwrap_or_default();
    let word = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let thing = |value: &Value| {
        format!("{} {} in {}", word(value, "type"), word(value, "name"), word(value, "region"))
    };
    let mut text = format!("{}\n", tenant.tenant);
    for removed in list("removed") {
        text.push_str(&format!("  removed    {}\n", thing(&removed)));
    }
    for kept in list("kept") {
        text.push_str(&format!("  kept       {}; {}\n", thing(&kept), word(&kept, "help")));
    }
    if text.lines().count() == 1 {
        text.push_str("  nothing is left\n");
    }
    text
}

fn named(thing: &Thing) -> String {
    format!("{} {} in {}", thing.kind, thing.name, thing.region)
}

fn outcome_json(outcome: &DestroyOutcome) -> Value {
    let thing = |thing: &Thing| json!({ "type": thing.kind, "name": thing.name, "region": thing.region });
    let kept = |kept: &Kept| {
        let mut value = thing(&kept.thing);
        value["help"] = kept.help.clone().into();
        value
    };
    let remaining =
        |left: &Remaining| json!({ "thing": thing(&left.thing), "reason": left.reason, "help": left.help });
    json!({
        "removed": outcome.removed.iter().map(thing).collect::<Vec<_>>(),
        "kept": outcome.kept.iter().map(kept).collect::<Vec<_>>(),
        "remaining": outcome.remaining.iter().map(remaining).collect::<Vec<_>>(),
    })
}
