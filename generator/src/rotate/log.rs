//! The rotator's log: the only place that says why a rotation failed.

use serde_json::Value;

use crate::aws::logs::LogLine;

/// Log group of a function.
pub(super) fn group(function: &str) -> String {
    format!("/aws/lambda/{function}")
}

/// Words of Lambda itself for a function that came to no end. Its lines name no rotation.
const CUT_OFF: [&str; 3] = ["Task timed out", "Runtime exited", "Runtime.ExitError"];

/// The last reason that a log gives for the failure of the rotation `token`. Lines of Lambda itself count from
/// `began` on, in milliseconds since the epoch, as they name no token.
pub(super) fn reason(lines: &[LogLine], token: &str, began: i64) -> Option<String> {
    lines.iter().rev().find_map(|line| {
        if line.text.contains(token) {
            return error_of(&line.text);
        }
        let cut_off = CUT_OFF.iter().any(|words| line.text.contains(words));
        (cut_off && line.at >= began).then(|| line.text.clone())
    })
}

/// The newest failure of a log, with its time.
pub(super) fn last_failure(lines: &[LogLine]) -> Option<(i64, String)> {
    lines.iter().rev().find_map(|line| {
        let cut_off = CUT_OFF.iter().any(|words| line.text.contains(words));
        let reason = error_of(&line.text).or_else(|| cut_off.then(|| line.text.clone()))?;
        Some((line.at, reason))
    })
}

/// The error in a line of the rotator, which writes JSON.
fn error_of(line: &str) -> Option<String> {
    let start = line.find('{')?;
    let line: Value = serde_json::from_str(&line[start..]).ok()?;
    if line["level"] != "ERROR" {
        return None;
    }
    Some(line["error"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<LogLine> {
        let lines = texts.iter().enumerate();
        lines.map(|(at, text)| LogLine { at: at as i64, text: (*text).to_owned() }).collect()
    }

    #[test]
    fn the_last_error_of_this_rotation_is_the_reason() {
        let log = lines(&[
            r#"{"level":"ERROR","event":"Create other","error":"another rotation's"}"#,
            r#"{"level":"ERROR","event":"Create t1","error":"the first"}"#,
            r#"{"level":"INFO","event":"Create t1","outcome":"Done"}"#,
            r#"{"level":"ERROR","event":"Test t1","error":"the second"}"#,
            "REPORT RequestId: t1 Duration: 3 ms",
        ]);
        assert_eq!(reason(&log, "t1", 0).as_deref(), Some("the second"));
        assert_eq!(reason(&log[..1], "t1", 0), None);
    }

    #[test]
    fn a_function_that_was_cut_off_is_told_in_lambdas_own_words() {
        let log = lines(&["2026-11-22T10:00:00Z 1f Task timed out after 900.00 seconds", "END"]);
        assert!(reason(&log, "t1", 0).expect("a reason").contains("Task timed out"));
        assert_eq!(reason(&log, "t1", 1), None, "it ended before this rotation began");
        assert_eq!(last_failure(&log).expect("a failure").0, 0);
    }
}
