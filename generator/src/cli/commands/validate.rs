//! `generator validate`: tenant files are right, render, and break no policy.

use serde_json::json;

use super::policy::judge_all;
use crate::cli::args::Selection;
use crate::cli::context::{Answer, Context};
use crate::cli::failure::Failure;
use crate::cli::select;

pub(super) fn run(context: &Context, selection: &Selection) -> Result<Answer, Failure> {
    let tenants = select::load_and_check_tiers(context, selection)?;
    let trial = judge_all(context, tenants)?;
    trial.pass(context)?;
    let rendered = trial.rendered();
    let names: Vec<&str> = rendered.iter().map(|tenant| tenant.tenant.as_str()).collect();
    let human = match names.as_slice() {
        [] => "no tenant changed".to_string(),
        [name] => format!("tenant {name} is valid"),
        names => format!("{} tenants are valid: {}", names.len(), names.join(", ")),
    };
    Ok(Answer::new(human, json!({ "valid": names, "findings": trial.findings() })))
}
