//! The last screen of a run: what happened, who failed first, what to type next.

use std::path::Path;

use crate::report::{RunReport, TenantReport};

/// Failures that are told one by one; the report has all of them.
const FAILURES: usize = 10;
/// Tenants that a command names one by one.
const NAMED: usize = 10;

/// The last screen of a run.
pub(super) struct Last<'a> {
    pub report: &'a RunReport,
    /// Folder of the report, where it is worth telling.
    pub written: Option<&'a Path>,
    /// What to type next, where not every tenant is done.
    pub next: &'a str,
}

impl Last<'_> {
    /// Whole lines. What matters most stands last, where the eye is.
    pub(super) fn text(&self) -> String {
        let Self { report, written, next } = self;
        let mut text = happened(report);
        let failed = report.failed_in_order();
        for (place, tenant) in failed.iter().take(FAILURES).enumerate() {
            let first = if place == 0 && failed.len() > 1 { " first" } else { "" };
            let error = tenant.error.as_deref().unwrap_or_default();
            text.push_str(&format!("{} failed{first}: {error}\n", tenant.tenant));
            if let Some(help) = tenant.help.as_ref().filter(|_| place == 0) {
                text.push_str(&format!("  help: {help}\n"));
            }
        }
        if failed.len() > FAILURES {
            text.push_str(&format!("and {} more failed; the report has them\n", failed.len() - FAILURES));
        }
        if let Some(folder) = written {
            text.push_str(&format!("report in {}\n", folder.display()));
        }
        if report.totals.done < report.totals.tenants {
            text.push_str(&format!("{next}\n"));
        }
        text
    }
}

fn happened(report: &RunReport) -> String {
    let totals = &report.totals;
    let mut line = format!("{}: {} of {} tenants done", report.run, totals.done, totals.tenants);
    for (count, what) in [(totals.failed, "failed"), (totals.left, "left")] {
        if count > 0 {
            line.push_str(&format!(", {count} {what}"));
        }
    }
    if let Some(why) = &report.stopped {
        line.push_str(&format!("; stopped: {why}"));
    }
    format!("{line}\n")
}

/// The command that plans the tenants anew that a run has left. `flags` lead to the same cloud.
pub(super) fn new_plan(report: &RunReport, flags: &str) -> String {
    let left: Vec<&TenantReport> = report.tenants().filter(|tenant| tenant.state != "done").collect();
    let whom = match left.len() {
        ..=NAMED => left.iter().map(|tenant| format!(" --tenant {}", tenant.tenant)).collect(),
        _ => " --all".to_owned(),
    };
    format!(
        "what was not executed of the plan is deleted; look at a new one: `generator plan{whom}{flags} --out FILE`"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fleet::{
        FailureKind, Header, History, MaxFailures, Outcome, Plan, Record, Settings, StopReason, Wave,
    };

    /// A run of four tenants: `c` fails before `a`, `b` is done, `d` is left.
    fn history() -> History {
        let tenants = ["a", "b", "c", "d"].map(String::from).to_vec();
        let waves = Plan { waves: vec![Wave { name: "rest".into(), tenants }] };
        let settings = Settings { concurrency: 3, bake_seconds: 0, max_failures: MaxFailures::Count(1) };
        let run = "deploy-20261127-100000-aaaaaa".to_owned();
        let mut history =
            History::new(Header::new(run, "deploy", 1_795_773_600_000, json!({}), settings, waves));
        let failed = |resource: &str, reason: &str| Outcome::Failed {
            kind: FailureKind::Deployment,
            message: format!(
                "stack `s` ended in `UPDATE_ROLLBACK_COMPLETE`: `{resource}` failed first: {reason}"
            ),
            help: Some("mend the cause, then run `generator deploy` again".into()),
        };
        let done = Outcome::Done { summary: "1 stack updated".into() };
        let ends = [
            ("c", 5, failed("Signer", "no such role")),
            ("b", 6, done),
            ("a", 9, failed("Rotator", "no room")),
        ];
        for (tenant, _, _) in &ends {
            history.apply(&Record::Began { at: 1, tenant: (*tenant).into() });
        }
        for (tenant, at, outcome) in ends {
            let tenant = tenant.to_owned();
            let (milliseconds, waiting_milliseconds, detail) = (4, 2, Value::Null);
            history.apply(&Record::Ended { at, tenant, outcome, milliseconds, waiting_milliseconds, detail });
        }
        history.apply(&Record::Stopped {
            at: 10,
            reason: StopReason::TooManyFailures { failed: 2, allowed: 1 },
        });
        history
    }

    fn screen(report: &RunReport, next: &str) -> String {
        Last { report, written: Some(Path::new("runs")), next }.text()
    }

    #[test]
    fn what_failed_first_in_time_is_told_first_whatever_its_name() {
        let report = history().report("runs/r.jsonl");
        assert_eq!(report.failed, ["c", "a"]);
        insta::assert_snapshot!(screen(&report, "go on with `generator resume deploy-20261127-100000-aaaaaa`"), @r"
        deploy-20261127-100000-aaaaaa: 1 of 4 tenants done, 2 failed, 1 left; stopped: 2 tenants failed, and 1 may
        c failed first: stack `s` ended in `UPDATE_ROLLBACK_COMPLETE`: `Signer` failed first: no such role
          help: mend the cause, then run `generator deploy` again
        a failed: stack `s` ended in `UPDATE_ROLLBACK_COMPLETE`: `Rotator` failed first: no room
        report in runs
        go on with `generator resume deploy-20261127-100000-aaaaaa`
        ");
    }

    #[test]
    fn after_a_plan_the_rest_is_planned_anew() {
        let report = history().report("runs/r.jsonl");
        insta::assert_snapshot!(new_plan(&report, " --local"), @"what was not executed of the plan is deleted; look at a new one: `generator plan --tenant a --tenant c --tenant d --local --out FILE`");
    }

    #[test]
    fn of_many_failures_the_first_ones_are_told_and_the_others_counted() {
        let mut report = history().report("runs/r.jsonl");
        report.failed = vec!["c".into(); FAILURES + 3];
        assert!(screen(&report, "").contains("and 3 more failed; the report has them\n"));
    }

    #[test]
    fn where_all_are_done_there_is_nothing_to_type() {
        let mut report = history().report("runs/r.jsonl");
        report.totals.done = report.totals.tenants;
        assert!(!screen(&report, "go on").contains("go on"));
    }
}
