//! `generator deploy`: tenants become what their files say.

mod job;
mod planned;
mod shown;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use self::job::{DeployJob, Target};
pub(super) use self::shown::shown;
use super::artifacts::{self, Laying, places};
use super::fleet::{self, Onward, Start};
use super::plan as planning;
use super::policy::{PolicyGate, Trial, judge_all};
use super::support::connect_within;
use crate::aws::Cloud;
use crate::cli::args::{DeployArgs, ExecutionArgs};
use crate::cli::context::{Answer, Context};
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{self, DataLossGate, Gate};
use crate::fleet::{History, Job, Plan};
use crate::plan::SavedPlan;
use crate::tenant::Tenant;

/// Name of the job in journals.
pub(super) const JOB: &str = "deploy";

/// What a process must know to go on with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Arguments {
    #[serde(flatten)]
    origin: fleet::Origin,
    execution: ExecutionArgs,
    /// The plan that is executed, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<SavedPlan>,
}

pub(super) async fn run(context: &Context, args: &DeployArgs) -> Result<Answer, Failure> {
    if let Some(path) = &args.plan {
        return planned::run(context, args, path).await;
    }
    if args.dry_run {
        return planning::run(context, &args.as_plan()).await;
    }
    let tenants = select::load(context, &args.selection)?;
    let waves = fleet::plan(&args.fleet, &tenants);
    let (policies, trial) = judged(context, tenants, &args.execution)?;
    if waves.is_empty() {
        return Ok(Answer::new("no tenant changed", json!([])));
    }
    let packed = context.step("packing the runtimes", artifacts::pack(context)).await?;
    let cloud = connect_within(context, args.fleet.calls).await?;
    let laying = Laying { execution: &args.execution, zips: true };
    let places = places(context, laying, &cloud, &trial.rendered(), &packed).await?;
    let targets: Vec<_> = trial.tenants.iter().zip(places).map(Target::from).collect();
    ask(context, &targets)?;
    begin(context, &cloud, args, waves, policies, targets, None).await
}

/// Starts a run over these tenants.
async fn begin(
    context: &Context,
    cloud: &Cloud,
    args: &DeployArgs,
    waves: Plan,
    policies: Arc<PolicyGate>,
    targets: Vec<Target>,
    plan: Option<SavedPlan>,
) -> Result<Answer, Failure> {
    let onward = onward(plan.as_ref());
    let origin = fleet::Origin::here(context, accounts(&targets));
    let arguments = Arguments { origin, execution: args.execution.clone(), plan };
    let job = job(context, &args.execution, policies, targets);
    let (args, arguments) = (&args.fleet, json!(arguments));
    fleet::begin(context, Start { name: JOB, cloud, args, arguments, plan: waves, job, show: shown, onward })
        .await
}

/// The job of a run that another process has started. The tenants' files count as they are now, where no plan is
/// executed; tenants that are done need none any more.
pub(super) async fn again(
    context: &Context,
    cloud: &Cloud,
    history: &History,
) -> Result<(Arc<dyn Job>, Onward), Failure> {
    let run = &history.header.run;
    let Arguments { origin, execution, plan } = fleet::arguments(history)?;
    origin.check(context, run)?;
    let tenants = fleet::remaining(context, history)?;
    if let Some(plan) = &plan {
        planned::again(context, cloud, plan, &tenants).await?;
    }
    let (policies, trial) = judged(context, tenants, &execution)?;
    let packed = context.step("packing the runtimes", artifacts::pack(context)).await?;
    let laying = Laying { execution: &execution, zips: true };
    let places = places(context, laying, cloud, &trial.rendered(), &packed).await?;
    let targets = match &plan {
        Some(plan) => planned::targets(&trial, places, plan)?,
        None => trial.tenants.iter().zip(places).map(Target::from).collect(),
    };
    origin.check_accounts(&accounts(&targets), run)?;
    Ok((job(context, &execution, policies, targets), onward(plan.as_ref())))
}

/// What was not executed of a plan is deleted when the run ends, so there is nothing to go on with.
fn onward(plan: Option<&SavedPlan>) -> Onward {
    if plan.is_some() { Onward::NewPlan } else { Onward::Resume }
}

/// Tenants as they would be deployed, where the rules let them pass, and what judges their changes.
fn judged(
    context: &Context,
    tenants: Vec<Tenant>,
    execution: &ExecutionArgs,
) -> Result<(Arc<PolicyGate>, Trial), Failure> {
    let trial = judge_all(context, tenants)?;
    trial.pass(context)?;
    let policies = PolicyGate::new(context, &trial, execution.change.allowed());
    Ok((Arc::new(policies), trial))
}

fn accounts(targets: &[Target]) -> BTreeSet<String> {
    targets.iter().map(|target| target.place.account.clone()).collect()
}

fn job(
    context: &Context,
    execution: &ExecutionArgs,
    policies: Arc<PolicyGate>,
    targets: Vec<Target>,
) -> Arc<dyn Job> {
    let data = DataLossGate { allow_replace: execution.change.allow_replace.clone() };
    let gates: [Arc<dyn Gate>; 2] = [Arc::new(data), policies];
    for target in &targets {
        if let Some(plan) = &target.plan {
            deploy::planned::hold(&target.place.engine, plan);
        }
    }
    let tenants: HashMap<_, _> =
        targets.into_iter().map(|target| (target.rendered.tenant.clone(), target)).collect();
    Arc::new(DeployJob {
        context: context.clone(),
        tenants,
        gates: Arc::from(gates),
        verifies: context.settings.local && !execution.no_verify,
    })
}

fn ask(context: &Context, targets: &[Target]) -> Result<(), Failure> {
    const NAMED: usize = 10;
    let names: Vec<_> = targets.iter().map(|target| target.rendered.tenant.as_str()).collect();
    let whom = match names.len() {
        ..=NAMED => names.join(", "),
        count => format!("{count} tenants"),
    };
    let accounts = accounts(targets).into_iter().collect::<Vec<_>>().join(", ");
    context.confirm(&format!("Deploy {whom} to account {accounts}?"))
}
