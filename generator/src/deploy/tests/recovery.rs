//! Stacks that an earlier failure has left, and what others do meanwhile.

use super::stack::{deploy, request, update};
use crate::aws::AwsErrorKind;
use crate::aws::cloudformation::{ChangeSet, ChangeSetSummary, StackResource};
use crate::deploy::fake::{FakeCloudFormation, FakePeers, Script, context, error, event, set, stack};
use crate::deploy::{DeployError, StackDeployer};
use crate::report::Event;

/// A script of a stack whose first making failed, and which keeps a resource of this type.
fn never_made(kind: &str) -> Script {
    let kept = StackResource {
        logical_id: "Content".into(),
        physical_id: Some("demo-content".into()),
        kind: kind.into(),
        status: "DELETE_SKIPPED".into(),
    };
    Script {
        stacks: [
            Ok(Some(stack("ROLLBACK_COMPLETE"))),
            Ok(Some(stack("DELETE_COMPLETE"))),
            Ok(Some(stack("CREATE_COMPLETE"))),
        ]
        .into(),
        events: [
            Ok(vec![event("1", "s", "ROLLBACK_COMPLETE", None)]),
            Ok(vec![event("2", "s", "DELETE_COMPLETE", None)]),
            Ok(vec![event("9", "s", "CREATE_COMPLETE", None)]),
        ]
        .into(),
        resources: [Ok(vec![kept])].into(),
        ..update()
    }
}

#[tokio::test]
async fn a_first_creation_that_failed_is_deleted_by_id_and_made_again() {
    let fake = FakeCloudFormation::new(never_made("AWS::Lambda::Function"));
    let (context, sink) = context();
    deploy(&context, &fake, &[]).await.expect("created");
    assert_eq!(
        fake.writes(),
        ["DeleteStack arn:stack", "CreateChangeSet s Create", "ExecuteChangeSet arn:set"]
    );
    let leftover = sink.events().into_iter().find_map(|event| match event {
        Event::StackLeftover { action, .. } => Some(action),
        _ => None,
    });
    assert!(leftover.expect("told").ends_with("kept: `Content` (AWS::Lambda::Function demo-content)"));
}

#[tokio::test]
async fn a_first_creation_that_keeps_what_may_hold_data_is_left_to_a_person() {
    let fake = FakeCloudFormation::new(never_made("AWS::S3::Bucket"));
    let error = deploy(&context().0, &fake, &["Content"]).await.expect_err("refused");
    assert!(error.to_string().contains("may hold data: `Content` (AWS::S3::Bucket demo-content)"), "{error}");
    assert_eq!(fake.writes(), [""; 0]);
}

#[tokio::test]
async fn a_failed_rollback_goes_on_only_where_asked_and_skips_only_what_is_stuck() {
    let stuck = StackResource {
        logical_id: "Signer".into(),
        physical_id: Some("demo-signer".into()),
        kind: "AWS::Lambda::Function".into(),
        status: "UPDATE_FAILED".into(),
    };
    let script = || Script {
        stacks: [
            Ok(Some(stack("UPDATE_ROLLBACK_FAILED"))),
            Ok(Some(stack("UPDATE_ROLLBACK_COMPLETE"))),
            Ok(Some(stack("UPDATE_ROLLBACK_COMPLETE"))),
            Ok(Some(stack("UPDATE_COMPLETE"))),
        ]
        .into(),
        events: [
            Ok(vec![event("1", "s", "UPDATE_ROLLBACK_FAILED", None)]),
            Ok(vec![event("2", "s", "UPDATE_ROLLBACK_COMPLETE", None)]),
            Ok(vec![event("9", "s", "UPDATE_COMPLETE", None)]),
        ]
        .into(),
        resources: [Ok(vec![stuck.clone()])].into(),
        ..update()
    };
    let (mut context, _) = context();
    let fake = FakeCloudFormation::new(script());
    let error = deploy(&context, &fake, &[]).await.expect_err("refused");
    assert!(error.to_string().contains("could not be put back: `Signer`"), "{error}");
    assert!(error.help().is_some_and(|help| help.contains("--continue-rollback")));
    assert_eq!(fake.writes(), [""; 0]);

    context.settings.continue_rollback = Some(vec!["Signer".into(), "Distribution".into()]);
    let fake = FakeCloudFormation::new(script());
    assert!(deploy(&context, &fake, &[]).await.expect("updated").is_changed());
    assert_eq!(fake.writes()[0], "ContinueUpdateRollback arn:stack Signer");
}

#[tokio::test]
async fn a_stack_that_somebody_else_works_on_is_refused_where_that_was_asked() {
    let busy = || {
        FakeCloudFormation::new(Script { stacks: [Ok(Some(stack("UPDATE_IN_PROGRESS")))].into(), ..update() })
    };
    let (mut context, _) = context();
    context.settings.refuse_busy = true;
    let fake = busy();
    let error = deploy(&context, &fake, &[]).await.expect_err("refused");
    assert!(matches!(error, DeployError::Refused { status: "UPDATE_IN_PROGRESS", .. }), "{error}");
    assert_eq!(fake.writes(), [""; 0]);
}

#[tokio::test]
async fn a_change_set_that_somebody_else_has_overtaken_is_not_executed_and_not_left() {
    let obsolete = ChangeSet { execution: "OBSOLETE".into(), ..set("CREATE_COMPLETE", None, vec![]) };
    let fake = FakeCloudFormation::new(Script {
        executed: [Err(error("InvalidChangeSetStatus", AwsErrorKind::Conflict))].into(),
        sets: [Ok(set("CREATE_COMPLETE", None, vec![])), Ok(obsolete)].into(),
        ..update()
    });
    let (context, _) = context();
    let failed = deploy(&context, &fake, &[]).await.expect_err("overtaken");
    assert!(matches!(failed, DeployError::Overtaken { .. }), "{failed}");
    assert_eq!(fake.writes().last().map(String::as_str), Some("DeleteChangeSet arn:set"));
    assert!(context.work.unused.is_empty());
}

#[tokio::test]
async fn a_process_that_goes_on_clears_the_change_sets_of_its_own_run_only() {
    let summary = |id: &str, name: &str| ChangeSetSummary { id: id.into(), name: name.into() };
    let fake = FakeCloudFormation::new(Script {
        summaries: vec![summary("arn:ours", "generator-r1-0"), summary("arn:other", "generator-r2-0")],
        ..update()
    });
    let (context, _) = context();
    let context = context.with(context.work.beside("r1".into(), true));
    deploy(&context, &fake, &[]).await.expect("updated");
    assert_eq!(
        fake.writes(),
        ["DeleteChangeSet arn:ours", "CreateChangeSet s Update", "ExecuteChangeSet arn:set"]
    );
    assert!(fake.requests()[0].name.starts_with("generator-r1-"));
}

#[tokio::test]
async fn credentials_that_expire_while_a_stack_is_watched_leave_it_alone() {
    let expired = || error("ExpiredToken", AwsErrorKind::Credentials);
    let fake = FakeCloudFormation::new(Script {
        stacks: [Ok(Some(stack("UPDATE_COMPLETE"))), Err(expired())].into(),
        ..update()
    });
    let failed = deploy(&context().0, &fake, &[]).await.expect_err("lost sight");
    assert!(matches!(failed, DeployError::LostSight { .. }), "{failed}");
    assert_eq!(failed.to_string(), "lost sight of stack `s` to be deployed, which goes on in the cloud");
}

#[tokio::test]
async fn whoever_ends_early_deletes_what_was_not_executed() {
    let fake = FakeCloudFormation::new(Script {
        stacks: [Ok(None), Ok(Some(stack("REVIEW_IN_PROGRESS")))].into(),
        ..update()
    });
    let (context, _) = context();
    StackDeployer::new(&context, &fake, &[]).prepare(&request()).await.expect("changes");
    assert!(!context.work.unused.is_empty());
    let peers =
        FakePeers { regions: [("eu-north-1".to_owned(), fake.clone())].into(), ..FakePeers::default() };
    assert_eq!(context.work.unused.discard(&peers).await, [""; 0]);
    let writes = fake.writes();
    assert!(writes[1].starts_with("DeleteChangeSet generator-"), "{writes:?}");
    assert_eq!(writes[2], "DeleteStack arn:stack");
    let late = StackDeployer::new(&context, &fake, &[]).prepare(&request()).await.expect_err("closed");
    assert!(matches!(late, DeployError::Cancelled));
}
