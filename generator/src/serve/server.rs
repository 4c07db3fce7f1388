//! Connections: with and without TLS on one port of 127.0.0.1.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::answers;
use super::authority::Certificates;
use super::body::Body;
use super::cdn::Cdn;
use super::error::ServeError;
use super::page::Page;
use super::services::Services;
use super::sign_in::SignIn;
use super::viewer::Viewer;

/// First byte of a TLS connection: a handshake record.
const HANDSHAKE: u8 = 22;
/// Longest wait for a handshake, and for the headers of a request.
const PATIENCE: Duration = Duration::from_secs(20);
/// Largest body that is read, in bytes: pictures go up through the services' host.
const UPLOAD: usize = 64 * 1024 * 1024;

/// What answers under a host name.
#[derive(Debug, Clone)]
pub(super) enum Site {
    /// A distribution, and the page that its host shows.
    Edge(Arc<Cdn>, Option<Arc<Page>>),
    /// The stand-in for the sign-in page.
    SignIn(Arc<SignIn>),
    /// S3 and identity pools for pages.
    Services(Arc<Services>),
}

/// Everything that is served, by host name.
#[derive(Debug)]
pub(super) struct Sites {
    pub(super) by_host: BTreeMap<String, Site>,
    pub(super) certificates: Certificates,
}

/// What is served, exchanged as a whole when it is read anew.
pub(super) type Board = Arc<RwLock<Arc<Sites>>>;

/// Certificates of whatever is served at the moment.
#[derive(Debug)]
struct Current(Board);

impl ResolvesServerCert for Current {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let sites = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        sites.certificates.resolve(hello)
    }
}

/// TLS as CloudFront's current policies have it: 1.2 and 1.3, HTTP/2 first.
pub(super) fn tls(board: &Board) -> Result<TlsAcceptor, ServeError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ServeError::Certificate(error.to_string()))?;
    let mut config = config.with_no_client_auth().with_cert_resolver(Arc::new(Current(Arc::clone(board))));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Takes connections until it is dropped.
pub(super) async fn accept(listener: TcpListener, tls: TlsAcceptor, board: Board) {
    loop {
        // A connection that was cut off before it was taken is no reason to end.
        let Ok((stream, peer)) = listener.accept().await else { continue };
        let (tls, board) = (tls.clone(), Arc::clone(&board));
        tokio::spawn(async move {
            // A viewer that breaks off is nobody to tell.
            let _ = connection(stream, peer, tls, board).await;
        });
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: TlsAcceptor,
    board: Board,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    let read = tokio::time::timeout(PATIENCE, stream.peek(&mut first)).await??;
    if read == 0 {
        return Ok(());
    }
    if first[0] != HANDSHAKE {
        return talk(stream, peer.ip(), None, board).await;
    }
    let stream = tokio::time::timeout(PATIENCE, tls.accept(stream)).await??;
    let name = stream.get_ref().1.server_name().map(str::to_ascii_lowercase).unwrap_or_default();
    talk(stream, peer.ip(), Some(name), board).await
}

async fn talk<S>(
    stream: S,
    address: IpAddr,
    name: Option<String>,
    board: Board,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let name = Arc::new(name);
    let service = service_fn(move |request| {
        let (name, board) = (Arc::clone(&name), Arc::clone(&board));
        async move { Ok::<_, Infallible>(answer(request, address, name.as_deref(), &board).await) }
    });
    let mut server = Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    server.http2().timer(TokioTimer::new());
    server.serve_connection(TokioIo::new(stream), service).await
}

async fn answer(
    request: Request<Incoming>,
    address: IpAddr,
    name: Option<&str>,
    board: &Board,
) -> Response<Body> {
    let Some(viewer) = Viewer::of(&request, address, name.is_some()) else {
        return answers::error(StatusCode::BAD_REQUEST, "The request names no host.");
    };
    // The certificate was of one host, so no other is answered on this connection.
    if name.is_some_and(|name| name != viewer.host) {
        return answers::error(StatusCode::MISDIRECTED_REQUEST, "The connection was made for another host.");
    }
    let sites = Arc::clone(&board.read().unwrap_or_else(PoisonError::into_inner));
    match sites.by_host.get(&viewer.host).cloned() {
        None => answers::error(StatusCode::FORBIDDEN, "No distribution is served under this host."),
        Some(Site::Edge(cdn, page)) => match page.filter(|page| page.is_asked(&viewer, &cdn.hosts.local)) {
            Some(page) => page.respond(&cdn, viewer).await,
            None => cdn.respond(viewer).await,
        },
        Some(_) if !viewer.tls => answers::to_tls(&viewer),
        Some(Site::SignIn(sign_in)) => match read(request).await {
            Some(body) => sign_in.respond(&viewer, &body).await,
            None => answers::error(StatusCode::BAD_REQUEST, "The form cannot be read."),
        },
        Some(Site::Services(services)) => match read(request).await {
            Some(body) => services.respond(&viewer, body).await,
            None => answers::error(StatusCode::BAD_REQUEST, "The body cannot be read."),
        },
    }
}

async fn read(request: Request<Incoming>) -> Option<Vec<u8>> {
    let body = Limited::new(request.into_body(), UPLOAD).collect().await.ok()?;
    Some(body.to_bytes().to_vec())
}
