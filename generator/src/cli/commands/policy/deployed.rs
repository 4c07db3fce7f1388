//! `generator policy check --deployed`: what stands, judged by the rules of today.

use super::check::answer;
use super::judging::{locate, rules, today};
use crate::aws::Peers;
use crate::cli::args::PolicyCheckArgs;
use crate::cli::commands::support::{as_tenant, connect, render_all};
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::policy::{Document, Judgement, Stage, Subject, judge};
use crate::render::{Templates, read_template};

pub(super) async fn run(context: &Context, args: &PolicyCheckArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let (rules, _) = rules(context, &tenants)?;
    let (templates, today) = (Templates::load(&context.settings.templates)?, today(context));
    let rendered = render_all(context, &tenants)?;
    let cloud = connect(context).await?;
    let mut judged = Vec::new();
    for (tenant, rendered) in tenants.iter().zip(&rendered) {
        let peers = as_tenant(&cloud, rendered).await;
        let subject = Subject::of(tenant);
        let mut judgement = Judgement::default();
        let mut stands = false;
        for stack in &rendered.stacks {
            let template = peers.cloudformation(&stack.region).template(&stack.name).await?;
            let Some(template) = template else {
                context.note(format!("{}: {} is not deployed", tenant.name, stack.name));
                continue;
            };
            stands = true;
            let body = read_template(&template).map_err(|reason| {
                let message = format!("the deployed template of `{}` cannot be read: {reason}", stack.name);
                Failure::new(Exit::Failure, message)
            })?;
            let document = Document {
                stack: Some(stack.id.as_str()),
                name: &stack.name,
                region: &stack.region,
                body: &body,
            };
            judgement.add(judge(&rules, Stage::Stack, &document, &subject, today));
        }
        if stands {
            // The settings of what stands are those of the file: what its templates do not show.
            judgement.add(judge(&rules, Stage::Tenant, &Document::settings(&subject), &subject, today));
            locate(context, &templates, tenant, &mut judgement.findings)?;
            judged.push((tenant.name.clone(), judgement));
        }
    }
    Ok(answer(context, &rules, &judged))
}
