//! One rotation: started, and watched until the new version is the current one or cannot become it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Pace, RotateError, log};
use crate::aws::secretsmanager::{CURRENT, PENDING, PREVIOUS, SecretStatus};
use crate::aws::{AwsError, KeyPeers};
use crate::clock::Clock;
use crate::report::{Event, Sink};

/// What every rotation is given.
#[derive(Clone)]
pub struct Context {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told.
    pub sink: Arc<dyn Sink>,
    /// How often to look, and for how long.
    pub pace: Pace,
}

/// A rotation that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Tenant.
    pub tenant: String,
    /// Name of its secret.
    pub secret: String,
    /// Name of its rotation function.
    pub function: String,
    /// Token of the rotation.
    pub token: String,
    /// Tokens under which the same rotation may have been started before. Where one of them has made the current
    /// version, it is done.
    pub earlier: Vec<String>,
    /// Whether an earlier process may have started a rotation under one of the tokens.
    pub look_first: bool,
}

/// A rotation that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The version that signers get now, or got until an even newer one came.
    pub version: String,
    /// How it came about.
    pub how: How,
}

/// How a rotation came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Started here.
    Started,
    /// Found finished: an earlier process had started it.
    FoundDone,
    /// One that somebody else had begun, brought to its end.
    TakenOver,
}

impl How {
    /// One word of machine-readable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::FoundDone => "found_done",
            Self::TakenOver => "taken_over",
        }
    }
}

/// What a rotation cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Time spent waiting for AWS, pauses between two looks included.
    pub waiting: Duration,
    /// Number of calls; one that was throttled and made again counts once.
    pub calls: u32,
}

/// Rotates a tenant's keys, and tells what that cost.
///
/// # Errors
/// Where the rotation fails or takes too long. The key before it goes on signing then.
pub async fn rotate(
    context: &Context,
    peers: &KeyPeers,
    request: &Request,
) -> (Result<Rotated, RotateError>, Cost) {
    let mut rotation = Rotation { context, peers, request, cost: Cost::default() };
    let ended = rotation.run().await;
    (ended, rotation.cost)
}

struct Rotation<'a> {
    context: &'a Context,
    peers: &'a KeyPeers,
    request: &'a Request,
    cost: Cost,
}

/// Where a version stands.
enum Standing {
    Current,
    Superseded,
    Pending,
    Nowhere,
}

/// How a watched version ended.
enum Watched {
    Current,
    Withdrawn,
}

fn standing(state: &SecretStatus, version: &str) -> Standing {
    match () {
        () if state.holds(version, CURRENT) => Standing::Current,
        () if state.holds(version, PREVIOUS) => Standing::Superseded,
        () if state.holds(version, PENDING) => Standing::Pending,
        () => Standing::Nowhere,
    }
}

impl Rotation<'_> {
    async fn run(&mut self) -> Result<Rotated, RotateError> {
        let began = self.context.clock.elapsed();
        let began_at = epoch_milliseconds(&*self.context.clock);
        if self.request.look_first {
            let state = self.describe().await?;
            let tokens = self.request.earlier.iter().chain(std::iter::once(&self.request.token));
            for token in tokens {
                if matches!(standing(&state, token), Standing::Current | Standing::Superseded) {
                    return Ok(Rotated { version: token.clone(), how: How::FoundDone });
                }
            }
        }
        loop {
            let (version, how) = self.start(began).await?;
            match self.watch(&version, how, began, began_at).await? {
                Watched::Current => return Ok(Rotated { version, how }),
                // Such as the trial of a schedule that was just set: it makes no key, and ends so.
                Watched::Withdrawn => self.warn(format!(
                    "the rotation that was under way (version `{version}`) ended without a new key: starting ours"
                )),
            }
        }
    }

    /// Starts the rotation, or finds the one that is under way.
    async fn start(&mut self, began: Duration) -> Result<(String, How), RotateError> {
        let request = self.request;
        let mut wait = self.context.pace.first;
        loop {
            let started = self.peers.secrets.rotate(&request.secret, &request.token);
            let source = match self.cost.call(&*self.context.clock, started).await {
                Ok(version) => return Ok((version, How::Started)),
                Err(source) if source.kind == crate::aws::AwsErrorKind::NotFound => {
                    return Err(self.not_deployed());
                }
                Err(source) => source,
            };
            // Secrets Manager refuses while a rotation is unfinished, and goes on with that one.
            let unfinished = match self.describe().await {
                Ok(state) => state.unfinished().map(str::to_owned),
                Err(_) => None,
            };
            match unfinished {
                Some(version) if version == request.token => return Ok((version, How::Started)),
                Some(version) if is_refusal(&source) => {
                    self.warn(format!(
                        "a rotation is under way already (version `{version}`): watching that"
                    ));
                    return Ok((version, How::TakenOver));
                }
                // One that is about to end, or about to begin: nothing to watch, and soon nothing in the way.
                None if is_unfinished(&source) && self.passed(began) < self.context.pace.refused => {
                    self.sleep(wait).await;
                    wait = wait.mul_f64(1.5).min(self.context.pace.longest);
                }
                _ => return Err(self.failed(format!("start the rotation of `{}`", request.secret), source)),
            }
        }
    }

    /// Looks until `version` is current. One of somebody else may end otherwise: that is told, not a failure.
    async fn watch(
        &mut self,
        version: &str,
        how: How,
        began: Duration,
        began_at: i64,
    ) -> Result<Watched, RotateError> {
        let Pace { mut first, longest, log, patience, deadline, .. } = self.context.pace;
        let (mut next_log, mut failed_at, mut last_reason) = (log, None, None);
        loop {
            self.sleep(first).await;
            first = first.mul_f64(1.5).min(longest);
            let state = self.describe().await?;
            let gone = match standing(&state, version) {
                Standing::Current | Standing::Superseded => return Ok(Watched::Current),
                Standing::Pending => false,
                Standing::Nowhere => true,
            };
            let passed = self.passed(began);
            if gone && how == How::TakenOver && passed < deadline {
                return Ok(Watched::Withdrawn);
            }
            if gone || passed >= next_log || passed >= deadline {
                next_log = passed + log;
                if let Some(reason) = self.reason(version, began_at).await {
                    if gone || passed >= *failed_at.get_or_insert(passed) + patience {
                        return Err(self.because(reason));
                    }
                    if last_reason.as_ref() != Some(&reason) {
                        self.warn(format!(
                            "the rotation function failed, and will be called again: {reason}"
                        ));
                        last_reason = Some(reason);
                    }
                } else if gone && passed >= log {
                    let (secret, function) = (self.request.secret.clone(), self.request.function.clone());
                    return Err(RotateError::GivenUp { secret, version: version.to_owned(), function });
                }
            }
            if passed >= deadline {
                return Err(match last_reason {
                    Some(reason) => self.because(reason),
                    None => RotateError::Deadline {
                        secret: self.request.secret.clone(),
                        after: deadline,
                        function: self.request.function.clone(),
                    },
                });
            }
        }
    }

    async fn describe(&mut self) -> Result<SecretStatus, RotateError> {
        let described = self.peers.secrets.describe(&self.request.secret);
        match self.cost.call(&*self.context.clock, described).await {
            Ok(Some(state)) => Ok(state),
            Ok(None) => Err(self.not_deployed()),
            Err(source) => Err(self.failed(format!("look at `{}`", self.request.secret), source)),
        }
    }

    /// What the function says. A log that cannot be read is no reason to fail: it only leaves the reason open.
    async fn reason(&mut self, version: &str, began_at: i64) -> Option<String> {
        let group = log::group(&self.request.function);
        // Clocks of machines differ by less than a minute.
        let lines = self.peers.logs.since(&group, began_at - 60_000);
        let lines = self.cost.call(&*self.context.clock, lines).await;
        match lines {
            Ok(lines) => log::reason(&lines, version, began_at),
            Err(error) => {
                self.warn(format!("the log group `{group}` cannot be read: {error}"));
                None
            }
        }
    }

    fn passed(&self, began: Duration) -> Duration {
        self.context.clock.elapsed().saturating_sub(began)
    }

    async fn sleep(&mut self, duration: Duration) {
        let clock = &*self.context.clock;
        self.cost.wait(clock, async { clock.sleep(duration).await }).await;
    }

    fn warn(&self, message: String) {
        let tenant = Some(self.request.tenant.clone());
        self.context.sink.emit(&Event::Warning { tenant, message, help: None });
    }

    fn not_deployed(&self) -> RotateError {
        let (tenant, secret) = (self.request.tenant.clone(), self.request.secret.clone());
        RotateError::NotDeployed { tenant, secret }
    }

    fn failed(&self, doing: String, source: AwsError) -> RotateError {
        RotateError::Aws { doing, source }
    }

    fn because(&self, reason: String) -> RotateError {
        let (secret, function) = (self.request.secret.clone(), self.request.function.clone());
        RotateError::Failed { secret, reason, function }
    }
}

impl Cost {
    /// Makes a call.
    async fn call<T>(&mut self, clock: &dyn Clock, call: impl Future<Output = T>) -> T {
        self.calls += 1;
        self.wait(clock, call).await
    }

    /// Waits for something, and counts the time.
    async fn wait<T>(&mut self, clock: &dyn Clock, work: impl Future<Output = T>) -> T {
        let start = clock.elapsed();
        let done = work.await;
        self.waiting += clock.elapsed().saturating_sub(start);
        done
    }
}

/// Whether Secrets Manager refused the request as it stands, rather than the caller or the moment.
fn is_refusal(error: &AwsError) -> bool {
    error.code == "InvalidRequestException"
}

/// Whether it refused because the rotation before has not ended. The service has no code of its own for it.
fn is_unfinished(error: &AwsError) -> bool {
    is_refusal(error) && error.message.contains("previous rotation")
}

fn epoch_milliseconds(clock: &dyn Clock) -> i64 {
    let since = clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
