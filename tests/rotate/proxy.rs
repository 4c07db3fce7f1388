//! A proxy before the local cloud that throttles, and remembers what came when.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

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
        let operation = header(&request, "x-amz-target").unwrap_or_default();
        let operation = operation.rsplit('.').next().unwrap_or_default().to_owned();
        let throttled = {
            let mut calls = calls.lock().expect("no panic");
            let same = calls.iter().filter(|call| call.operation == operation).count();
            let throttled = !operation.is_empty() && same % ONE_IN == 0;
            calls.push(Call { operation, at: Instant::now(), throttled });
            throttled
        };
        let answer = if throttled {
            let body = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
            let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.1\r\n";
            format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
        } else {
            let mut server = TcpStream::connect(upstream).ok()?;
            server.write_all(&request).ok()?;
            answer_to(&request, &mut server)?
        };
        client.write_all(&answer).ok()?;
    }
}

/// Reads the answer to a request. One to `HEAD` tells the length of what it does not have.
pub(crate) fn answer_to(request: &[u8], stream: &mut TcpStream) -> Option<Vec<u8>> {
    read(stream, !request.starts_with(b"HEAD "))
}

/// Reads one HTTP message whose length its head tells.
pub(crate) fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    read(stream, true)
}

fn read(stream: &mut TcpStream, with_body: bool) -> Option<Vec<u8>> {
    let (mut bytes, mut block) = (Vec::new(), [0; 16_384]);
    loop {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4);
        if let Some(head) = head {
            let length = header(&bytes[..head], "content-length").filter(|_| with_body);
            let length: usize = length.map_or(Some(0), |n| n.parse().ok())?;
            if bytes.len() >= head + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut block).ok()? {
            0 => return None,
            count => bytes.extend_from_slice(&block[..count]),
        }
    }
}

pub(crate) fn header(message: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(message);
    let head = text.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
