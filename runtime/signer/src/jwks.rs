//! The keys that a user pool signs its tokens with.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Most keys that are kept; a user pool publishes two.
const KEYS_MAX: usize = 16;
/// Modulus of 2048 to 4096 bits, in bytes.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// The RS256 keys of one user pool, parsed.
pub struct Jwks {
    /// Issuer that publishes them.
    pub issuer: String,
    keys: Vec<(String, ParsedPublicKey)>,
}

impl Jwks {
    /// Reads a JWK set that `issuer` publishes. Keys of another kind or use, and keys whose id was seen
    /// before, are passed over; `None` where no key is left.
    #[must_use]
    pub fn parse(issuer: &str, document: &[u8]) -> Option<Self> {
        let set: Set = serde_json::from_slice(document).ok()?;
        let mut keys: Vec<(String, ParsedPublicKey)> = vec![];
        for key in set.keys.iter().filter_map(|key| Key::deserialize(key).ok()) {
            if keys.len() < KEYS_MAX
                && keys.iter().all(|(kid, _)| *kid != key.kid)
                && let Some(parsed) = key.parse()
            {
                keys.push((key.kid, parsed));
            }
        }
        (!keys.is_empty()).then(|| Self { issuer: issuer.to_owned(), keys })
    }

    /// The key with this id.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&ParsedPublicKey> {
        self.keys.iter().find(|(known, _)| known == kid).map(|(_, key)| key)
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Key {
    kid: String,
    kty: String,
    n: String,
    e: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
}

impl Key {
    fn parse(&self) -> Option<ParsedPublicKey> {
        let fits = self.kty == "RSA"
            && self.alg.as_deref().is_none_or(|alg| alg == "RS256")
            && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|all| all.iter().any(|operation| operation == "verify"));
        let (n, e) = (number(&self.n)?, number(&self.e)?);
        if !fits || !MODULUS.contains(&n.len()) || !(1..=4).contains(&e.len()) {
            return None;
        }
        RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()
    }
}

/// A number in base64url, without the zeros that some writers put before it.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes.into_iter().skip(zeros).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(kid: &str) -> serde_json::Value {
        json!({"kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig",
               "n": URL_SAFE_NO_PAD.encode([0xc3; 256]), "e": "AQAB"})
    }

    fn with(name: &str, value: serde_json::Value) -> serde_json::Value {
        let mut key = key("k");
        key[name] = value;
        key
    }

    fn parse(keys: &[serde_json::Value]) -> Option<Jwks> {
        Jwks::parse("https://issuer/pool", json!({ "keys": keys }).to_string().as_bytes())
    }

    #[test]
    fn every_key_is_found() {
        let jwks = parse(&[key("a"), key("b+/=")]).expect("keys");
        assert!(jwks.find("a").is_some() && jwks.find("b+/=").is_some() && jwks.find("c").is_none());
    }

    #[test]
    fn keys_of_another_kind_are_passed_over() {
        let short = URL_SAFE_NO_PAD.encode([0xc3; 128]);
        for other in [
            with("kty", "EC".into()),
            with("alg", "RS512".into()),
            with("use", "enc".into()),
            with("n", short.into()),
            with("n", "!".into()),
            with("e", "".into()),
            with("kid", 7.into()),
            "key".into(),
        ] {
            assert!(parse(std::slice::from_ref(&other)).is_none(), "{other}");
            assert!(parse(&[other, key("a")]).is_some_and(|jwks| jwks.find("a").is_some()));
        }
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let many: Vec<_> = (0..100).map(|index| key(&index.to_string())).collect();
        assert_eq!(parse(&many).map(|jwks| jwks.keys.len()), Some(KEYS_MAX));
    }
}
