//! What happens, told: events -> terminal or JSON lines. Keeps no state of the work itself.
//!
//! Library code emits [`Event`]s and never prints. A [`Sink`] decides what becomes of them.

mod board;
pub mod codes;
mod event;
mod human;
mod live;
mod ndjson;
mod run;
mod schema;

pub use event::{Change, Event, Level};
pub use human::HumanSink;
pub use ndjson::NdjsonSink;
pub use run::{FORMAT as RUN_REPORT_FORMAT, RunReport, TenantReport, Totals, WaveReport};
pub use schema::schema;

/// Takes events, from several tasks at once.
pub trait Sink: Send + Sync {
    /// Takes one event. Never fails: a report that cannot be written stops no deployment.
    fn emit(&self, event: &Event);
}

/// Drops every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSink;

impl Sink for NoSink {
    fn emit(&self, _: &Event) {}
}

/// Keeps every event, for tests.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct RecordedSink(std::sync::Mutex<Vec<Event>>);

#[cfg(test)]
impl RecordedSink {
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().iter().map(Event::code).collect()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}

#[cfg(test)]
impl Sink for RecordedSink {
    fn emit(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}
