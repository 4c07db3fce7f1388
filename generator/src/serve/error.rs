//! Why the local edge cannot be brought up.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::verify::Unready;

/// Why the local edge cannot be brought up. What happens to a single request is an answer, not an error.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The template has something that the local edge would have to guess.
    #[error("the local edge does not understand `{what}`: `{value}`")]
    Template {
        /// The property.
        what: String,
        /// Its value.
        value: String,
    },
    /// The tenant is not deployed, or a call failed.
    #[error(transparent)]
    Unready(#[from] Unready),
    /// The port cannot be listened on.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// Port.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Certificates cannot be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
    /// The deployed zip of the function is none.
    #[error("the zip `{key}` of the function cannot be unpacked: {reason}")]
    Zip {
        /// Key in the artifacts bucket.
        key: String,
        /// Why.
        reason: String,
    },
}

impl ServeError {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unready(Unready::NotDeployed { tenant, .. }) => {
                Some(format!("run `generator deploy --tenant {tenant} --local --yes` first"))
            }
            Self::Listen { .. } => Some("choose another port with `--port`".into()),
            _ => None,
        }
    }

    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
