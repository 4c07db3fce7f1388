//! The three documents that the signer reads from the network.
//!
//! Parameter Store and Secrets Manager are called without an SDK: it would be the larger part of the
//! function and of its cold start.

use std::time::{Duration, Instant};

use contract::EDGE_REGION;
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use crate::clock::Moment;
use crate::settings::{Credentials, Settings};
use crate::sigv4::{Post, Signature, signature};
use crate::tls;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Longest wait for one answer; another try follows where there is time.
const TRY_MAX: Duration = Duration::from_millis(1_500);
/// Most tries of one call.
const TRIES_MAX: u32 = 4;
/// Pause before the second try; it doubles with each.
const PAUSE: Duration = Duration::from_millis(100);
/// Size of each of a connection's two buffers, in bytes. The head of a request, with a session token of a few
/// KB, and the head of an answer must fit.
const BUFFER: usize = 16 * 1024;
/// Largest answer that is read, in bytes: four times the largest secret.
const ANSWER_MAX: u64 = 256 * 1024;

/// Why a document could not be read. Holds nothing of the request or the answer but an error code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AwsError {
    /// No whole answer in time.
    #[error("no answer")]
    NoAnswer,
    /// Whoever is at the other end cannot prove that it is who was called. Nothing was said to it.
    #[error("the certificate is not trusted")]
    Untrusted,
    /// An answer that refuses.
    #[error("refused with status {status}, code `{code}`")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Error code of the service; empty where it named none.
        code: String,
    },
    /// An answer that is not what the service documents.
    #[error("the answer cannot be read")]
    Unreadable,
}

impl AwsError {
    /// Whether the same call may succeed a moment later.
    fn is_passing(&self) -> bool {
        match self {
            Self::NoAnswer => true,
            Self::Refused { status, code } => {
                *status >= 500 || *status == 429 || code.contains("Throttl") || code == "TooManyRequests"
            }
            Self::Unreadable | Self::Untrusted => false,
        }
    }
}

/// A secret as it was read.
pub struct Secret {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its text. Never shown: this type has no `Debug`.
    pub text: String,
}

/// The network.
pub struct Aws {
    agent: ureq::Agent,
    credentials: Credentials,
    endpoint: Option<String>,
}

impl Aws {
    /// A client that trusts the public certificate authorities. For a local cloud alone it takes plain HTTP,
    /// or the authorities that the settings name.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let bundle = settings.ca_bundle.as_deref().filter(|_| settings.endpoint.is_some());
        let tls = ureq::tls::TlsConfig::builder()
            .provider(ureq::tls::TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(tls::provider())
            .root_certs(tls::roots(bundle))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .https_only(settings.endpoint.is_none())
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent("generator-signer")
            // The default, 256 KB a connection, costs a cold start 1 ms to fill with zeros.
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            // A connection that was open when Lambda froze the process is dead when it thaws.
            .max_idle_connections(0)
            .build()
            .new_agent();
        Self { agent, credentials: settings.credentials.clone(), endpoint: settings.endpoint.clone() }
    }

    /// Value of a parameter of Parameter Store.
    ///
    /// # Errors
    /// Where it cannot be read before `deadline`.
    pub fn parameter(&self, name: &str, deadline: Instant) -> Result<String, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            parameter: Parameter,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Parameter {
            value: String,
        }
        let body = json!({ "Name": name });
        let answer: Answer = self.call("ssm", "AmazonSSM.GetParameter", &body, deadline)?;
        Ok(answer.parameter.value)
    }

    /// The current version of a secret, by ARN or name.
    ///
    /// # Errors
    /// Where it cannot be read before `deadline`, or has no text.
    pub fn secret(&self, id: &str, deadline: Instant) -> Result<Secret, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            #[serde(rename = "ARN")]
            arn: String,
            name: String,
            secret_string: String,
        }
        let body = json!({ "SecretId": id });
        let answer: Answer = self.call("secretsmanager", "secretsmanager.GetSecretValue", &body, deadline)?;
        Ok(Secret { arn: answer.arn, name: answer.name, text: answer.secret_string })
    }

    /// The JWK set that `issuer` publishes. A local cloud serves it under the id of the user pool.
    ///
    /// # Errors
    /// Where it cannot be read before `deadline`.
    pub fn jwks(&self, issuer: &str, deadline: Instant) -> Result<Vec<u8>, AwsError> {
        let base = match &self.endpoint {
            Some(endpoint) => {
                let pool = issuer.rsplit('/').next().unwrap_or_default();
                format!("{endpoint}/{pool}")
            }
            None => issuer.to_owned(),
        };
        let url = format!("{base}/.well-known/jwks.json");
        retried(deadline, |time| {
            let request = self.agent.get(&url).config().timeout_global(Some(time)).build();
            read(request.call())
        })
    }

    fn call<T: for<'de> Deserialize<'de>>(
        &self,
        service: &str,
        target: &str,
        body: &serde_json::Value,
        deadline: Instant,
    ) -> Result<T, AwsError> {
        let base = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => format!("https://{service}.{EDGE_REGION}.amazonaws.com"),
        };
        let host = base.split_once("://").map_or(base.as_str(), |(_, host)| host);
        let url = format!("{base}/");
        let body = body.to_string();
        let body = body.as_bytes();
        let post = Post { service, region: EDGE_REGION, host, target, content_type: CONTENT_TYPE, body };
        let answer = retried(deadline, |time| {
            // Made anew for each try, because it holds the time.
            let Signature { authorization, date } = signature(&post, &self.credentials, Moment::now().epoch);
            let mut request = self
                .agent
                .post(&url)
                .header("Content-Type", CONTENT_TYPE)
                .header("X-Amz-Target", target)
                .header("X-Amz-Date", date)
                .header("Authorization", authorization);
            if let Some(session) = &self.credentials.session {
                request = request.header("X-Amz-Security-Token", session);
            }
            read(request.config().timeout_global(Some(time)).build().send(body))
        })?;
        serde_json::from_slice(&answer).map_err(|_| AwsError::Unreadable)
    }
}

/// Tries again after a passing failure, with pauses that double, while `deadline` leaves time.
fn retried<T>(
    deadline: Instant,
    mut attempt: impl FnMut(Duration) -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut last = AwsError::NoAnswer;
    let mut pause = Duration::ZERO;
    for _ in 0..TRIES_MAX {
        std::thread::sleep(pause.min(left()));
        if left().is_zero() {
            break;
        }
        match attempt(left().min(TRY_MAX)) {
            Err(error) if error.is_passing() => last = error,
            result => return result,
        }
        pause = pause.saturating_mul(2).max(PAUSE);
    }
    Err(last)
}

/// What it means that a call has no answer.
fn unanswered(error: &ureq::Error) -> AwsError {
    let inner = match error {
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        ureq::Error::Rustls(error) => Some(error),
        _ => None,
    };
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => AwsError::Untrusted,
        _ => AwsError::NoAnswer,
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(rename = "__type")]
        code: String,
    }
    let mut answer = answer.map_err(|error| unanswered(&error))?;
    let status = answer.status().as_u16();
    let body =
        answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec().map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => AwsError::Unreadable,
            _ => AwsError::NoAnswer,
        })?;
    if status == 200 {
        return Ok(body);
    }
    let code = serde_json::from_slice::<Refusal>(&body).map(|refusal| refusal.code).unwrap_or_default();
    // `com.amazonaws.service#Code` in some services. Only letters go on: the text reaches a log.
    let code = code.rsplit('#').next().unwrap_or_default();
    let code = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    Err(AwsError::Refused { status, code })
}
