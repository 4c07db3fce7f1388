//! Peers that answer from a script and record every call, for tests.

mod cloudformation;
mod peers;

use std::sync::Arc;
use std::time::Duration;

pub(super) use self::cloudformation::{FakeCloudFormation, Script};
pub(super) use self::peers::{FakePeers, World};
use super::{Context, Deadlines, Settings};
use crate::aws::cloudformation::{ChangeSet, RawChange, Stack, StackEvent};
use crate::aws::{AwsError, AwsErrorKind};
use crate::clock::ManualClock;
use crate::report::RecordedSink;

/// A context whose clock only waiting moves on.
pub(super) fn context() -> (Context, Arc<RecordedSink>) {
    let sink = Arc::new(RecordedSink::default());
    let minute = Duration::from_secs(60);
    let deadlines = Deadlines { change_set: minute, stack: minute, deletion: minute, others: minute };
    let settings = Settings { deadlines, ..Settings::new(false) };
    let clock = Arc::new(ManualClock::default());
    let work = super::Work::default();
    let (sink_of_it, rooms) = (Arc::clone(&sink) as _, Arc::default());
    let context = Context { clock, sink: sink_of_it, settings, templates: None, rooms, work };
    (context, sink)
}

pub(super) fn stack(status: &str) -> Stack {
    Stack { id: "arn:stack".into(), name: "s".into(), status: status.into(), ..Stack::default() }
}

pub(super) fn event(id: &str, logical_id: &str, status: &str, reason: Option<&str>) -> StackEvent {
    let of_stack = logical_id == "s";
    StackEvent {
        id: id.into(),
        logical_id: logical_id.into(),
        physical_id: of_stack.then(|| "arn:stack".into()),
        kind: if of_stack { "AWS::CloudFormation::Stack" } else { "AWS::Lambda::Function" }.into(),
        status: status.into(),
        reason: reason.map(str::to_owned),
        time: id.parse().unwrap_or_default(),
        token: None,
    }
}

pub(super) fn set(status: &str, reason: Option<&str>, changes: Vec<RawChange>) -> ChangeSet {
    ChangeSet {
        id: "arn:set".into(),
        name: "set".into(),
        stack_id: "arn:stack".into(),
        status: status.into(),
        status_reason: reason.map(str::to_owned),
        execution: if status == "CREATE_COMPLETE" { "AVAILABLE" } else { "UNAVAILABLE" }.into(),
        created: Some(0),
        changes,
    }
}

pub(super) fn error(code: &str, kind: AwsErrorKind) -> AwsError {
    AwsError {
        service: "cloudformation",
        operation: "Test",
        code: code.into(),
        message: "as the test wants it".into(),
        kind,
    }
}
