//! Events for people: plain lines, and live progress where there is a terminal.

use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::ProgressDrawTarget;

use super::live::Live;
use super::{Event, Sink};

/// Writes what matters as lines; with a terminal, shows what is under way below them.
pub struct HumanSink {
    lines: Mutex<Lines>,
    verbose: bool,
}

enum Lines {
    /// No terminal: lines only.
    Plain(Box<dyn Write + Send>),
    /// A terminal.
    Live(Live),
}

impl HumanSink {
    /// Plain lines to any writer. `verbose` adds each resource's progress.
    #[must_use]
    pub fn plain(out: impl Write + Send + 'static, verbose: bool) -> Self {
        Self { lines: Mutex::new(Lines::Plain(Box::new(out))), verbose }
    }

    /// Lines on a terminal, which the caller has found to be one, and what is under way below them. `elapsed` tells
    /// the time since the program's start.
    #[must_use]
    pub fn live(
        terminal: ProgressDrawTarget,
        verbose: bool,
        elapsed: impl Fn() -> Duration + Send + 'static,
    ) -> Self {
        Self { lines: Mutex::new(Lines::Live(Live::new(terminal, elapsed))), verbose }
    }
}

impl Sink for HumanSink {
    fn emit(&self, event: &Event) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let text = text(event, self.verbose);
        match &mut *lines {
            Lines::Plain(out) => {
                if let Some(text) = text {
                    // A reader that has gone away stops no deployment.
                    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
                }
            }
            Lines::Live(live) => live.show(event, text),
        }
    }
}

impl fmt::Debug for HumanSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HumanSink")
    }
}

/// The line for a person, where the event deserves one.
fn text(event: &Event, verbose: bool) -> Option<String> {
    let line = match event {
        Event::StepStarted { tenant, step } => with_tenant(tenant.as_deref(), step),
        Event::StepFinished { tenant, step, milliseconds } => {
            if !verbose {
                return None;
            }
            format!("{}: done in {}", with_tenant(tenant.as_deref(), step), seconds(*milliseconds))
        }
        Event::Note { tenant, message } => with_tenant(tenant.as_deref(), message),
        Event::Warning { tenant, message, help } => {
            with_help(&format!("warning: {}", with_tenant(tenant.as_deref(), message)), help.as_deref())
        }
        Event::AccountChecked { tenant, account } => {
            if !verbose {
                return None;
            }
            format!("{tenant}: account {account}")
        }
        Event::BucketCreated { bucket } => format!("created the artifacts bucket {bucket}"),
        Event::ArtifactUploaded { key, bytes, .. } => format!("uploaded {key} ({} kB)", bytes.div_ceil(1000)),
        Event::ArtifactPresent { key, .. } => {
            if !verbose {
                return None;
            }
            format!("{key} is in place")
        }
        Event::StackUnchanged { tenant, stack, .. } => format!("{tenant}: {stack}: no changes"),
        Event::StackBusy { tenant, stack, status } => {
            format!("{tenant}: {stack}: waiting, another operation is under way ({status})")
        }
        Event::StackLeftover { tenant, stack, status, action } => {
            format!("{tenant}: {stack}: left over as {status}: {action}")
        }
        Event::ChangesFound { tenant, stack, changes } => {
            let mut line = format!("{tenant}: {stack}: {} to change", counted(changes.len(), "resource"));
            for change in changes {
                line.push_str(&format!("\n  {:<11} {} ({})", change.action, change.resource, change.kind));
                if !change.properties.is_empty() {
                    line.push_str(&format!(": {}", change.properties.join(", ")));
                }
            }
            line
        }
        Event::StackDeploying { tenant, stack, region, .. } => {
            format!("{tenant}: {stack}: deploying to {region}")
        }
        Event::ResourceProgress { tenant, stack, resource, status, reason, .. } => {
            if !verbose && !status.ends_with("_FAILED") {
                return None;
            }
            let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{tenant}: {stack}: {resource} {status}{reason}")
        }
        Event::StackDeployed { tenant, stack, status, milliseconds } => {
            format!("{tenant}: {stack}: {status} after {}", seconds(*milliseconds))
        }
        Event::StackFailed { tenant, stack, status, resource, reason, stands, help } => {
            let mut line = format!("error: {tenant}: {stack}: {status}");
            if let Some(resource) = resource {
                line.push_str(&format!("\n  first failure: {resource}"));
                if let Some(reason) = reason {
                    line.push_str(&format!(": {reason}"));
                }
            }
            with_help(&format!("{line}\n  {stands}"), Some(help))
        }
        Event::StackDeleting { tenant, stack, region } => format!("{tenant}: {stack}: deleting in {region}"),
        Event::StackDeleted { tenant, stack, milliseconds } => {
            format!("{tenant}: {stack}: deleted after {}", seconds(*milliseconds))
        }
        Event::EdgeDetached { tenant, distribution } => {
            format!("{tenant}: distribution {distribution} is without its function at every edge")
        }
        Event::PageDone { tenant, path, written: 0, removed: 0, .. } => {
            format!("{tenant}: page {path}: no changes")
        }
        Event::PageDone { tenant, path, written, removed, unchanged } => {
            format!("{tenant}: page {path}: {written} written, {removed} removed, {unchanged} unchanged")
        }
        Event::ResourceRemoved { tenant, kind, name } => format!("{tenant}: removed {kind} {name}"),
        Event::ResourceKept { tenant, kind, name, help } => {
            with_help(&format!("{tenant}: kept {kind} {name}"), Some(help))
        }
        Event::ResourceRemaining { tenant, kind, name, reason, help } => {
            with_help(&format!("warning: {tenant}: {kind} {name} remains: {reason}"), Some(help))
        }
        Event::RunStarted { run, journal, tenants, done } => {
            let left = if *done > 0 { format!(", {done} of them done before") } else { String::new() };
            format!("run {run}: {}{left}; journal {journal}", counted(*tenants, "tenant"))
        }
        Event::WaveStarted { wave, tenants } => format!("wave {wave}: {}", counted(*tenants, "tenant")),
        Event::WaveBaking { seconds } => format!("waiting {seconds} s before the next wave"),
        Event::JobStarted { tenant, attempt } => {
            if !verbose {
                return None;
            }
            if *attempt > 1 {
                format!("{tenant}: begins, try {attempt}")
            } else {
                format!("{tenant}: begins")
            }
        }
        Event::JobDone { tenant, summary, milliseconds, done, tenants } => {
            format!("{tenant}: {summary} after {} ({done} of {tenants})", seconds(*milliseconds))
        }
        Event::RunStopping { reason, in_flight } => {
            let last = if *in_flight > 0 {
                format!("; {} still in flight", counted(*in_flight, "tenant"))
            } else {
                String::new()
            };
            format!("stopping: {reason}{last}")
        }
        Event::TenantDone { tenant, changed, milliseconds } => {
            // In a run the end of the tenant's job tells more.
            if !verbose {
                return None;
            }
            let result = if *changed { "deployed" } else { "no changes" };
            format!("{tenant}: {result} after {}", seconds(*milliseconds))
        }
        Event::TenantFailed { tenant, message, help } => {
            with_help(&format!("error: {tenant}: {message}"), help.as_deref())
        }
    };
    Some(line)
}

fn with_tenant(tenant: Option<&str>, text: &str) -> String {
    tenant.map_or_else(|| text.to_owned(), |tenant| format!("{tenant}: {text}"))
}

fn with_help(text: &str, help: Option<&str>) -> String {
    help.map_or_else(|| text.to_owned(), |help| format!("{text}\n  help: {help}"))
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::Change;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn shown(verbose: bool, events: &[Event]) -> String {
        let out = Shared::default();
        let sink = HumanSink::plain(out.clone(), verbose);
        for event in events {
            sink.emit(event);
        }
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).expect("text")
    }

    fn progress(status: &str) -> Event {
        Event::ResourceProgress {
            tenant: "demo".into(),
            stack: "example-demo-edge".into(),
            resource: "Signer".into(),
            kind: "AWS::Lambda::Function".into(),
            status: status.into(),
            reason: Some("no such role".into()),
        }
    }

    #[test]
    fn a_failing_resource_is_shown_at_once_and_others_only_when_asked() {
        assert_eq!(shown(false, &[progress("CREATE_COMPLETE")]), "");
        assert!(shown(true, &[progress("CREATE_COMPLETE")]).contains("Signer CREATE_COMPLETE"));
        assert!(shown(false, &[progress("CREATE_FAILED")]).contains("Signer CREATE_FAILED: no such role"));
    }

    #[test]
    fn a_failure_says_what_failed_first_what_stands_and_what_to_do() {
        let failed = Event::StackFailed {
            tenant: "demo".into(),
            stack: "example-demo-edge".into(),
            status: "UPDATE_ROLLBACK_COMPLETE".into(),
            resource: Some("Signer".into()),
            reason: Some("no such role".into()),
            stands: "the stack is as it was before".into(),
            help: "mend the cause, then run `generator deploy --tenant demo`".into(),
        };
        assert_eq!(
            shown(false, &[failed]),
            "error: demo: example-demo-edge: UPDATE_ROLLBACK_COMPLETE\n  first failure: Signer: no such \
             role\n  the stack is as it was before\n  help: mend the cause, then run `generator deploy \
             --tenant demo`\n"
        );
    }

    #[test]
    fn changes_are_listed_one_a_line() {
        let found = Event::ChangesFound {
            tenant: "demo".into(),
            stack: "s".into(),
            changes: vec![Change {
                resource: "Content".into(),
                kind: "AWS::S3::Bucket".into(),
                action: "modify".into(),
                properties: vec!["CorsConfiguration".into()],
            }],
        };
        assert_eq!(
            shown(false, &[found]),
            "demo: s: 1 resource to change\n  modify      Content (AWS::S3::Bucket): CorsConfiguration\n"
        );
    }
}
