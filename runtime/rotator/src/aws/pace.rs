//! The rate at which control planes are called.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Requests in any [`WINDOW`]. CloudFront publishes no figure for its control plane; this is what Lambda's
/// has.
const REQUESTS: usize = 15;

/// What [`REQUESTS`] counts over.
const WINDOW: Duration = Duration::from_secs(1);

/// Lets no more than [`REQUESTS`] through in any [`WINDOW`].
#[derive(Debug, Default)]
struct Pace {
    recent: Mutex<VecDeque<Instant>>,
}

impl Pace {
    /// Waits until the next request may be made.
    async fn next(&self) {
        let mut recent = self.recent.lock().await;
        if recent.len() == REQUESTS
            && let Some(oldest) = recent.pop_front()
        {
            sleep_until(oldest + WINDOW).await;
        }
        recent.push_back(Instant::now());
    }
}

/// Connections that share one pace: of every service, and of every attempt, the SDK's own retries included.
#[derive(Debug)]
pub(super) struct PacedClient {
    http: SharedHttpClient,
    pace: Arc<Pace>,
}

impl PacedClient {
    pub(super) fn new(http: SharedHttpClient) -> Self {
        Self { http, pace: Arc::default() }
    }
}

impl HttpClient for PacedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.http.http_connector(settings, components);
        SharedHttpConnector::new(PacedConnector { connector, pace: Arc::clone(&self.pace) })
    }
}

#[derive(Debug)]
struct PacedConnector {
    connector: SharedHttpConnector,
    pace: Arc<Pace>,
}

impl HttpConnector for PacedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (connector, pace) = (self.connector.clone(), Arc::clone(&self.pace));
        HttpConnectorFuture::new(async move {
            pace.next().await;
            connector.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sixteenth_request_waits_for_the_first_to_be_a_second_old() {
        let (pace, begun) = (Pace::default(), Instant::now());
        for _ in 0..REQUESTS {
            pace.next().await;
        }
        assert!(begun.elapsed() < WINDOW);
        pace.next().await;
        assert!(begun.elapsed() >= WINDOW);
    }
}
