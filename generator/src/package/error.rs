//! What can go wrong between the runtime crates and a finished zip, and what to do about it.

use std::path::PathBuf;
use std::process::ExitStatus;

use super::Artifact;
use super::elf::ElfError;

/// A failure while packing; each message names the value and the way out.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A file of the workspace, the output folder or the scratch folder could not be used.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was tried: `read`, `write`, `create`…
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own message.
        #[source]
        source: std::io::Error,
    },
    /// A manifest or the lock file is no TOML.
    #[error("cannot read `{}`: {source}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The parser's message, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A tool that the build needs could not be started.
    #[error("cannot start `{program}` ({purpose}); install it or name its path in the settings")]
    Start {
        /// The executable, as it was asked for.
        program: String,
        /// Why it is needed.
        purpose: &'static str,
        /// The system's own message.
        #[source]
        source: std::io::Error,
    },
    /// A tool ended with a failure; its last lines are in the message.
    #[error("`{command}` failed with {status}; its last lines:\n{tail}")]
    Tool {
        /// The command without its environment.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its standard error.
        tail: String,
    },
    /// A tool answered with something that cannot be read.
    #[error("`{command}` gave an answer that cannot be read: {reason}; check its version")]
    Answer {
        /// The command without its environment.
        command: String,
        /// What was expected.
        reason: String,
    },
    /// A build directory has a character that the compilers' path options cannot carry.
    #[error(
        "the path `{}` cannot be hidden from the compilers: it holds a line break, a separator or bytes \
         outside UTF-8; move it to another folder",
        path.display()
    )]
    UnusablePath {
        /// The folder.
        path: PathBuf,
    },
    /// A built file cannot run on Lambda.
    #[error("`{}` of the {artifact} cannot run on Lambda: {source}", path.display())]
    Binary {
        /// The artifact it belongs to.
        artifact: Artifact,
        /// The built file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ElfError,
    },
    /// The zip is larger than Lambda takes.
    #[error(
        "the zip of the {artifact} has {bytes} bytes and Lambda takes {limit}; remove dependencies or features \
         from its crate"
    )]
    TooLarge {
        /// The artifact.
        artifact: Artifact,
        /// Its size.
        bytes: u64,
        /// The largest size allowed.
        limit: u64,
    },
    /// The archive could not be written or read.
    #[error("cannot {action} the zip of the {artifact}; package it again")]
    Archive {
        /// `write` or `read`.
        action: &'static str,
        /// The artifact.
        artifact: Artifact,
        /// The archive library's message.
        #[source]
        source: zip::result::ZipError,
    },
    /// Another run holds the output folder for too long.
    #[error(
        "another packaging run held `{}` for {waited_seconds} seconds; wait for it or end it, then try again",
        path.display()
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How long this run waited.
        waited_seconds: u64,
    },
    /// Two builds of the same sources gave different bytes.
    #[error(
        "two builds of the {artifact} differ: {first} here, {second} in a fresh folder; {difference}; \
         look for a path, time or environment value that reached the build"
    )]
    NotReproducible {
        /// The artifact.
        artifact: Artifact,
        /// SHA-256 of the zip in the output folder.
        first: String,
        /// SHA-256 of the zip from the fresh folder.
        second: String,
        /// The first entry that differs and how.
        difference: String,
    },
    /// The sources changed while they were compared.
    #[error("the sources changed during the check; run it again when nothing writes to the workspace")]
    SourcesChanged,
    /// The program is being stopped.
    #[error("packaging was stopped before it ended; run it again")]
    Stopped,
}

impl PackageError {
    /// Turns an I/O failure into one that names the path and what was tried.
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> PackageError {
        let path = path.into();
        move |source| PackageError::File { action, path, source }
    }
}
