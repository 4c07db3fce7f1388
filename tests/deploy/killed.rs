//! A deployment that is killed again and again: every stack ends as rendered, and no change was executed twice.

#![expect(clippy::print_stdout, reason = "the proof tells its figures")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::rotate::world::{REGION, World};

/// Where the moments come from. Any number will do; a fixed one makes a failure come again.
const SEED: u64 = 0xde91_0fed;

/// Deploying all tenants, two at a time.
const DEPLOY: [&str; 6] = ["deploy", "--all", "--yes", "--no-verify", "--concurrency", "2"];

/// Deploys all tenants, kills the process at `kills` random moments, and goes on each time.
pub(super) fn killed_and_resumed(world: &World, kills: usize) {
    begun_so(world, kills, &DEPLOY);
}

/// The same with what was planned for them: a run that was killed goes on with the change sets that are left.
pub(super) fn planned_killed_and_resumed(world: &World, kills: usize) {
    let file = world.folder.path().join("plan.json");
    let path = file.to_str().expect("a path");
    let (code, _, stderr) = world.json(&["plan", "--all", "--out", path]);
    assert_eq!(code, 0, "{stderr}");
    let deploy = ["deploy", "--plan", path, "--yes", "--no-verify", "--concurrency", "2"];
    begun_so(world, kills, &deploy);
}

fn begun_so(world: &World, kills: usize, deploy: &[&str]) {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut run: Option<String> = None;
    let mut killed_in_flight = 0;
    let start = Instant::now();
    for kill in 0..kills {
        let mut child = start_process(world, run.as_deref(), deploy);
        let seen = until_it_writes(&mut child, random.gen_range(0..4));
        std::thread::sleep(Duration::from_millis(random.gen_range(0..250)));
        child.kill().expect("a living process");
        let status = child.wait().expect("an end");
        assert_eq!(status.code(), None, "kill {kill} came too late");
        run = run.or(seen);
        let journal = world.journal(run.as_deref().expect("a run"));
        let (began, ended) = (count(&journal, "began"), count(&journal, "ended"));
        killed_in_flight += usize::from(began > ended);
        println!("kill {kill}: {began} begun, {ended} ended");
    }
    assert!(killed_in_flight > 0, "no kill hit anything");
    let run = run.expect("a run");
    let (code, report, stderr) = world.json(&["resume", &run]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(report["processes"], kills + 1);
    println!("{} tenants and {kills} kills in {:.0} s", world.tenants.len(), start.elapsed().as_secs_f64());
    every_stack_is_as_rendered(world);
    nothing_was_executed_twice(world);
    let (code, again, stderr) = world.json(&DEPLOY);
    assert_eq!(code, 0, "{stderr}");
    for tenant in again["waves"][0]["tenants"].as_array().expect("tenants") {
        assert_eq!(tenant["detail"]["changed"], false, "{tenant:#}");
    }
}

fn start_process(world: &World, run: Option<&str>, deploy: &[&str]) -> Child {
    let options = ["--local", "--output", "ndjson"];
    let arguments = match run {
        None => [deploy, &options].concat(),
        Some(run) => [&["resume", run][..], &options].concat(),
    };
    let mut command = world.command(&arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs")
}

/// Reads events until the run has begun, a stack is about to be changed and `more` lines came after that; the name of the run.
fn until_it_writes(child: &mut Child, more: usize) -> Option<String> {
    let (mut run, mut left) = (None, None);
    for line in BufReader::new(child.stdout.take().expect("its output")).lines() {
        let event: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        match event["code"].as_str() {
            Some("RUN_STARTED") => run = event["run"].as_str().map(str::to_owned),
            Some("CHANGES_FOUND" | "STACK_DEPLOYING") if left.is_none() => left = Some(more),
            _ => left = left.map(|left: usize| left.saturating_sub(1)),
        }
        if run.is_some() && left == Some(0) {
            break;
        }
    }
    run
}

fn count(journal: &[Value], record: &str) -> usize {
    journal.iter().filter(|line| line["record"] == record).count()
}

fn every_stack_is_as_rendered(world: &World) {
    let (code, status, stderr) = world.json(&["status", "--all"]);
    assert_eq!(code, 0, "{stderr}");
    let tenants = status.as_array().expect("tenants");
    assert_eq!(tenants.len(), world.tenants.len());
    for stack in tenants.iter().flat_map(|tenant| tenant["stacks"].as_array().expect("stacks")) {
        assert!(stack["status"].as_str().expect("a status").ends_with("_COMPLETE"), "{stack:#}");
        assert_eq!(stack["template_as_rendered"], true, "{stack:#}");
    }
}

/// Each stack was made once; the regional one was changed once more, when the distribution was known. No change set
/// is left that could still be executed.
fn nothing_was_executed_twice(world: &World) {
    let cloudformation = aws_sdk_cloudformation::Client::new(&world.cloud().config(REGION));
    world.runtime.block_on(async {
        for tenant in &world.tenants {
            for (part, updates) in [("regional", 1), ("edge", 0)] {
                let stack = format!("example-{tenant}-{part}");
                let mut pages =
                    cloudformation.describe_stack_events().stack_name(&stack).into_paginator().send();
                let mut began = Vec::new();
                while let Some(page) = pages.next().await {
                    let page = page.expect("a page");
                    let own = page.stack_events().iter().filter(|event| {
                        event.resource_type() == Some("AWS::CloudFormation::Stack")
                            && event.logical_resource_id() == Some(&stack)
                    });
                    began.extend(
                        own.filter_map(|event| event.resource_status().map(|s| s.as_str().to_owned())),
                    );
                }
                let times = |status: &str| began.iter().filter(|found| *found == status).count();
                assert_eq!(
                    (times("CREATE_IN_PROGRESS"), times("UPDATE_IN_PROGRESS")),
                    (1, updates),
                    "{stack}: {began:?}"
                );
                let sets = cloudformation.list_change_sets().stack_name(&stack).send().await.expect("a list");
                let open = sets.summaries().iter().filter(|set| {
                    set.execution_status().is_some_and(|status| status.as_str() == "AVAILABLE")
                });
                assert_eq!(open.count(), 0, "{stack} has a change set left");
            }
        }
    });
}
