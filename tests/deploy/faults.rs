//! One bad day after the other, each on a change of one setting: the outcome, the exit code and the words stand in a
//! snapshot, and what reached the cloud is counted.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use regex::Regex;

use super::peer::{done, events, with_status};
use super::proxy::{Call, Fault, Proxy};
use crate::rotate::world::{REGION, World};
use crate::support::root;
use crate::wire::error;

/// Exit codes, as `generator --help` lists them.
const OK: i32 = 0;
const ACCESS: i32 = 3;
const DEPLOYMENT: i32 = 4;

/// Changes an answer.
type Change = fn(String) -> String;

/// What is expected of one bad day.
pub(super) struct Day<'a> {
    pub(super) world: &'a World,
    pub(super) proxy: &'a Proxy,
    /// Setting that is changed before each run, so that there is something to deploy.
    pub(super) minutes: u32,
}

/// Goes through all of them, on one tenant that is deployed.
pub(super) fn go_through(world: &World) {
    let upstream = world.endpoint();
    let proxy = Proxy::start(upstream.trim_start_matches("http://"));
    let mut day = Day { world, proxy: &proxy, minutes: 20 };

    day.lives_through("throttled", |call, _| match call.earlier {
        0 => Fault::Answer(400, error("Throttling", "Rate exceeded")),
        _ => Fault::Pass,
    });
    day.lives_through("broken-before", |call, _| match call.earlier {
        0 => Fault::Answer(500, error("InternalFailure", "the service broke down")),
        _ => Fault::Pass,
    });
    day.lives_through("broken-after-the-write", |call, _| first_write(call, Fault::BreakAfter));
    day.lives_through("cut-before-the-write", |call, _| first_write(call, Fault::CutBefore));
    day.lives_through("cut-after-the-write", |call, _| first_write(call, Fault::CutAfter));
    day.lives_through("cut-while-watching", |call, passed| match call.earlier {
        0 | 2 if executed(passed) => Fault::CutBefore,
        _ => Fault::Pass,
    });
    day.lives_through("one-entry-a-page", |_, _| Fault::OneEntry);
    day.lives_through("late-and-reordered-events", |call, _| match (call.action.as_str(), call.earlier) {
        ("DescribeStackEvents", 0 | 1) => Fault::change(|body| without(&body, "StackEvents")),
        ("DescribeStackEvents", _) => Fault::change(backwards),
        _ => Fault::Pass,
    });
    a_stack_that_is_rolled_back_is_a_failure(&mut day);
    a_stack_that_cannot_be_put_back_is_a_failure(&mut day);
    a_change_that_somebody_else_overtook_is_not_executed(&mut day);
    credentials_that_expire_leave_the_deployment_alone(&mut day);
    every_state_that_needs_a_person_is_refused(&mut day);
}

fn first_write(call: &Call, fault: Fault) -> Fault {
    let write = matches!(call.action.as_str(), "CreateChangeSet" | "ExecuteChangeSet");
    if write && call.earlier == 0 { fault } else { Fault::Pass }
}

fn executed(passed: &[Call]) -> bool {
    passed.iter().any(|call| call.action == "ExecuteChangeSet")
}

impl Day<'_> {
    /// A day at whose end everything is as rendered, by exactly one change.
    fn lives_through(&mut self, name: &str, rule: impl Fn(&Call, &[Call]) -> Fault + Send + Sync + 'static) {
        self.proxy.set(rule);
        let (code, said) = self.deploy(true, &[]);
        self.keep(name, code, &said);
        assert_eq!(code, OK, "{name}: {said}");
        // A request whose connection was cut before it arrived is made once more, under the same token.
        for action in ["CreateChangeSet", "ExecuteChangeSet"] {
            assert_eq!(self.proxy.passed(action), 1, "{name}: {action} reached the cloud more than once");
        }
        self.is_as_rendered(name);
    }

    /// ARN of the edge stack.
    fn edge_stack(&self) -> String {
        let cloudformation = aws_sdk_cloudformation::Client::new(&self.world.cloud().config(REGION));
        let call = cloudformation.describe_stacks().stack_name("example-t000-edge").send();
        let answer = self.world.runtime.block_on(call).expect("a stack");
        answer.stacks()[0].stack_id().expect("an ARN").to_owned()
    }

    pub(super) fn is_as_rendered(&self, name: &str) {
        let (code, status, stderr) = self.world.json(&["status", "--all"]);
        assert_eq!(code, OK, "{name}: {stderr}");
        for stack in status[0]["stacks"].as_array().expect("stacks") {
            assert_eq!(stack["template_as_rendered"], true, "{name}: {stack:#}");
        }
    }

    /// Deploys through the proxy, after a change where asked; exit code and all that was said.
    pub(super) fn deploy(&mut self, change: bool, more: &[&str]) -> (i32, String) {
        if change {
            self.minutes += 1;
            let file = self.world.folder.path().join("tenants/t000.yaml");
            let text = "sign_in:\n  callback_urls: [http://localhost:8080/]\n";
            let cookies = format!("cookies:\n  minutes: {}\n", self.minutes);
            fs::write(file, format!("{text}{cookies}")).expect("a tenant file");
        }
        self.run(&[&["deploy", "--all", "--yes"][..], more].concat())
    }

    /// The binary, which sees the cloud through the proxy.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let endpoint = format!("http://{}", self.proxy.address);
        let mut command = self.world.command(&[arguments, &["--endpoint-url", &endpoint]].concat());
        command
            .env("AWS_ACCESS_KEY_ID", generator::aws::LOCAL_ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_REGION", REGION);
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.command(arguments).output().expect("the binary runs");
        let said = [output.stderr, output.stdout].concat();
        (output.status.code().expect("an exit code"), String::from_utf8_lossy(&said).into_owned())
    }

    /// Holds what was said to the snapshot.
    pub(super) fn keep(&self, name: &str, code: i32, said: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(root().join("tests/snapshots/deploy"));
        settings.set_prepend_module_to_snapshot(false);
        let endpoint = format!("http://{}", self.proxy.address);
        let said = said.replace(&endpoint, "ENDPOINT");
        let said = said.replace(self.world.folder.path().to_str().expect("a path"), "FOLDER");
        let text = format!("exit code {code}\n{}", redacted(&said));
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

/// Times, names of runs, digests and ids that differ from run to run.
fn redacted(said: &str) -> String {
    let mut text = said.to_owned();
    for (pattern, name) in [
        (r"(deploy|destroy)-\d{8}-\d{6}-[0-9a-f]{6}", "$1-RUN"),
        (r"\d+\.\d s", "TIME"),
        (r"generator-[0-9a-f]{8}-[0-9a-f]{32}", "CHANGE-SET"),
        (r"arn:aws:cloudformation:[a-zA-Z0-9:/-]+", "ARN"),
        (r"\b[EK][A-Z0-9]{13}\b", "ID"),
        (r"\bus-east-1_[A-Za-z0-9]{9,}\b", "POOL"),
        (r"(?m)^  (\w+) +\S*(cloudfront\.net|amazoncognito\.com|amazonaws\.com\S*)$", "  $1  HOST"),
        (r"(?m)^outputs\n(  .*\n)+", "outputs\n"),
    ] {
        text = Regex::new(pattern).expect("a pattern").replace_all(&text, name).into_owned();
    }
    // What the build of the runtimes says, if it says anything, is not this test's business.
    const BUILD: [&str; 5] =
        ["packing the runtimes", "packaging run", "crates compiled", "are up to date", ".zip"];
    let own = |line: &&str| !BUILD.iter().any(|words| line.contains(words));
    text.lines().filter(own).map(|line| format!("{line}\n")).collect()
}

/// A list without its entries.
fn without(body: &str, list: &str) -> String {
    let (open, close) = (format!("<{list}>"), format!("</{list}>"));
    match (body.find(&open), body.find(&close)) {
        (Some(start), Some(end)) => format!("{}{open}{}", &body[..start], &body[end..]),
        _ => body.to_owned(),
    }
}

/// Events in the wrong order.
fn backwards(body: String) -> String {
    let (open, close) = ("<StackEvents>", "</StackEvents>");
    let (Some(start), Some(end)) = (body.find(open), body.find(close)) else { return body };
    let list = &body[start + open.len()..end];
    let entries: Vec<_> =
        list.split_inclusive("</member>").filter(|entry| entry.contains("<member>")).collect();
    let turned: String = entries.into_iter().rev().collect();
    format!("{}{open}{turned}{}", &body[..start], &body[end..])
}

/// A stack's answer with another status, as long as it is the edge stack's.
fn edge_in(body: String, status: &str) -> String {
    if !body.contains("<StackName>example-t000-edge</StackName>") {
        return body;
    }
    let later = Regex::new("<LastUpdatedTime>[^<]+</LastUpdatedTime>").expect("a pattern");
    later
        .replace_all(
            &with_status(&body, status),
            "<LastUpdatedTime>2099-01-01T00:00:00.000Z</LastUpdatedTime>",
        )
        .into_owned()
}

/// The events of an operation that ends badly: the first one of a resource names the cause, a cancelled one does not.
fn events_of(end: &'static str, stack: &str) -> String {
    let told = [
        ("", "AWS::CloudFormation::Stack", end, ""),
        ("SignerConfig", "AWS::SSM::Parameter", "UPDATE_FAILED", "the value is longer than 4096 characters"),
        ("Signer", "AWS::Lambda::Function", "UPDATE_FAILED", "Resource update cancelled"),
    ];
    events(stack, "example-t000-edge", &told)
}

/// Answers as if the execution had come to this end, and executes nothing.
fn ends_in(day: &mut Day<'_>, name: &str, end: &'static str, change: Change) {
    let begun = Arc::new(AtomicBool::new(false));
    let stack = day.edge_stack();
    day.proxy.set(move |call, _| match call.action.as_str() {
        "ExecuteChangeSet" => {
            begun.store(true, Ordering::SeqCst);
            Fault::Answer(200, done("ExecuteChangeSet"))
        }
        "DescribeStacks" if begun.load(Ordering::SeqCst) => Fault::change(change),
        "DescribeStackEvents" if begun.load(Ordering::SeqCst) => Fault::Answer(200, events_of(end, &stack)),
        _ => Fault::Pass,
    });
    let (code, said) = day.deploy(true, &[]);
    assert_eq!(code, DEPLOYMENT, "{said}");
    assert!(said.contains("the value is longer than 4096 characters"), "{said}");
    day.keep(name, code, &said);
    assert_eq!(day.proxy.seen("ExecuteChangeSet"), 1, "{said}");
}

fn a_stack_that_is_rolled_back_is_a_failure(day: &mut Day<'_>) {
    ends_in(day, "rolled-back", "UPDATE_ROLLBACK_COMPLETE", |body| edge_in(body, "UPDATE_ROLLBACK_COMPLETE"));
}

fn a_stack_that_cannot_be_put_back_is_a_failure(day: &mut Day<'_>) {
    ends_in(day, "not-put-back", "UPDATE_ROLLBACK_FAILED", |body| edge_in(body, "UPDATE_ROLLBACK_FAILED"));
}

fn a_change_that_somebody_else_overtook_is_not_executed(day: &mut Day<'_>) {
    let refused = Arc::new(AtomicBool::new(false));
    day.proxy.set(move |call, _| match call.action.as_str() {
        "ExecuteChangeSet" => {
            refused.store(true, Ordering::SeqCst);
            let message = "ChangeSet cannot be executed in its current status";
            Fault::Answer(400, error("InvalidChangeSetStatus", message))
        }
        "DescribeChangeSet" if refused.load(Ordering::SeqCst) => {
            Fault::change(|body| body.replace("<ExecutionStatus>AVAILABLE<", "<ExecutionStatus>OBSOLETE<"))
        }
        _ => Fault::Pass,
    });
    let (code, said) = day.deploy(true, &[]);
    assert_eq!(code, DEPLOYMENT, "{said}");
    day.keep("overtaken", code, &said);
    assert_eq!(day.proxy.passed("DeleteChangeSet"), 1, "the change set is left");
}

/// The change goes on without the process; whoever goes on finds it done and executes nothing.
fn credentials_that_expire_leave_the_deployment_alone(day: &mut Day<'_>) {
    let expired = || error("ExpiredToken", "The security token included in the request is expired");
    day.proxy.set(move |call, passed| match call.action.as_str() {
        "DescribeStacks" if executed(passed) => Fault::Answer(403, expired()),
        _ => Fault::Pass,
    });
    let (code, said) = day.deploy(true, &[]);
    assert_eq!(code, ACCESS, "{said}");
    day.keep("credentials-expired", code, &said);
    assert_eq!(day.proxy.passed("ExecuteChangeSet"), 1);
    day.proxy.set(|_, _| Fault::Pass);
    let run = Regex::new(r"run (deploy-\S+):").expect("a pattern");
    let run = run.captures(&said).expect("the name of the run")[1].to_owned();
    let (code, said) = day.run(&["resume", &run]);
    assert_eq!(code, OK, "{said}");
    assert_eq!(day.proxy.passed("ExecuteChangeSet"), 0, "{said}");
    day.is_as_rendered("credentials-expired");
}

fn every_state_that_needs_a_person_is_refused(day: &mut Day<'_>) {
    let states: [(&str, Change, &[&str]); 7] = [
        ("state-create-failed", |body| edge_in(body, "CREATE_FAILED"), &[]),
        ("state-rollback-failed", |body| edge_in(body, "ROLLBACK_FAILED"), &[]),
        ("state-delete-failed", |body| edge_in(body, "DELETE_FAILED"), &[]),
        ("state-update-rollback-failed", |body| edge_in(body, "UPDATE_ROLLBACK_FAILED"), &[]),
        ("state-import-rollback-failed", |body| edge_in(body, "IMPORT_ROLLBACK_FAILED"), &[]),
        ("state-busy-refused", |body| edge_in(body, "UPDATE_IN_PROGRESS"), &["--refuse-busy"]),
        ("state-unknown", |body| edge_in(body, "UPDATE_MELTED"), &[]),
    ];
    for (name, change, more) in states {
        day.proxy.set(move |call, _| match call.action.as_str() {
            "DescribeStacks" => Fault::change(change),
            _ => Fault::Pass,
        });
        let (code, said) = day.deploy(false, more);
        assert_eq!(code, DEPLOYMENT, "{name}: {said}");
        day.keep(name, code, &said);
        for write in ["CreateChangeSet", "ExecuteChangeSet", "DeleteStack", "ContinueUpdateRollback"] {
            assert_eq!(day.proxy.seen(write), 0, "{name}: {write}");
        }
    }
}
