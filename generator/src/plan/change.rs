//! A change set as typed data.

use std::collections::BTreeSet;

use crate::aws::cloudformation::{ChangeDetail, ChangeSet, RawChange};

/// What a change set would do to one stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackChange {
    /// Name of the stack.
    pub stack: String,
    /// Region of the stack.
    pub region: String,
    /// ARN of the change set.
    pub change_set: String,
    /// Whether the stack is new.
    pub creates: bool,
    /// Its changes, in CloudFormation's order.
    pub resources: Vec<ResourceChange>,
}

/// What would happen to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceChange {
    /// Name in the template.
    pub logical_id: String,
    /// Name or id in its service, where it exists.
    pub physical_id: Option<String>,
    /// Type, such as `AWS::S3::Bucket`.
    pub kind: String,
    /// What is done to it.
    pub action: Action,
    /// Whether another resource takes its place.
    pub replacement: Replacement,
    /// Whether the old resource stays when it leaves the stack.
    pub retained: bool,
    /// Attributes concerned: `Properties`, `Tags`, …
    pub scope: Vec<String>,
    /// Changed properties.
    pub properties: Vec<PropertyChange>,
    /// Parameters and resources that cause the change, each once.
    pub causes: Vec<String>,
}

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Add,
    /// It is changed, or replaced.
    Modify,
    /// It leaves the stack.
    Remove,
    /// It is taken into the stack as it is.
    Import,
    /// Decided only while executing.
    Dynamic,
    /// Its recorded state is brought in line with the real one.
    Sync,
}

/// Whether another resource takes a resource's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// No.
    Never,
    /// Decided only while executing.
    Conditional,
    /// Yes.
    Always,
}

/// A changed property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyChange {
    /// `Properties`, `Tags`, …
    pub attribute: String,
    /// Path within the attribute, where the peer gives it.
    pub path: Option<String>,
    /// Whether changing it replaces the resource.
    pub replacement: Replacement,
    /// Value before, where the peer gives it.
    pub before: Option<String>,
    /// Value after, where the peer gives it.
    pub after: Option<String>,
}

/// A word in a change set that this tool does not know: judging the change would be guessing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the change set gives `{logical_id}` the {field} `{word}`, which this version does not know")]
pub struct UnknownWord {
    /// The resource.
    pub logical_id: String,
    /// Which field.
    pub field: &'static str,
    /// The word.
    pub word: String,
}

impl StackChange {
    /// Reads a change set. Nothing is passed over: an unknown word is an error.
    ///
    /// # Errors
    /// Where CloudFormation uses a word that is not in its documentation today.
    pub fn read(stack: &str, region: &str, creates: bool, set: &ChangeSet) -> Result<Self, UnknownWord> {
        let resources = set.changes.iter().map(ResourceChange::read).collect::<Result<_, _>>()?;
        Ok(Self {
            stack: stack.to_owned(),
            region: region.to_owned(),
            change_set: set.id.clone(),
            creates,
            resources,
        })
    }
}

impl ResourceChange {
    /// One word for what is done: `add`, `modify`, `replace`, `may-replace`, `remove`, …
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match (self.action, self.replacement) {
            (Action::Add, _) => "add",
            (Action::Modify, Replacement::Never) => "modify",
            (Action::Modify, Replacement::Conditional) => "may-replace",
            (Action::Modify, Replacement::Always) => "replace",
            (Action::Remove, _) => "remove",
            (Action::Import, _) => "import",
            (Action::Dynamic, _) => "dynamic",
            (Action::Sync, _) => "sync",
        }
    }

    fn read(raw: &RawChange) -> Result<Self, UnknownWord> {
        let unknown = |field, word: &str| UnknownWord {
            logical_id: raw.logical_id.clone(),
            field,
            word: word.to_owned(),
        };
        let action = match raw.action.as_str() {
            "Add" => Action::Add,
            "Modify" => Action::Modify,
            "Remove" => Action::Remove,
            "Import" => Action::Import,
            "Dynamic" => Action::Dynamic,
            "SyncWithActual" => Action::Sync,
            word => return Err(unknown("action", word)),
        };
        let replacement = match raw.replacement.as_deref() {
            None | Some("False") => Replacement::Never,
            Some("Conditional") => Replacement::Conditional,
            Some("True") => Replacement::Always,
            Some(word) => return Err(unknown("replacement", word)),
        };
        let properties = raw
            .details
            .iter()
            .map(|detail| PropertyChange::read(detail).map_err(|word| unknown("recreation", &word)));
        let causes: BTreeSet<&String> =
            raw.details.iter().filter_map(|detail| detail.cause.as_ref()).collect();
        Ok(Self {
            logical_id: raw.logical_id.clone(),
            physical_id: raw.physical_id.clone(),
            kind: raw.kind.clone(),
            action,
            replacement,
            retained: matches!(raw.policy_action.as_deref(), Some("Retain" | "ReplaceAndRetain")),
            scope: raw.scope.clone(),
            properties: merge(properties.collect::<Result<_, _>>()?),
            causes: causes.into_iter().cloned().collect(),
        })
    }
}

impl PropertyChange {
    fn read(raw: &ChangeDetail) -> Result<Self, String> {
        let replacement = match raw.recreation.as_deref() {
            None | Some("Never") => Replacement::Never,
            Some("Conditionally") => Replacement::Conditional,
            Some("Always") => Replacement::Always,
            Some(word) => return Err(word.to_owned()),
        };
        Ok(Self {
            attribute: raw.attribute.clone().unwrap_or_else(|| "Properties".into()),
            path: raw.path.clone(),
            replacement,
            before: raw.before.clone(),
            after: raw.after.clone(),
        })
    }
}

/// One entry for each property: CloudFormation lists a property once for each cause.
fn merge(listed: Vec<PropertyChange>) -> Vec<PropertyChange> {
    let mut merged: Vec<PropertyChange> = Vec::with_capacity(listed.len());
    for change in listed {
        let same =
            |known: &&mut PropertyChange| known.attribute == change.attribute && known.path == change.path;
        match merged.iter_mut().find(same) {
            None => merged.push(change),
            Some(known) => {
                if known.replacement == Replacement::Never
                    || (known.replacement == Replacement::Conditional
                        && change.replacement == Replacement::Always)
                {
                    known.replacement = change.replacement;
                }
                known.before = known.before.take().or(change.before);
                known.after = known.after.take().or(change.after);
            }
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(cause: &str, recreation: &str) -> ChangeDetail {
        ChangeDetail {
            attribute: Some("Properties".into()),
            path: Some("Code".into()),
            recreation: Some(recreation.into()),
            cause: Some(cause.into()),
            ..ChangeDetail::default()
        }
    }

    #[test]
    fn a_property_listed_once_for_each_cause_is_one_change() {
        let raw = RawChange {
            logical_id: "Signer".into(),
            action: "Modify".into(),
            replacement: Some("Conditional".into()),
            details: vec![detail("CodeKey", "Never"), detail("CodeBucket", "Conditionally")],
            ..RawChange::default()
        };
        let read = ResourceChange::read(&raw).expect("a change");
        assert_eq!(read.properties.len(), 1);
        assert_eq!(read.properties[0].replacement, Replacement::Conditional);
        assert_eq!(read.causes, ["CodeBucket", "CodeKey"]);
    }

    #[test]
    fn an_unknown_action_is_refused() {
        let raw = RawChange { logical_id: "A".into(), action: "Melt".into(), ..RawChange::default() };
        let error = ResourceChange::read(&raw).expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "the change set gives `A` the action `Melt`, which this version does not know"
        );
    }
}
