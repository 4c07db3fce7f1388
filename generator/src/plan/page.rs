//! What would be done to a tenant's page.

use serde::{Deserialize, Serialize};

/// What is done, or would be, to the files of a page in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageChange {
    /// Path that everybody may read.
    pub path: String,
    /// Digest of the files as they lie in the project.
    pub digest: String,
    /// Keys of the objects that are written.
    pub written: Vec<String>,
    /// Keys of the objects that are deleted.
    pub removed: Vec<String>,
    /// Number of objects that are as they should be.
    pub unchanged: usize,
}

impl PageChange {
    /// Whether anything is written or deleted.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !self.written.is_empty() || !self.removed.is_empty()
    }

    /// The same in a few words, such as `2 files written, 1 removed`.
    #[must_use]
    pub fn words(&self) -> String {
        let files = |count: usize| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
        match (self.written.len(), self.removed.len()) {
            (0, 0) => "no changes".to_owned(),
            (written, 0) => format!("{} written", files(written)),
            (0, removed) => format!("{} removed", files(removed)),
            (written, removed) => format!("{} written, {removed} removed", files(written)),
        }
    }
}
