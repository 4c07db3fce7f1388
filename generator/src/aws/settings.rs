//! How a cloud is reached: settings -> the SDK's configuration.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::{LOCAL_ACCOUNT, http};

/// Which cloud, and as whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudSettings {
    /// Profile of the shared AWS configuration files.
    pub profile: Option<String>,
    /// Endpoint of every service: a local cloud, or any other emulator.
    pub endpoint_url: Option<String>,
    /// PEM file with the certificate authorities to trust instead of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Role to assume for every call.
    pub role_arn: Option<String>,
    /// The local cloud: fixed dummy credentials, no rate limit, nothing read from AWS's files.
    pub local: bool,
    /// Most calls a second of each group of calls that share a limit, for each account and region; below AWS's
    /// own limits, where others use the account too.
    pub calls_per_second: Option<NonZeroU32>,
}

/// A cloud that cannot be reached as its settings say.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The certificate bundle cannot be read.
    #[error("the certificate bundle `{}` cannot be read", .path.display())]
    CaBundle {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The certificate bundle has no certificate that can be used.
    #[error("the certificate bundle `{}` holds no usable certificate: {reason}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A local cloud without its address.
    #[error("the local cloud needs an endpoint URL")]
    NoEndpoint,
}

/// Longest wait for one answer. CloudFormation answers at once or not at all; uploads have their own.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Longest wait for one call with all its attempts.
const CALL: Duration = Duration::from_secs(180);
const CONNECT: Duration = Duration::from_secs(5);
/// Attempts of one call. With the SDK's backoff this rides out about half a minute of throttling.
const ATTEMPTS: u32 = 6;
const LOCAL_ATTEMPTS: u32 = 3;

impl CloudSettings {
    /// The configuration that all clients share, with no region of its own in the local case.
    pub(super) async fn load(&self) -> Result<SdkConfig, ConnectError> {
        let http = self.http_client()?;
        if self.local { self.load_local(http) } else { Ok(self.load_aws(http).await) }
    }

    fn load_local(&self, http: SharedHttpClient) -> Result<SdkConfig, ConnectError> {
        let endpoint = self.endpoint_url.as_deref().ok_or(ConnectError::NoEndpoint)?;
        let credentials = Credentials::new(LOCAL_ACCOUNT, "local", None, None, "local cloud");
        Ok(SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(LOCAL_ATTEMPTS))
            .timeout_config(timeouts())
            .build())
    }

    async fn load_aws(&self, http: SharedHttpClient) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts());
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = &self.endpoint_url {
            loader = loader.endpoint_url(endpoint);
        }
        loader.load().await
    }

    fn http_client(&self) -> Result<SharedHttpClient, ConnectError> {
        if let Some(path) = &self.ca_bundle {
            let pem = std::fs::read(path)
                .map_err(|source| ConnectError::CaBundle { path: path.clone(), source })?;
            return http::trusting(&pem)
                .map_err(|reason| ConnectError::Certificates { path: path.clone(), reason });
        }
        let plain = self.local && self.endpoint_url.as_deref().is_some_and(|url| url.starts_with("http://"));
        Ok(if plain { http::plain() } else { http::https() })
    }
}

/// `base`, but acting as `role_arn`.
pub(super) async fn assume(base: &SdkConfig, role_arn: &str) -> SdkConfig {
    let mut provider = AssumeRoleProvider::builder(role_arn).session_name("generator").configure(base);
    if base.region().is_none() {
        provider = provider.region(Region::from_static("us-east-1"));
    }
    let provider = SharedCredentialsProvider::new(provider.build().await);
    base.to_builder()
        .credentials_provider(provider)
        .identity_cache(aws_config::identity::IdentityCache::lazy().build())
        .build()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(CALL)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_local_cloud_has_fixed_credentials_and_needs_an_endpoint() {
        let mut settings = CloudSettings { local: true, ..CloudSettings::default() };
        assert!(matches!(settings.load().await, Err(ConnectError::NoEndpoint)));
        settings.endpoint_url = Some("http://127.0.0.1:1".into());
        let config = settings.load().await.expect("a local configuration");
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:1"));
        assert!(config.credentials_provider().is_some());
    }

    #[tokio::test]
    async fn an_unreadable_or_empty_certificate_bundle_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        let settings = CloudSettings { ca_bundle: Some(path.clone()), ..CloudSettings::default() };
        assert!(matches!(settings.load().await, Err(ConnectError::CaBundle { .. })));
        std::fs::write(&path, "no certificate").expect("a file");
        assert!(matches!(settings.load().await, Err(ConnectError::Certificates { .. })));
    }
}
