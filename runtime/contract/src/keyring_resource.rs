//! The custom resource `Custom::SigningKeyring`: properties that the edge stack gives, attributes that
//! the rotator answers with.

use serde::{Deserialize, Deserializer, Serialize};

use crate::keyring::KeyAlgorithm;

/// Type of the resource in a template.
pub const TYPE: &str = "Custom::SigningKeyring";

/// Attribute with the id of the tenant's key group. The physical id of the resource is the same id.
pub const KEY_GROUP_ID: &str = "KeyGroupId";

/// `ResourceProperties` of the custom resource. CloudFormation sends every scalar as a string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyringProperties {
    /// Organisation, as in [`Names::new`](crate::names::Names::new).
    pub organisation: String,
    /// Tenant, as in [`Names::new`](crate::names::Names::new).
    pub tenant: String,
    /// ARN of the secret that the keyring is written to.
    pub secret_arn: String,
    /// Kind of the keys made from now on.
    pub algorithm: KeyAlgorithm,
    /// Longest life of a cookie in minutes: a retired key is kept at least this long.
    #[serde(deserialize_with = "number")]
    pub cookie_minutes: u32,
}

/// Environment of the rotator function: what the four rotation steps, whose event names only the secret,
/// must know of the tenant. Keys of the function's `Environment.Variables`.
pub mod environment {
    /// Organisation.
    pub const ORGANISATION: &str = "ORGANISATION";
    /// Tenant.
    pub const TENANT: &str = "TENANT";
    /// `rsa-2048` or `ecdsa-p256`: kind of the next key.
    pub const ALGORITHM: &str = "ALGORITHM";
    /// Longest life of a cookie in minutes.
    pub const COOKIE_MINUTES: &str = "COOKIE_MINUTES";
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom(format!("`{text}` is not a whole number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_arrive_as_strings() {
        let read: KeyringProperties = serde_json::from_str(
            r#"{"ServiceToken": "arn:x", "Organisation": "example", "Tenant": "demo",
                "SecretArn": "arn:s", "Algorithm": "rsa-2048", "CookieMinutes": "60"}"#,
        )
        .expect("the properties as CloudFormation sends them");
        assert_eq!(read.cookie_minutes, 60);
        assert_eq!(read.algorithm, KeyAlgorithm::Rsa2048);
    }
}
