//! The keyring secret, from outside: its rotation, never its value.

use std::collections::BTreeMap;

use aws_config::SdkConfig;

use super::{AwsError, AwsErrorKind};

/// What is known of a secret without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretStatus {
    /// ARN.
    pub arn: String,
    /// Whether a rotation function is set and switched on.
    pub rotation_enabled: bool,
    /// The stages of each version, by version id.
    pub stages: BTreeMap<String, Vec<String>>,
    /// When it was last rotated, in seconds since the epoch.
    pub last_rotated: Option<i64>,
}

impl SecretStatus {
    /// The version that holds `stage`, such as `AWSCURRENT`.
    #[must_use]
    pub fn version_at(&self, stage: &str) -> Option<&str> {
        self.stages
            .iter()
            .find(|(_, stages)| stages.iter().any(|held| held == stage))
            .map(|(version, _)| version.as_str())
    }
}

/// Secrets Manager of one region.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    client: aws_sdk_secretsmanager::Client,
}

impl SecretsManager {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self { client: aws_sdk_secretsmanager::Client::new(config) }
    }

    /// The state of a secret, or `None` where there is none of this name or ARN.
    ///
    /// # Errors
    /// Where the call fails.
    pub async fn describe(&self, secret: &str) -> Result<Option<SecretStatus>, AwsError> {
        let answer = self.client.describe_secret().secret_id(secret).send().await;
        let answer = match answer.map_err(|error| AwsError::of("secretsmanager", "DescribeSecret", &error)) {
            Ok(answer) => answer,
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let stages = answer
            .version_ids_to_stages()
            .map(|versions| versions.iter().map(|(id, held)| (id.clone(), held.clone())).collect())
            .unwrap_or_default();
        Ok(Some(SecretStatus {
            arn: answer.arn().unwrap_or(secret).to_owned(),
            rotation_enabled: answer.rotation_enabled().unwrap_or(false),
            stages,
            last_rotated: answer.last_rotated_date().map(aws_smithy_types::DateTime::secs),
        }))
    }

    /// Starts a rotation; the answer is the id of the version that it makes. The same `token` starts no
    /// second one.
    ///
    /// # Errors
    /// Where the call fails, also while an earlier rotation is unfinished.
    pub async fn rotate(&self, secret: &str, token: &str) -> Result<String, AwsError> {
        let answer = self
            .client
            .rotate_secret()
            .secret_id(secret)
            .client_request_token(token)
            .rotate_immediately(true)
            .send()
            .await
            .map_err(|error| AwsError::of("secretsmanager", "RotateSecret", &error))?;
        Ok(answer.version_id().unwrap_or(token).to_owned())
    }
}
