//! Every policy as a table, from the packs themselves: the end of `docs/policies.md`.

use super::markdown::cell;
use crate::policy::judge::Rules;
use crate::policy::model::Policy;

/// The packs in Markdown.
#[must_use]
pub fn reference(rules: &Rules) -> String {
    let mut text = String::new();
    let mut packs: Vec<&str> = rules.policies.iter().map(|policy| policy.pack.as_str()).collect();
    packs.dedup();
    for pack in packs {
        text.push_str(&format!("\n## Pack `{pack}`\n\n| id | what it demands | severity | level | judged on | why | source |\n|---|---|---|---|---|---|---|\n"));
        for policy in rules.policies.iter().filter(|policy| policy.pack == pack) {
            text.push_str(&row(policy));
        }
    }
    text
}

fn row(policy: &Policy) -> String {
    let mut level = policy.level.to_string();
    if !policy.exemptable {
        level.push_str(", no exemptions");
    }
    let on: Vec<String> = policy.on.words().iter().map(|word| format!("`{word}`")).collect();
    let cells = [
        policy.id.clone(),
        policy.title.clone(),
        policy.severity.to_string(),
        level,
        on.join(" "),
        policy.reason.clone(),
        policy.source.clone(),
    ];
    format!("| {} |\n", cells.map(|text| cell(&text)).join(" | "))
}
