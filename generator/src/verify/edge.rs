//! Two ways to ask a tenant's edge: through CloudFront, or its function alone where there is no CloudFront.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::target::{Target, VerifyError};
use crate::aws::Boxed;
use crate::aws::lambda::Lambda;

/// Longest wait for an answer of the edge.
const TIMEOUT: Duration = Duration::from_secs(30);
/// An address of the block for documentation (RFC 5737), as the viewer of a made-up event.
const VIEWER_ADDRESS: &str = "203.0.113.10";

/// A request of a viewer.
#[derive(Debug, Clone, Default)]
pub struct Question<'a> {
    /// Path, with a leading slash.
    pub path: &'a str,
    /// Access token for the `Authorization` header.
    pub token: Option<&'a str>,
    /// Value of the `Cookie` header.
    pub cookies: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, Vec<String>>,
    /// Body as text.
    pub body: String,
}

impl Answer {
    /// All values of a header; its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> &[String] {
        self.headers.get(name).map_or(&[], Vec::as_slice)
    }
}

/// A way to ask.
pub trait Edge: Send + Sync {
    /// What is asked, for reports.
    fn through(&self) -> String;
    /// Whether requests pass CloudFront's check of signed cookies, not only the function.
    fn guards_media(&self) -> bool;
    /// Asks.
    fn ask<'a>(&'a self, question: Question<'a>) -> Boxed<'a, Result<Answer, VerifyError>>;
}

/// The deployed function, invoked with the event that CloudFront would send.
#[derive(Debug, Clone)]
pub struct FunctionEdge {
    lambda: Lambda,
    target: Target,
}

impl FunctionEdge {
    /// The function of `target`; `lambda` is the one of us-east-1.
    #[must_use]
    pub fn new(lambda: Lambda, target: Target) -> Self {
        Self { lambda, target }
    }

    fn unreachable(&self, reason: impl Into<String>) -> VerifyError {
        VerifyError::Unreachable { what: self.target.signer_version.clone(), reason: reason.into() }
    }
}

impl Edge for FunctionEdge {
    fn through(&self) -> String {
        "the deployed function, with CloudFront's event".into()
    }

    fn guards_media(&self) -> bool {
        false
    }

    fn ask<'a>(&'a self, question: Question<'a>) -> Boxed<'a, Result<Answer, VerifyError>> {
        Box::pin(async move {
            let event = viewer_request(&self.target.host, &question).to_string();
            let doing = format!("invoking {}", self.target.signer_version);
            let invocation = self
                .lambda
                .invoke(&self.target.signer_version, event.into_bytes())
                .await
                .map_err(VerifyError::aws(doing))?;
            if let Some(error) = invocation.function_error {
                return Err(self.unreachable(format!("the function failed ({error})")));
            }
            let generated: Generated = serde_json::from_slice(&invocation.payload)
                .map_err(|error| self.unreachable(format!("its answer is no response: {error}")))?;
            generated.into_answer().ok_or_else(|| self.unreachable("its answer has no status"))
        })
    }
}

/// Source: AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.
fn viewer_request(host: &str, question: &Question<'_>) -> Value {
    let mut headers = json!({ "host": [{ "key": "Host", "value": host }] });
    if let Some(token) = question.token {
        headers["authorization"] = json!([{ "key": "Authorization", "value": format!("Bearer {token}") }]);
    }
    if let Some(cookies) = &question.cookies {
        headers["cookie"] = json!([{ "key": "Cookie", "value": cookies }]);
    }
    json!({ "Records": [{ "cf": {
        "config": {
            "distributionDomainName": host,
            "distributionId": "VERIFY",
            "eventType": "viewer-request",
            "requestId": "verify",
        },
        "request": {
            "clientIp": VIEWER_ADDRESS,
            "headers": headers,
            "method": "GET",
            "querystring": "",
            "uri": question.path,
        },
    } }] })
}

/// A response that a function generates.
#[derive(Deserialize)]
struct Generated {
    status: Value,
    #[serde(default)]
    headers: BTreeMap<String, Vec<Header>>,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
struct Header {
    value: String,
}

impl Generated {
    fn into_answer(self) -> Option<Answer> {
        let status = match &self.status {
            Value::String(text) => text.parse().ok()?,
            Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
            _ => return None,
        };
        let values = |headers: Vec<Header>| headers.into_iter().map(|header| header.value).collect();
        let headers =
            self.headers.into_iter().map(|(name, all)| (name.to_lowercase(), values(all))).collect();
        Some(Answer { status, headers, body: self.body })
    }
}

/// The distribution itself, over HTTPS.
#[derive(Debug, Clone)]
pub struct HttpEdge {
    host: String,
    agent: ureq::Agent,
}

impl HttpEdge {
    /// The distribution of `target`.
    #[must_use]
    pub fn new(target: &Target) -> Self {
        Self { host: target.host.clone(), agent: agent() }
    }
}

/// An HTTP client that takes every status as an answer and follows no redirect.
pub(super) fn agent() -> ureq::Agent {
    // An installed provider is the one wanted: this is the only place of the process that installs one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(TIMEOUT))
        .build()
        .new_agent()
}

impl Edge for HttpEdge {
    fn through(&self) -> String {
        format!("https://{}", self.host)
    }

    fn guards_media(&self) -> bool {
        true
    }

    fn ask<'a>(&'a self, question: Question<'a>) -> Boxed<'a, Result<Answer, VerifyError>> {
        let url = format!("https://{}{}", self.host, question.path);
        let agent = self.agent.clone();
        let token = question.token.map(|token| format!("Bearer {token}"));
        let cookies = question.cookies;
        Box::pin(async move {
            let what = url.clone();
            let asked = tokio::task::spawn_blocking(move || get(&agent, &url, token, cookies)).await;
            let failed = |reason: String| VerifyError::Unreachable { what: what.clone(), reason };
            asked.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
        })
    }
}

fn get(
    agent: &ureq::Agent,
    url: &str,
    token: Option<String>,
    cookies: Option<String>,
) -> Result<Answer, ureq::Error> {
    let mut request = agent.get(url);
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    if let Some(cookies) = cookies {
        request = request.header("cookie", cookies);
    }
    let mut response = request.call()?;
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str().to_lowercase()).or_default().push(value);
    }
    let status = response.status().as_u16();
    let body = response.body_mut().read_to_string().unwrap_or_default();
    Ok(Answer { status, headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_response_is_read_with_all_its_cookies() {
        let generated: Generated = serde_json::from_value(json!({
            "status": "200",
            "headers": { "Set-Cookie": [{ "key": "Set-Cookie", "value": "a" }, { "value": "b" }] },
        }))
        .unwrap();
        let answer = generated.into_answer().unwrap();
        assert_eq!((answer.status, answer.header("set-cookie").len()), (200, 2));
    }

    #[test]
    fn an_event_without_a_token_has_no_authorization() {
        let event = viewer_request("h.example", &Question { path: "/cookie", ..Question::default() });
        let headers = &event["Records"][0]["cf"]["request"]["headers"];
        assert!(headers.get("authorization").is_none());
        assert_eq!(headers["host"][0]["value"], "h.example");
    }
}
