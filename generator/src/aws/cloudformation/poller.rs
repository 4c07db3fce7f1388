//! One poller for all stacks of a region: whoever watches a stack asks here, and who asks while a look is under way
//! shares the next one.
//!
//! Describing stacks one by one costs a call each, and an account has 10 a second. Without a name one call describes
//! a page of them. So a look takes whichever of the two is fewer calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, oneshot};

use super::Stack;
use crate::aws::{AwsError, Boxed};
use crate::clock::Clock;

/// What a look needs of a region.
pub(super) trait Region: Sync {
    /// One stack.
    fn one<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Option<Stack>, AwsError>>;
    /// Every stack that is not deleted, and how many calls that took.
    fn all(&self) -> Boxed<'_, Result<(Vec<Stack>, usize), AwsError>>;
}

type Seen = Result<Option<Stack>, AwsError>;

/// The looks of one account at one region.
#[derive(Debug)]
pub(in crate::aws) struct Poller {
    clock: Arc<dyn Clock>,
    /// Least time between the beginnings of two looks.
    interval: Duration,
    /// Who waits for the next look, by stack.
    waiting: Mutex<BTreeMap<String, Vec<oneshot::Sender<Seen>>>>,
    /// Held by the one that looks; when it last began, and how many pages the region has.
    looking: Turn<Looks>,
}

#[derive(Debug, Default)]
struct Looks {
    last: Option<Duration>,
    /// Calls that describing every stack of the region takes; 0 while nobody has tried.
    pages: usize,
}

/// Stacks that are asked for one by one before anybody has found out how many pages the region has.
const FEW: usize = 3;

impl Poller {
    pub(in crate::aws) fn new(clock: Arc<dyn Clock>, interval: Duration) -> Self {
        Self { clock, interval, waiting: Mutex::default(), looking: Turn::default() }
    }

    /// What a stack is at the next look.
    pub(super) async fn look(&self, region: &dyn Region, stack: &str) -> Seen {
        loop {
            let (sender, mut seen) = oneshot::channel();
            {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.entry(stack.to_owned()).or_default().push(sender);
            }
            let mut looks = self.looking.lock().await;
            match seen.try_recv() {
                // Somebody else has looked meanwhile.
                Ok(seen) => return seen,
                Err(oneshot::error::TryRecvError::Empty) => {}
                // Whoever looked was stopped within: ask again.
                Err(oneshot::error::TryRecvError::Closed) => continue,
            }
            if let Some(last) = looks.last {
                let passed = self.clock.elapsed().saturating_sub(last);
                let rest = self.interval.saturating_sub(passed);
                if !rest.is_zero() {
                    self.clock.sleep(rest).await;
                }
            }
            looks.last = Some(self.clock.elapsed());
            self.answer(region, &mut looks).await;
            drop(looks);
            if let Ok(seen) = seen.try_recv() {
                return seen;
            }
        }
    }

    /// Looks once, for everyone who waits now.
    async fn answer(&self, region: &dyn Region, looks: &mut Looks) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let together = waiting.len() > looks.pages.max(FEW);
        let listed: Option<Result<BTreeMap<String, Stack>, AwsError>> = if together {
            Some(region.all().await.map(|(stacks, pages)| {
                looks.pages = pages;
                stacks.into_iter().map(|stack| (stack.id.clone(), stack)).collect()
            }))
        } else {
            None
        };
        for (id, askers) in waiting {
            let seen = match &listed {
                Some(Err(error)) => Err(error.clone()),
                Some(Ok(stacks)) if stacks.contains_key(&id) => Ok(stacks.get(&id).cloned()),
                // The list leaves deleted stacks out, and knows no names.
                _ => region.one(&id).await,
            };
            for asker in askers {
                // Who has given up waiting needs no answer.
                let _ = asker.send(seen.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clock::ManualClock;

    /// A region of some stacks, which counts how it is asked.
    #[derive(Default)]
    struct Counted {
        stacks: Vec<Stack>,
        pages: usize,
        single: AtomicUsize,
        lists: AtomicUsize,
    }

    impl Region for Counted {
        fn one<'a>(&'a self, stack: &'a str) -> Boxed<'a, Seen> {
            self.single.fetch_add(1, Ordering::SeqCst);
            let found = self.stacks.iter().find(|found| found.id == stack).cloned();
            Box::pin(async move { Ok(found) })
        }

        fn all(&self) -> Boxed<'_, Result<(Vec<Stack>, usize), AwsError>> {
            self.lists.fetch_add(1, Ordering::SeqCst);
            let stacks = self.stacks.iter().filter(|stack| stack.status != "DELETE_COMPLETE").cloned();
            let answer = (stacks.collect(), self.pages);
            Box::pin(async move { Ok(answer) })
        }
    }

    fn region(stacks: usize, pages: usize) -> Arc<Counted> {
        let status = |number| if number == 0 { "DELETE_COMPLETE" } else { "UPDATE_IN_PROGRESS" };
        let stack =
            |number| Stack { id: format!("arn:{number}"), status: status(number).into(), ..Stack::default() };
        Arc::new(Counted { stacks: (0..stacks).map(stack).collect(), pages, ..Counted::default() })
    }

    async fn watch_all(poller: &Arc<Poller>, region: &Arc<Counted>) {
        let watchers = region.stacks.iter().map(|stack| {
            let (poller, region, id) = (Arc::clone(poller), Arc::clone(region), stack.id.clone());
            tokio::spawn(async move { poller.look(&*region, &id).await })
        });
        for (watcher, stack) in watchers.collect::<Vec<_>>().into_iter().zip(&region.stacks) {
            assert_eq!(watcher.await.expect("no panic"), Ok(Some(stack.clone())));
        }
    }

    #[tokio::test]
    async fn fifty_watchers_cost_one_list_and_one_look_at_the_deleted_stack() {
        let (poller, region) =
            (Arc::new(Poller::new(Arc::new(ManualClock::default()), Duration::from_secs(1))), region(50, 1));
        watch_all(&poller, &region).await;
        let counts = (region.lists.load(Ordering::SeqCst), region.single.load(Ordering::SeqCst));
        // The first watcher may look alone, before the others have asked.
        assert!(counts.0 == 1 && counts.1 <= 2, "{counts:?}");
    }

    #[tokio::test]
    async fn in_a_region_of_many_pages_few_stacks_are_asked_for_one_by_one() {
        let (poller, region) =
            (Arc::new(Poller::new(Arc::new(ManualClock::default()), Duration::from_secs(1))), region(8, 20));
        watch_all(&poller, &region).await;
        assert_eq!(region.lists.load(Ordering::SeqCst), 1);
        watch_all(&poller, &region).await;
        assert_eq!(region.lists.load(Ordering::SeqCst), 1, "eight looks are fewer than twenty pages");
    }

    #[tokio::test]
    async fn two_looks_are_an_interval_apart() {
        let clock = ManualClock::default();
        let (poller, region) = (Poller::new(Arc::new(clock.clone()), Duration::from_secs(1)), region(2, 1));
        for _ in 0..3 {
            poller.look(&*region, "arn:1").await.expect("a look");
        }
        assert_eq!(clock.elapsed(), Duration::from_secs(2));
    }
}
