//! `generator drift`: what somebody has changed beside the templates.

use serde_json::{Value, json};

use super::support::{as_tenant, connect, engine, render_all};
use super::survey::survey;
use crate::aws::Cloud;
use crate::cli::args::DriftArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{Context as Engine, Drifted, StackDrift, drift};
use crate::render::RenderedTenant;

pub(super) async fn run(context: &Context, args: &DriftArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let rendered = render_all(context, &tenants)?;
    let cloud = connect(context).await?;
    let given = rendered
        .into_iter()
        .map(|rendered| (rendered.tenant.clone(), (engine(context, None), cloud.clone(), rendered)));
    let look = |(engine, cloud, rendered): (Engine, Cloud, RenderedTenant)| async move {
        Ok(drift(&engine, &as_tenant(&cloud, &rendered).await, &rendered).await?)
    };
    let survey = survey(context, "comparing stacks with their templates", given, look).await?;
    let mut human = String::new();
    for (tenant, stacks) in survey.seen() {
        human.push_str(&format!("{tenant}\n"));
        stacks.iter().for_each(|stack| human.push_str(&shown(stack)));
    }
    let drifted = survey.seen().any(|(_, stacks)| stacks.iter().any(|stack| !stack.drifted.is_empty()));
    let exit = match survey.exit(|_| Exit::Ok) {
        Exit::Ok if args.exit_code && drifted => Exit::Changes,
        exit => exit,
    };
    let json = survey.json(|tenant, stacks| json!({ "tenant": tenant, "stacks": stacks }));
    Ok(Answer::new(human, Value::Array(json)).exit(exit))
}

fn shown(stack: &StackDrift) -> String {
    let mut text = format!("  {}  {}  ", stack.name, stack.region);
    match (&stack.skipped, stack.drifted.len()) {
        (Some(reason), _) => text.push_str(&format!("not compared: {reason}")),
        (None, 0) => text.push_str("no drift"),
        (None, 1) => text.push_str("1 resource has drifted"),
        (None, count) => text.push_str(&format!("{count} resources have drifted")),
    }
    if stack.skipped.is_none() {
        text.push_str(&format!(", {} as their template says", stack.in_sync.len()));
    }
    text.push('\n');
    stack.drifted.iter().for_each(|one| text.push_str(&resource(one)));
    if !stack.not_compared.is_empty() {
        text.push_str(&format!("    cannot be compared: {}\n", stack.not_compared.join(", ")));
    }
    text
}

fn resource(one: &Drifted) -> String {
    let name = one.physical_id.as_deref().unwrap_or_default();
    let mut text = format!("    {} ({}) {name}\n", one.logical_id, one.kind);
    if one.deleted {
        text.push_str("        is gone\n");
    }
    let word = |value: &Option<Value>| match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    for property in &one.properties {
        let (expected, actual) = (word(&property.before), word(&property.after));
        text.push_str(&format!("        {}: {expected} by the template, {actual} there\n", property.path));
    }
    text
}
