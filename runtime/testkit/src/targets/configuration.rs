//! The configuration parameter, and what a process makes of it.

use std::sync::{Arc, LazyLock};

use contract::edge_config::EdgeConfig;
use serde_json::json;
use signer::cache::CookieCache;
use signer::event::Request;
use signer::handler::{Documents, Outcome, answer};
use signer::jwks::Jwks;
use signer::keys::LoadedKeyring;
use signer::state::is_usable;
use signing::{CookieSet, TrustedKey, Viewing, open};

use crate::cloudfront::accept;
use crate::fixture::{self, NOW};

/// Largest value that Parameter Store takes, in bytes.
const PARAMETER_MAX: usize = 8 * 1024;
/// Expiry of every token.
const EXPIRY: u64 = NOW + 7_000;

static KEYRING: LazyLock<Arc<LoadedKeyring>> = LazyLock::new(|| {
    let keyring = fixture::keyring("K1", "ecdsa-p256").to_string();
    Arc::new(LoadedKeyring::parse("arn".into(), "s".into(), &keyring).expect("a keyring"))
});
static TRUSTED: LazyLock<[TrustedKey; 1]> = LazyLock::new(|| [fixture::trusted("K1", "ecdsa-p256")]);

/// The bytes as the configuration of a tenant. Where a process would work with it, it answers every host
/// and origin of the configuration with something that CloudFront takes, and no cookie opens another host
/// or lives longer than the configuration and the token say.
///
/// # Panics
/// Where one of these does not hold.
pub fn configuration(bytes: &[u8]) {
    if bytes.len() > PARAMETER_MAX {
        return;
    }
    let Ok(config) = serde_json::from_slice::<EdgeConfig>(bytes) else { return };
    if !is_usable(&config) {
        return;
    }
    let keys = fixture::jwks(&["access"]).to_string();
    let token = token_for(&config);
    let authorization = format!("Bearer {token}");
    let documents = Documents {
        jwks: Jwks::parse(&config.issuer, keys.as_bytes()).map(Arc::new),
        keyring: Some(Arc::clone(&KEYRING)),
        config: Some(Arc::new(config.clone())),
    };
    let cache = CookieCache::default();
    for host in config.hosts.iter().take(3) {
        let ask = |origin: Option<&String>, method: &str, path: &str, bearer: &str| {
            let request = Request {
                method: method.into(),
                path: path.into(),
                client_ip: "192.0.2.7".into(),
                host: vec![host.clone()],
                authorization: vec![bearer.into()],
                origin: origin.into_iter().cloned().collect(),
                ..Request::default()
            };
            let answered = answer(&request, &documents, &cache, NOW);
            let accepted = accept(&answered.response.to_json());
            let accepted = accepted.unwrap_or_else(|rule| panic!("{rule} for {origin:?} of {config:?}"));
            if answered.outcome == Outcome::Granted {
                judge(&config, host, &accepted.values("set-cookie"));
            }
        };
        for origin in config.origins.iter().take(3).map(Some).chain([None]) {
            ask(origin, "GET", "/cookie", &authorization);
            ask(origin, "GET", "/cookie", "Bearer a.b.c");
            ask(origin, "GET", "/cookie/remove", "");
            ask(origin, "OPTIONS", "/cookie", "");
        }
    }
}

fn judge(config: &EdgeConfig, host: &str, cookies: &[&str]) {
    let cookies = CookieSet::from_set_cookie(cookies.iter().copied()).expect("a set of cookies");
    let opens = |host: &str, now: u64, address: [u8; 4]| {
        let url = format!("https://{host}/a/b.png");
        open(&cookies, &*TRUSTED, Viewing { url: &url, now, address: Some(address.into()) }).is_ok()
    };
    let viewer = [192, 0, 2, 7];
    let end = EXPIRY.min(NOW + u64::from(config.cookie.minutes) * 60);
    assert!(opens(host, NOW, viewer), "closed at once: {config:?}");
    assert!(!opens(host, end, viewer), "open for too long: {config:?}");
    assert!(!opens(&format!("{host}.evil.example"), NOW, viewer), "another host: {config:?}");
    assert!(!opens(&format!("a{host}"), NOW, viewer), "another host: {config:?}");
    assert_eq!(opens(host, NOW, [192, 0, 2, 8]), !config.cookie.bind_address, "{config:?}");
}

/// A token that keeps the rules of the configuration, as far as there are tokens that do.
fn token_for(config: &EdgeConfig) -> String {
    let claims = json!({"iss": config.issuer, "token_use": "access", "client_id": config.clients.first(),
        "scope": config.token.scopes.first().map_or("openid", String::as_str),
        "cognito:groups": config.token.groups, "iat": NOW, "exp": EXPIRY});
    fixture::signed_fast(&fixture::unsigned(&fixture::header().to_string(), &claims.to_string()))
}
