//! A server of a few lines: one thread, one request a connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Head and body of a request.
type Request = (String, String);

/// A server that lives as long as the test.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<(Instant, Request)>>>,
}

impl Server {
    /// A server that answers request number `n` (from 0) as `answer(n, head)` says: status and body.
    pub(crate) fn start(answer: impl Fn(usize, &str) -> (String, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests: Arc<Mutex<Vec<(Instant, Request)>>> = Arc::default();
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let Some(request) = read(&mut stream) else { continue };
                let number = kept.lock().expect("no panic").len();
                let (status, body) = answer(number, &request.0);
                kept.lock().expect("no panic").push((Instant::now(), request));
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: E1\r\nConnection: close\r\n\r\n{body}"
                );
            }
        });
        Self { address, requests }
    }

    /// A server that answers with each of `statuses` in turn, and an empty body.
    pub(crate) fn answering(statuses: &'static [&'static str]) -> Self {
        Self::start(|number, _| (statuses[number].to_owned(), String::new()))
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/answer?signature=SECRET", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic").iter().map(|(_, request)| request.clone()).collect()
    }

    pub(crate) fn times(&self) -> Vec<Instant> {
        self.requests.lock().expect("no panic").iter().map(|(at, _)| *at).collect()
    }
}

/// Reads one request; none where the connection was closed before.
fn read(stream: &mut TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let mut read = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        read.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8(read.clone()).expect("text");
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse().expect("a length"))
        });
        if length.unwrap_or(0) == body.len() {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}
