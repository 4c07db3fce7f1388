//! Parameter Store, Secrets Manager and the user pool, over TLS on the loopback address.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::{ServerConnection, StreamOwned};
use serde_json::json;

use super::fixture::{Fixture, POOL};

/// Starts the server in threads that end with this process, and writes the certificate of its authority to
/// `bundle`. Gives the URL.
///
/// Certificates are those of AWS in kind: RSA, with one authority between root and server. Connections end
/// after one answer and are never resumed, because AWS's three endpoints are three hosts.
pub(crate) fn start(fixture: &Fixture, bundle: &Path) -> Result<String, Box<dyn Error>> {
    let config = Arc::new(tls(bundle)?);
    let documents = Arc::new(Documents::new(fixture));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("https://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (config, documents) = (Arc::clone(&config), Arc::clone(&documents));
            thread::spawn(move || {
                // A client that went away is no matter of the server's.
                let _ = serve(config, &documents, stream);
            });
        }
    });
    Ok(url)
}

struct Documents {
    parameter: String,
    secret: String,
    jwks: String,
}

impl Documents {
    fn new(fixture: &Fixture) -> Self {
        let secret = "example-bench-keyring";
        let arn = format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:{secret}-AbCdEf");
        Self {
            parameter: json!({"Parameter": {"Name": "/example-bench-signer/config", "Type": "String",
                "Value": fixture.config.to_string(), "Version": 1}})
            .to_string(),
            secret: json!({"ARN": arn, "Name": secret, "SecretString": fixture.keyring.to_string(),
                "VersionStages": ["AWSCURRENT"]})
            .to_string(),
            jwks: fixture.jwks.to_string(),
        }
    }

    fn asked_for(&self, head: &str) -> Option<&str> {
        match head {
            head if head.contains("AmazonSSM.GetParameter") => Some(&self.parameter),
            head if head.contains("secretsmanager.GetSecretValue") => Some(&self.secret),
            head if head.starts_with(&format!("GET /{POOL}/.well-known/jwks.json ")) => Some(&self.jwks),
            _ => None,
        }
    }
}

fn serve(config: Arc<ServerConfig>, documents: &Documents, stream: TcpStream) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(StreamOwned::new(ServerConnection::new(config)?, stream));
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let start = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
        let line = head.get(start..).unwrap_or_default().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, answer) = documents.asked_for(&head).map_or((400, "{}"), |answer| (200, answer));
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{answer}",
        answer.len()
    )?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(())
}

fn tls(bundle: &Path) -> Result<ServerConfig, Box<dyn Error>> {
    let key = || KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
    };
    let root = CertifiedIssuer::self_signed(authority("root"), key()?)?;
    let between = CertifiedIssuer::signed_by(authority("between"), key()?, &root)?;
    let server = key()?;
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&server, &between)?;
    std::fs::write(bundle, root.pem())?;

    let chain = vec![leaf.der().clone(), between.der().clone()];
    let server = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, server)?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}
