//! Processes of Node, each with one handler.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use super::fixture::FUNCTION;
use super::quota::Quota;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    /// Node alone.
    Bare,
    /// The packed addon.
    Addon,
    /// JavaScript with the packages as they are meant to be used.
    Sdk,
    /// The best JavaScript that we can write.
    Best,
}

/// How to start any of them.
pub(crate) struct Stage {
    /// The program `node`.
    pub(crate) node: PathBuf,
    /// Folder of the JavaScript.
    pub(crate) peers: PathBuf,
    /// Folder of the unpacked zip.
    pub(crate) zip: PathBuf,
    /// File with the events.
    pub(crate) events: PathBuf,
    /// Where AWS is.
    pub(crate) endpoint: String,
    /// Certificate of its authority.
    pub(crate) bundle: PathBuf,
}

/// What a process says of its first answer.
#[derive(Deserialize)]
pub(crate) struct First {
    /// Processor time of all its threads since it was started, in microseconds.
    pub(crate) cpu_us: f64,
    /// The answer.
    pub(crate) response: Value,
    /// Time from before it was started until the answer was here.
    #[serde(skip)]
    pub(crate) after: Duration,
}

/// What a process says of a round of requests.
#[derive(Deserialize)]
pub(crate) struct Round {
    /// How long each took, in microseconds.
    pub(crate) us: Vec<f64>,
    /// How many answers had each status.
    statuses: std::collections::BTreeMap<String, usize>,
    /// Resident memory after the last one.
    pub(crate) rss_bytes: f64,
}

/// A process that has given its first answer. It ends when this is dropped.
pub(crate) struct Contender {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Of its first answer.
    pub(crate) first: First,
}

impl Stage {
    /// Starts a process, held back by `quota` from its first instruction on, and waits for its first answer.
    pub(crate) fn start(&self, handler: Handler, quota: Option<&Quota>) -> Result<Contender, Box<dyn Error>> {
        let module = match handler {
            Handler::Bare => self.peers.join("bare.mjs"),
            Handler::Addon => self.zip.join("index.mjs"),
            Handler::Sdk => self.peers.join("sdk.mjs"),
            Handler::Best => self.peers.join("best.mjs"),
        };
        let begun = Instant::now();
        let mut command = quota.map_or_else(|| Command::new(&self.node), |quota| quota.command(&self.node));
        let mut child = command
            .arg(self.peers.join("runner.mjs"))
            .arg(module)
            .arg(&self.events)
            .env_clear()
            .envs([("AWS_LAMBDA_FUNCTION_NAME", FUNCTION), ("AWS_REGION", "us-east-1")])
            .envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")])
            .envs([("AWS_SESSION_TOKEN", "session"), ("AWS_ENDPOINT_URL", self.endpoint.as_str())])
            .env("AWS_CA_BUNDLE", &self.bundle)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let held = quota.map(|quota| quota.hold(child.id())).transpose()?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the process has no pipes".into());
        };
        let mut answers = BufReader::new(answers);
        let first = line::<First>(&mut answers);
        drop(held);
        let first = first.map_err(|error| format!("{handler:?} gave no first answer: {error}"))?;
        let first = First { after: begun.elapsed(), ..first };
        if handler != Handler::Bare && !grants(&first.response) {
            return Err(format!("{handler:?} grants nothing: {}", first.response).into());
        }
        Ok(Contender { child, requests, answers, first })
    }
}

impl Contender {
    /// Has the process answer so many requests.
    pub(crate) fn round(&mut self, requests: usize) -> Result<Round, Box<dyn Error>> {
        writeln!(self.requests, "{requests}")?;
        let round: Round = line(&mut self.answers)?;
        if round.statuses.get("200") != Some(&requests) {
            return Err(format!("not every request was granted: {:?}", round.statuses).into());
        }
        Ok(round)
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        // A process that is gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line<T: for<'de> Deserialize<'de>>(answers: &mut BufReader<ChildStdout>) -> Result<T, Box<dyn Error>> {
    let mut text = String::new();
    answers.read_line(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

/// Whether a response gives the four cookies.
fn grants(response: &Value) -> bool {
    let cookies = response["headers"]["set-cookie"].as_array();
    response["status"] == "200" && cookies.is_some_and(|cookies| cookies.len() == 4)
}

/// Unpacks a zip.
pub(crate) fn unpack(zip: &[u8], folder: &Path) -> Result<(), Box<dyn Error>> {
    Ok(zip::ZipArchive::new(std::io::Cursor::new(zip))?.extract(folder)?)
}
