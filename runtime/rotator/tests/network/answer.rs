//! Delivery of answers to CloudFormation, over a real connection.

use std::thread;

use rotator::event::{Event, ResourceEvent};
use rotator::response::{self, Answer};
use serde_json::{Value, json};

use super::server::Server;

/// A request of CloudFormation that wants its answer at `url`.
fn request(url: &str) -> ResourceEvent {
    let event = json!({
        "RequestType": "Create", "ResponseURL": url, "StackId": "st", "RequestId": "r",
        "LogicalResourceId": "Keyring", "ResourceProperties": {},
    });
    match Event::read(event, 0) {
        Ok(Event::Resource(resource)) => *resource,
        _ => panic!("not a request of CloudFormation"),
    }
}

#[test]
fn an_answer_is_put_without_a_content_type_until_it_is_taken() {
    let server = Server::answering(&["503 Slow Down", "200 OK"]);
    let url = server.url();
    request(&url).owed.send(&Answer::Standing("group-1".into())).expect("the second attempt");
    for (head, body) in server.requests() {
        assert!(head.starts_with("PUT /answer?signature=SECRET "), "{head}");
        assert!(
            !head.to_lowercase().contains("content-type"),
            "the address is signed for a request without one: {head}"
        );
        let body: Value = serde_json::from_str(&body).expect("a document");
        assert_eq!(body["Data"]["KeyGroupId"], "group-1");
    }
}

#[test]
fn an_answer_that_cannot_be_delivered_is_an_error_without_the_address() {
    rotator::use_crypto_provider();
    let unheard = request("https://127.0.0.1:9/?signature=SECRET").owed.send(&Answer::Gone);
    let error = unheard.expect_err("nobody listens there").to_string();
    assert!(!error.contains("SECRET") && !error.contains("127.0.0.1"), "{error}");
}

#[test]
fn a_panic_is_answered_with_a_failure() {
    let server = Server::answering(&["200 OK"]);
    let url = server.url();
    response::answer_panics();
    response::owe(&request(&url).owed, "example-demo-signing");
    assert!(thread::spawn(|| panic!("on purpose")).join().is_err());
    let body: Value = serde_json::from_str(&server.requests()[0].1).expect("a document");
    assert_eq!(body["Status"], "FAILED");
    assert_eq!(body["PhysicalResourceId"], "example-demo-signing");
}
