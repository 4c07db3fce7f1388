//! `generator render`: the templates, as they would be deployed.

use std::fs;

use serde_json::{Value, json};

use super::policy::judge_all;
use crate::cli::args::{Output, RenderArgs};
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::render::{ParameterSource, RenderedStack, RenderedTenant, read_template};

pub(super) fn run(context: &Context, args: &RenderArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let trial = judge_all(context, tenants)?;
    trial.pass(context)?;
    let rendered = trial.rendered();
    // Reading the templates back costs time that only this form needs.
    let json = match context.settings.output {
        Output::Json | Output::Ndjson => {
            Value::Array(rendered.iter().map(tenant_json).collect::<Result<_, _>>()?)
        }
        _ => Value::Null,
    };
    let Some(folder) = &args.out else {
        let all = rendered.iter().flat_map(|tenant| &tenant.stacks);
        let human: String = all
            .map(|stack| format!("---\n# {} in {}\n{}", stack.name, stack.region, stack.template))
            .collect();
        return Ok(Answer::new(human, json));
    };
    let refuse = |path: &std::path::Path, error: std::io::Error| {
        Failure::new(Exit::Failure, format!("cannot write `{}`: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| refuse(folder, error))?;
    let mut human = String::new();
    for stack in rendered.iter().flat_map(|tenant| &tenant.stacks) {
        let path = folder.join(format!("{}.yaml", stack.name));
        fs::write(&path, &stack.template).map_err(|error| refuse(&path, error))?;
        human.push_str(&format!("{}\n", path.display()));
    }
    Ok(Answer::new(human, json))
}

fn tenant_json(tenant: &RenderedTenant) -> Result<Value, Failure> {
    let stacks: Vec<Value> = tenant.stacks.iter().map(stack_json).collect::<Result<_, _>>()?;
    Ok(json!({ "tenant": tenant.tenant, "stacks": stacks }))
}

fn stack_json(stack: &RenderedStack) -> Result<Value, Failure> {
    let document = read_template(&stack.template).map_err(|reason| {
        Failure::new(Exit::Bug, format!("the template of `{}` cannot be read back: {reason}", stack.name))
    })?;
    let parameters: Vec<Value> = stack
        .parameters
        .iter()
        .map(|parameter| json!({ "name": parameter.name, "source": source(&parameter.source) }))
        .collect();
    Ok(json!({
        "id": stack.id.as_str(),
        "name": stack.name,
        "region": stack.region,
        "tags": stack.tags,
        "parameters": parameters,
        "outputs": stack.outputs,
        "template": document,
    }))
}

fn source(source: &ParameterSource) -> Value {
    match source {
        ParameterSource::Output { stack, output } => {
            json!({ "from": "output", "stack": stack.as_str(), "output": output })
        }
        ParameterSource::LaterOutput { stack, output } => {
            json!({ "from": "later-output", "stack": stack.as_str(), "output": output })
        }
        ParameterSource::Artifact { artifact, fact } => {
            json!({ "from": "artifact", "artifact": artifact.as_str(), "fact": fact.as_str() })
        }
    }
}
