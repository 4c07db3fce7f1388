//! A run that is killed again and again rotates every tenant exactly once.

#![expect(clippy::print_stdout, reason = "the proof tells its figures")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use super::world::World;

/// Where the ten moments come from. Any number will do; a fixed one makes a failure come again.
const SEED: u64 = 0x7e57_0f1e;

/// Rotates all tenants, kills the process at `kills` random moments, and goes on each time. The report of the
/// last process.
pub(super) fn killed_and_resumed(world: &World, kills: usize) -> Value {
    let before = world.keys();
    let mut random = StdRng::seed_from_u64(SEED);
    let mut run: Option<String> = None;
    let mut done = 0;
    let concurrency = (world.tenants.len() / (kills + 1)).clamp(1, 8);
    let start = Instant::now();
    for kill in 0..kills {
        let mut child = start_process(world, run.as_deref(), concurrency);
        // At most the share of what is left that lets the process be killed as often as it shall be.
        let share = (world.tenants.len() - done) / (kills - kill + 1);
        let jobs = random.gen_range(0..=share.saturating_sub(concurrency));
        let pause = Duration::from_millis(random.gen_range(0..400));
        let seen = watch(&mut child, jobs);
        std::thread::sleep(pause);
        child.kill().expect("a living process");
        let status = child.wait().expect("an end");
        assert_eq!(status.code(), None, "kill {kill} came too late");
        run = run.or(seen);
        let run = run.as_deref().expect("a run");
        done = ended(&world.journal(run));
        println!("kill {kill}: {done} of {} tenants done", world.tenants.len());
    }
    let run = run.expect("a run");
    let (code, report, stderr) = world.json(&["resume", &run]);
    assert_eq!(code, 0, "{stderr}");
    let took = start.elapsed();

    let after = world.keys();
    for tenant in &world.tenants {
        let (before, after) = (&before[tenant], &after[tenant]);
        assert_eq!(after.previous.as_ref(), Some(&before.current), "{tenant} was not rotated once");
        assert_eq!(after.group.len(), before.group.len() + 1, "{tenant} was not rotated once");
        assert!(before.group.iter().all(|key| after.group.contains(key)), "{tenant} lost a key");
    }
    let in_groups: usize = after.values().map(|keys| keys.group.len()).sum();
    assert_eq!(world.public_keys(), in_groups, "a key is in no group");
    assert_eq!(report["processes"], kills + 1);
    tell(world, &report, took);
    report
}

fn start_process(world: &World, run: Option<&str>, concurrency: usize) -> Child {
    let options = ["--local", "--output", "ndjson"];
    let concurrency = concurrency.to_string();
    let arguments = match run {
        None => [&["rotate", "--all", "--yes", "--concurrency", &concurrency][..], &options].concat(),
        Some(run) => [&["resume", run][..], &options].concat(),
    };
    let mut command = world.command(&arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs")
}

/// Reads events until the run has begun and `jobs` more tenants are done; the name of the run.
fn watch(child: &mut Child, jobs: usize) -> Option<String> {
    let (mut run, mut left) = (None, jobs);
    for line in BufReader::new(child.stdout.take().expect("its output")).lines() {
        let event: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        match event["code"].as_str() {
            Some("RUN_STARTED") => run = event["run"].as_str().map(str::to_owned),
            Some("JOB_DONE") => left = left.saturating_sub(1),
            _ => {}
        }
        if run.is_some() && left == 0 {
            break;
        }
    }
    run
}

/// Number of tenants that a journal has as done.
fn ended(journal: &[Value]) -> usize {
    journal.iter().filter(|record| record["record"] == "ended" && record["outcome"] == "done").count()
}

fn tell(world: &World, report: &Value, took: Duration) {
    let tenants = report["waves"].as_array().expect("waves").iter();
    let tenants: Vec<_> = tenants.flat_map(|wave| wave["tenants"].as_array().expect("tenants")).collect();
    let sum = |of: &dyn Fn(&Value) -> u64| tenants.iter().map(|tenant| of(tenant)).sum::<u64>();
    let calls = sum(&|tenant| tenant["detail"]["calls"].as_u64().expect("calls"));
    let again = sum(&|tenant| u64::from(tenant["detail"]["how"] == "found_done"));
    let count = world.tenants.len() as f64;
    println!("tenants per minute: {:.0}", count / took.as_secs_f64() * 60.0);
    println!("API calls per tenant: {:.2}", calls as f64 / count);
    println!("found rotated by a killed process: {again}");
    println!("share of time spent waiting on the peer: {}", report["totals"]["waiting_share"]);
}
