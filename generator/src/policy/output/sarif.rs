//! Findings as SARIF 2.1.0, with exemptions as suppressions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::about;
use crate::policy::finding::{Finding, Judgement};
use crate::policy::judge::Rules;
use crate::policy::model::Severity;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One run of the tool. A policy that was evaluated and found nothing is a result of kind `pass`; one that was
/// not evaluated is none.
#[must_use]
pub fn sarif(rules: &Rules, judgement: &Judgement, version: &str) -> Value {
    let index: BTreeMap<&str, usize> =
        rules.policies.iter().enumerate().map(|(index, policy)| (policy.id.as_str(), index)).collect();
    let described: Vec<Value> = rules
        .policies
        .iter()
        .map(|policy| {
            json!({
                "id": policy.id,
                "shortDescription": { "text": policy.title },
                "fullDescription": { "text": policy.reason },
                "help": { "text": format!("{}\nSource: {}", policy.fix, policy.source) },
                "defaultConfiguration": { "level": level(policy.severity) },
                "properties": {
                    "tags": [policy.pack],
                    "severity": policy.severity.as_str(),
                    "security-severity": score(policy.severity),
                },
            })
        })
        .collect();
    let mut results: Vec<Value> = judgement.findings.iter().map(|finding| result(finding, &index)).collect();
    for (policy, times) in judgement.evaluated.iter() {
        if !judgement.findings.iter().any(|finding| finding.policy == policy) {
            results.push(json!({
                "ruleId": policy,
                "ruleIndex": index.get(policy),
                "kind": "pass",
                "level": "none",
                "message": { "text": format!("kept at {times} places") },
            }));
        }
    }
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "generator", "version": version, "rules": described } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding, index: &BTreeMap<&str, usize>) -> Value {
    let logical = json!([{ "fullyQualifiedName": about(finding).replacen(' ', "/", 1), "kind": "resource" }]);
    let mut location = json!({ "logicalLocations": logical });
    if let Some(spot) = &finding.place {
        location["physicalLocation"] = json!({
            "artifactLocation": { "uri": uri(&spot.file) },
            "region": { "startLine": spot.line, "startColumn": spot.column },
        });
    }
    let mut result = json!({
        "ruleId": finding.policy,
        "ruleIndex": index.get(finding.policy.as_str()),
        "kind": "fail",
        "level": if finding.blocks() { "error" } else { "warning" },
        "message": { "text": format!("{}: {}. {}", about(finding), finding.message, finding.fix) },
        "locations": [location],
        "partialFingerprints": { "finding/v1": fingerprint(finding) },
        "properties": { "tenant": finding.tenant, "stage": finding.stage, "verdict": finding.verdict() },
    });
    if let Some(by) = &finding.exemption {
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": format!("{} (`{}` until {}, owner {}, approved by {})", by.reason, by.id, by.expires, by.owner, by.approver),
        }]);
    } else {
        // So that a viewer knows that suppressions were looked at.
        result["suppressions"] = json!([]);
    }
    result
}

/// Names the same finding in the next run, whatever its message and line.
fn fingerprint(finding: &Finding) -> String {
    [&finding.policy, &finding.tenant, &finding.subject(), &finding.property()].map(String::as_str).join("|")
}

fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "note",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "error",
    }
}

/// The scale by which GitHub sorts security findings.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "3.0",
        Severity::Medium => "5.5",
        Severity::High => "8.0",
        Severity::Critical => "9.5",
    }
}
