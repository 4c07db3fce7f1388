//! Why nothing can be done yet with a tenant that should be deployed: for verifying and for serving it alike.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::aws::AwsError;

/// Why nothing can be done with a tenant yet.
#[derive(Debug, Error)]
pub enum Unready {
    /// The tenant is not deployed, or not wholly.
    #[error("tenant `{tenant}` has no output `{output}`")]
    NotDeployed {
        /// Tenant.
        tenant: String,
        /// The output that is missing.
        output: &'static str,
    },
    /// A call failed.
    #[error("{doing}")]
    Aws {
        /// What was being done.
        doing: String,
        /// The failure.
        #[source]
        source: AwsError,
    },
}

impl Unready {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotDeployed { tenant, .. } => {
                Some(format!("run `generator deploy --tenant {tenant}` first"))
            }
            Self::Aws { .. } => None,
        }
    }

    /// Puts what was being done before a call's failure.
    pub fn aws(doing: impl Into<String>) -> impl FnOnce(AwsError) -> Self {
        let doing = doing.into();
        move |source| Self::Aws { doing, source }
    }
}

/// An output of a tenant's stacks.
///
/// # Errors
/// [`Unready::NotDeployed`] where it is missing.
pub fn output<'a>(
    tenant: &str,
    outputs: &'a BTreeMap<String, String>,
    output: &'static str,
) -> Result<&'a str, Unready> {
    let found = outputs.get(output).map(String::as_str);
    found.ok_or_else(|| Unready::NotDeployed { tenant: tenant.to_owned(), output })
}
