//! The rate at which the control plane of CloudFront is called.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Calls in any [`WINDOW`]. CloudFront publishes no figure for its control plane; this is what Lambda's has.
const CALLS: usize = 15;

/// What [`CALLS`] counts over.
const WINDOW: Duration = Duration::from_secs(1);

/// Lets no more than [`CALLS`] through in any [`WINDOW`].
#[derive(Debug, Default)]
pub(super) struct Pace {
    recent: Mutex<VecDeque<Instant>>,
}

impl Pace {
    /// Waits until the next call may be made.
    pub(super) async fn next(&self) {
        let mut recent = self.recent.lock().await;
        if recent.len() == CALLS
            && let Some(oldest) = recent.pop_front()
        {
            sleep_until(oldest + WINDOW).await;
        }
        recent.push_back(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sixteenth_call_waits_for_the_first_to_be_a_second_old() {
        let (pace, begun) = (Pace::default(), Instant::now());
        for _ in 0..CALLS {
            pace.next().await;
        }
        assert!(begun.elapsed() < WINDOW);
        pace.next().await;
        assert!(begun.elapsed() >= WINDOW);
    }
}
