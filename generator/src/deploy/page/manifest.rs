//! What of the bucket is the page's: a list that lies beside its files, so that nothing else is ever touched.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Name of the list within the page. No file of a page begins with a dot.
pub(super) const NAME: &str = ".generator.json";
const FORMAT: u32 = 1;

/// The objects that were put there by this tool, by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    pub(super) files: BTreeMap<String, Entry>,
}

/// What is known of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Digest of what browsers get.
    pub(super) digest: String,
    /// The bucket's tag of it; `None` while it is being written.
    pub(super) tag: Option<String>,
}

impl Manifest {
    pub(super) fn new(files: BTreeMap<String, Entry>) -> Self {
        Self { format: FORMAT, files }
    }

    /// Reads a list; the reason where it is none.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if manifest.format == FORMAT { Ok(manifest) } else { Err(format!("its form is {}", manifest.format)) }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        // A map with text keys has a form in JSON.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }
}
