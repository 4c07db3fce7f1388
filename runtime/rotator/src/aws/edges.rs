//! A visit to an edge, as a viewer with cookies makes it.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use contract::edge_config::SignatureHash;
use contract::keyring::PrivateKeyPem;
use signing::{CookieSet, Policy, SigningKey};
use tokio::task;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::Aws;
use crate::ports::{self, Fault, FaultKind, Sighting};

/// Name of a visit in faults.
const CALL: &str = "VisitEdge";

/// Path that is asked for. The default behaviour of every distribution is closed, so only a tenant whose
/// public patterns match it has it open. It need not exist.
const PATH: &str = "/signing-key-proof";

/// How long the cookies of a visit are good for, in seconds.
const COOKIE_LIFE: u64 = 300;

/// Longest time that a visit may take.
const VISIT_TIME: Duration = Duration::from_secs(5);

/// Bytes of an answer that are read.
const BODY_MAX: u64 = 16 * 1024;

/// First status that says more of a server than of the cookies.
const SERVER_ERROR: u16 = 500;

/// Too many requests: says nothing of the cookies either.
const TOO_MANY: u16 = 429;

/// A viewer.
#[derive(Debug, Clone)]
pub struct Edges {
    agent: Agent,
    scheme: &'static str,
}

impl Edges {
    /// A viewer that comes by `https`, or in tests by `http`.
    #[must_use]
    pub fn over(scheme: &'static str) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(VISIT_TIME))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Self { agent: Agent::new_with_config(config), scheme }
    }

    /// See [`ports::Edges::visit`]. Blocks for a few seconds at most.
    ///
    /// # Errors
    /// As there.
    pub fn visit(&self, host: &str, key_id: &str, private: &PrivateKeyPem) -> Result<Sighting, Fault> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let policy = Policy::of_host(host, now + COOKIE_LIFE);
        let key = SigningKey::from_pem(private).map_err(|_| fault("KeyPair", "the key cannot be used"))?;
        let cookies = CookieSet::sign(&key, key_id, &policy, SignatureHash::Sha256);
        let cookies = cookies.map_err(|_| fault("KeyPair", "the key cannot sign"))?.cookie_header();
        let url = format!("{}://{host}{PATH}", self.scheme);
        // Another error than a status may repeat what was sent.
        let mut answer = self
            .agent
            .get(url)
            .header("cookie", cookies)
            .call()
            .map_err(|_| fault("Unreachable", &format!("`{host}` does not answer")))?;
        let status = answer.status().as_u16();
        if status >= SERVER_ERROR || status == TOO_MANY {
            return Err(fault("Unavailable", &format!("`{host}` answers with status {status}")));
        }
        Ok(seen(&mut answer))
    }
}

impl ports::Edges for Aws {
    fn has_edges(&self) -> bool {
        self.edges.is_some()
    }

    async fn visit(&self, host: &str, key_id: &str, private: &PrivateKeyPem) -> Result<Sighting, Fault> {
        let edges = self.edges.clone().ok_or_else(|| fault("NoEdge", "there are no edges to visit"))?;
        let (host, key_id, private) = (host.to_owned(), key_id.to_owned(), private.clone());
        let visit = task::spawn_blocking(move || edges.visit(&host, &key_id, &private)).await;
        visit.unwrap_or_else(|_| Err(fault("Unreachable", "the visit was broken off")))
    }
}

/// What tells a refusal by CloudFront, one by the bucket and an object apart: status, who answered, and code
/// and message of an error document. Ids that differ from request to request are left out.
fn seen(answer: &mut Response<Body>) -> Sighting {
    let mut sighting = answer.status().as_u16().to_string();
    for header in ["server", "location", "content-type"] {
        let value = answer.headers().get(header).and_then(|value| value.to_str().ok()).unwrap_or("-");
        let _ = write!(sighting, " {value}");
    }
    let _ = write!(sighting, " {}", answer.headers().contains_key("x-amz-request-id"));
    let body = answer.body_mut().with_config().limit(BODY_MAX).lossy_utf8(true).read_to_string();
    for element in ["Code", "Message"] {
        let _ = write!(sighting, " {}", within(body.as_deref().unwrap_or_default(), element).unwrap_or("-"));
    }
    Sighting(sighting)
}

/// Text of the first `element` of an XML document.
fn within<'a>(document: &'a str, element: &str) -> Option<&'a str> {
    let (_, rest) = document.split_once(&format!("<{element}>"))?;
    rest.split_once(&format!("</{element}>")).map(|(text, _)| text)
}

fn fault(code: &str, message: &str) -> Fault {
    Fault { call: CALL, kind: FaultKind::Other, code: code.to_owned(), message: message.to_owned() }
}
