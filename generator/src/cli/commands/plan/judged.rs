//! What the rules say, in the words of a plan.

use crate::cli::commands::policy::{Judged, PolicyGate};
use crate::deploy::Refusal;
use crate::plan::{Found, Sides, StackChange, TenantPlan};
use crate::policy::Finding;

/// A plan of nothing yet, with what the rules say of settings and templates.
pub(super) fn blank(judged: &Judged) -> TenantPlan {
    TenantPlan {
        tenant: judged.tenant.name.clone(),
        account: None,
        stacks: Vec::new(),
        findings: judged.judgement.findings.iter().map(found).collect(),
        hindrances: Vec::new(),
        checks: Vec::new(),
        page: None,
        error: None,
    }
}

/// What the rules say of a change.
pub(super) fn of_change(
    policies: &PolicyGate,
    tenant: &str,
    change: &StackChange,
    sides: &Sides<'_>,
) -> Result<Vec<Found>, Refusal> {
    let (findings, _) = policies.findings(tenant, change, sides)?;
    Ok(findings.iter().map(found).collect())
}

fn found(finding: &Finding) -> Found {
    let place = finding.place.as_ref().map(|spot| format!("{}:{}:{}", spot.file, spot.line, spot.column));
    Found {
        stack: finding.stack.clone(),
        resource: finding.resource.clone(),
        policy: finding.policy.clone(),
        verdict: finding.verdict().to_owned(),
        message: finding.message.clone(),
        fix: finding.fix.clone(),
        place: place.or_else(|| finding.template.clone()),
    }
}
