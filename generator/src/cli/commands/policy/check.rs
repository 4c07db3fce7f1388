//! `generator policy check`: tenants, judged by every rule.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::judging::{Trial, judge_all};
use crate::cli::args::{Output, PolicyCheckArgs};
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::policy::{self, Finding, Judgement, Rules};

const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

pub(super) fn run(context: &Context, args: &PolicyCheckArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let trial: Trial = judge_all(context, tenants)?;
    trial.check_unused()?;
    let judged: Vec<(String, Judgement)> =
        trial.tenants.iter().map(|judged| (judged.tenant.name.clone(), judged.judgement.clone())).collect();
    Ok(answer(context, &trial.rules, &judged))
}

/// Findings in the form that was asked for.
pub(super) fn answer(context: &Context, rules: &Rules, judged: &[(String, Judgement)]) -> Answer {
    let mut all = Judgement::default();
    judged.iter().for_each(|(_, judgement)| all.add(judgement.clone()));
    let blocking = all.findings.iter().filter(|finding| finding.blocks()).count();
    let exit = if blocking > 0 { Exit::Policy } else { Exit::Ok };
    let told = match context.settings.output {
        Output::Sarif => Some(format!("{:#}\n", policy::sarif(rules, &all, env!("CARGO_PKG_VERSION")))),
        Output::Junit => {
            let now = OffsetDateTime::from(context.clock.now()).format(TIMESTAMP).unwrap_or_default();
            Some(policy::junit(rules, judged, &now))
        }
        Output::Github => Some(policy::github(&all.findings)),
        Output::Markdown => Some(policy::markdown(&all.findings)),
        Output::Human | Output::Json | Output::Ndjson => None,
    };
    let mut human = policy::human(&all.findings);
    if !human.is_empty() {
        human.push_str("\n\n");
    }
    human.push_str(&summary(&all, judged.len(), blocking));
    let json = json!({
        "blocked": blocking > 0,
        "tenants": judged.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "findings": all.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "evaluated": all.evaluated,
        "not_evaluated": rules.policies.iter().map(|policy| &policy.id).filter(|id| !all.evaluated.has(id)).collect::<Vec<_>>(),
    });
    let answer = Answer::new(human, json).exit(exit);
    match told {
        Some(text) => answer.own_form(context.settings.output, text),
        None => answer,
    }
}

pub(super) fn finding_json(finding: &Finding) -> Value {
    let mut json = json!(finding);
    json["verdict"] = finding.verdict().into();
    json["subject"] = finding.subject().into();
    json["property"] = finding.property().into();
    json
}

fn summary(all: &Judgement, tenants: usize, blocking: usize) -> String {
    let count = |verdict: &str| all.findings.iter().filter(|finding| finding.verdict() == verdict).count();
    let evaluations = all.evaluated.total();
    let tenants = if tenants == 1 { "1 tenant".to_string() } else { format!("{tenants} tenants") };
    format!(
        "{tenants}, {evaluations} evaluations of {} policies: {blocking} blocked, {} warnings, {} set, {} exempt\n",
        all.evaluated.len(),
        count("warning"),
        count("set"),
        count("exempt"),
    )
}
