//! Exemptions: what is let through for a time, by whom and why. Applied after judging, here and nowhere else.

use serde_json::Value;
use sha2::{Digest, Sha256};
use time::Date;
use wildmatch::WildMatch;

use super::finding::{Exempted, Finding};
use super::judge::Document;
use super::model::Stage;
use crate::tenant::source::Place;

/// Most days that an exemption may last from today.
pub const DAYS_MAX: i64 = 180;

/// A finding that is let through.
#[derive(Debug, Clone)]
pub struct Exemption {
    /// Its id.
    pub id: String,
    /// Ids of the policies.
    pub policies: Vec<String>,
    /// Patterns of tenants' names.
    pub tenants: Vec<String>,
    /// Patterns of `stack/Resource`, or `tenant` for settings.
    pub resources: Vec<String>,
    /// Who is responsible.
    pub owner: String,
    /// Who agreed: another person.
    pub approver: String,
    /// Why.
    pub reason: String,
    /// Last day.
    pub expires: Date,
    /// Digest of the one change set that is approved.
    pub digest: Option<String>,
    /// Where it stands.
    pub place: Place,
}

impl Exemption {
    /// Whether it speaks of a finding, expired or not.
    fn covers(&self, finding: &Finding, digest: Option<&str>) -> bool {
        let any = |patterns: &[String], text: &str| {
            patterns.iter().any(|pattern| WildMatch::new(pattern).matches(text))
        };
        self.policies.contains(&finding.policy)
            && any(&self.tenants, &finding.tenant)
            && any(&self.resources, &finding.subject())
            && self.digest.as_deref().is_none_or(|approved| Some(approved) == digest)
    }
}

/// Key of an entry that says what the caller has allowed: no part of what changes.
const ALLOWED: &str = "allowed";

/// Digest of a change set's body: what an exemption for a critical change names.
#[must_use]
pub fn digest(body: &Value) -> String {
    let mut text = String::new();
    canonical(body, &mut text);
    format!("sha256:{}", hex::encode(Sha256::digest(text)))
}

/// The same text for the same value, whatever the order of its keys.
fn canonical(value: &Value, into: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            into.push('{');
            for key in keys.into_iter().filter(|key| *key != ALLOWED) {
                into.push_str(&Value::from(key.as_str()).to_string());
                into.push(':');
                canonical(&map[key], into);
                into.push(',');
            }
            into.push('}');
        }
        Value::Array(items) => {
            into.push('[');
            for item in items {
                canonical(item, into);
                into.push(',');
            }
            into.push(']');
        }
        scalar => into.push_str(&scalar.to_string()),
    }
}

/// Marks the findings that an exemption covers, and those that one covered until it expired. A finding that
/// could not be evaluated is never let through.
pub(super) fn apply(
    exemptions: &[Exemption],
    findings: &mut [Finding],
    document: &Document<'_>,
    today: Date,
) {
    if exemptions.is_empty() || findings.is_empty() {
        return;
    }
    let is_change = findings.iter().any(|finding| finding.stage == Stage::Change);
    let digest = is_change.then(|| digest(document.body));
    for finding in findings.iter_mut().filter(|finding| !finding.is_error) {
        let covering: Vec<_> =
            exemptions.iter().filter(|one| one.covers(finding, digest.as_deref())).collect();
        for exemption in covering {
            if exemption.expires < today {
                finding.expired = Some((exemption.id.clone(), exemption.expires.to_string()));
            } else if finding.exemption.is_none() {
                finding.exemption = Some(Exempted {
                    id: exemption.id.clone(),
                    owner: exemption.owner.clone(),
                    approver: exemption.approver.clone(),
                    reason: exemption.reason.clone(),
                    expires: exemption.expires.to_string(),
                });
            }
        }
    }
}

/// The exemptions that covered nothing, although everything that they speak of was judged: every tenant that
/// they match, and every stage of their policies.
#[must_use]
pub fn unused<'e>(
    exemptions: &'e [Exemption],
    findings: &[Finding],
    is_judged: impl Fn(&Exemption) -> bool,
) -> Vec<&'e Exemption> {
    let used = |exemption: &Exemption| {
        findings.iter().any(|finding| {
            finding.exemption.as_ref().is_some_and(|by| by.id == exemption.id)
                || finding.expired.as_ref().is_some_and(|(id, _)| *id == exemption.id)
        })
    };
    exemptions.iter().filter(|exemption| is_judged(exemption) && !used(exemption)).collect()
}
