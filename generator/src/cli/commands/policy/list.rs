//! `generator policy list`, `show` and `test`.

use serde_json::{Value, json};

use super::judging::{rules, today};
use crate::cli::args::Output;
use crate::cli::commands::support::table;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::policy::{CASES_FOLDER, Policy, reference, run_cases};
use crate::tenant::decode::nearest;

pub(super) fn list(context: &Context) -> Result<Answer, Failure> {
    let (rules, _) = rules(context, &[])?;
    let row = |policy: &Policy| {
        [policy.id.clone(), policy.severity.to_string(), policy.level.to_string(), policy.title.clone()]
    };
    let rows: Vec<_> = rules.policies.iter().map(|policy| row(policy)).collect();
    let json = rules.policies.iter().map(|policy| policy_json(policy)).collect();
    Ok(Answer::new(table(&rows), Value::Array(json)).own_form(Output::Markdown, reference(&rules)))
}

pub(super) fn show(context: &Context, id: &str) -> Result<Answer, Failure> {
    let (rules, _) = rules(context, &[])?;
    let Some(policy) = rules.policy(id) else {
        let known: Vec<&str> = rules.policies.iter().map(|policy| policy.id.as_str()).collect();
        let help = nearest(id, &known).replace("known keys here", "policies");
        return Err(Failure::new(Exit::NotFound, format!("there is no policy `{id}`")).help(help));
    };
    let mut rows = vec![
        ["severity".to_string(), policy.severity.to_string()],
        ["level".into(), policy.level.to_string()],
        ["exemptions".into(), if policy.exemptable { "allowed" } else { "none" }.into()],
        ["judged on".into(), policy.on.words().join(", ")],
        ["at".into(), policy.at.to_string()],
        ["must hold".into(), policy.assert.source.clone()],
        ["to do".into(), policy.fix.clone()],
        ["why".into(), policy.reason.clone()],
        ["source".into(), policy.source.clone()],
        ["pack".into(), policy.pack.clone()],
    ];
    if !policy.params.is_empty() {
        rows.push(["params".into(), Value::Object(policy.params.clone()).to_string()]);
    }
    for change in rules.overrides.iter().filter(|change| change.policy == policy.id) {
        let level = change.level.map_or_else(String::new, |level| format!("level {level}, "));
        rows.push([
            "override".into(),
            format!("{level}{}: {}", Value::Object(change.params.clone()), change.reason),
        ]);
    }
    for by in rules.exemptions.iter().filter(|by| by.policies.contains(&policy.id)) {
        rows.push([
            "exemption".into(),
            format!("{} for {} until {}: {}", by.id, by.tenants.join(", "), by.expires, by.reason),
        ]);
    }
    rows.retain(|row| !row[1].is_empty());
    Ok(Answer::new(format!("{} {}\n{}", policy.id, policy.title, table(&rows)), policy_json(policy)))
}

pub(super) fn test(context: &Context) -> Result<Answer, Failure> {
    let (rules, _) = rules(context, &[])?;
    let folder = context.settings.policies.join(CASES_FOLDER);
    let results = run_cases(&folder, &rules, today(context))?;
    let failed: Vec<_> = results.iter().filter(|result| result.failure.is_some()).collect();
    let mut human = String::new();
    for result in &failed {
        let failure = result.failure.as_deref().unwrap_or_default();
        human.push_str(&format!("FAILED {} {}: {failure}\n", result.policy, result.place));
    }
    let good = results.len() - failed.len();
    human.push_str(&format!(
        "{good} of {} cases of {} policies go as they should\n",
        results.len(),
        rules.policies.len()
    ));
    let exit = if failed.is_empty() { Exit::Ok } else { Exit::Policy };
    Ok(Answer::new(human, json!({ "cases": results })).exit(exit))
}

fn policy_json(policy: &Policy) -> Value {
    json!({
        "id": policy.id,
        "title": policy.title,
        "pack": policy.pack,
        "severity": policy.severity,
        "level": policy.level,
        "exemptable": policy.exemptable,
        "on": policy.on.words(),
        "at": policy.at.to_string(),
        "missing": policy.missing,
        "params": policy.params,
        "assert": policy.assert.source,
        "fix": policy.fix,
        "set": policy.set,
        "reason": policy.reason,
        "source": policy.source,
    })
}
