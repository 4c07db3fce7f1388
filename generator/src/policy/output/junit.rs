//! Findings as JUnit's XML: a suite for each tenant, a case for each policy.

use super::{about, notes};
use crate::policy::finding::{Finding, Judgement};
use crate::policy::judge::Rules;

/// The report. `tenants` are the judged ones, each with its judgement. A policy that was not evaluated is
/// skipped, never passed; one whose findings are all let through passes with their text beside it.
#[must_use]
pub fn junit(rules: &Rules, tenants: &[(String, Judgement)], timestamp: &str) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (id, (tenant, judgement)) in tenants.iter().enumerate() {
        text.push_str(&suite(rules, id, tenant, judgement, timestamp));
    }
    text.push_str("</testsuites>\n");
    text
}

fn suite(rules: &Rules, id: usize, tenant: &str, judgement: &Judgement, timestamp: &str) -> String {
    let (mut cases, mut failures, mut errors, mut skipped) = (String::new(), 0, 0, 0);
    for policy in &rules.policies {
        let own: Vec<&Finding> =
            judgement.findings.iter().filter(|finding| finding.policy == policy.id).collect();
        let name = escaped(&format!("{} {}", policy.id, policy.title));
        let class = escaped(&format!("{}.{tenant}", policy.pack));
        let (open, close) =
            (format!("    <testcase name=\"{name}\" classname=\"{class}\" time=\"0\">"), "</testcase>\n");
        let error = own.iter().find(|finding| finding.is_error);
        let failure = own.iter().find(|finding| finding.blocks());
        let inner = if let Some(finding) = error {
            errors += 1;
            problem("error", finding, &own)
        } else if let Some(finding) = failure {
            failures += 1;
            problem("failure", finding, &own)
        } else if own.is_empty() && !judgement.evaluated.has(&policy.id) {
            skipped += 1;
            "<skipped/>".to_string()
        } else {
            String::new()
        };
        cases.push_str(&format!("{open}{inner}{close}"));
    }
    let let_through: Vec<String> =
        judgement.findings.iter().filter(|finding| !finding.blocks()).map(described).collect();
    format!(
        "  <testsuite name=\"{}\" id=\"{id}\" package=\"generator.policy\" hostname=\"localhost\" timestamp=\"{timestamp}\" \
         tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"0\">\n{cases}    \
         <system-out>{}</system-out>\n    <system-err/>\n  </testsuite>\n",
        escaped(tenant),
        rules.policies.len(),
        escaped(&let_through.join("\n")),
    )
}

fn problem(element: &str, finding: &Finding, all: &[&Finding]) -> String {
    let texts: Vec<String> = all.iter().map(|finding| described(finding)).collect();
    format!(
        "<{element} type=\"{}\" message=\"{}\">{}</{element}>",
        finding.severity,
        escaped(&finding.message),
        escaped(&texts.join("\n\n")),
    )
}

fn described(finding: &Finding) -> String {
    let place = finding.place.as_ref().map(|spot| format!("{}:{}:{}: ", spot.file, spot.line, spot.column));
    let mut lines = vec![format!(
        "{}{} {}: {}",
        place.unwrap_or_default(),
        finding.policy,
        about(finding),
        finding.message
    )];
    lines.extend(notes(finding));
    lines.push(format!("help: {}", finding.fix));
    lines.join("\n")
}

/// A text within XML; characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => out.push(c),
        }
    }
    out
}
