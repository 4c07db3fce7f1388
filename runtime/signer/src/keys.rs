//! The keyring as it is used: parsed once when it is read, not once per request.

use contract::keyring::Keyring;
use signing::SigningKey;

/// A keyring whose private key is parsed.
#[derive(Debug)]
pub struct LoadedKeyring {
    /// ARN of the secret that it was read from.
    pub arn: String,
    /// Name of that secret.
    pub name: String,
    /// The document.
    pub document: Keyring,
    /// The key that signs.
    pub key: SigningKey,
}

impl LoadedKeyring {
    /// Reads the secret's text; `None` where it holds no key that can sign, which is so for a secret that
    /// no rotation has filled yet.
    #[must_use]
    pub fn parse(arn: String, name: String, text: &str) -> Option<Self> {
        let document: Keyring = serde_json::from_str(text).ok()?;
        let key = SigningKey::from_pem(&document.private_key).ok()?;
        let id_fits = (1..=64).contains(&document.key_id.len())
            && document.key_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        (id_fits && key.algorithm() == document.algorithm).then_some(Self { arn, name, document, key })
    }

    /// Whether this was read from the secret that a configuration names, by ARN or by name.
    #[must_use]
    pub fn is_from(&self, secret: &str) -> bool {
        self.arn == secret || self.name == secret
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(key_id: &str, algorithm: &str, pem: &str) -> Option<LoadedKeyring> {
        let text = json!({"key_id": key_id, "private_key": pem, "algorithm": algorithm, "created": 1});
        LoadedKeyring::parse("arn:s".into(), "s".into(), &text.to_string())
    }

    #[test]
    fn only_a_keyring_that_can_sign_is_taken() {
        let pem = include_str!("../../signing/tests/data/ecdsa.pem");
        assert!(parse("K2JCJMDEHXQW5F", "ecdsa-p256", pem).is_some());
        assert!(parse("K2JCJMDEHXQW5F", "rsa-2048", pem).is_none());
        assert!(parse("K1; Path=/", "ecdsa-p256", pem).is_none());
        assert!(parse("", "ecdsa-p256", pem).is_none());
        assert!(parse("K1", "ecdsa-p256", "").is_none());
        assert!(LoadedKeyring::parse("arn:s".into(), "s".into(), "").is_none());
    }
}
