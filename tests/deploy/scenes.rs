//! What comes of stacks in states that the local cloud never reaches: the outcome, the exit code and the words stand in
//! a snapshot, and no write is made that nobody asked for.

use regex::Regex;

use super::faults::Day;
use super::peer::{Scene, Told, play};
use super::proxy::{Fault, Proxy};
use crate::rotate::world::World;
use crate::wire::error;

/// Exit codes, as `generator --help` lists them.
const OK: i32 = 0;
const FAILURE: i32 = 1;
const DEPLOYMENT: i32 = 4;

const EDGE: &str = "example-t000-edge";
const REGIONAL: &str = "example-t000-regional";
const STACK: &str = "AWS::CloudFormation::Stack";
const FUNCTION: &str = "AWS::Lambda::Function";

/// Goes through all of them. The tenant was destroyed before; its bucket and user pool are there.
pub(super) fn go_through(world: &World) {
    let upstream = world.endpoint();
    let proxy = Proxy::start(upstream.trim_start_matches("http://"));
    let mut day = Day { world, proxy: &proxy, minutes: 60 };
    taking_in_that_fails_is_put_back_and_no_success(&mut day);
    what_was_taken_in_is_compared(&mut day);
    a_rollback_goes_on_without_what_was_named(&mut day);
    a_rollback_that_fails_again_is_no_success(&mut day);
    somebody_else_is_waited_for(&mut day);
    a_status_that_nobody_knows_ends_the_watch(&mut day);
    what_early_validation_finds_stops_a_deployment_and_what_it_warns_of_does_not(&mut day);
    a_stack_that_cannot_be_deleted_is_told_and_gone_on_with(&mut day);
    replicas_that_stay_are_asked_again_until_they_go(&mut day);
}

impl Day<'_> {
    fn plays(&self, stack: &str, scenes: Vec<Scene>) {
        play(self.proxy, stack, scenes);
    }

    /// Runs a command and holds what it says to the snapshot of this name.
    fn says(&self, name: &str, arguments: &[&str], expected: i32) -> String {
        let (code, said) = self.run(arguments);
        assert_eq!(code, expected, "{name}: {said}");
        self.keep(name, code, &said);
        said
    }

    /// The same for a deployment of a changed setting.
    fn deploys(&mut self, name: &str, more: &[&str], expected: i32) {
        let (code, said) = self.deploy(true, more);
        assert_eq!(code, expected, "{name}: {said}");
        self.keep(name, code, &said);
    }

    fn writes(&self) -> Vec<(&'static str, usize)> {
        let all = ["CreateChangeSet", "ExecuteChangeSet", "DeleteStack", "ContinueUpdateRollback"];
        all.into_iter()
            .map(|action| (action, self.proxy.seen(action)))
            .filter(|(_, times)| *times > 0)
            .collect()
    }
}

/// The name of the run, as its first line tells it.
fn run_of(said: &str) -> String {
    let run = Regex::new(r"run (\w+-\d{8}-\d{6}-[0-9a-f]{6}):").expect("a pattern");
    run.captures(said).expect("the name of the run")[1].to_owned()
}

fn taking_in_that_fails_is_put_back_and_no_success(day: &mut Day<'_>) {
    let mut fails = Scene::after("ExecuteChangeSet", &["IMPORT_IN_PROGRESS", "IMPORT_ROLLBACK_COMPLETE"]);
    fails.events = vec![
        ("", STACK, "IMPORT_ROLLBACK_COMPLETE", ""),
        ("ContentBucket", "AWS::S3::Bucket", "IMPORT_FAILED", "the bucket is in another Region"),
    ];
    day.plays(REGIONAL, vec![fails]);
    let said = day.says("import-rolled-back", &["import", "--all", "--yes"], DEPLOYMENT);
    assert!(said.contains("the bucket is in another Region"), "{said}");
    assert_eq!(day.writes(), [("CreateChangeSet", 1), ("ExecuteChangeSet", 1)]);
}

/// First a stack that is still taking resources in, then one that took them in, then one that could not.
fn what_was_taken_in_is_compared(day: &mut Day<'_>) {
    day.proxy.set(|_, _| Fault::Pass);
    let (code, said) = day.run(&["import", "--all", "--yes"]);
    assert_eq!(code, OK, "{said}");
    let looks = ["IMPORT_IN_PROGRESS", "IMPORT_IN_PROGRESS", "IMPORT_COMPLETE"];
    day.plays(REGIONAL, vec![Scene { passes: true, ..Scene::found(&looks) }]);
    day.deploys("import-waited-for", &[], OK);
    let back = Scene { passes: true, ..Scene::found(&["IMPORT_ROLLBACK_COMPLETE"]) };
    day.plays(EDGE, vec![back]);
    day.deploys("import-put-back", &[], OK);
    day.is_as_rendered("import-put-back");
}

const STUCK: [Told; 2] = [
    ("", STACK, "UPDATE_ROLLBACK_FAILED", ""),
    ("Rotator", FUNCTION, "UPDATE_FAILED", "the code of the last version is gone"),
];

/// A stack whose rollback has failed, with what could not be put back.
fn stuck() -> Scene {
    Scene {
        resources: vec![("Rotator", "UPDATE_FAILED"), ("SignerConfig", "UPDATE_COMPLETE")],
        ..Scene::found(&["UPDATE_ROLLBACK_FAILED"])
    }
}

fn a_rollback_goes_on_without_what_was_named(day: &mut Day<'_>) {
    let skipping = ["--continue-rollback", "--skip-resource", "Rotator", "--skip-resource", "SignerConfig"];
    day.plays(EDGE, vec![stuck()]);
    day.deploys("rollback-failed", &[], DEPLOYMENT);
    assert_eq!(day.writes(), [], "a rollback goes on that nobody asked for");

    let mut goes_on = Scene::after(
        "ContinueUpdateRollback",
        &["UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"],
    );
    goes_on.events = vec![("", STACK, "UPDATE_ROLLBACK_COMPLETE", "")];
    day.plays(EDGE, vec![stuck(), goes_on, Scene::really("CreateChangeSet")]);
    day.deploys("rollback-continued", &skipping, OK);
    let asked = &day.proxy.bodies("ContinueUpdateRollback")[0];
    assert!(asked.contains("ResourcesToSkip.member.1=Rotator"), "{asked}");
    assert!(!asked.contains("SignerConfig"), "what was put back is not skipped: {asked}");
    day.is_as_rendered("rollback-continued");
}

fn a_rollback_that_fails_again_is_no_success(day: &mut Day<'_>) {
    let looks = ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"];
    let mut again = Scene::after("ContinueUpdateRollback", &looks);
    again.events = STUCK.to_vec();
    day.plays(EDGE, vec![stuck(), again]);
    day.deploys("rollback-fails-again", &["--continue-rollback"], DEPLOYMENT);
    assert_eq!(day.writes(), [("ContinueUpdateRollback", 1)]);
}

fn somebody_else_is_waited_for(day: &mut Day<'_>) {
    let looks = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"];
    day.plays(EDGE, vec![Scene { passes: true, ..Scene::found(&looks) }]);
    day.deploys("busy-waited-for", &[], OK);
    day.is_as_rendered("busy-waited-for");
}

fn a_status_that_nobody_knows_ends_the_watch(day: &mut Day<'_>) {
    day.plays(EDGE, vec![Scene::after("ExecuteChangeSet", &["UPDATE_IN_PROGRESS", "UPDATE_MELTED"])]);
    day.deploys("unknown-while-watching", &[], DEPLOYMENT);
    assert_eq!(day.writes(), [("CreateChangeSet", 1), ("ExecuteChangeSet", 1)]);
    day.plays(EDGE, vec![Scene::found(&["UPDATE_MELTED"])]);
    day.says("unknown-when-destroying", &["destroy", "--all", "--yes"], DEPLOYMENT);
    assert_eq!(day.writes(), []);
}

/// What CloudFormation's early validation says of a change set.
fn validation(mode: &str) -> String {
    let action = "DescribeEvents";
    format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{action}Result>\
         <OperationEvents><member><EventId>v-1</EventId><EventType>VALIDATION_ERROR</EventType>\
         <LogicalResourceId>Distribution</LogicalResourceId><ValidationFailureMode>{mode}</ValidationFailureMode>\
         <ValidationName>NAME_CONFLICT_VALIDATION</ValidationName><ValidationStatus>FAILED</ValidationStatus>\
         <ValidationStatusReason>a resource of this name is there already</ValidationStatusReason>\
         <ValidationPath>/Resources/Distribution/Properties/DistributionConfig</ValidationPath></member>\
         </OperationEvents></{action}Result></{action}Response>"
    )
}

fn what_early_validation_finds_stops_a_deployment_and_what_it_warns_of_does_not(day: &mut Day<'_>) {
    let failed = |body: String| {
        let body = body.replace("<Status>CREATE_COMPLETE</Status>", "<Status>FAILED</Status>");
        let body = body.replace(">AVAILABLE</ExecutionStatus>", ">UNAVAILABLE</ExecutionStatus>");
        let reason =
            "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck].";
        let told = Regex::new("<StatusReason ?/>|<StatusReason>[^<]*</StatusReason>").expect("a pattern");
        let body = told.replace_all(&body, "").into_owned();
        body.replace(
            "<Status>FAILED</Status>",
            &format!("<Status>FAILED</Status><StatusReason>{reason}</StatusReason>"),
        )
    };
    day.proxy.set(move |call, _| match call.action.as_str() {
        "DescribeChangeSet" => Fault::change(failed),
        "DescribeEvents" => Fault::Answer(200, validation("FAIL")),
        _ => Fault::Pass,
    });
    day.deploys("validation-fails", &[], DEPLOYMENT);
    assert_eq!(day.writes(), [("CreateChangeSet", 1)]);
    assert_eq!(day.proxy.passed("DeleteChangeSet"), 1, "the change set is left");

    for (mode, name, code) in
        [("FAIL", "plan-validation-fails", DEPLOYMENT), ("WARN", "plan-validation-warns", OK)]
    {
        day.proxy.set(move |call, _| match call.action.as_str() {
            "DescribeEvents" => Fault::Answer(200, validation(mode)),
            _ => Fault::Pass,
        });
        let said = day.says(name, &["plan", "--all"], code);
        assert!(said.contains("a resource of this name is there already"), "{said}");
    }
    day.proxy.set(|call, _| match call.action.as_str() {
        // Of a service that does not have it, or of a caller who may not ask.
        "DescribeEvents" => Fault::Answer(400, error("AccessDenied", "not authorized to DescribeEvents")),
        _ => Fault::Pass,
    });
    day.says("plan-validation-not-had", &["plan", "--all"], OK);

    day.proxy.set(|call, _| match call.action.as_str() {
        "DescribeEvents" => Fault::Answer(200, validation("WARN")),
        _ => Fault::Pass,
    });
    day.deploys("validation-warns", &[], OK);
    assert_eq!(day.writes(), [("CreateChangeSet", 1), ("ExecuteChangeSet", 1)]);
}

fn a_stack_that_cannot_be_deleted_is_told_and_gone_on_with(day: &mut Day<'_>) {
    let mut fails = Scene::after("DeleteStack", &["DELETE_IN_PROGRESS", "DELETE_FAILED"]);
    fails.events = vec![
        ("", STACK, "DELETE_FAILED", ""),
        ("OriginAccess", "AWS::CloudFront::OriginAccessControl", "DELETE_FAILED", "it is still in use"),
    ];
    day.plays(EDGE, vec![fails]);
    let said = day.says("destroy-fails", &["destroy", "--all", "--yes"], FAILURE);
    assert!(said.contains("it is still in use"), "{said}");
    assert_eq!(day.writes(), [("DeleteStack", 1)], "the regional stack was to be left alone");
    // Its end is another one the next time: the stack goes, and its function does not.
    refuse_replicas(day);
    let said = day.says("destroy-goes-on", &["resume", &run_of(&said)], FAILURE);
    assert!(said.contains("CloudFront still has replicas of it"), "{said}");
}

/// Lambda's answer for a function that CloudFront has copies of.
fn refuse_replicas(day: &Day<'_>) {
    day.proxy.set(|_, _| Fault::Pass);
    day.proxy.refuse(|line| {
        let refused = line.starts_with("DELETE /2015-03-31/functions/example-t000-signer");
        let message = "Lambda was unable to delete arn:aws:lambda:us-east-1:000000000000:function:example-t000-signer:1 \
                       because it is a replicated function. Please see our documentation for Deleting Lambda@Edge \
                       Functions and Replicas.";
        let code = "InvalidParameterValueException";
        let body = format!("{{\"__type\":\"{code}\",\"Type\":\"User\",\"message\":\"{message}\"}}");
        refused.then_some((400, body))
    });
}

fn replicas_that_stay_are_asked_again_until_they_go(day: &mut Day<'_>) {
    refuse_replicas(day);
    let said = day.says("replicas-stay", &["destroy", "--all", "--yes"], FAILURE);
    let run = run_of(&said);
    refuse_replicas(day);
    day.says("replicas-stay-still", &["resume", &run], FAILURE);
    day.proxy.set(|_, _| Fault::Pass);
    day.says("replicas-are-gone", &["resume", &run], OK);
    assert_eq!(day.writes(), [], "the stacks were gone before");
}
