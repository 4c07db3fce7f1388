//! Events as JSON lines. The first line names the format and its version.

use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Event, Sink};

/// The first line.
const HEADER: &str = r#"{"format":"generator-events","version":1}"#;

/// Writes one JSON object a line, each with its `code` and `elapsed_ms`.
pub struct NdjsonSink<W> {
    out: Mutex<W>,
    elapsed: Box<dyn Fn() -> Duration + Send + Sync>,
}

impl<W: Write + Send> NdjsonSink<W> {
    /// Writes the header. `elapsed` tells the time since the program's start.
    ///
    /// # Errors
    /// Where the header cannot be written.
    pub fn new(mut out: W, elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> std::io::Result<Self> {
        writeln!(out, "{HEADER}")?;
        out.flush()?;
        Ok(Self { out: Mutex::new(out), elapsed: Box::new(elapsed) })
    }
}

impl<W: Write + Send> Sink for NdjsonSink<W> {
    fn emit(&self, event: &Event) {
        let Ok(mut line) = serde_json::to_value(event) else { return };
        let elapsed = u64::try_from((self.elapsed)().as_millis()).unwrap_or(u64::MAX);
        if let Some(fields) = line.as_object_mut() {
            fields.insert("elapsed_ms".into(), elapsed.into());
        }
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // A reader that has gone away stops no deployment.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

impl<W> fmt::Debug for NdjsonSink<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NdjsonSink")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_comes_first_and_each_event_is_a_line() {
        let mut out = Vec::new();
        {
            let sink = NdjsonSink::new(&mut out, || Duration::from_millis(7)).expect("a sink");
            sink.emit(&Event::Note { tenant: None, message: "two\nlines".into() });
        }
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "{\"format\":\"generator-events\",\"version\":1}\n\
             {\"code\":\"NOTE\",\"tenant\":null,\"message\":\"two\\nlines\",\"elapsed_ms\":7}\n"
        );
    }
}
