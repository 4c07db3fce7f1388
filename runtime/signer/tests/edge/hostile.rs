//! Events that nobody meant to send: whatever comes, the answer is one that CloudFront takes, and given
//! without the network.

use testkit::cloudfront::accept;
use testkit::fixture::{self, ORIGIN, event, good_token, jwks};
use testkit::hostile::{Numbers, disturbed};
use testkit::peer::Peer;

use crate::network::{moment, state};

/// Events that are tried.
const EVENTS: usize = 5_000;

#[test]
fn no_event_breaks_the_function_or_its_answer() {
    let peer = Peer::start(fixture::config(), fixture::keyring("K1", "ecdsa-p256"), jwks(&["id", "access"]));
    let state = state(&peer);
    state.prepare(moment(0));
    let authorization = format!("Bearer {}", good_token());
    let whole = [
        event("GET", "/cookie", &[("Authorization", &authorization), ("Origin", ORIGIN)]),
        event("OPTIONS", "/cookie", &[("Origin", ORIGIN)]),
        event("GET", "/cookie/remove", &[("Sec-Fetch-Site", "same-origin")]),
    ];
    let mut numbers = Numbers::new(0x9e37_79b9_7f4a_7c15);
    for index in 0..EVENTS {
        let (text, other) = (&whole[index % whole.len()], numbers.one(&whole).clone());
        let event = disturbed(text.as_bytes(), other.as_bytes(), &mut numbers);
        let event = String::from_utf8_lossy(&event);
        let response = state.answer_at_once(&event, moment(1));
        let json = response.expect("an answer without the network").to_json();
        if let Err(rule) = accept(&json) {
            panic!("{rule} for {event}");
        }
    }
    assert_eq!(peer.asked(), [1, 1, 1]);
}
