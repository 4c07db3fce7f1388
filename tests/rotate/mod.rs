//! Rotating many tenants on the local cloud: the real binary, the real rotator, killed, throttled, interrupted.

mod killed;
mod proxy;
pub(crate) mod world;

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use self::killed::killed_and_resumed;
use self::proxy::{Call, Proxy};
use self::world::{REGION, World};
use crate::support::root;

/// Exit codes, as `generator --help` lists them.
const USAGE: i32 = 2;
const NOT_FOUND: i32 = 6;
const PRESENT: i32 = 7;
const CANCELLED: i32 = 8;
const PARTIAL: i32 = 10;

/// One test, as each step needs the keys that the one before it made: a key group takes four.
#[test]
fn a_fleet_is_rotated_whatever_happens_to_the_process() {
    let world = World::deployed("rotate", 12);
    killed_and_resumed(&world, 3);
    a_throttling_cloud_is_neither_failed_against_nor_overrun(&world);
    a_throttling_cloud_hides_nothing_from_a_look_at_all(&world);
    an_interrupted_run_says_how_to_go_on(&world);
    a_refused_rotation_is_told_in_the_functions_own_words_and_stops_the_rest(&world);
    late_rotations_are_found(&world);
    revoking_takes_more_than_a_yes(&world);
}

/// The whole proof: `cargo test --test acceptance three_hundred -- --ignored --nocapture`.
#[test]
#[ignore = "takes some ten minutes on two cores"]
fn three_hundred_tenants_are_rotated_exactly_once_though_the_process_is_killed_ten_times() {
    let world = World::deployed("rotate-300", 300);
    killed_and_resumed(&world, 10);
}

fn a_throttling_cloud_is_neither_failed_against_nor_overrun(world: &World) {
    const A_SECOND: usize = 6;
    let upstream = world.endpoint();
    let proxy = Proxy::start(upstream.trim_start_matches("http://"));
    let before = world.keys();
    let endpoint = format!("http://{}", proxy.address);
    let rotate = ["rotate", "--all", "--yes", "--output", "json", "--concurrency", "12"];
    let capped = ["--endpoint-url", &endpoint, "--calls-per-second", &A_SECOND.to_string()];
    let output = as_on_aws(world, &[&rotate[..], &capped].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let after = world.keys();
    for tenant in &world.tenants {
        assert_eq!(after[tenant].previous.as_ref(), Some(&before[tenant].current), "{tenant}");
        assert_eq!(after[tenant].group.len(), before[tenant].group.len() + 1, "{tenant}");
    }
    let calls = proxy.calls();
    assert!(calls.iter().filter(|call| call.throttled).count() >= 6, "{calls:?}");
    for operation in ["RotateSecret", "DescribeSecret"] {
        let calls: Vec<&Call> = calls.iter().filter(|call| call.operation == operation).collect();
        assert!(calls.len() > world.tenants.len(), "{operation}: {}", calls.len());
        within(&calls, A_SECOND);
    }
}

/// At the pace for AWS, of which the fleet's look at stacks is the slowest.
fn a_throttling_cloud_hides_nothing_from_a_look_at_all(world: &World) {
    /// What AWS allows an account and region of all reads of CloudFormation.
    const A_SECOND: usize = 10;
    let upstream = world.endpoint();
    let proxy = Proxy::start(upstream.trim_start_matches("http://"));
    let endpoint = format!("http://{}", proxy.address);
    let (code, expected, stderr) = world.json(&["status", "--all"]);
    assert_eq!(code, 0, "{stderr}");
    let output = as_on_aws(world, &["status", "--all", "--output", "json", "--endpoint-url", &endpoint]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let mut seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut expected = expected;
    for status in [&mut seen, &mut expected] {
        for tenant in status.as_array_mut().expect("tenants") {
            assert!(tenant["keys"]["age_seconds"].take().is_number(), "{tenant:#}");
        }
    }
    assert_eq!(seen, expected);
    let calls = proxy.calls();
    let of = |operations: &[&str]| {
        calls.iter().filter(|call| operations.contains(&call.operation.as_str())).collect::<Vec<_>>()
    };
    for operation in ["DescribeStacks", "GetTemplate", "DescribeSecret", "CloudFront"] {
        assert!(of(&[operation]).iter().any(|call| call.throttled), "{operation}: {calls:?}");
    }
    // Stacks are described many to a call, all else one by one.
    assert!(of(&["DescribeStacks"]).len() < world.tenants.len(), "{calls:?}");
    for operation in ["GetTemplate", "DescribeSecret", "CloudFront"] {
        assert!(of(&[operation]).len() > world.tenants.len(), "{operation}: {calls:?}");
    }
    within(&of(&["DescribeStacks", "GetTemplate"]), A_SECOND);
}

/// Runs the tool as against AWS, with its limits.
fn as_on_aws(world: &World, arguments: &[&str]) -> Output {
    let mut command = world.command(arguments);
    command
        .env("AWS_ACCESS_KEY_ID", generator::aws::LOCAL_ACCOUNT)
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_REGION", REGION);
    command.output().expect("the binary runs")
}

/// In no window are there more calls than the rate allows, and the one second that may have been saved up. Two
/// more are let pass for calls that were held up on their way here.
fn within(calls: &[&Call], a_second: usize) {
    for (first, one) in calls.iter().enumerate() {
        for (last, other) in calls.iter().enumerate().skip(first) {
            let window = other.at.duration_since(one.at).as_secs_f64();
            let allowed = a_second as f64 * (window + 1.0) + 2.0;
            assert!((last - first + 1) as f64 <= allowed, "{} calls in {window} s", last - first + 1);
        }
    }
}

/// With the journal in S3, as runs of a pipeline have it.
fn an_interrupted_run_says_how_to_go_on(world: &World) {
    let s3 = world.cloud().s3(REGION);
    let made = generator::aws::s3::ObjectStore::create_bucket(&s3, "example-runs");
    world.runtime.block_on(made).expect("a bucket");
    let waves = ["--waves", "canary,25%,rest", "--bake", "1s", "--concurrency", "2"];
    let report_folder = world.folder.path().join("reports");
    let mut command =
        world.command(&[&["rotate", "--all", "--yes", "--local", "--output", "json"][..], &waves].concat());
    command.args(["--journal", "s3://example-runs/keys", "--report"]).arg(&report_folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut lines = BufReader::new(child.stderr.take().expect("its progress")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("(1 of 12)")), "it never came to the end of a tenant");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let stderr = lines.collect::<Vec<_>>().join("\n");
    let output = child.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(CANCELLED), "{stderr}");
    assert!(stderr.contains("finishing what is in flight"), "{stderr}");
    let stopped: Value = serde_json::from_slice(&output.stdout).expect("a report");
    fits_the_schema(&stopped);
    assert_eq!(stopped["state"], "stopped", "{stderr}");
    let totals = &stopped["totals"];
    assert!(totals["left"].as_u64() > Some(0) && totals["failed"] == 0, "{totals}");
    assert!(states(&stopped).iter().all(|state| *state == "done" || *state == "left"), "{stopped:#}");
    let sizes: Vec<_> = waves_of(&stopped).iter().map(|wave| wave.len()).collect();
    assert_eq!(sizes, [1, 3, 8]);

    let run = stopped["run"].as_str().expect("a name");
    let (code, _, stderr) = world.json(&["resume", run, "--journal", "s3://example-runs/elsewhere"]);
    assert_eq!(code, NOT_FOUND, "{stderr}");
    let (code, report, stderr) = world.json(&["resume", run, "--journal", "s3://example-runs/keys"]);
    assert_eq!((code, &report["totals"]["done"]), (0, &12.into()), "{stderr}");
    fits_the_schema(&report);
    assert!(world.keys().values().all(|keys| keys.group.len() == 4));
    let (code, again, _) = world.json(&["resume", run, "--journal", "s3://example-runs/keys"]);
    assert_eq!((code, &again["waves"]), (0, &report["waves"]), "a finished run was run again");
    let markdown = std::fs::read_to_string(report_folder.join(format!("{run}.report.md")));
    assert!(markdown.expect("a report").contains("| state | stopped: it was asked to stop |"));
}

/// Each group holds four keys by now: one more is refused until the first has left.
fn a_refused_rotation_is_told_in_the_functions_own_words_and_stops_the_rest(world: &World) {
    let (code, report, stderr) = world.json(&["rotate", "--all", "--yes", "--concurrency", "1"]);
    assert_eq!(code, PARTIAL, "{stderr}");
    fits_the_schema(&report);
    let first = &waves_of(&report)[0][0];
    let reason =
        "a rotation would put more than 4 keys into key group `example-t000-signing`; it may run from";
    assert!(first["error"].as_str().expect("an error").contains(reason), "{first:#}");
    assert!(stderr.contains(reason), "{stderr}");
    assert_eq!((&report["totals"]["failed"], &report["totals"]["left"]), (&1.into(), &11.into()));
    let (_, status, _) = world.json(&["status", "--tenant", "t000"]);
    let failure = &status[0]["keys"]["last_failure"];
    assert!(failure["reason"].as_str().expect("a reason").contains(reason), "{status:#}");
    assert_eq!(status[0]["keys"]["keys_in_group"], 4);
    assert!(status[0]["keys"]["unfinished"].is_string(), "{status:#}");
}

fn late_rotations_are_found(world: &World) {
    let (code, none, _) = world.json(&["status", "--all", "--overdue"]);
    assert_eq!((code, none), (0, serde_json::json!([])));
    let secrets = aws_sdk_secretsmanager::Client::new(&world.cloud().config(REGION));
    let off = secrets.cancel_rotate_secret().secret_id("example-t003-keyring").send();
    world.runtime.block_on(off).expect("switched off");
    let (code, late, _) = world.json(&["status", "--all", "--overdue"]);
    assert_eq!(code, PRESENT);
    assert_eq!((late.as_array().map(Vec::len), &late[0]["tenant"]), (Some(1), &"t003".into()));
    assert_eq!(late[0]["keys"]["late"]["why"], "switched_off");
}

fn revoking_takes_more_than_a_yes(world: &World) {
    let before = world.keys();
    let revoke = |more: &[&str]| {
        let output = world.run(&[&["rotate", "--revoke", "--local"][..], more].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, stderr) = revoke(&["--tenant", "t001", "--yes"]);
    assert_eq!(code, Some(USAGE), "{stderr}");
    assert!(stderr.contains("pass `--confirm-revoke t001`; `--yes` is no consent to this"), "{stderr}");
    let (code, stderr) = revoke(&["--tenant", "t001", "--confirm-revoke", "t002", "--yes"]);
    assert_eq!(code, Some(CANCELLED), "{stderr}");
    for many in [&["--all"][..], &["--tenant", "t00*"], &["--tenant", "t001", "--tenant", "t002"]] {
        let (code, stderr) = revoke(&[many, &["--confirm-revoke", "t001", "--yes"]].concat());
        assert_eq!(code, Some(USAGE), "{stderr}");
    }
    assert_eq!(world.keys(), before);
}

fn waves_of(report: &Value) -> Vec<&Vec<Value>> {
    let waves = report["waves"].as_array().expect("waves").iter();
    waves.map(|wave| wave["tenants"].as_array().expect("tenants")).collect()
}

fn states(report: &Value) -> Vec<&str> {
    waves_of(report).into_iter().flatten().filter_map(|tenant| tenant["state"].as_str()).collect()
}

pub(crate) fn fits_the_schema(report: &Value) {
    let schema = std::fs::read_to_string(root().join("docs/run-report.schema.json")).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let judge = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<_> = judge.iter_errors(report).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
