//! The report of a run, from its history.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

use super::{History, Outcome, TenantState};
use crate::report::{RUN_REPORT_FORMAT, RunReport, TenantReport, Totals, WaveReport};

impl History {
    /// What has become of the run so far. `journal` is where its journal is.
    #[must_use]
    pub fn report(&self, journal: &str) -> RunReport {
        let header = &self.header;
        let waves: Vec<_> = header
            .waves
            .waves
            .iter()
            .map(|wave| WaveReport {
                name: wave.name.clone(),
                tenants: wave.tenants.iter().map(|name| tenant(name, self.tenants.get(name))).collect(),
            })
            .collect();
        RunReport {
            format: RUN_REPORT_FORMAT,
            version: 1,
            run: header.run.clone(),
            job: header.job.clone(),
            journal: journal.to_owned(),
            started: timestamp(header.started),
            updated: timestamp(self.updated),
            state: match (self.finished, &self.stopped) {
                (true, _) => "finished",
                (false, Some(_)) => "stopped",
                (false, None) => "cut_off",
            },
            stopped: self.stopped.as_ref().map(ToString::to_string),
            processes: self.processes,
            totals: self.totals(&waves),
            failed: self.failed().into_iter().map(str::to_owned).collect(),
            waves,
        }
    }

    fn totals(&self, waves: &[WaveReport]) -> Totals {
        let counted = |states: &[&str]| {
            let tenants = waves.iter().flat_map(|wave| &wave.tenants);
            tenants.filter(|tenant| states.contains(&tenant.state)).count()
        };
        let ends = || self.tenants.values().filter_map(|state| state.end.as_ref());
        let milliseconds: u64 = ends().map(|end| end.milliseconds).sum();
        let waiting: u64 = ends().map(|end| end.waiting_milliseconds).sum();
        Totals {
            tenants: self.header.waves.len(),
            done: counted(&["done"]),
            failed: counted(&["failed"]),
            left: counted(&["left", "cut_off"]),
            milliseconds,
            waiting_share: (milliseconds > 0).then(|| waiting as f64 / milliseconds as f64),
        }
    }
}

fn tenant(name: &str, state: Option<&TenantState>) -> TenantReport {
    let end = state.and_then(|state| state.end.as_ref());
    let (summary, error, help) = match end.map(|end| &end.outcome) {
        Some(Outcome::Done { summary }) => (Some(summary.clone()), None, None),
        Some(Outcome::Failed { message, help, .. }) => (None, Some(message.clone()), help.clone()),
        None => (None, None, None),
    };
    TenantReport {
        tenant: name.to_owned(),
        state: match (state, end) {
            (None, _) => "left",
            (Some(_), None) => "cut_off",
            (Some(state), Some(_)) if state.is_done() => "done",
            (Some(_), Some(_)) => "failed",
        },
        attempts: state.map_or(0, |state| state.attempts),
        milliseconds: end.map(|end| end.milliseconds),
        summary,
        error,
        help,
        detail: end.map_or(Value::Null, |end| end.detail.clone()),
    }
}

fn timestamp(milliseconds: u64) -> String {
    let seconds = i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX);
    DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default()
}
