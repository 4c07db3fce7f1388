//! Instances of a function: processes of Node, each with one event at a time, as Lambda runs them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;

use super::super::error::ServeError;
use crate::clock::Clock;

/// Instances of one function at a time; more events wait.
const INSTANCES: usize = 4;
/// CloudFront ends a viewer-request function after this time.
const LIMIT: Duration = Duration::from_secs(5);
/// Longest wait for the start of an instance, which Lambda does not count. Longer than Lambda's own ten seconds: this
/// machine may be busy with other things.
const START: Duration = Duration::from_secs(30);

/// How a function is started.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    /// The program `node`.
    pub(super) node: PathBuf,
    /// The runtime's script.
    pub(super) runtime: PathBuf,
    /// Folder of the unpacked zip.
    pub(super) code: PathBuf,
    /// The whole environment.
    pub(super) variables: Vec<(String, String)>,
    /// File that gets what the function writes.
    pub(super) log: PathBuf,
}

/// All instances of one function.
#[derive(Debug)]
pub(super) struct Instances {
    launch: Launch,
    clock: Arc<dyn Clock>,
    /// Age from which an instance gets no more events; `None`: it lives as long as it answers.
    life: Option<Duration>,
    idle: Mutex<Vec<Instance>>,
    permits: Semaphore,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// The function threw, ended or never started.
    Crashed(String),
    /// It took longer than CloudFront allows.
    TimedOut,
}

#[derive(Debug)]
struct Instance {
    /// Ends with this value.
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// When it was started, by the clock's count.
    started: Duration,
}

impl Instances {
    pub(super) fn new(launch: Launch, clock: Arc<dyn Clock>, life: Option<Duration>) -> Self {
        Self { launch, clock, life, idle: Mutex::default(), permits: Semaphore::new(INSTANCES) }
    }

    /// Gives an event to a free instance, or to a new one. An instance that fails is not used again.
    pub(super) async fn answer(&self, event: &Value) -> Result<Value, Failed> {
        let crashed = |error: &dyn std::fmt::Display| Failed::Crashed(error.to_string());
        let _permit = self.permits.acquire().await.map_err(|error| crashed(&error))?;
        let mut instance = match self.idle() {
            Some(instance) => instance,
            None => self.launch.start(self.clock.elapsed()).await?,
        };
        let outcome = tokio::time::timeout(LIMIT, instance.exchange(event)).await;
        let outcome = outcome.map_err(|_| Failed::TimedOut)?;
        let mut outcome = outcome.map_err(|error| crashed(&error))?;
        if let Some(failure) = outcome.get("failure").and_then(Value::as_str) {
            return Err(Failed::Crashed(failure.to_owned()));
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        Ok(outcome["answer"].take())
    }

    /// An instance that waits. Those that are too old end here.
    fn idle(&self) -> Option<Instance> {
        let now = self.clock.elapsed();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(life) = self.life {
            idle.retain(|instance| now.saturating_sub(instance.started) < life);
        }
        idle.pop()
    }
}

impl Launch {
    /// Starts an instance and waits until its code is loaded.
    async fn start(&self, now: Duration) -> Result<Instance, Failed> {
        let mut instance = self.spawn(now).map_err(|error| Failed::Crashed(error.to_string()))?;
        let loaded = tokio::time::timeout(START, instance.output.next_line()).await;
        match loaded.map_err(|_| Failed::Crashed("its code was not loaded in time".into()))? {
            Ok(Some(_)) => Ok(instance),
            Ok(None) => Err(Failed::Crashed("it ended before its code was loaded".into())),
            Err(error) => Err(Failed::Crashed(error.to_string())),
        }
    }

    fn spawn(&self, now: Duration) -> Result<Instance, ServeError> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(ServeError::io("open", &self.log))?;
        let mut child = Command::new(&self.node)
            .arg(&self.runtime)
            .arg(&self.code)
            .current_dir(&self.code)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(ServeError::io("run", &self.node))?;
        let no_pipe = || ServeError::io("talk to", &self.node)(std::io::ErrorKind::BrokenPipe.into());
        let input = child.stdin.take().ok_or_else(no_pipe)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(no_pipe)?).lines();
        Ok(Instance { _child: child, input, output, started: now })
    }
}

impl Instance {
    async fn exchange(&mut self, event: &Value) -> std::io::Result<Value> {
        let mut line = event.to_string();
        line.push('\n');
        self.input.write_all(line.as_bytes()).await?;
        let line = self.output.next_line().await?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// Writes the runtime's script into `folder`.
pub(super) fn runtime(folder: &Path) -> Result<PathBuf, ServeError> {
    let path = folder.join("runtime.mjs");
    std::fs::create_dir_all(folder).map_err(ServeError::io("create", folder))?;
    std::fs::write(&path, include_str!("runtime.mjs")).map_err(ServeError::io("write", &path))?;
    Ok(path)
}
