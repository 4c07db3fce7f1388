//! What the signer of one tenant must know: the JSON value of the tenant's configuration parameter.

use serde::{Deserialize, Serialize};

/// Configuration of one tenant's signer.
///
/// Written by the edge stack, read by the signer. A field that a signer does not know is ignored, so that
/// a newer stack may run before an older artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeConfig {
    /// Host names that viewers use, lower case: cookies are issued for these and no others.
    pub hosts: Vec<String>,
    /// ARN of the secret that holds the keyring, in us-east-1.
    pub keyring_secret: String,
    /// `iss` claim of accepted tokens, and where the signing keys of the user pool are found.
    pub issuer: String,
    /// App client ids whose access tokens are accepted.
    pub clients: Vec<String>,
    /// Web origins that may call the endpoint with credentials, exactly as browsers send them.
    pub origins: Vec<String>,
    /// How cookies are made.
    pub cookie: CookieConfig,
    /// What a token must carry beyond a good signature, issuer, client and time.
    #[serde(default)]
    pub token: TokenRules,
}

/// What a token must carry, and how far its clock may differ. The default demands nothing more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRules {
    /// The token must carry at least one of these OAuth scopes; empty: any token will do.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The user must be in at least one of these user pool groups; empty: any user will do.
    #[serde(default)]
    pub groups: Vec<String>,
    /// How far the clocks of the user pool and of the signer may differ, in seconds. A signer takes
    /// [`LEEWAY_MAX_SECONDS`] for anything above it.
    #[serde(default)]
    pub leeway_seconds: u8,
}

/// Longest leeway between clocks that a signer grants, in seconds.
pub const LEEWAY_MAX_SECONDS: u8 = 60;

/// Most bytes of an answer, body and headers, beside what it says of the configuration: host, origin and scopes,
/// the host in base64.
pub const ANSWER_MAX_BYTES: usize = 2_048;

/// Age at which a signer reads its keyring again, in seconds.
pub const KEYRING_REFRESH_SECONDS: u64 = 300;

/// Age past which a signer never signs with a keyring it has read, in seconds: a retired key must open
/// cookies for this long, and one cookie life more.
pub const KEYRING_MAX_AGE_SECONDS: u64 = 3_600;

/// Length of an expiry slot, in seconds, where a tenant states none.
pub const SLOT_SECONDS: u32 = 60;

fn slot_seconds() -> u32 {
    SLOT_SECONDS
}

/// How cookies are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CookieConfig {
    /// Longest life of a cookie, in minutes.
    pub minutes: u32,
    /// `SameSite` attribute.
    pub same_site: SameSite,
    /// Hash that is signed.
    pub hash: SignatureHash,
    /// Cookies expire at multiples of this many seconds, so that all viewers of one slot share a
    /// signature.
    #[serde(default = "slot_seconds")]
    pub slot_seconds: u32,
    /// Whether a cookie opens only for the IPv4 address that it was issued to. Then every viewer needs a
    /// signature of their own, and viewers on IPv6 get none.
    #[serde(default)]
    pub bind_address: bool,
    /// Whether the browser keeps the cookies, until they expire, when it is closed.
    #[serde(default)]
    pub persistent: bool,
}

/// `SameSite` attribute of a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Sent on same-site requests only.
    Strict,
    /// Sent on same-site requests and on top-level navigation.
    Lax,
    /// Sent on every request; browsers demand `Secure` with it.
    None,
}

impl SameSite {
    /// The attribute's value in a `Set-Cookie` header.
    #[must_use]
    pub fn as_attribute(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// Hash under the signature of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureHash {
    /// SHA-256: announced to CloudFront by the `CloudFront-Hash-Algorithm` cookie.
    Sha256,
    /// SHA-1: what CloudFront takes where no hash is announced.
    Sha1,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_without_the_optional_fields_is_read() {
        let read: EdgeConfig = serde_json::from_str(
            r#"{"hosts": ["media.example.com"], "keyring_secret": "arn:s", "issuer": "https://i/p",
                "clients": ["c"], "origins": [], "newer_field": 1,
                "cookie": {"minutes": 60, "same_site": "lax", "hash": "sha256"}}"#,
        )
        .expect("the least document");
        assert_eq!(read.token, TokenRules::default());
        assert_eq!(read.cookie.slot_seconds, SLOT_SECONDS);
        assert!(!read.cookie.bind_address && !read.cookie.persistent);
    }
}
