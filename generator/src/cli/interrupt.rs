//! Ctrl-C: ends most commands at once, and asks a run over many tenants to finish what is in flight.

use std::sync::{Mutex, PoisonError};

use super::exit::Exit;
use super::failure::Failure;
use crate::fleet::Stopper;
use crate::report::{Event, Sink};

/// What Ctrl-C means at present.
#[derive(Debug, Default)]
pub(super) struct Interrupts {
    /// The run that ends well when asked, and how one goes on with it.
    graceful: Mutex<Option<(Stopper, String)>>,
}

impl Interrupts {
    /// From now on the first Ctrl-C only asks; `help` is told by the second.
    pub(super) fn graceful(&self, help: &str) -> Stopper {
        let stopper = Stopper::new();
        let mut graceful = self.graceful.lock().unwrap_or_else(PoisonError::into_inner);
        *graceful = Some((stopper.clone(), help.to_owned()));
        stopper
    }

    /// Ends where the process must end at once, with what is to be said.
    pub(super) async fn end(&self, sink: &dyn Sink) -> Failure {
        loop {
            if tokio::signal::ctrl_c().await.is_err() {
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
                Some((_, help)) => {
                    return Failure::new(Exit::Cancelled, "stopped; what was started goes on in the cloud")
                        .help(help);
                }
                None => {
                    return Failure::new(Exit::Cancelled, "stopped; what was started goes on in the cloud")
                        .help("run the same command again: it goes on from where things stand");
                }
            }
        }
    }
}
