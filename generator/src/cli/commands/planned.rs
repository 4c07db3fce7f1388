//! `generator deploy --plan FILE`: exactly what was looked at, or nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::artifacts::{self, Laying, Place, places};
use super::plan::file;
use super::policy::{Judged, PolicyGate, Trial, judge_all};
use super::recording::record;
use super::support::{combined, connect, table};
use crate::cli::args::{DeployArgs, Selection};
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{DataLossGate, DeployError, Gate, StackOutcome, TenantOutcome, planned};
use crate::plan::{Allowed, SavedPlan, SavedTenant};
use crate::render::RenderedTenant;

/// Tenants deployed at a time.
const AT_ONCE: usize = 4;

/// A tenant with its plan and where it goes.
#[derive(Clone)]
struct Job {
    rendered: RenderedTenant,
    /// All layers of its settings together.
    settings: Value,
    place: Place,
    plan: SavedTenant,
}

/// How a tenant ended; `None` where the run was stopped before it.
type Ended = Option<Result<TenantOutcome, DeployError>>;

pub(super) async fn run(context: &Context, args: &DeployArgs, path: &Path) -> Result<Answer, Failure> {
    let plan = file::read(&context.settings.here.join(path))?;
    let moved = file::moved(context, &plan)?;
    if plan.tenants.is_empty() {
        return Ok(Answer::new("the plan has no tenant", json!([])));
    }
    let cloud = connect(context).await?;
    if let Some(what) = moved {
        // A plan that does not hold is of no use to anybody: nothing of it is left.
        for tenant in &plan.tenants {
            planned::discard(&cloud, tenant).await?;
        }
        return Err(DeployError::Moved { what }.into());
    }
    let tenants = plan.tenants.iter().map(|tenant| tenant.tenant.clone()).collect();
    let tenants = select::load(context, &Selection { tenants, ..Selection::default() })?;
    let trial = judge_all(context, tenants)?;
    trial.pass(context)?;
    let allowed = Allowed {
        replace: args.execution.allow_replace.clone(),
        broadening: args.execution.allow_broadening,
    };
    let policies = Arc::new(PolicyGate::new(context, &trial, allowed));
    let rendered = trial.rendered();
    let packed = context.step("packing the runtimes", artifacts::pack(context)).await?;
    let laying = Laying { execution: &args.execution, zips: false };
    let looking = places(context, laying, &cloud, &rendered, &packed).await?;
    let jobs = jobs(&trial, &looking, &plan)?;
    for job in &jobs {
        let Job { rendered, place, plan, .. } = job;
        let checked = planned::check(&place.engine, &place.cloud, rendered, &place.locations, plan).await;
        if let Err(error) = checked {
            if matches!(error, DeployError::Moved { .. }) {
                discard(&jobs).await?;
            }
            return Err(error.into());
        }
    }
    let names: Vec<&str> = jobs.iter().map(|job| job.plan.tenant.as_str()).collect();
    context.confirm(&format!("Deploy {} as planned?", names.join(", ")))?;
    let laying = Laying { zips: true, ..laying };
    places(context, laying, &cloud, &rendered, &packed).await?;

    let gate = DataLossGate { allow_replace: args.execution.allow_replace.clone() };
    let gates: Arc<[Arc<dyn Gate>]> = Arc::from([Arc::new(gate) as Arc<dyn Gate>, policies]);
    let ended = execute(context, &jobs, &gates).await?;
    // What was not executed, for whatever reason, is of no use any more.
    discard(&jobs).await?;
    answer(&jobs, ended)
}

fn jobs(trial: &Trial, places: &[Place], plan: &SavedPlan) -> Result<Vec<Job>, Failure> {
    let of = |(judged, place): (&Judged, &Place)| {
        let rendered = &judged.rendered;
        let found = plan.tenants.iter().find(|saved| saved.tenant == rendered.tenant);
        let found = found.filter(|saved| saved.account == place.account);
        found
            .map(|plan| Job {
                rendered: rendered.clone(),
                settings: judged.subject.settings().clone(),
                place: place.clone(),
                plan: plan.clone(),
            })
            .ok_or_else(|| {
                let message = format!(
                    "the plan of tenant `{}` is for another account than `{}`",
                    rendered.tenant, place.account
                );
                Failure::new(Exit::Access, message)
                    .help("choose the profile or role that the plan was made with")
            })
    };
    trial.tenants.iter().zip(places).map(of).collect()
}

async fn execute(
    context: &Context,
    jobs: &[Job],
    gates: &Arc<[Arc<dyn Gate>]>,
) -> Result<Vec<Ended>, Failure> {
    let stopper = context.interrupts.graceful("stacks that are being changed go on; make a new plan");
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (index, job) in jobs.iter().cloned().enumerate() {
        let (permits, gates, stopper) = (permits.clone(), gates.clone(), stopper.clone());
        let context = context.clone();
        running.spawn(async move {
            let _permit = permits.acquire().await;
            if stopper.is_asked() {
                return (index, None);
            }
            let Job { rendered, settings, place, plan } = &job;
            let ended =
                planned::execute(&place.engine, &place.cloud, rendered, &place.locations, &gates, plan).await;
            if ended.is_ok() {
                record(&context, place, rendered, settings).await;
            }
            (index, Some(ended))
        });
    }
    let mut ended = BTreeMap::new();
    while let Some(joined) = running.join_next().await {
        let (index, result) = joined.map_err(|error| Failure::new(Exit::Bug, error.to_string()))?;
        ended.insert(index, result);
    }
    Ok(ended.into_values().collect())
}

async fn discard(jobs: &[Job]) -> Result<(), Failure> {
    for job in jobs {
        planned::discard(&job.place.cloud, &job.plan).await?;
    }
    Ok(())
}

fn answer(jobs: &[Job], ended: Vec<Ended>) -> Result<Answer, Failure> {
    let single = jobs.len() == 1;
    let (mut human, mut json, mut exits) = (String::new(), Vec::new(), Vec::new());
    for (job, ended) in jobs.iter().zip(ended) {
        let name = &job.plan.tenant;
        let failure = match ended {
            Some(Ok(outcome)) => {
                human.push_str(&format!(
                    "{name} in account {}\n{}",
                    job.place.account,
                    stacks(job, &outcome)
                ));
                if let Some(page) = &outcome.page {
                    human.push_str(&format!("  page {}  {}\n", page.path, page.words()));
                }
                json.push(told(job, &outcome));
                exits.push(Exit::Ok);
                continue;
            }
            Some(Err(error)) => error.into(),
            None => Failure::new(Exit::Cancelled, "stopped before it; its change sets are deleted"),
        };
        if single {
            return Err(failure);
        }
        human.push_str(&format!("{name}\n{failure}\n"));
        json.push(json!({ "tenant": name, "error": failure.message, "help": failure.help }));
        exits.push(failure.exit);
    }
    Ok(Answer::new(human, Value::Array(json)).exit(combined(&exits)))
}

fn word(outcome: &StackOutcome) -> &'static str {
    match outcome {
        StackOutcome::Unchanged(_) => "no changes",
        StackOutcome::Created(_) => "created as planned",
        StackOutcome::Updated(_) => "updated as planned",
    }
}

fn stacks(job: &Job, outcome: &TenantOutcome) -> String {
    let row = |(id, outcome): &(_, StackOutcome)| {
        let stack = job.rendered.stack(*id)?;
        Some([stack.name.clone(), stack.region.clone(), word(outcome).to_owned()])
    };
    table(&outcome.stacks.iter().filter_map(row).collect::<Vec<_>>())
}

fn told(job: &Job, outcome: &TenantOutcome) -> Value {
    let stacks: Vec<_> = outcome
        .stacks
        .iter()
        .map(|(id, outcome)| json!({ "stack": id.as_str(), "outcome": word(outcome) }))
        .collect();
    json!({
        "tenant": job.plan.tenant,
        "account": job.place.account,
        "changed": outcome.is_changed(),
        "stacks": stacks,
        "page": outcome.page,
    })
}
