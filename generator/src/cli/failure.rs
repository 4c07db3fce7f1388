//! A failed command: exit code, message, causes, one hint.

use std::error::Error;
use std::fmt;

use super::exit::Exit;
use crate::aws::{AwsError, AwsErrorKind, ConnectError};
use crate::deploy::DeployError;
use crate::deploy::artifacts::ArtifactError;
use crate::fleet::JournalError;
use crate::local::LocalError;
use crate::package::PackageError;
use crate::program::stack::ProgramError;
use crate::render::RenderError;
use crate::rotate::RevokeError;
use crate::serve::ServeError;
use crate::tenant::LoadError;
use crate::verify::{Unready, VerifyError};

/// Why a command failed, ready to be shown.
#[derive(Debug)]
pub(super) struct Failure {
    /// Exit code.
    pub exit: Exit,
    /// Stable code of the failure, which `generator explain` knows.
    pub code: &'static str,
    /// What failed; further lines are its causes.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Failure {
    /// A failure of this kind with its message.
    #[must_use]
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, code: exit.code(), message: message.into(), help: None }
    }

    /// Adds what to do.
    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn of(exit: Exit, error: &dyn Error, help: Option<String>) -> Self {
        Self { exit, code: exit.code(), message: chain(error), help }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marked = self.message.starts_with("error");
        write!(f, "{}{}", if marked { "" } else { "error: " }, self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

/// An error and its causes, one a line. A cause that its effect has already told is left out.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let line = next.to_string();
        if !text.contains(&line) {
            text.push_str("\n  because: ");
            text.push_str(&line);
        }
        cause = next.source();
    }
    text
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::of(Exit::Usage, &error, None)
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        Self::of(Exit::Usage, &error, None)
    }
}

impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        Self::of(Exit::Bug, &error, Some("this is a bug of generator: please report it".into()))
    }
}

impl From<PackageError> for Failure {
    fn from(error: PackageError) -> Self {
        Self::of(Exit::Failure, &error, None)
    }
}

impl From<LocalError> for Failure {
    fn from(error: LocalError) -> Self {
        let help = error.help().map(str::to_string);
        Self::of(Exit::Failure, &error, help)
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Self::of(Exit::Usage, &error, None)
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        Self::of(access(&error).unwrap_or(Exit::Failure), &error, access_help(&error))
    }
}

impl From<DeployError> for Failure {
    fn from(error: DeployError) -> Self {
        let (exit, mut help) = (exit_of(&error), error.help());
        if let (None, DeployError::Aws { source, .. }) = (&help, &error) {
            help = access_help(source);
        }
        if let DeployError::LostSight { source, .. } | DeployError::Unknown { source, .. } = &error
            && let (Some(first), Some(then)) = (access_help(source), &help)
        {
            help = Some(format!("{first}; then {then}"));
        }
        Self { code: error.code(), ..Self::of(exit, &error, help) }
    }
}

impl From<ArtifactError> for Failure {
    fn from(error: ArtifactError) -> Self {
        let exit = match &error {
            ArtifactError::Aws { source, .. } => access(source).unwrap_or(Exit::Deployment),
            ArtifactError::NoBucket { .. } => Exit::NotFound,
            ArtifactError::Cancelled => Exit::Cancelled,
            _ => Exit::Deployment,
        };
        let help = error.help();
        Self::of(exit, &error, help)
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        let exit = match &error {
            VerifyError::Unready(unready) => unready_exit(unready),
            VerifyError::Unreachable { .. } => Exit::Failure,
        };
        let help = error.help();
        Self::of(exit, &error, help)
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let exit = match &error {
            ServeError::Unready(unready) => unready_exit(unready),
            _ => Exit::Failure,
        };
        let help = error.help();
        Self::of(exit, &error, help)
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let exit = match &error {
            JournalError::Missing(_) => Exit::NotFound,
            JournalError::Aws { source, .. } => access(source).unwrap_or(Exit::Failure),
            _ => Exit::Failure,
        };
        let help = match &error {
            JournalError::Aws { source, .. } => access_help(source),
            JournalError::Taken(_) => Some("wait for it, or end it, and go on then".into()),
            _ => None,
        };
        Self::of(exit, &error, help)
    }
}

impl From<RevokeError> for Failure {
    fn from(error: RevokeError) -> Self {
        let (exit, help) = match &error {
            RevokeError::NotDeployed { .. } => (Exit::NotFound, None),
            RevokeError::Aws { source, .. } => (access(source).unwrap_or(Exit::Failure), access_help(source)),
            RevokeError::Failed { .. } => (Exit::Failure, None),
        };
        let help = help.or_else(|| error.help());
        Self::of(exit, &error, help)
    }
}

fn exit_of(error: &DeployError) -> Exit {
    match error {
        DeployError::Aws { source, .. }
        | DeployError::LostSight { source, .. }
        | DeployError::Unknown { source, .. } => access(source).unwrap_or(Exit::Deployment),
        DeployError::WrongAccount { .. } => Exit::Access,
        DeployError::Gate { source, .. } if source.cancelled => Exit::Cancelled,
        DeployError::Gate { .. } => Exit::Policy,
        DeployError::Cancelled => Exit::Cancelled,
        DeployError::Moved { .. } => Exit::Changes,
        DeployError::Deadline { .. } => Exit::Timeout,
        _ => Exit::Deployment,
    }
}

fn unready_exit(error: &Unready) -> Exit {
    match error {
        Unready::NotDeployed { .. } => Exit::NotFound,
        Unready::Aws { source, .. } => access(source).unwrap_or(Exit::Failure),
    }
}

fn access(error: &AwsError) -> Option<Exit> {
    matches!(error.kind, AwsErrorKind::Credentials | AwsErrorKind::AccessDenied).then_some(Exit::Access)
}

fn access_help(error: &AwsError) -> Option<String> {
    match error.kind {
        AwsErrorKind::Credentials => {
            Some("log in (`aws sso login`) or choose a profile with `--profile`; `--local` needs none".into())
        }
        AwsErrorKind::AccessDenied => Some("ask for the permission, or choose another profile".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::codes;

    #[test]
    fn every_code_of_a_failure_is_explained() {
        let exits = [
            Exit::Failure,
            Exit::Usage,
            Exit::Access,
            Exit::Deployment,
            Exit::Policy,
            Exit::NotFound,
            Exit::Changes,
            Exit::Cancelled,
            Exit::Timeout,
            Exit::Partial,
            Exit::Bug,
        ];
        let mut of_exits: Vec<_> = exits.iter().map(|exit| exit.code()).collect();
        of_exits.extend(DeployError::CODES);
        for code in &of_exits {
            assert!(codes::FAILURES.iter().any(|known| known.code == *code), "{code}");
        }
        for known in codes::FAILURES {
            assert!(of_exits.contains(&known.code), "{}", known.code);
        }
    }

    #[test]
    fn credentials_that_expire_while_a_stack_is_watched_are_no_failed_deployment() {
        let source = AwsError {
            service: "cloudformation",
            operation: "DescribeStacks",
            code: "ExpiredToken".into(),
            message: "The security token included in the request is expired".into(),
            kind: AwsErrorKind::Credentials,
        };
        let failure = Failure::from(DeployError::LostSight { what: "stack `s`".into(), source });
        assert_eq!((failure.exit, failure.code), (Exit::Access, "SIGHT_LOST"));
        let help = failure.help.expect("help");
        assert!(help.contains("log in") && help.contains("generator resume"), "{help}");
        let deadline =
            DeployError::Deadline { what: "x".into(), after: Duration::from_secs(1), last: String::new() };
        assert_eq!(Failure::from(deadline).exit, Exit::Timeout);
    }
}
