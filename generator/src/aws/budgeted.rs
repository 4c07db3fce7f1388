//! Clients whose every attempt counts against the shared rate budget.

use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;

use super::{ApiGroup, AwsError, RateBudget};

/// The budget as one client uses it: for one account and one region.
#[derive(Debug, Clone)]
pub(super) struct Budgeted {
    pub(super) budget: Arc<RateBudget>,
    /// Filled once somebody has asked who the caller is.
    pub(super) account: Arc<OnceLock<String>>,
    pub(super) region: String,
}

impl Budgeted {
    /// The configuration without the SDK's own retries, which would pass the budget by.
    pub(super) fn single_attempts(config: &SdkConfig) -> SdkConfig {
        config.to_builder().retry_config(RetryConfig::disabled()).build()
    }

    /// [`RateBudget::call`] for this account and region.
    pub(super) async fn call<T, F>(&self, group: ApiGroup, attempt: impl FnMut() -> F) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        // Boxed: futures of whole commands hold those of every call, and grow past what the compiler lays out.
        Box::pin(self.budget.call(group, self.account(), &self.region, attempt)).await
    }

    /// [`RateBudget::write`] for this account and region.
    pub(super) async fn write<T, F>(&self, group: ApiGroup, attempt: impl FnMut() -> F) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        Box::pin(self.budget.write(group, self.account(), &self.region, attempt)).await
    }

    /// Waits for the turn of something that this tool does not call itself, but has done.
    pub(super) async fn turn(&self, group: ApiGroup) {
        self.budget.take(group, self.account(), &self.region).await;
    }

    fn account(&self) -> &str {
        self.account.get().map_or("", String::as_str)
    }
}
