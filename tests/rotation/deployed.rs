//! The deployed function: rotations by request and by schedule, a revocation, another algorithm.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use contract::keyring::{KeyAlgorithm, Keyring};
use contract::names::Names;
use contract::revocation::RevokeRequest;
use serde_json::Value;

use super::site::{Standing, connect, cookie, keyring, token};
use crate::support::{cache, generator_here, root};

/// A deployed tenant in a local cloud of its own, removed at the end whatever happens.
struct Deployed {
    instance: String,
    folder: tempfile::TempDir,
    names: Names,
}

impl Deployed {
    fn demo() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("_tiers")).expect("a folder");
        for file in ["_defaults.yaml", "demo.yaml"] {
            fs::copy(root().join("tenants").join(file), folder.path().join(file)).expect("a tenant file");
        }
        let instance = format!("rotation-{}", std::process::id());
        let deployed = Self { instance, folder, names: Names::new("example", "demo") };
        deployed.succeed(&["deploy", "--tenant", "demo", "--yes"]);
        deployed
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = generator_here();
        command.args(arguments).args(["--local", "--local-instance", &self.instance, "--tenants-dir"]);
        command.arg(self.folder.path()).output().expect("the binary runs")
    }

    fn succeed(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--output", "json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    async fn config(&self) -> SdkConfig {
        let status = self.succeed(&["local", "status"]);
        connect(status["endpoint"].as_str().expect("an endpoint")).await
    }

    async fn keyring(&self) -> Keyring {
        keyring(&self.config().await, &self.names.keyring_secret()).await
    }

    /// Id of the current version.
    async fn version(&self) -> String {
        let secrets = aws_sdk_secretsmanager::Client::new(&self.config().await);
        let value = secrets.get_secret_value().secret_id(self.names.keyring_secret()).send().await;
        value.expect("a current version").version_id().expect("an id").to_owned()
    }

    async fn standing(&self) -> Standing {
        Standing::of(&self.config().await, &self.names).await
    }

    /// Asks for a rotation; again while the service tries out the schedule of a new secret.
    async fn rotate(&self, token: &str) {
        let secrets = aws_sdk_secretsmanager::Client::new(&self.config().await);
        let rotation = secrets.rotate_secret().secret_id(self.names.keyring_secret());
        let rotation = rotation.client_request_token(token);
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(error) = rotation.clone().send().await {
            let error = error.into_service_error();
            assert!(error.is_invalid_request_exception() && Instant::now() < deadline, "{error:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until the current key is another than `before` and its rotation has ended, and gives it. A
    /// rotation whose end is not waited for would go on after a restart, in the place of another one.
    async fn key_after(&self, before: &Keyring) -> Keyring {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let now = self.keyring().await;
            let ended =
                format!("rotated {} to version {}", self.names.keyring_secret(), self.version().await);
            if now.key_id != before.key_id && self.log().contains(&ended) {
                assert_eq!(self.standing().await.orphans(), Vec::<&String>::new());
                return now;
            }
            assert!(Instant::now() < deadline, "no other key within 60 s: {}", self.log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn log(&self) -> String {
        generator::local::logs(&cache(), &self.instance, 400).expect("a log")
    }

    /// Invokes the function past the tool: nothing, or its error.
    async fn revoke(&self, tenant: &str, token: &str) -> Result<(), String> {
        let event = serde_json::to_vec(&RevokeRequest::new(tenant, token)).expect("an event");
        let lambda = aws_sdk_lambda::Client::new(&self.config().await);
        let invocation = lambda.invoke().function_name(self.names.rotator_function());
        let answer = invocation.payload(event.into()).send().await.expect("an invocation");
        let payload = answer.payload().expect("a payload").as_ref();
        match answer.function_error() {
            None => Ok(()),
            Some(_) => Err(String::from_utf8_lossy(payload).into_owned()),
        }
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        let _ = self.run(&["local", "reset", "--yes"]);
        let _ = fs::remove_dir_all(cache().root().join("local").join(&self.instance));
    }
}

/// One test, as each step needs the one before it.
#[tokio::test(flavor = "multi_thread")]
async fn the_deployed_function_rotates_revokes_and_changes_its_algorithm() {
    let demo = Deployed::demo();
    let first = demo.keyring().await;

    // Right after the deployment, when the service may still try out the schedule.
    demo.succeed(&["rotate", "--tenant", "demo", "--yes"]);
    let second = demo.key_after(&first).await;
    demo.standing().await.check(&second, &[cookie(&first)], "rotated by request");

    let third = by_schedule(&demo, &second).await;
    let cookies = [cookie(&first), cookie(&second)];
    demo.standing().await.check(&third, &cookies, "rotated by schedule");

    demo.rotate(&token("fourth")).await;
    let fourth = demo.key_after(&third).await;
    demo.standing().await.check(&fourth, &cookies, "four keys");
    demo.rotate(&token("fifth")).await;
    refused_with_a_time(&demo).await;

    revoked(&demo, &[first, second, third, fourth]).await;
    another_algorithm(&demo).await;
}

/// The window opens while the cloud is off, and the rotation is done when it is on again.
async fn by_schedule(demo: &Deployed, before: &Keyring) -> Keyring {
    demo.succeed(&["local", "down"]);
    let state: PathBuf = cache().root().join("local").join(&demo.instance).join("state/secretsmanager.json");
    let kept = fs::read_to_string(&state).expect("the kept state");
    let (start, rest) = kept.split_once("\"_NextWindow\": ").expect("a planned rotation");
    let (_, end) = rest.split_once(',').expect("more state");
    fs::write(&state, format!("{start}\"_NextWindow\": 1,{end}")).expect("written");
    demo.succeed(&["local", "up"]);
    demo.key_after(before).await
}

async fn refused_with_a_time(demo: &Deployed) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !demo.log().contains("it may run from 20") {
        assert!(Instant::now() < deadline, "{}", demo.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn revoked(demo: &Deployed, old: &[Keyring]) {
    let name = token("revocation");
    let foreign = demo.revoke("northwind", &name).await.expect_err("another tenant");
    assert!(foreign.contains("not those of `northwind`"), "{foreign}");
    let by_hand =
        ["rotate", "--tenant", "demo", "--revoke", "--confirm-revoke", "demo", "--revoke-token", &name];
    let answer = demo.succeed(&by_hand);
    assert_eq!(demo.succeed(&by_hand), answer, "the same again");
    let (standing, keyring) = (demo.standing().await, demo.keyring().await);
    assert_eq!(answer["key_id"], keyring.key_id.as_str());
    assert_eq!(standing.group, std::slice::from_ref(&keyring.key_id));
    standing.check(&keyring, &[], "revoked");
    assert_eq!(standing.orphans(), Vec::<&String>::new());
    for old in old {
        assert!(!standing.opens(&cookie(old)), "a cookie of the revoked key `{}` opens", old.key_id);
    }
}

async fn another_algorithm(demo: &Deployed) {
    // The rotation that was refused above is still to be done: the service tries it again when asked.
    let before = demo.keyring().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&demo.config().await);
    let again = secrets.rotate_secret().secret_id(demo.names.keyring_secret()).send().await;
    again.expect_err("the earlier rotation isn't complete");
    let before = demo.key_after(&before).await;

    let other = match before.algorithm {
        KeyAlgorithm::Rsa2048 => KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP256 => KeyAlgorithm::Rsa2048,
    };
    let file = demo.folder.path().join("demo.yaml");
    let text = fs::read_to_string(&file).expect("the tenant file");
    fs::write(&file, format!("{text}keys:\n  algorithm: {}\n", other.as_str())).expect("written");
    demo.succeed(&["deploy", "--tenant", "demo", "--yes"]);
    let keyring = demo.keyring().await;
    assert_eq!(keyring.algorithm, other);
    let standing = demo.standing().await;
    assert!(standing.group.contains(&before.key_id), "{standing:?}");
    standing.check(&keyring, &[cookie(&before)], "another algorithm");
}
