//! What CloudFormation is asked and answers, as plain data. Statuses stay the service's words here:
//! `deploy` reads them as closed sets.

use std::collections::BTreeMap;

/// A stack as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stack {
    /// ARN, which outlives the stack.
    pub id: String,
    /// Name.
    pub name: String,
    /// Status in CloudFormation's words.
    pub status: String,
    /// Why it has this status.
    pub status_reason: Option<String>,
    /// Parameters; the value of a `NoEcho` one is asterisks.
    pub parameters: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Outputs.
    pub outputs: BTreeMap<String, String>,
    /// When it was made, in milliseconds since the epoch.
    pub created: Option<i64>,
    /// When it was last changed, in milliseconds since the epoch; `None` where never since it was made.
    pub updated: Option<i64>,
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackResource {
    /// Name in the template.
    pub logical_id: String,
    /// Name or id in its service; `None` where it was never made.
    pub physical_id: Option<String>,
    /// Type, such as `AWS::S3::Bucket`.
    pub kind: String,
    /// Status in CloudFormation's words.
    pub status: String,
}

/// Something that happened to a stack or a resource of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackEvent {
    /// Id, unique per stack.
    pub id: String,
    /// Name in the template, or the stack's name.
    pub logical_id: String,
    /// Name or id in its service; the stack's ARN for the stack itself.
    pub physical_id: Option<String>,
    /// Type of the resource.
    pub kind: String,
    /// Status in CloudFormation's words.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// When, in milliseconds since the epoch.
    pub time: i64,
    /// Token of the call that started the operation.
    pub token: Option<String>,
}

/// Where CloudFormation gets a template from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// In the request itself, at most 51,200 bytes.
    Body(String),
    /// From an object in S3, at most 1 MB.
    Url(String),
}

/// What a change set is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeSetKind {
    /// A stack that does not exist yet.
    Create,
    /// One that exists.
    Update,
    /// Either, to take resources in that exist.
    Import,
}

/// A resource that is to be taken into a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedResource {
    /// Type, such as `AWS::S3::Bucket`.
    pub kind: String,
    /// Name in the template.
    pub logical_id: String,
    /// Properties that identify it, such as `BucketName`.
    pub identifier: BTreeMap<String, String>,
}

/// The request for a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChangeSet {
    /// Name of the stack.
    pub stack: String,
    /// Name of the change set, unique within the stack.
    pub name: String,
    /// Whether the stack is new.
    pub kind: ChangeSetKind,
    /// Template.
    pub template: Template,
    /// All parameters with their values.
    pub parameters: BTreeMap<String, String>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// Resources to be taken in; none but for [`ChangeSetKind::Import`].
    pub imports: Vec<ImportedResource>,
    /// Names the request, so that a repeated one is recognised.
    pub token: String,
    /// Role that CloudFormation acts with; `None`: the caller's own rights.
    pub role_arn: Option<String>,
}

/// A change set that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSetId {
    /// ARN of the change set.
    pub id: String,
    /// ARN of its stack.
    pub stack_id: String,
}

/// A change set of a stack, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSetSummary {
    /// ARN.
    pub id: String,
    /// Name.
    pub name: String,
}

/// A change set as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeSet {
    /// ARN.
    pub id: String,
    /// Name.
    pub name: String,
    /// ARN of its stack.
    pub stack_id: String,
    /// Status in CloudFormation's words.
    pub status: String,
    /// Why it has this status.
    pub status_reason: Option<String>,
    /// Whether it can be executed, in CloudFormation's words.
    pub execution: String,
    /// When it was made, in milliseconds since the epoch by the service's clock.
    pub created: Option<i64>,
    /// What it would change.
    pub changes: Vec<RawChange>,
}

/// A changed resource in CloudFormation's words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawChange {
    /// Name in the template.
    pub logical_id: String,
    /// Name or id in its service.
    pub physical_id: Option<String>,
    /// Type of the resource.
    pub kind: String,
    /// `Add`, `Modify`, `Remove`, …
    pub action: String,
    /// `True`, `False` or `Conditional`.
    pub replacement: Option<String>,
    /// What becomes of the old resource: `Delete`, `Retain`, …
    pub policy_action: Option<String>,
    /// Attributes concerned: `Properties`, `Tags`, …
    pub scope: Vec<String>,
    /// One entry for each property and cause.
    pub details: Vec<ChangeDetail>,
}

/// A changed property and its cause.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeDetail {
    /// `Properties`, `Tags`, …
    pub attribute: Option<String>,
    /// Path of the property, or its name where the peer gives no path.
    pub path: Option<String>,
    /// `Never`, `Conditionally` or `Always`.
    pub recreation: Option<String>,
    /// Value before, where the peer gives it.
    pub before: Option<String>,
    /// Value after, where the peer gives it.
    pub after: Option<String>,
    /// `DirectModification`, `ParameterReference`, …
    pub source: Option<String>,
    /// The parameter or resource that causes the change.
    pub cause: Option<String>,
}

/// The request to delete a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackDeletion {
    /// ARN of the stack, so that no newer stack of the same name is meant.
    pub stack: String,
    /// Names the request, so that a repeated one is recognised.
    pub token: String,
    /// Role that CloudFormation acts with.
    pub role_arn: Option<String>,
}

/// What the service's early validation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// Resource, where one is concerned.
    pub logical_id: Option<String>,
    /// Property, where one is concerned.
    pub path: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// Whether the change set cannot be executed like this.
    pub blocks: bool,
}

/// How many stacks there are and may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Stacks of the region.
    pub used: usize,
    /// Most of them.
    pub limit: usize,
}

impl Room {
    /// Whether there is room for more.
    #[must_use]
    pub fn holds(self, new: usize) -> bool {
        self.used + new <= self.limit
    }
}

/// The request to go on with a rollback that has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackContinuation {
    /// ARN of the stack.
    pub stack: String,
    /// Logical ids of the resources that stay as they are.
    pub skip: Vec<String>,
    /// Names the request, so that a repeated one is recognised.
    pub token: String,
    /// Role that CloudFormation acts with.
    pub role_arn: Option<String>,
}
