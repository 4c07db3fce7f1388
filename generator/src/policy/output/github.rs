//! Findings as annotations of GitHub's workflow commands.

use super::{about, notes};
use crate::policy::finding::Finding;

/// One line for each finding.
#[must_use]
pub fn github(findings: &[Finding]) -> String {
    findings.iter().map(line).collect()
}

fn line(finding: &Finding) -> String {
    let command = if finding.blocks() {
        "error"
    } else if finding.exemption.is_some() || finding.remediation.is_some() {
        "notice"
    } else {
        "warning"
    };
    let mut properties = Vec::new();
    if let Some(spot) = &finding.place {
        properties.push(format!("file={}", property(&spot.file)));
        properties.push(format!("line={}", spot.line));
        properties.push(format!("col={}", spot.column));
    }
    properties.push(format!("title={}", property(&format!("{} {}", finding.policy, finding.title))));
    let mut text = format!("{}: {}", about(finding), finding.message);
    for note in notes(finding) {
        text.push_str(&format!("\n{note}"));
    }
    text.push_str(&format!("\nhelp: {}", finding.fix));
    format!("::{command} {}::{}\n", properties.join(","), message(&text))
}

/// A message as the runner reads it: `%` and line ends are escaped.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command, where `:` and `,` end it as well.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_the_command() {
        assert_eq!(message("50 %\nb::error::c"), "50 %25%0Ab::error::c");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
