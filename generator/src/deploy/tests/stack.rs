//! One stack.

use std::sync::Arc;

use crate::aws::cloudformation::{
    ChangeSet, ChangeSetKind, ChangeSetSummary, RawChange, Stack, Template, Validation,
};
use crate::aws::{AwsError, AwsErrorKind, Boxed};
use crate::deploy::fake::{FakeCloudFormation, Script, context, error, event, set, stack};
use crate::deploy::{
    Context, DataLossGate, DeployError, Gate, StackDeployer, StackOutcome, StackRequest, StackStatus,
    TemplateStore,
};
use crate::report::Event;

pub(super) fn request() -> StackRequest {
    StackRequest {
        tenant: "demo".into(),
        stack: "s".into(),
        region: "eu-north-1".into(),
        template: "T".into(),
        parameters: [("P".to_owned(), "1".to_owned())].into(),
        tags: [("tenant".to_owned(), "demo".to_owned())].into(),
    }
}

fn as_requested(status: &str) -> Stack {
    let request = request();
    Stack { parameters: request.parameters, tags: request.tags, ..stack(status) }
}

pub(super) async fn deploy(
    context: &Context,
    fake: &FakeCloudFormation,
    allow_replace: &[&str],
) -> Result<StackOutcome, DeployError> {
    let allow_replace = allow_replace.iter().map(|id| (*id).to_owned()).collect();
    let gates: Vec<Arc<dyn Gate>> = vec![Arc::new(DataLossGate { allow_replace })];
    StackDeployer::new(context, fake, &gates).deploy(&request()).await
}

/// A script in which an existing stack is changed and ends well.
pub(super) fn update() -> Script {
    Script {
        stacks: [Ok(Some(stack("UPDATE_COMPLETE")))].into(),
        templates: [Ok(Some("old".into()))].into(),
        sets: [Ok(set("CREATE_COMPLETE", None, vec![change("Signer", "Modify", "False")]))].into(),
        events: [Ok(vec![event("9", "s", "UPDATE_COMPLETE", None)])].into(),
        ..Script::default()
    }
}

fn change(logical_id: &str, action: &str, replacement: &str) -> RawChange {
    let kind = if logical_id == "Content" { "AWS::S3::Bucket" } else { "AWS::Lambda::Function" };
    RawChange {
        logical_id: logical_id.into(),
        kind: kind.into(),
        action: action.into(),
        replacement: Some(replacement.into()),
        ..RawChange::default()
    }
}

#[tokio::test]
async fn a_stack_as_it_should_be_costs_two_reads_and_no_write() {
    let fake = FakeCloudFormation::new(Script {
        stacks: [Ok(Some(as_requested("UPDATE_COMPLETE")))].into(),
        templates: [Ok(Some("T".into()))].into(),
        ..Script::default()
    });
    let (context, sink) = context();
    let outcome = deploy(&context, &fake, &[]).await.expect("unchanged");
    assert!(!outcome.is_changed());
    assert_eq!(fake.calls(), ["DescribeStacks s", "GetTemplate s"]);
    assert_eq!(sink.codes(), ["STACK_UNCHANGED"]);
}

#[tokio::test]
async fn another_template_parameter_or_tag_is_not_as_it_should_be() {
    let mut parameter = as_requested("UPDATE_COMPLETE");
    parameter.parameters.insert("P".into(), "2".into());
    let mut tag = as_requested("UPDATE_COMPLETE");
    tag.tags.clear();
    for (found, template) in [(as_requested("UPDATE_COMPLETE"), "old"), (parameter, "T"), (tag, "T")] {
        let fake = FakeCloudFormation::new(Script {
            stacks: [Ok(Some(found))].into(),
            templates: [Ok(Some(template.into()))].into(),
            ..update()
        });
        let outcome = deploy(&context().0, &fake, &[]).await.expect("an update");
        assert!(outcome.is_changed());
    }
}

#[tokio::test]
async fn both_texts_of_an_empty_change_set_mean_unchanged_and_it_is_deleted() {
    for reason in [
        "The submitted information didn't contain changes. Submit different information to create a change \
         set.",
        "No updates are to be performed.",
    ] {
        let fake = FakeCloudFormation::new(Script {
            sets: [Ok(set("FAILED", Some(reason), vec![]))].into(),
            ..update()
        });
        let outcome = deploy(&context().0, &fake, &[]).await.expect("unchanged");
        assert!(!outcome.is_changed());
        assert_eq!(fake.writes(), ["CreateChangeSet s Update", "DeleteChangeSet arn:set"]);
    }
}

#[tokio::test]
async fn a_change_set_that_failed_for_another_reason_is_a_failure() {
    let fake = FakeCloudFormation::new(Script {
        sets: [Ok(set("FAILED", Some("Parameters: [P] must have values"), vec![]))].into(),
        ..update()
    });
    let error = deploy(&context().0, &fake, &[]).await.expect_err("a failure");
    assert!(error.to_string().contains("Parameters: [P] must have values"), "{error}");
    assert_eq!(fake.writes(), ["CreateChangeSet s Update", "DeleteChangeSet arn:set"]);
}

#[tokio::test]
async fn what_early_validation_warns_of_is_told_and_what_it_blocks_is_not_executed() {
    let found = |blocks| Validation {
        logical_id: Some("Signer".into()),
        path: Some("/Properties/Runtime".into()),
        reason: "it will not be supported for long".into(),
        blocks,
    };
    let script = |blocks| Script { validations: [Ok(Some(vec![found(blocks)]))].into(), ..update() };
    let words = "stack `s` Signer /Properties/Runtime: it will not be supported for long";
    let fake = FakeCloudFormation::new(script(false));
    let (context, sink) = context();
    assert!(deploy(&context, &fake, &[]).await.expect("updated").is_changed());
    let warned = |event: &Event| matches!(event, Event::Warning { message, .. } if message == words);
    assert_eq!(sink.events().iter().filter(|event| warned(event)).count(), 1);

    let fake = FakeCloudFormation::new(script(true));
    let error = deploy(&context, &fake, &[]).await.expect_err("not like this");
    assert_eq!(error.to_string(), format!("the change set of stack `s` failed (`CREATE_COMPLETE`): {words}"));
    assert_eq!(fake.writes(), ["CreateChangeSet s Update", "DeleteChangeSet arn:set"]);
    assert!(context.work.unused.is_empty());
}

#[tokio::test]
async fn a_missing_stack_is_created() {
    let fake = FakeCloudFormation::new(Script {
        stacks: [Ok(None), Ok(Some(stack("CREATE_COMPLETE")))].into(),
        events: [Ok(vec![event("9", "s", "CREATE_COMPLETE", None)])].into(),
        ..update()
    });
    let outcome = deploy(&context().0, &fake, &[]).await.expect("created");
    assert!(matches!(outcome, StackOutcome::Created(_)));
    assert_eq!(fake.writes(), ["CreateChangeSet s Create", "ExecuteChangeSet arn:set"]);
    let sent = fake.requests();
    assert_eq!(sent[0].kind, ChangeSetKind::Create);
    assert_eq!(sent[0].name, format!("generator-{}", sent[0].token));
}

#[tokio::test]
async fn a_left_over_review_is_used_after_deleting_our_change_sets_only() {
    let summary = |id: &str, name: &str| ChangeSetSummary { id: id.into(), name: name.into() };
    let fake = FakeCloudFormation::new(Script {
        stacks: [Ok(Some(stack("REVIEW_IN_PROGRESS"))), Ok(Some(stack("CREATE_COMPLETE")))].into(),
        events: [Ok(vec![event("9", "s", "CREATE_COMPLETE", None)])].into(),
        summaries: vec![summary("arn:ours", "generator-1"), summary("arn:theirs", "by-hand")],
        ..update()
    });
    deploy(&context().0, &fake, &[]).await.expect("created");
    assert_eq!(
        fake.writes(),
        ["DeleteChangeSet arn:ours", "CreateChangeSet s Create", "ExecuteChangeSet arn:set"]
    );
}

#[tokio::test]
async fn a_failed_update_tells_the_first_cause_and_is_never_a_success() {
    let fake = FakeCloudFormation::new(Script {
        stacks: [Ok(Some(stack("UPDATE_COMPLETE"))), Ok(Some(stack("UPDATE_ROLLBACK_COMPLETE")))].into(),
        events: [Ok(vec![
            event("1", "Other", "UPDATE_FAILED", Some("Resource update cancelled")),
            event("2", "Signer", "UPDATE_FAILED", Some("the role may not be assumed")),
            event("3", "s", "UPDATE_ROLLBACK_COMPLETE", None),
        ])]
        .into(),
        ..update()
    });
    let (context, sink) = context();
    let error = deploy(&context, &fake, &[]).await.expect_err("a failure");
    let DeployError::Failed(failure) = error else { panic!("{error}") };
    assert_eq!(failure.status, StackStatus::UpdateRollbackComplete);
    assert_eq!(failure.root.expect("a cause").logical_id, "Signer");
    assert_eq!(failure.stands, "the stack is as it was before");
    assert_eq!(sink.codes().last(), Some(&"STACK_FAILED"));
}

#[tokio::test]
async fn an_unknown_status_is_refused_without_a_write() {
    let fake = FakeCloudFormation::new(Script { stacks: [Ok(Some(stack("MELTED")))].into(), ..update() });
    let error = deploy(&context().0, &fake, &[]).await.expect_err("refused");
    assert!(matches!(error, DeployError::UnknownStatus { .. }));
    assert_eq!(fake.writes(), [""; 0]);
}

#[tokio::test]
async fn a_status_that_needs_a_person_is_refused_without_a_write() {
    for status in ["UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "ROLLBACK_FAILED", "UPDATE_FAILED"] {
        let fake = FakeCloudFormation::new(Script { stacks: [Ok(Some(stack(status)))].into(), ..update() });
        let error = deploy(&context().0, &fake, &[]).await.expect_err("refused");
        assert!(matches!(error, DeployError::Refused { status: found, .. } if found == status));
        assert_eq!(fake.writes(), [""; 0]);
    }
}

#[tokio::test]
async fn an_event_seen_twice_is_told_once_and_an_old_end_is_not_believed() {
    let first = vec![event("1", "Signer", "UPDATE_IN_PROGRESS", None)];
    let mut second = first.clone();
    second.push(event("2", "Signer", "UPDATE_COMPLETE", None));
    let mut third = second.clone();
    third.push(event("3", "s", "UPDATE_COMPLETE", None));
    // The status is that of the update before until the third look: only the event makes it the end.
    let fake =
        FakeCloudFormation::new(Script { events: [Ok(first), Ok(second), Ok(third)].into(), ..update() });
    let (context, sink) = context();
    deploy(&context, &fake, &[]).await.expect("updated");
    let told = sink.codes().into_iter().filter(|code| *code == "RESOURCE_PROGRESS").count();
    assert_eq!(told, 2);
    let looks = fake.calls().into_iter().filter(|call| call.starts_with("DescribeStackEvents")).count();
    assert_eq!(looks, 3);
}

#[tokio::test]
async fn a_look_that_fails_in_passing_is_no_failed_deployment() {
    let throttled = || error("Throttling", AwsErrorKind::Throttled);
    let fake = FakeCloudFormation::new(Script {
        events: [
            Err(throttled()),
            Err(error("network", AwsErrorKind::Network)),
            Ok(vec![event("9", "s", "UPDATE_COMPLETE", None)]),
        ]
        .into(),
        sets: [Err(throttled()), Ok(set("CREATE_COMPLETE", None, vec![]))].into(),
        ..update()
    });
    assert!(deploy(&context().0, &fake, &[]).await.expect("updated").is_changed());
    let executed = fake.writes().into_iter().filter(|call| call.starts_with("Execute")).count();
    assert_eq!(executed, 1);
}

#[tokio::test]
async fn replacing_what_holds_data_is_stopped_and_the_change_set_deleted() {
    let script = || Script {
        sets: [Ok(set("CREATE_COMPLETE", None, vec![change("Content", "Modify", "True")]))].into(),
        ..update()
    };
    let fake = FakeCloudFormation::new(script());
    let error = deploy(&context().0, &fake, &[]).await.expect_err("stopped");
    assert!(matches!(error, DeployError::Gate { .. }));
    assert!(error.help().expect("help").contains("--allow-replace Content"));
    assert_eq!(fake.writes(), ["CreateChangeSet s Update", "DeleteChangeSet arn:set"]);

    let fake = FakeCloudFormation::new(script());
    assert!(deploy(&context().0, &fake, &["Content"]).await.expect("allowed").is_changed());
}

#[tokio::test]
async fn the_shell_of_a_stack_that_was_not_let_through_is_deleted() {
    struct No;
    impl Gate for No {
        fn pass<'a>(
            &'a self,
            _: &'a str,
            _: &'a crate::plan::StackChange,
            _: &'a crate::plan::Sides<'a>,
        ) -> Boxed<'a, Result<(), crate::deploy::Refusal>> {
            let refusal = crate::deploy::Refusal { reason: "said no".into(), help: None, cancelled: true };
            Box::pin(async { Err(refusal) })
        }
    }
    let fake = FakeCloudFormation::new(Script {
        stacks: [Ok(None), Ok(Some(stack("REVIEW_IN_PROGRESS")))].into(),
        ..update()
    });
    let gates: Vec<Arc<dyn Gate>> = vec![Arc::new(No)];
    let (context, _) = context();
    let error = StackDeployer::new(&context, &fake, &gates).deploy(&request()).await.expect_err("no");
    assert!(matches!(error, DeployError::Gate { source, .. } if source.cancelled));
    assert_eq!(
        fake.writes(),
        ["CreateChangeSet s Create", "DeleteChangeSet arn:set", "DeleteStack arn:stack"]
    );
}

#[tokio::test]
async fn preparing_executes_nothing() {
    let fake = FakeCloudFormation::new(update());
    let (context, _) = context();
    let prepared = StackDeployer::new(&context, &fake, &[]).prepare(&request()).await.expect("changes");
    assert!(matches!(prepared, crate::deploy::Prepared::Changes { .. }));
    assert_eq!(fake.writes(), ["CreateChangeSet s Update"]);
}

#[tokio::test]
async fn an_operation_of_somebody_else_is_waited_for() {
    let fake = FakeCloudFormation::new(Script {
        stacks: [
            Ok(Some(stack("UPDATE_IN_PROGRESS"))),
            Ok(Some(stack("UPDATE_IN_PROGRESS"))),
            Ok(Some(as_requested("UPDATE_COMPLETE"))),
        ]
        .into(),
        templates: [Ok(Some("T".into()))].into(),
        ..Script::default()
    });
    let (context, sink) = context();
    assert!(!deploy(&context, &fake, &[]).await.expect("unchanged").is_changed());
    assert_eq!(sink.codes(), ["STACK_BUSY", "STACK_UNCHANGED"]);
}

#[tokio::test]
async fn giving_up_says_what_was_waited_for_and_what_was_seen() {
    let busy = FakeCloudFormation::new(Script {
        stacks: [Ok(Some(stack("DELETE_IN_PROGRESS")))].into(),
        ..update()
    });
    let error = deploy(&context().0, &busy, &[]).await.expect_err("gave up");
    assert_eq!(
        error.to_string(),
        "gave up after 60 s waiting for another operation on stack `s`; last seen: status \
         `DELETE_IN_PROGRESS`"
    );

    let slow = FakeCloudFormation::new(Script {
        stacks: [Ok(Some(stack("UPDATE_COMPLETE"))), Ok(Some(stack("UPDATE_IN_PROGRESS")))].into(),
        ..update()
    });
    let error = deploy(&context().0, &slow, &[]).await.expect_err("gave up");
    assert!(error.to_string().contains("waiting for stack `s` to be deployed"), "{error}");
}

#[tokio::test]
async fn a_lost_answer_to_creating_the_change_set_makes_no_second_one() {
    let fake = FakeCloudFormation::new(Script {
        created: [Err(error("AlreadyExistsException", AwsErrorKind::AlreadyExists))].into(),
        ..update()
    });
    assert!(deploy(&context().0, &fake, &[]).await.expect("updated").is_changed());
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_template_too_large_for_a_request_goes_by_way_of_a_store() {
    struct Store;
    impl TemplateStore for Store {
        fn put<'a>(&'a self, _: &'a str, _: &'a str) -> Boxed<'a, Result<String, AwsError>> {
            Box::pin(async { Ok("https://bucket/t.yaml".into()) })
        }
    }
    let large = StackRequest { template: "x".repeat(51_201), ..request() };
    let fake = FakeCloudFormation::new(update());
    let (mut context, _) = context();
    let error = StackDeployer::new(&context, &fake, &[]).deploy(&large).await.expect_err("too large");
    assert!(matches!(error, DeployError::TemplateTooLarge { bytes: 51_201, .. }));
    context.templates = Some(Arc::new(Store));
    StackDeployer::new(&context, &fake, &[]).deploy(&large).await.expect("updated");
    assert_eq!(fake.requests()[0].template, Template::Url("https://bucket/t.yaml".into()));
}

#[tokio::test]
async fn a_lost_answer_to_executing_starts_it_no_second_time() {
    let running =
        ChangeSet { execution: "EXECUTE_IN_PROGRESS".into(), ..set("CREATE_COMPLETE", None, vec![]) };
    let lost = || error("timeout", AwsErrorKind::Timeout);
    let script = |then: ChangeSet| Script {
        executed: [Err(lost())].into(),
        sets: [Ok(set("CREATE_COMPLETE", None, vec![])), Ok(then)].into(),
        ..update()
    };
    let fake = FakeCloudFormation::new(script(running));
    assert!(deploy(&context().0, &fake, &[]).await.expect("updated").is_changed());
    assert_eq!(fake.writes(), ["CreateChangeSet s Update", "ExecuteChangeSet arn:set"]);

    // A look that shows that nothing has begun makes the same request again, under the same token.
    let fake = FakeCloudFormation::new(Script {
        executed: [Err(lost()), Ok(())].into(),
        ..script(set("CREATE_COMPLETE", None, vec![]))
    });
    assert!(deploy(&context().0, &fake, &[]).await.expect("updated").is_changed());
    let tokens = fake.tokens();
    assert_eq!((tokens.len(), &tokens[0]), (2, &tokens[1]));

    let blind = || Err(error("AccessDenied", AwsErrorKind::AccessDenied));
    let fake = FakeCloudFormation::new(Script {
        sets: [Ok(set("CREATE_COMPLETE", None, vec![])), blind()].into(),
        ..script(set("CREATE_COMPLETE", None, vec![]))
    });
    let failed = deploy(&context().0, &fake, &[]).await.expect_err("nobody knows");
    assert!(matches!(failed, DeployError::Unknown { .. }), "{failed}");
}
