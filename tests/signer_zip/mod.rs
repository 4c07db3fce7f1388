//! The signer as it is deployed: the packed zip in the Node that Lambda uses, with AWS on loopback.

mod behaviour;
mod hostile;
mod process;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use testkit::fixture;

/// Seconds since the epoch: the function in Node has no other clock than the computer's.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs()
}

/// A token that is good now, with some of its claims changed.
fn token(changes: &[(&str, Value)]) -> String {
    let claims = changes
        .iter()
        .fold(fixture::claims_at(now()), |claims, (name, value)| fixture::with(claims, name, value.clone()));
    fixture::mint(&fixture::header(), &claims)
}

fn event(method: &str, path: &str, headers: &[(&str, &str)]) -> Value {
    serde_json::from_str(&fixture::event(method, path, headers)).expect("JSON")
}

fn asking(token: &str) -> Value {
    event("GET", "/cookie", &[("Authorization", &format!("Bearer {token}"))])
}

/// The tenant's configuration with some of its fields changed.
fn config(changes: &[(&str, Value)]) -> Value {
    changes.iter().fold(fixture::config(), |config, (name, value)| fixture::with(config, name, value.clone()))
}

fn cookie(changes: &[(&str, Value)]) -> (&'static str, Value) {
    let usual = json!({"minutes": 60, "same_site": "none", "hash": "sha256"});
    ("cookie", changes.iter().fold(usual, |cookie, (name, value)| fixture::with(cookie, name, value.clone())))
}
