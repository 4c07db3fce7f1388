//! A proxy before the local cloud that throttles, and remembers what came when.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use crate::wire::{XML, answer, answer_to, error, header, message};

/// Every `ONE_IN`th call is throttled, whatever the rate.
const ONE_IN: usize = 4;

/// What came by.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) operation: String,
    pub(super) at: Instant,
    pub(super) throttled: bool,
}

/// A running proxy. Its threads end with the process.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Proxy {
    /// Listens on this machine and passes on to `upstream`, `127.0.0.1:PORT`.
    pub(super) fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (seen, upstream) = (Arc::clone(&calls), upstream.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (seen, upstream) = (Arc::clone(&seen), upstream.clone());
                // A connection that breaks is the client's to notice.
                thread::spawn(move || serve(client, &upstream, &seen));
            }
        });
        Self { address, calls }
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("no panic").clone()
    }
}

/// Serves the requests of one connection, one after the other.
fn serve(mut client: TcpStream, upstream: &str, calls: &Mutex<Vec<Call>>) -> Option<()> {
    loop {
        let request = message(&mut client)?;
        let operation = operation(&request);
        let throttled = {
            let mut calls = calls.lock().expect("no panic");
            let same = calls.iter().filter(|call| call.operation == operation).count();
            let throttled = !operation.is_empty() && same % ONE_IN == 0;
            calls.push(Call { operation, at: Instant::now(), throttled });
            throttled
        };
        let answer = if throttled {
            refusal(&request)
        } else {
            let mut server = TcpStream::connect(upstream).ok()?;
            server.write_all(&request).ok()?;
            answer_to(&request, &mut server)?
        };
        client.write_all(&answer).ok()?;
    }
}

/// The operation that a request asks for: where AWS's protocols in JSON and in forms name it, and `CloudFront` for
/// all that are told by their paths. Empty where it is none of these.
fn operation(request: &[u8]) -> String {
    if let Some(target) = header(request, "x-amz-target") {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let path = head.split(' ').nth(1).unwrap_or_default();
    match body.split('&').find_map(|field| field.strip_prefix("Action=")) {
        Some(action) => action.to_owned(),
        None if path.starts_with("/2020-05-31/") => "CloudFront".to_owned(),
        None => String::new(),
    }
}

/// How the service that is asked says that it is asked too often.
fn refusal(request: &[u8]) -> Vec<u8> {
    if header(request, "x-amz-target").is_none() {
        return answer(400, XML, &error("Throttling", "Rate exceeded"));
    }
    let body = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    answer(400, "application/x-amz-json-1.1", body)
}
