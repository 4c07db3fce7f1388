//! Parameters that a tenant's edge reads and its rotator writes.

use aws_config::SdkConfig;

use super::budgeted::Budgeted;
use super::{ApiGroup, AwsError, AwsErrorKind};

/// Parameter Store of one region.
#[derive(Debug, Clone)]
pub struct Ssm {
    client: aws_sdk_ssm::Client,
    budgeted: Budgeted,
}

impl Ssm {
    pub(super) fn new(config: &SdkConfig, budgeted: Budgeted) -> Self {
        Self { client: aws_sdk_ssm::Client::new(&Budgeted::single_attempts(config)), budgeted }
    }

    /// The value of a parameter, or `None` where there is none of this name.
    ///
    /// # Errors
    /// Where the call fails.
    pub async fn value(&self, name: &str) -> Result<Option<String>, AwsError> {
        let answer = self.budgeted.call(ApiGroup::Parameters, || async {
            let answer = self.client.get_parameter().name(name).send().await;
            answer.map_err(|error| AwsError::of("ssm", "GetParameter", &error))
        });
        match answer.await {
            Ok(answer) => Ok(answer.parameter().and_then(|found| found.value()).map(str::to_owned)),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
