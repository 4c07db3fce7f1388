//! What stands is judged by the settings that it was deployed with, whatever its file says today.

use std::fs;

use aws_sdk_s3::primitives::ByteStream;
use serde_json::{Value, json};

use super::planned::wait;
use super::{POLICY, World};
use crate::support::copy_policies;

const BUCKET: &str = "example-artifacts-000000000000";
const KEY: &str = "settings/demo.json";

/// The policies that a check found violated.
fn found(answer: &Value) -> Vec<&str> {
    let findings = answer["findings"].as_array().expect("findings").iter();
    let blocking =
        findings.filter(|finding| finding["verdict"] == "blocked" || finding["verdict"] == "error");
    blocking.filter_map(|finding| finding["policy"].as_str()).collect()
}

fn is_judged(answer: &Value, policy: &str) -> bool {
    answer["evaluated"].get(policy).is_some()
}

impl World {
    fn s3(&self, work: impl AsyncFnOnce(aws_sdk_s3::Client)) {
        wait(async {
            let config = self.cloud().await.config("us-east-1");
            let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
            work(aws_sdk_s3::Client::from_conf(config)).await;
        });
    }
}

/// demo stands with cookies of 150 minutes.
pub(super) fn what_stands_is_judged_by_the_settings_that_it_was_deployed_with(world: &World) {
    let policies = world.tenants.path().join("packs");
    copy_policies(&policies);
    let folder = policies.to_str().expect("a path");
    let today = ["policy", "check", "--tenant", "demo", "--policies-dir", folder];
    let deployed = [&today[..], &["--deployed"]].concat();

    let good = world.json(&deployed);
    assert_eq!((found(&good), &good["settings_unknown"]), (vec![], &json!([])), "{good:#}");
    assert!(is_judged(&good, "BAS012") && is_judged(&good, "EDG019") && is_judged(&good, "BAS005"));

    // The file says something else now; what stands is still good.
    world.edit("demo", "minutes: 150", "minutes: 600");
    let (code, bad) = world.json_with_code(&today);
    assert_eq!((code, found(&bad)), (POLICY, vec!["BAS012"]), "{bad:#}");
    assert_eq!(found(&world.json(&deployed)), Vec::<&str>::new());

    // A rule made today finds what stands, though the file is good.
    world.edit("demo", "minutes: 600", "minutes: 30");
    let pack = policies.join("baseline.yaml");
    let text = fs::read_to_string(&pack).expect("a pack");
    assert_eq!(text.matches("most: 480").count(), 1);
    fs::write(&pack, text.replace("most: 480", "most: 60")).expect("written");
    let (code, bad) = world.json_with_code(&deployed);
    assert_eq!((code, found(&bad)), (POLICY, vec!["BAS012"]), "{bad:#}");
    let finding = &bad["findings"][0];
    assert!(finding["message"].as_str().is_some_and(|text| text.contains("150")), "{finding:#}");
    assert_eq!(finding["place"], Value::Null, "the file says otherwise");
    assert_eq!(found(&world.json(&today)), Vec::<&str>::new());

    // An older release recorded nothing: that is said, and no rule on settings is judged.
    world.s3(async |s3| {
        s3.delete_object().bucket(BUCKET).key(KEY).send().await.expect("deleted");
    });
    let unknown = world.json(&deployed);
    let reason = unknown["settings_unknown"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("recorded none"), "{unknown:#}");
    for policy in ["BAS012", "BAS010", "EDG019"] {
        assert!(!is_judged(&unknown, policy), "{policy}: {unknown:#}");
    }
    assert!(is_judged(&unknown, "BAS005") && is_judged(&unknown, "ISO001"), "{unknown:#}");

    // What something else has changed since is not what was recorded.
    world.edit("demo", "minutes: 30", "minutes: 150");
    world.json(&["deploy", "--tenant", "demo", "--yes"]);
    assert_eq!(found(&world.json_with_code(&deployed).1), ["BAS012"]);
    world.s3(async |s3| {
        let read = s3.get_object().bucket(BUCKET).key(KEY).send().await.expect("a record");
        let bytes = read.body.collect().await.expect("bytes").to_vec();
        let mut record: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(record["settings"]["cookies"]["minutes"], 150);
        record["stacks"][1]["template"] = json!("0".repeat(64));
        let body = ByteStream::from(record.to_string().into_bytes());
        s3.put_object().bucket(BUCKET).key(KEY).body(body).send().await.expect("written");
    });
    let unknown = world.json(&deployed);
    let reason = unknown["settings_unknown"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("`example-demo-edge` was changed by something else"), "{unknown:#}");

    // A deployment that changes nothing records what stands.
    world.json(&["deploy", "--tenant", "demo", "--yes"]);
    assert_eq!(world.json_with_code(&deployed).1["settings_unknown"], json!([]));
}

/// The record says which template the stack had, and not that it has it still.
pub(super) fn what_somebody_else_has_changed_since_is_deployed_again(world: &World) {
    let stack = "example-demo-regional";
    wait(async {
        let region = "eu-north-1";
        let client = aws_sdk_cloudformation::Client::new(&world.cloud().await.config(region));
        let found = client.describe_stacks().stack_name(stack).send().await.expect("a stack");
        let found = found.stacks()[0].clone();
        let template = client.get_template().stack_name(stack).send().await.expect("a template");
        let template = template.template_body().expect("a template");
        assert_eq!(template.matches("MinimumLength: 8").count(), 1, "{template}");
        let update = client.update_stack().stack_name(stack).set_tags(found.tags);
        let update = update.set_parameters(found.parameters).set_capabilities(found.capabilities);
        let template = template.replace("MinimumLength: 8", "MinimumLength: 16");
        update.template_body(template).send().await.expect("changed by hand");
    });
    let stands = || world.json(&["status", "--tenant", "demo"])[0]["stacks"][0].clone();
    for _ in 0..100 {
        if stands()["status"].as_str().is_some_and(|status| status.ends_with("_COMPLETE")) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(stands()["template_as_rendered"], false);
    let done = world.json(&["deploy", "--tenant", "demo", "--yes"]);
    let stacks = &super::tenants_of(&done)[0]["detail"]["stacks"];
    assert_eq!((&stacks[0]["stack"], &stacks[0]["what"]), (&json!(stack), &json!("updated")), "{done:#}");
    assert_eq!(stands()["template_as_rendered"], true);
    let again = world.json(&["deploy", "--tenant", "demo", "--yes"]);
    assert_eq!(super::tenants_of(&again)[0]["detail"]["changed"], false, "{again:#}");
}

pub(super) fn the_settings_of_what_stands_are_not_collected(world: &World) {
    world.s3(async |s3| {
        s3.head_object().bucket(BUCKET).key(KEY).send().await.expect("a record");
    });
}
