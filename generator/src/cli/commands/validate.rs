//! `generator validate`: tenant files are right, and render.

use serde_json::json;

use super::support::render_all;
use crate::cli::args::Selection;
use crate::cli::context::{Answer, Context};
use crate::cli::failure::Failure;
use crate::cli::select;

pub(super) fn run(context: &Context, selection: &Selection) -> Result<Answer, Failure> {
    let tenants = select::load_and_check_tiers(context, selection)?;
    let rendered = render_all(context, &tenants)?;
    let names: Vec<&str> = rendered.iter().map(|tenant| tenant.tenant.as_str()).collect();
    let human = match names.as_slice() {
        [] => "no tenant changed".to_string(),
        [name] => format!("tenant {name} is valid"),
        names => format!("{} tenants are valid: {}", names.len(), names.join(", ")),
    };
    Ok(Answer::new(human, json!({ "valid": names })))
}
