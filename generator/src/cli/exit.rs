//! Exit codes: what a script can tell from the end of a run.

use std::process::ExitCode;

/// How a command ended. The numbers never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Ok = 0,
    /// A failure of no other kind.
    Failure = 1,
    /// Wrong usage or configuration: arguments, tenant files, templates.
    Usage = 2,
    /// Missing credentials, or the wrong account or region.
    Access = 3,
    /// A deployment failed.
    Deployment = 4,
    /// A policy or a guard refused.
    Policy = 5,
    /// What was asked for does not exist.
    NotFound = 6,
    /// Changes, drift or late rotations are present, where that was asked.
    Changes = 7,
    /// A person said no, or stopped the run.
    Cancelled = 8,
    /// A wait has ended without what was waited for.
    Timeout = 9,
    /// Some of several tenants failed.
    Partial = 10,
    /// A bug of this tool.
    Bug = 70,
}

impl Exit {
    /// Stable code of a failure of this kind that has no narrower one.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok | Self::Failure => "FAILURE",
            Self::Usage => "USAGE",
            Self::Access => "ACCESS",
            Self::Deployment => "DEPLOYMENT",
            Self::Policy => "POLICY",
            Self::NotFound => "NOT_FOUND",
            Self::Changes => "CHANGES",
            Self::Cancelled => "CANCELLED",
            Self::Timeout => "TIMEOUT",
            Self::Partial => "PARTIAL",
            Self::Bug => "BUG",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
