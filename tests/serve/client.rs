//! A client of HTTP/1.1 that sends what it is told, also what a browser never would, and shows all that comes back.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Longest wait for bytes: a function is started meanwhile, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The first value of a header, or nothing.
    pub(super) fn header(&self, name: &str) -> &str {
        self.all(name).into_iter().next().unwrap_or_default()
    }

    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let same = self.headers.iter().filter(|(known, _)| known == name);
        same.map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `Cookie` header that shows what was set here.
    pub(super) fn cookies(&self) -> String {
        let pairs = self.all("set-cookie").into_iter().filter(|cookie| !cookie.contains("Max-Age=0"));
        pairs.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
    }
}

/// A viewer that trusts the edge's authority.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) port: u16,
    tls: Arc<ClientConfig>,
}

impl Client {
    pub(super) fn new(port: u16, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).expect("the authority")).expect("a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.expect("a configuration").with_root_certificates(roots).with_no_client_auth();
        Self { port, tls: Arc::new(tls) }
    }

    /// Asks with GET over TLS.
    pub(super) fn get(&self, host: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", host, host, path, headers, "")
    }

    /// Asks over TLS; the connection is made for `name`.
    pub(super) fn send(
        &self,
        method: &str,
        name: &str,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let connection = ClientConnection::new(Arc::clone(&self.tls), name).expect("a connection");
        exchange(
            StreamOwned::new(connection, self.connect()),
            &self.request(method, host, path, headers, body),
        )
    }

    /// Asks without TLS.
    pub(super) fn plain(&self, method: &str, host: &str, path: &str) -> Answer {
        exchange(self.connect(), &self.request(method, host, path, &[], ""))
    }

    /// Whether a connection for `name` comes about.
    pub(super) fn connects(&self, name: &str) -> bool {
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let mut connection = ClientConnection::new(Arc::clone(&self.tls), name).expect("a connection");
        connection.complete_io(&mut self.connect()).is_ok()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the edge listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        stream
    }

    fn request(&self, method: &str, host: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut text =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}:{}\r\nConnection: close\r\n", self.port);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text + "\r\n" + body
    }
}

fn exchange(mut stream: impl std::io::Read + std::io::Write, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).expect("the edge reads");
    let mut bytes = Vec::new();
    // An end without goodbye of TLS is an end all the same.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("the end of the headers");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let body = bytes.split_off(end + 4);
    Answer { status, headers, body }
}
