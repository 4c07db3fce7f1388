//! The world as AWS has it: one adapter for each service, with the calls used and no rule of the protocol.

mod cloudfront;
mod edges;
mod failure;
mod pace;
mod secretsmanager;
mod ssm;

use std::time::{Duration, SystemTime};

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use contract::keyring::{KeyAlgorithm, Keyring};
use tokio::task;

use crate::keypair::{self, KeyPairError};
use crate::ports::{Clock, Fault, FaultKind, KeyPair, KeyPairs};
pub use edges::Edges;
use pace::PacedClient;

/// Attempts that the SDK makes at a call that is throttled or broken off, with growing pauses.
const CALL_ATTEMPTS: u32 = 8;

/// Longest time one call may take with all its attempts.
const CALL_TIME: Duration = Duration::from_secs(90);

/// Longest time one attempt at a call may take.
const ATTEMPT_TIME: Duration = Duration::from_secs(15);

/// AWS, reached with the function's own role.
#[derive(Debug)]
pub struct Aws {
    cloudfront: aws_sdk_cloudfront::Client,
    secrets: aws_sdk_secretsmanager::Client,
    parameters: aws_sdk_ssm::Client,
    edges: Option<Edges>,
}

impl Aws {
    /// Clients with the region, credentials and endpoint that stand in the environment. Calls nothing.
    pub async fn connect() -> Self {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .load()
            .await;
        Self::with(&config, https())
    }

    /// Clients with the region, credentials and endpoint of `config`, over the connections of `http`. How
    /// often a call is tried, for how long and at what rate is decided here.
    ///
    /// Where the endpoint is not AWS's own there are no edges that anybody could visit.
    #[must_use]
    pub fn with(config: &SdkConfig, http: SharedHttpClient) -> Self {
        let timeouts =
            TimeoutConfig::builder().operation_timeout(CALL_TIME).operation_attempt_timeout(ATTEMPT_TIME);
        let config = config
            .to_builder()
            .http_client(PacedClient::new(http))
            .retry_config(RetryConfig::standard().with_max_attempts(CALL_ATTEMPTS))
            .timeout_config(timeouts.build())
            .build();
        Self {
            cloudfront: aws_sdk_cloudfront::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            parameters: aws_sdk_ssm::Client::new(&config),
            edges: config.endpoint_url().is_none().then(|| Edges::over("https")),
        }
    }
}

/// Connections of this process's own to the services.
#[must_use]
pub fn https() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https()
}

impl Clock for Aws {
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    async fn sleep(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

impl KeyPairs for Aws {
    async fn generate(&self, algorithm: KeyAlgorithm) -> Result<KeyPair, Fault> {
        let made = task::spawn_blocking(move || keypair::generate(algorithm)).await;
        made.unwrap_or(Err(KeyPairError::NotMade)).map_err(|cause| key_fault("GenerateKeyPair", cause))
    }

    async fn proves(&self, keyring: &Keyring, pem: &str) -> Result<bool, Fault> {
        keypair::proves(&keyring.private_key, pem).map_err(|cause| key_fault("ProveKeyPair", cause))
    }
}

fn key_fault(call: &'static str, cause: KeyPairError) -> Fault {
    Fault { call, kind: FaultKind::Other, code: "KeyPair".to_owned(), message: cause.to_string() }
}
