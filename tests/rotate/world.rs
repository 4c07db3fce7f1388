//! A local cloud with many small tenants, and the binary at work on them.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use generator::aws::secretsmanager::{CURRENT, PREVIOUS, SecretStatus, Secrets};
use generator::aws::{Cloud, CloudSettings};
use generator::clock::SystemClock;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::{cache, generator_here};

/// Region of everything: the edge's.
pub(crate) const REGION: &str = "us-east-1";

/// An instance of the local cloud of its own, removed at the end whatever happens.
pub(crate) struct World {
    instance: String,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) tenants: Vec<String>,
    pub(crate) runtime: Runtime,
}

/// The keys of a tenant, as they really are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) current: String,
    pub(crate) previous: Option<String>,
    pub(crate) group: Vec<String>,
}

impl World {
    /// Deploys `count` tenants.
    pub(crate) fn deployed(purpose: &str, count: usize) -> Self {
        let world = Self::empty(purpose, count);
        let deployed = world.run(&["deploy", "--all", "--local", "--yes", "--no-verify"]);
        assert!(deployed.status.success(), "{}", String::from_utf8_lossy(&deployed.stderr));
        world
    }

    /// Writes the files of `count` tenants.
    pub(crate) fn empty(purpose: &str, count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let files = folder.path().join("tenants");
        fs::create_dir(&files).expect("a folder");
        let shared = "region: us-east-1\nkeys:\n  algorithm: ecdsa-p256\n";
        fs::write(files.join("_defaults.yaml"), shared).expect("a file");
        let tenants: Vec<_> = (0..count).map(|number| format!("t{number:03}")).collect();
        for name in &tenants {
            let text = "sign_in:\n  callback_urls: [http://localhost:8080/]\n";
            fs::write(files.join(format!("{name}.yaml")), text).expect("a tenant file");
        }
        let instance = format!("{purpose}-{}", std::process::id());
        let runtime = Runtime::new().expect("a runtime");
        Self { instance, folder, tenants, runtime }
    }

    /// The binary on this world's tenants.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = generator_here();
        command
            .args(arguments)
            .args(["--local-instance", &self.instance, "--tenants-dir"])
            .arg(self.folder.path().join("tenants"))
            .env("GENERATOR_JOURNAL", self.folder.path().join("runs"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Runs a command on the local cloud and reads its JSON; with its exit code and what it said beside.
    pub(crate) fn json(&self, arguments: &[&str]) -> (i32, Value, String) {
        let output = self.run(&[arguments, &["--local", "--output", "json"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{stderr}"));
        (output.status.code().expect("an exit code"), json, stderr)
    }

    pub(crate) fn endpoint(&self) -> String {
        self.json(&["local", "status"]).1["endpoint"].as_str().expect("an endpoint").to_owned()
    }

    pub(crate) fn cloud(&self) -> Cloud {
        let endpoint_url = Some(self.endpoint());
        let settings = CloudSettings { endpoint_url, local: true, ..CloudSettings::default() };
        let clock = Arc::new(SystemClock::start());
        self.runtime.block_on(Cloud::connect(&settings, clock)).expect("a connection")
    }

    /// What Secrets Manager and CloudFront have for each tenant.
    pub(crate) fn keys(&self) -> BTreeMap<String, Keys> {
        let cloud = self.cloud();
        self.runtime.block_on(async {
            let secrets = cloud.secretsmanager(REGION);
            let groups = groups(&cloud).await;
            let mut all = BTreeMap::new();
            for tenant in &self.tenants {
                let secret = secrets.describe(&format!("example-{tenant}-keyring")).await;
                let secret = secret.expect("an answer").expect("a secret");
                all.insert(tenant.clone(), keys(&secret, &groups[&format!("example-{tenant}-signing")]));
            }
            all
        })
    }

    /// Number of all public keys in CloudFront: more than those of the groups would be orphans.
    pub(crate) fn public_keys(&self) -> usize {
        let cloudfront = aws_sdk_cloudfront::Client::new(&self.cloud().config(REGION));
        self.runtime.block_on(async {
            let (mut count, mut marker) = (0, None);
            loop {
                let page = cloudfront.list_public_keys().set_marker(marker).send().await.expect("a page");
                let list = page.public_key_list().expect("a list");
                count += list.items().len();
                marker = list.next_marker().map(str::to_owned);
                if marker.is_none() {
                    return count;
                }
            }
        })
    }

    /// The lines of a run's journal.
    pub(crate) fn journal(&self, run: &str) -> Vec<Value> {
        let path = self.folder.path().join("runs").join(format!("{run}.jsonl"));
        let text = fs::read_to_string(path).expect("a journal");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// The keys of every group by its name.
async fn groups(cloud: &Cloud) -> BTreeMap<String, Vec<String>> {
    let cloudfront = aws_sdk_cloudfront::Client::new(&cloud.config(REGION));
    let (mut groups, mut marker) = (BTreeMap::new(), None);
    loop {
        let page = cloudfront.list_key_groups().set_marker(marker).send().await.expect("a page");
        let list = page.key_group_list().expect("a list");
        for summary in list.items() {
            let config = summary.key_group().expect("a group").key_group_config().expect("its settings");
            groups.insert(config.name().to_owned(), config.items().to_vec());
        }
        marker = list.next_marker().map(str::to_owned);
        if marker.is_none() {
            return groups;
        }
    }
}

fn keys(secret: &SecretStatus, group: &[String]) -> Keys {
    Keys {
        current: secret.version_at(CURRENT).expect("a current version").to_owned(),
        previous: secret.version_at(PREVIOUS).map(str::to_owned),
        group: group.to_vec(),
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.run(&["local", "reset", "--yes"]);
        let _ = fs::remove_dir_all(cache().root().join("local").join(&self.instance));
    }
}
