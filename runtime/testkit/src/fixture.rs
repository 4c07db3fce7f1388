//! Tokens, documents and requests of a made-up tenant.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use sha2::Digest as _;

/// The present of most tests: the first second of 2026, in seconds since the epoch.
pub const NOW: u64 = 1_767_225_600;
/// The tenant's only host.
pub const HOST: &str = "media.example.com";
/// The only web origin that may call with credentials.
pub const ORIGIN: &str = "https://app.example.com";
/// The tenant's user pool.
pub const ISSUER: &str = "https://cognito-idp.eu-north-1.amazonaws.com/eu-north-1_Pool";
/// The tenant's only app client.
pub const CLIENT: &str = "client1";
/// ARN of the keyring's secret.
pub const SECRET_ARN: &str =
    "arn:aws:secretsmanager:us-east-1:000000000000:secret:example-demo-keyring-AbCdEf";

/// A key pair of RSA with 2048 bits that guards nothing.
pub const RSA: &str = include_str!("../../signing/tests/data/rsa.pem");
/// Its public half.
pub const RSA_PUBLIC: &str = include_str!("../../signing/tests/data/rsa.pub.pem");
/// A key pair on P-256 that guards nothing.
pub const ECDSA: &str = include_str!("../../signing/tests/data/ecdsa.pem");
/// Its public half.
pub const ECDSA_PUBLIC: &str = include_str!("../../signing/tests/data/ecdsa.pub.pem");

/// The user pool's key, in another library than the one that checks.
#[must_use]
pub fn pool_key() -> rsa::RsaPrivateKey {
    rsa::RsaPrivateKey::from_pkcs8_pem(RSA).expect("a test key")
}

/// A key id as a local cloud writes it: standard base64.
#[must_use]
pub fn kid(name: &str) -> String {
    STANDARD.encode(sha2::Sha256::digest(name))
}

/// The user pool's keys, under these names.
#[must_use]
pub fn jwks(names: &[&str]) -> Value {
    let keys: Vec<Value> = names.iter().map(|name| jwk(name, &pool_key().to_public_key())).collect();
    json!({ "keys": keys })
}

/// One key of a user pool.
#[must_use]
pub fn jwk(name: &str, key: &rsa::RsaPublicKey) -> Value {
    json!({"kid": kid(name), "kty": "RSA", "alg": "RS256", "use": "sig",
        "n": URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()),
        "e": URL_SAFE_NO_PAD.encode(key.e().to_bytes_be())})
}

/// Header of a good token.
#[must_use]
pub fn header() -> Value {
    json!({"alg": "RS256", "kid": kid("access")})
}

/// Claims of a good token.
#[must_use]
pub fn claims() -> Value {
    claims_at(NOW)
}

/// Claims of a token that is good at `now`, in seconds since the epoch, and for a quarter of an hour.
#[must_use]
pub fn claims_at(now: u64) -> Value {
    json!({"iss": ISSUER, "token_use": "access", "client_id": CLIENT, "sub": "u1", "username": "u1",
        "scope": "openid media/read", "cognito:groups": ["readers"], "iat": now - 10, "exp": now + 900})
}

/// `value` with one field changed; `None` takes it away.
///
/// # Panics
/// Where `value` is no object.
#[must_use]
pub fn with(mut value: Value, name: &str, field: impl Into<Option<Value>>) -> Value {
    let object = value.as_object_mut().expect("an object");
    match field.into() {
        Some(field) => object.insert(name.into(), field),
        None => object.remove(name),
    };
    value
}

/// `text` with the user pool's signature behind it, as the last part of a token.
#[must_use]
pub fn signed(text: &str) -> String {
    let signature = SigningKey::<sha2::Sha256>::new(pool_key()).sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// The same, many times faster and with the library that also checks: for fuzzers.
///
/// # Panics
/// Where the crypto library refuses the test key.
#[must_use]
pub fn signed_fast(text: &str) -> String {
    static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| {
        let der = pool_key().to_pkcs8_der().expect("a test key");
        RsaKeyPair::from_pkcs8(der.as_bytes()).expect("a test key")
    });
    let mut signature = vec![0; KEY.public_modulus_len()];
    let random = SystemRandom::new();
    KEY.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).expect("a signature");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A token with this header and these claims, signed by the user pool.
#[must_use]
pub fn mint(header: &Value, claims: &Value) -> String {
    signed(&unsigned(&header.to_string(), &claims.to_string()))
}

/// The first two parts of a token.
#[must_use]
pub fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// A token that passes.
#[must_use]
pub fn good_token() -> String {
    mint(&header(), &claims())
}

/// The tenant's configuration.
#[must_use]
pub fn config() -> Value {
    json!({"hosts": [HOST], "keyring_secret": SECRET_ARN, "issuer": ISSUER, "clients": [CLIENT],
        "origins": [ORIGIN], "cookie": {"minutes": 60, "same_site": "none", "hash": "sha256"}})
}

/// A keyring with the test key of this algorithm.
#[must_use]
pub fn keyring(key_id: &str, algorithm: &str) -> Value {
    let pem = if algorithm == "rsa-2048" { RSA } else { ECDSA };
    keyring_of(key_id, algorithm, pem)
}

/// A keyring with this private key.
#[must_use]
pub fn keyring_of(key_id: &str, algorithm: &str, pem: &str) -> Value {
    json!({"key_id": key_id, "private_key": pem, "algorithm": algorithm, "created": 1, "retired": []})
}

/// The public half of the key in every keyring of this algorithm.
///
/// # Panics
/// Where the test key cannot be read.
#[must_use]
pub fn trusted(key_id: &str, algorithm: &str) -> signing::TrustedKey {
    let pem = if algorithm == "rsa-2048" { RSA_PUBLIC } else { ECDSA_PUBLIC };
    signing::TrustedKey { id: key_id.into(), key: signing::PublicKey::from_pem(pem).expect("a test key") }
}

/// A viewer-request event.
///
/// # Panics
/// Never: what it indexes, it has made.
#[must_use]
pub fn event(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut by_name = json!({});
    for (name, value) in [("Host", HOST)].iter().chain(headers) {
        let list = &mut by_name[name.to_lowercase()];
        if *name == "Host" || list.is_null() {
            *list = json!([]);
        }
        list.as_array_mut().expect("a list").push(json!({"key": name, "value": value}));
    }
    json!({"Records": [{"cf": {
        "config": {"distributionId": "E1", "eventType": "viewer-request", "requestId": "r1"},
        "request": {"clientIp": "192.0.2.7", "method": method, "uri": path, "querystring": "",
            "headers": by_name}}}]})
    .to_string()
}

/// A request for cookies with this token.
#[must_use]
pub fn asking(token: &str) -> String {
    event("GET", "/cookie", &[("Authorization", &format!("Bearer {token}"))])
}
