//! Ctrl-C, as a terminal sends it, and SIGTERM, as a pipeline does: what is in flight ends, nothing that nobody will execute is left.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::faults::Day;
use super::proxy::{Call, Fault, Proxy};
use crate::rotate::world::{REGION, World};

/// Exit codes, as `generator --help` lists them.
const CANCELLED: i32 = 8;

/// Goes through all of them, on tenants that are not deployed: their change sets make empty stacks.
pub(super) fn go_through(world: &World) {
    let (code, _, stderr) = world.json(&["local", "up"]);
    assert_eq!(code, 0, "{stderr}");
    let upstream = world.endpoint();
    let proxy = Proxy::start(upstream.trim_start_matches("http://"));
    let day = Day { world, proxy: &proxy, minutes: 20 };
    a_plan_that_is_stopped_leaves_nothing(&day);
    a_plan_that_is_stopped_at_once_leaves_nothing(&day);
    a_plan_that_is_stopped_is_not_written(&day);
    what_is_in_flight_of_a_plan_ends_and_the_rest_is_deleted(&day);
    taking_in_that_is_stopped_leaves_nothing(&day);
}

/// Slow enough to be interrupted within.
fn slow(call: &Call, _: &[Call]) -> Fault {
    match call.action.as_str() {
        "DescribeChangeSet" => Fault::Late(Duration::from_secs(2)),
        _ => Fault::Pass,
    }
}

fn a_plan_that_is_stopped_leaves_nothing(day: &Day<'_>) {
    day.proxy.set(slow);
    let mut child = begin(day, &["plan", "--all"]);
    day.proxy.until("DescribeChangeSet");
    interrupt(&child);
    ended(day, "plan-stopped", &mut child);
    let asked = day.proxy.seen("CreateChangeSet");
    assert!(asked > 0 && asked < day.world.tenants.len(), "{asked} of {}", day.world.tenants.len());
    assert_eq!(stacks(day.world), [""; 0]);
}

/// The second Ctrl-C does not wait for what is in flight.
fn a_plan_that_is_stopped_at_once_leaves_nothing(day: &Day<'_>) {
    day.proxy.set(|call, _| match (call.action.as_str(), call.earlier) {
        // The first look is cut off; those of the cleaning are quick.
        ("DescribeChangeSet", ..1) => Fault::Late(Duration::from_secs(60)),
        _ => Fault::Pass,
    });
    let mut child = begin(day, &["plan", "--tenant", "t000", "--tenant", "t001"]);
    day.proxy.until("DescribeChangeSet");
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(500));
    interrupt(&child);
    ended(day, "plan-stopped-at-once", &mut child);
    assert_eq!(stacks(day.world), [""; 0]);
}

fn a_plan_that_is_stopped_is_not_written(day: &Day<'_>) {
    let file = day.world.folder.path().join("stopped.json");
    day.proxy.set(slow);
    let mut child = begin(day, &["plan", "--all", "--out", file.to_str().expect("a path")]);
    day.proxy.until("DescribeChangeSet");
    send(&child, "-TERM");
    ended(day, "plan-out-stopped", &mut child);
    assert!(!file.exists(), "a plan without its change sets");
    assert_eq!(stacks(day.world), [""; 0]);
}

fn what_is_in_flight_of_a_plan_ends_and_the_rest_is_deleted(day: &Day<'_>) {
    let file = day.world.folder.path().join("plan.json");
    let path = file.to_str().expect("a path");
    day.proxy.set(|_, _| Fault::Pass);
    let (code, said) = day.run(&["plan", "--all", "--out", path]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(stacks(day.world).len(), day.world.tenants.len(), "an empty stack for each tenant");
    day.proxy.set(|call, _| match call.action.as_str() {
        "ExecuteChangeSet" => Fault::Late(Duration::from_secs(2)),
        _ => Fault::Pass,
    });
    let mut child = begin(day, &["deploy", "--plan", path, "--yes", "--concurrency", "1"]);
    day.proxy.until("ExecuteChangeSet");
    interrupt(&child);
    ended(day, "planned-stopped", &mut child);
    // The one in flight stands as planned, its deferred stack included; of the others nothing is there.
    assert_eq!(
        stacks(day.world),
        ["example-t000-edge CREATE_COMPLETE", "example-t000-regional UPDATE_COMPLETE"]
    );
    let status = day.world.json(&["status", "--tenant", "t000"]).1;
    for stack in status[0]["stacks"].as_array().expect("stacks") {
        assert_eq!(stack["template_as_rendered"], true, "{stack:#}");
    }
    let _ = fs::remove_file(file);
}

/// After a destruction that has kept bucket and user pool.
fn taking_in_that_is_stopped_leaves_nothing(day: &Day<'_>) {
    day.proxy.set(|_, _| Fault::Pass);
    let (code, said) = day.run(&["destroy", "--tenant", "t000", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(stacks(day.world), [""; 0]);
    day.proxy.set(|call, _| match (call.action.as_str(), call.earlier) {
        // The first look is cut off; those of the cleaning are quick.
        ("DescribeChangeSet", ..1) => Fault::Late(Duration::from_secs(60)),
        _ => Fault::Pass,
    });
    let mut child = begin(day, &["import", "--tenant", "t000", "--yes"]);
    day.proxy.until("DescribeChangeSet");
    interrupt(&child);
    ended(day, "import-stopped", &mut child);
    assert_eq!(day.proxy.passed("ExecuteChangeSet"), 0);
    assert_eq!(stacks(day.world), [""; 0], "an empty stack is left");
}

/// Starts the binary against the proxy.
fn begin(day: &Day<'_>, arguments: &[&str]) -> Child {
    let mut command = day.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
}

fn interrupt(child: &Child) {
    send(child, "-INT");
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
}

/// Waits for the end, which is that of a cancelled command, and holds what was said to the snapshot.
fn ended(day: &Day<'_>, name: &str, child: &mut Child) {
    let lines = BufReader::new(child.stderr.take().expect("its progress")).lines();
    let mut said: String = lines.map_while(Result::ok).map(|line| line + "\n").collect();
    child.stdout.take().expect("its answer").read_to_string(&mut said).expect("text");
    let code = child.wait().expect("an end").code();
    assert_eq!(code, Some(CANCELLED), "{name}: {said}");
    day.keep(name, CANCELLED, &said);
}

/// Every stack that is not deleted, with its status.
fn stacks(world: &World) -> Vec<String> {
    let cloud = world.cloud();
    let all = world.runtime.block_on(cloud.stacks(REGION).every()).expect("the stacks");
    let mut all: Vec<_> = all.iter().map(|stack| format!("{} {}", stack.name, stack.status)).collect();
    all.sort();
    all
}
