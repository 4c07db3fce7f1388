//! Secrets Manager and STS that answer at once: every rotation is done as soon as it is started.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// A running stub, with a runtime of its own.
pub(crate) struct Stub {
    address: SocketAddr,
    state: Arc<State>,
    _runtime: Runtime,
}

#[derive(Default)]
struct State {
    requests: AtomicUsize,
    /// The current version of each secret.
    current: Mutex<HashMap<String, String>>,
}

impl Stub {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let (address, state) = (listener.local_addr()?, Arc::new(State::default()));
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, Arc::clone(&shared)));
            }
        });
        Ok(Self { address, state, _runtime: runtime })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Number of requests that have come.
    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::Relaxed)
    }
}

/// Serves the requests of one connection, one after the other.
async fn serve(mut client: TcpStream, state: Arc<State>) -> Option<()> {
    let (mut bytes, mut block) = (Vec::new(), [0; 8_192]);
    loop {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4);
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length: usize = header(&text, "content-length").map_or(Some(0), |n| n.parse().ok())?;
            if bytes.len() >= head + length {
                let operation = header(&text, "x-amz-target").unwrap_or_default().to_owned();
                let answer = state.answer(&operation, &bytes[head..head + length]);
                client.write_all(answer.as_bytes()).await.ok()?;
                bytes.drain(..head + length);
                continue;
            }
        }
        match client.read(&mut block).await.ok()? {
            0 => return None,
            count => bytes.extend_from_slice(&block[..count]),
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

impl State {
    fn answer(&self, operation: &str, body: &[u8]) -> String {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let secret = request["SecretId"].as_str().unwrap_or_default().to_owned();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match operation.rsplit('.').next() {
            Some("rotatesecret") => {
                let token = request["ClientRequestToken"].as_str().unwrap_or_default().to_owned();
                let answer = json!({ "ARN": secret, "Name": secret, "VersionId": token });
                current.insert(secret, token);
                ok("application/x-amz-json-1.1", &answer.to_string())
            }
            Some("describesecret") => {
                let version = current.get(&secret).cloned().unwrap_or_default();
                let stages = json!({ version: ["AWSCURRENT", "AWSPENDING"] });
                let answer = json!({
                    "ARN": secret, "Name": secret, "RotationEnabled": true, "VersionIdsToStages": stages,
                });
                ok("application/x-amz-json-1.1", &answer.to_string())
            }
            // The one call of STS: who the caller is.
            _ => ok(
                "text/xml",
                &format!(
                    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                     <GetCallerIdentityResult><Account>{}</Account></GetCallerIdentityResult>\
                     </GetCallerIdentityResponse>",
                    generator::aws::LOCAL_ACCOUNT
                ),
            ),
        }
    }
}

fn ok(kind: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
