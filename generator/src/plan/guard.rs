//! Which changes lose data, and that none of them goes on unasked.

use super::{Action, Replacement, ResourceChange, StackChange};

/// Types whose resources hold what people have put there.
const DATA: [&str; 2] = ["AWS::S3::Bucket", "AWS::Cognito::UserPool"];

/// Whether resources of a type hold what people have put there.
#[must_use]
pub fn holds_data(kind: &str) -> bool {
    DATA.contains(&kind)
}

/// A change after which a tenant's data is no longer where the stack looks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Stack.
    pub stack: String,
    /// Name in the template.
    pub logical_id: String,
    /// Type of the resource.
    pub kind: String,
    /// What becomes of it.
    pub how: &'static str,
    /// Whether the resource itself stays, outside of the stack.
    pub retained: bool,
}

/// A change set that would lose data without permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stack `{}` would lose data: {}", .losses[0].stack, list(.losses))]
pub struct GuardError {
    /// The changes without permission. Never empty.
    pub losses: Vec<Loss>,
}

impl GuardError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        let flags: Vec<_> =
            self.losses.iter().map(|loss| format!("--allow-replace {}", loss.logical_id)).collect();
        format!("change the tenant file back, or add `{}` where the data is of no use", flags.join(" "))
    }
}

fn list(losses: &[Loss]) -> String {
    let each = |loss: &Loss| format!("`{}` ({}) {}", loss.logical_id, loss.kind, loss.how);
    losses.iter().map(each).collect::<Vec<_>>().join(", ")
}

/// Every change that loses data. One that is decided only while executing counts.
#[must_use]
pub fn losses(change: &StackChange) -> Vec<Loss> {
    change.resources.iter().filter_map(|resource| loss(&change.stack, resource)).collect()
}

fn loss(stack: &str, resource: &ResourceChange) -> Option<Loss> {
    if holds_data(&resource.kind) { lost(stack, resource) } else { None }
}

/// What becomes of a resource that leaves its place, whatever it holds.
pub(super) fn lost(stack: &str, resource: &ResourceChange) -> Option<Loss> {
    let how = match (resource.action, resource.replacement) {
        (Action::Remove, _) => "would leave the stack",
        (Action::Modify, Replacement::Always) => "would be replaced",
        (Action::Modify, Replacement::Conditional) => "might be replaced",
        (Action::Dynamic, _) => "might be replaced or removed",
        (Action::Add | Action::Import | Action::Sync, _) | (Action::Modify, Replacement::Never) => {
            return None;
        }
    };
    Some(Loss {
        stack: stack.to_owned(),
        logical_id: resource.logical_id.clone(),
        kind: resource.kind.clone(),
        how,
        retained: resource.retained,
    })
}

/// Refuses a change that loses data, unless `allow_replace` has the logical id of the resource.
///
/// # Errors
/// Names every loss without permission.
pub fn guard(change: &StackChange, allow_replace: &[String]) -> Result<(), GuardError> {
    let losses: Vec<_> =
        losses(change).into_iter().filter(|loss| !allow_replace.contains(&loss.logical_id)).collect();
    if losses.is_empty() { Ok(()) } else { Err(GuardError { losses }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: &str, action: Action, replacement: Replacement) -> StackChange {
        StackChange {
            stack: "example-demo-regional".into(),
            region: "eu-north-1".into(),
            change_set: "arn:c".into(),
            creates: false,
            resources: vec![ResourceChange {
                logical_id: "Content".into(),
                physical_id: Some("example-demo-content".into()),
                kind: kind.into(),
                action,
                replacement,
                retained: true,
                scope: vec![],
                properties: vec![],
                causes: vec![],
            }],
        }
    }

    #[test]
    fn removing_or_replacing_what_holds_data_needs_its_name() {
        for (action, replacement) in [
            (Action::Remove, Replacement::Never),
            (Action::Modify, Replacement::Always),
            (Action::Modify, Replacement::Conditional),
            (Action::Dynamic, Replacement::Never),
        ] {
            let change = change("AWS::S3::Bucket", action, replacement);
            assert!(guard(&change, &[]).is_err(), "{action:?} {replacement:?}");
            assert!(guard(&change, &["Other".into()]).is_err());
            assert_eq!(guard(&change, &["Content".into()]), Ok(()));
        }
    }

    #[test]
    fn changes_in_place_and_resources_without_data_pass() {
        assert_eq!(guard(&change("AWS::S3::Bucket", Action::Modify, Replacement::Never), &[]), Ok(()));
        assert_eq!(guard(&change("AWS::S3::Bucket", Action::Add, Replacement::Never), &[]), Ok(()));
        assert_eq!(guard(&change("AWS::Lambda::Version", Action::Modify, Replacement::Always), &[]), Ok(()));
    }

    #[test]
    fn the_refusal_names_resource_and_flag() {
        let error = guard(&change("AWS::Cognito::UserPool", Action::Modify, Replacement::Always), &[])
            .expect_err("a loss");
        assert_eq!(
            error.to_string(),
            "stack `example-demo-regional` would lose data: `Content` (AWS::Cognito::UserPool) would be \
             replaced"
        );
        assert!(error.help().contains("`--allow-replace Content`"));
    }
}
