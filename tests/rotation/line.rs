//! The line between the rotator and the services: it can be cut at any request, and it can throttle.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use tokio::sync::Notify;

/// What happens to requests.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trouble {
    None,
    /// The run dies at the request with this number: before it is sent, or when it was answered.
    Death {
        request: usize,
        after: bool,
    },
    /// Every request with a number that this divides is refused as too many.
    Throttling(usize),
}

/// A line that counts its requests.
#[derive(Debug, Clone)]
pub(super) struct Line {
    http: SharedHttpClient,
    trouble: Trouble,
    requests: Arc<AtomicUsize>,
    death: Arc<Notify>,
}

impl Line {
    pub(super) fn new(http: &SharedHttpClient, trouble: Trouble) -> Self {
        Self { http: http.clone(), trouble, requests: Arc::default(), death: Arc::default() }
    }

    /// Runs `work` to its end, or none where it dies before that.
    pub(super) async fn outlived_by<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.death.notified() => None,
            value = work => Some(value),
        }
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl HttpClient for Line {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.http.http_connector(settings, components);
        SharedHttpConnector::new(Connector { line: self.clone(), connector })
    }
}

#[derive(Debug)]
struct Connector {
    line: Line,
    connector: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (line, connector) = (self.line.clone(), self.connector.clone());
        HttpConnectorFuture::new(async move {
            let number = line.requests.fetch_add(1, Ordering::SeqCst) + 1;
            match line.trouble {
                Trouble::Death { request: doomed, after } if doomed == number => {
                    if after {
                        let _ = connector.call(request).await;
                    }
                    line.death.notify_one();
                    pending().await
                }
                Trouble::Throttling(every) if number % every == 0 => Ok(too_many(&request)),
                _ => connector.call(request).await,
            }
        })
    }
}

/// The refusal in the words of CloudFront, or of the services that speak JSON.
fn too_many(request: &HttpRequest) -> HttpResponse {
    let json = request.headers().get("x-amz-target").is_some();
    let (status, body) = if json {
        (400, r#"{"__type": "ThrottlingException", "message": "Rate exceeded"}"#)
    } else {
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>\
                    <Message>Rate exceeded</Message></Error></ErrorResponse>";
        (400, body)
    };
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body))
}
