//! What can go wrong with the local cloud.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why the local cloud could not be installed, started, stopped or read.
#[derive(Debug, Error)]
pub enum LocalError {
    /// No usable Python on the search path.
    #[error("no Python {wanted} or newer with its `venv` module was found ({found})")]
    Python {
        /// Oldest version that will do, as `3.11`.
        wanted: String,
        /// What was found instead, one part for each name that was tried.
        found: String,
    },
    /// A step of an installation failed.
    #[error("installing {what} failed while {step}\n{output}")]
    Install {
        /// What was being installed.
        what: &'static str,
        /// What was being done.
        step: &'static str,
        /// Last lines that the failed program wrote.
        output: String,
    },
    /// A program did not end in time and was stopped.
    #[error("{step} took longer than {seconds} s")]
    TooLong {
        /// What was being done.
        step: &'static str,
        /// The limit in seconds.
        seconds: u64,
    },
    /// The server ended, or did not answer in time, after it was started.
    #[error("the local cloud did not start: {reason}; its log `{}` ends with\n{tail}", log.display())]
    Start {
        /// What happened.
        reason: String,
        /// The server's log.
        log: PathBuf,
        /// Last lines of the log.
        tail: String,
    },
    /// The server did not end even though it was killed.
    #[error("the local cloud (process {pid}) did not end within {seconds} s")]
    Stop {
        /// Process id of the server.
        pid: u32,
        /// How long was waited, in seconds.
        seconds: u64,
    },
    /// Another process starts or stops the same instance and does not come to an end.
    #[error("another process has been starting or stopping the local cloud `{instance}` for {seconds} s")]
    Busy {
        /// Name of the instance.
        instance: String,
        /// How long was waited, in seconds.
        seconds: u64,
    },
    /// A name that cannot be a folder's.
    #[error("`{name}` cannot name an instance: use 1 to 40 of a-z, 0-9 and `-`")]
    InstanceName {
        /// The name that was given.
        name: String,
    },
    /// A file or folder of the local cloud could not be used.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was tried, as `read` or `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

impl LocalError {
    /// The command or setting that mends it, where there is one.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Python { .. } => Some("install Python 3.11 or newer, with its `venv` module"),
            Self::Install { .. } => {
                Some("see what pip wrote; its mirror and certificate settings are honoured")
            }
            Self::Start { .. } => {
                Some("run `generator local logs`, or begin afresh with `generator local reset`")
            }
            Self::Stop { .. } | Self::Busy { .. } => Some("run `generator local status`"),
            Self::TooLong { .. } | Self::InstanceName { .. } | Self::Io { .. } => None,
        }
    }

    /// For `map_err`: an [`LocalError::Io`] that says what was tried with which path.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
