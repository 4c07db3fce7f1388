//! One poller for all stacks of a region: whoever watches a stack asks here, and who asks while a look is under way
//! shares the next one.
//!
//! Describing stacks one by one costs a call each, and an account has 10 a second. Without a name one call describes
//! a page of them. So a look takes whichever of the two is fewer calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
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

    /// What a stack is at the next look, by its ARN.
    pub(super) async fn look(&self, region: &dyn Region, stack: &str) -> Seen {
        self.next(region, stack, self.interval).await
    }

    /// What a stack is now, by its name. Who asks at the same time shares the look, and nobody waits for the next.
    pub(super) async fn read(&self, region: &dyn Region, stack: &str) -> Seen {
        self.next(region, stack, Duration::ZERO).await
    }

    async fn next(&self, region: &dyn Region, stack: &str, interval: Duration) -> Seen {
        loop {
            let (sender, mut seen) = oneshot::channel();
            {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.entry(stack.to_owned()).or_default().push(sender);
            }
            // The others who ask just now get the chance to be asked for together.
            tokio::task::yield_now().await;
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
                let rest = interval.saturating_sub(passed);
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
        let listed = if together { Some(region.all().await) } else { None };
        let stacks = match listed {
            Some(Err(error)) => {
                for asker in waiting.into_values().flatten() {
                    // Who has given up waiting needs no answer.
                    let _ = asker.send(Err(error.clone()));
                }
                return;
            }
            Some(Ok((stacks, pages))) => {
                looks.pages = pages;
                stacks
            }
            None => Vec::new(),
        };
        let known: BTreeMap<&str, &Stack> = stacks
            .iter()
            .flat_map(|stack| [(stack.id.as_str(), stack), (stack.name.as_str(), stack)])
            .collect();
        // The list leaves deleted stacks out, and one that was made while it was read.
        let (seen, missing): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(stack, _)| known.contains_key(stack.as_str()));
        for (stack, askers) in seen {
            let found = known.get(stack.as_str()).map(|stack| (*stack).clone());
            for asker in askers {
                let _ = asker.send(Ok(found.clone()));
            }
        }
        let single = missing.into_iter().map(|(stack, askers)| async move {
            let seen = region.one(&stack).await;
            for asker in askers {
                let _ = asker.send(seen.clone());
            }
        });
        join_all(single).await;
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
    async fn readers_share_a_look_and_wait_for_none() {
        let clock = ManualClock::default();
        let poller = Arc::new(Poller::new(Arc::new(clock.clone()), Duration::from_secs(1)));
        let stack = |number| Stack {
            id: format!("arn:{number}"),
            name: format!("stack-{number}"),
            status: "UPDATE_COMPLETE".into(),
            ..Stack::default()
        };
        let stacks = (0..50).map(stack).collect();
        let region = Arc::new(Counted { stacks, pages: 1, ..Counted::default() });
        for _ in 0..2 {
            let readers = (0..51).map(|number| {
                let (poller, region) = (Arc::clone(&poller), Arc::clone(&region));
                tokio::spawn(async move { poller.read(&*region, &format!("stack-{number}")).await })
            });
            for (number, reader) in readers.collect::<Vec<_>>().into_iter().enumerate() {
                assert_eq!(reader.await.expect("no panic"), Ok(region.stacks.get(number).cloned()));
            }
        }
        let counts = (region.lists.load(Ordering::SeqCst), region.single.load(Ordering::SeqCst));
        assert_eq!(counts, (2, 2), "each time one list, and one look at the stack that is not there");
        assert_eq!(clock.elapsed(), Duration::ZERO);
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
