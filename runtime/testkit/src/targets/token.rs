//! A token, and whether it passes.

use std::sync::LazyLock;

use contract::edge_config::EdgeConfig;
use serde_json::{Value, json};
use signer::jwks::Jwks;
use signer::token::verify;

use crate::fixture::{self, CLIENT, ISSUER, NOW};

/// How far the clocks may differ, in seconds.
const LEEWAY: u64 = 30;

struct Pool {
    config: EdgeConfig,
    keys: Jwks,
    good: String,
}

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let rules =
        json!({"scopes": ["media/read", "media/write"], "groups": ["readers"], "leeway_seconds": LEEWAY});
    let config = fixture::with(fixture::config(), "token", rules);
    Pool {
        config: serde_json::from_value(config).expect("a configuration"),
        keys: Jwks::parse(ISSUER, fixture::jwks(&["id", "access"]).to_string().as_bytes()).expect("keys"),
        good: fixture::good_token(),
    }
});

/// Bytes with a line break in them: the header and the claims of a token that the user pool has signed.
/// It passes only where a second reading of header and claims finds every rule kept; a JSON that the second
/// reader refuses, for a number or a character in a parameter that nobody asks for, is not judged: only the
/// user pool itself could have signed it. Bytes without a line break: a whole token, in which `$GOOD` stands for a token that passes. No other text may.
///
/// # Panics
/// Where a token passes that must not, or an expiry is not the token's own.
pub fn token(bytes: &[u8]) {
    let pool = &*POOL;
    let text = String::from_utf8_lossy(bytes);
    match text.split_once('\n') {
        None => {
            let token = text.replace("$GOOD", &pool.good);
            let passed = verify(&token, &pool.keys, &pool.config, NOW).is_ok();
            assert_eq!(passed, token == pool.good, "{token}");
        }
        Some((header, claims)) => {
            let token = fixture::signed_fast(&fixture::unsigned(header, claims));
            if let Ok(expiry) = verify(&token, &pool.keys, &pool.config, NOW) {
                assert_eq!(broken(header, claims, expiry), None, "{header}\n{claims}");
            }
        }
    }
}

/// The first rule that does not hold, read with nothing of the function's own reader.
fn broken(header: &str, claims: &str, expiry: u64) -> Option<&'static str> {
    let (Ok(header), Ok(claims)) =
        (serde_json::from_str::<Value>(header), serde_json::from_str::<Value>(claims))
    else {
        return None;
    };
    let dangerous = ["crit", "jwk", "jku", "x5u", "x5c", "zip", "b64"];
    let number = |name: &str| claims[name].as_u64();
    let early = |name: &str| number(name).is_none_or(|start| start > NOW + LEEWAY);
    let listed = |name: &str, wanted: &[&str]| {
        let text = claims[name].as_str().unwrap_or_default();
        let list = claims[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        text.split(' ').chain(list).any(|item| wanted.contains(&item))
    };
    let rules = [
        ("alg", header["alg"] == "RS256"),
        ("kid", header["kid"] == fixture::kid("id") || header["kid"] == fixture::kid("access")),
        ("a dangerous parameter", dangerous.iter().all(|name| header.get(name).is_none())),
        ("iss", claims["iss"] == ISSUER),
        ("token_use", claims["token_use"] == "access"),
        ("client_id", claims["client_id"] == CLIENT),
        ("exp", number("exp") == Some(expiry) && expiry + LEEWAY > NOW),
        ("iat", !early("iat")),
        ("nbf", claims.get("nbf").is_none() || !early("nbf")),
        ("scope", claims["scope"].is_string() && listed("scope", &["media/read", "media/write"])),
        ("cognito:groups", claims["cognito:groups"].is_array() && listed("cognito:groups", &["readers"])),
    ];
    rules.into_iter().find(|(_, holds)| !holds).map(|(rule, _)| rule)
}
