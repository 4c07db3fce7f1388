//! Findings on a terminal, with the place marked.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{about, notes};
use crate::policy::finding::Finding;

/// All findings, one under the other.
#[must_use]
pub fn human(findings: &[Finding]) -> String {
    findings.iter().map(excerpt).collect::<Vec<_>>().join("\n\n")
}

/// One finding with an excerpt of the line that it comes from.
#[must_use]
pub fn excerpt(finding: &Finding) -> String {
    let level = if finding.blocks() {
        Level::ERROR
    } else if finding.exemption.is_some() || finding.remediation.is_some() {
        Level::NOTE
    } else {
        Level::WARNING
    };
    let title = format!("{}: {}", about(finding), finding.message);
    let mut group = Group::with_title(level.primary_title(title).id(finding.policy.as_str()));
    let label = format!("{} ({}, {})", finding.title, finding.severity, finding.level);
    if let Some(spot) = &finding.place {
        let start =
            spot.text.char_indices().nth((spot.column as usize).saturating_sub(1)).map_or(0, |(at, _)| at);
        let end = spot.text.ceil_char_boundary((start + spot.length).min(spot.text.len()));
        group = group.element(
            Snippet::source(spot.text.as_str())
                .line_start(spot.line as usize)
                .path(spot.file.as_str())
                .annotation(AnnotationKind::Primary.span(start..end.max(start)).label(label)),
        );
    } else {
        group = group.element(Level::NOTE.message(label));
    }
    for note in notes(finding) {
        group = group.element(Level::NOTE.message(note));
    }
    if finding.exemption.is_none() {
        group = group.element(Level::HELP.message(finding.fix.as_str()));
    }
    Renderer::plain().render(&[group])
}
