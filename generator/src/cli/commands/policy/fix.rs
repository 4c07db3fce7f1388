//! `generator policy fix`: what policies set, written into the tenant files.

use serde_json::{Value, json};

use super::judging::judge_all;
use crate::cli::args::PolicyFixArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::policy;

pub(super) fn run(context: &Context, args: &PolicyFixArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let trial = judge_all(context, tenants)?;
    let (mut human, mut all) = (String::new(), Vec::new());
    for judged in &trial.tenants {
        let path = context.settings.tenants.join(format!("{}.yaml", judged.tenant.name));
        let shown = path.display().to_string();
        let refuse =
            |reason: String| Failure::new(Exit::Failure, format!("`{shown}` cannot be changed: {reason}"));
        let before = std::fs::read_to_string(&path).map_err(|error| refuse(error.to_string()))?;
        let mut text = before.clone();
        for finding in &judged.judgement.findings {
            let Some(set) = finding.remediation.as_ref().filter(|set| set.is_applied) else { continue };
            text = policy::set(&text, &finding.path, &set.new).map_err(|reason| {
                refuse(reason).help(format!("write `{}: {}` by hand", finding.path.join("."), set.new))
            })?;
            let setting = finding.path.join(".");
            human.push_str(&format!("{shown}: {setting}: {} -> {} ({})\n", set.old, set.new, finding.policy));
            all.push(json!({ "file": shown, "setting": setting, "old": set.old, "new": set.new, "policy": finding.policy }));
        }
        if text != before && !args.dry_run {
            std::fs::write(&path, &text).map_err(|error| refuse(error.to_string()))?;
        }
    }
    if all.is_empty() {
        human.push_str("nothing to set\n");
    } else if args.dry_run {
        human.push_str("nothing was written\n");
    }
    Ok(Answer::new(human, Value::Array(all)))
}
