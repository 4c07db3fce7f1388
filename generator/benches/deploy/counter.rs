//! A proxy that counts the calls of CloudFormation.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A running proxy. Its threads end with the process.
pub(crate) struct Counter {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
}

impl Counter {
    /// Listens on this machine and passes on to `upstream`, `127.0.0.1:PORT`.
    pub(crate) fn start(upstream: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, calls) = (listener.local_addr()?, Arc::new(AtomicUsize::new(0)));
        let (counted, upstream) = (Arc::clone(&calls), upstream.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (counted, upstream) = (Arc::clone(&counted), upstream.clone());
                // A connection that breaks is the client's to notice.
                thread::spawn(move || serve(client, &upstream, &counted));
            }
        });
        Ok(Self { address, calls })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Calls since this was asked last.
    pub(crate) fn take(&self) -> usize {
        self.calls.swap(0, Ordering::SeqCst)
    }
}

fn serve(mut client: TcpStream, upstream: &str, calls: &AtomicUsize) -> Option<()> {
    loop {
        let request = message(&mut client, true)?;
        let text = String::from_utf8_lossy(&request);
        // The other service of this protocol that is called says who one is.
        let counts = text.contains("Action=") && !text.contains("Action=GetCallerIdentity");
        calls.fetch_add(usize::from(counts), Ordering::SeqCst);
        let mut server = TcpStream::connect(upstream).ok()?;
        server.write_all(&request).ok()?;
        // An answer to `HEAD` tells the length of what it does not have.
        let with_body = !request.starts_with(b"HEAD ");
        client.write_all(&message(&mut server, with_body)?).ok()?;
    }
}

/// Reads one HTTP message whose length its head tells.
fn message(stream: &mut TcpStream, with_body: bool) -> Option<Vec<u8>> {
    let (mut bytes, mut block) = (Vec::new(), [0; 16_384]);
    loop {
        if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4) {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length:")).filter(|_| with_body);
            let length: usize = length.map_or(Some(0), |length| length.trim().parse().ok())?;
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
