//! `generator outputs`: what web pages and operators need to know of a deployed tenant.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::support::{as_tenant, connect, render_all, table};
use super::survey::survey;
use crate::aws::Cloud;
use crate::cli::args::Selection;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{TenantStatus, describe};
use crate::render::RenderedTenant;

pub(super) async fn run(context: &Context, selection: &Selection) -> Result<Answer, Failure> {
    let tenants = select::load(context, selection)?;
    let rendered = render_all(context, &tenants)?;
    let cloud = connect(context).await?;
    let given = rendered.into_iter().map(|rendered| (rendered.tenant.clone(), (cloud.clone(), rendered)));
    let look = |(cloud, rendered): (Cloud, RenderedTenant)| async move {
        Ok(of(&describe(&as_tenant(&cloud, &rendered).await, &rendered).await?))
    };
    let survey = survey(context, "looking at stacks", given, look).await?;
    let (mut human, mut json, mut missing) = (String::new(), Map::new(), Vec::new());
    for (tenant, outputs) in survey.seen() {
        if outputs.is_empty() {
            missing.push(tenant);
            continue;
        }
        human.push_str(&format!("{tenant}\n{}", listed(outputs)));
        json.insert(tenant.to_owned(), json!(outputs));
    }
    if let [first, ..] = missing.as_slice() {
        let message = format!("not deployed: {}", missing.join(", "));
        let help = format!("run `generator deploy --tenant {first}`");
        if human.is_empty() {
            return Err(Failure::new(Exit::NotFound, message).help(help));
        }
        context.note(message);
        return Ok(Answer::new(human, Value::Object(json)).exit(Exit::Partial));
    }
    Ok(Answer::new(human, Value::Object(json)).exit(survey.exit(|_| Exit::Ok)))
}

/// The outputs of all stacks of a tenant by name.
pub(super) fn of(status: &TenantStatus) -> BTreeMap<String, String> {
    let stacks = status.stacks.iter().filter_map(|report| report.stack.as_ref());
    stacks.flat_map(|stack| stack.outputs.clone()).collect()
}

/// Outputs as a table.
pub(super) fn listed(outputs: &BTreeMap<String, String>) -> String {
    let rows: Vec<_> = outputs.iter().map(|(name, value)| [name.clone(), value.clone()]).collect();
    table(&rows)
}
