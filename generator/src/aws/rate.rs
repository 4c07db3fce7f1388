//! One rate budget for all tenants of a process: a token bucket per group of calls, account and region.
//!
//! Staying below AWS's limits is faster than being throttled. Where a call is throttled all the same, because
//! others use the account too, its bucket slows down for everybody and recovers over some seconds.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::AwsError;
use super::AwsErrorKind;
use crate::clock::Clock;

/// Calls that share one limit of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiGroup {
    /// Creating, describing, executing, listing change sets; deleting stacks.
    ChangeSets,
    /// Describing stacks, their events and resources; reading templates.
    Describes,
    /// Changing distributions, also by way of a stack.
    CloudFrontUpdates,
    /// Starting rotations, and all else that changes secrets.
    SecretWrites,
    /// Describing secrets.
    SecretReads,
    /// Searching logs.
    LogSearches,
    /// Reading distributions, key groups and public keys; deleting keys that no group holds.
    CloudFrontReads,
    /// Reading and deleting functions. Invoking them is not among what Lambda limits so.
    Functions,
    /// Invoking functions.
    Invocations,
    /// Users, app clients and pools of Cognito.
    UserPools,
    /// Reading parameters.
    Parameters,
    /// Asking who the caller is.
    Identity,
}

impl ApiGroup {
    /// Calls a second: what AWS allows an account in a region, and cannot raise, or a part of it where others live
    /// on the same limit: the signers at the edge read the same 10,000 secrets and 40 parameters a second, the users
    /// of all tenants sign in at Cognito's 15 and more, stacks in work take their share of Lambda's 15. What
    /// CloudFront and STS allow is not published; about 130 distributions changed at once are known to be too many.
    fn per_second(self) -> f64 {
        match self {
            Self::CloudFrontUpdates => 1.0,
            Self::ChangeSets => 2.0,
            Self::LogSearches => 5.0,
            Self::Describes
            | Self::CloudFrontReads
            | Self::Functions
            | Self::UserPools
            | Self::Parameters => 10.0,
            Self::Identity => 20.0,
            Self::SecretWrites => 50.0,
            Self::SecretReads | Self::Invocations => 100.0,
        }
    }
}

/// The budget. Clones of its `Arc` share it.
#[derive(Debug)]
pub struct RateBudget {
    /// Whether the limits of AWS hold.
    of_aws: bool,
    /// Most calls a second of any one group.
    cap: Option<NonZeroU32>,
    clock: Arc<dyn Clock>,
    buckets: Mutex<HashMap<(ApiGroup, String, String), Bucket>>,
    calls: AtomicU64,
}

#[derive(Debug)]
struct Bucket {
    /// Calls that may go now; below zero where callers already wait for theirs.
    tokens: f64,
    /// Share of the full rate, below 1 after throttling.
    pace: f64,
    refilled: Duration,
}

/// Share of the full rate that a bucket never falls below.
const SLOWEST: f64 = 0.05;
/// Share of the full rate that a slowed bucket wins back each second.
const RECOVERY: f64 = 0.05;
/// Attempts of one call. With the waits between them they ride out more than a minute of throttling.
const ATTEMPTS: u32 = 9;
/// Longest wait before the second attempt; it doubles with each further one.
const BACKOFF: Duration = Duration::from_millis(200);
/// Longest wait between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(20);

impl RateBudget {
    /// The limits of AWS.
    #[must_use]
    pub fn of_aws(clock: Arc<dyn Clock>) -> Self {
        Self { of_aws: true, cap: None, clock, buckets: Mutex::default(), calls: AtomicU64::new(0) }
    }

    /// No limit, for a local cloud.
    #[must_use]
    pub fn unlimited(clock: Arc<dyn Clock>) -> Self {
        Self { of_aws: false, ..Self::of_aws(clock) }
    }

    /// The same, with at most `per_second` calls of each group.
    #[must_use]
    pub fn capped(mut self, per_second: Option<NonZeroU32>) -> Self {
        self.cap = per_second;
        self
    }

    /// Number of calls that have gone out under this budget, every attempt counted.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Waits until one more call of `group` may go to `account` in `region`.
    pub async fn take(&self, group: ApiGroup, account: &str, region: &str) {
        let wait = self.reserve(group, account, region);
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes a call, again where it failed for a passing reason. Every attempt takes its place in the queue, so
    /// `attempt` must not try again by itself.
    ///
    /// # Errors
    /// The call's own failure: one that will not pass, or the last one.
    pub async fn call<T, F>(
        &self,
        group: ApiGroup,
        account: &str,
        region: &str,
        attempt: impl FnMut() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        self.again(group, account, region, AwsError::is_passing, attempt).await
    }

    /// Makes a call that changes something, again only where the service has refused to look at it. Where the
    /// answer is lost or the service broke down, nobody knows whether it was done: the caller looks first.
    ///
    /// # Errors
    /// The call's own failure.
    pub async fn write<T, F>(
        &self,
        group: ApiGroup,
        account: &str,
        region: &str,
        attempt: impl FnMut() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        let refused = |error: &AwsError| error.kind == AwsErrorKind::Throttled;
        self.again(group, account, region, refused, attempt).await
    }

    async fn again<T, F>(
        &self,
        group: ApiGroup,
        account: &str,
        region: &str,
        may: impl Fn(&AwsError) -> bool,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        let (mut longest, mut left) = (BACKOFF, ATTEMPTS);
        loop {
            self.take(group, account, region).await;
            left -= 1;
            match attempt().await {
                Err(error) if may(&error) && left > 0 => {
                    if error.kind == AwsErrorKind::Throttled {
                        self.slow_down(group, account, region);
                    }
                    // Anything from nothing to the longest wait, so that callers do not come back together.
                    self.clock.sleep(longest.mul_f64(rand::random::<f64>())).await;
                    longest = (longest * 2).min(BACKOFF_MAX);
                }
                ended => return ended,
            }
        }
    }

    fn full_rate(&self, group: ApiGroup) -> Option<f64> {
        let limit = self.of_aws.then(|| group.per_second());
        let cap = self.cap.map(|cap| f64::from(cap.get()));
        limit.into_iter().chain(cap).reduce(f64::min)
    }

    /// Takes a place in the queue; the answer is how long until its turn.
    fn reserve(&self, group: ApiGroup, account: &str, region: &str) -> Duration {
        let Some(full) = self.full_rate(group) else { return Duration::ZERO };
        self.with_bucket(group, account, region, full, |bucket| {
            bucket.tokens -= 1.0;
            Duration::from_secs_f64((-bucket.tokens / (full * bucket.pace)).max(0.0))
        })
    }

    /// Halves the rate of a bucket, and takes away what it has saved up.
    fn slow_down(&self, group: ApiGroup, account: &str, region: &str) {
        let Some(full) = self.full_rate(group) else { return };
        self.with_bucket(group, account, region, full, |bucket| {
            bucket.pace = (bucket.pace / 2.0).max(SLOWEST);
            bucket.tokens = bucket.tokens.min(0.0);
        });
    }

    /// Does something with a bucket that is filled up to now.
    fn with_bucket<T>(
        &self,
        group: ApiGroup,
        account: &str,
        region: &str,
        full: f64,
        act: impl FnOnce(&mut Bucket) -> T,
    ) -> T {
        let now = self.clock.elapsed();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry((group, account.to_owned(), region.to_owned())).or_insert(Bucket {
            tokens: full,
            pace: 1.0,
            refilled: now,
        });
        let passed = now.saturating_sub(bucket.refilled).as_secs_f64();
        let pace = (bucket.pace + passed * RECOVERY).min(1.0);
        bucket.tokens = (bucket.tokens + passed * full * bucket.pace).min(full * pace);
        bucket.pace = pace;
        bucket.refilled = now;
        act(bucket)
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
    fn a_local_cloud_has_no_limit_but_one_that_is_asked_for() {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        let budget = RateBudget::unlimited(Arc::clone(&clock));
        assert!((0..100).all(|_| budget.reserve(ApiGroup::ChangeSets, "1", "r").is_zero()));
        let budget = RateBudget::unlimited(clock).capped(NonZeroU32::new(3));
        assert!((0..3).all(|_| budget.reserve(ApiGroup::SecretWrites, "1", "r").is_zero()));
        assert_eq!(budget.reserve(ApiGroup::SecretWrites, "1", "r").as_millis(), 333);
    }

    fn throttled() -> AwsError {
        AwsError {
            service: "secretsmanager",
            operation: "RotateSecret",
            code: "ThrottlingException".into(),
            message: "Rate exceeded".into(),
            kind: AwsErrorKind::Throttled,
        }
    }

    #[tokio::test]
    async fn a_throttled_call_is_made_again_and_slows_the_others_down() {
        let clock = ManualClock::default();
        let budget = RateBudget::of_aws(Arc::new(clock.clone()));
        let mut left = 3;
        let ended = budget
            .call(ApiGroup::SecretWrites, "1", "r", || {
                left -= 1;
                async move { if left > 0 { Err(throttled()) } else { Ok(left) } }
            })
            .await;
        assert_eq!((ended, budget.calls()), (Ok(0), 3));
        // After two throttles, a quarter of 50 a second and what has been won back since.
        let waits: Vec<_> = (0..20).map(|_| budget.reserve(ApiGroup::SecretWrites, "1", "r")).collect();
        let apart = waits[19] - waits[18];
        assert!((60..=80).contains(&apart.as_millis()), "{apart:?}");
        clock.sleep(Duration::from_secs(30)).await;
        assert!((0..50).all(|_| budget.reserve(ApiGroup::SecretWrites, "1", "r").is_zero()));
    }

    #[tokio::test]
    async fn a_write_is_made_again_where_it_was_refused_and_not_where_its_answer_was_lost() {
        let budget = RateBudget::of_aws(Arc::new(ManualClock::default()));
        for (kind, attempts) in
            [(AwsErrorKind::Throttled, 2), (AwsErrorKind::Network, 1), (AwsErrorKind::Timeout, 1)]
        {
            let before = budget.calls();
            let mut first = true;
            let ended = budget
                .write(ApiGroup::ChangeSets, "1", "r", || {
                    let fails = std::mem::take(&mut first);
                    async move { if fails { Err(AwsError { kind, ..throttled() }) } else { Ok(()) } }
                })
                .await;
            assert_eq!((ended.is_ok(), budget.calls() - before), (attempts == 2, attempts), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn a_call_that_is_always_throttled_fails_in_the_end_and_any_other_failure_at_once() {
        let budget = RateBudget::of_aws(Arc::new(ManualClock::default()));
        let call = |error: AwsError| {
            budget.call(ApiGroup::SecretReads, "1", "r", move || {
                let error = error.clone();
                async move { Err::<(), _>(error) }
            })
        };
        assert_eq!(call(throttled()).await, Err(throttled()));
        assert_eq!(budget.calls(), u64::from(ATTEMPTS));
        let denied = AwsError { kind: AwsErrorKind::AccessDenied, ..throttled() };
        assert_eq!(call(denied.clone()).await, Err(denied));
        assert_eq!(budget.calls(), u64::from(ATTEMPTS) + 1);
    }
}
