//! A value read from the network, with its age.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::clock::Moment;

/// How long to wait after a failure before the next try, where an old value can be used meanwhile.
const PAUSE_WITH_VALUE: Duration = Duration::from_secs(30);
/// The same where there is no value: the request fails meanwhile.
const PAUSE_WITHOUT_VALUE: Duration = Duration::from_secs(1);

/// Ages of a value.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    /// From here on the value is used, and read again in the background.
    pub refresh: Duration,
    /// From here on a request waits for a fresh one, and uses this one only where none can be had: Lambda
    /// freezes a process between requests, so the background may never have had its turn.
    pub overdue: Duration,
    /// From here on the value is never used.
    pub bound: Duration,
}

/// When a value should be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// Not yet.
    No,
    /// Soon, in the background.
    Soon,
    /// Before the request is answered.
    Now,
}

/// A place for one value.
pub struct Slot<T> {
    ages: Ages,
    inner: RwLock<Inner<T>>,
}

struct Inner<T> {
    held: Option<(Arc<T>, Moment)>,
    failed: Option<Moment>,
}

impl<T> Slot<T> {
    /// An empty place.
    #[must_use]
    pub fn new(ages: Ages) -> Self {
        Self { ages, inner: RwLock::new(Inner { held: None, failed: None }) }
    }

    /// The value that may be used at `now`, and when it should be read again. A value that does not
    /// `fit` counts as absent.
    pub fn look(&self, now: Moment, fit: impl FnOnce(&T) -> bool) -> (Option<Arc<T>>, Due) {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let failed_within = |pause: Duration| inner.failed.is_some_and(|failed| now.since(failed) < pause);
        let held = inner.held.as_ref().map(|(value, read)| (value, now.since(*read)));
        match held.filter(|(value, age)| *age < self.ages.bound && fit(value)) {
            None if failed_within(PAUSE_WITHOUT_VALUE) => (None, Due::No),
            None => (None, Due::Now),
            Some((value, age)) => {
                let due = match age {
                    _ if failed_within(PAUSE_WITH_VALUE) => Due::No,
                    age if age >= self.ages.overdue => Due::Now,
                    age if age >= self.ages.refresh => Due::Soon,
                    _ => Due::No,
                };
                (Some(Arc::clone(value)), due)
            }
        }
    }

    /// The value last read, whatever its age.
    pub fn last(&self) -> Option<Arc<T>> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.held.as_ref().map(|(value, _)| Arc::clone(value))
    }

    /// How long ago reading was last begun with success, or failed.
    pub fn last_try(&self, now: Moment) -> Option<Duration> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let read = inner.held.as_ref().map(|(_, read)| *read);
        read.into_iter().chain(inner.failed).map(|moment| now.since(moment)).min()
    }

    /// Keeps a value whose reading began at `begun`, unless one that was begun later is there: two may
    /// overtake each other, and the older one may hold a retired key.
    pub fn store(&self, value: Arc<T>, begun: Moment) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if inner.held.as_ref().is_none_or(|(_, read)| read.steady <= begun.steady) {
            inner.held = Some((value, begun));
            inner.failed = None;
        }
    }

    /// Notes that reading failed.
    pub fn fail(&self, now: Moment) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).failed = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGES: Ages = Ages {
        refresh: Duration::from_secs(300),
        overdue: Duration::from_secs(600),
        bound: Duration::from_secs(3_600),
    };

    fn at(second: u64) -> Moment {
        Moment { epoch: 1_000_000 + second, steady: Duration::from_secs(second) }
    }

    fn look(slot: &Slot<u32>, second: u64) -> (Option<u32>, Due) {
        let (value, due) = slot.look(at(second), |_| true);
        (value.map(|value| *value), due)
    }

    #[test]
    fn a_value_grows_old_in_steps() {
        let slot = Slot::new(AGES);
        assert_eq!(look(&slot, 0), (None, Due::Now));
        slot.store(Arc::new(7), at(0));
        assert_eq!(look(&slot, 299), (Some(7), Due::No));
        assert_eq!(look(&slot, 300), (Some(7), Due::Soon));
        assert_eq!(look(&slot, 600), (Some(7), Due::Now));
        assert_eq!(look(&slot, 3_599), (Some(7), Due::Now));
        assert_eq!(look(&slot, 3_600), (None, Due::Now));
    }

    #[test]
    fn a_failure_keeps_the_old_value_and_waits() {
        let slot = Slot::new(AGES);
        slot.store(Arc::new(7), at(0));
        slot.fail(at(600));
        assert_eq!(look(&slot, 629), (Some(7), Due::No));
        assert_eq!(look(&slot, 630), (Some(7), Due::Now));
        slot.fail(at(3_599));
        assert_eq!(look(&slot, 3_600), (None, Due::Now));
        slot.fail(at(3_600));
        assert_eq!(look(&slot, 3_600), (None, Due::No));
    }

    #[test]
    fn a_late_answer_does_not_replace_a_newer_one() {
        let slot = Slot::new(AGES);
        slot.store(Arc::new(2), at(20));
        slot.store(Arc::new(1), at(10));
        assert_eq!(look(&slot, 20).0, Some(2));
        assert_eq!(slot.last_try(at(25)), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_value_that_does_not_fit_counts_as_absent() {
        let slot = Slot::new(AGES);
        slot.store(Arc::new(7), at(0));
        assert_eq!(slot.look(at(1), |_| false), (None, Due::Now));
    }
}
