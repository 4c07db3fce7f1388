//! A tenant, its keys, and viewers with tokens.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

/// Name under which Lambda runs the function outside its home region.
pub(crate) const FUNCTION: &str = "us-east-1.example-bench-signer";
/// User pool that signs the tokens.
pub(crate) const POOL: &str = "eu-north-1_Benchmark";
const HOST: &str = "media.example.com";
const ORIGIN: &str = "https://app.example.com";
const CLIENT: &str = "7gq8s1example0client0id0";
const KEY_ID: &str = "5Ij2zbfg3u5n3v2lfcq0example";
/// Viewers, each with a token of their own, so that nothing that is kept for a token could help.
const VIEWERS: usize = 64;
/// Life of the tokens, in seconds: longer than any run.
const TOKEN_LIFE: u64 = 6 * 3_600;

/// Everything that a run needs.
pub(crate) struct Fixture {
    /// The tenant's configuration.
    pub(crate) config: Value,
    /// The tenant's keyring.
    pub(crate) keyring: Value,
    /// What the user pool publishes.
    pub(crate) jwks: Value,
    /// Modulus and exponent of the key that signs the tokens.
    pub(crate) token_key: (Vec<u8>, Vec<u8>),
    /// The tokens.
    pub(crate) tokens: Vec<String>,
}

impl Fixture {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let pool = rsa::RsaPrivateKey::new(&mut rand::thread_rng(), 2_048)?;
        let signing = rsa::RsaPrivateKey::new(&mut rand::thread_rng(), 2_048)?;
        let issuer = format!("https://cognito-idp.eu-north-1.amazonaws.com/{POOL}");
        let (n, e) = (pool.n().to_bytes_be(), pool.e().to_bytes_be());
        let key = |kid: &str, n: &[u8]| {
            json!({"alg": "RS256", "e": URL_SAFE_NO_PAD.encode(&e), "kid": kid, "kty": "RSA",
                "n": URL_SAFE_NO_PAD.encode(n), "use": "sig"})
        };
        Ok(Self {
            config: json!({"hosts": [HOST], "keyring_secret": "example-bench-keyring", "issuer": issuer,
                "clients": [CLIENT], "origins": [ORIGIN],
                "cookie": {"minutes": 60, "same_site": "none", "hash": "sha256", "slot_seconds": 60}}),
            keyring: json!({"key_id": "K2JCJMDEHXQW5F", "algorithm": "rsa-2048", "created": 1, "retired": [],
                "private_key": signing.to_pkcs8_pem(LineEnding::LF)?.as_str()}),
            // A pool publishes a key for its ID tokens as well.
            jwks: json!({"keys": [key("of-the-id-tokens", &signing.n().to_bytes_be()), key(KEY_ID, &n)]}),
            tokens: tokens(&pool, &issuer)?,
            token_key: (n, e),
        })
    }

    /// Viewer-request events, as CloudFront sends them for a page in a browser.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.tokens.iter().enumerate().map(|(viewer, token)| event(viewer, token)).collect()
    }
}

/// Access tokens with the claims that Cognito writes.
fn tokens(pool: &rsa::RsaPrivateKey, issuer: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let key = EncodingKey::from_rsa_pem(pool.to_pkcs8_pem(LineEnding::LF)?.as_bytes())?;
    let mut header = Header::new(Algorithm::RS256);
    header.typ = None;
    header.kid = Some(KEY_ID.into());
    (0..VIEWERS)
        .map(|viewer| {
            let user = format!("c0{viewer:02}d2a4-7021-70c5-8f3e-1c2d3e4f5a6b");
            let claims = json!({"sub": user, "cognito:groups": ["readers"], "iss": issuer, "version": 2,
                "client_id": CLIENT, "origin_jti": format!("7e1b{viewer:04}-0a1b-4c2d-8e3f-a1b2c3d4e5f6"),
                "event_id": "0d1c2b3a-4958-6776-8594-a3b2c1d0e0f1", "token_use": "access",
                "scope": "openid profile email", "auth_time": now - 30, "exp": now + TOKEN_LIFE,
                "iat": now - 30, "jti": format!("{viewer:08}-9d8c-7b6a-5948-3726150f4e3d"),
                "username": user});
            Ok(jsonwebtoken::encode(&header, &claims, &key)?)
        })
        .collect()
}

fn event(viewer: usize, token: &str) -> Value {
    let authorization = format!("Bearer {token}");
    let address = format!("203.0.113.{viewer}");
    let headers = [
        ("Host", HOST),
        ("Authorization", &authorization),
        ("Origin", ORIGIN),
        ("Referer", "https://app.example.com/"),
        (
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0",
        ),
        ("Accept", "*/*"),
        ("Accept-Language", "en-GB,en;q=0.9,sv;q=0.8"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Sec-Ch-Ua", r#""Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140""#),
        ("Sec-Ch-Ua-Mobile", "?0"),
        ("Sec-Ch-Ua-Platform", r#""Linux""#),
        ("Sec-Fetch-Dest", "empty"),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Priority", "u=1, i"),
        ("X-Forwarded-For", &address),
        ("Via", "2.0 1a2b3c4d5e6f708192a3b4c5d6e7f809.cloudfront.net (CloudFront)"),
    ];
    let headers: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), json!([{"key": name, "value": value}])))
        .collect();
    json!({"Records": [{"cf": {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net",
            "distributionId": "EDFDVBD6EXAMPLE", "eventType": "viewer-request",
            "requestId": format!("{viewer:04}kZJ3sTn9vQ2xw8y7u6t5r4e3w2q1a0Zs9X8c7V6b5N4m3==")},
        "request": {"clientIp": address, "headers": headers, "method": "GET", "querystring": "",
            "uri": "/cookie"}}}]})
}
