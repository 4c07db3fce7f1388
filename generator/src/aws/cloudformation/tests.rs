//! The adapter against scripted HTTP answers: which requests it makes, and that every page is read.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

use super::*;
use crate::aws::budgeted::Budgeted;
use crate::aws::{AwsErrorKind, RateBudget};
use crate::clock::ManualClock;

/// Answers in their order; records the bodies of the requests.
#[derive(Debug, Clone, Default)]
struct Script {
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        self.requests.lock().unwrap().push(body.unwrap_or_default());
        let (status, answer) = self.answers.lock().unwrap().remove(0);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer))))
    }
}

fn scripted(answers: &[(u16, &str)]) -> (CloudFormationClient, Script) {
    let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
    let script = Script { answers: Arc::new(Mutex::new(answers)), ..Script::default() };
    let connector = script.clone();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .endpoint_url("http://127.0.0.1:1")
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "t")))
        .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone())))
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(3)
                .with_initial_backoff(std::time::Duration::from_millis(1)),
        )
        .build();
    let clock = Arc::new(ManualClock::default());
    let budget = Arc::new(RateBudget::unlimited(clock.clone()));
    let budgeted = Budgeted { budget, account: Arc::default(), region: "us-east-1".into() };
    let poller = Arc::new(Poller::new(clock, std::time::Duration::ZERO));
    (CloudFormationClient::new(&config, budgeted, poller, true), script)
}

fn events_page(ids: &[(&str, &str)], next: Option<&str>) -> String {
    let members: String = ids
        .iter()
        .map(|(id, time)| {
            format!(
                "<member><EventId>{id}</EventId><StackId>s</StackId><StackName>n</StackName>\
                 <Timestamp>{time}</Timestamp></member>"
            )
        })
        .collect();
    let next = next.map(|token| format!("<NextToken>{token}</NextToken>")).unwrap_or_default();
    format!(
        "<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents>{members}</StackEvents>{next}\
         </DescribeStackEventsResult></DescribeStackEventsResponse>"
    )
}

const THROTTLED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>\
                         <Message>Rate exceeded</Message></Error></ErrorResponse>";

#[tokio::test]
async fn events_are_read_to_the_last_page_and_come_oldest_first() {
    let first = events_page(&[("4", "2026-01-01T00:00:04Z"), ("3", "2026-01-01T00:00:03Z")], Some("p2"));
    let second = events_page(&[("2", "2026-01-01T00:00:02Z")], None);
    let (client, script) = scripted(&[(200, &first), (200, &second)]);
    let events = client.events("n", None, &HashSet::new()).await.expect("events");
    assert_eq!(events.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["2", "3", "4"]);
    assert!(script.requests.lock().unwrap()[1].contains("NextToken=p2"));
}

#[tokio::test]
async fn no_page_is_read_past_the_start_of_the_operation() {
    let first = events_page(&[("4", "2026-01-01T00:00:04Z"), ("1", "2026-01-01T00:00:01Z")], Some("p2"));
    let (client, script) = scripted(&[(200, &first)]);
    let since = 1_767_225_602_000;
    let events = client.events("n", Some(since), &HashSet::new()).await.expect("events");
    assert_eq!(events.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["4"]);
    assert_eq!(script.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn no_page_is_read_past_the_first_event_already_known() {
    let page = |id: &str, next: &str| events_page(&[(id, "2026-01-01T00:00:01Z")], Some(next));
    let (client, script) =
        scripted(&[(200, &page("4", "p2")), (200, &page("3", "p3")), (200, &page("2", "p4"))]);
    let known = HashSet::from(["1".to_owned(), "2".to_owned()]);
    let events = client.events("n", None, &known).await.expect("events");
    assert_eq!(events.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["3", "4"]);
    assert_eq!(script.requests.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_change_set_is_read_to_the_last_page_with_property_values() {
    let page = |logical: &str, next: &str| {
        format!(
            "<DescribeChangeSetResponse><DescribeChangeSetResult><ChangeSetId>c</ChangeSetId>\
             <StackId>s</StackId><Status>CREATE_COMPLETE</Status><Changes><member><ResourceChange>\
             <LogicalResourceId>{logical}</LogicalResourceId><Action>Add</Action></ResourceChange></member>\
             </Changes>{next}</DescribeChangeSetResult></DescribeChangeSetResponse>"
        )
    };
    let (client, script) = scripted(&[(200, &page("A", "<NextToken>p2</NextToken>")), (200, &page("B", ""))]);
    let set = client.change_set("n", "c").await.expect("a change set");
    assert_eq!(set.changes.iter().map(|c| c.logical_id.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    assert!(script.requests.lock().unwrap().iter().all(|r| r.contains("IncludePropertyValues=true")));
}

#[tokio::test]
async fn a_change_set_is_asked_for_with_capabilities_tags_token_and_role() {
    let answer = "<CreateChangeSetResponse><CreateChangeSetResult><Id>c</Id><StackId>s</StackId>\
                  </CreateChangeSetResult></CreateChangeSetResponse>";
    let (client, script) = scripted(&[(200, answer)]);
    let request = NewChangeSet {
        stack: "n".into(),
        name: "g-1".into(),
        kind: ChangeSetKind::Create,
        template: Template::Body("Resources: {}".into()),
        parameters: [("P".to_owned(), String::new())].into(),
        tags: [("tenant".to_owned(), "demo".to_owned())].into(),
        imports: Vec::new(),
        token: "t-1".into(),
        role_arn: Some("arn:aws:iam::1:role/x".into()),
    };
    client.create_change_set(&request).await.expect("a change set");
    let sent = script.requests.lock().unwrap()[0].clone();
    for part in [
        "Action=CreateChangeSet",
        "ChangeSetType=CREATE",
        "Capabilities.member.1=CAPABILITY_NAMED_IAM",
        "Tags.member.1.Key=tenant",
        "Parameters.member.1.ParameterKey=P",
        "Parameters.member.1.ParameterValue=",
        "ClientToken=t-1",
        "RoleARN=arn",
    ] {
        assert!(sent.contains(part), "`{part}` is not in `{sent}`");
    }
}

#[tokio::test]
async fn throttling_is_ridden_out() {
    let answer = events_page(&[], None);
    let (client, script) = scripted(&[(400, THROTTLED), (400, THROTTLED), (200, &answer)]);
    assert_eq!(client.events("n", None, &HashSet::new()).await, Ok(vec![]));
    assert_eq!(script.requests.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn lasting_throttling_has_its_own_kind_and_shows_no_raw_response() {
    let (client, _) = scripted(&[(400, THROTTLED); 9]);
    let error = client.events("n", None, &HashSet::new()).await.expect_err("throttled");
    assert_eq!(error.kind, AwsErrorKind::Throttled);
    assert!(error.is_passing());
    assert_eq!(
        error.to_string(),
        "cloudformation `DescribeStackEvents` failed: Rate exceeded (`Throttling`)"
    );
}

#[tokio::test]
async fn a_missing_stack_is_no_failure() {
    let missing = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
                   <Message>Stack with id n does not exist</Message></Error></ErrorResponse>";
    let (client, _) = scripted(&[(400, missing), (400, missing)]);
    assert_eq!(client.stack("n").await, Ok(None));
    assert_eq!(client.template("n").await, Ok(None));
}
