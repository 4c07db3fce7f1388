//! A loopback server that stands for Parameter Store, Secrets Manager and the user pool.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// How one document is served.
#[derive(Clone)]
pub(crate) enum Serve {
    /// With status 200.
    Document(Value),
    /// With another status, and this as the error code.
    Refusal(u16, &'static str),
    /// With a body that is not what it should be.
    Rubbish,
    /// Half a body, then the connection is cut.
    Half,
    /// The connection is cut at once.
    Cut,
    /// Not at all, for three seconds.
    Hang,
}

/// The three documents, and how often each was asked for.
pub(crate) struct Peer {
    pub(crate) url: String,
    pub(crate) served: [Mutex<Serve>; 3],
    pub(crate) asked: [AtomicUsize; 3],
    /// What the last request for a secret named.
    pub(crate) secret_id: Mutex<String>,
}

pub(crate) const CONFIG: usize = 0;
pub(crate) const KEYRING: usize = 1;
pub(crate) const JWKS: usize = 2;

impl Peer {
    pub(crate) fn start(config: Value, keyring: Value, jwks: Value) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let peer = Arc::new(Self {
            url: format!("http://{address}"),
            served: [config, keyring, jwks].map(|document| Mutex::new(Serve::Document(document))),
            asked: Default::default(),
            secret_id: Mutex::default(),
        });
        let serving = Arc::clone(&peer);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let peer = Arc::clone(&serving);
                thread::spawn(move || peer.answer(stream));
            }
        });
        peer
    }

    pub(crate) fn serve(&self, document: usize, how: Serve) {
        *self.served[document].lock().expect("no panic") = how;
    }

    pub(crate) fn asked(&self) -> [usize; 3] {
        [0, 1, 2].map(|document| self.asked[document].load(Ordering::SeqCst))
    }

    fn answer(&self, mut stream: TcpStream) {
        let Some((head, body)) = request(&stream) else { return };
        let document = match &head {
            head if head.contains("AmazonSSM.GetParameter") => CONFIG,
            head if head.contains("secretsmanager.GetSecretValue") => KEYRING,
            head if head.starts_with("get /eu-north-1_pool/.well-known/jwks.json ") => JWKS,
            _ => return,
        };
        self.asked[document].fetch_add(1, Ordering::SeqCst);
        let signed = head.contains("authorization: aws4-hmac-sha256 credential=akid/")
            && head.contains("/us-east-1/")
            && head.contains("x-amz-security-token: session");
        assert!(document == JWKS || signed, "not signed: {head}");
        if document == CONFIG {
            assert_eq!(body["Name"], "/example-demo-signer/config");
        }
        if document == KEYRING {
            *self.secret_id.lock().expect("no panic") = body["SecretId"].as_str().unwrap_or("").into();
        }
        let how = self.served[document].lock().expect("no panic").clone();
        let (status, body) = match how {
            Serve::Document(value) => (200, envelope(document, &value)),
            Serve::Refusal(status, code) => (status, json!({ "__type": code }).to_string()),
            Serve::Rubbish => (200, "<html>".into()),
            Serve::Half => (200, "{".into()),
            Serve::Cut => return,
            Serve::Hang => return thread::sleep(Duration::from_secs(3)),
        };
        let length = if body == "{" { 100 } else { body.len() };
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    }
}

/// The head in lower case but for the target, and the JSON body.
fn request(stream: &TcpStream) -> Option<(String, Value)> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 2)?;
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        let is_target = lower.starts_with("x-amz-target");
        head.push_str(if is_target { &line } else { &lower });
        if reader.buffer().starts_with(b"\r\n") {
            reader.consume(2);
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, serde_json::from_slice(&body).unwrap_or_default()))
}

fn envelope(document: usize, value: &Value) -> String {
    match document {
        CONFIG => json!({ "Parameter": { "Value": value.to_string() } }),
        KEYRING => json!({ "ARN": crate::support::SECRET_ARN, "Name": "example-demo-keyring",
            "SecretString": value.to_string() }),
        _ => value.clone(),
    }
    .to_string()
}
