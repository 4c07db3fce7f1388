//! Findings in every form that people and programs read.

mod github;
mod human;
mod junit;
mod markdown;
mod reference;
mod sarif;

pub use self::github::github;
pub use self::human::{excerpt, human};
pub use self::junit::junit;
pub use self::markdown::markdown;
pub use self::reference::reference;
pub use self::sarif::sarif;

use super::finding::Finding;

/// One line on what stands behind a finding: exemption, expired exemption, what was set.
fn notes(finding: &Finding) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(by) = &finding.exemption {
        notes.push(format!(
            "exempted by `{}` until {}: {} (owner {}, approved by {})",
            by.id, by.expires, by.reason, by.owner, by.approver
        ));
    }
    if let Some((id, day)) = &finding.expired {
        notes.push(format!("the exemption `{id}` expired on {day}"));
    }
    if let Some(set) = &finding.remediation {
        let verb = if set.is_applied { "is set" } else { "would be set" };
        notes.push(format!("`{}` {verb}: {} -> {}", finding.path.join("."), set.old, set.new));
    }
    if let Some(template) = &finding.template {
        notes.push(format!("rendered from {template}"));
    }
    notes
}

/// What a finding is about: tenant, stack, resource and property.
fn about(finding: &Finding) -> String {
    let property = finding.property();
    let subject = finding.subject();
    if property.is_empty() || finding.stage == super::model::Stage::Change {
        format!("{} {subject}", finding.tenant)
    } else {
        let separator = if finding.resource.is_some() { "." } else { " " };
        format!("{} {subject}{separator}{property}", finding.tenant)
    }
}
