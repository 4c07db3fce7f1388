//! The keyring: one tenant's signing key, as it stands in Secrets Manager.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How long CloudFront may take to bring a change of a key group to every edge, in seconds. The service
/// documents no figure; deployments are commonly quoted at 5 to 10 minutes.
pub const PROPAGATION_SECONDS: u64 = 900;

/// What a version of the keyring secret holds, as JSON.
///
/// Key id and private key stand in one document, so that a reader never sees half a rotation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Keyring {
    /// Id of the public key in CloudFront that belongs to `private_key`.
    pub key_id: String,
    /// Private key that signs.
    pub private_key: PrivateKeyPem,
    /// Kind of the key pair.
    pub algorithm: KeyAlgorithm,
    /// When the pair was made, in seconds since the epoch.
    pub created: u64,
    /// Keys that signed before this one and that live cookies may still need.
    #[serde(default)]
    pub retired: Vec<RetiredKey>,
}

/// A key that signs no longer but still opens cookies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RetiredKey {
    /// Id of the public key in CloudFront.
    pub key_id: String,
    /// The last moment at which it can have been the current key, in seconds since the epoch. A version of a
    /// secret is written once, before it is known when it becomes current: so this is an upper bound.
    pub retired: u64,
    /// Until when a cookie signed with it can be alive, in seconds since the epoch: the time it was
    /// retired, plus cookie life, signer cache and propagation.
    pub keep_until: u64,
}

/// Kind of a signing key pair. CloudFront takes these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyAlgorithm {
    /// RSA with 2048 bits, PKCS#1 v1.5 signatures.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// ECDSA on P-256.
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
}

impl KeyAlgorithm {
    /// The name in documents and settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::EcdsaP256 => "ecdsa-p256",
        }
    }
}

/// A private key in PKCS#8 PEM that shows itself nowhere: `Debug` prints no character of it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrivateKeyPem(String);

impl PrivateKeyPem {
    /// Wraps a PKCS#8 PEM text.
    #[must_use]
    pub fn new(pem: String) -> Self {
        Self(pem)
    }

    /// The PEM text, for the one place that loads or stores it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKeyPem(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_private_key() {
        let keyring = Keyring {
            key_id: "K1".into(),
            private_key: PrivateKeyPem::new("-----BEGIN PRIVATE KEY-----SECRET".into()),
            algorithm: KeyAlgorithm::Rsa2048,
            created: 0,
            retired: vec![],
        };
        assert!(!format!("{keyring:?}").contains("SECRET"));
    }
}
