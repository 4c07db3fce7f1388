//! Where the lines of a journal are kept.

use std::time::Duration;

use crate::aws::{AwsError, Boxed};

/// Keeps the lines of one journal. A store has one owner at a time: whoever loses it finds out at the next
/// append and must not begin anything more.
pub trait Store: Send {
    /// Where it is, for people.
    fn place(&self) -> String;
    /// Adds whole lines, each with its line end. When this ends, they outlive this process.
    fn append<'a>(&'a mut self, lines: &'a str) -> Boxed<'a, Result<(), JournalError>>;
    /// Longest pause between two appends, in which lines gather: one append of ten lines costs little more than one
    /// of a single line. After a quick append the pause is shorter: see [`super::Journal`].
    fn pause(&self) -> Duration {
        Duration::ZERO
    }
}

/// A journal that cannot be kept or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// There is none of this run.
    #[error("there is no journal `{0}`")]
    Missing(String),
    /// A run of this name was started before.
    #[error("the journal `{0}` exists")]
    Exists(String),
    /// Another process works on the run.
    #[error("another process works on the run of the journal `{0}`")]
    Taken(String),
    /// A file cannot be read or written.
    #[error("cannot {doing} the journal `{place}`: {reason}")]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// Where it is.
        place: String,
        /// Why.
        reason: String,
    },
    /// S3 failed.
    #[error("cannot {doing} the journal `{place}`: {source}")]
    Aws {
        /// `read` or `write`.
        doing: &'static str,
        /// Where it is.
        place: String,
        /// Why.
        source: Box<AwsError>,
    },
    /// A line is none that this program writes.
    #[error("line {line} of the journal `{place}` cannot be read: {reason}")]
    Damaged {
        /// Where it is.
        place: String,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// The whole lines of a journal. What stands after the last line end was being written when its process died:
/// nobody was told that it is kept, so it never happened.
pub(super) fn whole_lines(text: &str) -> &str {
    text.rfind('\n').map_or("", |end| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_never_happened() {
        assert_eq!(whole_lines("a\nb\n"), "a\nb\n");
        assert_eq!(whole_lines("a\nb"), "a\n");
        assert_eq!(whole_lines("a"), "");
    }
}
