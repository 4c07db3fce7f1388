//! The closed list of what can happen. Each event has a code that never changes its meaning.

use serde::Serialize;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Event {
    /// A piece of work that may take over a second begins.
    StepStarted {
        /// Tenant, where the work is for one.
        tenant: Option<String>,
        /// What is done, as a phrase: `building the signer`.
        step: String,
    },
    /// That piece of work is done.
    StepFinished {
        /// Tenant, where the work is for one.
        tenant: Option<String>,
        /// The phrase of the start.
        step: String,
        /// How long it took, in milliseconds.
        milliseconds: u64,
    },
    /// Worth knowing; nothing to do.
    Note {
        /// Tenant, where it concerns one.
        tenant: Option<String>,
        /// The text.
        message: String,
    },
    /// Goes on, but should be looked at.
    Warning {
        /// Tenant, where it concerns one.
        tenant: Option<String>,
        /// The text.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// The caller's account is the one that the tenant names.
    AccountChecked {
        /// Tenant.
        tenant: String,
        /// Account.
        account: String,
    },
    /// The artifacts bucket was made.
    BucketCreated {
        /// Bucket.
        bucket: String,
    },
    /// An artifact was uploaded and checked.
    ArtifactUploaded {
        /// Bucket.
        bucket: String,
        /// Key.
        key: String,
        /// Size in bytes.
        bytes: u64,
    },
    /// An artifact is there, as it should be.
    ArtifactPresent {
        /// Bucket.
        bucket: String,
        /// Key.
        key: String,
    },
    /// A stack is already as rendered.
    StackUnchanged {
        /// Tenant.
        tenant: String,
        /// Stack.
        stack: String,
        /// Region.
        region: String,
    },
    /// Somebody else's operation on a stack is waited for.
    StackBusy {
        /// Tenant.
        tenant: String,
        /// Stack.
        stack: String,
        /// Its status.
        status: String,
    },
    /// What an earlier run left behind is cleared away.
    StackLeftover {
        /// Tenant.
        tenant: String,
        /// Stack.
        stack: String,
        /// Its status.
        status: String,
        /// What is done about it.
        action: String,
    },
    /// The changes of a stack are known.
    ChangesFound {
        /// Tenant.
        tenant: String,
        /// Stack.
        stack: String,
        /// The changed resources.
        changes: Vec<Change>,
    },
    /// A change set is being executed.
    StackDeploying {
        /// Tenant.
        tenant: String,
        /// Stack.
        stack: String,
        /// Region.
        region: String,
        /// Number of resources that change.
        changes: usize,
    },
    /// A resource of a stack has another status.
    ResourceProgress {
        /// Tenant.
        tenant: String,
        /// Stack.
        stack: String,
        /// Name in the template.
        resource: String,
        /// Type.
        kind: String,
        /// Status in CloudFormation's words.
        status: String,
        /// Why.
        reason: Option<String>,
    },
    /// A stack has reached a good final status.
    StackDeployed {
        /// Tenant.
        tenant: String,
        /// Stack.
        stack: String,
        /// Status in CloudFormation's words.
        status: String,
        /// How long it took, in milliseconds.
        milliseconds: u64,
    },
    /// A stack has failed.
    StackFailed {
        /// Tenant.
        tenant: String,
        /// Stack.
        stack: String,
        /// Status in CloudFormation's words.
        status: String,
        /// The resource that failed first.
        resource: Option<String>,
        /// That resource's own reason.
        reason: Option<String>,
        /// What stands now.
        stands: String,
        /// What to do next.
        help: String,
    },
    /// A stack is being deleted.
    StackDeleting {
        /// Tenant.
        tenant: String,
        /// Stack.
        stack: String,
        /// Region.
        region: String,
    },
    /// A stack is gone.
    StackDeleted {
        /// Tenant.
        tenant: String,
        /// Stack.
        stack: String,
        /// How long it took, in milliseconds.
        milliseconds: u64,
    },
    /// The functions were taken off a distribution, and every edge knows.
    EdgeDetached {
        /// Tenant.
        tenant: String,
        /// Id of the distribution.
        distribution: String,
    },
    /// Something outside of a stack was removed.
    ResourceRemoved {
        /// Tenant.
        tenant: String,
        /// Type.
        kind: String,
        /// Name or id.
        name: String,
    },
    /// Something stays on purpose.
    ResourceKept {
        /// Tenant.
        tenant: String,
        /// Type.
        kind: String,
        /// Name or id.
        name: String,
        /// How it would be removed.
        help: String,
    },
    /// Something should be gone and is not.
    ResourceRemaining {
        /// Tenant.
        tenant: String,
        /// Type.
        kind: String,
        /// Name or id.
        name: String,
        /// Why.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A run over many tenants begins, or goes on.
    RunStarted {
        /// Name of the run.
        run: String,
        /// Where its journal is.
        journal: String,
        /// Number of its tenants.
        tenants: usize,
        /// How many of them were done before.
        done: usize,
    },
    /// A wave of a run begins.
    WaveStarted {
        /// Its name.
        wave: String,
        /// Number of its tenants that are not done.
        tenants: usize,
    },
    /// The pause before the next wave begins.
    WaveBaking {
        /// How long it is, in seconds.
        seconds: u64,
    },
    /// A tenant's job in a run begins.
    JobStarted {
        /// Tenant.
        tenant: String,
        /// 1 for the first try.
        attempt: u32,
    },
    /// A tenant's job in a run is done.
    JobDone {
        /// Tenant.
        tenant: String,
        /// What is so now.
        summary: String,
        /// How long it took, in milliseconds.
        milliseconds: u64,
        /// How many tenants of the run are done.
        done: usize,
        /// How many it has.
        tenants: usize,
    },
    /// A run begins nothing more.
    RunStopping {
        /// Why.
        reason: String,
        /// Number of tenants whose jobs go on to their end.
        in_flight: usize,
    },
    /// The files of a tenant's page are as they should be.
    PageDone {
        /// Tenant.
        tenant: String,
        /// Path of the page.
        path: String,
        /// Number of objects that were written.
        written: usize,
        /// Number of objects that were deleted.
        removed: usize,
        /// Number of objects that were left as they are.
        unchanged: usize,
    },
    /// All stacks of a tenant are as rendered.
    TenantDone {
        /// Tenant.
        tenant: String,
        /// Whether anything was changed.
        changed: bool,
        /// How long it took, in milliseconds.
        milliseconds: u64,
    },
    /// A tenant could not be brought to where it should be.
    TenantFailed {
        /// Tenant.
        tenant: String,
        /// What failed.
        message: String,
        /// What to do.
        help: Option<String>,
    },
}

/// A changed resource, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Name in the template.
    pub resource: String,
    /// Type.
    pub kind: String,
    /// `add`, `modify`, `replace`, `may-replace`, `remove`, `import`, `dynamic` or `sync`.
    pub action: String,
    /// Properties that change.
    pub properties: Vec<String>,
}

/// How much an event matters to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// One of many steps.
    Detail,
    /// A result.
    Info,
    /// To be looked at.
    Warning,
    /// A failure.
    Error,
}

impl Event {
    /// The stable code, the same as in JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::StepStarted { .. } => "STEP_STARTED",
            Self::StepFinished { .. } => "STEP_FINISHED",
            Self::Note { .. } => "NOTE",
            Self::Warning { .. } => "WARNING",
            Self::AccountChecked { .. } => "ACCOUNT_CHECKED",
            Self::BucketCreated { .. } => "BUCKET_CREATED",
            Self::ArtifactUploaded { .. } => "ARTIFACT_UPLOADED",
            Self::ArtifactPresent { .. } => "ARTIFACT_PRESENT",
            Self::StackUnchanged { .. } => "STACK_UNCHANGED",
            Self::StackBusy { .. } => "STACK_BUSY",
            Self::StackLeftover { .. } => "STACK_LEFTOVER",
            Self::ChangesFound { .. } => "CHANGES_FOUND",
            Self::StackDeploying { .. } => "STACK_DEPLOYING",
            Self::ResourceProgress { .. } => "RESOURCE_PROGRESS",
            Self::StackDeployed { .. } => "STACK_DEPLOYED",
            Self::StackFailed { .. } => "STACK_FAILED",
            Self::StackDeleting { .. } => "STACK_DELETING",
            Self::StackDeleted { .. } => "STACK_DELETED",
            Self::EdgeDetached { .. } => "EDGE_DETACHED",
            Self::ResourceRemoved { .. } => "RESOURCE_REMOVED",
            Self::ResourceKept { .. } => "RESOURCE_KEPT",
            Self::ResourceRemaining { .. } => "RESOURCE_REMAINING",
            Self::RunStarted { .. } => "RUN_STARTED",
            Self::WaveStarted { .. } => "WAVE_STARTED",
            Self::WaveBaking { .. } => "WAVE_BAKING",
            Self::JobStarted { .. } => "JOB_STARTED",
            Self::JobDone { .. } => "JOB_DONE",
            Self::RunStopping { .. } => "RUN_STOPPING",
            Self::PageDone { .. } => "PAGE_DONE",
            Self::TenantDone { .. } => "TENANT_DONE",
            Self::TenantFailed { .. } => "TENANT_FAILED",
        }
    }

    /// How much it matters to a person.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::ResourceProgress { .. }
            | Self::StepFinished { .. }
            | Self::JobStarted { .. }
            | Self::ArtifactPresent { .. }
            | Self::AccountChecked { .. }
            | Self::TenantDone { .. } => Level::Detail,
            Self::Warning { .. }
            | Self::ResourceRemaining { .. }
            | Self::RunStopping { .. }
            | Self::StackLeftover { .. } => Level::Warning,
            Self::StackFailed { .. } | Self::TenantFailed { .. } => Level::Error,
            _ => Level::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_one_in_json() {
        let events = [
            Event::StackUnchanged { tenant: "demo".into(), stack: "s".into(), region: "r".into() },
            Event::Note { tenant: None, message: "m".into() },
            Event::BucketCreated { bucket: "b".into() },
        ];
        for event in events {
            let json = serde_json::to_value(&event).expect("JSON");
            assert_eq!(json["code"], event.code());
        }
    }
}
