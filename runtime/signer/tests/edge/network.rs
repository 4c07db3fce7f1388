//! What a process does when the network is slow, wrong or away, and when keys change.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signer::clock::Moment;
use signer::settings::{Credentials, Settings};
use signer::state::{Log, State};

use testkit::fixture::{self, NOW, asking, claims, event, good_token, header, jwks, kid, mint, with};
use testkit::peer::{CONFIG, JWKS, KEYRING, Peer, Serve};

const HOUR: u64 = 3_600;

/// This many seconds after the process began.
pub(crate) fn moment(second: u64) -> Moment {
    Moment { epoch: NOW + second, steady: Duration::from_secs(second) }
}

pub(crate) fn state(peer: &Peer) -> Arc<State> {
    logging_state(peer, Box::new(|_| {}))
}

fn logging_state(peer: &Peer, log: Log) -> Arc<State> {
    let settings = Settings {
        // A replica, as at the edge.
        function: "us-east-1.example-demo-signer".into(),
        credentials: Credentials {
            id: "AKID".into(),
            secret: "secret".into(),
            session: Some("session".into()),
        },
        endpoint: Some(peer.url.clone()),
        ca_bundle: None,
    };
    Arc::new(State::new(&settings, log))
}

fn usual() -> (Arc<Peer>, Arc<State>) {
    let keyring = fixture::keyring("K1", "ecdsa-p256");
    let peer = Peer::start(fixture::config(), keyring, jwks(&["id", "access"]));
    let state = state(&peer);
    (peer, state)
}

/// A token that is good for days.
fn lasting() -> String {
    mint(&header(), &with(claims(), "exp", json!(NOW + 100 * HOUR)))
}

/// The answer as Node would get it: at once, or after reading.
fn ask(state: &Arc<State>, event: &str, at: Moment) -> (u16, String) {
    let response = match state.answer_at_once(event, at) {
        Some(response) => response,
        None => state.answer_after_reading(event, at),
    };
    let cookies = response.values("Set-Cookie").join("\n");
    let key = cookies.split("Key-Pair-Id=").nth(1).and_then(|rest| rest.split(';').next());
    let body: Value = serde_json::from_str(response.body().unwrap_or("{}")).expect("JSON");
    let code = body["error"]["code"].as_str();
    (response.status(), key.or(code).unwrap_or_default().to_owned())
}

fn granted(key: &str) -> (u16, String) {
    (200, key.to_owned())
}

fn unavailable() -> (u16, String) {
    (503, "unavailable".to_owned())
}

#[test]
fn a_cold_process_reads_each_document_once() {
    let (peer, state) = usual();
    assert!(state.answer_at_once(&asking(&good_token()), moment(0)).is_none());
    assert_eq!(ask(&state, &asking(&good_token()), moment(0)), granted("K1"));
    assert_eq!(ask(&state, &asking(&good_token()), moment(299)), granted("K1"));
    assert_eq!(peer.asked(), [1, 1, 1]);
    assert_eq!(peer.secret_id(), "example-demo-keyring");
}

#[test]
fn a_secret_of_another_name_is_found_through_the_configuration() {
    let (peer, _) = usual();
    let state = state(&peer);
    peer.serve(CONFIG, Serve::Document(with(fixture::config(), "keyring_secret", json!("other"))));
    // The peer answers with another ARN than the configuration names, so this keyring is never used.
    assert_eq!(ask(&state, &asking(&good_token()), moment(0)), unavailable());
    assert_eq!(peer.secret_id(), "other");
    peer.serve(CONFIG, Serve::Document(fixture::config()));
    assert_eq!(ask(&state, &asking(&good_token()), moment(2 * 300)), granted("K1"));
}

#[test]
fn a_process_without_configuration_answers_503_and_recovers() {
    for failure in
        [Serve::Refusal(400, "AccessDeniedException"), Serve::Rubbish, Serve::Document(json!({"hosts": []}))]
    {
        let (peer, state) = usual();
        peer.serve(CONFIG, failure);
        assert_eq!(ask(&state, &asking(&good_token()), moment(0)), unavailable());
        assert_eq!(ask(&state, &event("OPTIONS", "/cookie", &[]), moment(0)), unavailable());
        peer.serve(CONFIG, Serve::Document(fixture::config()));
        assert_eq!(ask(&state, &asking(&good_token()), moment(1)), granted("K1"));
    }
}

#[test]
fn a_keyring_that_was_never_filled_answers_503_but_signs_out_and_judges_tokens() {
    let (peer, state) = usual();
    peer.serve(KEYRING, Serve::Document(json!("")));
    assert_eq!(ask(&state, &asking(&good_token()), moment(0)), unavailable());
    assert_eq!(ask(&state, &event("GET", "/cookie/remove", &[]), moment(5)), granted(""));
    assert_eq!(ask(&state, &asking("a.b.c"), moment(10)).0, 401);
}

#[test]
fn passing_failures_are_tried_again() {
    for failure in [
        Serve::Refusal(400, "ThrottlingException"),
        Serve::Refusal(500, "InternalServerError"),
        Serve::Half,
        Serve::Cut,
    ] {
        let (peer, state) = usual();
        peer.serve(CONFIG, failure);
        let mending = Arc::clone(&peer);
        let mender = thread::spawn(move || {
            while mending.asked()[CONFIG] == 0 {
                thread::sleep(Duration::from_millis(5));
            }
            mending.serve(CONFIG, Serve::Document(fixture::config()));
        });
        assert_eq!(ask(&state, &asking(&good_token()), moment(0)), granted("K1"));
        mender.join().expect("no panic");
        assert!(peer.asked()[CONFIG] > 1);
    }
}

#[test]
fn a_network_that_hangs_is_given_up_before_lambda_gives_up() {
    let (peer, state) = usual();
    for document in [CONFIG, KEYRING, JWKS] {
        peer.serve(document, Serve::Hang);
    }
    let begun = Instant::now();
    assert_eq!(ask(&state, &asking(&good_token()), moment(0)), unavailable());
    assert!(begun.elapsed() < Duration::from_millis(4_500), "{:?}", begun.elapsed());
}

#[test]
fn old_documents_serve_while_aws_fails_and_never_past_their_bound() {
    let (peer, state) = usual();
    assert_eq!(ask(&state, &asking(&lasting()), moment(0)), granted("K1"));
    for document in [CONFIG, KEYRING, JWKS] {
        peer.serve(document, Serve::Refusal(400, "AccessDeniedException"));
    }
    assert_eq!(ask(&state, &asking(&lasting()), moment(900)), granted("K1"));
    let tries = peer.asked();
    // Within the pause after a failure nothing is asked.
    assert_eq!(ask(&state, &asking(&lasting()), moment(920)), granted("K1"));
    assert_eq!(peer.asked(), tries);
    assert_eq!(ask(&state, &asking(&lasting()), moment(HOUR - 1)), granted("K1"));
    assert_eq!(ask(&state, &asking(&lasting()), moment(HOUR)), unavailable());
    peer.serve(KEYRING, Serve::Document(fixture::keyring("K2", "ecdsa-p256")));
    assert_eq!(ask(&state, &asking(&lasting()), moment(HOUR + 60)), granted("K2"));
}

#[test]
fn a_rotation_is_picked_up_in_the_background() {
    let (peer, state) = usual();
    assert_eq!(ask(&state, &asking(&lasting()), moment(0)), granted("K1"));
    peer.serve(KEYRING, Serve::Document(fixture::keyring("K2", "ecdsa-p256")));
    // Served from memory, while the refresh begins beside it.
    let at_once = state.answer_at_once(&asking(&lasting()), moment(300));
    assert!(at_once.is_some_and(|response| response.values("Set-Cookie").join("").contains("=K1;")));
    let begun = Instant::now();
    while ask(&state, &asking(&lasting()), moment(301)) != granted("K2") {
        assert!(begun.elapsed() < Duration::from_secs(5), "the refresh did not come");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(peer.asked(), [2, 2, 1]);
}

#[test]
fn a_process_that_slept_reads_before_it_answers() {
    let (peer, state) = usual();
    assert_eq!(ask(&state, &asking(&lasting()), moment(0)), granted("K1"));
    peer.serve(KEYRING, Serve::Document(fixture::keyring("K2", "ecdsa-p256")));
    // A freeze stops the steady clock; the wall clock tells of it.
    let thawed = Moment { epoch: NOW + 700, steady: Duration::from_secs(1) };
    assert_eq!(ask(&state, &asking(&lasting()), thawed), granted("K2"));
}

#[test]
fn a_wall_clock_that_jumps_back_makes_nothing_younger() {
    let (peer, state) = usual();
    assert_eq!(ask(&state, &asking(&lasting()), moment(0)), granted("K1"));
    peer.serve(KEYRING, Serve::Document(fixture::keyring("K2", "ecdsa-p256")));
    let back = Moment { epoch: NOW - 5, steady: Duration::from_secs(700) };
    assert_eq!(ask(&state, &asking(&lasting()), back), granted("K2"));
}

#[test]
fn a_refresh_of_the_same_keyring_keeps_its_signatures() {
    let (_peer, state) = usual();
    let cookies = |second| {
        let (event, at) = (asking(&lasting()), moment(second));
        let response = state.answer_at_once(&event, at);
        response.unwrap_or_else(|| state.answer_after_reading(&event, at)).values("Set-Cookie").to_vec()
    };
    // The slot is that of second 0 while the steady clock goes on, so only the keyring is read again.
    let before = cookies(0);
    let later = Moment { epoch: NOW, steady: Duration::from_secs(700) };
    let after = state.answer_after_reading(&asking(&lasting()), later);
    assert_eq!(after.values("Set-Cookie"), before);
}

#[test]
fn an_unknown_key_makes_the_keys_be_read_again_once_in_ten_seconds() {
    let (peer, state) = usual();
    let unknown = mint(&with(header(), "kid", json!(kid("new"))), &claims());
    assert_eq!(ask(&state, &asking(&unknown), moment(0)), (401, "token_key_unknown".into()));
    assert_eq!(peer.asked()[JWKS], 1);
    for second in 1..=20 {
        assert_eq!(ask(&state, &asking(&unknown), moment(second)), (401, "token_key_unknown".into()));
    }
    assert_eq!(peer.asked()[JWKS], 3);
    peer.serve(JWKS, Serve::Document(jwks(&["id", "access", "new"])));
    assert_eq!(ask(&state, &asking(&unknown), moment(30)), granted("K1"));
    // A failure counts as a reading, and keeps the keys that are known.
    peer.serve(JWKS, Serve::Rubbish);
    let other = mint(&with(header(), "kid", json!(kid("other"))), &claims());
    for second in 40..=49 {
        assert_eq!(ask(&state, &asking(&other), moment(second)).0, 401);
    }
    assert_eq!(peer.asked()[JWKS], 5);
    assert_eq!(ask(&state, &asking(&unknown), moment(49)), granted("K1"));
}

#[test]
fn requests_at_the_same_time_read_the_keys_once_between_them() {
    let (peer, state) = usual();
    assert_eq!(ask(&state, &asking(&lasting()), moment(0)), granted("K1"));
    peer.serve(JWKS, Serve::Late(Duration::from_millis(300), jwks(&["id", "access", "new"])));
    let new = mint(&with(header(), "kid", json!(kid("new"))), &with(claims(), "exp", json!(NOW + HOUR)));
    let unknown = mint(&with(header(), "kid", json!(kid("other"))), &claims());
    thread::scope(|scope| {
        for number in 0..8 {
            let (state, new, unknown) = (&state, &new, &unknown);
            scope.spawn(move || match number % 2 {
                0 => assert_eq!(ask(state, &asking(new), moment(20)), granted("K1")),
                _ => assert_eq!(ask(state, &asking(unknown), moment(20)), (401, "token_key_unknown".into())),
            });
        }
    });
    assert_eq!(peer.asked()[JWKS], 2);
}

#[test]
fn tokens_of_an_issuer_that_the_configuration_dropped_are_refused() {
    let (peer, state) = usual();
    assert_eq!(ask(&state, &asking(&lasting()), moment(0)), granted("K1"));
    let moved = fixture::ISSUER.replace("cognito-idp", "issuer-cognito-idp");
    peer.serve(CONFIG, Serve::Document(with(fixture::config(), "issuer", json!(moved))));
    assert_eq!(ask(&state, &asking(&lasting()), moment(700)), (401, "token_issuer_wrong".into()));
    let new = mint(&header(), &with(with(claims(), "iss", json!(moved)), "exp", json!(NOW + 9 * HOUR)));
    assert_eq!(ask(&state, &asking(&new), moment(700)), granted("K1"));
    assert_eq!(peer.asked()[JWKS], 2);
}

#[test]
fn no_token_cookie_or_key_reaches_the_log() {
    let (peer, _) = usual();
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&lines);
    let log = move |written: &[String]| sink.lock().expect("no panic").push_str(&written.join("\n"));
    let state = logging_state(&peer, Box::new(log));
    let expired = mint(&header(), &with(claims(), "exp", json!(NOW)));
    let forged = good_token() + "A";
    for (token, second) in [(&good_token(), 0), (&expired, 1), (&forged, 2)] {
        ask(&state, &asking(token), moment(second));
    }
    for how in [Serve::Rubbish, Serve::Refusal(400, "AccessDeniedException"), Serve::Half] {
        for document in [CONFIG, KEYRING, JWKS] {
            peer.serve(document, how.clone());
        }
        ask(&state, &asking(&lasting()), moment(2 * HOUR));
        ask(&state, &asking(&lasting()), moment(30 * HOUR));
    }
    let lines = lines.lock().expect("no panic");
    assert!(lines.contains("token_expired") && lines.contains("refresh_failed"), "{lines}");
    for secret in ["eyJ", "MII", "PRIVATE", "Bearer", "192.0.2.7", "CloudFront-", "secret", "session", "u1"] {
        assert!(!lines.contains(secret), "`{secret}` in {lines}");
    }
}

#[test]
fn a_connection_that_is_not_trusted_carries_nothing() {
    let (peer, _) = usual();
    // The peer speaks plain text where TLS is expected.
    let settings = Settings {
        function: "example-demo-signer".into(),
        credentials: Credentials { id: "AKID".into(), secret: "secret".into(), session: None },
        endpoint: Some(peer.url.replace("http:", "https:")),
        ca_bundle: None,
    };
    let state = Arc::new(State::new(&settings, Box::new(|_| {})));
    assert_eq!(ask(&state, &asking(&good_token()), moment(0)), unavailable());
    assert_eq!(peer.asked(), [0, 0, 0]);
}

#[test]
fn documents_and_session_tokens_larger_than_usual_pass() {
    let (peer, _) = usual();
    let retired: Vec<Value> =
        (0..600).map(|n| json!({"key_id": format!("K{n:013}"), "retired": n, "keep_until": n})).collect();
    let keyring = with(fixture::keyring("K1", "ecdsa-p256"), "retired", json!(retired));
    assert!(keyring.to_string().len() > 32 * 1024);
    peer.serve(KEYRING, Serve::Document(keyring));
    let settings = Settings {
        function: "example-demo-signer".into(),
        credentials: Credentials {
            id: "AKID".into(),
            secret: "secret".into(),
            session: Some("session".repeat(1_000)),
        },
        endpoint: Some(peer.url.clone()),
        ca_bundle: None,
    };
    let state = Arc::new(State::new(&settings, Box::new(|_| {})));
    assert_eq!(ask(&state, &asking(&good_token()), moment(0)), granted("K1"));
}
