//! A user pool that mints tokens, a tenant, and requests of viewers.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use sha2::Digest as _;

pub(crate) const NOW: u64 = 1_767_225_600;
pub(crate) const HOST: &str = "media.example.com";
pub(crate) const ORIGIN: &str = "https://app.example.com";
pub(crate) const ISSUER: &str = "https://cognito-idp.eu-north-1.amazonaws.com/eu-north-1_Pool";
pub(crate) const CLIENT: &str = "client1";
pub(crate) const SECRET_ARN: &str =
    "arn:aws:secretsmanager:us-east-1:000000000000:secret:example-demo-keyring-AbCdEf";

const RSA: &str = include_str!("../../../signing/tests/data/rsa.pem");
const RSA_PUBLIC: &str = include_str!("../../../signing/tests/data/rsa.pub.pem");
const ECDSA: &str = include_str!("../../../signing/tests/data/ecdsa.pem");
const ECDSA_PUBLIC: &str = include_str!("../../../signing/tests/data/ecdsa.pub.pem");

/// The user pool's key; made with another library than the one that checks.
pub(crate) fn pool_key() -> rsa::RsaPrivateKey {
    rsa::RsaPrivateKey::from_pkcs8_pem(RSA).expect("a test key")
}

/// A key id as a local cloud writes it: standard base64.
pub(crate) fn kid(name: &str) -> String {
    STANDARD.encode(sha2::Sha256::digest(name))
}

pub(crate) fn jwks(names: &[&str]) -> Value {
    let key = pool_key();
    let keys: Vec<Value> = names
        .iter()
        .map(|name| {
            json!({"kid": kid(name), "kty": "RSA", "alg": "RS256", "use": "sig",
                "n": URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()),
                "e": URL_SAFE_NO_PAD.encode(key.e().to_bytes_be())})
        })
        .collect();
    json!({ "keys": keys })
}

pub(crate) fn header() -> Value {
    json!({"alg": "RS256", "kid": kid("access")})
}

pub(crate) fn claims() -> Value {
    json!({"iss": ISSUER, "token_use": "access", "client_id": CLIENT, "sub": "u1", "username": "u1",
        "scope": "openid media/read", "cognito:groups": ["readers"], "iat": NOW - 10, "exp": NOW + 900})
}

/// `value` with one field changed; `null` of Rust (`None`) takes it away.
pub(crate) fn with(mut value: Value, name: &str, field: impl Into<Option<Value>>) -> Value {
    let object = value.as_object_mut().expect("an object");
    match field.into() {
        Some(field) => object.insert(name.into(), field),
        None => object.remove(name),
    };
    value
}

pub(crate) fn signed(text: &str) -> String {
    let signature = SigningKey::<sha2::Sha256>::new(pool_key()).sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

pub(crate) fn mint(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    signed(&format!("{}.{}", part(header), part(claims)))
}

pub(crate) fn good_token() -> String {
    mint(&header(), &claims())
}

pub(crate) fn config() -> Value {
    json!({"hosts": [HOST], "keyring_secret": SECRET_ARN, "issuer": ISSUER, "clients": [CLIENT],
        "origins": [ORIGIN], "cookie": {"minutes": 60, "same_site": "none", "hash": "sha256"}})
}

pub(crate) fn keyring(key_id: &str, algorithm: &str) -> Value {
    let pem = if algorithm == "rsa-2048" { RSA } else { ECDSA };
    json!({"key_id": key_id, "private_key": pem, "algorithm": algorithm, "created": 1, "retired": []})
}

/// The public half of the key in every keyring of this algorithm.
pub(crate) fn trusted(key_id: &str, algorithm: &str) -> signing::TrustedKey {
    let pem = if algorithm == "rsa-2048" { RSA_PUBLIC } else { ECDSA_PUBLIC };
    signing::TrustedKey { id: key_id.into(), key: signing::PublicKey::from_pem(pem).expect("a test key") }
}

/// A viewer-request event.
pub(crate) fn event(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
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
pub(crate) fn asking(token: &str) -> String {
    event("GET", "/cookie", &[("Authorization", &format!("Bearer {token}"))])
}
