//! `generator deploy`: tenants become what their files say.

mod job;
mod shown;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use self::job::{DeployJob, Target};
pub(super) use self::shown::shown;
use super::artifacts::{self, Laying, Place, places};
use super::policy::{Judged, PolicyGate, Trial, judge_all};
use super::support::connect_within;
use super::{fleet, plan as planning, planned};
use crate::aws::Cloud;
use crate::cli::args::{DeployArgs, ExecutionArgs};
use crate::cli::context::{Answer, Context};
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{DataLossGate, Gate};
use crate::fleet::{History, Job};
use crate::plan::Allowed;
use crate::render::RenderedTenant;

/// Name of the job in journals.
pub(super) const JOB: &str = "deploy";

/// What a process must know to go on with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Arguments {
    #[serde(flatten)]
    origin: fleet::Origin,
    execution: ExecutionArgs,
}

pub(super) async fn run(context: &Context, args: &DeployArgs) -> Result<Answer, Failure> {
    if let Some(path) = &args.plan {
        return planned::run(context, args, path).await;
    }
    if args.dry_run {
        return planning::run(context, &args.as_plan()).await;
    }
    let tenants = select::load(context, &args.selection)?;
    let plan = fleet::plan(&args.fleet, &tenants);
    let trial = judge_all(context, tenants)?;
    trial.pass(context)?;
    if plan.is_empty() {
        return Ok(Answer::new("no tenant changed", json!([])));
    }
    let policies = policies(context, &trial, &args.execution);
    let rendered = trial.rendered();
    let packed = context.step("packing the runtimes", artifacts::pack(context)).await?;
    let cloud = connect_within(context, args.fleet.calls).await?;
    let laying = Laying { execution: &args.execution, zips: true };
    let places = places(context, laying, &cloud, &rendered, &packed).await?;
    let accounts: BTreeSet<_> = places.iter().map(|place| place.account.clone()).collect();
    ask(context, &rendered, &accounts)?;

    let arguments =
        Arguments { origin: fleet::Origin::here(context, accounts), execution: args.execution.clone() };
    let header = fleet::header(context, JOB, &args.fleet, json!(arguments), plan);
    let place = fleet::place(context, &args.fleet.journal)?;
    let journal = place.create(&cloud, header).await?;
    let job = job(context, &args.execution, policies, &trial, places);
    fleet::go(context, fleet::Work { journal, job, show: shown }, &args.fleet.journal, &place).await
}

/// The job of a run that another process has started. The tenants' files count as they are now; tenants that are
/// done need none any more.
pub(super) async fn again(
    context: &Context,
    cloud: &Cloud,
    history: &History,
) -> Result<Arc<dyn Job>, Failure> {
    let run = &history.header.run;
    let arguments: Arguments = fleet::arguments(history)?;
    arguments.origin.check(context, run)?;
    let tenants = fleet::remaining(context, history)?;
    let trial = judge_all(context, tenants)?;
    trial.pass(context)?;
    let policies = policies(context, &trial, &arguments.execution);
    let rendered = trial.rendered();
    let packed = context.step("packing the runtimes", artifacts::pack(context)).await?;
    let laying = Laying { execution: &arguments.execution, zips: true };
    let places = places(context, laying, cloud, &rendered, &packed).await?;
    arguments.origin.check_accounts(&places.iter().map(|place| place.account.clone()).collect(), run)?;
    Ok(job(context, &arguments.execution, policies, &trial, places))
}

fn policies(context: &Context, trial: &Trial, execution: &ExecutionArgs) -> Arc<PolicyGate> {
    let allowed =
        Allowed { replace: execution.allow_replace.clone(), broadening: execution.allow_broadening };
    Arc::new(PolicyGate::new(context, trial, allowed))
}

fn job(
    context: &Context,
    execution: &ExecutionArgs,
    policies: Arc<PolicyGate>,
    trial: &Trial,
    places: Vec<Place>,
) -> Arc<dyn Job> {
    let data = DataLossGate { allow_replace: execution.allow_replace.clone() };
    let gates: [Arc<dyn Gate>; 2] = [Arc::new(data), policies];
    let target = |(judged, place): (&Judged, Place)| {
        let (rendered, settings) = (judged.rendered.clone(), judged.subject.settings().clone());
        (rendered.tenant.clone(), Target { rendered, settings, place })
    };
    let tenants: HashMap<_, _> = trial.tenants.iter().zip(places).map(target).collect();
    Arc::new(DeployJob {
        context: context.clone(),
        tenants,
        gates: Arc::from(gates),
        verifies: context.settings.local && !execution.no_verify,
    })
}

fn ask(context: &Context, rendered: &[RenderedTenant], accounts: &BTreeSet<String>) -> Result<(), Failure> {
    const NAMED: usize = 10;
    let names: Vec<_> = rendered.iter().map(|tenant| tenant.tenant.as_str()).collect();
    let whom = match names.len() {
        ..=NAMED => names.join(", "),
        count => format!("{count} tenants"),
    };
    let accounts = accounts.iter().cloned().collect::<Vec<_>>().join(", ");
    context.confirm(&format!("Deploy {whom} to account {accounts}?"))
}
