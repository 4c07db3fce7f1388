//! A network that lies, dawdles and fails, clocks that jump, and keys that change under load: no wrong grant
//! ever, and refusals only where they are stated.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::keyring::PrivateKeyPem;
use serde_json::{Value, json};
use signer::clock::Moment;
use signer::settings::{Credentials, Settings};
use signer::state::State;
use signing::{CookieSet, PublicKey, SigningKey, TrustedKey, Viewing, open};
use testkit::cloudfront::{Accepted, accept};
use testkit::fixture::{self, HOST, NOW, asking, claims, good_token, header, jwks, kid, mint, with};
use testkit::peer::{CONFIG, JWKS, KEYRING, Peer, Serve};

use crate::network::{moment, state};

const HOUR: u64 = 3_600;

fn peer() -> Arc<Peer> {
    Peer::start(fixture::config(), fixture::keyring("K1", "ecdsa-p256"), jwks(&["id", "access"]))
}

/// The answer as Node would get it, read as CloudFront reads it.
pub(crate) fn ask(state: &Arc<State>, token: &str, at: Moment) -> Accepted {
    let event = asking(token);
    let response = match state.answer_at_once(&event, at) {
        Some(response) => response,
        None => state.answer_after_reading(&event, at),
    };
    accept(&response.to_json()).expect("a response that CloudFront takes")
}

/// Status and code. A refusal for want of documents says when to come again.
pub(crate) fn code(accepted: &Accepted) -> (u16, String) {
    let retry_after: &[&str] = if accepted.status == 503 { &["5"] } else { &[] };
    assert_eq!(accepted.values("retry-after"), retry_after, "{accepted:?}");
    (accepted.status, accepted.code())
}

pub(crate) fn lasting() -> String {
    mint(&header(), &with(claims(), "exp", json!(NOW + 100 * HOUR)))
}

/// What each document is when it is not what it should be, or not there.
fn lies(document: usize) -> Vec<Serve> {
    let raw = |value: Value| Serve::Raw(200, value.to_string());
    let mut lies = vec![
        raw(json!(null)),
        raw(json!([])),
        raw(json!({})),
        raw(json!("text")),
        Serve::Raw(200, String::new()),
        Serve::Raw(200, "{\"Parameter\":{\"Value\":\"{".into()),
        Serve::Raw(204, String::new()),
        Serve::Raw(404, "<Error/>".into()),
        Serve::NoHttp,
        Serve::Endless,
        Serve::Rubbish,
        Serve::Half,
        Serve::Cut,
        Serve::Hang,
        Serve::Refusal(400, "ThrottlingException"),
        Serve::Refusal(429, "TooManyRequestsException"),
        Serve::Refusal(503, ""),
    ];
    let config = |name: &str, value: Value| Serve::Document(with(fixture::config(), name, value));
    let keyring =
        |name: &str, value: Value| Serve::Document(with(fixture::keyring("K1", "ecdsa-p256"), name, value));
    lies.extend(match document {
        CONFIG => vec![
            raw(json!({"Parameter": {"Value": null}})),
            raw(json!({"Parameter": {"Value": fixture::config()}})),
            raw(json!({"Parameter": {"Value": "null"}})),
            config("hosts", json!([])),
            config("hosts", json!(["*"])),
            config("issuer", json!("http://127.0.0.1/eu-north-1_Pool")),
            config("cookie", json!({"minutes": 0, "same_site": "none", "hash": "sha256"})),
            config("cookie", json!({"minutes": 60, "same_site": "none", "hash": "md5"})),
        ],
        KEYRING => vec![
            raw(json!({"ARN": fixture::SECRET_ARN, "Name": "n", "SecretBinary": "AAAA"})),
            Serve::Document(json!("")),
            keyring("private_key", json!("")),
            keyring("private_key", json!(fixture::ECDSA_PUBLIC)),
            keyring("algorithm", json!("rsa-2048")),
            keyring("key_id", json!("K1; Domain=example.com")),
            keyring("key_id", json!("")),
        ],
        _ => vec![
            Serve::Document(json!({"keys": []})),
            Serve::Document(json!({"keys": [{"kid": kid("access"), "kty": "oct", "k": "AAAA"}]})),
        ],
    });
    lies
}

#[test]
fn documents_that_lie_are_as_good_as_none_and_displace_nothing() {
    for document in [CONFIG, KEYRING, JWKS] {
        thread::scope(|scope| {
            for lie in lies(document) {
                scope.spawn(move || {
                    let peer = peer();
                    peer.serve(document, lie.clone());
                    let cold = state(&peer);
                    assert_eq!(
                        code(&ask(&cold, &good_token(), moment(0))),
                        (503, "unavailable".into()),
                        "{lie:?}"
                    );
                    // What was read before stays in use, and the lie is asked about again.
                    let peer = self::peer();
                    let warm = state(&peer);
                    assert_eq!(ask(&warm, &lasting(), moment(0)).status, 200, "{lie:?}");
                    peer.serve(document, lie.clone());
                    let overdue = if document == JWKS { 2 * HOUR } else { 700 };
                    // The keyring's bound comes before the token keys are overdue.
                    let before = ask(&warm, &lasting(), moment(overdue));
                    assert_eq!(before.status, 200, "{lie:?}");
                });
            }
        });
    }
}

#[test]
fn no_redirect_is_followed() {
    let good = peer();
    for document in [CONFIG, KEYRING, JWKS] {
        let peer = peer();
        peer.serve(document, Serve::Elsewhere(format!("{}/eu-north-1_Pool/.well-known/jwks.json", good.url)));
        assert_eq!(code(&ask(&state(&peer), &good_token(), moment(0))), (503, "unavailable".into()));
    }
    assert_eq!(good.asked(), [0, 0, 0]);
}

#[test]
fn slow_answers_are_waited_for_within_the_budget_and_no_longer() {
    let documents = [fixture::config(), fixture::keyring("K1", "ecdsa-p256"), jwks(&["id", "access"])];
    thread::scope(|scope| {
        for document in [CONFIG, KEYRING, JWKS] {
            let value = documents[document].clone();
            let slow = value.clone();
            scope.spawn(move || {
                let peer = peer();
                peer.serve(document, Serve::Late(Duration::from_millis(700), slow));
                assert_eq!(ask(&state(&peer), &good_token(), moment(0)).status, 200, "{document}");
            });
            scope.spawn(move || {
                let peer = peer();
                // A byte now and then keeps a connection alive for ever.
                peer.serve(document, Serve::Drip(Duration::from_millis(50), value));
                let begun = Instant::now();
                assert_eq!(code(&ask(&state(&peer), &good_token(), moment(0))), (503, "unavailable".into()));
                assert!(begun.elapsed() < Duration::from_millis(4_500), "{:?}", begun.elapsed());
            });
        }
    });
}

#[test]
fn a_throttled_service_is_asked_a_few_times_and_then_left_alone() {
    let peer = peer();
    let state = state(&peer);
    assert_eq!(ask(&state, &lasting(), moment(0)).status, 200);
    for document in [CONFIG, KEYRING, JWKS] {
        peer.serve(document, Serve::Refusal(400, "ThrottlingException"));
    }
    let before = peer.asked();
    // Nobody is refused while the last good documents may be used.
    for second in [700, 701, 702, 720] {
        assert_eq!(ask(&state, &lasting(), moment(second)).status, 200, "{second}");
    }
    let asked: Vec<usize> = peer.asked().iter().zip(before).map(|(now, before)| now - before).collect();
    assert!(asked[CONFIG] <= 4 && asked[KEYRING] <= 4, "{asked:?}");
}

/// Settings of a process at the edge, with this in place of AWS.
pub(crate) fn settings(endpoint: &str) -> Settings {
    Settings {
        function: "us-east-1.example-demo-signer".into(),
        credentials: Credentials {
            id: "AKID".into(),
            secret: "secret".into(),
            session: Some("session".into()),
        },
        endpoint: Some(endpoint.to_owned()),
        ca_bundle: None,
    }
}

#[test]
fn a_clock_that_jumps_opens_nothing_for_longer_and_shuts_nobody_out_for_long() {
    let peer = peer();
    let state = state(&peer);
    let at = |epoch: u64, steady: u64| Moment { epoch, steady: Duration::from_secs(steady) };
    let token = good_token();
    assert_eq!(ask(&state, &token, at(NOW, 10)).status, 200);
    // Forward by a year: the token is over, whatever the steady clock says.
    assert_eq!(code(&ask(&state, &token, at(NOW + 8_760 * HOUR, 11))), (401, "token_expired".into()));
    // Back by a year: the token is not valid yet.
    assert_eq!(code(&ask(&state, &token, at(NOW - 8_760 * HOUR, 12))), (401, "token_not_yet_valid".into()));
    // To the beginning and the end of time, without a panic.
    assert_eq!(ask(&state, &token, at(0, 13)).status, 401);
    assert_eq!(ask(&state, &token, at(u64::MAX, 14)).status, 401);
    // And right again.
    assert_eq!(ask(&state, &token, at(NOW + 5, 15)).status, 200);
    // While nothing can be read, a clock that goes back and forth makes no keyring usable past its bound.
    for document in [CONFIG, KEYRING, JWKS] {
        peer.serve(document, Serve::Refusal(400, "AccessDeniedException"));
    }
    let lasting = lasting();
    assert_eq!(ask(&state, &lasting, at(NOW + 20, 30)).status, 200);
    assert_eq!(ask(&state, &lasting, at(NOW + 3, 2 * HOUR)).status, 503);
    assert_eq!(ask(&state, &lasting, at(NOW + 2 * HOUR, 2 * HOUR + 5)).status, 503);
}

#[test]
fn no_cookie_outlives_its_token_whenever_it_is_asked_for() {
    let state = state(&peer());
    let trusted = [fixture::trusted("K1", "ecdsa-p256")];
    for left in [1, 2, 59, 60, 61, 119, 120, 121, 899] {
        let now = NOW + 900 - left;
        let accepted = ask(&state, &good_token(), Moment { epoch: now, steady: Duration::from_secs(1) });
        let cookies = CookieSet::from_set_cookie(accepted.values("set-cookie")).expect("a set");
        let url = format!("https://{HOST}/a");
        let opens = |now| open(&cookies, &trusted, Viewing { url: &url, now, address: None }).is_ok();
        assert!(opens(now) && !opens(NOW + 900), "{left} seconds left");
    }
}

struct Ring {
    document: Value,
    trusted: TrustedKey,
}

/// A keyring with a key of its own.
fn ring(number: u64) -> Ring {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
    let der = pair.to_pkcs8v1().expect("DER");
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
    let public = SigningKey::from_pem(&PrivateKeyPem::new(pem.clone())).expect("a key").public_key_pem();
    let id = format!("K{number}");
    Ring {
        document: fixture::keyring_of(&id, "ecdsa-p256", &pem),
        trusted: TrustedKey { id, key: PublicKey::from_pem(&public.expect("PEM")).expect("a key") },
    }
}

/// Ten rotations in two hours of the function's time while eight threads ask without a pause. Half of them
/// show tokens that must not pass.
#[test]
fn keys_rotate_under_load() {
    const THREADS: u64 = 8;
    const STEP: u64 = 720;
    let rings: Vec<Ring> = (0..10).map(ring).collect();
    let peer = Peer::start(fixture::config(), rings[0].document.clone(), jwks(&["id", "access"]));
    let state = state(&peer);
    state.prepare(moment(0));
    let (clock, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let good = lasting();
    let bad = [
        mint(&header(), &with(claims(), "exp", json!(NOW))),
        mint(&header(), &with(claims(), "token_use", json!("id"))),
        mint(&with(header(), "kid", json!(kid("new"))), &claims()),
        format!("{}A", &good[..good.len() - 1]),
    ];
    let signers: Mutex<BTreeMap<String, u64>> = Mutex::default();
    let granted = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (state, clock, done, rings) = (&state, &clock, &done, &rings);
            let (good, bad, signers, granted) = (&good, &bad, &signers, &granted);
            scope.spawn(move || {
                let mut turn = thread;
                while !done.load(Ordering::Acquire) {
                    turn += 1;
                    let second = clock.load(Ordering::Acquire);
                    if turn % 2 == 0 {
                        let refused = ask(
                            state,
                            &bad[usize::try_from(turn / 2).expect("small") % bad.len()],
                            moment(second),
                        );
                        assert_eq!(refused.status, 401, "{refused:?}");
                        assert!(refused.values("set-cookie").is_empty());
                        continue;
                    }
                    let accepted = ask(state, good, moment(second));
                    assert_eq!(accepted.status, 200, "{accepted:?}");
                    let cookies = CookieSet::from_set_cookie(accepted.values("set-cookie")).expect("a set");
                    let trusted: Vec<TrustedKey> = rings.iter().map(|ring| ring.trusted.clone()).collect();
                    let url = format!("https://{HOST}/a");
                    let viewing = Viewing { url: &url, now: NOW + second, address: None };
                    // Id, private key and policy belong together: never one keyring's id over another's signature.
                    let opened = open(&cookies, &trusted, viewing).expect("cookies that open");
                    granted.fetch_add(1, Ordering::Relaxed);
                    let mut signers = signers.lock().expect("no panic");
                    let latest = signers.entry(opened.key_id).or_default();
                    *latest = second.max(*latest);
                }
            });
        }
        for (number, ring) in rings.iter().enumerate() {
            peer.serve(KEYRING, Serve::Document(ring.document.clone()));
            let begin = STEP * number as u64;
            for second in [begin, begin + 320, begin + 640] {
                clock.store(second, Ordering::Release);
                let before = granted.load(Ordering::Relaxed);
                let waited = Instant::now();
                while granted.load(Ordering::Relaxed) < before + 20
                    && waited.elapsed() < Duration::from_secs(20)
                {
                    thread::sleep(Duration::from_millis(5));
                }
            }
        }
        done.store(true, Ordering::Release);
    });
    let signers = signers.into_inner().expect("no panic");
    assert!(signers.len() > 5, "{signers:?}");
    for (key, latest) in &signers {
        let number: u64 = key.trim_start_matches('K').parse().expect("a number");
        let replaced = STEP * (number + 1);
        // A reading may have begun just before the change: then one refresh later, and the wait for it.
        assert!(*latest < replaced + 2 * 320 + 1, "{key} signed at {latest}, replaced at {replaced}");
    }
}
