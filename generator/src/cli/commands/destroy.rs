//! `generator destroy`: what was deployed goes; what holds data stays unless it is named.

use contract::EDGE_REGION;
use serde_json::{Value, json};

use super::support::{account, as_tenant, combined, connect, engine, render_all};
use crate::cli::args::DestroyArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::describe;
use crate::deploy::destroy::{DestroyOutcome, DestroyRequest, Retained, RetainedKind, Thing, destroy};
use crate::render::{RenderedTenant, StackId};
use crate::tenant::Tenant;

/// Logical ids of the resources that hold data.
const DATA: [&str; 2] = ["ContentBucket", "UserPool"];

pub(super) async fn run(context: &Context, args: &DestroyArgs) -> Result<Answer, Failure> {
    if let Some(unknown) = args.delete_data.iter().find(|id| !DATA.contains(&id.as_str())) {
        return Err(Failure::new(Exit::Usage, format!("`{unknown}` holds no data of a tenant"))
            .help(format!("`--delete-data` takes {}", DATA.join(" or "))));
    }
    let tenants = select::load(context, &args.selection)?;
    allowed(&tenants, args)?;
    let rendered = render_all(context, &tenants)?;
    let cloud = connect(context).await?;
    if !args.dry_run {
        ask(context, args, &tenants)?;
    }
    let engine = engine(context, None);
    let (mut human, mut json, mut exits) = (String::new(), Vec::new(), Vec::new());
    for (tenant, rendered) in tenants.iter().zip(&rendered) {
        let cloud = as_tenant(&cloud, rendered).await;
        let request = request(tenant, rendered, &account(&cloud).await?, args);
        if args.dry_run {
            let status = describe(&cloud, rendered).await?;
            let stands = status.stacks.iter().filter(|report| report.stack.is_some());
            let stacks: Vec<_> = stands.map(|report| report.name.clone()).collect();
            human.push_str(&format!("{}\n{}", tenant.name, planned(&stacks, &request)));
            json.push(json!({ "tenant": tenant.name, "stacks": stacks, "delete_data": args.delete_data }));
            continue;
        }
        let outcome = destroy(&engine, &cloud, &request).await?;
        exits.push(if outcome.is_done() { Exit::Ok } else { Exit::Failure });
        human.push_str(&format!("{}\n{}", tenant.name, shown(&outcome)));
        json.push(outcome_json(tenant, &outcome));
    }
    if args.dry_run {
        human.push_str("nothing was changed\n");
    }
    Ok(Answer::new(human, Value::Array(json)).exit(combined(&exits)))
}

/// Refuses to delete data that a tenant's file does not let go.
fn allowed(tenants: &[Tenant], args: &DestroyArgs) -> Result<(), Failure> {
    for tenant in tenants {
        let may_remove = &tenant.settings.destroy.may_remove;
        let lets_go = |id: &&String| may_remove.iter().any(|thing| thing.logical_id() == id.as_str());
        if let Some(kept) = args.delete_data.iter().find(|id| !lets_go(id)) {
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

fn request(tenant: &Tenant, rendered: &RenderedTenant, account: &str, args: &DestroyArgs) -> DestroyRequest {
    let home = tenant.settings.region.to_string();
    let retained = |logical_id: &str, kind, name: String, region: &str| Retained {
        logical_id: logical_id.to_string(),
        kind,
        name,
        region: region.to_string(),
    };
    let edge_first = [StackId::Edge, StackId::Regional].into_iter().filter_map(|id| rendered.stack(id));
    DestroyRequest {
        tenant: tenant.name.clone(),
        account: rendered.account.clone(),
        stacks: edge_first.map(|stack| (stack.name.clone(), stack.region.clone())).collect(),
        retained: vec![
            retained("Signer", RetainedKind::Function, tenant.names.signer_function(), EDGE_REGION),
            retained(
                "ContentBucket",
                RetainedKind::Bucket,
                format!("{}-content-{account}", tenant.names.prefix()),
                &home,
            ),
            retained("UserPool", RetainedKind::UserPool, tenant.names.prefix().to_string(), &home),
        ],
        delete_data: args.delete_data.clone(),
    }
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

fn shown(outcome: &DestroyOutcome) -> String {
    let mut text = String::new();
    for thing in &outcome.removed {
        text.push_str(&format!("  removed    {}\n", named(thing)));
    }
    for kept in &outcome.kept {
        text.push_str(&format!("  kept       {}; {}\n", named(&kept.thing), kept.help));
    }
    for left in &outcome.remaining {
        text.push_str(&format!("  REMAINING  {}: {}; {}\n", named(&left.thing), left.reason, left.help));
    }
    if text.is_empty() {
        text.push_str("  nothing is left\n");
    }
    text
}

fn named(thing: &Thing) -> String {
    format!("{} {} in {}", thing.kind, thing.name, thing.region)
}

fn outcome_json(tenant: &Tenant, outcome: &DestroyOutcome) -> Value {
    let thing = |thing: &Thing| json!({ "type": thing.kind, "name": thing.name, "region": thing.region });
    json!({
        "tenant": tenant.name,
        "done": outcome.is_done(),
        "removed": outcome.removed.iter().map(thing).collect::<Vec<_>>(),
        "kept": outcome.kept.iter().map(|kept| thing(&kept.thing)).collect::<Vec<_>>(),
        "remaining": outcome
            .remaining
            .iter()
            .map(|left| json!({ "thing": thing(&left.thing), "reason": left.reason, "help": left.help }))
            .collect::<Vec<_>>(),
    })
}
