//! Every response that the function is there to give.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use signing::{CookieSet, Viewing, open};
use testkit::cloudfront::Accepted;
use testkit::fixture::{self, HOST, ISSUER, ORIGIN, header, jwks, kid, mint, with};
use testkit::peer::{CONFIG, JWKS, KEYRING, Peer, Serve};

use super::process::Process;
use super::{asking, config, cookie, event, now, token};

fn start(config: Value, algorithm: &str) -> (Arc<Peer>, Process) {
    let peer = Peer::start(config, fixture::keyring("K1", algorithm), jwks(&["id", "access"]));
    let process = Process::start(&peer);
    (peer, process)
}

fn code(accepted: &Accepted) -> (u16, String) {
    (accepted.status, accepted.code())
}

fn opens(accepted: &Accepted, algorithm: &str, now: u64) -> bool {
    let cookies = CookieSet::from_set_cookie(accepted.values("set-cookie")).expect("a set of cookies");
    let url = format!("https://{HOST}/films/one.mp4");
    let viewing = Viewing { url: &url, now, address: Some([192, 0, 2, 7].into()) };
    open(&cookies, &[fixture::trusted("K1", algorithm)], viewing).is_ok()
}

#[test]
fn it_runs_in_the_node_of_lambda() {
    let (peer, mut process) = start(config(&[]), "ecdsa-p256");
    let version = process.task(&json!({"task": "version"}));
    assert!(version.as_str().is_some_and(|version| version.starts_with("v24.")), "{version}");
    // Lambda loads the module before the first event; by then everything is read, once.
    assert_eq!(peer.asked(), [1, 1, 1]);
    assert_eq!(process.answer(&asking(&token(&[]))).status, 200);
    assert_eq!(peer.asked(), [1, 1, 1]);
}

#[test]
fn a_good_token_is_traded_for_cookies() {
    for (algorithm, hash) in
        [("rsa-2048", "sha256"), ("rsa-2048", "sha1"), ("ecdsa-p256", "sha256"), ("ecdsa-p256", "sha1")]
    {
        let (_peer, mut process) = start(config(&[cookie(&[("hash", json!(hash))])]), algorithm);
        let end = now() + 900;
        let accepted = process.answer(&asking(&token(&[("exp", json!(end))])));
        let expires = accepted.json()["expires"].as_u64().expect("a time");
        // The token's end, rounded down to a minute.
        assert!(expires <= end && expires > end - 60 && expires % 60 == 0, "{expires} for {end}");
        let iso = accepted.json()["expires_at"].as_str().expect("a time").to_owned();
        assert!(iso.len() == 20 && iso.starts_with("20") && iso.ends_with('Z'), "{iso}");
        assert!(opens(&accepted, algorithm, expires - 1) && !opens(&accepted, algorithm, expires));
        let cookies = accepted.values("set-cookie");
        assert_eq!(cookies.len(), 4, "{cookies:?}");
        for set in &cookies {
            for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=None"] {
                assert!(set.contains(attribute), "{set}");
            }
            assert!(!set.contains("Domain"), "{set}");
        }
        assert!(cookies[..3].iter().all(|set| !set.contains("Max-Age") && !set.contains("Expires")));
        match hash {
            "sha256" => assert!(cookies[3].starts_with("CloudFront-Hash-Algorithm=SHA256;"), "{cookies:?}"),
            _ => assert!(
                cookies[3].starts_with("CloudFront-Hash-Algorithm=; ") && cookies[3].contains("Max-Age=0")
            ),
        }
        assert_eq!(accepted.values("cache-control"), ["no-store"]);
        assert_eq!(accepted.values("vary"), ["Origin"]);
        assert_eq!(accepted.values("content-type"), ["application/json"]);
    }
}

#[test]
fn cookies_are_as_the_tenant_says() {
    let life = cookie(&[("minutes", json!(5)), ("same_site", json!("strict")), ("persistent", json!(true))]);
    let (_peer, mut process) = start(config(&[life]), "ecdsa-p256");
    let accepted = process.answer(&asking(&token(&[])));
    let left = accepted.json()["expires"].as_u64().expect("a time") - now();
    assert!((230..=300).contains(&left), "{left}");
    assert!(accepted.values("set-cookie").iter().all(|set| set.contains("SameSite=Strict; Max-Age=")));
    // Less than a slot of life is not rounded away.
    let end = now() + 45;
    let short = process.answer(&asking(&token(&[("exp", json!(end))])));
    assert_eq!(short.json()["expires"], end);

    let bound = cookie(&[("bind_address", json!(true))]);
    let (_peer, mut process) = start(config(&[bound]), "rsa-2048");
    let accepted = process.answer(&asking(&token(&[])));
    assert!(opens(&accepted, "rsa-2048", now()));
    let set = CookieSet::from_set_cookie(accepted.values("set-cookie")).expect("a set");
    let policy = String::from_utf8(signing::decode(&set.policy).expect("base64")).expect("text");
    assert!(policy.contains(r#""AWS:SourceIp":"192.0.2.7/32""#), "{policy}");
    let mut sixth = asking(&token(&[]));
    sixth["Records"][0]["cf"]["request"]["clientIp"] = json!("2001:db8::7");
    assert_eq!(code(&process.answer(&sixth)), (403, "address_unsupported".into()));
}

#[test]
fn cookies_are_removed_and_preflights_answered_for_whom_they_may() {
    let (_peer, mut process) = start(config(&[]), "ecdsa-p256");
    for path in ["/cookie/remove", "/cookie/a/b/remove"] {
        for headers in [
            &[][..],
            &[("Origin", ORIGIN), ("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "same-origin")],
        ] {
            let accepted = process.answer(&event("GET", path, headers));
            let cookies = accepted.values("set-cookie");
            assert_eq!((accepted.status, cookies.len()), (200, 4));
            assert!(
                cookies.iter().all(|set| set.contains("=; ") && set.contains("Max-Age=0")),
                "{cookies:?}"
            );
        }
        for headers in [
            &[("Origin", "https://evil.example")],
            &[("Origin", "null")],
            &[("Sec-Fetch-Site", "cross-site")],
        ] {
            let refused = process.answer(&event("GET", path, headers));
            assert_eq!((refused.status, refused.values("set-cookie").len()), (403, 0));
        }
    }
    let preflight = process.answer(&event("OPTIONS", "/cookie", &[("Origin", ORIGIN)]));
    assert_eq!((preflight.status, &preflight.body), (204, &None));
    assert_eq!(preflight.values("access-control-allow-origin"), [ORIGIN]);
    assert_eq!(preflight.values("access-control-allow-credentials"), ["true"]);
    assert_eq!(preflight.values("access-control-allow-headers"), ["Authorization"]);
    assert_eq!(preflight.values("vary"), ["Origin"]);
    let foreign = process.answer(&event("OPTIONS", "/cookie/x", &[("Origin", "https://evil.example")]));
    assert_eq!((foreign.status, &foreign.body), (204, &None));
    assert!(foreign.names().all(|name| !name.starts_with("access-control")));
}

#[test]
fn refusals_name_their_reason_and_nothing_internal() {
    let rules = json!({"scopes": ["media/read"], "groups": ["readers"]});
    let (_peer, mut process) = start(config(&[("token", rules)]), "ecdsa-p256");
    let good = format!("Bearer {}", token(&[]));
    let issue = |headers: &[(&str, &str)]| event("GET", "/cookie", headers);
    let cases = [
        (json!({}), 400, "request_malformed"),
        (json!(null), 400, "request_malformed"),
        (issue(&[("Authorization", &good), ("Authorization", &good)]), 400, "authorization_malformed"),
        (asking(&"a".repeat(20_000)), 400, "token_too_large"),
        (issue(&[]), 401, "token_missing"),
        (issue(&[("Authorization", "Basic YTpi")]), 401, "token_missing"),
        (asking("a.b.c"), 401, "token_malformed"),
        (asking(&token(&[("token_use", json!("id"))])), 401, "id_token_refused"),
        (asking(&token(&[("token_use", json!("x"))])), 401, "token_use_wrong"),
        (asking(&token(&[("iss", json!(format!("{ISSUER}2")))])), 401, "token_issuer_wrong"),
        (asking(&token(&[("client_id", json!("x"))])), 401, "token_client_wrong"),
        (asking(&token(&[("exp", json!(now()))])), 401, "token_expired"),
        (asking(&token(&[("iat", json!(now() + 600))])), 401, "token_not_yet_valid"),
        (
            asking(&mint(&with(header(), "alg", json!("none")), &fixture::claims())),
            401,
            "token_algorithm_refused",
        ),
        (asking(&mint(&with(header(), "jku", json!("x")), &fixture::claims())), 401, "token_header_refused"),
        (asking(&(token(&[])[..700].to_owned() + "AAAA")), 401, "token_signature_wrong"),
        (asking(&token(&[("scope", json!("x"))])), 403, "scope_missing"),
        (asking(&token(&[("cognito:groups", json!(["x"]))])), 403, "group_missing"),
        (issue(&[("Authorization", &good), ("Origin", "https://evil.example")]), 403, "origin_not_allowed"),
        (issue(&[("Authorization", &good), ("Host", "other.example.com")]), 403, "host_not_served"),
        (event("GET", "/cookies", &[]), 404, "not_found"),
        (event("POST", "/cookie", &[("Authorization", &good)]), 405, "method_not_allowed"),
        (event("HEAD", "/cookie", &[("Authorization", &good)]), 405, "method_not_allowed"),
    ];
    for (event, status, expected) in cases {
        let accepted = process.answer(&event);
        assert_eq!(code(&accepted), (status, expected.into()));
        assert_eq!(accepted.body, Some(json!({"error": {"code": expected}}).to_string()));
        assert!(accepted.values("set-cookie").is_empty(), "{expected}");
        assert_eq!(accepted.values("cache-control"), ["no-store"]);
        let challenges = accepted.values("www-authenticate").len();
        assert!(status != 401 || challenges == 1, "{expected}");
        assert_eq!(status == 405, accepted.values("allow") == ["GET, OPTIONS"]);
    }
    let listed = process.answer(&issue(&[("Origin", ORIGIN)]));
    assert_eq!((listed.status, listed.values("access-control-allow-origin")), (401, vec![ORIGIN]));
    assert_eq!(process.answer(&asking(&token(&[]))).status, 200);
    nothing_secret(&process.log(), &[&good]);
}

/// The log names outcomes and counts them; of a viewer it holds nothing.
fn nothing_secret(log: &str, tokens: &[&str]) {
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("JSON a line")).collect();
    assert!(lines.iter().any(|line| line["code"] == "token_expired"), "{log}");
    assert!(lines.iter().any(|line| line["_aws"]["CloudWatchMetrics"].is_array()), "{log}");
    for secret in tokens.iter().chain(&[
        "eyJ",
        "PRIVATE",
        "192.0.2.7",
        "CloudFront-",
        "classified",
        "session",
        "\"u1\"",
    ]) {
        assert!(!log.contains(secret), "`{secret:.20}` in {log}");
    }
}

#[test]
fn without_its_documents_it_answers_503_and_recovers() {
    for document in [CONFIG, KEYRING, JWKS] {
        let peer = Peer::start(config(&[]), fixture::keyring("K1", "ecdsa-p256"), jwks(&["access"]));
        peer.serve(document, Serve::Refusal(400, "AccessDeniedException"));
        let mut process = Process::start(&peer);
        let refused = process.answer(&asking(&token(&[])));
        assert_eq!(code(&refused), (503, "unavailable".into()));
        assert_eq!(refused.values("retry-after"), ["5"]);
        assert!(process.log().contains("refresh_failed"), "{}", process.log());
        let documents = [config(&[]), fixture::keyring("K1", "ecdsa-p256"), jwks(&["access"])];
        peer.serve(document, Serve::Document(documents[document].clone()));
        // A failure is asked about again after a second.
        thread::sleep(Duration::from_millis(2_100));
        assert_eq!(process.answer(&asking(&token(&[]))).status, 200, "document {document}");
    }
}

#[test]
fn a_new_key_of_the_user_pool_is_found_after_ten_seconds() {
    let (peer, mut process) = start(config(&[]), "ecdsa-p256");
    let unknown = mint(&with(header(), "kid", json!(kid("new"))), &fixture::claims_at(now()));
    assert_eq!(code(&process.answer(&asking(&unknown))), (401, "token_key_unknown".into()));
    peer.serve(JWKS, Serve::Document(jwks(&["id", "access", "new"])));
    assert_eq!(process.answer(&asking(&unknown)).status, 401);
    assert_eq!(peer.asked()[JWKS], 1);
    thread::sleep(Duration::from_millis(11_100));
    assert_eq!(process.answer(&asking(&unknown)).status, 200);
    assert_eq!(peer.asked()[JWKS], 2);
}
