//! What can go wrong while deploying or destroying.

use std::time::Duration;

use super::{Check, Refusal, StackFailure, UnknownStatus};
use crate::aws::AwsError;
use crate::plan::UnknownWord;
use crate::render::StackId;

/// A deployment that did not reach its end.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// A call failed.
    #[error("{doing}")]
    Aws {
        /// What was being done: `reading stack x in eu-north-1`.
        doing: String,
        /// The call's failure.
        #[source]
        source: AwsError,
    },
    /// The caller's account is not the tenant's.
    #[error("tenant `{tenant}` belongs to account `{expected}`, but the credentials are for `{actual}`")]
    WrongAccount {
        /// Tenant.
        tenant: String,
        /// The account that the tenant names.
        expected: String,
        /// The caller's.
        actual: String,
    },
    /// The stack has a status in which a person must act.
    #[error("stack `{stack}` is in `{status}`: {reason}")]
    Refused {
        /// Stack.
        stack: String,
        /// Its status.
        status: &'static str,
        /// Why.
        reason: String,
        /// What to do.
        help: String,
    },
    /// What was started cannot be watched any more. It goes on in the cloud.
    #[error("lost sight of {what}, which goes on in the cloud")]
    LostSight {
        /// What was waited for.
        what: String,
        /// Why it cannot be seen.
        #[source]
        source: AwsError,
    },
    /// It is not known whether something was started.
    #[error("no answer came to {doing}, and whether it was done cannot be seen")]
    Unknown {
        /// What was asked for.
        doing: String,
        /// The lost answer.
        #[source]
        source: AwsError,
    },
    /// Somebody else has changed the stack since its changes were worked out.
    #[error("stack `{stack}` was changed by somebody else after its changes were worked out (`{execution}`)")]
    Overtaken {
        /// Stack.
        stack: String,
        /// Whether the change set can be executed, in CloudFormation's words.
        execution: String,
    },
    /// The stack has a status that is not documented today.
    #[error("stack `{stack}` cannot be judged")]
    UnknownStatus {
        /// Stack.
        stack: String,
        /// The status.
        #[source]
        source: UnknownStatus,
    },
    /// The change set has a word that is not documented today.
    #[error("the changes of stack `{stack}` cannot be judged")]
    UnknownChange {
        /// Stack.
        stack: String,
        /// The word.
        #[source]
        source: UnknownWord,
    },
    /// A template cannot be compared.
    #[error("the templates of stack `{stack}` cannot be compared: {reason}")]
    Unreadable {
        /// Stack.
        stack: String,
        /// Why.
        reason: String,
    },
    /// CloudFormation could not work out the changes.
    #[error("the change set of stack `{stack}` failed (`{status}`): {reason}")]
    ChangeSetFailed {
        /// Stack.
        stack: String,
        /// Status of the change set.
        status: String,
        /// CloudFormation's reason.
        reason: String,
    },
    /// A gate did not let the changes pass.
    #[error("the changes of stack `{stack}` were not let through")]
    Gate {
        /// Stack.
        stack: String,
        /// Who refused, and why.
        #[source]
        source: Refusal,
    },
    /// Executing the changes failed.
    #[error(transparent)]
    Failed(Box<StackFailure>),
    /// A wait has ended without what was waited for.
    #[error("gave up after {} s waiting for {what}; last seen: {last}", .after.as_secs())]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
        /// What was seen last.
        last: String,
    },
    /// A stack that is being worked on has vanished.
    #[error("stack `{stack}` has vanished while waiting for {what}")]
    Vanished {
        /// Stack.
        stack: String,
        /// What was waited for.
        what: String,
    },
    /// The template is larger than a request may be and there is nowhere to put it.
    #[error("the template of stack `{stack}` has {bytes} bytes, over the 51200 of a request")]
    TemplateTooLarge {
        /// Stack.
        stack: String,
        /// Size in bytes.
        bytes: usize,
    },
    /// A stack lacks an output that another stack's parameter needs.
    #[error(
        "parameter `{parameter}` of stack `{stack}` needs output `{output}` of the {from} stack, which has none"
    )]
    MissingOutput {
        /// Stack with the parameter.
        stack: String,
        /// Parameter.
        parameter: String,
        /// Output.
        output: String,
        /// The stack that should have it.
        from: &'static str,
    },
    /// A parameter needs a fact of an artifact that was not given.
    #[error(
        "parameter `{parameter}` of stack `{stack}` needs the `{artifact}` artifact, which was not packed"
    )]
    MissingArtifact {
        /// Stack.
        stack: String,
        /// Parameter.
        parameter: String,
        /// Artifact.
        artifact: &'static str,
    },
    /// The stacks keep changing each other's parameters.
    #[error("the stacks of tenant `{tenant}` did not settle: `{}` still differs after {passes} passes", .stack.as_str())]
    Unsettled {
        /// Tenant.
        tenant: String,
        /// The stack that would have to be deployed once more.
        stack: StackId,
        /// Passes made.
        passes: usize,
    },
    /// Something stands in the way of the first write.
    #[error("nothing was written for tenant `{tenant}`: {}", reasons(.checks))]
    Hindered {
        /// Tenant.
        tenant: String,
        /// What stands in the way.
        checks: Vec<Check>,
    },
    /// The page cannot be put into the bucket.
    #[error("the page of `{tenant}`: {reason}")]
    Page {
        /// Tenant.
        tenant: String,
        /// Why.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A name that should tell one thing tells several.
    #[error("several user pools are called `{name}`: `{}`", .ids.join("`, `"))]
    Ambiguous {
        /// The name.
        name: String,
        /// Their ids.
        ids: Vec<String>,
    },
    /// What a plan rests on is not so any more.
    #[error("the plan does not hold any more: {what}")]
    Moved {
        /// What has moved.
        what: String,
    },
    /// The work was stopped.
    #[error("the work was cancelled")]
    Cancelled,
}

/// What is done about everything that goes on without us.
const AGAIN: &str = "run the same command again, or `generator resume` with the name of the run: it finds out what stands \
                     and goes on from there";

impl DeployError {
    /// Every code of [`DeployError::code`] that is no exit code's.
    pub const CODES: [&'static str; 21] = [
        "CALL_FAILED",
        "ACCOUNT_WRONG",
        "STACK_REFUSED",
        "SIGHT_LOST",
        "WRITE_UNKNOWN",
        "STACK_OVERTAKEN",
        "STACK_STATUS_UNKNOWN",
        "CHANGE_UNKNOWN",
        "TEMPLATE_UNREADABLE",
        "CHANGE_SET_FAILED",
        "GATE_REFUSED",
        "STACK_FAILED",
        "STACK_VANISHED",
        "TEMPLATE_TOO_LARGE",
        "OUTPUT_MISSING",
        "ARTIFACT_MISSING",
        "STACKS_UNSETTLED",
        "PREFLIGHT_FAILED",
        "PAGE_REFUSED",
        "NAME_AMBIGUOUS",
        "PLAN_MOVED",
    ];

    /// Stable code, which `generator explain` knows.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Aws { .. } => "CALL_FAILED",
            Self::WrongAccount { .. } => "ACCOUNT_WRONG",
            Self::Refused { .. } => "STACK_REFUSED",
            Self::LostSight { .. } => "SIGHT_LOST",
            Self::Unknown { .. } => "WRITE_UNKNOWN",
            Self::Overtaken { .. } => "STACK_OVERTAKEN",
            Self::UnknownStatus { .. } => "STACK_STATUS_UNKNOWN",
            Self::UnknownChange { .. } => "CHANGE_UNKNOWN",
            Self::ChangeSetFailed { .. } => "CHANGE_SET_FAILED",
            Self::Gate { .. } => "GATE_REFUSED",
            Self::Failed(_) => "STACK_FAILED",
            Self::Deadline { .. } => "TIMEOUT",
            Self::Vanished { .. } => "STACK_VANISHED",
            Self::TemplateTooLarge { .. } => "TEMPLATE_TOO_LARGE",
            Self::MissingOutput { .. } => "OUTPUT_MISSING",
            Self::MissingArtifact { .. } => "ARTIFACT_MISSING",
            Self::Unsettled { .. } => "STACKS_UNSETTLED",
            Self::Unreadable { .. } => "TEMPLATE_UNREADABLE",
            Self::Hindered { .. } => "PREFLIGHT_FAILED",
            Self::Page { .. } => "PAGE_REFUSED",
            Self::Ambiguous { .. } => "NAME_AMBIGUOUS",
            Self::Moved { .. } => "PLAN_MOVED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// What to do next, where this error knows better than its text.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Failed(failure) => Some(failure.help.clone()),
            Self::Refused { help, .. } | Self::Page { help, .. } => Some(help.clone()),
            Self::LostSight { .. } | Self::Unknown { .. } => Some(AGAIN.into()),
            Self::Overtaken { .. } => {
                Some("run the same command again: it works the changes out anew, from what stands now".into())
            }
            Self::UnknownStatus { .. } => {
                Some("look at the stack in CloudFormation, or use a newer version of generator".into())
            }
            Self::Gate { source, .. } => source.help.clone(),
            Self::WrongAccount { expected, .. } => Some(format!(
                "use a profile or role of account `{expected}`, or change `account` in the tenant file"
            )),
            Self::Deadline { .. } => Some(AGAIN.into()),
            Self::Hindered { checks, .. } => {
                checks.iter().find_map(Check::failure).map(|(_, help)| help.to_owned())
            }
            Self::Ambiguous { .. } => Some(
                "delete those that are of no use in Cognito, by their ids, or say which with `--resource`"
                    .into(),
            ),
            Self::Moved { .. } => Some("look at a new plan: `generator plan --out FILE`".into()),
            Self::TemplateTooLarge { .. } => Some("deploy with an artifacts bucket".into()),
            _ => None,
        }
    }
}

fn reasons(checks: &[Check]) -> String {
    let reasons: Vec<&str> = checks.iter().filter_map(Check::failure).map(|(reason, _)| reason).collect();
    reasons.join("; ")
}

/// Puts what was being done before a call's failure.
pub(super) trait Doing<T> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, DeployError>;
}

impl<T> Doing<T> for Result<T, AwsError> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, DeployError> {
        self.map_err(|source| DeployError::Aws { doing: doing(), source })
    }
}
