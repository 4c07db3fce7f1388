//! `generator plan`: what deploying would do, shown and not done.

pub(super) mod file;
mod judged;
mod offline;
mod online;

use serde_json::json;

use super::policy::{PolicyGate, judge_all};
use crate::cli::args::{Output, PlanArgs};
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::plan::{COMMENT_LIMIT, Overview, TenantPlan, human, markdown};

/// Version of the JSON that plans are printed in.
const FORMAT: u32 = 1;

pub(super) async fn run(context: &Context, args: &PlanArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let trial = judge_all(context, tenants)?;
    let policies = PolicyGate::new(context, &trial, args.change.allowed());
    if args.offline {
        let plans = offline::plans(context, args, &trial, &policies)?;
        return Ok(answer(&plans, args));
    }
    let plans = online::plans(context, args, &trial, &policies).await?;
    Ok(answer(&plans, args))
}

fn answer(plans: &[TenantPlan], args: &PlanArgs) -> Answer {
    let overview = Overview::of(plans);
    let hindered = plans.iter().filter(|plan| plan.is_hindered()).count();
    let exit = if plans.iter().any(TenantPlan::is_refused) {
        Exit::Policy
    } else if hindered > 0 {
        if hindered < plans.len() { Exit::Partial } else { Exit::Deployment }
    } else if args.exit_code && !overview.changed.is_empty() {
        Exit::Changes
    } else {
        Exit::Ok
    };
    let mut text = human(&overview, plans);
    text.push_str(match &args.out {
        Some(_) => "the change sets are kept; nothing was executed\n",
        None => "nothing was changed\n",
    });
    let json = json!({ "format": FORMAT, "tenants": plans, "overview": overview });
    Answer::new(text, json).exit(exit).own_form(Output::Markdown, markdown(&overview, COMMENT_LIMIT))
}
