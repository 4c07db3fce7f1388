//! The engine with a store in memory and a clock that jumps to the next thing that happens.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::report::RecordedSink;

mod engine;
mod object;

/// Time that stands still while anything can be done, and then jumps to the end of the shortest sleep.
#[derive(Debug, Clone, Default)]
struct JumpingClock(Arc<Mutex<Sleepers>>);

#[derive(Debug, Default)]
struct Sleepers {
    now: Duration,
    until: Vec<(Duration, Waker)>,
}

impl Clock for JumpingClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (clock, end) = (self.clone(), self.elapsed() + duration);
        Box::pin(poll_fn(move |context| {
            let mut sleepers = clock.0.lock().unwrap();
            if sleepers.now >= end {
                return Poll::Ready(());
            }
            sleepers.until.push((end, context.waker().clone()));
            Poll::Pending
        }))
    }
}

impl JumpingClock {
    /// Runs `work`; whenever nothing else can go on, time jumps.
    async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let jumps = async {
            loop {
                // Long enough for every task that can do something to have done it.
                for _ in 0..200 {
                    tokio::task::yield_now().await;
                }
                let mut sleepers = self.0.lock().unwrap();
                if let Some(next) = sleepers.until.iter().map(|(end, _)| *end).min() {
                    sleepers.now = sleepers.now.max(next);
                    sleepers.until.drain(..).for_each(|(_, waker)| waker.wake());
                }
            }
        };
        tokio::select! { done = work => done, () = jumps => panic!("jumping never ends") }
    }
}

/// A store whose text outlives it, as a file would, and which can break.
#[derive(Debug, Clone, Default)]
struct Memory {
    text: Arc<Mutex<String>>,
    /// Appends that succeed before one fails.
    breaks_after: Option<Arc<AtomicUsize>>,
}

impl Store for Memory {
    fn place(&self) -> String {
        "memory".into()
    }

    fn append<'a>(&'a mut self, lines: &'a str) -> Boxed<'a, Result<(), JournalError>> {
        Box::pin(async move {
            if let Some(left) = &self.breaks_after
                && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
            {
                let (doing, place) = ("write", self.place());
                return Err(JournalError::File { doing, place, reason: "the disk is full".into() });
            }
            self.text.lock().unwrap().push_str(lines);
            Ok(())
        })
    }
}

/// A job that takes a while, and remembers who ran when.
#[derive(Debug, Default)]
struct Recorder {
    clock: JumpingClock,
    takes: BTreeMap<String, Duration>,
    fails: Mutex<Vec<String>>,
    began: Mutex<Vec<(String, Duration, u32, u32)>>,
    running: AtomicUsize,
    most: AtomicUsize,
    store: Option<Memory>,
}

impl Job for Recorder {
    fn run<'a>(&'a self, tenant: &'a str, attempt: Attempt<'a>) -> Boxed<'a, JobEnd> {
        Box::pin(async move {
            if let Some(store) = &self.store {
                let text = store.text.lock().unwrap().clone();
                let last = text.rfind(&format!("\"tenant\":\"{tenant}\"")).expect("a line of this tenant");
                assert!(text[..last].ends_with(",") && text[..last].contains("\"began\""), "{text}");
            }
            let (number, failures) = (attempt.number, attempt.failures);
            self.began.lock().unwrap().push((tenant.into(), self.clock.elapsed(), number, failures));
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(running, Ordering::SeqCst);
            self.clock.sleep(self.takes.get(tenant).copied().unwrap_or(Duration::from_secs(1))).await;
            self.running.fetch_sub(1, Ordering::SeqCst);
            assert!(tenant != "panics", "as asked");
            let outcome = if self.fails.lock().unwrap().iter().any(|fails| fails == tenant) {
                let kind = FailureKind::Other;
                Outcome::Failed { kind, message: "as asked".into(), help: None }
            } else {
                Outcome::Done { summary: "done".into() }
            };
            JobEnd { outcome, detail: json!({"tenant": tenant}), waiting: Duration::from_millis(400) }
        })
    }
}

impl Recorder {
    fn names(&self) -> Vec<String> {
        self.began.lock().unwrap().iter().map(|(name, ..)| name.clone()).collect()
    }
}

fn header(waves: &[&[&str]], concurrency: usize, bake: u64, failures: usize) -> Header {
    let waves = waves.iter().enumerate().map(|(number, tenants)| Wave {
        name: format!("w{number}"),
        tenants: tenants.iter().map(|tenant| (*tenant).to_owned()).collect(),
    });
    let settings = Settings { concurrency, bake_seconds: bake, max_failures: MaxFailures::Count(failures) };
    Header::new("r1".into(), "test", 1_800_000_000_000, json!({}), settings, Plan { waves: waves.collect() })
}

fn fleet(clock: &JumpingClock) -> (Fleet, Arc<RecordedSink>) {
    let sink = Arc::new(RecordedSink::default());
    (Fleet { clock: Arc::new(clock.clone()), sink: sink.clone(), stopper: Stopper::new() }, sink)
}

/// The journal of a new run.
async fn begun(memory: Memory, header: Header) -> Arc<Journal> {
    let journal = Journal::create(Box::new(memory), header, Arc::new(ManualClock::default())).await;
    Arc::new(journal.expect("a journal"))
}

/// Goes through a run from the text of a journal, as another process would.
async fn go_on(clock: &JumpingClock, memory: &Memory, job: &Arc<Recorder>) -> (Ended, History) {
    let lines = memory.text.lock().unwrap().clone();
    let journal = Arc::new(
        Journal::open(Box::new(memory.clone()), &lines, Arc::new(ManualClock::default())).expect("a journal"),
    );
    let (fleet, _) = fleet(clock);
    let ended = clock.run(run(&fleet, &journal, job.clone())).await.expect("a kept journal");
    (ended, journal.history())
}
