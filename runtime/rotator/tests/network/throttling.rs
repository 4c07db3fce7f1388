//! Calls to a service that is short of capacity, and the rate of calls to one that is not.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudfront::config::Credentials;
use rotator::aws::Aws;
use rotator::ports::{FaultKind, KeyGroup, Keys};

use super::server::Server;

const EMPTY: &str = "<PublicKeyList><MaxItems>100</MaxItems><Quantity>0</Quantity></PublicKeyList>";

fn error(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
    )
}

async fn aws(server: &Server) -> Aws {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(format!("http://{}", server.host()))
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("000000000000", "local", None, None, "test"))
        .load()
        .await;
    Aws::with(&config, rotator::aws::https())
}

#[tokio::test]
async fn a_throttled_call_is_tried_again_after_growing_pauses() {
    let server = Server::start(|number, _| match number {
        0..=2 => ("400 Bad Request".to_owned(), error("Throttling")),
        3 => ("503 Service Unavailable".to_owned(), error("ServiceUnavailable")),
        _ => ("200 OK".to_owned(), EMPTY.to_owned()),
    });
    let page = aws(&server).await.public_keys(None).await.expect("the fifth attempt");
    assert!(page.items.is_empty() && page.next.is_none());
    let times = server.times();
    assert_eq!(times.len(), 5);
    // The pauses are random up to a bound that doubles, so only their sum says that there were any.
    assert!(times[4] - times[0] > Duration::from_millis(100), "{:?}", times[4] - times[0]);
}

#[tokio::test]
async fn a_refusal_is_no_reason_to_try_again() {
    let server = Server::start(|_, _| ("412 Precondition Failed".to_owned(), error("PreconditionFailed")));
    let (id, name, etag) = ("G1".to_owned(), "g".to_owned(), "E".to_owned());
    let group = KeyGroup { id, name, etag, keys: vec!["K1".to_owned()], modified: 0 };
    let refused = aws(&server).await.update_key_group(&group, &["K2".to_owned()]).await;
    assert_eq!(refused.map_err(|fault| fault.kind), Err(FaultKind::Stale));
    assert_eq!(server.times().len(), 1);
}

#[tokio::test]
async fn no_more_than_fifteen_requests_are_made_in_any_second_retries_included() {
    let server = Server::start(|number, _| match number % 5 {
        0 => ("400 Bad Request".to_owned(), error("Throttling")),
        _ => ("200 OK".to_owned(), EMPTY.to_owned()),
    });
    let aws = aws(&server).await;
    for _ in 0..32 {
        aws.public_keys(None).await.expect("an answer");
    }
    let times = server.times();
    assert!(times.len() >= 40, "{}", times.len());
    for sixteen in times.windows(16) {
        let span = sixteen[15] - sixteen[0];
        // The server sees a request a little later than it was let go.
        assert!(span > Duration::from_millis(900), "16 requests in {span:?}");
    }
}
