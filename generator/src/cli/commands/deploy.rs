//! `generator deploy`: tenants become what their files say.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::artifacts::{Laying, Place, places};
use super::policy::{PolicyGate, judge_all};
use super::support::{combined, connect, table};
use super::verify::{self, SignIn};
use super::{artifacts, outputs, plan, planned};
use crate::cli::args::DeployArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{DataLossGate, DeployError, Deployed, Gate, StackOutcome, TenantOutcome, deploy_tenant};
use crate::plan::Allowed;
use crate::render::RenderedTenant;
use crate::report::Event;
use crate::verify::Verification;

/// Tenants deployed at a time.
const AT_ONCE: usize = 4;

pub(super) async fn run(context: &Context, args: &DeployArgs) -> Result<Answer, Failure> {
    if let Some(path) = &args.plan {
        return planned::run(context, args, path).await;
    }
    if args.dry_run {
        return plan::run(context, &args.as_plan()).await;
    }
    let tenants = select::load(context, &args.selection)?;
    let trial = judge_all(context, tenants)?;
    trial.pass(context)?;
    let allowed = Allowed { replace: args.allow_replace.clone(), broadening: args.allow_broadening };
    let policies = Arc::new(PolicyGate::new(context, &trial, allowed));
    let rendered = trial.rendered();
    if rendered.is_empty() {
        return Ok(Answer::new("no tenant changed", json!([])));
    }
    let packed = context.step("packing the runtimes", artifacts::pack(context)).await?;
    let cloud = connect(context).await?;
    let laying = Laying { service_role_arn: args.service_role_arn.as_deref(), zips: true };
    let places = places(context, laying, &cloud, &rendered, &packed).await?;
    ask(context, &rendered, &places)?;

    let mut ended = deploy_all(args, &policies, &rendered, &places).await?;
    if let [_] = rendered.as_slice()
        && let Some(Err(_)) = ended.first()
        && let Some(Err(error)) = ended.pop()
    {
        return Err(error.into());
    }
    let mut tenants = Vec::with_capacity(rendered.len());
    for ((rendered, place), result) in rendered.iter().zip(&places).zip(ended) {
        tenants.push(finish(context, args, rendered, place, result).await);
    }
    let exits: Vec<Exit> = tenants.iter().map(|tenant| tenant.exit).collect();
    let human: String = tenants.iter().map(|tenant| tenant.human.as_str()).collect();
    let json = tenants.into_iter().map(|tenant| tenant.json).collect();
    Ok(Answer::new(human, Value::Array(json)).exit(combined(&exits)))
}

fn ask(context: &Context, rendered: &[RenderedTenant], places: &[Place]) -> Result<(), Failure> {
    let names: Vec<_> = rendered.iter().map(|tenant| tenant.tenant.as_str()).collect();
    let mut accounts: Vec<_> = places.iter().map(|place| place.account.as_str()).collect();
    accounts.dedup();
    context.confirm(&format!("Deploy {} to account {}?", names.join(", "), accounts.join(", ")))
}

/// Deploys all tenants, a few at a time; results in the order of the tenants.
async fn deploy_all(
    args: &DeployArgs,
    policies: &Arc<PolicyGate>,
    rendered: &[RenderedTenant],
    places: &[Place],
) -> Result<Vec<Result<TenantOutcome, DeployError>>, Failure> {
    let gate = DataLossGate { allow_replace: args.allow_replace.clone() };
    let gates: Arc<[Arc<dyn Gate>]> = Arc::from([Arc::new(gate) as Arc<dyn Gate>, policies.clone()]);
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (index, (tenant, place)) in rendered.iter().cloned().zip(places.iter().cloned()).enumerate() {
        let (permits, gates) = (permits.clone(), gates.clone());
        running.spawn(async move {
            let _permit = permits.acquire().await;
            let result = deploy_tenant(&place.engine, &place.cloud, &tenant, &place.locations, &gates).await;
            if let Err(error) = &result {
                let (message, help) = (error.to_string(), error.help());
                place.engine.sink.emit(&Event::TenantFailed { tenant: tenant.tenant, message, help });
            }
            (index, result)
        });
    }
    let mut ended = BTreeMap::new();
    while let Some(joined) = running.join_next().await {
        let (index, result) = joined.map_err(|error| Failure::new(Exit::Bug, error.to_string()))?;
        ended.insert(index, result);
    }
    Ok(ended.into_values().collect())
}

/// How one of several tenants ended.
struct Ended {
    exit: Exit,
    human: String,
    json: Value,
}

async fn finish(
    context: &Context,
    args: &DeployArgs,
    rendered: &RenderedTenant,
    place: &Place,
    result: Result<TenantOutcome, DeployError>,
) -> Ended {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => return failed(rendered, &error.into()),
    };
    let outputs: BTreeMap<String, String> = outcome.outputs.values().flat_map(Clone::clone).collect();
    let mut human = format!("{} in account {}\n", rendered.tenant, place.account);
    human.push_str(&stacks(rendered, &outcome));
    human.push_str(&format!("outputs\n{}", outputs::listed(&outputs)));
    let mut json = json!({
        "tenant": rendered.tenant,
        "account": place.account,
        "changed": outcome.is_changed(),
        "outputs": outputs,
    });
    let mut exit = Exit::Ok;
    if context.settings.local && !args.no_verify {
        let verified = verify::one(context, &place.cloud, rendered, &outputs, &SignIn::TestUser).await;
        match verified {
            Ok(verification) => {
                human.push_str(&format!("verified\n{}", verify::listed(&verification)));
                json["verification"] = json!(verification);
                exit = exit_of(&verification);
            }
            Err(failure) => return failed(rendered, &failure),
        }
    }
    Ended { exit, human, json }
}

fn exit_of(verification: &Verification) -> Exit {
    if verification.passed() { Exit::Ok } else { Exit::Failure }
}

fn failed(rendered: &RenderedTenant, failure: &Failure) -> Ended {
    Ended {
        exit: failure.exit,
        human: format!("{}\n{failure}\n", rendered.tenant),
        json: json!({ "tenant": rendered.tenant, "error": failure.message, "help": failure.help }),
    }
}

fn stacks(rendered: &RenderedTenant, outcome: &TenantOutcome) -> String {
    let row = |(id, outcome): &(_, StackOutcome)| {
        let stack = rendered.stack(*id)?;
        let what = match outcome {
            StackOutcome::Unchanged(_) => "no changes".to_string(),
            StackOutcome::Created(done) => format!("created, {}", resources(done)),
            StackOutcome::Updated(done) => format!("updated, {}", resources(done)),
        };
        Some([stack.name.clone(), stack.region.clone(), what])
    };
    table(&outcome.stacks.iter().filter_map(row).collect::<Vec<_>>())
}

fn resources(done: &Deployed) -> String {
    match done.change.resources.len() {
        1 => "1 resource".to_string(),
        count => format!("{count} resources"),
    }
}
