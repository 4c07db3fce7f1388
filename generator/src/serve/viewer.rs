//! A request as the edge sees it.

use std::net::IpAddr;

use http::header::{ACCEPT_ENCODING, COOKIE, HOST, ORIGIN};
use http::{HeaderMap, Method, Request, Uri};

/// Longest URL that CloudFront reads, in bytes.
const URL: usize = 8_192;
/// Longest request, with path, query and headers and without its body, in bytes.
const REQUEST: usize = 32_768;

/// A request of a viewer, without its body.
#[derive(Debug, Clone)]
pub(super) struct Viewer {
    /// Method.
    pub(super) method: Method,
    /// Whether it came over TLS.
    pub(super) tls: bool,
    /// Host that was asked for, in lower case, without the port.
    pub(super) host: String,
    /// Port that was asked for.
    pub(super) port: Option<u16>,
    /// Path as it was sent.
    pub(super) path: String,
    /// Query as it was sent, without the question mark.
    pub(super) query: Option<String>,
    /// Headers.
    pub(super) headers: HeaderMap,
    /// Address.
    pub(super) address: IpAddr,
    /// Whether it has a body.
    pub(super) body: bool,
}

impl Viewer {
    /// Reads a request; `None` where it names no host.
    #[must_use]
    pub(super) fn of<B: http_body::Body>(request: &Request<B>, address: IpAddr, tls: bool) -> Option<Self> {
        let named = request.headers().get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
        let authority: Uri = request.uri().authority().map(ToString::to_string).or(named)?.parse().ok()?;
        Some(Self {
            method: request.method().clone(),
            tls,
            host: authority.host()?.to_ascii_lowercase(),
            port: authority.port_u16(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().map(str::to_owned),
            headers: request.headers().clone(),
            address,
            body: !request.body().is_end_stream(),
        })
    }

    /// Whether it is longer than CloudFront reads.
    /// Source: AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.
    #[must_use]
    pub(super) fn is_too_long(&self) -> bool {
        let target = self.path.len() + self.query.as_ref().map_or(0, |query| query.len() + 1);
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        let scheme = if self.tls { "https://" } else { "http://" };
        scheme.len() + self.host.len() + target > URL || target + headers.sum::<usize>() > REQUEST
    }

    /// Value of a header that is there once and is text.
    #[must_use]
    pub(super) fn header(&self, name: &http::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All `Cookie` headers.
    #[must_use]
    pub(super) fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    /// The web origin that asks.
    #[must_use]
    pub(super) fn origin(&self) -> Option<&str> {
        self.header(&ORIGIN)
    }

    /// Whether it takes a coding.
    #[must_use]
    pub(super) fn accepts(&self, coding: &str) -> bool {
        let values = self.headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
            named && !parts.any(|weight| ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains(&weight))
        })
    }

    /// Path and query together.
    #[must_use]
    pub(super) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}
