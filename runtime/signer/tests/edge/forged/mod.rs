//! Tokens that somebody made without the user pool's key, or that say the same thing in a form that nobody
//! agreed on. The cases follow the kinds that Project Wycheproof collects for JSON web signatures and for
//! RSA signatures (PKCS#1 v1.5).

mod der;
mod form;
mod keys;
mod padding;
mod parts;
mod schemes;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use signer::jwks::Jwks;
use signer::refusal::Refusal;
use signer::token::verify;
use testkit::fixture::{self, NOW, claims, jwks};

fn judge_with(token: &str, keys: &Value) -> Result<u64, Refusal> {
    let config = serde_json::from_value(fixture::config()).expect("a configuration");
    let keys = Jwks::parse(fixture::ISSUER, keys.to_string().as_bytes()).expect("keys");
    verify(token, &keys, &config, NOW)
}

fn judge(token: &str) -> Result<u64, Refusal> {
    judge_with(token, &jwks(&["id", "access"]))
}

fn unsigned(header: &Value) -> String {
    fixture::unsigned(&header.to_string(), &claims().to_string())
}

fn with_signature(text: &str, signature: &[u8]) -> String {
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}
