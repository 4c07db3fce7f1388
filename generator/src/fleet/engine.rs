//! Goes through a run: wave by wave, a few tenants at a time, until all are done or it must stop.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::task::{Id, JoinSet};

use super::{
    FailureKind, Job, JobEnd, Journal, JournalError, Outcome, Record, Settings, StopReason, Stopper,
};
use crate::clock::Clock;
use crate::report::{Event, Sink};

/// What a run works with.
#[derive(Clone)]
pub struct Fleet {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told.
    pub sink: Arc<dyn Sink>,
    /// Who may ask it to stop.
    pub stopper: Stopper,
}

/// How a run ended. What became of each tenant stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Why tenants were left alone, where some were.
    pub stopped: Option<StopReason>,
}

/// Runs `job` for every tenant of the journal's plan that is not done. A new run and one that was cut off, or
/// in which tenants failed, are the same to it.
///
/// # Errors
/// Where the journal cannot be kept. Nothing new has begun since, and what was in flight has ended.
pub async fn run(fleet: &Fleet, journal: &Arc<Journal>, job: Arc<dyn Job>) -> Result<Ended, JournalError> {
    let mut running = Running::new(fleet, journal, job);
    running.take_up().await?;
    let waves = journal.read(|history| history.header.waves.waves.len());
    for wave in 0..waves {
        let worked = running.go_through(wave).await?;
        let last = (wave + 1..waves).all(|later| journal.read(|history| history.remaining(later).is_empty()));
        if running.stopped.is_none() && !last {
            running.bake(wave, worked).await?;
        }
        if running.stopped.is_some() {
            break;
        }
    }
    running.end().await
}

struct Running<'a> {
    fleet: &'a Fleet,
    journal: &'a Arc<Journal>,
    job: Arc<dyn Job>,
    settings: Settings,
    total: usize,
    done: Arc<AtomicUsize>,
    failed: usize,
    stopped: Option<StopReason>,
    tasks: JoinSet<Result<Outcome, JournalError>>,
    tenants: HashMap<Id, String>,
}

impl<'a> Running<'a> {
    fn new(fleet: &'a Fleet, journal: &'a Arc<Journal>, job: Arc<dyn Job>) -> Self {
        let (settings, total, done) =
            journal.read(|history| (history.header.settings, history.header.waves.len(), history.done()));
        Self {
            fleet,
            journal,
            job,
            settings,
            total,
            done: Arc::new(AtomicUsize::new(done)),
            failed: 0,
            stopped: None,
            tasks: JoinSet::new(),
            tenants: HashMap::new(),
        }
    }

    async fn take_up(&self) -> Result<(), JournalError> {
        self.journal.record(Record::TakenUp { at: self.now(), process: std::process::id() }).await?;
        let run = self.journal.read(|history| history.header.run.clone());
        let done = self.done.load(Ordering::Relaxed);
        let place = self.journal.place().to_owned();
        self.fleet.sink.emit(&Event::RunStarted { run, journal: place, tenants: self.total, done });
        Ok(())
    }

    /// Works on the tenants of a wave; whether there were any.
    async fn go_through(&mut self, wave: usize) -> Result<bool, JournalError> {
        let (name, remaining) = self.journal.read(|history| {
            let name = history.header.waves.waves.get(wave).map(|wave| wave.name.clone());
            (name.unwrap_or_default(), history.remaining(wave))
        });
        if remaining.is_empty() {
            return Ok(false);
        }
        self.fleet.sink.emit(&Event::WaveStarted { wave: name, tenants: remaining.len() });
        let mut waiting = remaining.into_iter();
        loop {
            while self.stopped.is_none() && self.tasks.len() < self.settings.concurrency.max(1) {
                if self.fleet.stopper.is_asked() {
                    self.stop(StopReason::Asked);
                    break;
                }
                let Some(tenant) = waiting.next() else { break };
                self.begin(tenant);
            }
            let stopper = self.fleet.stopper.clone();
            tokio::select! {
                joined = self.tasks.join_next_with_id() => match joined {
                    None => return Ok(true),
                    Some(joined) => self.take(joined).await?,
                },
                () = stopper.asked(), if self.stopped.is_none() => self.stop(StopReason::Asked),
            }
        }
    }

    fn begin(&mut self, tenant: String) {
        let one = One {
            fleet: self.fleet.clone(),
            journal: Arc::clone(self.journal),
            job: Arc::clone(&self.job),
            tenant: tenant.clone(),
            done: Arc::clone(&self.done),
            total: self.total,
        };
        let handle = self.tasks.spawn(one.run());
        self.tenants.insert(handle.id(), tenant);
    }

    /// Takes in the end of a job, and stops where too many have failed.
    async fn take(
        &mut self,
        joined: Result<(Id, Result<Outcome, JournalError>), tokio::task::JoinError>,
    ) -> Result<(), JournalError> {
        let ended = match joined {
            Ok((id, result)) => {
                self.tenants.remove(&id);
                result
            }
            Err(panic) => self.panicked(panic.id()).await,
        };
        let outcome = match ended {
            Ok(outcome) => outcome,
            // Nothing can be written down any more: let what is in flight end, and begin nothing.
            Err(error) => {
                while self.tasks.join_next().await.is_some() {}
                return Err(error);
            }
        };
        self.failed += usize::from(matches!(outcome, Outcome::Failed { .. }));
        let allowed = self.settings.max_failures.of(self.total);
        if self.failed > allowed && self.stopped.is_none() {
            self.stop(StopReason::TooManyFailures { failed: self.failed, allowed });
        }
        Ok(())
    }

    async fn panicked(&mut self, id: Id) -> Result<Outcome, JournalError> {
        let tenant = self.tenants.remove(&id).unwrap_or_default();
        let message = "the job has panicked".to_owned();
        let help = Some("this is a bug of generator: please report it".to_owned());
        self.fleet.sink.emit(&Event::TenantFailed {
            tenant: tenant.clone(),
            message: message.clone(),
            help: help.clone(),
        });
        let outcome = Outcome::Failed { kind: FailureKind::Other, message, help };
        self.journal
            .record(Record::Ended {
                at: self.now(),
                tenant,
                outcome: outcome.clone(),
                milliseconds: 0,
                waiting_milliseconds: 0,
                detail: Value::Null,
            })
            .await?;
        Ok(outcome)
    }

    /// Waits before the next wave, as long as is left of the pause where an earlier process began it.
    async fn bake(&mut self, wave: usize, worked: bool) -> Result<(), JournalError> {
        let (baked, ended) =
            self.journal.read(|history| (history.baked.contains(&wave), history.wave_ended(wave)));
        if baked && !worked {
            return Ok(());
        }
        let whole = self.settings.bake_seconds.saturating_mul(1000);
        let passed = ended.map_or(0, |ended| self.now().saturating_sub(ended));
        let left = Duration::from_millis(whole.saturating_sub(passed));
        if !left.is_zero() {
            self.fleet.sink.emit(&Event::WaveBaking { seconds: left.as_secs_f64().ceil() as u64 });
            tokio::select! {
                () = self.fleet.clock.sleep(left) => {}
                () = self.fleet.stopper.asked() => {
                    self.stop(StopReason::Asked);
                    return Ok(());
                }
            }
        }
        self.journal.record(Record::Baked { at: self.now(), wave }).await
    }

    fn stop(&mut self, reason: StopReason) {
        // Of the only tenant its own failure is told, and nothing is left alone.
        if self.total > 1 {
            let (why, in_flight) = (reason.to_string(), self.tasks.len());
            self.fleet.sink.emit(&Event::RunStopping { reason: why, in_flight });
        }
        self.stopped = Some(reason);
    }

    async fn end(self) -> Result<Ended, JournalError> {
        let record = match &self.stopped {
            Some(reason) => Record::Stopped { at: self.now(), reason: reason.clone() },
            None => Record::Finished { at: self.now() },
        };
        self.journal.record(record).await?;
        Ok(Ended { stopped: self.stopped })
    }

    fn now(&self) -> u64 {
        now(&*self.fleet.clock)
    }
}

/// One tenant's job on its way.
struct One {
    fleet: Fleet,
    journal: Arc<Journal>,
    job: Arc<dyn Job>,
    tenant: String,
    /// How many tenants of the run are done.
    done: Arc<AtomicUsize>,
    total: usize,
}

impl One {
    async fn run(self) -> Result<Outcome, JournalError> {
        let Self { fleet, journal, job, tenant, done, total } = self;
        journal.record(Record::Began { at: now(&*fleet.clock), tenant: tenant.clone() }).await?;
        let (run, number, failures) = journal.read(|history| {
            let attempt = history.attempt(&tenant);
            (attempt.run.to_owned(), attempt.number, attempt.failures)
        });
        fleet.sink.emit(&Event::JobStarted { tenant: tenant.clone(), attempt: number });
        let start = fleet.clock.elapsed();
        let attempt = super::Attempt { run: &run, number, failures };
        let JobEnd { outcome, detail, waiting } = job.run(&tenant, attempt).await;
        let milliseconds = milliseconds(fleet.clock.elapsed().saturating_sub(start));
        journal
            .record(Record::Ended {
                at: now(&*fleet.clock),
                tenant: tenant.clone(),
                outcome: outcome.clone(),
                milliseconds,
                waiting_milliseconds: self::milliseconds(waiting).min(milliseconds),
                detail,
            })
            .await?;
        fleet.sink.emit(&match &outcome {
            Outcome::Done { summary } => Event::JobDone {
                tenant,
                summary: summary.clone(),
                milliseconds,
                done: done.fetch_add(1, Ordering::Relaxed) + 1,
                tenants: total,
            },
            Outcome::Failed { message, help, .. } => {
                Event::TenantFailed { tenant, message: message.clone(), help: help.clone() }
            }
        });
        Ok(outcome)
    }
}

/// Milliseconds since the epoch.
pub(super) fn now(clock: &dyn Clock) -> u64 {
    milliseconds(clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
