//! The report of a run over many tenants: one document, and its Markdown. `docs/run-report.schema.json` is its
//! published schema.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// Name and version of this form.
    pub format: &'static str,
    /// Version of this form.
    pub version: u32,
    /// Name of the run.
    pub run: String,
    /// What was done for each tenant: `rotate`.
    pub job: String,
    /// Where its journal is.
    pub journal: String,
    /// When it was started, in RFC 3339.
    pub started: String,
    /// When anything happened last, in RFC 3339.
    pub updated: String,
    /// `finished`, `stopped`, or `cut_off` where its process died.
    pub state: &'static str,
    /// Why it was stopped, where it was.
    pub stopped: Option<String>,
    /// How many processes have worked on it.
    pub processes: u32,
    /// Sums.
    pub totals: Totals,
    /// Tenants whose last try has failed, in the order of time.
    pub failed: Vec<String>,
    /// Its waves, in their order.
    pub waves: Vec<WaveReport>,
}

/// Sums over a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Totals {
    /// Tenants.
    pub tenants: usize,
    /// Of them, those that are done.
    pub done: usize,
    /// Those whose last try has failed.
    pub failed: usize,
    /// Those that were not begun, or were cut off.
    pub left: usize,
    /// Time that the last tries took, in milliseconds, added up over the tenants.
    pub milliseconds: u64,
    /// Share of that time spent waiting for the cloud.
    pub waiting_share: Option<f64>,
}

/// A wave of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaveReport {
    /// Name.
    pub name: String,
    /// Its tenants, in their order.
    pub tenants: Vec<TenantReport>,
}

/// A tenant of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TenantReport {
    /// Name.
    pub tenant: String,
    /// `done`, `failed`, `cut_off` in the middle, or `left`: not begun.
    pub state: &'static str,
    /// How many times it was begun.
    pub attempts: u32,
    /// How long the last try took, in milliseconds.
    pub milliseconds: Option<u64>,
    /// What is so now, where it is done.
    pub summary: Option<String>,
    /// What failed, where it did.
    pub error: Option<String>,
    /// What to do about that.
    pub help: Option<String>,
    /// What the job knows besides.
    pub detail: Value,
}

/// Name of the form.
pub const FORMAT: &str = "generator-run-report";

impl RunReport {
    /// The report as Markdown: what must be looked at first, then every tenant.
    #[must_use]
    pub fn markdown(&self) -> String {
        let totals = &self.totals;
        let mut text = format!("# {} `{}`\n\n", self.job, self.run);
        let _ = writeln!(text, "| | |\n|---|---|");
        let state = match &self.stopped {
            Some(why) => format!("{}: {}", self.state, cell(why)),
            None => self.state.replace('_', " "),
        };
        for (name, value) in [
            ("state", state),
            ("tenants", totals.tenants.to_string()),
            ("done", totals.done.to_string()),
            ("failed", totals.failed.to_string()),
            ("left", totals.left.to_string()),
            ("started", self.started.clone()),
            ("last event", self.updated.clone()),
            ("processes", self.processes.to_string()),
            ("journal", format!("`{}`", cell(&self.journal))),
        ] {
            let _ = writeln!(text, "| {name} | {value} |");
        }
        let failed = self.failed_in_order();
        if !failed.is_empty() {
            text.push_str("\n## Failed\n");
            for (place, tenant) in failed.iter().enumerate() {
                let error = tenant.error.as_deref().unwrap_or_default();
                let first = if place == 0 && failed.len() > 1 { " first" } else { "" };
                let _ = write!(text, "- **{}**{first}: {}", tenant.tenant, cell(error));
                if let Some(help) = &tenant.help {
                    let _ = write!(text, " ({})", cell(help));
                }
                text.push('\n');
            }
        }
        for wave in &self.waves {
            let _ = writeln!(
                text,
                "\n## Wave {}\n\n| tenant | state | tries | s | |\n|---|---|---|---|---|",
                wave.name
            );
            for tenant in &wave.tenants {
                let seconds = tenant.milliseconds.map(|taken| format!("{:.1}", taken as f64 / 1000.0));
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {} | {} |",
                    tenant.tenant,
                    tenant.state.replace('_', " "),
                    tenant.attempts,
                    seconds.unwrap_or_default(),
                    cell(tenant.summary.as_deref().unwrap_or_default()),
                );
            }
        }
        text
    }

    /// What became of the tenants that failed, in the order of time.
    #[must_use]
    pub fn failed_in_order(&self) -> Vec<&TenantReport> {
        let of = |name: &String| self.tenants().find(|tenant| tenant.tenant == *name);
        self.failed.iter().filter_map(of).collect()
    }

    /// Every tenant, in the order of the waves.
    pub fn tenants(&self) -> impl Iterator<Item = &TenantReport> {
        self.waves.iter().flat_map(|wave| &wave.tenants)
    }
}

/// Text that cannot end a cell or begin a line.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_come_first_and_no_text_breaks_the_table() {
        let tenant = |name: &str, state, error: Option<&str>| TenantReport {
            tenant: name.into(),
            state,
            attempts: 1,
            milliseconds: Some(1_250),
            summary: None,
            error: error.map(str::to_owned),
            help: None,
            detail: Value::Null,
        };
        let tenants = vec![tenant("a", "done", None), tenant("b", "failed", Some("no |\nsuch thing"))];
        let totals =
            Totals { tenants: 2, done: 1, failed: 1, left: 0, milliseconds: 2_500, waiting_share: None };
        let report = RunReport {
            format: FORMAT,
            version: 1,
            run: "rotate-1".into(),
            job: "rotate".into(),
            journal: "runs/rotate-1.jsonl".into(),
            started: "2026-11-22T10:00:00Z".into(),
            updated: "2026-11-22T10:01:00Z".into(),
            state: "stopped",
            stopped: Some("1 tenant failed, and 0 may".into()),
            processes: 1,
            totals,
            failed: vec!["b".into()],
            waves: vec![WaveReport { name: "rest".into(), tenants }],
        };
        let text = report.markdown();
        assert!(text.contains("| state | stopped: 1 tenant failed, and 0 may |"), "{text}");
        assert!(text.contains("- **b**: no \\| such thing\n"), "{text}");
        assert!(text.contains("| a | done | 1 | 1.2 |  |\n"), "{text}");
        assert!(text.find("## Failed") < text.find("## Wave rest"));
    }
}
