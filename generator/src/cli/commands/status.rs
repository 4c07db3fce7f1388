//! `generator status`: the stacks of tenants as they stand.

use serde_json::{Value, json};

use super::support::{as_tenant, connect, render_all, table};
use crate::cli::args::Selection;
use crate::cli::context::{Answer, Context};
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{StackReport, describe};

pub(super) async fn run(context: &Context, selection: &Selection) -> Result<Answer, Failure> {
    let tenants = select::load(context, selection)?;
    let rendered = render_all(context, &tenants)?;
    let cloud = connect(context).await?;
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for rendered in &rendered {
        let status = describe(&as_tenant(&cloud, rendered).await, rendered).await?;
        for report in &status.stacks {
            rows.push([
                rendered.tenant.clone(),
                report.id.as_str().to_string(),
                report.region.clone(),
                word(report).to_string(),
                template(report).to_string(),
            ]);
            json.push(json!({
                "tenant": rendered.tenant,
                "stack": report.name,
                "region": report.region,
                "status": report.stack.as_ref().map(|stack| &stack.status),
                "template_as_rendered": report.as_rendered,
            }));
        }
    }
    Ok(Answer::new(table(&rows), Value::Array(json)))
}

fn word(report: &StackReport) -> &str {
    report.stack.as_ref().map_or("not deployed", |stack| stack.status.as_str())
}

fn template(report: &StackReport) -> &'static str {
    match (&report.stack, report.as_rendered) {
        (None, _) => "",
        (Some(_), true) => "template as rendered",
        (Some(_), false) => "template differs",
    }
}
