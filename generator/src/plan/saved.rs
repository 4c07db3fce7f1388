//! A plan in a file: which change sets are to be executed, and what must not have moved until then.
//!
//! It holds names and digests, no values: nothing in it is secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ResourceChange, StackChange};

/// Version of the file's form.
pub const SAVED_FORMAT: u32 = 2;

/// A plan in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// Version of the form.
    pub format: u32,
    /// First part of every name.
    pub organisation: String,
    /// Digest of the policies, exemptions included.
    pub policies: String,
    /// What is to be deployed.
    pub tenants: Vec<SavedTenant>,
}

/// A tenant of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedTenant {
    /// Tenant.
    pub tenant: String,
    /// Account that was asked.
    pub account: String,
    /// Role that was assumed for it, where the tenant's file names one.
    pub role_arn: Option<String>,
    /// Digest of the tenant's file and of those below it.
    pub files: String,
    /// Its stacks, in the order of deployment.
    pub stacks: Vec<SavedStack>,
    /// Digest of the files of its page, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// A stack of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedStack {
    /// Which of the tenant's stacks.
    pub stack: String,
    /// Name.
    pub name: String,
    /// Region.
    pub region: String,
    /// Digest of the rendered template.
    pub template: String,
    /// Digest of template, parameters and tags; of no use where a parameter is not known yet.
    pub request: String,
    /// The stack as it stood; `None` where there was none.
    pub stands: Option<Standing>,
    /// What is to be done.
    pub next: SavedStep,
    /// Resources that change once more when a later stack stands.
    pub later: Vec<String>,
}

/// A stack as it stood: any deployment since shows here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// ARN.
    pub id: String,
    /// Status.
    pub status: String,
    /// When it was last changed, or made, in milliseconds since the epoch.
    pub changed: Option<i64>,
}

/// What is to be done to a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SavedStep {
    /// Nothing.
    Unchanged,
    /// Execute this change set.
    ChangeSet {
        /// Its ARN.
        arn: String,
        /// ARN of its stack.
        stack_id: String,
        /// Whether it makes the stack.
        creates: bool,
    },
    /// Deploy it when the stacks before it stand, and change these resources only, each as said.
    Deferred {
        /// Word for what is done, by logical id.
        resources: BTreeMap<String, String>,
    },
}

/// What is done to each resource of a change.
#[must_use]
pub fn words(change: &StackChange) -> BTreeMap<String, String> {
    let word = |resource: &ResourceChange| (resource.logical_id.clone(), resource.verb().to_owned());
    change.resources.iter().map(word).collect()
}

/// SHA-256 of texts, each with its length, in hex.
#[must_use]
pub fn digest_of<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(text);
    }
    hex::encode(digest.finalize())
}

/// Digest of all that a stack is asked to be.
#[must_use]
pub fn request_digest(
    template: &str,
    parameters: &BTreeMap<String, String>,
    tags: &BTreeMap<String, String>,
) -> String {
    let count = parameters.len().to_be_bytes();
    let pairs = parameters.iter().chain(tags).flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    digest_of([template.as_bytes(), &count].into_iter().chain(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_moves_between_parameters_and_tags_changes_the_digest() {
        let one = BTreeMap::from([("a".to_string(), "b".to_string())]);
        let none = BTreeMap::new();
        assert_ne!(request_digest("t", &one, &none), request_digest("t", &none, &one));
        assert_ne!(request_digest("t", &one, &none), request_digest("ta", &one, &none));
        assert_eq!(request_digest("t", &one, &one), request_digest("t", &one, &one));
    }

    #[test]
    fn a_file_of_another_form_is_refused() {
        let text = r#"{"format":1,"organisation":"o","policies":"p","tenants":[],"extra":1}"#;
        assert!(serde_json::from_str::<SavedPlan>(text).is_err());
    }
}
