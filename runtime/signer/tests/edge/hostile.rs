//! Events that nobody meant to send: whatever comes, the answer is one that CloudFront takes.

use serde_json::Value;

use crate::network::{moment, state};
use crate::peer::Peer;
use crate::support::{self, ORIGIN, event, good_token, jwks};

/// Events that are tried; a fixed seed makes each run the same.
const EVENTS: usize = 5_000;
/// Largest response that CloudFront takes from a viewer-request function, in bytes.
const RESPONSE_MAX: usize = 40 * 1024;

/// A generator of numbers without a dependency (xorshift, 64 bits).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).expect("a small number")
    }
}

/// The event with some of its text cut out, doubled or overwritten.
fn disturbed(event: &str, numbers: &mut Numbers) -> String {
    const PIECES: [&str; 14] = [
        "\"",
        "\\",
        "{",
        "]",
        ",",
        "null",
        "\\u0000",
        "\\r\\nSet-Cookie: a=b",
        "\\ud800",
        "ä",
        "/remove",
        "OPTIONS",
        "9999999999999999999999",
        " ",
    ];
    let mut text: Vec<char> = event.chars().collect();
    for _ in 0..=numbers.below(3) {
        let from = numbers.below(text.len());
        let to = (from + numbers.below(12)).min(text.len());
        let piece: Vec<char> = match numbers.below(3) {
            0 => vec![],
            1 => text[from..to].repeat(2),
            _ => PIECES[numbers.below(PIECES.len())].chars().collect(),
        };
        text.splice(from..to, piece);
    }
    text.into_iter().collect()
}

fn assert_cloudfront_takes(json: &str, event: &str) {
    assert!(json.len() < RESPONSE_MAX, "{event}");
    let response: Value = serde_json::from_str(json).expect("JSON");
    let status: u16 = response["status"].as_str().and_then(|text| text.parse().ok()).expect("a status");
    assert!((200..600).contains(&status), "{event}");
    assert!(status != 204 || response.get("body").is_none(), "{event}");
    for (name, entries) in response["headers"].as_object().expect("headers") {
        for entry in entries.as_array().expect("a list") {
            let (key, value) = (entry["key"].as_str(), entry["value"].as_str());
            assert_eq!(key.map(str::to_lowercase).as_ref(), Some(name), "{event}");
            let value = value.expect("text");
            assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "`{value}` for {event}");
        }
    }
}

#[test]
fn no_event_breaks_the_function_or_its_answer() {
    let peer = Peer::start(support::config(), support::keyring("K1", "ecdsa-p256"), jwks(&["id", "access"]));
    let state = state(&peer);
    state.prepare(moment(0));
    let authorization = format!("Bearer {}", good_token());
    let whole = [
        event("GET", "/cookie", &[("Authorization", &authorization), ("Origin", ORIGIN)]),
        event("OPTIONS", "/cookie", &[("Origin", ORIGIN)]),
        event("GET", "/cookie/remove", &[("Sec-Fetch-Site", "same-origin")]),
    ];
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for index in 0..EVENTS {
        let event = disturbed(&whole[index % whole.len()], &mut numbers);
        let response = state.answer_at_once(&event, moment(1));
        assert_cloudfront_takes(&response.expect("an answer without the network").to_json(), &event);
    }
    assert_eq!(peer.asked(), [1, 1, 1]);
}
