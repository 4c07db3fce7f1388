//! Twelve tenants on a local cloud of their own, deployed and served by the real binary.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use generator::aws::cognito::{PasswordFlow, Tokens};
use generator::aws::{Cloud, CloudSettings};
use generator::clock::SystemClock;
use serde_json::Value;

use super::client::Client;
use super::started::started;
use crate::support::{cache, copy, root};

/// Number of tenants that are tried against each other.
pub(super) const TENANTS: usize = 12;
/// One more, whose cookies live for a minute only: the browser's.
pub(super) const BROWSED: usize = TENANTS;
pub(super) const PASSWORD: &str = "Correct-Horse-9-Battery";

/// Name of a tenant by its number.
pub(super) fn name(number: usize) -> String {
    format!("t{number:02}")
}

pub(super) fn host(number: usize) -> String {
    format!("{}.localhost", name(number))
}

/// The world; everything of it is gone when this is dropped.
pub(super) struct World {
    pub(super) instance: String,
    folder: tempfile::TempDir,
    serving: Option<Child>,
    pub(super) runtime: tokio::runtime::Runtime,
    outputs: Value,
}

impl World {
    pub(super) fn start() -> Self {
        let files = (0..=BROWSED).map(|number| (name(number), tenant(number))).collect();
        Self::of("serve", files, |_| {})
    }

    /// Tenants of these files, deployed; `before` is done while there is only the local cloud.
    pub(super) fn of(instance: &str, files: Vec<(String, String)>, before: impl FnOnce(&Self)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let tenants = folder.path().join("tenants");
        fs::create_dir_all(tenants.join("_tiers")).expect("a folder");
        for (name, text) in files {
            fs::write(tenants.join(format!("{name}.yaml")), text).expect("a tenant file");
        }
        copy(&root().join("templates"), &folder.path().join("templates"));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let instance = format!("{instance}-{}", std::process::id());
        let mut world = Self { instance, folder, serving: None, runtime, outputs: Value::Null };
        before(&world);
        world.must(&["deploy", "--all", "--yes", "--no-verify"]);
        let outputs = world.must(&["outputs", "--all", "--output", "json"]);
        world.outputs = serde_json::from_slice(&outputs.stdout).expect("JSON");
        world
    }

    pub(super) fn tenant_file(&self, number: usize) -> std::path::PathBuf {
        self.file_of(&name(number))
    }

    pub(super) fn file_of(&self, tenant: &str) -> std::path::PathBuf {
        self.folder.path().join("tenants").join(format!("{tenant}.yaml"))
    }

    /// A template; every world has its own.
    pub(super) fn template(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("templates").join(name)
    }

    /// An output of a tenant's stacks.
    pub(super) fn output(&self, number: usize, output: &str) -> String {
        self.output_of(&name(number), output)
    }

    pub(super) fn output_of(&self, tenant: &str, output: &str) -> String {
        self.outputs[tenant][output].as_str().unwrap_or_else(|| panic!("no output {output}")).to_owned()
    }

    /// All outputs of a tenant's stacks.
    pub(super) fn outputs(&self, number: usize) -> std::collections::BTreeMap<String, String> {
        serde_json::from_value(self.outputs[name(number)].clone()).expect("outputs")
    }

    pub(super) fn region(&self, number: usize) -> String {
        self.output(number, "UserPoolId").split('_').next().expect("a region").to_owned()
    }

    /// The binary, on this world.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_generator"));
        command
            .args(arguments)
            .args([
                "--local",
                "--local-instance",
                &self.instance,
                "--organisation",
                "example",
                "--tenants-dir",
            ])
            .arg(self.folder.path().join("tenants"))
            .arg("--templates-dir")
            .arg(self.folder.path().join("templates"))
            .arg("--cache-dir")
            .arg(cache().root())
            .current_dir(root());
        command
    }

    pub(super) fn must(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("the binary runs");
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}\n{stdout}\n{stderr}");
        output
    }

    /// Serves all tenants until this is dropped, and waits until they are. The signers are started anew every few seconds,
    /// so that they soon sign with a key that was rotated.
    pub(super) fn serve(&mut self) -> (Client, std::path::PathBuf) {
        let fresh = ["serve", "--all", "--watch", "--port", "0", "--no-user", "--instance-seconds", "5"];
        let mut command = self.command(&[&fresh[..], &["--output", "ndjson"]].concat());
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        self.serving = Some(child);
        let (port, authority) = started(&mut lines).expect("it serves");
        // Whatever else it tells is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        (Client::new(port, &authority), authority)
    }

    /// The local cloud, as code of the tool reaches it.
    pub(super) fn cloud(&self) -> Cloud {
        let status = self.must(&["local", "status", "--output", "json"]);
        let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
        let settings = CloudSettings {
            endpoint_url: Some(status["endpoint"].as_str().expect("an endpoint").to_owned()),
            local: true,
            ..CloudSettings::default()
        };
        let clock = Arc::new(SystemClock::start());
        self.runtime.block_on(Cloud::connect(&settings, clock)).expect("a connection")
    }

    /// Makes a viewer of a tenant.
    pub(super) fn viewer(&self, cloud: &Cloud, number: usize, email: &str) {
        let cognito = cloud.cognito(&self.region(number));
        let pool = self.output(number, "UserPoolId");
        self.runtime.block_on(async {
            cognito.create_user(&pool, email, PASSWORD).await.expect("a user");
            cognito.set_password(&pool, email, PASSWORD).await.expect("a password");
        });
    }

    /// Tokens of a viewer for a client of the pool.
    pub(super) fn tokens(&self, cloud: &Cloud, number: usize, email: &str) -> Tokens {
        let cognito = cloud.cognito(&self.region(number));
        let (pool, client) = (self.output(number, "UserPoolId"), self.output(number, "UserPoolClientId"));
        let signed = cognito.sign_in(PasswordFlow::Admin, &pool, &client, email, PASSWORD);
        self.runtime.block_on(signed).expect("tokens")
    }

    /// Puts an object into a tenant's bucket.
    pub(super) fn put(
        &self,
        cloud: &Cloud,
        number: usize,
        key: &str,
        kind: &str,
        control: Option<&str>,
        bytes: Vec<u8>,
    ) {
        let config = cloud.config(&self.region(number));
        let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        let put = aws_sdk_s3::Client::from_conf(config)
            .put_object()
            .bucket(self.output(number, "ContentBucketName"));
        let put =
            put.key(key).content_type(kind).set_cache_control(control.map(str::to_owned)).body(bytes.into());
        self.runtime.block_on(put.send()).expect("an object");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut child) = self.serving.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = self.command(&["local", "reset", "--yes"]).output();
        let _ = fs::remove_dir_all(cache().root().join("local").join(&self.instance));
    }
}

/// Both algorithms, both hashes; most of them share a region.
fn tenant(number: usize) -> String {
    let region = ["eu-north-1", "eu-north-1", "eu-north-1", "us-east-1"][number % 4];
    let algorithm = ["rsa-2048", "ecdsa-p256"][number % 2];
    let hash = ["sha256", "sha256", "sha1"][number % 3];
    let cookies = if number == BROWSED { "  minutes: 1\n  slot_seconds: 1\n" } else { "" };
    format!(
        "region: {region}\nsign_in:\n  callback_urls: [http://localhost:8080/]\n  logout_urls: [http://localhost:8080/]\n\
         keys:\n  algorithm: {algorithm}\ncookies:\n  hash: {hash}\n{cookies}\
         cors:\n  origins: [https://app.example]\nedge:\n  paths:\n    public: [/public/*]\n  error_pages:\n    - status: 403\n      page: /public/closed.html\n      \
         answer: 403\n      cache_seconds: 0\n"
    )
}
