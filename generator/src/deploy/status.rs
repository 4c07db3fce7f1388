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
    /// A person must act first.
    Refuse(&'static str),
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
            Self::CreateFailed => NextStep::Refuse(
                "its first creation failed and was not rolled back: destroy the tenant first",
            ),
            Self::RollbackFailed => {
                NextStep::Refuse("undoing its first creation failed: destroy the tenant first")
            }
            Self::DeleteFailed => {
                NextStep::Refuse("deleting it failed: destroy the tenant again, which goes on from there")
            }
            Self::UpdateFailed => NextStep::Refuse(
                "an update failed and was not rolled back: roll the stack back in CloudFormation first",
            ),
            Self::UpdateRollbackFailed => NextStep::Refuse(
                "putting it back failed: mend the named resource, then continue the update rollback in \
                 CloudFormation",
            ),
            Self::ImportRollbackFailed => NextStep::Refuse(
                "undoing an import failed: mend the named resource, then continue the rollback in \
                 CloudFormation",
            ),
        }
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
