//! What each request is answered, by a warm process.

use std::sync::Arc;

use serde_json::{Value, json};
use signer::clock::Moment;
use signer::state::State;
use signing::{CookieSet, Viewing, open};

use crate::network::{moment, state};
use testkit::fixture::{
    self, HOST, NOW, ORIGIN, asking, claims, event, good_token, header, jwks, kid, mint, with,
};
use testkit::peer::Peer;

/// A warm process of a tenant with this configuration and key.
fn warm(config: Value, algorithm: &str) -> Arc<State> {
    let peer = Peer::start(config, fixture::keyring("K1", algorithm), jwks(&["id", "access"]));
    let state = state(&peer);
    state.prepare(moment(0));
    state
}

fn usual() -> Arc<State> {
    warm(fixture::config(), "rsa-2048")
}

fn ask_at(state: &Arc<State>, event: &str, at: Moment) -> Value {
    let response = state.answer_at_once(event, at).expect("an answer without the network");
    serde_json::from_str(&response.to_json()).expect("JSON")
}

fn ask(state: &Arc<State>, event: &str) -> Value {
    ask_at(state, event, moment(0))
}

fn values<'a>(response: &'a Value, header: &str) -> Vec<&'a str> {
    let list = response["headers"][header].as_array();
    list.into_iter().flatten().map(|entry| entry["value"].as_str().expect("text")).collect()
}

fn code(response: &Value) -> String {
    let body: Value = serde_json::from_str(response["body"].as_str().expect("a body")).expect("JSON");
    body["error"]["code"].as_str().unwrap_or("none").to_owned()
}

fn opens(response: &Value, algorithm: &str, now: u64) -> bool {
    let cookies = CookieSet::from_set_cookie(values(response, "set-cookie")).expect("a set of cookies");
    let url = format!("https://{HOST}/a.png");
    let viewing = Viewing { url: &url, now, address: Some([192, 0, 2, 7].into()) };
    open(&cookies, &[fixture::trusted("K1", algorithm)], viewing).is_ok()
}

#[test]
fn a_good_token_is_traded_for_cookies_that_open_until_it_ends() {
    for algorithm in ["rsa-2048", "ecdsa-p256"] {
        for hash in ["sha256", "sha1"] {
            let mut config = fixture::config();
            config["cookie"]["hash"] = json!(hash);
            let response = ask(&warm(config, algorithm), &asking(&good_token()));
            assert_eq!(response["status"], "200", "{response}");
            let body: Value = serde_json::from_str(response["body"].as_str().expect("a body")).expect("JSON");
            assert_eq!(body, json!({"expires": NOW + 900, "expires_at": "2026-01-01T00:15:00Z"}));
            assert!(opens(&response, algorithm, NOW + 899), "{algorithm} {hash}");
            assert!(!opens(&response, algorithm, NOW + 900), "{algorithm} {hash}");
            assert_eq!(values(&response, "cache-control"), ["no-store"]);
            assert_eq!(values(&response, "vary"), ["Origin"]);
        }
    }
}

#[test]
fn cookies_live_no_longer_than_the_tenant_says() {
    let mut config = fixture::config();
    config["cookie"] = json!({"minutes": 5, "same_site": "strict", "hash": "sha256", "persistent": true});
    let response = ask_at(&warm(config, "rsa-2048"), &asking(&good_token()), moment(7));
    let cookies = values(&response, "set-cookie");
    // Five minutes from second 7, rounded down to a minute.
    assert!(response["body"].as_str().is_some_and(|body| body.contains(&(NOW + 300).to_string())));
    assert_eq!(cookies.len(), 4);
    assert!(cookies.iter().all(|cookie| cookie.ends_with("SameSite=Strict; Max-Age=293")), "{cookies:?}");
}

/// Bytes of an answer as CloudFront counts them.
fn size(response: &Value) -> usize {
    let headers = response["headers"].as_object().expect("headers").iter();
    let values =
        headers.flat_map(|(name, list)| list.as_array().expect("a list").iter().map(move |one| (name, one)));
    let value = |one: &Value| one["value"].as_str().expect("text").len();
    values.map(|(name, one)| name.len() + value(one)).sum::<usize>()
        + response["body"].as_str().map_or(0, str::len)
}

#[test]
fn an_answer_holds_little_beside_what_the_configuration_says() {
    // The longest of everything that an answer can hold.
    let origin = format!("https://{}.example", "o".repeat(240));
    let scopes: Vec<String> = (0..40).map(|number| format!("media/{}{number}", "s".repeat(100))).collect();
    let mut config = fixture::config();
    config["origins"] = json!([origin]);
    config["cookie"] = json!({"minutes": 1440, "same_site": "strict", "hash": "sha256", "persistent": true, "bind_address": true});
    let told = |config: &Value| config.to_string().len() * 4 / 3;
    let from_page = event(
        "GET",
        "/cookie",
        &[("Authorization", &format!("Bearer {}", good_token())), ("Origin", &origin)],
    );
    let issued = ask(&warm(config.clone(), "rsa-2048"), &from_page);
    assert_eq!(
        (&issued["status"], values(&issued, "access-control-allow-origin")),
        (&json!("200"), vec![&*origin])
    );
    assert!(size(&issued) <= contract::edge_config::ANSWER_MAX_BYTES + told(&config), "{}", size(&issued));
    config["token"] = json!({ "scopes": scopes });
    let refused = ask(&warm(config.clone(), "rsa-2048"), &from_page);
    assert_eq!(code(&refused), "scope_missing");
    assert!(size(&refused) > 4_000, "the scopes are named: {}", size(&refused));
    assert!(size(&refused) <= contract::edge_config::ANSWER_MAX_BYTES + told(&config), "{}", size(&refused));
    // Without what the configuration says the bound is kept as well.
    let bare = ask(&usual(), &asking(&good_token()));
    assert!(size(&bare) <= contract::edge_config::ANSWER_MAX_BYTES, "{}", size(&bare));
}

#[test]
fn viewers_of_a_slot_share_a_signature() {
    let state = warm(fixture::config(), "ecdsa-p256");
    let other = mint(&header(), &with(with(claims(), "sub", json!("u2")), "exp", json!(NOW + 930)));
    let cookies = |token: &str, second| {
        let response = ask_at(&state, &asking(token), moment(second));
        values(&response, "set-cookie").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    // Signatures on P-256 are random: equal ones were made once.
    assert_eq!(cookies(&good_token(), 0), cookies(&other, 30));
    let later = mint(&header(), &with(claims(), "exp", json!(NOW + 960)));
    assert_ne!(cookies(&good_token(), 0), cookies(&later, 30));
}

#[test]
fn a_bound_cookie_opens_for_its_address_and_needs_ipv4() {
    let mut config = fixture::config();
    config["cookie"]["bind_address"] = json!(true);
    let state = warm(config, "rsa-2048");
    let response = ask(&state, &asking(&good_token()));
    assert!(opens(&response, "rsa-2048", NOW));
    let cookies = CookieSet::from_set_cookie(values(&response, "set-cookie")).expect("a set");
    let policy = String::from_utf8(signing::decode(&cookies.policy).expect("base64")).expect("text");
    assert!(policy.contains(r#""IpAddress":{"AWS:SourceIp":"192.0.2.7/32"}"#), "{policy}");
    for address in ["2001:db8::7", "", "192.0.2.7/24"] {
        let refused = ask(&state, &asking(&good_token()).replace("192.0.2.7", address));
        assert_eq!((&refused["status"], code(&refused).as_str()), (&json!("403"), "address_unsupported"));
    }
}

#[test]
fn any_path_below_cookie_issues_and_no_other_does() {
    let state = usual();
    let authorization = format!("Bearer {}", good_token());
    for (path, status) in [
        ("/cookie", "200"),
        ("/cookie/", "200"),
        ("/cookie/new", "200"),
        ("/cookies", "404"),
        ("/Cookie", "404"),
        ("/a/cookie", "404"),
        ("/", "404"),
        ("", "404"),
    ] {
        let response = ask(&state, &event("GET", path, &[("Authorization", &authorization)]));
        assert_eq!(response["status"], status, "{path}");
    }
}

#[test]
fn removal_expires_all_four_without_a_token() {
    let state = usual();
    for path in ["/cookie/remove", "/cookie/a/b/remove"] {
        let response = ask(&state, &event("GET", path, &[]));
        assert_eq!(response["status"], "200");
        let cookies = values(&response, "set-cookie");
        assert_eq!(cookies.len(), 4);
        assert!(cookies.iter().all(|cookie| cookie.contains("=; ") && cookie.contains("Max-Age=0")));
    }
}

#[test]
fn another_site_can_sign_nobody_out() {
    let state = usual();
    let removal = |headers: &[(&str, &str)]| {
        let response = ask(&state, &event("GET", "/cookie/remove", headers));
        let set = values(&response, "set-cookie").len();
        (response["status"].as_str().expect("text").to_owned(), set)
    };
    let granted = ("200".to_owned(), 4);
    let refused = ("403".to_owned(), 0);
    assert_eq!(removal(&[("Origin", ORIGIN), ("Sec-Fetch-Site", "cross-site")]), granted);
    assert_eq!(removal(&[("Sec-Fetch-Site", "same-origin")]), granted);
    assert_eq!(removal(&[("Sec-Fetch-Site", "cross-site")]), refused);
    assert_eq!(removal(&[("Origin", "https://evil.example")]), refused);
    assert_eq!(removal(&[("Origin", "null")]), refused);
}

#[test]
fn a_preflight_is_answered_without_a_body() {
    let state = usual();
    let listed = ask(&state, &event("OPTIONS", "/cookie", &[("Origin", ORIGIN)]));
    assert_eq!(listed["status"], "204");
    assert!(listed.get("body").is_none() && listed.get("bodyEncoding").is_none());
    assert_eq!(values(&listed, "access-control-allow-origin"), [ORIGIN]);
    assert_eq!(values(&listed, "access-control-allow-credentials"), ["true"]);
    assert_eq!(values(&listed, "access-control-allow-headers"), ["Authorization"]);
    let foreign = ask(&state, &event("OPTIONS", "/cookie", &[("Origin", "https://evil.example")]));
    assert_eq!(foreign["status"], "204");
    assert!(foreign["headers"].as_object().expect("headers").keys().all(|name| !name.starts_with("access")));
}

#[test]
fn only_listed_origins_get_credentials() {
    let state = usual();
    let authorization = format!("Bearer {}", good_token());
    let ask = |origin: &[&str]| {
        let mut headers = vec![("Authorization", authorization.as_str())];
        headers.extend(origin.iter().map(|origin| ("Origin", *origin)));
        ask(&state, &event("GET", "/cookie", &headers))
    };
    for origin in [ORIGIN, "https://media.example.com"] {
        let response = ask(&[origin]);
        assert_eq!(response["status"], "200");
        assert_eq!(values(&response, "access-control-allow-origin"), [origin]);
    }
    assert!(values(&ask(&[]), "access-control-allow-origin").is_empty());
    let foreign = [
        vec!["https://evil.example"],
        vec!["https://app.example.com.evil.example"],
        vec!["https://APP.example.com"],
        vec!["http://app.example.com"],
        vec!["null"],
        vec![""],
        vec![ORIGIN, "https://evil.example"],
    ];
    for origin in foreign {
        let response = ask(&origin);
        assert_eq!((&response["status"], code(&response).as_str()), (&json!("403"), "origin_not_allowed"));
        assert!(values(&response, "access-control-allow-origin").is_empty());
        assert!(values(&response, "set-cookie").is_empty());
    }
    // A page may read why it was refused.
    let refused = self::ask(&state, &event("GET", "/cookie", &[("Origin", ORIGIN)]));
    assert_eq!(refused["status"], "401");
    assert_eq!(values(&refused, "access-control-allow-origin"), [ORIGIN]);
}

#[test]
fn refusals_are_those_of_rfc_6750() {
    let state = usual();
    let expired = format!("Bearer {}", mint(&header(), &with(claims(), "exp", json!(NOW))));
    let good = format!("Bearer {}", good_token());
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Headers<'_>, &str, &str); 8] = [
        (&[], "401", "token_missing"),
        (&[("Authorization", "Basic YTpi")], "401", "token_missing"),
        (&[("Authorization", "")], "401", "token_missing"),
        (&[("Authorization", "Bearer")], "400", "authorization_malformed"),
        (&[("Authorization", "Bearer a b")], "400", "authorization_malformed"),
        (&[("Authorization", &good), ("Authorization", &good)], "400", "authorization_malformed"),
        (&[("Authorization", "bearer not-a-token")], "401", "token_malformed"),
        (&[("Authorization", &expired)], "401", "token_expired"),
    ];
    for (headers, status, expected) in cases {
        let response = ask(&state, &event("GET", "/cookie", headers));
        assert_eq!((&response["status"], code(&response).as_str()), (&json!(status), expected));
        assert_eq!(values(&response, "www-authenticate").len(), 1, "{expected}");
        assert!(values(&response, "set-cookie").is_empty());
    }
    let method = ask(&state, &event("POST", "/cookie", &[("Authorization", &good)]));
    assert_eq!((&method["status"], values(&method, "allow")), (&json!("405"), vec!["GET, OPTIONS"]));
}

#[test]
fn the_tenants_demands_are_answered_with_403() {
    let config = with(fixture::config(), "token", json!({"scopes": ["media/write"]}));
    let response = ask(&warm(config, "rsa-2048"), &asking(&good_token()));
    assert_eq!((&response["status"], code(&response).as_str()), (&json!("403"), "scope_missing"));
    let challenge = values(&response, "www-authenticate").join("");
    assert!(challenge.contains(r#"error="insufficient_scope""#) && challenge.contains("media/write"));
}

#[test]
fn only_configured_hosts_are_served() {
    let state = usual();
    let at = |host: &str| asking(&good_token()).replace(HOST, host);
    assert_eq!(ask(&state, &at("MEDIA.example.com"))["status"], "200");
    for host in ["other.example.com", "media.example.com.evil.example", "media.example.com:443", "*", ""] {
        let response = ask(&state, &at(host));
        assert_eq!((&response["status"], code(&response).as_str()), (&json!("403"), "host_not_served"));
    }
    let twice = event("GET", "/cookie", &[])
        .replace(r#""host":[{"#, r#""host":[{"key":"Host","value":"media.example.com"},{"#);
    assert_eq!(code(&ask(&state, &twice)), "host_not_served");
}

#[test]
fn a_token_within_the_leeway_past_its_end_gets_no_cookie() {
    let config = with(fixture::config(), "token", json!({"leeway_seconds": 60}));
    let token = mint(&header(), &with(claims(), "exp", json!(NOW - 5)));
    let response = ask(&warm(config, "rsa-2048"), &asking(&token));
    assert_eq!(code(&response), "token_expired");
}

#[test]
fn what_is_no_event_is_answered_with_400() {
    let state = usual();
    for text in ["", "{}", "null", r#"{"Records":[]}"#] {
        assert_eq!(ask(&state, text)["status"], "400");
    }
}

#[test]
fn an_unknown_key_within_ten_seconds_of_a_reading_is_refused_at_once() {
    let token = mint(&with(header(), "kid", json!(kid("new"))), &claims());
    let response = ask_at(&usual(), &asking(&token), moment(9));
    assert_eq!(code(&response), "token_key_unknown");
}
