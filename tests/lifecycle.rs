//! The shipped tenants on the local cloud, two of them through their whole life: the real binary, the real zips,
//! real functions.

mod planned;
mod recorded;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::initech;
use crate::support::{cache, generator_here, root};

/// Exit codes, as `generator --help` lists them.
const FAILURE: i32 = 1;
const POLICY: i32 = 5;
const NOT_FOUND: i32 = 6;

/// An instance of the local cloud of its own, removed at the end whatever happens.
struct World {
    instance: String,
    tenants: tempfile::TempDir,
}

impl World {
    fn start() -> Self {
        let tenants = tempfile::tempdir().expect("a folder");
        let folder = tenants.path().join("tenants");
        fs::create_dir(&folder).expect("a folder");
        fs::create_dir(folder.join("_tiers")).expect("a folder");
        for file in ["_defaults", "_tiers/gold", "acme", "demo", "globex", "initech", "northwind"] {
            let file = format!("{file}.yaml");
            fs::copy(root().join("tenants").join(&file), folder.join(&file)).expect("a tenant file");
        }
        Self { instance: format!("lifecycle-{}", std::process::id()), tenants }
    }

    /// The local cloud, as code of the tool reaches it.
    async fn cloud(&self) -> generator::aws::Cloud {
        let status = self.json(&["local", "status"]);
        let settings = generator::aws::CloudSettings {
            endpoint_url: Some(status["endpoint"].as_str().expect("an endpoint").to_string()),
            local: true,
            ..generator::aws::CloudSettings::default()
        };
        let clock = std::sync::Arc::new(generator::clock::SystemClock::start());
        generator::aws::Cloud::connect(&settings, clock).await.expect("a connection")
    }

    fn tenant_file(&self, name: &str) -> PathBuf {
        self.tenants.path().join("tenants").join(format!("{name}.yaml"))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        generator_here()
            .args(arguments)
            .args(["--local", "--local-instance", &self.instance, "--tenants-dir"])
            .arg(self.tenants.path().join("tenants"))
            .env("GENERATOR_JOURNAL", self.tenants.path().join("runs"))
            .output()
            .expect("the binary runs")
    }

    /// Runs a command that must succeed, and reads its JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let (code, json) = self.json_with_code(arguments);
        assert_eq!(code, 0, "{arguments:?}: {json:#}");
        json
    }

    fn json_with_code(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[arguments, &["--output", "json"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{stderr}"));
        assert!(!stderr.contains("PRIVATE KEY"), "{stderr}");
        (output.status.code().unwrap_or_default(), json)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.run(&["local", "reset", "--yes"]);
        let _ = fs::remove_dir_all(cache().root().join("local").join(&self.instance));
    }
}

/// The tenants of a run's report.
fn tenants_of(report: &Value) -> Vec<&Value> {
    let waves = report["waves"].as_array().expect("waves").iter();
    waves.flat_map(|wave| wave["tenants"].as_array().expect("tenants")).collect()
}

fn passed(verification: &Value) -> Vec<&str> {
    let checks = verification["checks"].as_array().expect("checks");
    let failed: Vec<_> = checks.iter().filter(|check| check["passed"] != true).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    checks.iter().filter_map(|check| check["name"].as_str()).collect()
}

/// One test, as each step needs the one before it.
#[test]
fn a_tenant_lives_from_its_file_to_its_end() {
    let world = World::start();
    what_initech_brings_along(&world);

    let first = world.json(&["deploy", "--all", "--yes"]);
    for tenant in tenants_of(&first) {
        assert_eq!(tenant["detail"]["changed"], true);
        let checks = passed(&tenant["detail"]["verification"]);
        // acme demands a scope, which only its sign-in page gives.
        let last: &[_] = if tenant["tenant"] == "acme" { &["scope"] } else { &["grant", "cookies"] };
        let wanted = [&["no-token", "forged-token", "remove", "token"], last].concat();
        assert_eq!(checks, wanted, "{tenant:#}");
    }
    assert_eq!(tenants_of(&first).len(), 5);

    let again = world.run(&["deploy", "--all", "--yes"]);
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    // Two stacks each, and the page of acme.
    assert_eq!(text.matches("no changes").count(), 11, "{text}");

    let outputs = world.json(&["outputs", "--tenant", "demo"]);
    for name in
        ["Host", "UserPoolId", "UserPoolClientId", "IdentityPoolId", "SignInDomain", "SignerVersionArn"]
    {
        assert!(outputs["demo"][name].is_string(), "{name}: {outputs:#}");
    }
    for tenant in world.json(&["status", "--all"]).as_array().expect("tenants") {
        for stack in tenant["stacks"].as_array().expect("stacks") {
            assert!(stack["status"].as_str().expect("a status").ends_with("_COMPLETE"), "{stack:#}");
            assert_eq!(stack["template_as_rendered"], true, "{stack:#}");
        }
        let keys = &tenant["keys"];
        assert!(keys["key_id"].is_string() && keys["algorithm"].is_string(), "{tenant:#}");
        assert_eq!((&keys["keys_in_group"], &keys["late"]), (&1.into(), &Value::Null), "{tenant:#}");
    }

    a_token_of_one_tenant_opens_nothing_of_another(&world);
    a_change_is_shown_before_it_is_made(&world);
    planned::what_was_seen_is_executed_or_nothing(&world);
    recorded::what_stands_is_judged_by_the_settings_that_it_was_deployed_with(&world);
    recorded::what_somebody_else_has_changed_since_is_deployed_again(&world);
    planned::what_was_changed_by_hand_is_drift(&world);
    planned::what_no_stack_uses_is_collected(&world);
    recorded::the_settings_of_what_stands_are_not_collected(&world);
    losing_the_bucket_needs_its_own_consent(&world);
    planned::what_was_kept_is_taken_in_again(&world);
    what_holds_data_outlives_the_stacks(&world);
}

fn what_initech_brings_along(world: &World) {
    world.json(&["local", "up"]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        initech::brings_along(&world.cloud().await, &world.tenant_file("initech")).await;
    });
}

fn a_token_of_one_tenant_opens_nothing_of_another(world: &World) {
    let outputs = world.json(&["outputs", "--tenant", "northwind"]);
    let token = world.tenants.path().join("token.txt");
    write_token(world, &outputs["northwind"], &token);
    let token = token.to_str().expect("a path");
    let own = world.json(&["verify", "--tenant", "northwind", "--token-file", token]);
    passed(&own[0]);
    let (code, foreign) = world.json_with_code(&["verify", "--tenant", "demo", "--token-file", token]);
    assert_eq!(code, FAILURE, "{foreign:#}");
}

/// Signs a user of its own in to a tenant's pool and writes the access token.
fn write_token(world: &World, outputs: &Value, path: &Path) {
    let get = |name: &str| outputs[name].as_str().expect("an output").to_string();
    let (pool, client) = (get("UserPoolId"), get("UserPoolClientId"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let token = runtime.block_on(async {
        let cloud = world.cloud().await;
        let region = pool.split('_').next().expect("a region");
        let cognito = cloud.cognito(region);
        let (user, password) = ("viewer@example.invalid", "Correct-Horse-9-Battery");
        cognito.create_user(&pool, user, password).await.expect("a user");
        cognito.set_password(&pool, user, password).await.expect("a password");
        let flow = generator::aws::cognito::PasswordFlow::Admin;
        cognito.sign_in(flow, &pool, &client, user, password).await.expect("tokens").access
    });
    fs::write(path, token.expose()).expect("a token file");
}

fn a_change_is_shown_before_it_is_made(world: &World) {
    let file = world.tenant_file("demo");
    let text = fs::read_to_string(&file).expect("the tenant file");
    fs::write(&file, format!("{text}cookies:\n  minutes: 90\n")).expect("the tenant file");
    let planned = world.json(&["deploy", "--tenant", "demo", "--dry-run"]);
    let edge = &planned["tenants"][0]["stacks"][1];
    let changed: Vec<_> = edge["resources"]
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|change| change["logical_id"].as_str())
        .collect();
    assert!(changed.contains(&"SignerConfig") && !changed.contains(&"SignerVersion"), "{planned:#}");
    let still = world.json(&["deploy", "--tenant", "demo", "--dry-run"]);
    assert_eq!(still, planned, "a dry run has changed something");
    let done = world.json(&["deploy", "--tenant", "demo", "--yes"]);
    let done = &tenants_of(&done)[0]["detail"];
    assert_eq!(done["changed"], true);
    passed(&done["verification"]);
}

fn losing_the_bucket_needs_its_own_consent(world: &World) {
    let templates = world.tenants.path().join("templates");
    fs::create_dir(&templates).expect("a folder");
    for entry in fs::read_dir(root().join("templates")).expect("templates") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, templates.join(path.file_name().expect("a name"))).expect("a copy");
    }
    let bucket = templates.join("content_bucket.yaml.hbs");
    let text = fs::read_to_string(&bucket).expect("the template");
    fs::write(&bucket, text.replace("{{name}}-${AWS::AccountId}", "{{name}}-${AWS::AccountId}-b"))
        .expect("a template");
    let folder = templates.to_str().expect("a path");
    let refused = world.run(&["deploy", "--tenant", "demo", "--yes", "--templates-dir", folder]);
    let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(POLICY), "{stderr}");
    assert!(stderr.contains("--allow-replace ContentBucket"), "{stderr}");
    let text = world.run(&["deploy", "--tenant", "demo", "--yes"]);
    assert_eq!(String::from_utf8_lossy(&text.stdout).matches("no changes").count(), 2);
}

fn what_holds_data_outlives_the_stacks(world: &World) {
    let gone = world.json(&["destroy", "--tenant", "demo", "--yes"]);
    assert_eq!(gone["totals"]["done"], 1, "{gone:#}");
    let kept = tenants_of(&gone)[0]["detail"]["kept"].as_array().expect("kept");
    let kept: Vec<_> = kept.iter().filter_map(|kept| kept["type"].as_str()).collect();
    assert_eq!(kept, ["AWS::S3::Bucket", "AWS::Cognito::UserPool"], "{gone:#}");
    let (code, _) = world.json_with_code(&["outputs", "--tenant", "demo"]);
    assert_eq!(code, NOT_FOUND);
    let data = ["--delete-data", "ContentBucket", "--delete-data", "UserPool"];
    let gone = world.json(&[&["destroy", "--tenant", "demo", "--yes"][..], &data].concat());
    assert_eq!(tenants_of(&gone)[0]["detail"]["kept"], serde_json::json!([]), "{gone:#}");
    let other = world.json(&["verify", "--tenant", "northwind"]);
    passed(&other[0]);
}
