//! The local cloud's S3 and identity pools, for pages: it answers no browser by itself, as it knows neither TLS nor
//! CORS. Each tenant has a host for them, which hands requests on.

use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, ORIGIN,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::answers;
use super::body::Body;
use super::viewer::Viewer;
use crate::aws::LOCAL_ACCOUNT;

/// Longest wait for the local cloud.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The services of one tenant.
#[derive(Debug)]
pub(super) struct Services {
    endpoint: String,
    /// Web origins that may ask: those of the bucket's CORS rule, and the page under development.
    origins: Vec<String>,
    agent: ureq::Agent,
    /// Home region of the tenant.
    region: String,
}

impl Services {
    pub(super) fn new(endpoint: &str, region: &str, origins: Vec<String>) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).max_redirects(0);
        let agent = config.timeout_global(Some(TIMEOUT)).build().new_agent();
        Self { endpoint: endpoint.to_owned(), region: region.to_owned(), origins, agent }
    }

    /// Hands a request on.
    pub(super) async fn respond(&self, viewer: &Viewer, body: Vec<u8>) -> Response<Body> {
        let allowed =
            viewer.header(&ORIGIN).filter(|origin| self.origins.iter().any(|known| known == origin));
        let Some(origin) = allowed else {
            let message = "CORSResponse: This CORS request is not allowed.";
            return answers::of_bucket(StatusCode::FORBIDDEN, "AccessForbidden", message);
        };
        let mut response = if viewer.method == Method::OPTIONS {
            answers::answer(StatusCode::OK, "text/plain", "")
        } else {
            self.hand_on(viewer, body).await
        };
        let headers = response.headers_mut();
        if let Ok(origin) = HeaderValue::from_str(origin) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        let asked = viewer.headers.get("access-control-request-headers").cloned();
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(HeaderValue::from_static("*")));
        headers
            .insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag"));
        response
    }

    async fn hand_on(&self, viewer: &Viewer, body: Vec<u8>) -> Response<Body> {
        let mut request = http::Request::new(());
        *request.method_mut() = viewer.method.clone();
        let Ok(url) = format!("{}{}", self.endpoint, viewer.target()).parse() else {
            return answers::error(StatusCode::BAD_REQUEST, "The URL cannot be handed on.");
        };
        *request.uri_mut() = url;
        let mut headers = kept(&viewer.headers);
        if !headers.contains_key(AUTHORIZATION)
            && let Ok(scope) = HeaderValue::from_str(&self.unsigned())
        {
            headers.insert(AUTHORIZATION, scope);
        }
        *request.headers_mut() = headers;
        let agent = self.agent.clone();
        let asked = tokio::task::spawn_blocking(move || {
            // An empty body is none, which GET and HEAD must not have.
            let mut answer =
                if body.is_empty() { agent.run(request)? } else { agent.run(request.map(|()| body))? };
            let bytes = answer.body_mut().with_config().limit(64 * 1024 * 1024).read_to_vec()?;
            Ok::<_, ureq::Error>((answer.status(), answer.headers().clone(), bytes))
        });
        let Ok(Ok((status, headers, bytes))) = asked.await else {
            return answers::error(StatusCode::BAD_GATEWAY, "The local cloud does not answer.");
        };
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = status;
        for name in [CONTENT_TYPE, ETAG] {
            if let Some(value) = headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }
}

impl Services {
    /// Identity pools are asked without a signature. On AWS the host names the region; the local cloud has one host,
    /// and reads the region from a signature that it does not check.
    fn unsigned(&self) -> String {
        let scope = format!("{LOCAL_ACCOUNT}/20260101/{}/cognito-identity/aws4_request", self.region);
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none")
    }
}

/// The headers that AWS looks at; what belongs to the connection stays here.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let ours = |name: &str| {
        name.starts_with("x-amz-") || ["authorization", "content-type", "accept"].contains(&name)
    };
    let own = headers.iter().filter(|(name, _)| ours(name.as_str()) && *name != HOST);
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}
