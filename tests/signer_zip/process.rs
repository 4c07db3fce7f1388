//! The packed zip, unpacked and run by the Node that Lambda uses.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use generator::local;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::cloudfront::{Accepted, accept};
use testkit::peer::Peer;

use crate::support::{cache, generator_here, root};

/// CloudFront ends a viewer-request function after this time.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Longest wait for a task that is many requests.
const TASK_MAX: Duration = Duration::from_secs(1_200);

/// Folder of the unpacked zip, which the project's own command has built. Kept as long as the tests run.
fn unpacked() -> &'static Path {
    static FOLDER: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = FOLDER.get_or_init(|| {
        let package = ["package", "--output", "json"];
        let output = generator_here().args(package).output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let packed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let signer = packed.as_array().into_iter().flatten().find(|zip| zip["artifact"] == "signer");
        let signer = signer.expect("the signer's zip");
        let bytes = fs::read(signer["path"].as_str().expect("a path")).expect("the zip");
        assert_eq!(
            signer["sha256"],
            hex::encode(Sha256::digest(&bytes)),
            "another zip than the one reported"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
        let names: Vec<String> = (0..archive.len())
            .map(|index| {
                let mut entry = archive.by_index(index).expect("an entry");
                let name = entry.name().expect("a name").into_owned();
                let mut bytes = vec![];
                entry.read_to_end(&mut bytes).expect("its bytes");
                fs::write(folder.path().join(&name), bytes).expect("a file");
                name
            })
            .collect();
        assert_eq!(names, ["index.mjs", "signer.node"]);
        let path = folder.path().to_path_buf();
        (folder, path)
    });
    path
}

/// A process of the function.
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts the function with `peer` in place of AWS and with the environment of Lambda.
    pub(super) fn start(peer: &Peer) -> Self {
        let node = local::node(&cache(), &|_| {}).expect("Node").program();
        let mut child = Command::new(node)
            .arg("--expose-gc")
            .arg(root().join("tests/signer_zip/driver.mjs"))
            .arg(unpacked())
            .env_clear()
            .envs([
                // A replica, as at the edge.
                ("AWS_LAMBDA_FUNCTION_NAME", "us-east-1.example-demo-signer"),
                ("AWS_ACCESS_KEY_ID", "AKID"),
                ("AWS_SECRET_ACCESS_KEY", "classified"),
                ("AWS_SESSION_TOKEN", "session"),
                ("AWS_ENDPOINT_URL", &peer.url),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Node runs");
        let input = child.stdin.take().expect("an input");
        let (stdout, stderr) = (child.stdout.take().expect("an output"), child.stderr.take().expect("a log"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let log = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&log);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = written.lock().expect("no panic");
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, input, lines, log }
    }

    /// Gives the process a task and waits for its outcome.
    pub(super) fn task(&mut self, task: &Value) -> Value {
        self.task_within(task, TASK_MAX)
    }

    fn task_within(&mut self, task: &Value, time: Duration) -> Value {
        writeln!(self.input, "{task}").expect("the process reads");
        let line = self.lines.recv_timeout(time);
        let line = line.unwrap_or_else(|error| panic!("{error} after {task:.2000}\n{}", self.log()));
        let outcome: Value = serde_json::from_str(&line).expect("JSON");
        assert!(outcome.get("thrown").is_none(), "{outcome} after {task:.2000}");
        outcome["done"].clone()
    }

    /// The answer to an event, read as CloudFront reads it.
    pub(super) fn answer(&mut self, event: &Value) -> Accepted {
        let done = self.task_within(&json!({"task": "answer", "event": event}), 4 * ANSWER_MAX);
        let time = done["milliseconds"].as_f64().expect("a time");
        assert!(time < ANSWER_MAX.as_secs_f64() * 1_000.0, "{time} ms for {event:.2000}");
        accept(&done["response"].to_string())
            .unwrap_or_else(|rule| panic!("{rule}: {done} for {event:.2000}"))
    }

    /// What the function has written to its log so far.
    pub(super) fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
