//! Time, passed in: nothing below the command line reads a clock for itself, so that tests need not wait.

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// What waits and stamps of this crate need of time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time of day.
    fn now(&self) -> SystemTime;
    /// Time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;
    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The computer's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose [`Clock::elapsed`] counts from now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock that only sleeping moves on, at once.
#[cfg(test)]
#[derive(Debug, Clone, Default)]
pub(crate) struct ManualClock {
    elapsed: std::sync::Arc<std::sync::Mutex<Duration>>,
}

#[cfg(test)]
impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        *self.elapsed.lock().unwrap() += duration;
        Box::pin(tokio::task::yield_now())
    }
}
