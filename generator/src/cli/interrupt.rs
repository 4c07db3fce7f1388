//! Ctrl-C: ends most commands at once, and asks a run over many tenants to finish what is in flight.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::exit::Exit;
use super::failure::Failure;
use crate::aws::Cloud;
use crate::deploy::Unused;
use crate::fleet::Stopper;
use crate::report::{Event, Sink};

/// What Ctrl-C means at present.
#[derive(Debug, Default)]
pub(super) struct Interrupts {
    /// The run that ends well when asked, and what is said where it does not even do that.
    graceful: Mutex<Option<(Stopper, Said)>>,
    /// Change sets that a command may leave unused, and the cloud that they are in.
    unused: Mutex<Vec<(Arc<Unused>, Cloud)>>,
}

/// What is said by a process that ends at once.
#[derive(Debug, Clone)]
pub(super) struct Said {
    message: &'static str,
    help: String,
}

impl Said {
    /// By one that may have started something.
    pub(super) fn of_a_write(help: impl Into<String>) -> Self {
        Self { message: "stopped; what was started goes on in the cloud", help: help.into() }
    }

    /// By one that only looks.
    pub(super) fn of_a_look() -> Self {
        let help = "run it again; a change set that could not be deleted is named above".into();
        Self { message: "stopped; nothing was changed", help }
    }

    fn into_failure(self) -> Failure {
        Failure::new(Exit::Cancelled, self.message).help(self.help)
    }
}

/// Longest time that a command which ends early cleans up after itself.
const CLEANING: Duration = Duration::from_secs(60);

impl Interrupts {
    /// From now on the first Ctrl-C only asks; the second ends the process with this.
    pub(super) fn graceful(&self, said: Said) -> Stopper {
        let stopper = Stopper::new();
        let mut graceful = self.graceful.lock().unwrap_or_else(PoisonError::into_inner);
        *graceful = Some((stopper.clone(), said));
        stopper
    }

    /// Whatever is left of these when the command ends early is deleted.
    pub(super) fn clean_up_after(&self, unused: Arc<Unused>, cloud: Cloud) {
        self.unused.lock().unwrap_or_else(PoisonError::into_inner).push((unused, cloud));
    }

    /// Deletes the change sets that the command has left unused.
    pub(super) async fn clean_up(&self, sink: &dyn Sink) {
        let all = self.unused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (unused, cloud) in all.into_iter().filter(|(unused, _)| !unused.is_empty()) {
            for what in unused.discard(&cloud).await {
                tell_left(sink, &what);
            }
        }
    }

    /// The same for a command that ends at once, which has little time for it.
    pub(super) async fn clean_up_soon(&self, sink: &dyn Sink) {
        if tokio::time::timeout(CLEANING, self.clean_up(sink)).await.is_err() {
            tell_left(sink, "some change set whose name begins with `generator-`");
        }
    }

    /// Ends where the process must end at once, with what is to be said.
    pub(super) async fn end(&self, sink: &dyn Sink) -> Failure {
        loop {
            if asked_to_end().await.is_err() {
                // Without the signal there is nothing to wait for.
                std::future::pending::<()>().await;
            }
            let graceful = self.graceful.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match graceful {
                Some((stopper, _)) if !stopper.is_asked() => {
                    stopper.stop();
                    let message = "finishing what is in flight; Ctrl-C once more ends at once".to_owned();
                    sink.emit(&Event::Note { tenant: None, message });
                }
                Some((_, said)) => return said.into_failure(),
                None => {
                    let help = "run the same command again: it goes on from where things stand";
                    return Said::of_a_write(help).into_failure();
                }
            }
        }
    }
}

/// Waits for Ctrl-C, or for the request to end that service managers and pipelines send before they kill.
async fn asked_to_end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn tell_left(sink: &dyn Sink, what: &str) {
    let message = format!("{what} is left unused");
    let help = Some("delete it by hand, or with `generator gc` when it is old enough".to_owned());
    sink.emit(&Event::Warning { tenant: None, message, help });
}
