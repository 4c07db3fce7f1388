//! One tenant's edge: what happens to a request, in CloudFront's order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::UNIX_EPOCH;

use http::header::{HeaderName, SERVER, VIA};
use http::{HeaderValue, Method, Response, StatusCode};

use super::answers;
use super::body::Body;
use super::cache::Cache;
use super::content::{Source, fetch};
use super::distribution::{Behaviour, Distribution, ViewerProtocol};
use super::function::{Broken, Decision, Function, Names};
use super::keys::KeyGroup;
use super::origin::Origin;
use super::verifier::{Grant, Refusal, Seen, Verified, judge, own_query};
use super::viewer::Viewer;
use crate::clock::Clock;

/// Host names of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hosts {
    /// Id of the distribution.
    pub(super) id: String,
    /// Name that CloudFront gave it.
    pub(super) domain: String,
    /// Name that viewers use, which policies are about.
    pub(super) public: String,
    /// Name on this machine, which stands for the public one.
    pub(super) local: String,
}

/// What can change while it is served.
#[derive(Debug)]
pub(super) struct Served {
    /// The distribution.
    pub(super) distribution: Distribution,
    /// Its functions by their versioned ARN.
    pub(super) functions: BTreeMap<String, Arc<Function>>,
}

/// One tenant's edge.
#[derive(Debug)]
pub(super) struct Cdn {
    pub(super) hosts: Hosts,
    pub(super) served: RwLock<Arc<Served>>,
    pub(super) origin: Origin,
    pub(super) cache: Cache,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) groups: RwLock<BTreeMap<String, Arc<KeyGroup>>>,
    pub(super) verified: Verified,
    pub(super) requests: AtomicU64,
}

impl Cdn {
    /// Answers a request.
    pub(super) async fn respond(&self, mut viewer: Viewer) -> Response<Body> {
        let served = Arc::clone(&self.served.read().unwrap_or_else(PoisonError::into_inner));
        let distribution = &served.distribution;
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number:x}", self.hosts.id);
        if viewer.is_too_long() {
            let error =
                answers::error(StatusCode::PAYLOAD_TOO_LARGE, "Bad request. The request is too long.");
            return self.finish(error, Source::Error, None, &viewer, &id);
        }
        let Some(behaviour) = distribution.behaviour(&viewer.path) else {
            return self.finish(answers::error(StatusCode::FORBIDDEN, ""), Source::Error, None, &viewer, &id);
        };
        let (response, source) = match self.answer(&served, behaviour, &mut viewer, &id).await {
            Ok(answered) => answered,
            // The origin cannot be reached at all.
            Err(error) => {
                let reason = format!("the local cloud did not answer: {} {}", error.operation, error.code);
                (answers::error(StatusCode::BAD_GATEWAY, &reason), Source::Error)
            }
        };
        let response = match source {
            Source::Error => self.instead(distribution, response, &viewer).await,
            _ => response,
        };
        self.finish(response, source, Some(behaviour), &viewer, &id)
    }

    async fn answer(
        &self,
        served: &Served,
        behaviour: &Behaviour,
        viewer: &mut Viewer,
        id: &str,
    ) -> Result<(Response<Body>, Source), crate::aws::AwsError> {
        if !viewer.tls {
            match behaviour.protocol {
                ViewerProtocol::AllowAll => {}
                ViewerProtocol::RedirectToHttps => return Ok((answers::to_tls(viewer), Source::Redirect)),
                ViewerProtocol::HttpsOnly => {
                    let reason = "Bad request. This distribution takes requests over HTTPS only.";
                    return Ok((answers::error(StatusCode::FORBIDDEN, reason), Source::Error));
                }
            }
        }
        if !behaviour.methods.contains(&viewer.method) {
            let reason = "This distribution is not configured to allow the HTTP request method that was used for \
                          this request.";
            return Ok((answers::error(StatusCode::FORBIDDEN, reason), Source::Error));
        }
        if viewer.method == Method::GET && viewer.body {
            let reason = "Bad request. A GET request has no body.";
            return Ok((answers::error(StatusCode::FORBIDDEN, reason), Source::Error));
        }
        if !behaviour.key_groups.is_empty()
            && let Some(refusal) = self.refusal(behaviour, viewer).await?
        {
            return Ok((answers::refused(refusal), Source::Error));
        }
        if let Some(arn) = &behaviour.viewer_request {
            let Some(function) = served.functions.get(arn) else {
                let reason = "The function of this behaviour is not deployed.";
                return Ok((answers::error(StatusCode::SERVICE_UNAVAILABLE, reason), Source::ExecutionError));
            };
            let names = Names { domain: &self.hosts.domain, id: &self.hosts.id, host: self.host(viewer) };
            match function.decide(viewer, &names, id).await {
                Ok(Decision::Answer { status, headers, body }) => {
                    let mut response = Response::new(Body::from(body));
                    *response.status_mut() = status;
                    *response.headers_mut() = headers;
                    return Ok((response, Source::Generated));
                }
                Ok(Decision::GoOn { uri, query }) => {
                    viewer.path = uri;
                    viewer.query = (!query.is_empty()).then_some(query);
                }
                Err(Broken::Execution(reason)) => {
                    let response = answers::error(StatusCode::SERVICE_UNAVAILABLE, &escaped(&reason));
                    return Ok((response, Source::ExecutionError));
                }
                Err(Broken::Validation(rule)) => {
                    let response = answers::error(StatusCode::BAD_GATEWAY, &escaped(&rule));
                    return Ok((response, Source::ValidationError));
                }
            }
        }
        if viewer.method == Method::OPTIONS {
            return Ok(preflight(behaviour, viewer));
        }
        fetch(self, &served.distribution, behaviour, viewer).await
    }

    /// Why a guarded file stays closed; `None`: it is open.
    async fn refusal(
        &self,
        behaviour: &Behaviour,
        viewer: &Viewer,
    ) -> Result<Option<Refusal>, crate::aws::AwsError> {
        let grant = match Grant::read(viewer.query.as_deref(), &viewer.cookies()) {
            Ok(grant) => grant,
            Err(refusal) => return Ok(Some(refusal)),
        };
        let scheme = if viewer.tls { "https" } else { "http" };
        let query = own_query(viewer.query.as_deref()).map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{scheme}://{}{}{query}", self.host(viewer), viewer.path);
        let mut refusal = Refusal::UnknownKey;
        for id in &behaviour.key_groups {
            let keys = self.group(id);
            let Some(keys) = keys else { continue };
            let keys = keys.keys(grant.key_id()).await?;
            let now = self.clock.now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let seen = Seen { url: &url, now, viewer: viewer.address };
            match judge(&grant, &keys, seen, &self.verified) {
                Ok(()) => return Ok(None),
                Err(Refusal::UnknownKey) => {}
                Err(other) => refusal = other,
            }
        }
        Ok(Some(refusal))
    }

    fn group(&self, id: &str) -> Option<Arc<KeyGroup>> {
        self.groups.read().unwrap_or_else(PoisonError::into_inner).get(id).map(Arc::clone)
    }

    /// The host that a request is about: the public one where it came under the name on this machine.
    fn host<'a>(&'a self, viewer: &'a Viewer) -> &'a str {
        if viewer.host == self.hosts.local { &self.hosts.public } else { &viewer.host }
    }

    /// What the distribution shows in place of an error.
    async fn instead(
        &self,
        distribution: &Distribution,
        error: Response<Body>,
        viewer: &Viewer,
    ) -> Response<Body> {
        let told = distribution.errors.iter().find(|told| told.status == error.status().as_u16());
        let Some((path, status)) = told.and_then(|told| told.page.clone()) else { return error };
        let page = Viewer {
            method: if viewer.method == Method::HEAD { Method::HEAD } else { Method::GET },
            path,
            query: None,
            headers: http::HeaderMap::new(),
            ..viewer.clone()
        };
        let Some(behaviour) = distribution.behaviour(&page.path) else { return error };
        // CloudFront asks the origin for the page by itself: no signature is looked at.
        match fetch(self, distribution, behaviour, &page).await {
            Ok((mut response, Source::Hit | Source::RefreshHit | Source::Miss)) => {
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or(error.status());
                response
            }
            _ => error,
        }
    }

    fn finish(
        &self,
        mut response: Response<Body>,
        source: Source,
        behaviour: Option<&Behaviour>,
        viewer: &Viewer,
        id: &str,
    ) -> Response<Body> {
        let headers = response.headers_mut();
        headers.entry(SERVER).or_insert(HeaderValue::from_static("CloudFront"));
        if let Some(policy) = behaviour.and_then(|behaviour| behaviour.headers.as_ref()) {
            policy.apply(headers, viewer.origin(), viewer.method == Method::OPTIONS);
        }
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set(VIA, "1.1 local.cloudfront.net (CloudFront)");
        set(HeaderName::from_static("x-cache"), source.text());
        set(HeaderName::from_static("x-amz-cf-pop"), "LOCAL1-P1");
        set(HeaderName::from_static("x-amz-cf-id"), id);
        response
    }
}

/// What S3 answers a browser that asks what it may ask. The bucket lists the same origins as the headers policy.
fn preflight(behaviour: &Behaviour, viewer: &Viewer) -> (Response<Body>, Source) {
    let allows = |origin| behaviour.headers.as_ref().is_some_and(|policy| policy.allows(origin));
    if viewer.origin().is_some_and(allows) {
        return (Response::new(Body::from("")), Source::Miss);
    }
    let message = "CORSResponse: This CORS request is not allowed.";
    (answers::of_bucket(StatusCode::FORBIDDEN, "AccessForbidden", message), Source::Error)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
