//! Who the caller is.

use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;

use super::budgeted::Budgeted;
use super::{ApiGroup, AwsError, Boxed};

/// The caller's identity.
pub trait Identity: Send + Sync {
    /// The twelve digits of the caller's account.
    fn account(&self) -> Boxed<'_, Result<String, AwsError>>;
}

/// The real one. What it learns is remembered for the rate budget, which is kept per account.
#[derive(Debug, Clone)]
pub struct Sts {
    client: aws_sdk_sts::Client,
    budgeted: Budgeted,
    learned: Arc<OnceLock<String>>,
}

impl Sts {
    pub(super) fn new(config: &SdkConfig, budgeted: Budgeted, learned: Arc<OnceLock<String>>) -> Self {
        Self { client: aws_sdk_sts::Client::new(config), budgeted, learned }
    }
}

impl Identity for Sts {
    fn account(&self) -> Boxed<'_, Result<String, AwsError>> {
        Box::pin(async move {
            // The first call of every run keeps the SDK's few attempts: who has no network is told so in seconds.
            self.budgeted.turn(ApiGroup::Identity).await;
            let answer = self
                .client
                .get_caller_identity()
                .send()
                .await
                .map_err(|error| AwsError::of("sts", "GetCallerIdentity", &error))?;
            let account = answer
                .account()
                .ok_or_else(|| AwsError::incomplete("sts", "GetCallerIdentity", "Account"))?;
            self.learned.get_or_init(|| account.to_owned());
            Ok(account.to_owned())
        })
    }
}
