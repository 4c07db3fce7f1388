//! Every status of a CloudFormation stack, and what deploying does about it. An unknown status is refused.

use std::fmt;
use std::str::FromStr;

/// The statuses of a stack. Closed: CloudFormation documents these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StackStatus {
    /// Being made.
    CreateInProgress,
    /// Making it failed, and it was left as it was then.
    CreateFailed,
    /// Made.
    CreateComplete,
    /// Making it failed; what was made is being removed.
    RollbackInProgress,
    /// Making it failed, and so did removing what was made.
    RollbackFailed,
    /// Making it failed; what was made is removed.
    RollbackComplete,
    /// Being deleted.
    DeleteInProgress,
    /// Deleting it failed; some resources are left.
    DeleteFailed,
    /// Deleted. Only its id finds it.
    DeleteComplete,
    /// Being changed.
    UpdateInProgress,
    /// Changed; what was replaced is being removed.
    UpdateCompleteCleanupInProgress,
    /// Changed.
    UpdateComplete,
    /// Changing it failed, and it was left as it was then.
    UpdateFailed,
    /// Changing it failed; it is being put back.
    UpdateRollbackInProgress,
    /// Changing it failed, and so did putting it back.
    UpdateRollbackFailed,
    /// Put back; what was new is being removed.
    UpdateRollbackCompleteCleanupInProgress,
    /// Changing it failed; it is as it was before.
    UpdateRollbackComplete,
    /// A change set for a new stack exists; no resource does.
    ReviewInProgress,
    /// Resources are being taken in.
    ImportInProgress,
    /// Resources were taken in.
    ImportComplete,
    /// Taking resources in failed; it is being put back.
    ImportRollbackInProgress,
    /// Taking resources in failed, and so did putting it back.
    ImportRollbackFailed,
    /// Taking resources in failed; it is as it was before.
    ImportRollbackComplete,
}

/// What deploying does about a stack of some status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Make it: it is not there.
    Create,
    /// It is good: compare, and change it where it differs.
    Compare,
    /// It stands as before a failed change: change it, whatever the comparison says.
    Update,
    /// Clear its change sets and make it: only an empty shell is there.
    ReuseShell,
    /// Delete it and make it: its first making failed and was undone.
    DeleteAndCreate,
    /// Somebody works on it: wait for the end.
    Wait,
    /// Go on with the rollback where that was asked for, else a person must act first.
    ContinueRollback,
    /// A person must act first.
    Refuse,
}

impl NextStep {
    /// The step as half a sentence.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "makes it",
            Self::Compare => "compares, and changes it where it differs",
            Self::Update => "changes it, whatever the comparison says",
            Self::ReuseShell => "deletes the change sets that this tool has left on it, and makes it",
            Self::DeleteAndCreate => "deletes it and makes it, unless something that it keeps holds data",
            Self::Wait => "waits for the end, then looks again; refuses with `--refuse-busy`",
            Self::ContinueRollback => "goes on with the rollback where that was asked for",
            Self::Refuse => "refuses",
        }
    }
}

use StackStatus as S;

/// Every status with CloudFormation's word for it.
const WORDS: [(StackStatus, &str); 23] = [
    (S::CreateInProgress, "CREATE_IN_PROGRESS"),
    (S::CreateFailed, "CREATE_FAILED"),
    (S::CreateComplete, "CREATE_COMPLETE"),
    (S::RollbackInProgress, "ROLLBACK_IN_PROGRESS"),
    (S::RollbackFailed, "ROLLBACK_FAILED"),
    (S::RollbackComplete, "ROLLBACK_COMPLETE"),
    (S::DeleteInProgress, "DELETE_IN_PROGRESS"),
    (S::DeleteFailed, "DELETE_FAILED"),
    (S::DeleteComplete, "DELETE_COMPLETE"),
    (S::UpdateInProgress, "UPDATE_IN_PROGRESS"),
    (S::UpdateCompleteCleanupInProgress, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
    (S::UpdateComplete, "UPDATE_COMPLETE"),
    (S::UpdateFailed, "UPDATE_FAILED"),
    (S::UpdateRollbackInProgress, "UPDATE_ROLLBACK_IN_PROGRESS"),
    (S::UpdateRollbackFailed, "UPDATE_ROLLBACK_FAILED"),
    (S::UpdateRollbackCompleteCleanupInProgress, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
    (S::UpdateRollbackComplete, "UPDATE_ROLLBACK_COMPLETE"),
    (S::ReviewInProgress, "REVIEW_IN_PROGRESS"),
    (S::ImportInProgress, "IMPORT_IN_PROGRESS"),
    (S::ImportComplete, "IMPORT_COMPLETE"),
    (S::ImportRollbackInProgress, "IMPORT_ROLLBACK_IN_PROGRESS"),
    (S::ImportRollbackFailed, "IMPORT_ROLLBACK_FAILED"),
    (S::ImportRollbackComplete, "IMPORT_ROLLBACK_COMPLETE"),
];

impl StackStatus {
    /// All of them, in the order of a stack's life.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.iter().map(|(status, _)| *status)
    }

    /// CloudFormation's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        WORDS.iter().find(|(status, _)| *status == self).map_or("", |(_, word)| word)
    }

    /// What deploying does about it.
    #[must_use]
    pub fn next_step(self) -> NextStep {
        match self {
            Self::CreateComplete | Self::UpdateComplete | Self::ImportComplete => NextStep::Compare,
            Self::UpdateRollbackComplete | Self::ImportRollbackComplete => NextStep::Update,
            Self::ReviewInProgress => NextStep::ReuseShell,
            Self::RollbackComplete => NextStep::DeleteAndCreate,
            Self::DeleteComplete => NextStep::Create,
            Self::CreateInProgress
            | Self::RollbackInProgress
            | Self::DeleteInProgress
            | Self::UpdateInProgress
            | Self::UpdateCompleteCleanupInProgress
            | Self::UpdateRollbackInProgress
            | Self::UpdateRollbackCompleteCleanupInProgress
            | Self::ImportInProgress
            | Self::ImportRollbackInProgress => NextStep::Wait,
            Self::UpdateRollbackFailed => NextStep::ContinueRollback,
            Self::CreateFailed
            | Self::RollbackFailed
            | Self::DeleteFailed
            | Self::UpdateFailed
            | Self::ImportRollbackFailed => NextStep::Refuse,
        }
    }

    /// What it means, as half a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::CreateInProgress => "it is being made",
            Self::CreateFailed => "its first creation failed and was not rolled back",
            Self::CreateComplete => "it was made",
            Self::RollbackInProgress => "its first creation failed, and what was made is being removed",
            Self::RollbackFailed => "undoing its first creation failed",
            Self::RollbackComplete => "its first creation failed, and what was made is removed",
            Self::DeleteInProgress => "it is being deleted",
            Self::DeleteFailed => "deleting it failed, and part of it is left",
            Self::DeleteComplete => "it is deleted",
            Self::UpdateInProgress => "it is being changed",
            Self::UpdateCompleteCleanupInProgress => "it is changed, and what was replaced is being removed",
            Self::UpdateComplete => "it was changed",
            Self::UpdateFailed => "an update failed and was not rolled back",
            Self::UpdateRollbackInProgress => "an update failed, and it is being put back",
            Self::UpdateRollbackFailed => "an update failed, and so did putting it back",
            Self::UpdateRollbackCompleteCleanupInProgress => {
                "it is put back, and what was new is being removed"
            }
            Self::UpdateRollbackComplete => "an update failed, and it is as it was before",
            Self::ReviewInProgress => "only a change set for it exists, and no resource",
            Self::ImportInProgress => "resources are being taken in",
            Self::ImportComplete => "resources were taken in",
            Self::ImportRollbackInProgress => "taking resources in failed, and it is being put back",
            Self::ImportRollbackFailed => "taking resources in failed, and so did putting it back",
            Self::ImportRollbackComplete => "taking resources in failed, and it is as it was before",
        }
    }

    /// What a person does about a stack that deploying does not touch. `TENANT` stands for the tenant's name.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::CreateFailed | Self::RollbackFailed => {
                "run `generator destroy --tenant TENANT`, then deploy again"
            }
            Self::DeleteFailed => "run `generator destroy --tenant TENANT` again: it goes on from there",
            Self::UpdateFailed => "roll the stack back in CloudFormation, then deploy again",
            Self::UpdateRollbackFailed => {
                "mend the cause and deploy with `--continue-rollback`, or also with `--skip-resource LOGICAL_ID` for \
                 what cannot be put back"
            }
            Self::ImportRollbackFailed => {
                "mend the cause, continue the rollback in CloudFormation, then deploy again"
            }
            status if status.is_busy() => "wait for its end, or deploy without `--refuse-busy`",
            _ => "deploy again",
        }
    }

    /// The same for one tenant.
    #[must_use]
    pub fn help_for(self, tenant: &str) -> String {
        self.help().replace("TENANT", tenant)
    }

    /// What `deploy` does about it.
    #[must_use]
    pub fn when_deploying(self) -> String {
        match self.next_step() {
            NextStep::Refuse => format!("refuses: {}", self.help()),
            NextStep::ContinueRollback => format!(
                "with `--continue-rollback` goes on with the rollback, then changes it; else refuses: {}",
                self.help()
            ),
            other => other.as_str().to_owned(),
        }
    }

    /// What `destroy` does about it.
    #[must_use]
    pub fn when_destroying(self) -> &'static str {
        match self {
            Self::DeleteComplete => "nothing: it is gone",
            Self::DeleteInProgress => "waits for the end",
            status if status.is_busy() => "waits for the end, then deletes it",
            Self::DeleteFailed => "deletes it again",
            _ => "deletes it",
        }
    }

    /// Every status with what is done about it, as a Markdown table.
    #[must_use]
    pub fn table() -> String {
        let mut text = String::from("| status | means | `deploy` | `destroy` |\n|---|---|---|---|\n");
        for status in Self::all() {
            let step = status.when_deploying();
            let row =
                format!("| `{status}` | {} | {step} | {} |\n", status.meaning(), status.when_destroying());
            text.push_str(&row);
        }
        text.push_str("| any other word | a status that is not documented today | refuses | refuses |\n");
        text
    }

    /// Whether an operation is under way.
    #[must_use]
    pub fn is_busy(self) -> bool {
        self.next_step() == NextStep::Wait
    }

    /// Whether an execution that ends here has done what it was for.
    #[must_use]
    pub fn is_success(self) -> bool {
        self.next_step() == NextStep::Compare
    }
}

impl fmt::Display for StackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A status that is not in CloudFormation's documentation today.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stack status `{0}` is unknown to this version")]
pub struct UnknownStatus(pub String);

impl FromStr for StackStatus {
    type Err = UnknownStatus;

    fn from_str(word: &str) -> Result<Self, UnknownStatus> {
        let found = WORDS.iter().find(|(_, known)| *known == word);
        found.map(|(status, _)| *status).ok_or_else(|| UnknownStatus(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_the_sdk_is_known_and_none_is_listed_twice() {
        let mut ours: Vec<_> = StackStatus::all().map(StackStatus::as_str).collect();
        let mut theirs = aws_sdk_cloudformation::types::StackStatus::values().to_vec();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
        for status in StackStatus::all() {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
    }

    #[test]
    fn an_unknown_status_is_refused() {
        assert_eq!("MELTED".parse::<StackStatus>(), Err(UnknownStatus("MELTED".into())));
    }

    /// `generator explain stack-states --output markdown` writes the table.
    #[test]
    fn the_documented_table_is_the_one_of_this_code() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/stack-states.md");
        let document = std::fs::read_to_string(path).expect("the document");
        assert!(document.contains(&StackStatus::table()), "write:\n{}", StackStatus::table());
    }

    #[test]
    fn only_a_stack_that_was_never_made_is_deleted_to_get_on() {
        let deleted = StackStatus::all().filter(|status| status.next_step() == NextStep::DeleteAndCreate);
        assert_eq!(deleted.collect::<Vec<_>>(), [S::RollbackComplete]);
    }

    #[test]
    fn only_complete_ends_count_as_success() {
        let good: Vec<_> = StackStatus::all().filter(|status| status.is_success()).collect();
        assert_eq!(good, [S::CreateComplete, S::UpdateComplete, S::ImportComplete]);
    }

    #[test]
    fn everything_in_progress_is_waited_for_but_a_review() {
        for status in StackStatus::all() {
            let in_progress = status.as_str().ends_with("_IN_PROGRESS") && status != S::ReviewInProgress;
            assert_eq!(status.is_busy(), in_progress, "{status}");
        }
    }
}
