//! `generator deploy --plan FILE`: exactly what was looked at, or nothing. A run like any other, whose journal keeps
//! the plan.

use std::path::Path;

use serde_json::json;

use super::{Target, begin, judged};
use crate::aws::Cloud;
use crate::cli::args::{DeployArgs, Selection};
use crate::cli::commands::artifacts::{self, Laying, Place, places};
use crate::cli::commands::fleet;
use crate::cli::commands::plan::file;
use crate::cli::commands::policy::{Judged, Trial};
use crate::cli::commands::support::connect_within;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{DeployError, planned};
use crate::plan::{SavedPlan, SavedTenant};
use crate::tenant::Tenant;

pub(super) async fn run(context: &Context, args: &DeployArgs, path: &Path) -> Result<Answer, Failure> {
    let plan = file::read(&context.settings.here.join(path))?;
    let moved = file::moved(context, &plan, |_| true)?;
    if plan.tenants.is_empty() {
        return Ok(Answer::new("the plan has no tenant", json!([])));
    }
    let cloud = connect_within(context, args.fleet.calls).await?;
    if let Some(what) = moved {
        return Err(refuse(&cloud, &plan.tenants, what).await);
    }
    let tenants = plan.tenants.iter().map(|tenant| tenant.tenant.clone()).collect();
    let tenants = select::load(context, &Selection { tenants, ..Selection::default() })?;
    let waves = fleet::plan(&args.fleet, &tenants);
    let (policies, trial) = judged(context, tenants, &args.execution)?;
    let packed = context.step("packing the runtimes", artifacts::pack(context)).await?;
    let laying = Laying { execution: &args.execution, zips: false };
    let looking = places(context, laying, &cloud, &trial.rendered(), &packed).await?;
    for target in targets(&trial, looking, &plan)? {
        let (Target { rendered, place, .. }, Some(saved)) = (&target, &target.plan) else { continue };
        match planned::check(&place.engine, &place.cloud, rendered, &place.locations, saved).await {
            Err(DeployError::Moved { what }) => return Err(refuse(&cloud, &plan.tenants, what).await),
            checked => checked?,
        }
    }
    let names: Vec<&str> = plan.tenants.iter().map(|tenant| tenant.tenant.as_str()).collect();
    context.confirm(&format!("Deploy {} as planned?", names.join(", ")))?;
    let laying = Laying { zips: true, ..laying };
    let places = places(context, laying, &cloud, &trial.rendered(), &packed).await?;
    let targets = targets(&trial, places, &plan)?;
    begin(context, &cloud, args, waves, policies, targets, Some(plan)).await
}

/// Whether the files of the tenants that a run has left are still those that were planned.
pub(super) async fn again(
    context: &Context,
    cloud: &Cloud,
    plan: &SavedPlan,
    left: &[Tenant],
) -> Result<(), Failure> {
    let is_left = |saved: &SavedTenant| left.iter().any(|tenant| tenant.name == saved.tenant);
    match file::moved(context, plan, is_left)? {
        None => Ok(()),
        Some(what) => {
            let left: Vec<_> = plan.tenants.iter().filter(|saved| is_left(saved)).cloned().collect();
            Err(refuse(cloud, &left, what).await)
        }
    }
}

/// A plan that does not hold is of no use to anybody: nothing of it is left.
async fn refuse(cloud: &Cloud, tenants: &[SavedTenant], what: String) -> Failure {
    for tenant in tenants {
        let cloud = match &tenant.role_arn {
            Some(role) => cloud.assuming(role).await,
            None => cloud.clone(),
        };
        if let Err(error) = planned::discard(&cloud, tenant).await {
            return error.into();
        }
    }
    DeployError::Moved { what }.into()
}

/// Each tenant with where it goes and what is planned for it.
pub(super) fn targets(trial: &Trial, places: Vec<Place>, plan: &SavedPlan) -> Result<Vec<Target>, Failure> {
    let of = |(judged, place): (&Judged, Place)| {
        let name = &judged.tenant.name;
        let found = plan.tenants.iter().find(|saved| saved.tenant == *name);
        match found.filter(|saved| saved.account == place.account).cloned() {
            Some(plan) => Ok(Target { plan: Some(plan), ..Target::from((judged, place)) }),
            None => {
                let message =
                    format!("the plan of tenant `{name}` is for another account than `{}`", place.account);
                Err(Failure::new(Exit::Access, message)
                    .help("choose the profile or role that the plan was made with"))
            }
        }
    };
    trial.tenants.iter().zip(places).map(of).collect()
}
