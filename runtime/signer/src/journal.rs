//! Log lines: one JSON object each, with nothing of a viewer in them.
//!
//! Counts go out in CloudWatch's embedded metric format. Lambda may freeze or end a process after any
//! request, so counts are written when requests come, at most once a minute, and what was counted since the
//! last line is lost with the process.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::aws::AwsError;
use crate::clock::Moment;
use crate::handler::Outcome;

/// Time between two lines of counts.
const WINDOW: Duration = Duration::from_secs(60);
/// Most lines about single events within a window; the counts go on.
const LINES_MAX: u32 = 20;
/// Namespace of the metrics.
const NAMESPACE: &str = "Generator/Signer";

/// Counts, and what was written of them.
pub struct Journal {
    function: String,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    window: Option<Moment>,
    lines: u32,
    by_name: BTreeMap<String, u64>,
}

impl Journal {
    /// A journal of the function with this name.
    #[must_use]
    pub fn new(function: &str) -> Self {
        Self { function: function.to_owned(), counts: Mutex::default() }
    }

    /// Counts an answer. `request` is CloudFront's id of it. Returns the lines to write.
    pub fn answered(&self, outcome: Outcome, request: &str, now: Moment) -> Vec<String> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = counts.open_window(now);
        let line = match outcome {
            Outcome::Granted => counts.count("Granted", None),
            Outcome::Removed => counts.count("Removed", None),
            Outcome::Preflight => counts.count("Preflight", None),
            Outcome::Refused(refusal) => {
                let id: String = request.chars().take(100).collect();
                let event = json!({ "event": "refused", "code": refusal.code(),
                    "status": refusal.status(), "request": id });
                counts.count(&format!("Refused_{}", refusal.code()), None);
                counts.count("Refused", Some(event))
            }
        };
        let counted = opened.then(|| counts.metrics(&self.function, now));
        line.into_iter().chain(counted).collect()
    }

    /// Counts a document that could not be read. Returns the lines to write.
    pub fn failed(&self, document: &str, error: &AwsError, now: Moment) -> Vec<String> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = counts.open_window(now);
        let event = json!({ "event": "refresh_failed", "document": document, "error": error.to_string() });
        let line = counts.count("RefreshFailed", Some(event));
        let counted = opened.then(|| counts.metrics(&self.function, now));
        line.into_iter().chain(counted).collect()
    }
}

impl Counts {
    /// Whether a window begins at `now`.
    fn open_window(&mut self, now: Moment) -> bool {
        let opens = self.window.is_none_or(|window| now.since(window) >= WINDOW);
        if opens {
            self.window = Some(now);
            self.lines = 0;
        }
        opens
    }

    fn count(&mut self, name: &str, event: Option<Value>) -> Option<String> {
        *self.by_name.entry(name.to_owned()).or_default() += 1;
        let event = event?;
        self.lines = self.lines.saturating_add(1);
        (self.lines <= LINES_MAX).then(|| event.to_string())
    }

    fn metrics(&mut self, function: &str, now: Moment) -> String {
        let counts = std::mem::take(&mut self.by_name);
        let names: Vec<Value> = counts.keys().map(|name| json!({ "Name": name, "Unit": "Count" })).collect();
        let mut line = Map::new();
        line.insert(
            "_aws".into(),
            json!({ "Timestamp": now.epoch.saturating_mul(1_000), "CloudWatchMetrics": [
                { "Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": names }] }),
        );
        line.insert("Function".into(), function.into());
        line.extend(counts.into_iter().map(|(name, count)| (name, count.into())));
        Value::Object(line).to_string()
    }
}

/// Writes lines to standard error, which Lambda takes into the function's log. Standard output may be the
/// protocol of whoever runs the function. A line that cannot be written is dropped.
pub fn write(lines: &[String]) {
    for line in lines {
        let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Refusal;

    fn at(second: u64) -> Moment {
        Moment { epoch: second, steady: Duration::from_secs(second) }
    }

    #[test]
    fn counts_go_out_once_a_window() {
        let journal = Journal::new("example-demo-signer");
        let first = journal.answered(Outcome::Granted, "r", at(0));
        assert_eq!(first.len(), 1);
        assert!(journal.answered(Outcome::Granted, "r", at(59)).is_empty());
        let second = journal.answered(Outcome::Removed, "r", at(60));
        let line: Value = serde_json::from_str(&second[0]).expect("JSON");
        assert_eq!((&line["Granted"], &line["Removed"]), (&json!(1), &json!(1)));
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "Granted");
        assert_eq!(line["Function"], "example-demo-signer");
    }

    #[test]
    fn lines_are_bounded_and_counts_are_not() {
        let journal = Journal::new("f");
        let outcome = Outcome::Refused(Refusal::TokenMissing);
        let lines: usize = (0..1_000).map(|_| journal.answered(outcome, "r", at(1)).len()).sum();
        assert_eq!(lines, LINES_MAX as usize + 1);
        let next = journal.answered(Outcome::Granted, "r", at(61));
        let line: Value = serde_json::from_str(&next[0]).expect("JSON");
        assert_eq!((&line["Refused"], &line["Refused_token_missing"]), (&json!(999), &json!(999)));
    }

    #[test]
    fn a_failure_is_named_by_its_code_only() {
        let error = AwsError::Refused { status: 400, code: "AccessDeniedException".into() };
        let lines = Journal::new("f").failed("keyring", &error, at(0));
        assert_eq!(
            lines[0],
            r#"{"event":"refresh_failed","document":"keyring","error":"refused with status 400, code `AccessDeniedException`"}"#
        );
    }
}
