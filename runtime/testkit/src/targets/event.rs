//! What a viewer sends, and what it is answered.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use contract::edge_config::EdgeConfig;
use serde_json::{Value, json};
use signer::cache::CookieCache;
use signer::clock::Moment;
use signer::event::Request;
use signer::handler::{Answer, Documents, Outcome, answer};
use signer::journal::Journal;
use signer::jwks::Jwks;
use signer::keys::LoadedKeyring;
use signer::refusal::Refusal;

use crate::cloudfront::accept;
use crate::fixture::{self, HOST, ISSUER, NOW, ORIGIN};

/// Longest line that a log may get from one request, in bytes.
const LINE_MAX: usize = 4_096;

struct Tenant {
    config: EdgeConfig,
    keyring: Arc<LoadedKeyring>,
    jwks: Arc<Jwks>,
    good: String,
    expired: String,
}

static TENANT: LazyLock<Tenant> = LazyLock::new(|| {
    let keyring = fixture::keyring("K1", "ecdsa-p256").to_string();
    let expired = fixture::with(fixture::claims(), "exp", json!(NOW));
    Tenant {
        config: serde_json::from_value(fixture::config()).expect("a configuration"),
        keyring: Arc::new(LoadedKeyring::parse("arn".into(), "s".into(), &keyring).expect("a keyring")),
        jwks: Arc::new(
            Jwks::parse(ISSUER, fixture::jwks(&["id", "access"]).to_string().as_bytes()).expect("keys"),
        ),
        good: fixture::good_token(),
        expired: fixture::mint(&fixture::header(), &expired),
    }
});

/// The bytes as an event; or, where they do not begin with `{`, as a request in the manner of HTTP whose
/// first line is method, path and address. `$TOKEN` stands for a token that passes, `$EXPIRED` for one
/// that does not any more. The first bytes `bound ` make the tenant bind its cookies to an address.
///
/// The answer is one that CloudFront takes, cookies are granted to the good token alone, and only to a
/// host, an origin and a path that may have them.
///
/// # Panics
/// Where one of these does not hold.
pub fn event(bytes: &[u8]) {
    let tenant = &*TENANT;
    let text =
        String::from_utf8_lossy(bytes).replace("$TOKEN", &tenant.good).replace("$EXPIRED", &tenant.expired);
    let (bound, text) = match text.strip_prefix("bound ") {
        Some(rest) => (true, rest),
        None => (false, text.as_str()),
    };
    let event = if text.starts_with('{') { text.to_owned() } else { from_http(text) };
    let mut config = tenant.config.clone();
    config.cookie.bind_address = bound;
    let documents = Documents {
        config: Some(Arc::new(config)),
        keyring: Some(Arc::clone(&tenant.keyring)),
        jwks: Some(Arc::clone(&tenant.jwks)),
    };
    let (answered, id) = match Request::parse(&event) {
        Some(request) => (answer(&request, &documents, &CookieCache::default(), NOW), request.id),
        None => (Answer::refused(Refusal::RequestMalformed), String::new()),
    };
    check(&event, &answered, &tenant.good);
    let now = Moment { epoch: NOW, steady: Duration::ZERO };
    for line in Journal::new("f").answered(answered.outcome, &id, now) {
        assert!(line.len() < LINE_MAX && !line.contains('\n'), "{line}");
        assert!(serde_json::from_str::<Value>(&line).is_ok(), "{line}");
    }
}

fn check(event: &str, answered: &Answer, good: &str) {
    let accepted = accept(&answered.response.to_json()).unwrap_or_else(|rule| panic!("{rule} for {event}"));
    let cookies = accepted.values("set-cookie").len();
    // Read a second time, with nothing of the function's own reader.
    let request = &serde_json::from_str::<Value>(event).unwrap_or_default()["Records"][0]["cf"]["request"];
    let values = |name: &str| -> Vec<String> {
        let list = request["headers"][name].as_array();
        list.into_iter().flatten().filter_map(|entry| entry["value"].as_str()).map(str::to_owned).collect()
    };
    let own = format!("https://{HOST}");
    let (origin, path) = (values("origin"), request["uri"].as_str().unwrap_or_default());
    let welcome = origin.is_empty() || (origin.len() == 1 && (origin[0] == ORIGIN || origin[0] == own));
    if cookies > 0 {
        assert!(welcome, "cookies for the origin {origin:?}");
        assert!(values("host").len() == 1 && values("host")[0].eq_ignore_ascii_case(HOST), "{event}");
        assert_eq!(request["method"], "GET", "{event}");
    }
    match answered.outcome {
        Outcome::Granted => {
            let authorization = values("authorization");
            let (scheme, token) = authorization[0].trim().split_once(' ').expect("a scheme");
            assert!(authorization.len() == 1 && scheme.eq_ignore_ascii_case("bearer"), "{event}");
            assert_eq!(token.trim_start(), good, "granted to another token: {event}");
            assert!(path == "/cookie" || path.starts_with("/cookie/"), "{path}");
            assert_eq!((accepted.status, cookies), (200, 4));
        }
        Outcome::Removed => {
            assert!(path.starts_with("/cookie/") && path.ends_with("/remove"), "{path}");
            assert!(accepted.values("set-cookie").iter().all(|cookie| cookie.contains("=; ")));
            assert_eq!((accepted.status, cookies), (200, 4));
        }
        Outcome::Preflight => assert_eq!((accepted.status, cookies), (204, 0)),
        Outcome::Refused(refusal) => {
            assert_eq!(
                (accepted.status, cookies, accepted.code().as_str()),
                (refusal.status(), 0, refusal.code())
            );
            assert_ne!(refusal, Refusal::Internal, "{event}");
        }
    }
    for allowed in accepted.values("access-control-allow-origin") {
        assert!(welcome && origin == [allowed], "{allowed}");
    }
    assert_eq!(accepted.values("cache-control"), ["no-store"]);
}

fn from_http(text: &str) -> String {
    let mut lines = text.lines();
    let mut first = lines.next().unwrap_or_default().splitn(3, ' ');
    let mut part = || first.next().unwrap_or_default();
    let (method, path, address) = (part(), part(), part());
    let mut headers = json!({});
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let list = &mut headers[name.to_lowercase()];
        if list.is_null() {
            *list = json!([]);
        }
        if let Some(list) = list.as_array_mut() {
            list.push(json!({"key": name, "value": value}));
        }
    }
    json!({"Records": [{"cf": {
        "config": {"eventType": "viewer-request", "requestId": "r1"},
        "request": {"clientIp": address, "method": method, "uri": path, "headers": headers}}}]})
    .to_string()
}
