//! The keyring secret, from outside: its rotation, never its value.

use std::collections::BTreeMap;

use aws_config::SdkConfig;

use super::budgeted::Budgeted;
use super::{ApiGroup, AwsError, AwsErrorKind, Boxed};

/// What is known of a secret without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretStatus {
    /// ARN.
    pub arn: String,
    /// Whether a rotation function is set and switched on.
    pub rotation_enabled: bool,
    /// The stages of each version, by version id. Versions without one are not told.
    pub stages: BTreeMap<String, Vec<String>>,
    /// When it was last rotated, in seconds since the epoch.
    pub last_rotated: Option<i64>,
    /// By when it is to be rotated next, in seconds since the epoch.
    pub next_rotation: Option<i64>,
}

/// Stage of the version that readers get.
pub const CURRENT: &str = "AWSCURRENT";
/// Stage of the version that readers got before.
pub const PREVIOUS: &str = "AWSPREVIOUS";
/// Stage of the version that is being rotated in. It may stay there afterwards.
pub const PENDING: &str = "AWSPENDING";

impl SecretStatus {
    /// The version that holds `stage`, such as [`CURRENT`].
    #[must_use]
    pub fn version_at(&self, stage: &str) -> Option<&str> {
        self.stages
            .iter()
            .find(|(_, stages)| stages.iter().any(|held| held == stage))
            .map(|(version, _)| version.as_str())
    }

    /// Whether `version` holds `stage`.
    #[must_use]
    pub fn holds(&self, version: &str, stage: &str) -> bool {
        self.stages.get(version).is_some_and(|stages| stages.iter().any(|held| held == stage))
    }

    /// The version of a rotation that is not finished.
    #[must_use]
    pub fn unfinished(&self) -> Option<&str> {
        self.version_at(PENDING).filter(|version| !self.holds(version, CURRENT))
    }
}

/// What rotating needs of Secrets Manager.
pub trait Secrets: Send + Sync {
    /// The state of a secret, or `None` where there is none of this name or ARN.
    fn describe<'a>(&'a self, secret: &'a str) -> Boxed<'a, Result<Option<SecretStatus>, AwsError>>;
    /// Starts a rotation; the answer is the id of the version that it makes. The same `token` starts no second
    /// one. It is refused while an earlier rotation is unfinished.
    fn rotate<'a>(&'a self, secret: &'a str, token: &'a str) -> Boxed<'a, Result<String, AwsError>>;
}

/// Secrets Manager of one region.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    client: aws_sdk_secretsmanager::Client,
    budgeted: Budgeted,
}

impl SecretsManager {
    pub(super) fn new(config: &SdkConfig, budgeted: Budgeted) -> Self {
        Self { client: aws_sdk_secretsmanager::Client::new(&Budgeted::single_attempts(config)), budgeted }
    }

    async fn describe_once(&self, secret: &str) -> Result<Option<SecretStatus>, AwsError> {
        let answer = self.client.describe_secret().secret_id(secret).send().await;
        let answer = match answer.map_err(|error| AwsError::of(SERVICE, "DescribeSecret", &error)) {
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
            next_rotation: answer.next_rotation_date().map(aws_smithy_types::DateTime::secs),
        }))
    }

    async fn rotate_once(&self, secret: &str, token: &str) -> Result<String, AwsError> {
        let call = self.client.rotate_secret().secret_id(secret).client_request_token(token);
        let answer = call.rotate_immediately(true).send().await;
        let answer = answer.map_err(|error| AwsError::of(SERVICE, "RotateSecret", &error))?;
        Ok(answer.version_id().unwrap_or(token).to_owned())
    }
}

impl Secrets for SecretsManager {
    fn describe<'a>(&'a self, secret: &'a str) -> Boxed<'a, Result<Option<SecretStatus>, AwsError>> {
        Box::pin(self.budgeted.call(ApiGroup::SecretReads, move || self.describe_once(secret)))
    }

    fn rotate<'a>(&'a self, secret: &'a str, token: &'a str) -> Boxed<'a, Result<String, AwsError>> {
        Box::pin(self.budgeted.call(ApiGroup::SecretWrites, move || self.rotate_once(secret, token)))
    }
}

const SERVICE: &str = "secretsmanager";
