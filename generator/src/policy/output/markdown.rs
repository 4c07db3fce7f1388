//! Findings as a table for a pull request.

use super::{about, notes};
use crate::policy::finding::Finding;

/// A table, or a line that there is nothing.
#[must_use]
pub fn markdown(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "No policy is violated.\n".into();
    }
    let mut text =
        String::from("| | policy | severity | where | line | what | fix |\n|---|---|---|---|---|---|---|\n");
    for finding in findings {
        let line =
            finding.place.as_ref().map(|spot| format!("{}:{}", spot.file, spot.line)).unwrap_or_default();
        let mut what = vec![finding.message.clone()];
        what.extend(notes(finding));
        let cells = [
            finding.verdict().to_string(),
            format!("{} {}", finding.policy, finding.title),
            finding.severity.to_string(),
            about(finding),
            line,
            what.join("; "),
            finding.fix.clone(),
        ];
        text.push_str(&format!("| {} |\n", cells.map(|text| cell(&text)).join(" | ")));
    }
    text
}

/// A text that stays within its cell.
pub(super) fn cell(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
