//! The function's log: one JSON object a line on standard output, where Lambda collects it.

use std::io::{self, Write};

use serde_json::{Value, json};

/// Writes how one event ended. `what` names the event without anything that it brought in confidence.
pub(crate) fn ended(what: &str, result: &Result<String, String>) {
    let line = match result {
        Ok(outcome) => json!({"level": "INFO", "event": what, "outcome": outcome}),
        Err(error) => json!({"level": "ERROR", "event": what, "error": error}),
    };
    write(&line);
}

fn write(line: &Value) {
    // A log that cannot be written is no reason to fail.
    let _ = writeln!(io::stdout().lock(), "{line}");
}
