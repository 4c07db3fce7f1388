//! `cargo bench --bench rotation`: what rotating many tenants costs this tool, cloud apart.
//!
//! Two runs of the real command line, each in a process of its own. 2,000 tenants against a stub that answers at
//! once and counts the requests: processor time, memory and calls for each tenant. 300 tenants on the local
//! cloud, deployed for it: the share of the wall time that is this tool's own work. With `-- --json`, one JSON
//! object a line; with `-- --stub`, without the local cloud. Linux only: it reads `/proc`.

#![expect(clippy::print_stdout, reason = "what a benchmark says goes to stdout")]

mod stub;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark needs a part of it")]
mod support;

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::stub::Stub;
use self::support::{Figure, Report, cache_folder, step, workload};

const TENANTS: usize = 2_000;
/// In flight at a time: more than by default, so that pauses between two looks do not make the run long.
const CONCURRENCY: usize = 128;
const LOCAL_TENANTS: usize = 300;
const LOCAL_CONCURRENCY: usize = 8;

const CPU_MS_MAX: f64 = 2.0;
const RSS_MB_MAX: f64 = 150.0;
const OWN_TIME_MAX: f64 = 0.05;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == "child") {
        return child(arguments.skip(1).collect());
    }
    let flags: Vec<_> = arguments.collect();
    let has = |name: &str| flags.iter().any(|flag| flag == name);

    let mut report = Report::new("rotation");
    against_stub(&mut report)?;
    if !has("--stub") {
        on_local_cloud(&mut report)?;
    }
    let kept = report.all_bounds_hold();
    println!("{}", report.show(has("--json")));
    if kept { Ok(()) } else { Err("a figure is over its bound".into()) }
}

/// The tool itself, in a process of its own. Leaves what that cost in the file of the first argument.
fn child(arguments: Vec<OsString>) -> Result<(), Box<dyn Error>> {
    let (out, arguments) = arguments.split_first().ok_or("no file for the cost")?;
    let start = Instant::now();
    let name = OsString::from("generator");
    let code = generator::cli::main(std::iter::once(name).chain(arguments.iter().cloned()));
    let cost = json!({
        "ok": code == std::process::ExitCode::SUCCESS,
        "wall_seconds": start.elapsed().as_secs_f64(),
        "cpu_seconds": cpu_seconds()?,
        "rss_mb": peak_rss_mb()?,
    });
    fs::write(out, cost.to_string())?;
    Ok(())
}

/// Processor time of this process, its threads and the kernel's work for it.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name, which may hold anything.
    let fields: Vec<&str> = stat.rsplit(") ").next().ok_or("no fields")?.split(' ').collect();
    let ticks =
        |field: usize| fields.get(field).ok_or("a short stat")?.parse::<f64>().map_err(|_| "no number");
    // Fields 14 and 15 of proc(5), in hundredths of a second on Linux.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

fn peak_rss_mb() -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}

fn against_stub(report: &mut Report) -> Result<(), Box<dyn Error>> {
    step("rotations against a stub");
    let folder = tempfile::tempdir()?;
    let tenants = folder.path().join("tenants");
    fs::create_dir(&tenants)?;
    workload::write(&tenants, TENANTS)?;
    let stub = Stub::start()?;
    let endpoint = format!("http://{}", stub.address());
    let concurrency = CONCURRENCY.to_string();
    let cost = run(
        folder.path(),
        &["rotate", "--all", "--yes", "--concurrency", &concurrency, "--endpoint-url", &endpoint],
    )?;
    let calls = stub.requests() as f64 / TENANTS as f64;
    let cpu = cost.cpu.as_secs_f64() * 1000.0 / TENANTS as f64;
    report.add(Figure::new("cpu_ms_per_tenant", cpu, "ms").at_most(CPU_MS_MAX));
    report.add(Figure::new("peak_rss_mb", cost.rss_mb, "MB").at_most(RSS_MB_MAX));
    report.add(Figure::new("calls_per_tenant", calls, "1"));
    Ok(())
}

fn on_local_cloud(report: &mut Report) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let tenants = folder.path().join("tenants");
    fs::create_dir(&tenants)?;
    workload::write(&tenants, LOCAL_TENANTS)?;
    let cache = cache_folder()?;
    let instance = format!("bench-{}", std::process::id());
    let local = |arguments: &[&str]| {
        let cache = cache.to_string_lossy().into_owned();
        let shared = ["--local", "--local-instance", &instance, "--cache-dir", &cache, "--yes"];
        run(folder.path(), &[arguments, &shared].concat())
    };
    let concurrency = LOCAL_CONCURRENCY.to_string();
    step("tenants for the local cloud, then their rotations");
    let rotated = local(&["deploy", "--all", "--no-verify"])
        .and_then(|_| local(&["rotate", "--all", "--concurrency", &concurrency]));
    local(&["local", "reset"])?;
    fs::remove_dir_all(cache.join("local").join(&instance))?;
    let cost = rotated?;
    let share = cost.cpu.as_secs_f64() / cost.wall.as_secs_f64();
    let wall = cost.wall.as_secs_f64();
    let own = Figure::seconds("own_time", cost.cpu);
    report.add(own.against("the whole run of 300 rotations on the local cloud", wall));
    report.add(Figure::new("own_time_share", share, "1").at_most(OWN_TIME_MAX));
    let a_minute = LOCAL_TENANTS as f64 / wall * 60.0;
    report.add(Figure::new("tenants_per_minute", a_minute, "1/min"));
    Ok(())
}

/// What a run cost.
struct Cost {
    wall: Duration,
    cpu: Duration,
    rss_mb: f64,
}

/// Runs the tool on the tenants of a folder, and waits for its end.
fn run(folder: &Path, arguments: &[&str]) -> Result<Cost, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the crate lies in no project")?;
    let out = folder.join("cost.json");
    let output = Command::new(std::env::current_exe()?)
        .arg("child")
        .arg(&out)
        .args(arguments)
        .arg("--tenants-dir")
        .arg(folder.join("tenants"))
        .env("GENERATOR_JOURNAL", folder.join("runs"))
        .env("AWS_ACCESS_KEY_ID", generator::aws::LOCAL_ACCOUNT)
        .env("AWS_SECRET_ACCESS_KEY", "stub")
        .env("AWS_REGION", "us-east-1")
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()?;
    let cost: Value = serde_json::from_slice(&fs::read(&out)?)?;
    if cost["ok"] != true {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let end: Vec<_> = stderr.lines().rev().take(5).collect();
        return Err(format!("{arguments:?} failed: {}", end.join("\n")).into());
    }
    let number = |name: &str| cost[name].as_f64().ok_or_else(|| format!("no `{name}`"));
    Ok(Cost {
        wall: Duration::from_secs_f64(number("wall_seconds")?),
        cpu: Duration::from_secs_f64(number("cpu_seconds")?),
        rss_mb: number("rss_mb")?,
    })
}
