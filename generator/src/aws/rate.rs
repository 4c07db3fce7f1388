//! One rate budget for all tenants of a process: a token bucket per group of calls, account and region.
//!
//! CloudFormation's limits are per account and region and cannot be raised (change-set calls 2 a second,
//! describing stacks and events 10 a second). Staying below them is faster than being throttled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// Calls that share one limit of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiGroup {
    /// Creating, describing, executing, listing change sets; deleting stacks.
    ChangeSets,
    /// Describing stacks, their events and resources; reading templates.
    Describes,
}

impl ApiGroup {
    /// Calls a second that AWS allows an account in a region.
    fn per_second(self) -> f64 {
        match self {
            Self::ChangeSets => 2.0,
            Self::Describes => 10.0,
        }
    }
}

/// The budget. Clones of its `Arc` share it.
#[derive(Debug)]
pub struct RateBudget {
    limited: bool,
    clock: Arc<dyn Clock>,
    buckets: Mutex<HashMap<(ApiGroup, String, String), Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    /// Calls that may go now; below zero where callers already wait for theirs.
    tokens: f64,
    refilled: Duration,
}

impl RateBudget {
    /// The limits of AWS.
    #[must_use]
    pub fn of_aws(clock: Arc<dyn Clock>) -> Self {
        Self { limited: true, clock, buckets: Mutex::default() }
    }

    /// No limit, for a local cloud.
    #[must_use]
    pub fn unlimited(clock: Arc<dyn Clock>) -> Self {
        Self { limited: false, clock, buckets: Mutex::default() }
    }

    /// Waits until one more call of `group` may go to `account` in `region`.
    pub async fn take(&self, group: ApiGroup, account: &str, region: &str) {
        let wait = self.reserve(group, account, region);
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }

    /// Takes a place in the queue; the answer is how long until its turn.
    fn reserve(&self, group: ApiGroup, account: &str, region: &str) -> Duration {
        if !self.limited {
            return Duration::ZERO;
        }
        let now = self.clock.elapsed();
        let rate = group.per_second();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets
            .entry((group, account.to_owned(), region.to_owned()))
            .or_insert(Bucket { tokens: rate, refilled: now });
        let refill = now.saturating_sub(bucket.refilled).as_secs_f64() * rate;
        bucket.tokens = (bucket.tokens + refill).min(rate) - 1.0;
        bucket.refilled = now;
        Duration::from_secs_f64((-bucket.tokens / rate).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[tokio::test]
    async fn the_third_change_set_call_of_a_second_waits_its_turn() {
        let clock = ManualClock::default();
        let budget = RateBudget::of_aws(Arc::new(clock.clone()));
        for _ in 0..2 {
            budget.take(ApiGroup::ChangeSets, "1", "us-east-1").await;
        }
        assert_eq!(clock.elapsed(), Duration::ZERO);
        budget.take(ApiGroup::ChangeSets, "1", "us-east-1").await;
        assert_eq!(clock.elapsed(), Duration::from_millis(500));
    }

    #[test]
    fn regions_accounts_and_groups_have_budgets_of_their_own() {
        let budget = RateBudget::of_aws(Arc::new(ManualClock::default()));
        for _ in 0..2 {
            assert_eq!(budget.reserve(ApiGroup::ChangeSets, "1", "us-east-1"), Duration::ZERO);
        }
        assert_eq!(budget.reserve(ApiGroup::ChangeSets, "1", "eu-north-1"), Duration::ZERO);
        assert_eq!(budget.reserve(ApiGroup::ChangeSets, "2", "us-east-1"), Duration::ZERO);
        assert_eq!(budget.reserve(ApiGroup::Describes, "1", "us-east-1"), Duration::ZERO);
        assert!(!budget.reserve(ApiGroup::ChangeSets, "1", "us-east-1").is_zero());
    }

    #[test]
    fn a_local_cloud_has_no_limit() {
        let budget = RateBudget::unlimited(Arc::new(ManualClock::default()));
        assert!((0..100).all(|_| budget.reserve(ApiGroup::ChangeSets, "1", "r").is_zero()));
    }
}
