//! What the process is told by its environment, read once.

use std::env;
use std::fmt;
use std::path::PathBuf;

/// Settings of the process.
#[derive(Clone)]
pub struct Settings {
    /// Name under which Lambda runs the function: it leads to the tenant.
    pub function: String,
    /// Who calls AWS.
    pub credentials: Credentials,
    /// A local cloud in place of AWS, without a final `/`. Lambda@Edge functions have no environment
    /// variables of their own, so this can never be set at the real edge.
    pub endpoint: Option<String>,
    /// PEM file of the only certificate authorities to trust, for an endpoint that speaks TLS. Without
    /// `endpoint` it has no effect.
    pub ca_bundle: Option<PathBuf>,
}

/// The role credentials that Lambda puts into the environment.
#[derive(Clone)]
pub struct Credentials {
    /// Access key id.
    pub id: String,
    /// Secret access key.
    pub secret: String,
    /// Session token.
    pub session: Option<String>,
}

impl Settings {
    /// Reads the environment. Absent values are empty: the calls to AWS then fail, and say so.
    #[must_use]
    pub fn from_environment() -> Self {
        let read = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            function: read("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default(),
            credentials: Credentials {
                id: read("AWS_ACCESS_KEY_ID").unwrap_or_default(),
                secret: read("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
                session: read("AWS_SESSION_TOKEN"),
            },
            endpoint: read("AWS_ENDPOINT_URL").map(|url| url.trim_end_matches('/').to_owned()),
            ca_bundle: read("AWS_CA_BUNDLE").map(PathBuf::from),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settings({}, {:?})", self.function, self.endpoint)
    }
}
