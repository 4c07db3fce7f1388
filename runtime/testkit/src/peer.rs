//! A loopback server that stands for Parameter Store, Secrets Manager and the user pool, in good and bad
//! health.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::authority::Identity;
use crate::fixture::SECRET_ARN;

/// Place of the configuration among the documents.
pub const CONFIG: usize = 0;
/// Place of the keyring.
pub const KEYRING: usize = 1;
/// Place of the token keys.
pub const JWKS: usize = 2;

/// How one document is served.
#[derive(Debug, Clone)]
pub enum Serve {
    /// With status 200, in the service's envelope.
    Document(Value),
    /// The same, after a wait.
    Late(Duration, Value),
    /// The same, byte by byte with this pause before each.
    Drip(Duration, Value),
    /// With this status and exactly this body.
    Raw(u16, String),
    /// With another status, and this as the error code.
    Refusal(u16, &'static str),
    /// With a body that is not what it should be.
    Rubbish,
    /// Sent to another address.
    Elsewhere(String),
    /// Half a body, then the connection is cut.
    Half,
    /// A body that never ends.
    Endless,
    /// Bytes that are no HTTP.
    NoHttp,
    /// The connection is cut at once.
    Cut,
    /// Not at all, for three seconds.
    Hang,
}

/// The three documents, and how often each was asked for.
pub struct Peer {
    /// Where it listens, as `http://127.0.0.1:PORT` or `https://…`.
    pub url: String,
    served: [Mutex<Serve>; 3],
    asked: [AtomicUsize; 3],
    secret_id: Mutex<String>,
    heard: AtomicUsize,
    identity: Mutex<Option<Identity>>,
}

impl Peer {
    /// A peer that serves these documents until it is told otherwise.
    ///
    /// # Panics
    /// Where no port is free.
    #[must_use]
    pub fn start(config: Value, keyring: Value, jwks: Value) -> Arc<Self> {
        Self::listen("http", [config, keyring, jwks], |peer, mut stream| peer.answer(&mut stream))
    }

    /// The same over TLS, as this server.
    ///
    /// # Panics
    /// Where no port is free.
    #[must_use]
    pub fn start_tls(config: Value, keyring: Value, jwks: Value, identity: Identity) -> Arc<Self> {
        let peer = Self::listen("https", [config, keyring, jwks], |peer, stream| {
            let server = peer.identity.lock().expect("no panic").clone();
            let connection = server.map(|identity| rustls::ServerConnection::new(identity.server()));
            if let Some(Ok(connection)) = connection {
                let mut stream = rustls::StreamOwned::new(connection, stream);
                peer.answer(&mut stream);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        peer.present(identity);
        peer
    }

    /// Changes who the peer says it is, for connections from now on.
    ///
    /// # Panics
    /// Where a thread of the peer has panicked.
    pub fn present(&self, identity: Identity) {
        *self.identity.lock().expect("no panic") = Some(identity);
    }

    fn listen(
        scheme: &str,
        documents: [Value; 3],
        answer: impl Fn(&Self, TcpStream) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let peer = Arc::new(Self {
            url: format!("{scheme}://{address}"),
            served: documents.map(|document| Mutex::new(Serve::Document(document))),
            asked: Default::default(),
            secret_id: Mutex::default(),
            heard: AtomicUsize::new(0),
            identity: Mutex::default(),
        });
        let (serving, answer) = (Arc::clone(&peer), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (peer, answer) = (Arc::clone(&serving), Arc::clone(&answer));
                thread::spawn(move || answer(&peer, stream));
            }
        });
        peer
    }

    /// Changes how a document is served.
    ///
    /// # Panics
    /// Where a thread of the peer has panicked.
    pub fn serve(&self, document: usize, how: Serve) {
        *self.served[document].lock().expect("no panic") = how;
    }

    /// How often each document was asked for.
    #[must_use]
    pub fn asked(&self) -> [usize; 3] {
        [CONFIG, KEYRING, JWKS].map(|document| self.asked[document].load(Ordering::SeqCst))
    }

    /// How many bytes were said to it, whole requests or not; over TLS, those behind the handshake.
    #[must_use]
    pub fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }

    /// What the last request for a secret named.
    ///
    /// # Panics
    /// Where a thread of the peer has panicked.
    #[must_use]
    pub fn secret_id(&self) -> String {
        self.secret_id.lock().expect("no panic").clone()
    }

    /// Answers one request; what is wrong with it is told by a connection that is cut.
    fn answer(&self, stream: &mut (impl Read + Write)) {
        let Some((head, body)) = request(&mut Ears { stream, heard: &self.heard }) else { return };
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
        // Whoever asked may be gone: then nothing can be written, and nothing need be.
        let _ = send(stream, document, how);
    }
}

/// Counts what is read.
struct Ears<'a, S> {
    stream: &'a mut S,
    heard: &'a AtomicUsize,
}

impl<S: Read> Read for Ears<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.heard.fetch_add(read, Ordering::SeqCst);
        Ok(read)
    }
}

fn send(stream: &mut impl Write, document: usize, how: Serve) -> std::io::Result<()> {
    match how {
        Serve::Document(value) => respond(stream, 200, &envelope(document, &value)),
        Serve::Late(wait, value) => {
            thread::sleep(wait);
            respond(stream, 200, &envelope(document, &value))
        }
        Serve::Drip(pause, value) => {
            let body = envelope(document, &value);
            for byte in format!("{}{body}", head(200, body.len())).bytes() {
                thread::sleep(pause);
                stream.write_all(&[byte])?;
                stream.flush()?;
            }
            Ok(())
        }
        Serve::Raw(status, body) => respond(stream, status, &body),
        Serve::Refusal(status, code) => respond(stream, status, &json!({ "__type": code }).to_string()),
        Serve::Rubbish => respond(stream, 200, "<html>"),
        Serve::Elsewhere(url) => {
            write!(
                stream,
                "HTTP/1.1 307 X\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
        Serve::Half => write!(stream, "{}{{", head(200, 100)),
        Serve::Endless => {
            write!(stream, "HTTP/1.1 200 X\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b' '; 16 * 1_024])?;
            }
        }
        Serve::NoHttp => stream.write_all(b"\x00\x01 not HTTP\r\n\r\n"),
        Serve::Cut => Ok(()),
        Serve::Hang => {
            thread::sleep(Duration::from_secs(3));
            Ok(())
        }
    }
}

fn head(status: u16, length: usize) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
}

fn respond(stream: &mut impl Write, status: u16, body: &str) -> std::io::Result<()> {
    write!(stream, "{}{body}", head(status, body.len()))?;
    stream.flush()
}

/// The head in lower case but for the target, and the JSON body.
fn request(stream: &mut impl Read) -> Option<(String, Value)> {
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
        KEYRING => {
            json!({ "ARN": SECRET_ARN, "Name": "example-demo-keyring", "SecretString": value.to_string() })
        }
        _ => value.clone(),
    }
    .to_string()
}
