//! What people are told of a deployed tenant.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::outputs;
use super::super::support::table;
use crate::plan::PageChange;
use crate::report::TenantReport;

/// Its stacks; of the only tenant of a run also its outputs and what was verified.
pub(in crate::cli::commands) fn shown(tenant: &TenantReport, only: bool) -> String {
    let detail = &tenant.detail;
    let mut text =
        format!("{} in account {}\n", tenant.tenant, detail["account"].as_str().unwrap_or_default());
    let stacks: Vec<_> = list(&detail["stacks"]).iter().map(stack).collect();
    text.push_str(&table(&stacks));
    if let Ok(page) = serde_json::from_value::<PageChange>(detail["page"].clone()) {
        let (path, words, unchanged) = (&page.path, page.words(), page.unchanged);
        let rest = if page.is_change() { format!(", {unchanged} unchanged") } else { String::new() };
        text.push_str(&format!("  page {path}  {words}{rest}\n"));
    }
    let checks = list(&detail["verification"]["checks"]);
    if only {
        let outputs: BTreeMap<String, String> =
            serde_json::from_value(detail["outputs"].clone()).unwrap_or_default();
        text.push_str(&format!("outputs\n{}", outputs::listed(&outputs)));
        if let Some(through) = detail["verification"]["through"].as_str() {
            text.push_str(&format!("verified\n  asked through {through}\n"));
            for check in checks {
                text.push_str(&format!("  ok      {}\n", check["detail"].as_str().unwrap_or_default()));
            }
        }
    } else if !checks.is_empty() {
        text.push_str(&format!("  verified: {} of {} checks passed\n", passed(checks), checks.len()));
    }
    text
}

fn stack(stack: &Value) -> [String; 3] {
    let word = |key: &str| stack[key].as_str().unwrap_or_default().to_owned();
    let what = match (word("what").as_str(), stack["resources"].as_u64().unwrap_or_default()) {
        ("unchanged", _) => "no changes".to_owned(),
        (what, 1) => format!("{what}, 1 resource"),
        (what, count) => format!("{what}, {count} resources"),
    };
    [word("stack"), word("region"), what]
}

fn passed(checks: &[Value]) -> usize {
    checks.iter().filter(|check| check["passed"] == true).count()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
