//! Ten thousand events that nobody meant to send, and a million that somebody did.

use serde_json::{Value, json};
use testkit::fixture::{self, ORIGIN, jwks};
use testkit::hostile::{Numbers, disturbed};
use testkit::peer::Peer;

use super::process::Process;
use super::{asking, config, event, now, token};

const HOSTILE: usize = 10_000;
const REQUESTS: u64 = 1_000_000;
/// How much more memory may be resident after the million than after its first two tenths, in bytes. Node's heap
/// grows in steps of some megabytes; a leak of sixteen bytes a request would be as much as this.
const GROWTH_MAX: u64 = 12 * 1024 * 1024;
/// What Lambda gives a viewer-request function, in bytes.
const MEMORY: u64 = 128 * 1024 * 1024;

fn process() -> Process {
    Process::start(&Peer::start(config(&[]), fixture::keyring("K1", "ecdsa-p256"), jwks(&["id", "access"])))
}

/// What an event can be in JSON without being an event.
fn shapes() -> Vec<Value> {
    let good = event("GET", "/cookie", &[]);
    let request = |name: &str, value: Value| {
        let mut event = good.clone();
        event["Records"][0]["cf"]["request"][name] = value;
        event
    };
    let deep = (0..500).fold(json!([]), |inner, _| json!([inner]));
    let many: Vec<Value> = (0..2_000).map(|_| json!({"key": "Authorization", "value": "Bearer a"})).collect();
    vec![
        json!(null),
        json!(true),
        json!(-0.0),
        json!(""),
        json!("a".repeat(400_000)),
        json!([]),
        json!([good]),
        json!({}),
        json!({"Records": null}),
        json!({"Records": {}}),
        json!({"Records": [good["Records"][0], good["Records"][0]]}),
        json!({"Records": [null]}),
        json!({"records": good["Records"]}),
        deep.clone(),
        request("headers", deep),
        request("headers", json!([])),
        request("headers", json!({"authorization": many})),
        request("headers", json!({"host": [{"value": "media.example.com"}], "authorization": "Bearer a"})),
        request("headers", json!({"__proto__": [{"value": "a"}], "constructor": []})),
        request("method", json!("GET\r\nSet-Cookie: a=b")),
        request("method", json!("G".repeat(20_000))),
        request("method", json!({})),
        request("uri", json!("/cookie/\u{0}/remove")),
        request("uri", json!("/cookie/../remove")),
        request("uri", json!("//cookie")),
        request("uri", json!("/cookie".repeat(1_000))),
        request("clientIp", json!("' OR 1=1")),
        request("querystring", json!({"a": [1]})),
    ]
}

#[test]
fn ten_thousand_hostile_events_are_each_answered_as_cloudfront_wants() {
    let mut process = process();
    let authorization = format!("Bearer {}", token(&[]));
    let whole = [
        event("GET", "/cookie", &[("Authorization", &authorization), ("Origin", ORIGIN)]).to_string(),
        event("OPTIONS", "/cookie", &[("Origin", ORIGIN)]).to_string(),
        event("GET", "/cookie/remove", &[("Sec-Fetch-Site", "same-origin")]).to_string(),
        authorization.clone(),
    ];
    let mut events = shapes();
    let mut numbers = Numbers::new(0x9e37_79b9_7f4a_7c15);
    while events.len() < HOSTILE {
        let other = numbers.one(&whole).clone();
        let text = if events.len().is_multiple_of(4) {
            // A token that is disturbed within an event that is not.
            let token = disturbed(authorization.as_bytes(), other.as_bytes(), &mut numbers);
            event("GET", "/cookie", &[("Authorization", &String::from_utf8_lossy(&token))]).to_string()
        } else {
            let text = numbers.one(&whole[..3]).clone();
            let text = disturbed(text.as_bytes(), other.as_bytes(), &mut numbers);
            String::from_utf8_lossy(&text).into_owned()
        };
        // Lambda hands over JSON only: another text becomes one as a whole.
        events.push(serde_json::from_str(&text).unwrap_or(Value::String(text)));
    }
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for event in &events {
        let accepted = process.answer(event);
        *statuses.entry(accepted.status).or_default() += 1;
        assert_ne!(accepted.status, 500, "{event:.2000}");
        let authorizations = event["Records"][0]["cf"]["request"]["headers"]["authorization"].as_array();
        let shown = authorizations.and_then(|list| list.first()).and_then(|entry| entry["value"].as_str());
        let cookies = accepted.values("set-cookie");
        if cookies.iter().any(|set| set.starts_with("CloudFront-Policy=ey")) {
            let token =
                shown.and_then(|shown| shown.trim().split_once(' ')).map(|(_, token)| token.trim_start());
            assert_eq!(
                token,
                authorization.split_once(' ').map(|(_, token)| token),
                "a wrong grant: {event:.2000}"
            );
        }
    }
    println!("{} events: {statuses:?}", events.len());
    assert!(
        [200, 204, 400, 401, 403, 404].iter().all(|status| statuses.contains_key(status)),
        "{statuses:?}"
    );
    assert_eq!(process.answer(&asking(&token(&[]))).status, 200, "it goes on as before");
}

#[test]
fn memory_is_flat_over_a_million_requests() {
    let mut process = process();
    // The token must outlast the run.
    let lasting = token(&[("exp", json!(now() + 7_200))]);
    let forged = format!("{}AAAA", &lasting[..lasting.len() - 4]);
    let events = [
        (asking(&lasting), "200"),
        (asking(&lasting), "200"),
        (event("OPTIONS", "/cookie", &[("Origin", ORIGIN)]), "204"),
        (asking(&lasting), "200"),
        (asking(&forged), "401"),
        (event("GET", "/cookie/remove", &[]), "200"),
        (asking("a.b.c"), "401"),
        (json!({"Records": []}), "400"),
    ];
    let (events, statuses): (Vec<Value>, Vec<&str>) = events.into_iter().unzip();
    let memory =
        process.task(&json!({"task": "repeat", "events": events, "statuses": statuses, "times": REQUESTS}));
    let memory: Vec<u64> = memory.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    assert_eq!(memory.len(), 11, "{memory:?}");
    println!("resident after each tenth: {memory:?}");
    // The first sample is from before the first request.
    let (warm, end) = (memory[2], memory[10]);
    assert!(end < warm + GROWTH_MAX, "{memory:?}");
    assert!(memory.iter().all(|resident| *resident < MEMORY), "{memory:?}");
}
