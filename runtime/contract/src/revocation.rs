//! Revoking leaked keys: the event that the rotator function is invoked with by hand, and its answer.
//!
//! Whoever may invoke the function (`lambda:InvokeFunction` on it) may revoke. After it only the new key
//! opens anything: every cookie of every older key is refused from then on.

use serde::{Deserialize, Serialize};

/// The event. As JSON: `{"action": "revoke", "tenant": "demo", "token": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeRequest {
    /// What is asked for.
    pub action: RevokeAction,
    /// Tenant whose keys are revoked. The function refuses every tenant but its own.
    pub tenant: String,
    /// Names this revocation: 32 to 64 characters, as Secrets Manager takes for a version id. A revocation
    /// that broke off is invoked again with the same token and goes on from there; another token makes
    /// another key.
    pub token: String,
}

/// The one action there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RevokeAction {
    /// Replace all keys by a new one, at once.
    #[serde(rename = "revoke")]
    Revoke,
}

impl RevokeRequest {
    /// Asks for the keys of `tenant` to be revoked.
    #[must_use]
    pub fn new(tenant: impl Into<String>, token: impl Into<String>) -> Self {
        Self { action: RevokeAction::Revoke, tenant: tenant.into(), token: token.into() }
    }
}

/// The function's answer where all of it was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeAnswer {
    /// Id of the key that signs now.
    pub key_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_is_what_the_documentation_shows() {
        let text = r#"{"action":"revoke","tenant":"demo","token":"t"}"#;
        assert_eq!(serde_json::to_string(&RevokeRequest::new("demo", "t")).expect("written"), text);
        assert!(serde_json::from_str::<RevokeRequest>(&text.replace("revoke", "rotate")).is_err());
    }
}
