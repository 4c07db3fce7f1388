//! Delivery of answers to CloudFormation, over a real connection.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rotator::event::{Event, ResourceEvent};
use rotator::response::{self, Answer};
use serde_json::{Value, json};

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

/// Reads one request with a body and answers it with `status`. Gives its head and its body.
fn answer_one(stream: &mut TcpStream, status: &str) -> (String, String) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let mut read = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).expect("a request");
        read.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8(read.clone()).expect("text");
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let wanted = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if wanted.map(|length| length.parse().expect("a length")) == Some(body.len()) {
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .expect("sent");
            return (head, body.to_owned());
        }
    }
}

/// A server that answers with each of `statuses` in turn.
fn server(statuses: &'static [&'static str]) -> (String, JoinHandle<Vec<(String, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/answer?signature=SECRET", listener.local_addr().expect("an address"));
    let served = thread::spawn(move || {
        let serve = |status: &&str| answer_one(&mut listener.accept().expect("a connection").0, status);
        statuses.iter().map(serve).collect()
    });
    (url, served)
}

#[test]
fn an_answer_is_put_without_a_content_type_until_it_is_taken() {
    let (url, served) = server(&["503 Slow Down", "200 OK"]);
    request(&url).owed.send(&Answer::Standing("group-1".into())).expect("the second attempt");
    let requests = served.join().expect("served");
    for (head, body) in requests {
        assert!(head.starts_with("put /answer?signature=secret "), "{head}");
        assert!(!head.contains("content-type"), "the address is signed for a request without one: {head}");
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
    let (url, served) = server(&["200 OK"]);
    response::answer_panics();
    response::owe(&request(&url).owed, "example-demo-signing");
    assert!(thread::spawn(|| panic!("on purpose")).join().is_err());
    let requests = served.join().expect("served");
    let body: Value = serde_json::from_str(&requests[0].1).expect("a document");
    assert_eq!(body["Status"], "FAILED");
    assert_eq!(body["PhysicalResourceId"], "example-demo-signing");
}
