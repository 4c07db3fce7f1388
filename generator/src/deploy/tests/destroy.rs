//! Taking a tenant down.

use crate::aws::cloudformation::{Stack, StackResource};
use crate::aws::cognito::UserPool;
use crate::aws::s3::ObjectVersion;
use crate::aws::{AwsError, AwsErrorKind};
use crate::deploy::destroy::{DestroyRequest, Retained, RetainedKind, destroy};
use crate::deploy::fake::{FakeCloudFormation, FakePeers, Script, World, context, event, stack};

const HOME: &str = "eu-north-1";
const EDGE: &str = "us-east-1";

fn request(delete_data: &[&str]) -> DestroyRequest {
    let retained = |logical_id: &str, kind, name: &str, region: &str| Retained {
        logical_id: logical_id.into(),
        kind,
        name: name.into(),
        region: region.into(),
    };
    DestroyRequest {
        tenant: "demo".into(),
        account: None,
        stacks: vec![("demo-edge".into(), EDGE.into()), ("demo-regional".into(), HOME.into())],
        retained: vec![
            retained("Signer", RetainedKind::Function, "demo-signer", EDGE),
            retained("Content", RetainedKind::Bucket, "demo-content", HOME),
            retained("Pool", RetainedKind::UserPool, "demo", HOME),
        ],
        delete_data: delete_data.iter().map(|id| (*id).to_owned()).collect(),
        page: None,
        keys: None,
        log_groups: vec![],
        patience: std::time::Duration::ZERO,
    }
}

fn deleted() -> Script {
    Script {
        stacks: [Ok(Some(stack("UPDATE_COMPLETE"))), Ok(Some(stack("DELETE_COMPLETE")))].into(),
        events: [
            Ok(vec![event("1", "s", "UPDATE_COMPLETE", None)]),
            Ok(vec![event("2", "s", "DELETE_COMPLETE", None)]),
        ]
        .into(),
        ..Script::default()
    }
}

fn gone() -> Script {
    Script { stacks: [Ok(None::<Stack>)].into(), ..Script::default() }
}

fn peers(edge: Script, regional: Script) -> FakePeers {
    let regions = [
        (EDGE.to_owned(), FakeCloudFormation::new(edge)),
        (HOME.to_owned(), FakeCloudFormation::new(regional)),
    ];
    let version = |key: &str| ObjectVersion { key: key.into(), version: "1".into() };
    let world = World {
        buckets: [("demo-content".to_owned(), vec![version("a"), version("b"), version("c")])].into(),
        pools: vec![UserPool { id: "eu-north-1_abc".into(), name: "demo".into(), protected: true }],
        functions: vec!["demo-signer".into()],
        ..World::default()
    };
    FakePeers {
        regions: regions.into(),
        world: std::sync::Arc::new(std::sync::Mutex::new(world)),
        ..FakePeers::default()
    }
}

#[tokio::test]
async fn stacks_and_function_go_and_data_stays_without_consent() {
    let peers = peers(deleted(), deleted());
    let (context, sink) = context();
    let outcome = destroy(&context, &peers, &request(&[])).await.expect("taken down");
    assert!(outcome.is_done());
    let removed: Vec<_> = outcome.removed.iter().map(|thing| thing.name.as_str()).collect();
    assert_eq!(removed, ["demo-edge", "demo-regional", "demo-signer"]);
    let kept: Vec<_> = outcome.kept.iter().map(|kept| kept.thing.name.as_str()).collect();
    assert_eq!(kept, ["demo-content", "eu-north-1_abc"]);
    assert!(outcome.kept[0].help.contains("--delete-data Content"));
    assert!(
        !peers
            .calls()
            .iter()
            .any(|call| call.starts_with("DeleteBucket") || call.starts_with("DeleteUserPool"))
    );
    assert_eq!(sink.codes().iter().filter(|code| **code == "RESOURCE_KEPT").count(), 2);
}

#[tokio::test]
async fn with_consent_the_bucket_is_emptied_page_by_page_and_the_pool_unprotected() {
    let peers = peers(gone(), gone());
    let (context, _) = context();
    let outcome = destroy(&context, &peers, &request(&["Content", "Pool"])).await.expect("taken down");
    assert!(outcome.is_done() && outcome.kept.is_empty());
    let calls = peers.calls();
    for call in ["DeleteObjects 2", "DeleteObjects 1", "DeleteBucket demo-content"] {
        assert!(calls.iter().any(|found| found == call), "no `{call}` in {calls:?}");
    }
    let place = |call: &str| calls.iter().position(|found| found == call).expect(call);
    assert!(place("UpdateUserPool eu-north-1_abc") < place("DeleteUserPool eu-north-1_abc"));
}

#[tokio::test]
async fn consent_for_one_is_no_consent_for_another() {
    let peers = peers(gone(), gone());
    let (context, _) = context();
    let outcome = destroy(&context, &peers, &request(&["Pool"])).await.expect("taken down");
    assert_eq!(outcome.kept.len(), 1);
    assert_eq!(outcome.kept[0].thing.name, "demo-content");
}

#[tokio::test]
async fn a_function_with_replicas_remains_and_is_not_called_done() {
    let peers = peers(gone(), gone());
    peers.world.lock().unwrap().function_refusal = Some(AwsError {
        service: "lambda",
        operation: "DeleteFunction",
        code: "InvalidParameterValueException".into(),
        message: "Lambda was unable to delete it because it is a replicated function.".into(),
        kind: AwsErrorKind::Validation,
    });
    let (context, _) = context();
    let outcome = destroy(&context, &peers, &request(&[])).await.expect("taken down");
    assert!(!outcome.is_done());
    assert_eq!(outcome.remaining[0].thing.name, "demo-signer");
    let help = &outcome.remaining[0].help;
    assert!(
        help.contains("generator resume") && help.contains("`generator destroy --tenant demo`"),
        "{help}"
    );
}

#[tokio::test]
async fn a_stack_that_cannot_be_deleted_stops_what_comes_after_it() {
    let stuck = Script {
        stacks: [Ok(Some(stack("UPDATE_COMPLETE"))), Ok(Some(stack("DELETE_FAILED")))].into(),
        events: [
            Ok(vec![]),
            Ok(vec![
                event("1", "Signer", "DELETE_FAILED", Some("still in use")),
                event("2", "s", "DELETE_FAILED", None),
            ]),
        ]
        .into(),
        ..Script::default()
    };
    let peers = peers(stuck, deleted());
    let (context, _) = context();
    let outcome = destroy(&context, &peers, &request(&["Content"])).await.expect("an outcome");
    let remaining: Vec<_> = outcome.remaining.iter().map(|left| left.thing.name.as_str()).collect();
    assert_eq!(remaining, ["demo-edge", "demo-regional"]);
    assert!(outcome.remaining[0].reason.contains("still in use"));
    assert_eq!(peers.regions[HOME].writes(), [""; 0]);
    assert_eq!(peers.calls(), [""; 0]);
}

#[tokio::test]
async fn running_again_with_nothing_left_does_nothing() {
    let peers = FakePeers { world: std::sync::Arc::default(), ..peers(gone(), gone()) };
    let (context, _) = context();
    let outcome = destroy(&context, &peers, &request(&["Content", "Pool"])).await.expect("nothing");
    assert_eq!(outcome, crate::deploy::destroy::DestroyOutcome::default());
}

#[tokio::test]
async fn the_stacks_own_name_for_a_retained_resource_goes_before_the_fixed_one() {
    let resource = StackResource {
        logical_id: "Pool".into(),
        physical_id: Some("eu-north-1_abc".into()),
        kind: "AWS::Cognito::UserPool".into(),
        status: "CREATE_COMPLETE".into(),
    };
    let peers = peers(gone(), Script { resources: [Ok(vec![resource])].into(), ..deleted() });
    // Another pool of the same name would make the name useless.
    let same = UserPool { id: "eu-north-1_xyz".into(), name: "demo".into(), protected: false };
    peers.world.lock().unwrap().pools.push(same);
    let (context, _) = context();
    let outcome = destroy(&context, &peers, &request(&["Pool"])).await.expect("taken down");
    assert!(outcome.is_done());
    assert_eq!(peers.world.lock().unwrap().pools[0].id, "eu-north-1_xyz");
}

#[tokio::test]
async fn a_pool_that_its_name_does_not_tell_apart_is_left_alone() {
    let peers = peers(gone(), gone());
    let same = UserPool { id: "eu-north-1_xyz".into(), name: "demo".into(), protected: false };
    peers.world.lock().unwrap().pools.push(same);
    let (context, _) = context();
    let outcome = destroy(&context, &peers, &request(&["Pool"])).await.expect("an outcome");
    assert!(!outcome.is_done());
    assert_eq!(peers.world.lock().unwrap().pools.len(), 2);
}

#[tokio::test]
async fn the_edge_function_is_detached_everywhere_before_its_stack_is_deleted() {
    let distribution = StackResource {
        logical_id: "Distribution".into(),
        physical_id: Some("E1".into()),
        kind: "AWS::CloudFront::Distribution".into(),
        status: "CREATE_COMPLETE".into(),
    };
    let edge = Script { resources: [Ok(vec![distribution])].into(), ..deleted() };
    let peers = peers(edge, deleted());
    peers.world.lock().unwrap().distribution = ["InProgress", "Deployed"].map(String::from).into();
    let (context, sink) = context();
    assert!(destroy(&context, &peers, &request(&[])).await.expect("an outcome").is_done());
    assert_eq!(peers.calls()[..3], ["UpdateDistribution E1", "GetDistribution E1", "GetDistribution E1"]);
    let codes = sink.codes();
    let place = |code: &str| codes.iter().position(|found| *found == code).expect("told");
    assert!(place("EDGE_DETACHED") < place("STACK_DELETING"));
}

#[tokio::test]
async fn replicas_are_asked_again_as_long_as_there_is_patience() {
    let peers = peers(gone(), gone());
    let refusal = AwsError {
        service: "lambda",
        operation: "DeleteFunction",
        code: "InvalidParameterValueException".into(),
        message: "Lambda was unable to delete the function because it is a replicated function.".into(),
        kind: AwsErrorKind::Validation,
    };
    peers.world.lock().unwrap().function_refusal = Some(refusal);
    let patience = std::time::Duration::from_secs(1_000);
    let (context, _) = context();
    let outcome = destroy(&context, &peers, &DestroyRequest { patience, ..request(&[]) }).await;
    assert!(!outcome.expect("an outcome").is_done());
    let asked = peers.calls().into_iter().filter(|call| call.starts_with("DeleteFunction")).count();
    assert_eq!(asked, 5, "every five minutes, and once more at the end");
    assert_eq!(context.work.waited(), patience);
}

#[tokio::test]
async fn keys_and_logs_that_no_stack_has_go_and_those_of_others_stay() {
    let peers = peers(gone(), gone());
    let key = |id: &str, name: &str| (id.to_owned(), name.to_owned());
    peers.world.lock().unwrap().public_keys = vec![key("K1", "o-demo-key-abc"), key("K2", "o-demo2-key-abc")];
    let request = DestroyRequest {
        keys: Some(contract::names::Names::new("o", "demo")),
        log_groups: vec![("/aws/lambda/o-demo-signer".into(), EDGE.into())],
        ..request(&[])
    };
    let (context, _) = context();
    destroy(&context, &peers, &request).await.expect("an outcome");
    let calls = peers.calls();
    assert!(
        calls.contains(&"DeletePublicKey K1".to_owned()) && !calls.contains(&"DeletePublicKey K2".to_owned())
    );
    assert!(calls.contains(&format!("DeleteLogGroup {EDGE} /aws/lambda/o-demo-signer")), "{calls:?}");
}
